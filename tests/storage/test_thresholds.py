"""What decides a topic: since when, for which items, and that its past follows when only the threshold moves."""

from collections.abc import Mapping
from datetime import timedelta

from storage import labels, reading
from storage.records import Classification, Item, Signal
from storage.store import Store
from tests.builders import MODEL, NOW, entry, feed_in, past_first_answer, poll, tell

DAY = timedelta(days=1)
LATER = NOW + DAY
OLD, NEW = {"capex": MODEL}, {"capex": "new-model"}
HALF = {"capex": 0.5}


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


async def read(store: Store, *likely: float) -> list[Item]:
    """Let items that are 1, 2, 3 ... days old arrive, be read with these probabilities, and tell a story each."""
    await store.save_thresholds(OLD, HALF, NOW)
    feed = await past_first_answer(store, await feed_in(store))
    await store.save_poll(poll(feed, *(entry(f"{n} days", NOW - n * DAY) for n in range(1, len(likely) + 1))), NOW)
    items = sorted(await store.pending("classify", 99), key=lambda item: item.id)
    said = [Classification(item.id, "capex", MODEL, p) for item, p in zip(items, likely, strict=True)]
    found = [Signal(one.item_id, "capex", one.probability, MODEL, ("spend",)) for one in said if one.probability >= 0.5]
    await store.save_classified(said, found, [], NOW)
    await tell(store)
    return items


async def reread(store: Store, *items: Item, models: Mapping[str, str] = NEW) -> None:
    await store.save_reclassified([Classification(i.id, t, m, 0.9) for i in items for t, m in models.items()], [], NOW)


class TestWhatHolds:
    async def test_it_says_since_when_and_follows_what_is_in_use(self, store: Store) -> None:
        held = "SELECT topic, model, threshold, since FROM thresholds ORDER BY topic"
        await store.save_thresholds({"capex": "a", "efficiency": "a"}, {"capex": 0.5, "efficiency": 0.6}, NOW)
        await store.save_thresholds({"capex": "a", "energy": "b"}, {"capex": 0.5, "energy": 0.7}, LATER)
        assert rows(store, held) == [
            ("capex", "a", 0.5, "2026-11-23T14:00:00Z"),
            ("energy", "b", 0.7, "2026-11-24T14:00:00Z"),
        ]
        await store.save_thresholds({"capex": "b"}, {"capex": 0.5}, LATER)
        assert rows(store, held) == [("capex", "b", 0.5, "2026-11-24T14:00:00Z")]


class TestReadSince:
    async def since(self, store: Store) -> object:
        known = await store.history(["capex"], NOW - 9 * DAY, NOW)
        return (known.read_since["capex"] - NOW) if known.read_since else None

    async def test_a_model_that_was_there_from_the_beginning_has_read_everything(self, store: Store) -> None:
        await read(store, 0.9, 0.9)
        assert await self.since(store) is None
        await store.save_thresholds(OLD, HALF, LATER)
        assert await self.since(store) is None

    async def test_a_new_model_has_read_what_comes_from_now_on(self, store: Store) -> None:
        await read(store, 0.9, 0.9)
        await store.save_thresholds(NEW, HALF, LATER)
        assert await self.since(store) == DAY
        await store.save_thresholds(NEW, HALF, LATER + DAY)
        assert await self.since(store) == DAY

    async def test_items_that_wait_for_any_model_are_no_past(self, store: Store) -> None:
        await store.save_poll(poll(await feed_in(store), entry("Waiting")), NOW)
        await store.save_thresholds(NEW, HALF, NOW)
        assert await self.since(store) is None

    async def test_reading_the_newest_first_moves_it_back_until_all_is_read(self, store: Store) -> None:
        one, two, three = await read(store, 0.9, 0.9, 0.9)
        await store.save_thresholds(NEW, HALF, LATER)
        await reread(store, one)
        assert await self.since(store) == -1 * DAY
        await reread(store, two)
        assert await self.since(store) == -2 * DAY
        await reread(store, three)
        assert await store.unread_count(NEW, NOW - 99 * DAY) == 0
        assert await self.since(store) is None

    async def test_an_old_item_that_was_read_says_nothing_of_newer_ones(self, store: Store) -> None:
        one, two, three = await read(store, 0.9, 0.9, 0.9)
        await store.save_thresholds(NEW, HALF, LATER)
        await reread(store, three)
        assert await self.since(store) == DAY
        await reread(store, one, two)
        assert await self.since(store) is None

    async def test_what_another_model_reads_changes_nothing(self, store: Store) -> None:
        items = await read(store, 0.9, 0.9)
        await store.save_thresholds(NEW, HALF, LATER)
        await reread(store, *items, models={"capex": "third"})
        assert await self.since(store) == DAY

    async def test_a_model_that_comes_back_has_read_what_it_read(self, store: Store) -> None:
        await read(store, 0.9, 0.9)
        await store.save_thresholds(NEW, HALF, LATER)
        await store.save_thresholds(OLD, HALF, LATER)
        assert await self.since(store) is None


class TestAnotherThreshold:
    async def carrying(self, store: Store) -> list[tuple[object, ...]]:
        counted = [(day, stories) for day, stories in rows(store, "SELECT day, stories FROM topic_counts ORDER BY day")]
        found = rows(store, "SELECT substr(published, 1, 10), 1 FROM signals WHERE topic = 'capex' ORDER BY published")
        assert counted == found
        return rows(store, "SELECT probability, model, words FROM signals ORDER BY published")

    async def test_a_lower_one_finds_more_in_the_past_and_a_higher_one_less(self, store: Store) -> None:
        await read(store, 0.9, 0.6, 0.4)
        await store.save_thresholds(OLD, {"capex": 0.3}, LATER)
        assert await self.carrying(store) == [(0.4, MODEL, ""), (0.6, MODEL, "spend"), (0.9, MODEL, "spend")]
        await store.save_thresholds(OLD, {"capex": 0.7}, LATER)
        assert await self.carrying(store) == [(0.9, MODEL, "spend")]
        assert rows(store, "SELECT read_since FROM thresholds") == [(None,)]

    async def test_labels_stand(self, store: Store) -> None:
        one, two, three = await read(store, 0.9, 0.6, 0.4)
        await store.save_labels(two.id, {"capex": True}, NOW)
        await store.save_labels(three.id, {"capex": False}, NOW)
        await store.save_thresholds(OLD, {"capex": 0.95}, LATER)
        assert await self.carrying(store) == [(1.0, labels.PERSON, "")]
        await store.save_thresholds(OLD, {"capex": 0.3}, LATER)
        assert await self.carrying(store) == [(1.0, labels.PERSON, ""), (0.9, MODEL, "")]
        assert one.id

    async def test_another_model_leaves_the_past_to_reclassify(self, store: Store) -> None:
        await read(store, 0.9, 0.6)
        await store.save_thresholds(NEW, {"capex": 0.95}, LATER)
        assert [row[0] for row in await self.carrying(store)] == [0.6, 0.9]

    async def test_other_topics_are_left_alone(self, store: Store) -> None:
        await read(store, 0.9)
        await store.save_thresholds(OLD | {"efficiency": MODEL}, HALF | {"efficiency": 0.5}, LATER)
        await store.save_thresholds(OLD | {"efficiency": MODEL}, HALF | {"efficiency": 0.99}, LATER)
        assert [row[0] for row in await self.carrying(store)] == [0.9]
