"""From logits on a made-up mix of items to probabilities and thresholds for the mix that real feeds bring. Pure.

Topics are far more common among the training items than in the wild. For a classifier whose outputs are posterior
probabilities the remedy is exact: move each logit by the difference of the two prior log-odds (Saerens, Latinne &
Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities). Test items are weighted to
the real mix in the same spirit: what matters is a topic's share, not which items happen to carry it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

GRID = tuple(step / 100 for step in range(50, 96, 5))


@dataclass(frozen=True, slots=True)
class Judged:
    """One item's probability for one topic, and whether it really carries the topic."""

    probability: float
    positive: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision, recall and their harmonic mean at a threshold; an undefined ratio is NaN."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def log_odds(probability: float) -> float:
    """Return the logit of a probability strictly between 0 and 1."""
    return math.log(probability / (1 - probability))


def sigmoid(logit: float) -> float:
    """Return the probability of a logit."""
    return 1 / (1 + math.exp(-logit)) if logit > 0 else math.exp(logit) / (1 + math.exp(logit))


def prior_shift(share: float, prior: float) -> float:
    """Return what to add to a logit that was learned at ``share`` of positives to make it right at ``prior``."""
    return log_odds(prior) - log_odds(share)


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


def threshold_for(judged: Sequence[Judged], goal: float, prior: float) -> float:
    """Return the lowest threshold of GRID from which on precision at ``prior`` stays at or above ``goal``.

    The highest of GRID is returned when none does; thresholds that nothing reaches count as good.
    """
    chosen = GRID[-1]
    for threshold in reversed(GRID):
        if quality(judged, threshold, prior).precision < goal:
            break
        chosen = threshold
    return chosen


def _negative_weight(positives: int, negatives: int, prior: float | None) -> float:
    if prior is None or not positives or not negatives:
        return 1.0
    return positives * (1 - prior) / (negatives * prior)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
