"""The store's promises: every step is one transaction, nothing twice, nothing lost."""

import asyncio
import sqlite3
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.cli.health import _HEALTH
from storage import counts, history, reading, stories
from storage.errors import DatabaseBusy, DatabaseDamaged, DatabaseMissing, DatabaseNewer, StorageError
from storage.feed_records import FeedSpec
from storage.records import Item, Trend
from storage.store import Store
from tests.builders import NOW, entry, feed_in, past_first_answer, poll, tag, tell

DAY = timedelta(days=1)


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


class TestFeeds:
    async def test_a_new_feed_is_due_at_once_and_after_a_poll_at_its_time(self, store: Store) -> None:
        feed = await feed_in(store)
        assert [f.name for f in await store.due_feeds(NOW)] == ["Wire"]
        await store.save_poll(poll(feed), NOW)
        assert await store.due_feeds(NOW + timedelta(minutes=29)) == []
        assert len(await store.due_feeds(NOW + timedelta(minutes=30))) == 1

    async def test_validators_come_back_as_the_server_sent_them(self, store: Store) -> None:
        await store.save_poll(poll(await feed_in(store)), NOW)
        feed = (await store.due_feeds(NOW + DAY))[0]
        assert (feed.etag, feed.modified, feed.body_hash) == ('"v1"', "Mon, 23 Nov 2026 13:00:00 GMT", "hash")

    async def test_a_failure_is_counted_and_explained_and_keeps_the_validators(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        await store.save_poll(poll(feed, error="HTTP 500"), NOW)
        failed = (await store.due_feeds(NOW + DAY))[0]
        assert (failed.failures, failed.etag) == (1, '"v1"')
        assert rows(store, "SELECT state, error FROM feed_health") == [("failing", "HTTP 500")]
        assert rows(store, "SELECT error FROM fetches ORDER BY id") == [(None,), ("HTTP 500",)]

    async def test_a_renamed_feed_keeps_its_items_and_a_moved_one_forgets_its_validators(self, store: Store) -> None:
        feed = await feed_in(store, "Old")
        await store.save_poll(poll(feed, entry("One")), NOW)
        await store.sync_feeds([FeedSpec("New", feed.url)], NOW)
        renamed = (await store.due_feeds(NOW + DAY))[0]
        assert (renamed.id, renamed.name, renamed.etag) == (feed.id, "New", '"v1"')
        await store.sync_feeds([FeedSpec("New", "https://elsewhere.example/feed")], NOW)
        moved = (await store.due_feeds(NOW))[0]
        assert (moved.id, moved.etag, moved.body_hash) == (feed.id, None, None)

    async def test_a_feed_that_moved_answers_for_the_first_time_again(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        await store.sync_feeds([FeedSpec(feed.name, "https://elsewhere.example/feed")], NOW)
        moved = (await store.due_feeds(NOW))[0]
        await store.save_poll(poll(moved, entry("Old there", NOW - 30 * DAY)), NOW)
        assert [item.backlog for item in await store.pending("classify", 9)] == [True]

    async def test_a_feed_that_moved_with_its_entries_goes_on_as_before(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        await store.sync_feeds([FeedSpec(feed.name, "https://elsewhere.example/feed")], NOW)
        moved = (await store.due_feeds(NOW))[0]
        await store.save_poll(replace(poll(moved, entry("News")), known=5), NOW)
        assert [item.backlog for item in await store.pending("classify", 9)] == [False]

    async def test_a_feed_that_comes_back_after_a_pause_has_a_backlog_again(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        await store.sync_feeds([], NOW)
        await store.sync_feeds([FeedSpec(feed.name, feed.url)], NOW)
        back = (await store.due_feeds(NOW + DAY))[0]
        await store.save_poll(poll(back, entry("Told meanwhile")), NOW)
        assert [item.backlog for item in await store.pending("classify", 9)] == [True]

    async def test_names_may_be_passed_on_from_feed_to_feed(self, store: Store) -> None:
        one, two = FeedSpec("A", "https://one.example"), FeedSpec("B", "https://two.example")
        await store.sync_feeds([one, two], NOW)
        before = {feed.url: feed.id for feed in await store.due_feeds(NOW)}
        await store.sync_feeds([FeedSpec("B", one.url), FeedSpec("C", two.url)], NOW)
        after = {feed.url: (feed.id, feed.name) for feed in await store.due_feeds(NOW)}
        assert after == {one.url: (before[one.url], "B"), two.url: (before[two.url], "C")}

    async def test_a_name_in_another_case_means_the_same_feed_unless_one_is_written_alike(self, store: Store) -> None:
        feed = await feed_in(store, "wire")
        await store.sync_feeds([FeedSpec("Wire", "https://elsewhere.example/feed")], NOW)
        assert [(f.id, f.name) for f in await store.due_feeds(NOW)] == [(feed.id, "Wire")]
        await store.sync_feeds([FeedSpec("WIRE", "https://a.example"), FeedSpec("Wire", "https://b.example")], NOW)
        assert {f.name: f.id for f in await store.due_feeds(NOW)}["Wire"] == feed.id

    async def test_polls_of_long_ago_are_forgotten(self, store: Store) -> None:
        feed = await feed_in(store)
        await store.save_poll(poll(feed), NOW)
        await store.prune_fetches(NOW - DAY)
        assert rows(store, "SELECT count(*) FROM fetches") == [(1,)]
        await store.prune_fetches(NOW + DAY)
        assert rows(store, "SELECT count(*) FROM fetches") == [(0,)]

    async def test_a_feed_that_left_the_configuration_is_not_polled_and_keeps_its_items(self, store: Store) -> None:
        await store.save_poll(poll(await feed_in(store), entry("One")), NOW)
        await store.sync_feeds([], NOW)
        assert await store.due_feeds(NOW + DAY) == []
        assert rows(store, "SELECT count(*) FROM items") == [(1,)]

    async def test_a_shortened_interval_counts_from_now(self, store: Store) -> None:
        feed = await feed_in(store)
        await store.save_poll(poll(feed), NOW)
        await store.sync_feeds([FeedSpec(feed.name, feed.url, every=timedelta(minutes=5))], NOW)
        assert len(await store.due_feeds(NOW + timedelta(minutes=5))) == 1


class TestItems:
    async def test_the_first_answer_is_backlog_and_the_second_is_news(self, store: Store) -> None:
        feed = await feed_in(store)
        await store.save_poll(poll(feed, entry("Old")), NOW)
        feed = (await store.due_feeds(NOW + DAY))[0]
        await store.save_poll(poll(feed, entry("News")), NOW)
        waiting = await store.pending("classify", 10)
        assert [(item.title, item.backlog) for item in waiting] == [("News", False), ("Old", True)]

    async def test_an_entry_that_comes_twice_is_stored_once(self, store: Store) -> None:
        feed = await feed_in(store)
        assert await store.save_poll(poll(feed, entry("One")), NOW) == 1
        assert await store.save_poll(poll(feed, entry("One"), entry("Two")), NOW) == 1
        assert rows(store, "SELECT count(*) FROM items") == [(2,)]

    async def test_known_entries_are_found_by_any_key_and_only_in_their_feed(self, store: Store) -> None:
        one, other = await feed_in(store, "One"), await feed_in(store, "Other")
        stored = poll(one, entry("Title"))
        await store.save_poll(stored, NOW)
        keys = [*stored.keys[0], 42]
        assert [e.title for e in await store.known_entries(one.id, keys)] == ["Title"]
        assert await store.known_entries(other.id, keys) == []

    async def test_a_future_or_missing_date_becomes_the_time_it_was_seen(self, store: Store) -> None:
        feed = await feed_in(store)
        dated = entry("Dated", NOW - 3 * DAY)
        await store.save_poll(poll(feed, entry("Future", NOW + DAY), entry("Undated", None), dated), NOW)
        published = {item.title: item.published for item in await store.pending("classify", 10)}
        assert published == {"Future": NOW, "Undated": NOW, "Dated": NOW - 3 * DAY}


def trend() -> Trend:
    return Trend("capex", NOW, NOW - DAY, NOW, 7, 2.5, 0.01, 2.0, "surging", NOW - DAY, 3)


class TestLooks:
    async def judged(self, store: Store) -> list[Item]:
        feed = await past_first_answer(store, await feed_in(store))
        await store.save_poll(poll(feed, entry("One")), NOW)
        items = await tag(store, efficiency=0.9)
        await tell(store)
        return items

    async def test_judged_items_are_through(self, store: Store) -> None:
        (item,) = await self.judged(store)
        assert [one.item.title for one in await store.unjudged(9)] == ["One"]
        await store.save_judgement([], [], [item.id], item.id, NOW)
        assert await store.unjudged(9) == []
        assert await store.pending_counts() == {}

    async def test_a_look_at_trends_is_remembered_with_what_the_rules_saw(self, store: Store) -> None:
        (item,) = await self.judged(store)
        await store.save_judgement([], [], [], await store.last_item(), NOW)
        assert rows(store, "SELECT * FROM looks") == []
        await store.save_judgement([trend()], [], [item.id], await store.last_item(), NOW)
        assert rows(store, "SELECT id, at, last_item FROM looks") == [(1, "2026-11-23T14:00:00Z", item.id)]
        assert rows(store, "SELECT look FROM items") == [(1,)]

    async def test_items_judged_without_a_look_belong_to_the_next_one(self, store: Store) -> None:
        (item,) = await self.judged(store)
        await store.save_judgement([], [], [item.id], item.id, NOW)
        await store.save_judgement([trend()], [], [], item.id, NOW)
        assert rows(store, "SELECT look, (SELECT max(id) FROM looks) FROM items") == [(1, 1)]

    async def test_looks_of_long_ago_are_forgotten_but_no_id_is_given_twice(self, store: Store) -> None:
        for _ in range(3):
            await store.save_judgement([trend()], [], [], 0, NOW)
        await store.prune_fetches(NOW + DAY)
        await store.save_judgement([trend()], [], [], 0, NOW)
        assert rows(store, "SELECT id FROM looks") == [(3,), (4,)]

    async def test_a_trend_is_read_as_it_was_stored(self, store: Store) -> None:
        told = replace(trend(), low=1, high=9, score=2.5, per_year=0.5, outlets=4, share=0.25, usual_share=0.1)
        await store.save_judgement([trend(), told], [], [], 0, NOW)
        assert await store.latest_trends() == {"capex": told}
        shown = "SELECT low, high, per_year, outlets, share, usual_share FROM trends_latest"
        assert rows(store, shown) == [(1, 9, 0.5, 4, 0.25, 0.1)]


class TestTransactions:
    async def test_a_failing_transaction_leaves_nothing_behind(self, store: Store) -> None:
        feed = await feed_in(store)
        broken = poll(feed, entry("One"), entry("Two", summary=None))
        with pytest.raises(StorageError):
            await store.save_poll(broken, NOW)
        assert rows(store, "SELECT count(*) FROM items") == [(0,)]
        assert rows(store, "SELECT count(*) FROM fetches") == [(0,)]

    async def test_a_cancelled_caller_waits_for_the_commit(self, store: Store) -> None:
        feed = await feed_in(store)
        task = asyncio.create_task(store.save_poll(poll(feed, entry("One")), NOW))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert rows(store, "SELECT count(*) FROM items") == [(1,)]

    async def test_a_store_in_a_hurry_does_not_wait_for_another_writer(self, store: Store) -> None:
        other = sqlite3.connect(store.path)
        other.execute("BEGIN IMMEDIATE")
        store.hurry()
        begun = time.monotonic()
        with pytest.raises(DatabaseBusy):
            await store.sync_feeds([], NOW)
        assert time.monotonic() - begun < 5
        other.close()

    async def test_a_store_waits_for_another_writer_to_finish(self, store: Store) -> None:
        other = sqlite3.connect(store.path)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(feed_in(store))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        other.execute("COMMIT")
        other.close()
        assert (await waiting).name == "Wire"


PIPELINE_QUERIES = {
    "a topic's first tellings": (history._TOLD, {"topic": "capex", "since": "2026"}),
    "all first tellings": (history._RECENT, {"since": "2026"}),
    "tellings of a place": (counts._TELLINGS, ["[]"]),
    "tagged tellings of a place": (counts._TAGGED_TELLINGS, ["[]"]),
    "waiting tellings": (f"{stories._TELLINGS} WHERE i.pending = 'group' ORDER BY i.backlog, i.id LIMIT 9", {}),
    "a story's tellings": ("SELECT * FROM story_tellings WHERE story_id = 1", {}),
    "coverage of the last days": ("SELECT * FROM exposure_days LIMIT 100", {}),
    "stories of a window": (stories._STORY_LINES, {"topic": "capex", "since": "", "earlier": "", "limit": 9}),
    "health": (_HEALTH, {}),
    "the latest signals": ("SELECT * FROM signals_latest LIMIT 100", {}),
    "the latest stories": ("SELECT * FROM stories_latest LIMIT 100", {}),
}


@pytest.mark.parametrize(("sql", "values"), PIPELINE_QUERIES.values(), ids=PIPELINE_QUERIES.keys())
def test_the_query_walks_through_no_whole_table_of_items(
    store: Store, sql: str, values: dict[str, object] | list[str]
) -> None:
    plan = [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [step for step in plan if step.startswith("SCAN") and "INDEX" not in step and "feeds" not in step]
    assert [step for step in scans if step.split()[1] in {"items", "i", "signals", "s", "stories", "t", "e", "m"}] == []
    few = "GROUP BY" in sql or "there AS MATERIALIZED" in sql  # what is sorted then belongs to a few days or stories
    assert few or not any("TEMP B-TREE FOR ORDER BY" in step for step in plan)


class TestOpening:
    def test_opening_twice_changes_nothing(self, tmp_path: Path) -> None:
        with Store(tmp_path / "a.db"):
            pass
        before = reading.ask(tmp_path / "a.db", "SELECT name, sql FROM sqlite_master").rows
        with Store(tmp_path / "a.db"):
            pass
        assert reading.ask(tmp_path / "a.db", "SELECT name, sql FROM sqlite_master").rows == before

    def test_a_missing_database_says_how_to_make_one(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseMissing, match="monitor run"):
            reading.ask(tmp_path / "none.db", "SELECT 1")

    def test_a_file_that_is_no_database_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.db").write_text("This is not a database, but long enough to look at." * 20)
        with pytest.raises(DatabaseDamaged, match=r"a\.db is damaged"):
            Store(tmp_path / "a.db")

    def test_a_folder_that_cannot_be_made_is_explained(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError, match="check that its folder exists"):
            Store(tmp_path / "file" / "a.db")

    def test_a_database_of_a_newer_program_is_refused(self, store: Store) -> None:
        store._db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('monitor', 'm999_later', '')"
        )
        with pytest.raises(DatabaseNewer, match="upgrade"):
            Store(store.path)

    def test_a_view_that_left_the_program_leaves_the_database(self, store: Store) -> None:
        store._db.execute("CREATE VIEW old_view AS SELECT 1")
        with Store(store.path):
            assert rows(store, "SELECT count(*) FROM sqlite_master WHERE name = 'old_view'") == [(0,)]
