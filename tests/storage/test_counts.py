"""What counts, where and when: a story once, in the place of its first telling, on a local day, if it came in time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from storage import reading
from storage.alert_records import DayCount
from storage.days import day_of, local_day
from storage.errors import StorageError
from storage.feed_records import Feed
from storage.novelty import novelty, weight
from storage.records import FeedDay, Merge, Occurrence
from storage.store import Store
from tests.builders import NOW, entry, feed_in, past_first_answer, poll, tag, tell

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
COUNTS = "SELECT day, topic, feed_id, stories, items, weight FROM topic_counts ORDER BY day, feed_id"
FEED_DAYS = "SELECT day, feed_id, stories, items FROM feed_days WHERE items > 0 ORDER BY day, feed_id"


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


async def told(store: Store, feed: Feed, title: str, published: datetime, story: int = -1, **topics: float) -> int:
    """Let a feed tell something now, and put it into a story; return the story."""
    await store.save_poll(poll(feed, entry(title, published, guid=f"{feed.name} {title}")), NOW)
    await tag(store, **(topics or {"capex": 0.9}))
    return (await tell(store, story))[0]


async def feeds(store: Store) -> tuple[Feed, Feed]:
    return (
        await past_first_answer(store, await feed_in(store, "Wire")),
        await past_first_answer(store, await feed_in(store, "Copy")),
    )


class TestWhereAStoryCounts:
    async def test_it_counts_once_where_it_was_first_told_and_its_retellings_weigh_a_little(self, store: Store) -> None:
        wire, copy = await feeds(store)
        story = await told(store, wire, "Event", NOW - 3 * HOUR)
        await told(store, copy, "Event", NOW - 2 * HOUR, story)
        await told(store, copy, "Event again", NOW - HOUR, story)
        assert rows(store, COUNTS) == [
            ("2026-11-23", "capex", wire.id, 1, 1, 1.0),
            ("2026-11-23", "capex", copy.id, 0, 2, 0.0875),
        ]
        assert rows(store, FEED_DAYS) == [("2026-11-23", wire.id, 1, 1), ("2026-11-23", copy.id, 0, 2)]

    async def test_an_earlier_telling_that_arrives_later_moves_the_count_to_its_day(self, store: Store) -> None:
        wire, copy = await feeds(store)
        story = await told(store, wire, "Event", NOW)
        await told(store, copy, "Event first", NOW - DAY, story)
        counts = await store.day_counts("capex", NOW.date(), 3)
        assert counts == tuple(DayCount(NOW.date() - n * DAY, stories) for n, stories in ((2, 0), (1, 1), (0, 0)))
        assert rows(store, FEED_DAYS) == [("2026-11-22", copy.id, 1, 1), ("2026-11-23", wire.id, 0, 1)]

    async def test_within_a_topic_the_first_telling_that_carries_it_counts(self, store: Store) -> None:
        wire, copy = await feeds(store)
        story = await told(store, wire, "Off topic", NOW - DAY, capex=0.1)
        await told(store, copy, "On topic", NOW, story)
        assert rows(store, COUNTS) == [("2026-11-23", "capex", copy.id, 1, 1, 1.0)]
        assert rows(store, FEED_DAYS)[0] == ("2026-11-22", wire.id, 1, 1)

    async def test_when_two_stories_become_one_only_the_first_telling_counts(self, store: Store) -> None:
        wire, copy = await feeds(store)
        old = await told(store, wire, "One", NOW - 2 * DAY)
        new = await told(store, copy, "Other", NOW - DAY)
        await store.save_poll(poll(wire, entry("Bridge", NOW)), NOW)
        (item,) = await tag(store, capex=0.9)
        await tell(store, old, merges=(Merge(new, old, item.id),))
        stories = "SELECT day, stories, items FROM topic_counts ORDER BY day"
        assert rows(store, stories) == [("2026-11-21", 1, 1), ("2026-11-22", 0, 1), ("2026-11-23", 0, 1)]

    @pytest.mark.parametrize(
        ("late", "counted"),
        [
            pytest.param(7 * DAY, 1, id="seven days late is in time"),
            pytest.param(7 * DAY + timedelta(seconds=1), 0, id="a second more is too late"),
        ],
    )
    async def test_what_comes_too_late_counts_nowhere(self, store: Store, late: timedelta, counted: int) -> None:
        wire, copy = await feeds(store)
        story = await told(store, wire, "Late", NOW - late)
        assert len(rows(store, COUNTS)) == len(rows(store, FEED_DAYS)) == counted
        await told(store, copy, "In time", NOW, story)
        assert rows(store, "SELECT sum(stories) FROM topic_counts") == [(1,)]
        assert rows(store, "SELECT items FROM stories") == [(2,)]

    async def test_a_backlog_counts_however_old_it_is(self, store: Store) -> None:
        await told(store, await feed_in(store), "Old", NOW - 90 * DAY)
        assert [row[0] for row in rows(store, COUNTS)] == ["2026-08-25"]

    async def test_a_copied_story_never_weighs_more_than_1_2(self) -> None:
        assert sum(map(weight, range(1, 500))) <= 1.2
        assert sum(map(weight, range(1, 41))) == pytest.approx(1.2, abs=1e-4)
        assert [novelty(rank) for rank in range(1, 7)] == [100, 75, 56, 42, 32, 24]


class TestLocalDays:
    async def test_days_are_those_of_the_time_zone_once_there_is_one(self, store: Store) -> None:
        wire, _ = await feeds(store)
        await told(store, wire, "Late in the evening", datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
        assert [row[0] for row in rows(store, COUNTS)] == ["2026-11-22"]
        await store.count_in("Europe/Berlin")
        assert [row[0] for row in rows(store, COUNTS)] == ["2026-11-23"]
        await store.count_in("America/New_York")
        assert [row[0] for row in rows(store, COUNTS)] == ["2026-11-22"]
        assert rows(store, "SELECT zone FROM calendar") == [("America/New_York",)]

    @pytest.mark.parametrize(
        ("zone", "day", "hours"),
        [
            ("Europe/Berlin", date(2026, 10, 25), 25),
            ("Europe/Berlin", date(2026, 3, 29), 23),
            ("America/New_York", date(2026, 11, 1), 25),
            ("Asia/Kathmandu", date(2026, 11, 1), 24),
            pytest.param("America/Sao_Paulo", date(2018, 11, 4), 23, id="midnight is skipped"),
            pytest.param("Pacific/Apia", date(2011, 12, 30), 0, id="the whole day is skipped"),
        ],
    )
    def test_a_day_ends_where_the_next_begins(self, zone: str, day: date, hours: int) -> None:
        here = ZoneInfo(zone)
        today, tomorrow = local_day(here, day), local_day(here, day + DAY)
        start, end = datetime.fromisoformat(today.start), datetime.fromisoformat(today.end)
        assert (end - start, today.end) == (hours * HOUR, tomorrow.start)
        assert day_of(here, end) == day + DAY
        assert day_of(here, start - timedelta(seconds=1)) == day - DAY
        assert not hours or day_of(here, start) == day == day_of(here, end - timedelta(seconds=1))

    async def test_an_unknown_time_zone_is_named_and_changes_nothing(self, store: Store) -> None:
        with pytest.raises(StorageError, match="no time zone 'Mars/Base'"):
            await store.count_in("Mars/Base")
        assert rows(store, "SELECT * FROM calendar") == []


class TestHistory:
    async def test_it_tells_each_story_once_by_its_first_telling(self, store: Store) -> None:
        wire, copy = await feeds(store)
        story = await told(store, wire, "Event", NOW - 3 * HOUR)
        await told(store, copy, "Event", NOW - 2 * HOUR, story)
        await told(store, copy, "Aside", NOW - HOUR, efficiency=0.9, capex=0.1)
        known = await store.history(["capex", "efficiency"], NOW - 9 * DAY, NOW - DAY)
        assert known.told == {
            "capex": (Occurrence(wire.id, NOW - 3 * HOUR),),
            "efficiency": (Occurrence(copy.id, NOW - HOUR),),
        }
        assert known.recent == (Occurrence(wire.id, NOW - 3 * HOUR), Occurrence(copy.id, NOW - HOUR))
        assert {one.feed_id for one in known.exposures} == {wire.id, copy.id}

    async def test_a_story_that_was_first_told_before_it_begins_is_left_out(self, store: Store) -> None:
        wire, copy = await feeds(store)
        story = await told(store, wire, "Event", NOW - 5 * DAY)
        await told(store, copy, "Event", NOW, story)
        known = await store.history(["capex"], NOW - 4 * DAY, NOW - DAY)
        assert (known.told["capex"], known.recent) == ((), ())

    async def test_a_first_telling_that_does_not_count_hides_nothing(self, store: Store) -> None:
        wire, copy = await feeds(store)
        late = await told(store, wire, "Came too late", NOW - 8 * DAY)
        await told(store, copy, "In time", NOW, late)
        off = await told(store, wire, "Off topic", NOW - 5 * DAY, capex=0.1)
        await told(store, copy, "On topic", NOW, off)
        known = await store.history(["capex"], NOW - 4 * DAY, NOW - DAY)
        assert known.told["capex"] == (Occurrence(copy.id, NOW), Occurrence(copy.id, NOW))
        assert known.recent == (Occurrence(copy.id, NOW),)

    async def test_all_stories_are_counted_by_day_up_to_the_recent_ones(self, store: Store) -> None:
        wire, _ = await feeds(store)
        for n, ago in enumerate((6, 6.1, 3, 1)):
            await told(store, wire, f"Event {n}", NOW - ago * DAY)
        midnight = datetime(2026, 11, 20, tzinfo=UTC)
        known = await store.history([], midnight - 3 * DAY, midnight + DAY)
        assert known.totals == (FeedDay(date(2026, 11, 17), wire.id, 2), FeedDay(date(2026, 11, 20), wire.id, 1))
        assert known.recent == (Occurrence(wire.id, NOW - DAY),)

    async def test_only_exposures_that_reach_into_it_are_told(self, store: Store) -> None:
        wire, _ = await feeds(store)
        known = await store.history([], NOW - 2 * DAY, NOW)
        assert {one.feed_id for one in known.exposures} >= {wire.id}
        assert (await store.history([], NOW, NOW)).exposures == ()


class TestViews:
    async def test_a_topics_share_is_of_all_stories_of_the_day(self, store: Store) -> None:
        wire, copy = await feeds(store)
        story = await told(store, wire, "Event", NOW - HOUR)
        await told(store, copy, "Event", NOW, story)
        for n in range(3):
            await told(store, wire, f"Aside {n}", NOW, capex=0.1)
        shown = "SELECT day, topic, stories, items, weight, feeds, all_stories, share FROM topic_days"
        assert rows(store, shown) == [("2026-11-23", "capex", 1, 2, 1.05, 2, 4, 0.25)]
        sql = reading.canned_queries()["share-of-coverage"].sql
        assert reading.ask(store.path, sql, {"days": 99_999}).rows == [("2026-11-23", "capex", 1, 4, 25.0)]

    async def test_exposure_days_tell_what_is_known_of_each_feed(self, store: Store) -> None:
        wire, copy = await feeds(store)
        await told(store, wire, "Event", NOW - HOUR)
        await store.save_poll(poll(copy, error="HTTP 500"), NOW)
        shown = "SELECT day, feed, hours, polls, failures, stories, items FROM exposure_days"
        assert rows(store, shown) == [
            ("2026-11-23", "Copy", 0.0, 1, 1, 0, 0),
            ("2026-11-23", "Wire", 1.0, 2, 0, 1, 1),
        ]
