"""Polls that are stored together: as if each came alone, in few transactions, and none harmed by another one."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from storage import polling, reading
from storage.errors import DatabaseBusy, StorageError
from storage.feed_records import Feed, FeedSpec, NextPoll, Poll
from storage.polls import Timed
from storage.store import Store
from tests.builders import NOW, entry, feed_in, feed_now, past_first_answer, poll, unchanged
from tests.storage.derived import expected, stored

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


async def feeds_in(store: Store, number: int) -> list[Feed]:
    await store.sync_feeds([FeedSpec(f"Feed {n}", f"https://h{n}.example") for n in range(number)], NOW)
    return await store.all_feeds()


class Transactions:
    """Counts the transactions of a store."""

    def __init__(self, store: Store) -> None:
        self.said: list[str] = []
        store._db.conn.set_trace_callback(self.said.append)

    def count(self) -> int:
        return self.said.count("COMMIT")


async def saved_together(store: Store, polls: Sequence[Poll], *cancelled: int) -> "list[asyncio.Task[int]]":
    """Store polls that queue up behind a transaction that takes its time; cancel some callers meanwhile."""
    gate = threading.Event()
    busy = asyncio.create_task(store._do(lambda _db: gate.wait()))
    await asyncio.sleep(0.05)
    calls = [asyncio.create_task(store.save_poll(one, NOW)) for one in polls]
    await asyncio.sleep(0.05)
    for number in cancelled:
        calls[number].cancel()
    gate.set()
    await asyncio.wait([busy, *calls])
    return calls


class TestTogether:
    async def test_polls_that_wait_are_one_transaction(self, store: Store) -> None:
        feeds = await feeds_in(store, 50)
        counted = Transactions(store)
        await saved_together(store, [unchanged(feed) for feed in feeds])
        assert counted.count() == 2  # what they waited for, and all of them
        assert rows(store, "SELECT count(*), count(DISTINCT feed_id) FROM fetches") == [(50, 50)]

    async def test_each_hears_of_its_own_new_items(self, store: Store) -> None:
        feeds = await feeds_in(store, 3)
        outcomes = [poll(feed, *(entry(f"{feed.id} {n}") for n in range(feed.id))) for feed in feeds]
        assert await asyncio.gather(*(store.save_poll(one, NOW) for one in outcomes)) == [1, 2, 3]

    async def test_one_that_is_wrong_costs_no_other_one(self, store: Store) -> None:
        feeds = await feeds_in(store, 4)
        outcomes = [poll(feed, entry(f"Of {feed.id}")) for feed in feeds]
        outcomes[1] = poll(feeds[1], entry("Fine"), entry("Without a summary", summary=None))
        outcomes[2] = poll(feeds[2], entry("Half a character", summary="\ud800"))
        calls = await saved_together(store, outcomes)
        assert [type(call.exception()) for call in calls] == [
            type(None),
            StorageError,
            UnicodeEncodeError,
            type(None),
        ]
        assert rows(store, "SELECT title FROM items ORDER BY id") == [("Of 1",), ("Of 4",)]
        assert rows(store, "SELECT feed_id FROM fetches ORDER BY id") == [(1,), (4,)]

    async def test_a_caller_that_is_cancelled_waits_for_the_commit(self, store: Store) -> None:
        feeds = await feeds_in(store, 3)
        calls = await saved_together(store, [poll(feed, entry(f"{feed.id}")) for feed in feeds], 1)
        assert [call.cancelled() for call in calls] == [False, True, False]
        assert rows(store, "SELECT count(*) FROM items") == [(3,)]

    async def test_a_locked_database_is_waited_for_once(self, store: Store, tmp_path: Path) -> None:
        feeds = await feeds_in(store, 20)
        with Store(tmp_path / "signals.db") as other:
            other._db.execute("BEGIN IMMEDIATE")
            store._patience = 0.3
            begun = time.monotonic()
            calls = [asyncio.create_task(store.save_poll(unchanged(feed), NOW)) for feed in feeds]
            await asyncio.wait(calls)
            assert {type(call.exception()) for call in calls} == {DatabaseBusy}
            assert time.monotonic() - begun < 20 * 0.3
            other._db.execute("ROLLBACK")
        assert await store.save_poll(poll(feeds[0], entry("Later")), NOW) == 1

    async def test_very_many_new_items_are_several_transactions(self, store: Store) -> None:
        feeds = await feeds_in(store, 3)
        counted = Transactions(store)
        many = [entry(str(n)) for n in range(polling.AT_ONCE // 2)]
        await saved_together(store, [poll(feed, *many) for feed in feeds])
        assert counted.count() == 3  # what they waited for, two of them, one of them
        assert rows(store, "SELECT count(*) FROM items") == [(3 * len(many),)]

    async def test_other_work_goes_on_between_polls_that_keep_coming(self, store: Store) -> None:
        (feed,) = await feeds_in(store, 1)
        stop = asyncio.Event()

        async def keep_polling() -> None:
            while not stop.is_set():
                await store.save_poll(unchanged(feed), NOW)

        pollers = [asyncio.create_task(keep_polling()) for _ in range(5)]
        for _ in range(20):
            await asyncio.wait_for(store.pending_counts(), 5)
        stop.set()
        await asyncio.wait(pollers)


TABLES = ("feeds", "fetches", "items", "item_keys", "exposures", "feed_days", "documents", "domains")


@pytest.mark.parametrize("seed", range(4))
async def test_together_they_leave_what_they_leave_one_by_one(tmp_path: Path, seed: int) -> None:
    with Store(tmp_path / "alone.db") as alone, Store(tmp_path / "together.db") as together:
        for store in (alone, together):
            await feeds_in(store, 6)
            await store.count_in("Europe/Berlin")
        dice = Random(seed)
        now = datetime(2026, 10, 24, 21, tzinfo=UTC)  # an hour before midnight in Berlin, a day before clocks change
        for _ in range(8):
            now += dice.choice((HOUR / 2, 3 * HOUR, 12 * HOUR, 30 * HOUR))
            polls = happen(dice, await alone.all_feeds(), now)
            one_by_one = [await alone.save_poll(*one) for one in polls]
            assert await asyncio.gather(*(together.save_poll(*one) for one in polls)) == one_by_one
        for table in TABLES:
            assert rows(alone, f"SELECT * FROM {table}") == rows(together, f"SELECT * FROM {table}")
        assert stored(together.path) == expected(together.path)
        assert (await together.recount(lambda _days: None)).differed == 0


def happen(dice: Random, feeds: Sequence[Feed], now: datetime) -> list[Timed]:
    """Let some feeds answer within a few minutes, one of them twice; each is stored some seconds after it began."""
    chosen = [dice.choice(feeds) for _ in range(8)]
    polls = [(outcome(dice, feed, now), now + dice.randrange(300) * timedelta(seconds=1)) for feed in chosen]
    return [(replace(one, fetched=replace(one.fetched, started=now)), at) for one, at in polls]


def outcome(dice: Random, feed: Feed, now: datetime) -> Poll:
    way = dice.choice(("unchanged", "failed", "new", "new", "turned over"))
    if way == "unchanged":
        return unchanged(feed)
    if way == "failed":
        closed = NextPoll(now + HOUR, 1, state="failing", closed_until=now + dice.randrange(5) * HOUR)
        return replace(poll(feed, error="HTTP 429"), next=closed)
    ages = sorted(dice.randrange(40) for _ in range(dice.randrange(1, 4)))
    found = poll(feed, *(entry(f"{feed.id} {now} {n}", now - age * HOUR) for n, age in enumerate(ages)))
    return replace(found, known=0 if way == "turned over" else 3, blocks=dice.randbytes(16))


class TestTheRecord:
    async def test_a_poll_leaves_a_row_also_when_nothing_is_new(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        await store.save_poll(unchanged(feed), NOW)
        await store.save_poll(poll(feed, error="HTTP 500"), NOW)
        assert rows(store, "SELECT status, bytes, entries, new_items, trouble, pushed FROM fetches") == [
            (200, 1000, 0, 0, None, 0),
            (304, 200, 0, 0, None, 0),
            (200, 1000, 0, 0, "status", 0),
        ]

    async def test_old_rows_go_a_part_at_a_time(self, store: Store) -> None:
        feed = await feed_in(store)
        count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000) "
        await store._do(
            lambda db: db.execute(
                f"""INSERT INTO fetches (feed_id, started, seconds, bytes, entries, new_items)
                    {count} SELECT {feed.id}, '2026-01-01T00:00:00Z', 1, 0, 0, 0 FROM n"""
            )
        )
        await store.save_poll(unchanged(feed), NOW)
        counted = Transactions(store)
        await store.prune_fetches(NOW)
        assert counted.count() == 4  # three parts, and the looks
        assert rows(store, "SELECT count(*) FROM fetches") == [(1,)]

    async def test_the_canned_query_tells_what_polls_cost(self, store: Store) -> None:
        now = datetime.now(UTC)
        feed = await feed_in(store)
        for number, one in enumerate((poll(feed, entry("One")), unchanged(feed), poll(feed, error="HTTP 500"))):
            timed = replace(one, fetched=replace(one.fetched, started=now, seconds=float(number)))
            await store.save_poll(timed, now)
        await store.save_push(poll(feed, entry("Pushed")), now)
        query = reading.canned_queries()["polls"]
        answer = reading.ask(store.path, query.sql, {"days": 7})
        assert dict(zip(answer.columns, answer.rows[0], strict=True)) == {
            "feed": "Wire",
            "polls": 3,
            "unchanged": 1,
            "failures": 1,
            "new_items": 1,
            "bytes": 2200,
            "median_seconds": 1.0,
            "worst_seconds": 2.0,
        }


class TestPushes:
    async def test_a_push_brings_news_and_changes_nothing_of_how_the_feed_stands(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        exposures = rows(store, "SELECT * FROM exposures")
        push = replace(poll(feed, entry("Pushed")), next=NextPoll(NOW + DAY, 7, state="blocked"), body_hash="other")
        assert await store.save_push(push, NOW + HOUR) == 1
        assert await feed_now(store) == replace(feed, last_news=NOW + HOUR)
        assert rows(store, "SELECT * FROM exposures") == exposures
        assert rows(store, "SELECT sum(polls), sum(failures) FROM feed_days") == [(1, 0)]
        assert rows(store, "SELECT new_items, pushed FROM fetches ORDER BY id") == [(0, 0), (1, 1)]
        assert [item.backlog for item in await store.pending("classify", 9)] == [False]

    async def test_what_was_pushed_twice_is_stored_once(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        push = poll(feed, entry("Pushed"))
        assert [await store.save_push(push, NOW), await store.save_push(push, NOW + HOUR)] == [1, 0]
        assert (await feed_now(store)).last_news == NOW

    async def test_a_recount_counts_no_push_as_a_poll(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        await store.save_push(poll(feed, entry("Pushed")), NOW)
        assert (await store.recount(lambda _days: None)).differed == 0


class TestClosedDomains:
    async def closed(self, store: Store, hours: int, now: datetime = NOW) -> list[Feed]:
        """Let one feed of a domain hear that it asks too often; return all feeds."""
        specs = [FeedSpec(name, f"https://{name.lower()}.site.example/feed") for name in ("A", "B")]
        specs.append(FeedSpec("C", "https://c.example/feed"))
        await store.sync_feeds(specs, now, lambda url: "site.example" if "site" in url else "c.example")
        feeds = await store.all_feeds()
        later = NextPoll(now + MINUTE, 1, state="blocked", closed_until=now + hours * HOUR)
        await store.save_poll(replace(poll(feeds[0], error="HTTP 429"), next=later), now)
        return feeds

    async def due(self, store: Store, now: datetime) -> str:
        return "".join(sorted(feed.name for feed in await store.due_feeds(now)))

    async def test_no_feed_of_it_is_due_until_it_opens(self, store: Store) -> None:
        await self.closed(store, 2)
        assert await self.due(store, NOW + HOUR) == "C"
        assert await self.due(store, NOW + 2 * HOUR) == "ABC"

    async def test_what_a_wrong_clock_left_in_the_future_keeps_no_feed_from_being_asked(self, store: Store) -> None:
        await self.closed(store, 5, NOW + 5000 * DAY)
        for feed in await store.all_feeds():
            await store.save_poll(poll(feed), NOW + 5000 * DAY)
        assert await self.due(store, NOW) == "ABC"

    async def test_a_clock_that_is_set_back_a_little_asks_nobody_earlier(self, store: Store) -> None:
        for feed in await self.closed(store, 5, NOW + HOUR):
            await store.save_poll(replace(poll(feed), next=NextPoll(NOW + 2 * HOUR)), NOW + HOUR)
        assert await self.due(store, NOW + HOUR / 2) == ""

    async def test_the_longest_wish_counts(self, store: Store) -> None:
        await self.closed(store, 3)
        await self.closed(store, 1)
        assert await self.due(store, NOW + 2 * HOUR) == "C"

    async def test_the_view_says_until_when_its_feeds_wait(self, store: Store) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        await self.closed(store, 2, now)
        until = f"{(now + 2 * HOUR).isoformat()[:19]}Z"
        waiting = rows(store, "SELECT name, waits_for FROM feed_health ORDER BY name")
        assert waiting == [("A", until), ("B", until), ("C", None)]

    async def test_what_is_open_again_is_forgotten_with_the_next_one(self, store: Store) -> None:
        feeds = await self.closed(store, 1)
        later = NextPoll(NOW + 3 * HOUR, 1, closed_until=NOW + 9 * HOUR)
        await store.save_poll(replace(poll(feeds[2], error="HTTP 429"), next=later), NOW + 2 * HOUR)
        assert rows(store, "SELECT domain FROM domains") == [("c.example",)]

    async def test_a_feed_without_a_domain_closes_none(self, store: Store) -> None:
        await store.sync_feeds([FeedSpec(name, f"https://{name}.example") for name in "ab"], NOW, lambda _url: "")
        feeds = await store.all_feeds()
        later = NextPoll(NOW + MINUTE, 1, closed_until=NOW + HOUR)
        await store.save_poll(replace(poll(feeds[0], error="HTTP 429"), next=later), NOW)
        assert await self.due(store, NOW + MINUTE) == "ab"
