"""When a feed is asked again: pauses, what sites ask for, and what holds whatever happens."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.feeds.due import JITTER, Brought, PollSettings, due_soon, next_poll
from monitor.feeds.wishes import UNTOLD
from storage.feed_records import Feed, Fetched, Hints, NextPoll, Trouble
from tests.feeds.polled import DAY, FEED, FINE, HOUR, MINUTE, NOTHING, NOW, SETTINGS, brought, failed, known, lived

GONE = failed("gone", status=410)
TOO_OFTEN = failed("blocked", status=429)


def told(feed: Feed, fetched: Fetched = FINE, found: Brought = NOTHING, now: datetime = NOW) -> NextPoll:
    return next_poll(feed, fetched, found, SETTINGS, now)


def pause(feed: Feed, fetched: Fetched = FINE, found: Brought = NOTHING, now: datetime = NOW) -> timedelta:
    at = told(feed, fetched, found, now).at
    assert at is not None
    return at - now


def about(expected: timedelta, seen: timedelta) -> bool:
    """Tell whether a pause is the expected one, moved by no more than the jitter."""
    return abs(seen - expected) <= expected * JITTER


# success and failure


def test_a_success_forgets_the_failures() -> None:
    feed = known(failures=9, state="failing", state_since=NOW - 3 * DAY)
    assert (told(feed).failures, told(feed).state, told(feed).state_since) == (0, "ok", NOW)
    assert about(told(feed).every, pause(feed))


@pytest.mark.parametrize(
    ("failures", "expected"),
    [(0, 2 * HOUR), (1, 4 * HOUR), (3, 16 * HOUR), (4, DAY), (10_000, DAY)],
    ids=["the first failure", "the second", "the fourth", "the fifth: no longer than a day", "after many years"],
)
def test_the_pause_doubles_with_every_failure_up_to_a_day(failures: int, expected: timedelta) -> None:
    feed = known(failures=failures, rate=1.0)
    assert told(feed, failed()).failures == failures + 1
    assert about(expected, pause(feed, failed()))


def test_a_failure_changes_neither_the_pace_nor_what_is_known_of_the_news() -> None:
    feed = known(rate=2.0, every=HOUR)
    assert (told(feed, failed()).rate, told(feed, failed()).every) == (2.0, HOUR)


def test_a_feed_slower_than_the_longest_pause_keeps_its_own_interval() -> None:
    weekly = known(every=7 * DAY, fixed=True)
    assert about(7 * DAY, pause(weekly, failed()))


def test_a_feed_that_never_answered_is_tried_again_after_half_an_hour() -> None:
    assert about(30 * MINUTE, pause(FEED, failed()))


# what sites ask for


@pytest.mark.parametrize(
    ("fetched", "least"),
    [
        pytest.param(failed("blocked", status=429, retry_after=5 * HOUR), 5 * HOUR, id="asked too often, with a pause"),
        pytest.param(TOO_OFTEN, UNTOLD, id="asked too often, without a pause"),
        pytest.param(failed("status", status=503, retry_after=DAY), DAY, id="unavailable for a day"),
        pytest.param(replace(FINE, retry_after=5 * HOUR), 5 * HOUR, id="a pause that comes with a document"),
    ],
)
@pytest.mark.parametrize("fixed", [False, True], ids=["at its own pace", "at an interval of the user's"])
def test_the_pause_that_a_site_asks_for_is_never_undercut(fetched: Fetched, least: timedelta, fixed: bool) -> None:
    for number in range(50):
        feed = known(id=number, every=15 * MINUTE, rate=50.0, fixed=fixed)
        assert least <= pause(feed, fetched) <= least * (1 + JITTER)


def test_a_pause_shorter_than_the_interval_does_not_hasten() -> None:
    hasty = failed("status", status=503, retry_after=timedelta(seconds=1))
    assert about(2 * HOUR, pause(known(), hasty))


@pytest.mark.parametrize(
    ("fetched", "until"),
    [
        pytest.param(TOO_OFTEN, NOW + HOUR, id="asked too often: for an hour"),
        pytest.param(
            replace(TOO_OFTEN, retry_after=3 * HOUR), NOW + 3 * HOUR, id="asked too often: as long as it says"
        ),
        pytest.param(failed("status", status=503, retry_after=HOUR), NOW + HOUR, id="unavailable, and says how long"),
        pytest.param(failed("status", status=503), None, id="unavailable: the others may work"),
        pytest.param(failed("status", status=500, retry_after=HOUR), None, id="another error: this feed's alone"),
        pytest.param(FINE, None, id="a success"),
    ],
)
def test_a_site_that_is_asked_too_often_closes_its_whole_domain(fetched: Fetched, until: datetime | None) -> None:
    assert told(known(), fetched).closed_until == until


@pytest.mark.parametrize(
    ("fetched", "hints", "least"),
    [
        pytest.param(replace(FINE, fresh_for=6 * HOUR), Hints(), 6 * HOUR, id="caching headers"),
        pytest.param(FINE, Hints(ttl=8 * HOUR), 8 * HOUR, id="the channel's ttl"),
        pytest.param(replace(FINE, fresh_for=6 * HOUR), Hints(ttl=8 * HOUR), 8 * HOUR, id="the longer of both"),
        pytest.param(replace(FINE, fresh_for=365 * DAY), Hints(), DAY, id="a year is taken for a day"),
        pytest.param(FINE, Hints(ttl=400 * DAY), DAY, id="a ttl of years, too"),
    ],
)
def test_a_document_that_is_said_to_stay_is_not_asked_for_before(
    fetched: Fetched, hints: Hints, least: timedelta
) -> None:
    feed = known(every=15 * MINUTE, rate=50.0, hints=hints)
    assert least <= pause(feed, fetched) <= least * (1 + JITTER)
    assert told(feed, fetched).every == 15 * MINUTE, "the interval that is kept is the feed's own pace"
    assert about(15 * MINUTE, pause(replace(feed, fixed=True), fetched)), "the user's interval counts more"


def test_what_the_present_document_says_replaces_what_an_earlier_one_said() -> None:
    feed = known(every=15 * MINUTE, rate=50.0, hints=Hints(ttl=8 * HOUR))
    assert about(15 * MINUTE, pause(feed, FINE, Brought(hints=Hints(), known=10, entries=10)))


def test_the_caching_headers_of_an_error_page_do_not_count() -> None:
    assert about(2 * HOUR, pause(known(), failed("status", status=502, fresh_for=DAY)))


def test_nobody_asks_in_hours_that_the_feed_skips() -> None:
    feed = known(hints=Hints(skip_hours=(13, 14, 15, 16, 17)))
    assert told(feed).at == NOW.replace(hour=18)
    assert about(2 * HOUR, pause(replace(feed, fixed=True, every=2 * HOUR))), "the user's interval counts more"


# gone


def test_a_feed_that_is_gone_is_asked_once_more_a_day_later_and_then_no_more() -> None:
    first, second = lived(known(), [(0 * DAY, GONE, NOTHING), (DAY, GONE, NOTHING)])
    assert first.at is not None
    assert DAY <= first.at - NOW <= DAY * (1 + JITTER)
    assert (second.at, second.state, second.state_since) == (None, "gone", NOW)


def test_twice_gone_within_hours_is_not_believed_yet() -> None:
    assert lived(known(), [(0 * DAY, GONE, NOTHING), (2 * HOUR, GONE, NOTHING)])[-1].at is not None


def test_gone_again_after_something_else_is_a_first_time_again() -> None:
    polls = [(0 * DAY, GONE, NOTHING), (DAY, failed(), NOTHING), (2 * DAY, GONE, NOTHING), (3 * DAY, GONE, NOTHING)]
    assert [told.at is None for told in lived(known(), polls)] == [False, False, False, True]


def test_a_feed_that_was_gone_and_answers_is_well() -> None:
    last = lived(known(), [(0 * DAY, GONE, NOTHING), (DAY, GONE, NOTHING), (30 * DAY, FINE, brought(HOUR))])[-1]
    assert (last.state, last.failures) == ("ok", 0)
    assert last.at is not None


# whatever happens

spans = st.timedeltas(timedelta(0), 800 * DAY)
some_hints = st.builds(
    Hints,
    ttl=st.none() | spans,
    skip_hours=st.lists(st.integers(0, 23), max_size=30).map(tuple),
    skip_days=st.lists(st.integers(0, 6), max_size=8).map(tuple),
)
any_feed = st.builds(
    known,
    id=st.integers(1),
    failures=st.integers(0),
    every=st.timedeltas(timedelta(seconds=1), 400 * DAY),
    fixed=st.booleans(),
    rate=st.none() | st.floats(0, 1e9),
    state=st.sampled_from(["new", "ok", "failing", "stale", "blocked", "gone"]),
    state_since=st.none() | spans.map(lambda ago: NOW - ago),
    first_ok=st.none() | spans.map(lambda ago: NOW - ago),
    last_ok=st.none() | st.timedeltas(-DAY, 800 * DAY).map(lambda ago: NOW - ago),  # a clock may be set back
    last_news=st.none() | spans.map(lambda ago: NOW - ago),
    address=st.none() | st.just("https://b.example/feed"),
    hints=some_hints,
)
any_wish = st.builds(
    replace,
    st.just(FINE),
    retry_after=st.none() | st.timedeltas(timedelta(seconds=1), DAY),
    fresh_for=st.none() | spans,
    moved_to=st.none() | st.just("https://b.example/feed"),
)
any_failure = st.builds(
    lambda wish, trouble, status: replace(wish, error="it failed", trouble=trouble, status=status),
    any_wish,
    st.sampled_from(get_args(Trouble)),
    st.sampled_from([None, 404, 410, 429, 500, 503]),
)
any_brought = st.builds(
    Brought,
    fresh=st.lists(st.none() | st.timedeltas(-400 * DAY, 800 * DAY), max_size=5).map(lambda ages: brought(*ages).fresh),
    hints=st.none() | some_hints,
    known=st.integers(0, 500),
    entries=st.integers(0, 10_000),
)


@given(any_feed, any_wish | any_failure, any_brought)
def test_the_next_poll_lies_ahead_and_not_before_the_site_wants_it(
    feed: Feed, fetched: Fetched, found: Brought
) -> None:
    next_one = told(feed, fetched, found)
    if next_one.at is None:
        assert (next_one.state, fetched.trouble) == ("gone", "gone")
    else:
        assert next_one.at > NOW
        assert next_one.at - NOW >= (fetched.retry_after or timedelta(0))
    assert next_one.rate is None or next_one.rate >= 0
    assert next_one.every > timedelta(0)
    assert next_one == told(feed, fetched, found), "the same poll decides the same"


@given(any_feed, any_wish, any_brought)
def test_a_feed_that_works_is_asked_within_its_interval_unless_the_site_wants_it_later(
    feed: Feed, fetched: Fetched, found: Brought
) -> None:
    feed = replace(feed, hints=replace(feed.hints, skip_hours=(), skip_days=()))
    found = replace(found, hints=None)
    next_one = told(feed, fetched, found)
    assert feed.fixed or SETTINGS.fastest <= next_one.every <= SETTINGS.slowest
    assert not feed.fixed or next_one.every == feed.every
    assert next_one.at is not None
    assert next_one.at - NOW <= max(next_one.every, DAY) * (1 + JITTER)


@given(any_feed, any_failure, st.integers(0, 40))
def test_another_failure_never_shortens_the_pause(feed: Feed, fetched: Fetched, failures: int) -> None:
    feed = replace(feed, hints=Hints(), state="failing")
    fewer, more = replace(feed, failures=failures), replace(feed, failures=failures + 1)
    assert pause(fewer, fetched) <= pause(more, fetched)
    assert pause(more, fetched) >= min(told(feed, fetched).every, DAY) * (1 - JITTER)


# jitter, cron, settings


def test_feeds_added_together_drift_apart_in_a_repeatable_way() -> None:
    dues = [told(known(id=number)).at for number in range(50)]
    assert len(set(dues)) == 50
    assert dues == [told(known(id=number)).at for number in range(50)]


def test_feeds_of_a_site_that_asked_for_a_pause_do_not_come_back_together() -> None:
    assert len({told(known(id=number), TOO_OFTEN).at for number in range(50)}) == 50


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"next_poll": NOW - MINUTE}, True, id="it is due"),
        pytest.param({"next_poll": NOW + 2 * MINUTE}, True, id="due in a moment"),
        pytest.param({"next_poll": NOW + 2 * HOUR, "every": DAY}, True, id="a daily feed, due in two hours"),
        pytest.param({"next_poll": NOW + 20 * MINUTE, "every": 30 * MINUTE}, False, id="it was asked just now"),
        pytest.param({"next_poll": NOW + MINUTE, "failures": 1}, False, id="it failed: the pause may be asked for"),
    ],
)
def test_a_run_from_cron_polls_what_is_due_soon(change: dict[str, object], expected: bool) -> None:
    assert due_soon(known(**change), NOW) is expected


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"every": timedelta(0)}, "greater than or equal to", id="an interval of nothing"),
        pytest.param({"fastest": timedelta(0)}, "greater than or equal to", id="a fastest pace without a pause"),
        pytest.param(
            {"fastest": HOUR, "slowest": MINUTE}, "fastest must not be longer", id="limits in the wrong order"
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, timedelta], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PollSettings(**settings)
