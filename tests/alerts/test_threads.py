"""Which threads of a rule's alerts are open."""

from datetime import timedelta

import pytest

from monitor.alerts.rules.threads import open_threads
from storage.alert_records import ToldAlert
from tests.alerts.sample import NOW

START = ToldAlert("a", "x", "a", "start", NOW)
UPDATE = ToldAlert("a:1", "x", "a", "update", NOW)
END = ToldAlert("a:end", "x", "a", "end", NOW)
ONCE = ToldAlert("b", "x", "b", "once", NOW)
OTHER = ToldAlert("c", "y", "c", "start", NOW)
EARLIER = ToldAlert("d", "x", "d", "start", NOW - timedelta(days=1), "muted")


@pytest.mark.parametrize(
    ("told", "open_ones"),
    [
        pytest.param([], [], id="nothing was told"),
        pytest.param([START], ["a"], id="a start"),
        pytest.param([START, UPDATE], ["a"], id="a start and an update"),
        pytest.param([END, START, UPDATE], [], id="an end, whatever the order"),
        pytest.param([ONCE, OTHER], [], id="single occasions, and other rules"),
        pytest.param([START, EARLIER], ["d", "a"], id="two, oldest first, whatever became of them"),
        pytest.param([START, END, EARLIER], ["d"], id="one of two has ended"),
    ],
)
def test_open_threads(told: list[ToldAlert], open_ones: list[str]) -> None:
    assert list(open_threads({one.key: one for one in told}, "x")) == open_ones
