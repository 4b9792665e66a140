"""Stories as the store keeps them: opened, joined, merged; what follows from their items; what grouping asks for."""

from datetime import timedelta

import pytest

from storage import reading
from storage.records import Classification, Embedding, Grouping, Item, Merge, Relation, StoryItem
from storage.store import Store
from tests.builders import MODEL, NOW, entry, feed_in, past_first_answer, poll, tag, tell

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
VECTOR = b"\x00\x3c" * 4


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


async def arrive(store: Store, *ages: float, feed: str = "Wire") -> list[int]:
    """Let items of these ages (h) arrive and be classified; return their ids."""
    wire = await past_first_answer(store, await feed_in(store, feed))
    entries = [entry(f"{feed}, {age} h ago", NOW - age * HOUR) for age in ages]
    await store.save_poll(poll(wire, *entries), NOW)
    return sorted(item.id for item in await tag(store, capex=0.9))


async def place(store: Store, *places: tuple[int, int, Relation], merges: tuple[Merge, ...] = ()) -> None:
    await store.save_grouping(Grouping(tuple(StoryItem(*one) for one in places), merges), NOW)


class TestPlacing:
    async def test_negative_stories_are_opened_in_order_and_items_join_the_stored(self, store: Store) -> None:
        first = await arrive(store, 5, 4, 3)
        assert await tell(store, -2, -1, -2) == [2, 1, 2]
        second = await arrive(store, 2, 1)
        assert await tell(store, -1, 2) == [3, 2]
        kept = [(item, story, story) for item, story in zip([*first, *second], (2, 1, 2, 3, 2), strict=True)]
        assert rows(store, "SELECT item_id, story_id, placed_in FROM story_items") == kept
        assert await store.pending_counts() == {"judge": 5}

    async def test_a_story_is_described_by_its_first_telling_and_counts_its_outlets(self, store: Store) -> None:
        await arrive(store, 1)
        await tell(store)
        copy, own = await arrive(store, 9, 2, feed="Desk")
        await place(store, (copy, 1, "copy"), (own, 1, "copy"))
        shown = "SELECT title, first_published, last_published, items, outlets, independent, topics FROM stories_latest"
        times = ("2026-11-23T05:00:00Z", "2026-11-23T13:00:00Z")
        assert rows(store, shown) == [("Desk, 9 h ago", *times, 3, 2, 1, "capex")]

    async def test_novelty_falls_in_the_order_of_publication_whatever_came_first(self, store: Store) -> None:
        await arrive(store, 5, 1, 3)
        await tell(store, -1, -1, -1)
        await arrive(store, 4, 9, 3, feed="Desk")
        await tell(store, 1, 1, 1)
        newest = "SELECT i.title, m.novelty FROM story_items m JOIN items i ON i.id = m.item_id ORDER BY m.novelty DESC"
        assert rows(store, newest) == [
            ("Desk, 9 h ago", 100),
            ("Wire, 5 h ago", 75),
            ("Desk, 4 h ago", 56),
            ("Wire, 3 h ago", 42),
            ("Desk, 3 h ago", 32),
            ("Wire, 1 h ago", 24),
        ]

    async def test_an_item_has_one_place_and_a_second_one_changes_nothing(self, store: Store) -> None:
        (item,) = await arrive(store, 1)
        await tell(store)
        with pytest.raises(Exception, match="UNIQUE"):
            await place(store, (item, -1, "first"))
        assert rows(store, "SELECT count(*) FROM stories") == [(1,)]


class TestMerging:
    async def test_all_items_go_to_the_older_story_and_it_is_remembered_what_was(self, store: Store) -> None:
        old, new = await arrive(store, 9, 8)
        await tell(store)
        (bridge,) = await arrive(store, 1)
        await place(store, (bridge, 1, "retelling"), merges=(Merge(2, 1, bridge),))
        assert rows(store, "SELECT item_id, story_id, placed_in FROM story_items") == [
            (old, 1, 1),
            (new, 1, 2),
            (bridge, 1, 1),
        ]
        assert rows(store, "SELECT id, items FROM stories") == [(1, 3)]
        merged = "SELECT story_id, into_id, item_id, merged FROM story_merges"
        assert rows(store, merged) == [(2, 1, bridge, "2026-11-23T14:00:00Z")]

    async def test_a_merge_that_no_new_item_joins_refreshes_the_story_too(self, store: Store) -> None:
        await arrive(store, 9, 8)
        await tell(store)
        (aside,) = await arrive(store, 1)
        await place(store, (aside, -1, "first"), merges=(Merge(2, 1, aside),))
        assert rows(store, "SELECT id, items FROM stories") == [(1, 2), (3, 1)]
        assert rows(store, "SELECT novelty FROM story_items WHERE story_id = 1") == [(100,), (75,)]
        assert rows(store, "SELECT sum(stories), sum(items) FROM topic_counts") == [(2, 3)]

    async def test_an_id_is_never_given_again(self, store: Store) -> None:
        await arrive(store, 9, 8, 7)
        await tell(store)
        (bridge,) = await arrive(store, 1)
        await place(store, (bridge, -1, "first"), merges=(Merge(3, 1, bridge), Merge(2, 1, bridge)))
        assert rows(store, "SELECT max(id) FROM stories") == [(4,)]

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "the other way round"])
    async def test_a_chain_of_merges_ends_in_one_story_however_it_is_told(
        self, store: Store, order: tuple[int, int]
    ) -> None:
        await arrive(store, 9, 8, 7)
        await tell(store)
        (bridge,) = await arrive(store, 1)
        chain = (Merge(3, 2, bridge), Merge(2, 1, bridge))
        await place(store, (bridge, 1, "retelling"), merges=tuple(chain[n] for n in order))
        assert rows(store, "SELECT DISTINCT story_id FROM story_items") == [(1,)]
        assert self.asked(store, 3) == self.asked(store, 2) == self.asked(store, 1)

    async def test_a_merged_story_is_still_found_by_its_id(self, store: Store) -> None:
        first, second = await arrive(store, 9, 8)
        await tell(store)
        (bridge,) = await arrive(store, 1, feed="Desk")
        await place(store, (bridge, 1, "update"), merges=(Merge(2, 1, bridge),))
        found = [("first", 100, first, 1), ("retelling", 75, second, 1), ("update", 56, bridge, 1)]
        assert self.asked(store, 2) == self.asked(store, 1) == found
        assert self.asked(store, 99) == []

    def asked(self, store: Store, story: int) -> list[tuple[object, ...]]:
        answer = reading.ask(store.path, reading.canned_queries()["story"].sql, {"story": str(story)})
        assert answer.columns == ("published", "feed", "relation", "novelty", "title", "url", "item_id", "story_id")
        return [(row[2], row[3], row[6], row[7]) for row in answer.rows]


class TestTellings:
    async def classified(self, store: Store, title: str, hours: float, embedding: bytes | None = None) -> Item:
        wire = await feed_in(store)
        await store.save_poll(poll(wire, entry(title, NOW - hours * HOUR)), NOW)
        (item,) = await store.pending("classify", 9)
        meant = [Embedding(item.id, MODEL, embedding)] if embedding else []
        await store.save_classified([Classification(item.id, "capex", MODEL, 0.1)], [], meant, NOW)
        return item

    async def test_waiting_items_come_with_what_they_mean_and_news_before_backlog(self, store: Store) -> None:
        old = await self.classified(store, "Backlog", 1)
        news = await self.classified(store, "News", 2, VECTOR)
        waiting = await store.pending_tellings(9)
        assert [(one.item.id, one.embedding, one.story_id) for one in waiting] == [
            (news.id, Embedding(news.id, MODEL, VECTOR), None),
            (old.id, None, None),
        ]
        assert [one.item.id for one in await store.pending_tellings(1)] == [news.id]

    async def test_told_items_of_a_span_come_with_their_present_story(self, store: Store) -> None:
        for hours in (9, 5, 4):
            await self.classified(store, f"{hours} h ago", hours, VECTOR)
        assert await store.tellings(NOW - 9 * HOUR, NOW) == []
        await tell(store, -1, -2, -2)
        told = await store.tellings(NOW - 5 * HOUR, NOW - 4 * HOUR)
        assert [(one.item.title, one.story_id) for one in told] == [("5 h ago", 2), ("4 h ago", 2)]
        assert all(one.embedding and one.embedding.vector == VECTOR for one in told)

    async def test_embeddings_are_kept_until_their_item_has_a_place_and_is_old(self, store: Store) -> None:
        await self.classified(store, "Old, told", 50, VECTOR)
        await tell(store)
        await self.classified(store, "Old, waiting", 50, VECTOR)
        await self.classified(store, "New", 1, VECTOR)
        await store.prune_embeddings(NOW - DAY)
        kept = "SELECT i.title FROM embeddings e JOIN items i ON i.id = e.item_id ORDER BY i.id"
        assert rows(store, kept) == [("Old, waiting",), ("New",)]

    async def test_an_imported_item_is_a_backlog_of_its_own_kind(self, store: Store) -> None:
        item = await self.classified(store, "From an archive", 1)
        store._db.execute("UPDATE items SET backlog = 2 WHERE id = ?", [item.id])
        store._db.conn.commit()
        (waiting,) = await store.pending_tellings(9)
        assert (waiting.item.backlog, waiting.item.imported, item.backlog, item.imported) == (True, True, True, False)


class TestLines:
    async def test_a_story_begun_before_the_window_is_not_listed_in_it(self, store: Store) -> None:
        await arrive(store, 48, 1, 0)
        await tell(store, -1, -1, -2)
        lines = await store.story_lines("capex", NOW - DAY, 3 * DAY, 9)
        assert [line.title for line in lines] == ["Wire, 0 h ago"]

    async def test_what_came_too_late_to_count_is_not_listed(self, store: Store) -> None:
        await arrive(store, 24 * 8, 1)
        await tell(store)
        lines = await store.story_lines("capex", NOW - 9 * DAY, 3 * DAY, 9)
        assert [line.title for line in lines] == ["Wire, 1 h ago"]
