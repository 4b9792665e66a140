"""From when to when a feed's flow is known: poll after poll without a gap, and what a gap hides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage import reading
from storage.days import known_zone
from storage.exposures import add, covered_hours
from storage.feed_records import Feed, FeedSpec
from storage.records import Exposure
from storage.store import Store
from tests.builders import NOW, entry, feed_in, poll

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
T = NOW
H = HOUR
NONE = timedelta(0)


async def answer(store: Store, now: datetime, *ages: float, known: int = 0, error: str | None = None) -> Feed:
    """Let the feed answer at a moment with fresh entries of these ages (h)."""
    feed = next(iter(await store.due_feeds(NOW + 999 * DAY)))
    fresh = [entry(f"{now:%d %H} {age}", now - age * HOUR) for age in ages]
    outcome = replace(poll(feed, *fresh, error=error), known=known, entries=len(ages) + known)
    await store.save_poll(replace(outcome, fetched=replace(outcome.fetched, started=now)), now)
    return feed


async def intervals(store: Store) -> list[tuple[timedelta, timedelta, timedelta]]:
    """Return since, until and opened of all intervals, as distances from T."""
    found = (await store.history([], NOW - 9999 * DAY, NOW)).exposures
    return [(one.since - T, one.until - T, one.opened - T) for one in found]


class TestIntervals:
    async def test_a_first_answer_reaches_back_to_where_a_tenth_of_it_was_out(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T, 96_000, *(24 * n for n in range(20)))
        assert await intervals(store) == [(-18 * DAY, NONE, NONE)]

    async def test_a_first_answer_without_dates_or_entries_begins_now(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T)
        assert await intervals(store) == [(NONE, NONE, NONE)]

    @pytest.mark.parametrize(
        ("ages", "known"),
        [
            pytest.param((), 0, id="unchanged"),
            pytest.param((), 5, id="all known"),
            pytest.param((1, 2), 5, id="some are new and some known"),
        ],
    )
    async def test_a_poll_that_shows_no_gap_makes_it_longer(
        self, store: Store, ages: tuple[float, ...], known: int
    ) -> None:
        await feed_in(store)
        await answer(store, T, 24)
        await answer(store, T + 9 * H, *ages, known=known)
        assert await intervals(store) == [(-24 * H, 9 * H, NONE)]

    async def test_where_nothing_is_known_a_gap_may_lie_between(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T, 24)
        await answer(store, T + 90 * H, *range(20))
        assert await intervals(store) == [(-24 * H, NONE, NONE), (73 * H, 90 * H, 90 * H)]

    async def test_where_the_unknown_reaches_back_into_what_is_known_there_is_no_gap(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T, 24)
        await answer(store, T + 9 * H, 9, 10, 11)
        assert await intervals(store) == [(-24 * H, 9 * H, NONE)]

    async def test_failures_change_nothing(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T, 24)
        await answer(store, T + 9 * H, error="HTTP 500")
        assert await intervals(store) == [(-24 * H, NONE, NONE)]

    async def test_an_outage_that_the_document_bridges_is_no_gap(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T, 24)
        await answer(store, T + 50 * H, error="HTTP 500")
        await answer(store, T + 99 * H, 1, 50, known=3)
        assert await intervals(store) == [(-24 * H, 99 * H, NONE)]

    async def test_a_feed_that_moved_begins_anew_after_what_is_known(self, store: Store) -> None:
        feed = await feed_in(store)
        await answer(store, T, 24)
        await store.sync_feeds([FeedSpec(feed.name, "https://elsewhere.example/feed")], T)
        await answer(store, T + 90 * H, 5, 6)
        assert await intervals(store) == [(-24 * H, NONE, NONE), (84 * H, 90 * H, 90 * H)]

    async def test_a_feed_that_moved_with_its_entries_goes_on_as_before(self, store: Store) -> None:
        feed = await feed_in(store)
        await answer(store, T, 24)
        await store.sync_feeds([FeedSpec(feed.name, "https://elsewhere.example/feed")], T)
        await answer(store, T + 90 * H, 5, 6, known=5)
        assert await intervals(store) == [(-24 * H, 90 * H, NONE)]


class TestDays:
    async def test_each_day_has_its_hours_and_its_polls(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T, 15)  # T is 14:00 UTC
        await answer(store, T + HOUR, error="HTTP 500")
        await answer(store, T + 12 * HOUR, known=3)
        assert reading.ask(store.path, "SELECT day, hours, polls, failures FROM feed_days").rows == [
            ("2026-11-22", 1.0, 0, 0),
            ("2026-11-23", 24.0, 1, 1),
            ("2026-11-24", 2.0, 1, 0),
        ]

    async def test_a_gap_is_missing_from_the_hours(self, store: Store) -> None:
        await feed_in(store)
        await answer(store, T - 12 * HOUR, 1)
        await answer(store, T, 3)
        day = "SELECT hours FROM feed_days WHERE day = '2026-11-23'"
        assert reading.ask(store.path, day).rows == [(1.0 + 3.0,)]

    async def test_an_interval_that_is_added_later_counts_each_hour_once(self, store: Store) -> None:
        feed = await feed_in(store)
        await answer(store, T, 10)
        store._db.execute("BEGIN")
        add(store._db, Exposure(feed.id, T - 14 * HOUR, T - 6 * HOUR, T))
        store._db.execute("COMMIT")
        day = "SELECT hours FROM feed_days WHERE day = '2026-11-23'"
        assert reading.ask(store.path, day).rows == [(14.0,)]

    def test_a_day_on_which_clocks_change_has_23_or_25_hours(self) -> None:
        always = [Exposure(1, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), NOW)]
        berlin = known_zone("Europe/Berlin")
        days = [datetime(2026, *day, tzinfo=UTC).date() for day in ((3, 29), (10, 24), (10, 25))]
        assert [covered_hours(berlin, day, always) for day in days] == [23.0, 24.0, 25.0]
