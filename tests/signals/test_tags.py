"""An item carries a topic when its probability reaches the threshold."""

import pytest

from monitor.signals.reading import Score
from monitor.signals.tags import classifications, signals
from storage.records import Classification, Signal

THRESHOLDS = {"efficiency": 0.5, "capex": 0.7}


@pytest.mark.parametrize(
    ("probabilities", "topics"),
    [
        pytest.param({"efficiency": 0.5, "capex": 0.0}, ["efficiency"], id="at the threshold is enough"),
        pytest.param({"efficiency": 0.4999, "capex": 0.6999}, [], id="just below is not"),
        pytest.param({"capex": 0.9, "efficiency": 0.9}, ["efficiency", "capex"], id="order is that of the thresholds"),
        pytest.param({"efficiency": 0.9}, ["efficiency"], id="a topic the model does not know is never reached"),
        pytest.param(
            {"efficiency": 0.1, "capex": 0.1, "weather": 1.0}, [], id="a topic without threshold is no signal"
        ),
        pytest.param({"efficiency": float("nan"), "capex": 1.0}, ["capex"], id="not a number reaches nothing"),
    ],
)
def test_signals(probabilities: dict[str, float], topics: list[str]) -> None:
    scores = {topic: Score(probability, "m") for topic, probability in probabilities.items()}
    assert [signal.topic for signal in signals(7, scores, THRESHOLDS)] == topics


def test_a_signal_names_item_model_probability_and_words() -> None:
    scores = {"capex": Score(0.8, "m-1", ("orders", "billions"))}
    assert signals(7, scores, THRESHOLDS) == (Signal(7, "capex", 0.8, "m-1", ("orders", "billions")),)


def test_every_score_is_kept_as_a_classification_reached_or_not() -> None:
    scores = {"capex": Score(0.8, "m-1"), "efficiency": Score(0.1, "m-2")}
    assert classifications(7, scores) == (
        Classification(7, "capex", "m-1", 0.8),
        Classification(7, "efficiency", "m-2", 0.1),
    )
