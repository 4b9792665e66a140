"""What people say decides: signals and counts follow, and what the models said comes back when it is taken back."""

from datetime import timedelta

import pytest

from storage import labels, reading
from storage.records import Classification, Item, Signal
from storage.store import Store
from tests.builders import MODEL, NOW, entry, feed_in, poll, tell

DAY = timedelta(days=1)
MODELS = {"capex": MODEL, "efficiency": MODEL}


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


async def filled(store: Store, *likely: dict[str, float], model: str = MODEL) -> list[Item]:
    """Store an item with each of these probabilities, each a story by itself, and a day older than the one before."""
    await store.save_thresholds(MODELS, dict.fromkeys(MODELS, 0.5), NOW)
    entries = [entry(f"Item {number}", NOW - number * DAY) for number in range(len(likely))]
    await store.save_poll(poll(await feed_in(store), *entries), NOW)
    items = sorted(await store.pending("classify", 100), key=lambda item: item.title)
    said = [(item, topic, p) for item, one in zip(items, likely, strict=True) for topic, p in one.items()]
    await store.save_classified(
        [Classification(item.id, topic, model, p) for item, topic, p in said],
        [Signal(item.id, topic, p, model, ("one", "two words")) for item, topic, p in said if p >= 0.5],
        [],
        NOW,
    )
    await tell(store)
    return items


async def one(store: Store, **likely: float) -> int:
    return (await filled(store, likely))[0].id


def signals(store: Store) -> list[tuple[object, ...]]:
    return rows(store, "SELECT topic, probability, model FROM signals ORDER BY topic")


def counts(store: Store) -> dict[object, object]:
    return dict(rows(store, "SELECT topic, sum(stories) FROM topic_counts GROUP BY topic"))  # type: ignore[arg-type]


class TestSaying:
    async def test_a_topic_that_the_model_missed_becomes_a_signal_and_counts(self, store: Store) -> None:
        item = await one(store, capex=0.2)
        await store.save_labels(item, {"capex": True}, NOW)
        assert signals(store) == [("capex", 1.0, labels.PERSON)]
        assert counts(store) == {"capex": 1}

    async def test_a_wrong_signal_goes_and_counts_no_longer(self, store: Store) -> None:
        item = await one(store, capex=0.9, efficiency=0.8)
        await store.save_labels(item, {"capex": False}, NOW)
        assert signals(store) == [("efficiency", 0.8, MODEL)]
        assert counts(store) == {"efficiency": 1}

    async def test_where_the_model_was_right_its_word_stays_as_it_was(self, store: Store) -> None:
        item = await one(store, capex=0.9)
        await store.save_labels(item, {"capex": True}, NOW)
        assert rows(store, "SELECT probability, model, words FROM signals") == [(0.9, MODEL, "one, two words")]

    async def test_a_person_may_think_again(self, store: Store) -> None:
        item = await one(store, capex=0.9)
        for carries in (False, True, False, True):
            await store.save_labels(item, {"capex": carries}, NOW)
        assert signals(store) == [("capex", 0.9, MODEL)]
        assert rows(store, "SELECT topic, carries FROM labels") == [("capex", 1)]

    async def test_an_item_that_no_model_has_read_keeps_its_label_when_one_does(self, store: Store) -> None:
        await store.save_poll(poll(await feed_in(store), entry("New")), NOW)
        item = (await store.pending("classify", 1))[0].id
        await store.save_labels(item, {"capex": True, "efficiency": False}, NOW)
        said = {"capex": 0.1, "efficiency": 0.9}
        await store.save_classified(
            [Classification(item, topic, MODEL, p) for topic, p in said.items()],
            [Signal(item, "efficiency", 0.9, MODEL)],
            [],
            NOW,
        )
        assert signals(store) == [("capex", 1.0, labels.PERSON)]

    async def test_a_label_of_a_topic_that_nobody_knows_breaks_nothing(self, store: Store) -> None:
        item = await one(store, capex=0.9)
        await store.save_labels(item, {"gone": True, "forgotten": False}, NOW)
        assert counts(store) == {"capex": 1, "gone": 1}
        assert await store.doubtful(NOW - DAY, None, 9)
        assert (await store.labelled(MODELS))[0].probabilities == {"capex": 0.9}
        await store.replace_labels(item, {}, NOW)
        assert counts(store) == {"capex": 1}


class TestTakingBack:
    @pytest.mark.parametrize(
        ("likely", "said", "after"),
        [
            pytest.param(0.9, False, [("capex", 0.9, MODEL)], id="a denied signal comes back"),
            pytest.param(0.2, True, [], id="a claimed one goes"),
            pytest.param(0.9, True, [("capex", 0.9, MODEL)], id="an agreed one stays"),
            pytest.param(0.5, False, [("capex", 0.5, MODEL)], id="the threshold itself counts"),
        ],
    )
    async def test_the_models_word_holds_again(
        self, store: Store, likely: float, said: bool, after: list[tuple[object, ...]]
    ) -> None:
        item = await one(store, capex=likely)
        await store.save_labels(item, {"capex": said}, NOW)
        assert await store.replace_labels(item, {}, NOW) == 1
        assert signals(store) == after
        assert counts(store) == ({"capex": 1} if after else {})
        assert rows(store, "SELECT * FROM labels") == []

    async def test_what_the_model_in_use_said_goes_before_what_others_said(self, store: Store) -> None:
        item = await one(store, capex=0.2)
        await store.save_reclassified([Classification(item, "capex", "other", 0.9)], [], NOW + DAY)
        await store.save_labels(item, {"capex": True}, NOW)
        await store.replace_labels(item, {}, NOW)
        assert signals(store) == []

    async def test_where_it_has_said_nothing_the_last_word_of_another_holds(self, store: Store) -> None:
        item = (await filled(store, {"capex": 0.2}, model="older"))[0].id
        await store.save_reclassified([Classification(item, "capex", "old", 0.9)], [], NOW + DAY)
        await store.save_labels(item, {"capex": False}, NOW)
        await store.replace_labels(item, {}, NOW)
        assert signals(store) == [("capex", 0.9, "old")]

    async def test_topics_without_a_label_are_left_alone(self, store: Store) -> None:
        item = await one(store, capex=0.9)
        await store.save_labels(item, {"capex": False}, NOW)
        store._db.execute("INSERT INTO classifications VALUES (?, 'other', 'efficiency', 0.9, '')", [item])
        store._db.conn.commit()
        await store.replace_labels(item, {}, NOW)
        assert [topic for topic, *_ in signals(store)] == ["capex"]

    async def test_labels_can_be_put_in_place_of_others(self, store: Store) -> None:
        item = await one(store, capex=0.9, efficiency=0.2)
        await store.save_labels(item, {"capex": False, "efficiency": True}, NOW)
        assert await store.replace_labels(item, {"efficiency": False}, NOW) == 2
        known = await store.known(item, MODELS)
        assert known is not None
        assert (known.labels, list(known.signals)) == ({"efficiency": False}, ["capex"])


class TestAsking:
    async def test_an_item_is_known_with_all_that_was_said(self, store: Store) -> None:
        item = await one(store, capex=0.9, efficiency=0.2)
        await store.save_labels(item, {"efficiency": False}, NOW)
        known = await store.known(item, {"capex": MODEL, "efficiency": "another"})
        assert known is not None
        assert (known.item.title, known.labels) == ("Item 0", {"efficiency": False})
        assert (known.probabilities, known.signals) == ({"capex": 0.9}, {"capex": ("one", "two words")})
        assert await store.known(item + 1, MODELS) is None

    async def test_doubtful_items_come_nearest_to_their_own_topics_threshold_first(self, store: Store) -> None:
        await filled(store, {"capex": 0.9}, {"capex": 0.45}, {"capex": 0.1, "efficiency": 0.52}, {"capex": 0.79})
        await store.save_thresholds(MODELS, {"capex": 0.8, "efficiency": 0.5}, NOW)
        found = await store.doubtful(NOW - 9 * DAY, None, 9)
        assert [known.item.title for known in found] == ["Item 3", "Item 2", "Item 0", "Item 1"]
        assert [known.item.title for known in await store.doubtful(NOW - 9 * DAY, "capex", 1)] == ["Item 3"]
        assert found[1].probabilities == {"capex": 0.1, "efficiency": 0.52}

    @pytest.mark.parametrize(
        ("topic", "said", "expected"),
        [
            pytest.param(None, {"capex": True}, ["Item 0", "Item 1"], id="another topic is still open"),
            pytest.param("capex", {"capex": False}, ["Item 1"], id="the topic asked for is labelled"),
            pytest.param(None, {"capex": True, "efficiency": False}, ["Item 1"], id="every topic is labelled"),
            pytest.param("nonsense", {}, [], id="there is no such topic"),
        ],
    )
    async def test_what_is_labelled_is_not_doubtful(
        self, store: Store, topic: str | None, said: dict[str, bool], expected: list[str]
    ) -> None:
        items = await filled(store, {"capex": 0.5, "efficiency": 0.5}, {"capex": 0.3, "efficiency": 0.3})
        await store.save_labels(items[0].id, said, NOW)
        assert [known.item.title for known in await store.doubtful(NOW - 9 * DAY, topic, 9)] == expected

    async def test_old_items_and_those_the_model_has_not_read_are_not_asked_about(self, store: Store) -> None:
        await filled(store, {"capex": 0.5}, {"capex": 0.5}, {"capex": 0.5})
        assert len(await store.doubtful(NOW - DAY, None, 9)) == 2
        await store.save_thresholds({"capex": "newer"}, {"capex": 0.5}, NOW)
        assert await store.doubtful(NOW - DAY, None, 9) == []

    async def test_labelled_items_come_newest_first(self, store: Store) -> None:
        items = await filled(store, {"capex": 0.5}, {"capex": 0.6}, {"capex": 0.7})
        for item in (items[2], items[0]):
            await store.save_labels(item.id, {"capex": True, "efficiency": False}, NOW)
        found = await store.labelled({"capex": MODEL})
        assert [(known.item.title, known.probabilities) for known in found] == [
            ("Item 0", {"capex": 0.5}),
            ("Item 2", {"capex": 0.7}),
        ]

    async def test_the_thresholds_in_use_are_told_with_their_models(self, store: Store) -> None:
        await filled(store)
        assert await store.thresholds() == {"capex": (MODEL, 0.5), "efficiency": (MODEL, 0.5)}


class TestSql:
    async def test_the_view_tells_where_people_and_model_disagree(self, store: Store) -> None:
        item = await one(store, capex=0.9, efficiency=0.2)
        await store.save_labels(item, {"capex": False, "efficiency": False, "gone": True}, NOW)
        found = rows(store, "SELECT topic, carries, probability, agrees, title FROM labels_latest")
        assert found == [
            ("capex", 0, 0.9, 0, "Item 0"),
            ("efficiency", 0, 0.2, 1, "Item 0"),
            ("gone", 1, None, None, "Item 0"),
        ]

    async def test_the_canned_question_lists_doubts_with_their_ids(self, store: Store) -> None:
        items = await filled(store, {"capex": 0.9, "efficiency": 0.45}, {"capex": 0.6})
        await store.save_labels(items[1].id, {"efficiency": False}, NOW)
        found = self.doubtful(store)
        assert found.columns == ("probability", "threshold", "topic", "words", "feed", "title", "url", "id")
        assert [row[:4] + row[7:] for row in found.rows] == [
            (0.45, 0.5, "efficiency", "", items[0].id),
            (0.6, 0.5, "capex", "one, two words", items[1].id),
            (0.9, 0.5, "capex", "one, two words", items[0].id),
        ]
        assert [row[2] for row in self.doubtful(store, topic="efficiency").rows] == ["efficiency"]
        await store.save_labels(items[0].id, {"capex": True, "efficiency": True}, NOW)
        assert [row[7] for row in self.doubtful(store).rows] == [items[1].id]

    @pytest.mark.parametrize("question", ["the review", "the canned one"])
    async def test_the_history_is_not_read_for_doubts(self, store: Store, question: str) -> None:
        """Recent items by their index, all else by look-ups: however many classifications there are."""
        canned = reading.canned_queries()["doubtful"]
        sql = labels._DOUBTFUL if question == "the review" else canned.sql
        values = {"since": "2026", "topic": "%", "limit": 20, "days": 30}
        plan = [row["detail"] for row in store._db.query(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert any("i USING" in step and "items_by_published (published>?)" in step for step in plan)
        assert [step for step in plan if step.startswith("SCAN") and step != "SCAN t"] == []

    def doubtful(self, store: Store, topic: str = "%") -> reading.Answer:
        values = {"topic": topic, "days": 9999, "limit": 20}
        return reading.ask(store.path, reading.canned_queries()["doubtful"].sql, values)
