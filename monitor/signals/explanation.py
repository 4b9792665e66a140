"""Why a text carries a topic, put together from what the classifier says and what was stored. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.signals.reading import Score
from storage.records import Verdict

WORTH_A_REASON = 0.5
"""The share of its threshold from which on a topic's words are told."""
_SAME = 0.005  # stored probabilities are rounded


@dataclass(frozen=True, slots=True)
class TopicReason:
    """One topic of one text: the present model's word, the words that decided, and what else was said of it before.

    ``without`` is the probability once those words are taken out of the text; None where there are none. ``stored`` is
    None where it says the same as the present model.
    """

    topic: str
    model: str
    probability: float
    threshold: float
    words: tuple[str, ...] = ()
    without: float | None = None
    stored: Verdict | None = None

    @property
    def carries(self) -> bool:
        """Whether the probability reaches the threshold."""
        return self.probability >= self.threshold


def near(score: Score, threshold: float) -> bool:
    """Tell whether the topic is near enough to its threshold for its words to mean something."""
    return score.probability >= WORTH_A_REASON * threshold


def reason(
    topic: str, score: Score, threshold: float, without: float | None = None, stored: Verdict | None = None
) -> TopicReason:
    """Put one topic's reason together; words of a topic far below its threshold are not told."""
    words = score.words if near(score, threshold) else ()
    other = stored if stored and _differs(score, score.probability >= threshold, stored) else None
    return TopicReason(topic, score.model, score.probability, threshold, words, without if words else None, other)


def _differs(score: Score, carries: bool, stored: Verdict) -> bool:
    """Tell whether what was stored is another word than the present one: a model's, a verdict, or a person's."""
    moved = stored.probability is None or abs(stored.probability - score.probability) > _SAME
    return moved or stored.model != score.model or stored.signal != carries or stored.label is not None


def as_json(one: TopicReason) -> Mapping[str, object]:
    """Return a reason as `monitor explain --format json` writes it."""
    stored = one.stored
    return {
        "topic": one.topic,
        "model": one.model,
        "probability": round(one.probability, 4),
        "threshold": one.threshold,
        "carries": one.carries,
        "words": list(one.words),
        "probability_without": None if one.without is None else round(one.without, 4),
        "stored": stored
        and {
            "model": stored.model,
            "probability": stored.probability,
            "signal": stored.signal,
            "label": stored.label,
        },
    }
