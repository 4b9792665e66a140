"""How good a classifier is, from labelled items and the probabilities that it gave them. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

BINS = 10
ALL = "all"
"""The language of figures over all languages."""
_Z = 1.959964  # of the normal distribution, for 95 %


@dataclass(frozen=True, slots=True)
class Judged:
    """One item's probability for one topic, and whether it really carries the topic."""

    probability: float
    positive: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall at a threshold; an undefined ratio is NaN."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall: 0 without a hit, NaN with neither tags nor positives."""
        if self.precision == 0 or self.recall == 0:
            return 0.0
        return 2 * self.precision * self.recall / (self.precision + self.recall)


@dataclass(frozen=True, slots=True)
class Case:
    """One label: its topic, the item's language, what the model said and what is true."""

    topic: str
    lang: str
    judged: Judged


@dataclass(frozen=True, slots=True)
class Figures:
    """How good the tags of one topic in one language are. Undefined ratios are NaN.

    ``positives`` are the items that really carry the topic. ``low`` and ``high`` bound the 95 % interval of the
    precision. ``average_precision`` and ``calibration_error`` do not depend on the threshold.
    """

    topic: str
    lang: str
    items: int
    positives: int
    threshold: float
    precision: float
    low: float
    high: float
    recall: float
    f1: float
    average_precision: float
    calibration_error: float


def measured(cases: Sequence[Case], thresholds: Mapping[str, float]) -> list[Figures]:
    """Return figures per topic, in the order of ``thresholds``: a row for each language, and one over all of them.

    Topics without a case are left out, as are cases of other topics.
    """
    return [
        figures(topic, lang, judged, threshold)
        for topic, threshold in thresholds.items()
        for lang, judged in _by_language([case for case in cases if case.topic == topic])
    ]


def _by_language(cases: Sequence[Case]) -> Iterator[tuple[str, list[Judged]]]:
    for lang in sorted({case.lang for case in cases}):
        yield lang, [case.judged for case in cases if case.lang == lang]
    if cases:
        yield ALL, [case.judged for case in cases]


def figures(topic: str, lang: str, judged: Sequence[Judged], threshold: float) -> Figures:
    """Measure one topic's tags in one language."""
    found = quality(judged, threshold)
    tagged = [one for one in judged if one.probability >= threshold]
    low, high = wilson(sum(one.positive for one in tagged), len(tagged))
    return Figures(
        topic=topic,
        lang=lang,
        items=len(judged),
        positives=sum(one.positive for one in judged),
        threshold=threshold,
        precision=found.precision,
        low=low,
        high=high,
        recall=found.recall,
        f1=found.f1,
        average_precision=average_precision(judged),
        calibration_error=calibration_error(judged),
    )


def macro_f1(rows: Sequence[Figures]) -> dict[str, float]:
    """Return for each language the mean F1 of the topics that some item carries there; NaN when there is none."""
    return {lang: _mean([row.f1 for row in rows if row.lang == lang and row.positives]) for lang in _languages(rows)}


def quality(judged: Sequence[Judged], threshold: float, prior: float | None = None) -> Quality:
    """Measure the tags at a threshold, as they are or weighted so that a share ``prior`` of items is positive."""
    positives = sum(one.positive for one in judged)
    hits = sum(one.positive for one in judged if one.probability >= threshold)
    false = sum(not one.positive for one in judged if one.probability >= threshold)
    weight = _negative_weight(positives, len(judged) - positives, prior)
    return Quality(_ratio(hits, hits + weight * false), _ratio(hits, positives))


def average_precision(judged: Sequence[Judged]) -> float:
    """Return the mean precision over the ranks of the positives; equal probabilities share the worst of their ranks."""
    ranked = sorted(judged, key=lambda one: (-one.probability, one.positive))
    hits, total = 0, 0.0
    for rank, one in enumerate(ranked, start=1):
        hits += one.positive
        total += hits / rank if one.positive else 0.0
    return _ratio(total, hits)


def calibration_error(judged: Sequence[Judged], bins: int = BINS) -> float:
    """Return how far the probabilities are from what comes true, on average; NaN without items.

    The expected calibration error (Guo et al. 2017, On Calibration of Modern Neural Networks) over bins of equal width,
    of the probability that the item carries the topic.
    """
    binned: dict[int, list[Judged]] = {}
    for one in judged:
        binned.setdefault(min(int(one.probability * bins), bins - 1), []).append(one)
    gaps = (abs(sum(one.probability - one.positive for one in group)) for group in binned.values())
    return _ratio(sum(gaps), len(judged))


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson 1927, Probable Inference); NaN without trials."""
    if not trials:
        return math.nan, math.nan
    share, spread = hits / trials, _Z**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def _languages(rows: Sequence[Figures]) -> list[str]:
    return list(dict.fromkeys(sorted((row.lang for row in rows), key=lambda lang: (lang == ALL, lang))))


def _mean(values: Sequence[float]) -> float:
    return _ratio(sum(values), len(values))


def _negative_weight(positives: int, negatives: int, prior: float | None) -> float:
    if prior is None or not positives or not negatives:
        return 1.0
    return positives * (1 - prior) / (negatives * prior)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
