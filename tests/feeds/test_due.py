"""When a feed is asked again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.feeds.due import JITTER, PollSettings, next_poll
from storage.feed_records import Feed, Fetched

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERY = timedelta(minutes=30)
DAY = timedelta(days=1)
FEED = Feed(7, "Feed", "https://a.example/feed", None, None, EVERY, NOW)
FINE = Fetched(NOW, 0.1, 200)
SETTINGS = PollSettings()


@pytest.mark.parametrize(
    ("failures", "pause"),
    [(0, EVERY), (1, 2 * EVERY), (3, 8 * EVERY), (5, 32 * EVERY), (6, DAY), (10_000, DAY)],
)
def test_the_pause_doubles_with_every_failure_up_to_a_day(failures: int, pause: timedelta) -> None:
    due = next_poll(replace(FEED, failures=failures), FINE, "it failed", SETTINGS, NOW)
    assert due.failures == failures + 1
    assert pause * (1 - JITTER) <= due.at - NOW <= min(pause * (1 + JITTER), DAY)


def test_a_success_forgets_the_failures() -> None:
    due = next_poll(replace(FEED, failures=9), FINE, None, SETTINGS, NOW)
    assert due.failures == 0
    assert abs(due.at - NOW - EVERY) <= EVERY * JITTER


def test_a_wish_of_the_server_is_never_undercut() -> None:
    for wish in (timedelta(hours=5), DAY):
        assert next_poll(FEED, replace(FINE, retry_after=wish), "HTTP 429", SETTINGS, NOW).at == NOW + wish
        assert next_poll(FEED, replace(FINE, retry_after=wish), None, SETTINGS, NOW).at == NOW + wish


def test_a_wish_shorter_than_the_interval_does_not_hasten() -> None:
    due = next_poll(FEED, replace(FINE, retry_after=timedelta(seconds=1)), "HTTP 503", SETTINGS, NOW)
    assert due.at - NOW >= EVERY * (1 - JITTER)


def test_a_feed_that_is_gone_is_asked_at_the_longest_pause() -> None:
    assert next_poll(FEED, replace(FINE, status=410), "HTTP 410 Gone", SETTINGS, NOW).at == NOW + DAY


def test_a_feed_slower_than_the_longest_pause_keeps_its_own_interval() -> None:
    weekly = replace(FEED, every=timedelta(days=7))
    assert next_poll(weekly, FINE, "it failed", SETTINGS, NOW).at - NOW >= timedelta(days=6)


def test_feeds_added_together_drift_apart_in_a_repeatable_way() -> None:
    dues = [next_poll(replace(FEED, id=n), FINE, None, SETTINGS, NOW) for n in range(50)]
    assert len({due.at for due in dues}) == 50
    assert dues == [next_poll(replace(FEED, id=n), FINE, None, SETTINGS, NOW) for n in range(50)]


@given(st.integers(1), st.integers(0), st.timedeltas(timedelta(seconds=1), timedelta(days=400)), st.booleans())
def test_the_next_poll_always_lies_ahead(number: int, failures: int, every: timedelta, failed: bool) -> None:
    feed = replace(FEED, id=number, failures=failures, every=every)
    assert next_poll(feed, FINE, "it failed" if failed else None, SETTINGS, NOW).at > NOW


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        PollSettings(every=timedelta(0))
