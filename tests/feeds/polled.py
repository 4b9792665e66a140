"""A feed that is polled again and again: what one poll decides is what the next one begins with."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.feeds.due import Brought, PollSettings, next_poll
from storage.feed_records import Entry, Feed, Fetched, NextPoll, Trouble

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
URL = "https://a.example/feed"
FEED = Feed(7, "Feed", URL, None, None, 30 * MINUTE, NOW)
FINE = Fetched(NOW, 0.1, 200)
SETTINGS = PollSettings()
NOTHING = Brought()


def known(**change: Any) -> Feed:
    """Return a feed that has answered for a hundred days, about once a day with news, the last time an hour ago."""
    usual = {
        "every": 2 * HOUR,
        "rate": 1.0,
        "state": "ok",
        "state_since": NOW - 100 * DAY,
        "first_ok": NOW - 100 * DAY,
        "last_poll": NOW - HOUR,
        "last_ok": NOW - HOUR,
        "last_news": NOW - HOUR,
    }
    return replace(FEED, **(usual | change))  # type: ignore[arg-type]


def failed(trouble: Trouble = "network", **change: Any) -> Fetched:
    """Return a failure."""
    return replace(FINE, **({"status": None, "error": "it failed", "trouble": trouble} | change))


def entries(*ages: timedelta | None, now: datetime = NOW) -> tuple[Entry, ...]:
    """Return entries of these ages; None has no date."""
    dates = [None if age is None else now - age for age in ages]
    return tuple(Entry(str(n), None, str(n), published=date) for n, date in enumerate(dates))


def brought(*ages: timedelta | None, known: int = 10) -> Brought:
    """Return what a document of new entries of these ages brings, beside ``known`` ones."""
    return Brought(entries(*ages), None, known, len(ages) + known)


def after(feed: Feed, told: NextPoll, fetched: Fetched, news: bool, now: datetime) -> Feed:
    """Return the feed as the store would keep it after this poll."""
    works = fetched.error is None
    return replace(
        feed,
        every=told.every,
        next_poll=told.at or datetime.max.replace(tzinfo=UTC),
        failures=told.failures,
        rate=told.rate,
        state=told.state,
        state_since=told.state_since,
        address=told.address,
        move=told.move,
        last_poll=now,
        last_ok=now if works else feed.last_ok,
        first_ok=feed.first_ok or (now if works else None),
        last_news=now if news else feed.last_news,
    )


def lived(
    feed: Feed, polls: Iterable[tuple[timedelta, Fetched, Brought]], settings: PollSettings = SETTINGS
) -> list[NextPoll]:
    """Poll a feed at these times after NOW; return what each poll decided."""
    decided = []
    for passed, fetched, found in polls:
        decided.append(told := next_poll(feed, fetched, found, settings, NOW + passed))
        feed = after(feed, told, fetched, bool(found.fresh), NOW + passed)
    return decided
