"""Reading stored items again: nothing is forgotten, nothing is read twice, labels stand, counts follow."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor import pipeline
from monitor.signals.reading import Reading
from storage import reading
from storage.records import Classification, Item, Signal
from storage.store import Store
from tests.builders import MODEL, NOW, entry, feed_in, past_first_answer, poll, tag, tell
from tests.fakes import Clock, FakeClassifier, system

LONG_AGO = NOW - timedelta(days=9999)
NEW = {"capex": "new-model", "efficiency": "new-model"}
OLD = {"capex": MODEL}


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


async def items_in(store: Store, *ages: int, lead: str = "Item", classified: bool = True) -> list[Item]:
    """Store items that are so many hours old; tag them all with capex; let each tell its own story."""
    feed = await past_first_answer(store, await feed_in(store))
    entries = [entry(f"{lead} {n}", NOW - timedelta(hours=age)) for n, age in enumerate(ages)]
    await store.save_poll(poll(feed, *entries), NOW)
    if not classified:
        return []
    items = await tag(store, capex=0.9)
    await tell(store)
    return items


async def walk(store: Store, limit: int, since: datetime = LONG_AGO) -> list[int]:
    """Look through everything unread, batch by batch, without reading it."""
    seen: list[int] = []
    last: Item | None = None
    while batch := await store.unread(NEW, since, limit, last):
        seen += [item.id for item in batch]
        last = batch[-1]
    return seen


class TestWhatIsUnread:
    async def test_the_newest_come_first(self, store: Store) -> None:
        old, new, middle = await items_in(store, 30, 1, 20)
        assert await walk(store, 9) == [new.id, middle.id, old.id]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
    async def test_batches_hold_each_item_once_also_where_many_share_a_second(self, store: Store, limit: int) -> None:
        items = await items_in(store, 5, 5, 5, 5, 5, 3, 3, 9)
        seen = await walk(store, limit)
        assert sorted(seen) == sorted(item.id for item in items)
        assert len(seen) == await store.unread_count(NEW, LONG_AGO)

    async def test_older_items_are_left_out(self, store: Store) -> None:
        _, new = await items_in(store, 48, 1)
        assert await walk(store, 9, NOW - timedelta(days=1)) == [new.id]
        assert await store.unread_count(NEW, NOW - timedelta(days=1)) == 1

    async def test_what_waits_for_its_first_classification_is_left_to_the_pipeline(self, store: Store) -> None:
        await items_in(store, 1, 2, classified=False)
        assert await walk(store, 9) == []
        assert await store.unread_count(NEW, LONG_AGO) == 0

    async def test_an_item_that_misses_one_topic_of_several_counts_once(self, store: Store) -> None:
        (item,) = await items_in(store, 1)
        assert await store.unread_count(OLD, LONG_AGO) == 0
        assert await store.unread_count(OLD | {"energy": "own"}, LONG_AGO) == 1
        assert [one.id for one in await store.unread(OLD | {"energy": "own"}, LONG_AGO, 9)] == [item.id]

    async def test_looking_does_not_wait_for_another_program_that_writes(self, store: Store) -> None:
        await items_in(store, 1)
        store.hurry()
        other = sqlite3.connect(store.path)
        other.execute("BEGIN IMMEDIATE")
        assert await store.unread_count(NEW, LONG_AGO) == len(await store.unread(NEW, LONG_AGO, 9)) == 1
        assert await store.signal_counts(LONG_AGO) == {"capex": 1}
        other.close()


class TestReplacing:
    async def replace(self, store: Store, item: Item, **probabilities: float) -> None:
        found = [Classification(item.id, topic, "new-model", p) for topic, p in probabilities.items()]
        tagged = [Signal(item.id, topic, p, "new-model", ("word",)) for topic, p in probabilities.items() if p >= 0.5]
        await store.save_reclassified(found, tagged, NOW)

    async def test_what_was_said_before_stays_and_the_signals_are_the_new_models(self, store: Store) -> None:
        (item,) = await items_in(store, 1)
        await self.replace(store, item, capex=0.2, efficiency=0.8)
        assert rows(store, "SELECT model, topic, probability FROM classifications ORDER BY 1, 2") == [
            ("new-model", "capex", 0.2),
            ("new-model", "efficiency", 0.8),
            (MODEL, "capex", 0.9),
        ]
        assert rows(store, "SELECT topic, model, words FROM signals") == [("efficiency", "new-model", "word")]

    async def test_a_topic_that_the_new_models_do_not_know_keeps_its_signals(self, store: Store) -> None:
        (item,) = await items_in(store, 1)
        await self.replace(store, item, efficiency=0.8)
        assert await store.signal_counts(LONG_AGO) == {"capex": 1, "efficiency": 1}

    async def test_labels_stand_whatever_the_new_model_says(self, store: Store) -> None:
        (item,) = await items_in(store, 1)
        await store.save_labels(item.id, {"capex": True, "efficiency": False}, NOW)
        await self.replace(store, item, capex=0.1, efficiency=0.99)
        assert rows(store, "SELECT topic, model, probability FROM signals") == [("capex", "label", 1.0)]

    async def test_the_daily_counts_follow(self, store: Store) -> None:
        items = await items_in(store, 1, 2, 30)
        await self.replace(store, items[0], capex=0.1, efficiency=0.9)
        await self.replace(store, items[2], capex=0.1, efficiency=0.1)
        counted = "SELECT day, topic, stories, items FROM topic_counts ORDER BY topic"
        assert rows(store, counted) == [("2026-11-23", "capex", 1, 1), ("2026-11-23", "efficiency", 1, 1)]

    async def test_a_story_counts_where_the_new_model_first_sees_its_topic(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        first, again = entry("Told first", NOW - timedelta(days=2)), entry("Told again", NOW - timedelta(days=1))
        await store.save_poll(poll(feed, first, again), NOW)
        items = await tag(store, capex=0.9)
        await tell(store, -1, -1)
        days = "SELECT day FROM topic_counts WHERE stories > 0"
        assert rows(store, days) == [("2026-11-21",)]
        await self.replace(store, next(item for item in items if item.title == "Told first"), capex=0.1)
        assert rows(store, days) == [("2026-11-22",)]


class Interrupted(Exception):
    """Someone stopped it."""


class Renamed(FakeClassifier):
    """The same classifier under a new name, that can be stopped after some texts."""

    name = "renamed"
    models: Mapping[str, str] = {"efficiency": "renamed", "capex": "renamed"}

    def __init__(self, texts: int = 10_000) -> None:
        self.texts = texts

    def read(self, texts: Sequence[str]) -> list[Reading]:
        self.texts -= len(texts)
        if self.texts < 0:
            raise Interrupted
        return super().read(texts)


class TestReclassifying:
    async def test_it_goes_on_where_it_was_stopped_and_reads_nothing_twice(self, store: Store) -> None:
        await items_in(store, *range(100), lead="Efficiency")
        advanced: list[int] = []
        with pytest.raises(Interrupted):
            await pipeline.reclassify(system(store, classifier=Renamed(50)), LONG_AGO, advanced.append)
        done = sum(advanced)
        assert 0 < done <= 50
        assert await store.unread_count(Renamed.models, LONG_AGO) == 100 - done
        rest = Renamed()
        assert await pipeline.reclassify(system(store, classifier=rest), LONG_AGO, advanced.append) == 100 - done
        assert (sum(advanced), rest.texts) == (100, 10_000 - (100 - done))
        assert rows(store, "SELECT count(*) FROM classifications WHERE model = 'renamed'") == [(200,)]
        assert await store.signal_counts(LONG_AGO) == {"efficiency": 100}

    async def test_a_second_time_there_is_nothing_to_do(self, store: Store) -> None:
        await items_in(store, 1, 2)
        world = system(store, classifier=Renamed())
        assert await pipeline.reclassify(world, LONG_AGO, lambda _: None) == 2
        before = rows(store, "SELECT * FROM classifications")
        assert await pipeline.reclassify(world, LONG_AGO, lambda _: None) == 0
        assert rows(store, "SELECT * FROM classifications") == before

    async def test_an_item_that_was_judged_is_not_judged_again(self, store: Store) -> None:
        await items_in(store, *range(5), lead="Efficiency")
        world = system(store, classifier=Renamed(), now=Clock())
        await pipeline.process(world)
        raised = rows(store, "SELECT count(*) FROM alerts")
        await pipeline.reclassify(world, LONG_AGO, lambda _: None)
        assert rows(store, "SELECT count(*) FROM alerts") == raised
        assert rows(store, "SELECT count(*) FROM items WHERE pending IS NOT NULL") == [(0,)]


def fill(path: Path, items: int, unread_each: int) -> None:
    """Store many items; a model has read all but every ``unread_each``-th."""
    with sqlite3.connect(path) as db:
        db.execute(
            """WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?)
               INSERT INTO items (id, feed_id, title, summary, published, seen, backlog, identity)
               SELECT x, 1, 'Item', '', strftime('%Y-%m-%dT%H:%M:%SZ', 1790000000 - x * 30, 'unixepoch'),
                 '2026-11-23T14:00:00Z', 0, x
               FROM n""",
            [items],
        )
        db.execute(
            """INSERT INTO classifications SELECT i.id, 'new-model', t.value, 0.1, '' FROM items i,
               json_each('["capex", "efficiency"]') t WHERE i.id % ? <> 0""",
            [unread_each],
        )
    db.close()


async def test_small_batches_look_through_a_large_database_once_and_not_once_each(store: Store) -> None:
    await feed_in(store)
    fill(store.path, 40_000, unread_each=200)
    begun = time.perf_counter()
    assert await store.unread_count(NEW, LONG_AGO) == 200
    one_pass = time.perf_counter() - begun
    begun = time.perf_counter()
    assert len(await walk(store, 1)) == 200
    assert time.perf_counter() - begun < 10 * one_pass + 1  # from the beginning each time, it would be 100 passes
