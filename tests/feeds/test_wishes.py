"""Hours and days when a feed does not want to be asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.wishes import outside_skipped
from storage.feed_records import Hints

MONDAY = datetime(2026, 3, 2, 12, 20, 5, tzinfo=UTC)
WEEKEND = (5, 6)


@pytest.mark.parametrize(
    ("hints", "moment", "expected"),
    [
        pytest.param(Hints(), MONDAY, MONDAY, id="nothing is skipped"),
        pytest.param(Hints(skip_hours=(11, 13)), MONDAY, MONDAY, id="other hours are skipped"),
        pytest.param(
            Hints(skip_hours=(12, 13)), MONDAY, MONDAY.replace(hour=14, minute=0, second=0), id="to the next hour"
        ),
        pytest.param(
            Hints(skip_hours=(23, 0, 1)),
            MONDAY.replace(hour=23),
            datetime(2026, 3, 3, 2, tzinfo=UTC),
            id="over midnight",
        ),
        pytest.param(
            Hints(skip_days=WEEKEND), MONDAY - timedelta(days=2), datetime(2026, 3, 2, tzinfo=UTC), id="over a weekend"
        ),
        pytest.param(
            Hints(skip_hours=(0, 1), skip_days=WEEKEND),
            MONDAY - timedelta(days=1),
            datetime(2026, 3, 2, 2, tzinfo=UTC),
            id="days and hours together",
        ),
        pytest.param(Hints(skip_hours=tuple(range(24))), MONDAY, MONDAY, id="every hour: nonsense"),
        pytest.param(Hints(skip_days=tuple(range(7))), MONDAY, MONDAY, id="every day: nonsense"),
        pytest.param(
            Hints(skip_hours=tuple(range(24)), skip_days=(0,)),
            MONDAY,
            datetime(2026, 3, 3, tzinfo=UTC),
            id="every hour is nonsense, the day still counts",
        ),
    ],
)
def test_the_first_moment_that_is_not_skipped(hints: Hints, moment: datetime, expected: datetime) -> None:
    assert outside_skipped(moment, hints) == expected


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sets(st.integers(0, 23), max_size=23),
    st.sets(st.integers(0, 6), max_size=6),
)
def test_it_is_never_skipped_itself_and_at_most_a_week_later(naive: datetime, hours: set[int], days: set[int]) -> None:
    moment = naive.replace(tzinfo=UTC)
    found = outside_skipped(moment, Hints(skip_hours=tuple(hours), skip_days=tuple(days)))
    assert found.hour not in hours
    assert found.weekday() not in days
    assert moment <= found <= moment + timedelta(days=7)
