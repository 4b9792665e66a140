"""An item carries a topic when its probability reaches the threshold."""

import pytest

from monitor.signals.tags import signals
from storage.records import Signal

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
    assert [signal.topic for signal in signals(7, "m", probabilities, THRESHOLDS)] == topics


def test_a_signal_names_item_model_and_probability() -> None:
    assert signals(7, "m-1", {"capex": 0.8}, THRESHOLDS) == (Signal(7, "capex", 0.8, "m-1"),)
