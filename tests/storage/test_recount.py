"""Whatever happens, the counts kept on the way are those that a recount makes, and those that plain Python makes."""

import asyncio
import sqlite3
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.feed_records import Entry, Feed, FeedSpec
from storage.records import Classification, Grouping, Merge, Relation, Signal, StoryItem
from storage.recounting import Recounted
from storage.store import Store
from tests.builders import MODEL, entry, poll
from tests.storage.derived import expected, stored

ZONES = {
    "Europe/Berlin": datetime(2026, 10, 22, 9, tzinfo=UTC),
    "America/New_York": datetime(2026, 10, 29, 9, tzinfo=UTC),
}
"""Time zones, and a moment shortly before their clocks change."""
TOPICS = ("efficiency", "capex")
RELATIONS: tuple[Relation, ...] = ("copy", "update", "retelling")
HOUR = timedelta(hours=1)


class Life:
    """A database to which things happen at random."""

    def __init__(self, store: Store, dice: Random, zone: str) -> None:
        self.store, self.dice, self.now, self.zone = store, dice, ZONES[zone], zone
        self.number = 0
        self.known: set[int] = set()

    async def begin(self) -> None:
        await self.store.sync_feeds([FeedSpec(name, f"https://{name}.example") for name in "abc"], self.now)
        await self.store.save_thresholds(dict.fromkeys(TOPICS, MODEL), dict.fromkeys(TOPICS, 0.5), self.now)
        await self.store.count_in(self.zone)

    async def go_on(self) -> None:
        self.now += self.dice.choice((1, 2, 5, 11)) * HOUR + self.dice.randrange(3600) * timedelta(seconds=1)
        usual = (self.poll, self.poll, self.classify, self.group)
        rare = (self.label, self.forget_labels, self.reclassify, self.threshold, self.move, self.prune)
        for happens in (*usual, self.dice.choice(rare)):
            await happens()

    async def poll(self) -> None:
        feed = self.dice.choice(await self.store.due_feeds(self.now + timedelta(days=9999)))
        entries = [self.entry() for _ in range(self.dice.randrange(4))]
        outcome = poll(feed, *entries) if self.dice.random() < 0.8 else poll(feed, error="HTTP 500")
        known = self.dice.choice((0, 0, 3)) if feed.first_ok else 0
        fetched = replace(outcome.fetched, started=self.now - timedelta(seconds=2))
        await self.store.save_poll(replace(outcome, known=known, fetched=fetched), self.now)

    def entry(self) -> Entry:
        self.number += 1
        age = self.dice.choice((0, 1, 20, 60, 160, 168, 169, 300)) * HOUR + self.dice.randrange(3600) * timedelta(
            seconds=1
        )
        return entry(f"Item {self.number}", self.now - age)

    async def classify(self) -> None:
        items = await self.store.pending("classify", self.dice.randrange(1, 9))
        said = [
            Classification(item.id, topic, MODEL, round(self.dice.random(), 2)) for item in items for topic in TOPICS
        ]
        await self.store.save_classified(said, self.signals(said), [], self.now)
        self.known |= {item.id for item in items}

    def signals(self, said: list[Classification]) -> list[Signal]:
        return [Signal(one.item_id, one.topic, one.probability, one.model) for one in said if one.probability >= 0.5]

    async def group(self) -> None:
        waiting = [one.item.id for one in await self.store.pending_tellings(self.dice.randrange(1, 9))]
        if not waiting:
            return
        placed, merges = [], []
        ids = self.ids("stories")
        if len(ids) > 3 and self.dice.random() < 0.4:
            into, gone = sorted(self.dice.sample(ids, 2))
            merges.append(Merge(gone, into, waiting[0]))
            ids.remove(gone)
        for item in waiting:
            story = self.dice.choice(ids) if ids and self.dice.random() < 0.6 else -self.dice.randrange(1, 4)
            placed.append(StoryItem(item, story, self.dice.choice(RELATIONS)))
        await self.store.save_grouping(Grouping(tuple(placed), tuple(merges)), self.now)

    def ids(self, table: str) -> list[int]:
        return [row["id"] for row in self.store._db.execute(f"SELECT id FROM {table} ORDER BY id")]

    async def label(self) -> None:
        if self.known:
            said = {topic: self.dice.random() < 0.5 for topic in self.dice.sample(TOPICS, self.dice.randrange(1, 3))}
            await self.store.save_labels(self.dice.choice(sorted(self.known)), said, self.now)

    async def forget_labels(self) -> None:
        if self.known:
            await self.store.replace_labels(self.dice.choice(sorted(self.known)), {}, self.now)

    async def reclassify(self) -> None:
        chosen = self.dice.sample(sorted(self.known), min(len(self.known), 3))
        said = [Classification(item, topic, "new", round(self.dice.random(), 2)) for item in chosen for topic in TOPICS]
        await self.store.save_reclassified(said, self.signals(said), self.now)

    async def threshold(self) -> None:
        models = {topic: self.dice.choice((MODEL, "new")) for topic in TOPICS}
        await self.store.save_thresholds(
            models, {topic: self.dice.choice((0.3, 0.5, 0.7)) for topic in TOPICS}, self.now
        )

    async def move(self) -> None:
        await self.store.count_in(self.dice.choice((*ZONES, "UTC", "Asia/Kathmandu")))

    async def prune(self) -> None:
        await self.store.prune_fetches(self.now - timedelta(days=2))


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32), zone=st.sampled_from(sorted(ZONES)))
def test_counts_kept_on_the_way_are_those_of_a_recount(seed: int, zone: str) -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "signals.db") as store:
        asyncio.run(live_and_recount(store, Life(store, Random(seed), zone)))


async def live_and_recount(store: Store, life: Life) -> None:
    await life.begin()
    for _ in range(12):
        await life.go_on()
    before = stored(store.path)
    assert before == expected(store.path)
    heard: list[int] = []
    done = await store.recount(heard.append)
    assert (done.differed, sum(heard)) == (0, await store.stored_days())
    assert stored(store.path) == before
    spoil(store.path)
    assert (await store.recount(heard.append)).differed > 0
    assert stored(store.path) == before


def spoil(path: Path) -> None:
    """Write nonsense into whatever is derived."""
    with sqlite3.connect(path) as db:
        db.executescript(
            """
            UPDATE topic_counts SET stories = 9, weight = 0.5;
            DELETE FROM topic_counts WHERE topic = 'capex';
            INSERT OR REPLACE INTO topic_counts VALUES ('2026-10-20', 'gone', 1, 1, 1, 1.0);
            UPDATE feed_days SET items = items + 1, hours = 99;
            UPDATE stories SET outlets = 77, title = '?', independent = 0;
            UPDATE story_items SET novelty = 1;
            """
        )
    db.close()


async def feeds(store: Store, *names: str) -> list[Feed]:
    await store.sync_feeds([FeedSpec(name, f"https://{name}.example") for name in names], ZONES["Europe/Berlin"])
    return await store.due_feeds(ZONES["Europe/Berlin"])


async def test_polls_of_days_that_are_no_longer_recorded_stay(store: Store) -> None:
    (feed,) = await feeds(store, "a")
    begin = ZONES["Europe/Berlin"]
    for day in range(6):
        for hour in range(3):
            now = begin + timedelta(days=day, hours=hour)
            outcome = poll(feed, error="HTTP 500" if hour == 2 else None)
            await store.save_poll(replace(outcome, fetched=replace(outcome.fetched, started=now)), now)
    await store.prune_fetches(begin + timedelta(days=3, hours=1))
    store._db.execute("UPDATE feed_days SET polls = 50 WHERE day = '2026-10-26'")
    store._db.conn.commit()
    assert (await store.recount(lambda _: None)).differed == 1
    polls = store._db.execute("SELECT day, polls, failures FROM feed_days ORDER BY day").fetchall()
    assert [tuple(row) for row in polls] == [(f"2026-10-{22 + day}", 2, 1) for day in range(6)]


async def test_an_empty_database_has_nothing_to_recount(store: Store) -> None:
    assert await store.recount(lambda _: None) == Recounted(0, 0)
    assert await store.stored_days() == 0


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
async def test_another_time_zone_counts_everything_anew(store: Store, zone: str) -> None:
    life = Life(store, Random(7), "Europe/Berlin")
    await life.begin()
    for _ in range(5):
        await life.go_on()
    await store.count_in(zone)
    assert stored(store.path) == expected(store.path)
