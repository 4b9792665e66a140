"""From scores to signals: an item carries a topic when its probability reaches the topic's threshold. Pure."""

from collections.abc import Mapping

from monitor.signals.reading import Score
from storage.records import Classification, Signal


def classifications(item_id: int, scores: Mapping[str, Score]) -> tuple[Classification, ...]:
    """Return what the models said of an item, as storage keeps it."""
    return tuple(Classification(item_id, topic, score.model, score.probability) for topic, score in scores.items())


def signals(item_id: int, scores: Mapping[str, Score], thresholds: Mapping[str, float]) -> tuple[Signal, ...]:
    """Return a signal for each topic at or above its threshold, in the order of ``thresholds``.

    A threshold for a topic that no model knows is skipped: it can never be reached.
    """
    reached = ((topic, scores[topic]) for topic, floor in thresholds.items() if _reaches(scores, topic, floor))
    return tuple(Signal(item_id, topic, score.probability, score.model, score.words) for topic, score in reached)


def _reaches(scores: Mapping[str, Score], topic: str, floor: float) -> bool:
    return topic in scores and scores[topic].probability >= floor
