"""From probabilities to signals: an item carries a topic when its probability reaches the topic's threshold. Pure."""

from collections.abc import Mapping

from storage.records import Signal


def signals(
    item_id: int, model: str, probabilities: Mapping[str, float], thresholds: Mapping[str, float]
) -> tuple[Signal, ...]:
    """Return a signal for each topic at or above its threshold, in the order of ``thresholds``.

    A threshold for a topic that the model does not know is skipped: it can never be reached.
    """
    reached = (
        (topic, probabilities[topic]) for topic, floor in thresholds.items() if _reaches(probabilities, topic, floor)
    )
    return tuple(Signal(item_id, topic, probability, model) for topic, probability in reached)


def _reaches(probabilities: Mapping[str, float], topic: str, floor: float) -> bool:
    return topic in probabilities and probabilities[topic] >= floor
