"""How often a feed has news, and how often it is asked for that."""

from datetime import timedelta

import pytest

from monitor.feeds.due import Brought, PollSettings, next_poll
from monitor.feeds.pace import UNKNOWN, first_rate, interval
from storage.feed_records import Feed
from tests.feeds.polled import DAY, FEED, FINE, HOUR, MINUTE, NOW, SETTINGS, after, brought, entries, known

FASTEST, SLOWEST = SETTINGS.fastest, SETTINGS.slowest
MONTH = 30 * DAY


def every(count: int, gap: timedelta, *pinned: timedelta) -> Brought:
    """Return a first answer: so many entries with this gap between them, and perhaps old pinned ones."""
    ages = [gap * number for number in range(1, count + 1)]
    return Brought(entries(*ages, *pinned), None, 0, count + len(pinned))


@pytest.mark.parametrize(
    ("document", "least", "most"),
    [
        pytest.param(every(25, 12 * MINUTE), FASTEST, FASTEST, id="a wire: 25 entries of five hours"),
        pytest.param(every(25, 12 * MINUTE, 2000 * DAY), FASTEST, FASTEST, id="a wire with an old pinned post"),
        pytest.param(every(30, 8 * HOUR), 35 * MINUTE, 50 * MINUTE, id="three a day"),
        pytest.param(every(10, DAY), 2 * HOUR, 3 * HOUR, id="a daily letter"),
        pytest.param(every(20, 7 * DAY), 10 * HOUR, 24 * HOUR, id="a weekly one"),
        pytest.param(every(10, MONTH), SLOWEST, SLOWEST, id="a monthly blog"),
        pytest.param(every(1, 5 * MINUTE), HOUR, 3 * HOUR, id="a single entry of five minutes ago is no wire"),
        pytest.param(every(5, 900 * DAY), SLOWEST, SLOWEST, id="nothing for years"),
        pytest.param(every(0, DAY), 30 * MINUTE, 30 * MINUTE, id="an empty feed: not known yet"),
        pytest.param(brought(None, None, known=0), 30 * MINUTE, 30 * MINUTE, id="no dates: not known yet"),
        pytest.param(every(3, -DAY), 30 * MINUTE, 30 * MINUTE, id="only dates of the future: not known yet"),
    ],
)
def test_the_first_answer_tells_the_pace(document: Brought, least: timedelta, most: timedelta) -> None:
    told = next_poll(FEED, FINE, document, SETTINGS, NOW)
    assert least <= told.every <= most


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(0, SLOWEST), (1 / 30, SLOWEST), (1, 2 * HOUR), (4, 30 * MINUTE), (8, FASTEST), (1e9, FASTEST), (None, HOUR / 2)],
    ids=["never", "monthly", "daily", "four a day", "eight a day: a wire", "absurd", "unknown"],
)
def test_twelve_polls_fit_between_two_news(rate: float | None, expected: timedelta) -> None:
    assert interval(rate, FASTEST, SLOWEST) == expected


def settled(gap: timedelta, days: int, feed: Feed, *, dated: bool = True) -> Feed:
    """Let a feed publish every ``gap`` for so many days, and be polled whenever it is due."""
    now, published, end = NOW, NOW, NOW + days * DAY
    while now < end:
        count = (now - published) // gap
        published += count * gap
        found = Brought(entries(*([HOUR if dated else None] * count), now=now), None, 10, count + 10)
        told = next_poll(feed, FINE, found, SETTINGS, now)
        feed = after(feed, told, FINE, count > 0, now)
        assert told.at is not None
        now = told.at
    return feed


@pytest.mark.parametrize("start", [0.0, UNKNOWN, 16.0], ids=["from nothing", "from the unknown", "from a flood"])
@pytest.mark.parametrize("dated", [True, False], ids=["with dates", "without dates"])
@pytest.mark.parametrize("gap", [HOUR, 8 * HOUR, 2 * DAY], ids=["hourly", "three a day", "every other day"])
def test_the_average_finds_what_a_feed_really_publishes(gap: timedelta, start: float, dated: bool) -> None:
    feed = settled(gap, 75, known(rate=start), dated=dated)
    assert feed.rate == pytest.approx(DAY / gap, rel=0.3)
    assert feed.every == interval(feed.rate, FASTEST, SLOWEST)


def test_a_feed_that_falls_silent_is_asked_less_and_less() -> None:
    paces = [settled(900 * DAY, days, known(rate=8.0)).every for days in (1, 14, 28, 70)]
    assert paces == sorted(paces)
    assert paces[0] < 20 * MINUTE
    assert paces[-1] == SLOWEST


def test_the_average_does_not_depend_on_how_often_it_is_taken() -> None:
    once = next_poll(known(last_ok=NOW - 2 * DAY), FINE, brought(HOUR), SETTINGS, NOW).rate
    half = next_poll(known(last_ok=NOW - 2 * DAY), FINE, brought(), SETTINGS, NOW - DAY)
    feed = after(known(last_ok=NOW - 2 * DAY), half, FINE, False, NOW - DAY)
    assert next_poll(feed, FINE, brought(HOUR), SETTINGS, NOW).rate == pytest.approx(once)


def test_what_came_while_a_feed_was_down_counts_as_news() -> None:
    feed = known(rate=1.0, last_ok=NOW - 5 * DAY)
    rate = next_poll(feed, FINE, brought(DAY, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY), SETTINGS, NOW).rate
    assert rate == pytest.approx(1.0, rel=0.1)


def test_an_archive_that_appears_again_is_no_news() -> None:
    again = brought(*[400 * DAY] * 300)
    assert next_poll(known(rate=1.0), FINE, again, SETTINGS, NOW).rate == pytest.approx(1.0, rel=0.01)


def test_a_document_that_turned_over_completely_halves_the_interval() -> None:
    fresh = entries(HOUR, 2 * HOUR)
    part, whole = Brought(fresh, None, 8, 10), Brought(fresh, None, 0, 10)
    seen = [next_poll(known(rate=1.0), FINE, found, SETTINGS, NOW).every for found in (part, whole)]
    assert seen[1] == seen[0] / 2
    wire = next_poll(known(rate=50.0), FINE, whole, SETTINGS, NOW)
    assert wire.every == FASTEST, "but no feed is asked more often than the fastest pace"


def test_an_unchanged_document_has_not_turned_over() -> None:
    assert next_poll(known(), FINE, Brought(), SETTINGS, NOW).every > HOUR


def test_a_feed_that_comes_back_unchanged_keeps_what_was_known_of_it() -> None:
    paused = known(first_ok=None, rate=1.0, last_ok=NOW - DAY)
    assert next_poll(paused, FINE, Brought(), SETTINGS, NOW).rate == pytest.approx(0.93, abs=0.01)


def test_the_users_interval_is_kept_and_the_rate_still_known() -> None:
    told = next_poll(known(fixed=True, every=5 * MINUTE, rate=1.0), FINE, brought(HOUR), SETTINGS, NOW)
    assert told.every == 5 * MINUTE
    assert told.rate == pytest.approx(1 + 1 / 14, rel=0.01)


def test_the_limits_are_the_users() -> None:
    settings = PollSettings(fastest=HOUR, slowest=3 * HOUR)
    for rate, expected in ((0.0, 3 * HOUR), (1.0, 2 * HOUR), (50.0, HOUR)):
        assert next_poll(known(rate=rate, last_ok=NOW), FINE, brought(), settings, NOW).every == expected


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    assert next_poll(known(rate=1.0, last_ok=NOW + DAY), FINE, brought(), SETTINGS, NOW).rate == 1.0


def test_dates_in_the_future_do_not_stretch_the_first_estimate() -> None:
    assert first_rate(entries(-300 * DAY, HOUR, 2 * HOUR), NOW) == first_rate(entries(HOUR, 2 * HOUR), NOW)
