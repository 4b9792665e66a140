"""Earlier alerts, as the decision about the next one needs to know them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storage import alerts, outbox, past_alerts
from storage.alert_records import AlertState, Finding, Inhibitor, PastAlert, Phase, Release, ToldAlert
from storage.records import Grouping, Merge
from storage.store import Store
from tests.builders import NOW, entry, feed_in, finding, past_first_answer, poll, raised, tag, tell

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def of(key: str, phase: Phase = "start", *, thread: str = "", rule: str = "surge", kind: str = "trend") -> Finding:
    return replace(finding(key), rule=rule, kind=kind, phase=phase, thread=thread)


async def raise_ago(store: Store, ago: timedelta, *found: Finding, state: AlertState = "told") -> None:
    """Raise alerts as they were raised so long ago."""
    until = NOW if state == "held" else None
    await store.save_judgement([], raised(*found, state=state, until=until), [], 0, NOW - ago)


async def test_known_keys_are_those_that_some_alert_has(store: Store) -> None:
    await raise_ago(store, DAY, finding("told"))
    await raise_ago(store, DAY, finding("muted"), state="muted")
    assert await store.known_keys(["told", "muted", "new"]) == {"told", "muted"}
    assert await store.known_keys([]) == frozenset()


async def test_rules_are_told_of_every_earlier_alert_but_matches(store: Store) -> None:
    await raise_ago(store, DAY, of("a"), of("story", "once", rule="m", kind="match"), of("z", "once", rule="trouble"))
    await raise_ago(store, HOUR, of("a:end", "end", thread="a"), state="silenced")
    assert await store.told_alerts({"surge": "trend", "trouble": "trend", "m": "match"}, NOW) == {
        "a": ToldAlert("a", "surge", "a", "start", NOW - DAY),
        "z": ToldAlert("z", "trouble", "z", "once", NOW - DAY),
        "a:end": ToldAlert("a:end", "surge", "a", "end", NOW - HOUR, "silenced"),
    }


async def test_rules_are_not_told_of_other_rules_nor_of_what_had_their_name_as_another_kind(store: Store) -> None:
    await raise_ago(store, DAY, of("a"), of("b", rule="gone"), of("c", kind="query"))
    assert set(await store.told_alerts({"surge": "trend"}, NOW)) == {"a"}


async def test_rules_are_told_since_when_an_alert_was_known_that_waited(store: Store) -> None:
    await raise_ago(store, DAY, of("a"), state="held")
    await store.release([Release((1,))], NOW - HOUR)
    told = await store.told_alerts({"surge": "trend"}, NOW)
    assert told["a"] == ToldAlert("a", "surge", "a", "start", NOW - DAY, "told", until=NOW - HOUR)


async def test_rules_are_not_told_for_ever_of_what_has_ended(store: Store) -> None:
    await raise_ago(store, 99 * DAY, of("lasts"), of("over"), of("again"), of("digest", "once"))
    ends = [of(f"{key}:end", "end", thread=key) for key in ("over", "again")]
    await raise_ago(store, 61 * DAY, *ends)
    await raise_ago(store, 60 * DAY, of("again:1", "update", thread="again"), of("late"))
    assert set(await store.told_alerts({"surge": "trend"}, NOW)) == {
        *("lasts", "digest", "late"),
        *("again", "again:end", "again:1"),
    }


class TestToldStories:
    async def stories(self, store: Store) -> list[int]:
        wire = await past_first_answer(store, await feed_in(store))
        await store.save_poll(poll(wire, *(entry(f"Item {n}") for n in range(4))), NOW)
        items = [item.id for item in await tag(store, efficiency=0.9)]
        await tell(store, -1, -2, -2, -3)
        return items

    async def test_a_story_is_known_whatever_became_of_it_since(self, store: Store) -> None:
        first, second, retold, other = await self.stories(store)
        told = replace(finding("match:story:2"), rule="match", kind="match", evidence=(second,))
        await store.save_judgement([], raised(told), [], 0, NOW)
        asked = [("match", item) for item in (first, retold, other)]
        assert await store.told_stories(asked) == {("match", retold)}
        await store.save_grouping(Grouping(merges=(Merge(2, 1, retold),)), NOW)
        assert await store.told_stories(asked) == {("match", first), ("match", retold)}

    async def test_by_another_rule_it_is_not(self, store: Store) -> None:
        first, *_ = await self.stories(store)
        for rule, kind in (("other", "match"), ("match", "trend")):
            told = replace(finding(rule), rule=rule, kind=kind, evidence=(first,))
            await store.save_judgement([], raised(told), [], 0, NOW)
        assert await store.told_stories([("match", first)]) == frozenset()


class TestLastRaised:
    async def test_each_rule_by_its_newest_alert(self, store: Store) -> None:
        await raise_ago(store, 2 * DAY, of("a"), of("b", "once", rule="other", kind="match"))
        await raise_ago(store, DAY, of("a:more", "update", thread="a"), state="muted")
        last = {"surge": NOW - DAY, "other": NOW - 2 * DAY}
        assert await store.last_raised(["surge", "other", "never"]) == last
        assert await store.last_raised(["other"]) == {"other": NOW - 2 * DAY}

    async def test_an_end_and_a_summary_are_nothing_new(self, store: Store) -> None:
        await raise_ago(store, 3 * DAY, of("a"), state="held")
        await raise_ago(store, 2 * DAY, of("a:end", "end", thread="a"))
        await store.release([Release((1,), summary=of("summary", "once"))], NOW - DAY)
        assert await store.last_raised(["surge"]) == {"surge": NOW - 3 * DAY}

    async def test_neither_is_a_rule_that_cannot_be_evaluated(self, store: Store) -> None:
        await raise_ago(store, DAY, of("surge:error:2026-11-22:1a2b3c4d", "once", kind="query"))
        assert await store.last_raised(["surge"]) == {}


class TestPast:
    async def test_those_since_then_come_oldest_first_with_what_became_of_them(self, store: Store) -> None:
        await raise_ago(store, 9 * DAY, of("long ago", "once"))
        await raise_ago(store, 2 * DAY, replace(of("a", "once"), strength=1.5, topic="capex"), state="held")
        await raise_ago(store, DAY, of("other", "once", rule="other"))
        (past,) = await store.past_alerts(["surge"], NOW - 7 * DAY)
        assert past == PastAlert("surge", "capex", NOW - 2 * DAY, "held", 1.5, "a", "once", NOW)
        assert [one.thread for one in await store.past_alerts(["surge", "other"], NOW - 7 * DAY)] == ["a", "other"]

    async def test_a_message_that_carried_others_is_marked(self, store: Store) -> None:
        await raise_ago(store, HOUR, of("a", "once"), of("b", "once"), state="held")
        await store.release([Release((1, 2), summary=of("summary", "once"))], NOW)
        past = await store.past_alerts(["surge"], NOW - DAY)
        assert [(one.thread, one.state, one.summary) for one in past] == [
            ("a", "carried", False),
            ("b", "carried", False),
            ("summary", "told", True),
        ]

    async def test_what_began_earlier_and_still_lasts_is_among_them(self, store: Store) -> None:
        await raise_ago(store, 30 * DAY, of("lasts"), of("over"), of("again"))
        await raise_ago(store, 20 * DAY, of("over:end", "end", thread="over"), of("again:end", "end", thread="again"))
        await raise_ago(store, 10 * DAY, of("again:more", "update", thread="again"))
        past = await store.past_alerts(["surge"], NOW - 7 * DAY)
        assert [one.thread for one in past] == ["lasts", "again"]

    async def test_of_very_many_the_newest_are_known(self, store: Store) -> None:
        for number in range(5):
            await raise_ago(store, (5 - number) * HOUR, of(f"k{number}", "once"))
        past = past_alerts.past_alerts(store._db, ["surge"], NOW - DAY, most=3)
        assert [one.thread for one in past] == ["k2", "k3", "k4"]


class TestInhibitors:
    async def keys(self, store: Store) -> list[tuple[str, bool]]:
        return [(one.headline, one.lasts) for one in await store.inhibitors(NOW - DAY)]

    def named(self, found: Finding) -> Finding:
        return replace(found, headline=found.key)

    async def test_one_says_what_it_rests_on_and_where_it_went(self, store: Store) -> None:
        feed = await past_first_answer(store, await feed_in(store))
        await store.save_poll(poll(feed, entry("One"), entry("Two")), NOW)
        ids = [item.id for item in await tag(store, efficiency=0.9)]
        await raise_ago(store, HOUR, replace(of("a"), evidence=tuple(ids), send=("desk", "team")))
        (found,) = await store.inhibitors(NOW - DAY)
        headline = "Efficiency news ×4.6"
        expected = Inhibitor(
            "surge", "trend", "efficiency", headline, NOW - HOUR, ("desk", "team"), frozenset(ids), lasts=True
        )
        assert found == expected

    async def test_one_that_cannot_be_read_any_more_stops_nothing(self, store: Store) -> None:
        await raise_ago(store, HOUR, self.named(of("a")))
        await store._do(lambda db: db.execute("UPDATE alerts SET finding = '{'"))
        assert [(one.headline, one.send) for one in await store.inhibitors(NOW - DAY)] == [("a", ())]

    async def test_trends_of_the_last_day_mute_also_when_they_are_over(self, store: Store) -> None:
        await raise_ago(store, HOUR, *map(self.named, (of("a"), of("pair", "once", kind="compound"))))
        await raise_ago(store, HOUR, *map(self.named, (of("a:end", "end", thread="a"), of("x", "once", kind="match"))))
        assert await self.keys(store) == [("a", False), ("pair", False)]

    async def test_of_a_rule_that_others_name_the_newest_of_each_topic_mutes(self, store: Store) -> None:
        one, other, end = of("1", "once", kind="match"), of("2", "once", kind="match"), of("3", "end", kind="query")
        await raise_ago(store, 2 * DAY, replace(one, key="old", topic="geopolitics"))
        await raise_ago(store, HOUR, *map(self.named, (one, other, end, replace(one, key="4", topic="capex"))))
        await raise_ago(store, HOUR, replace(one, key="5"), state="muted")
        named = await store.inhibitors(NOW - DAY, ["surge"])
        assert [(found.headline, found.topic, found.lasts) for found in named] == [
            ("2", "efficiency", False),
            ("4", "capex", False),
        ]
        assert await store.inhibitors(NOW - DAY, ["another"]) == []

    async def test_what_lasts_mutes_however_long_ago_it_began(self, store: Store) -> None:
        long_ago = (of("a"), of("b"), of("silence", kind="silence"))
        await raise_ago(store, 30 * DAY, *map(self.named, long_ago))
        more = (of("a:more", "update", thread="a"), of("b:end", "end", thread="b"))
        await raise_ago(store, 29 * DAY, *map(self.named, more))
        assert await self.keys(store) == [("a", True), ("silence", True), ("a:more", True)]

    @pytest.mark.parametrize("state", ["held", "muted", "silenced"])
    async def test_what_nobody_was_told_mutes_nothing(self, store: Store, state: AlertState) -> None:
        await raise_ago(store, HOUR, self.named(of("a")), state=state)
        assert await self.keys(store) == []

    async def test_what_was_told_within_another_message_mutes(self, store: Store) -> None:
        await raise_ago(store, HOUR, self.named(of("a")), state="held")
        await store.release([Release((1,), summary=self.named(of("s", "once", kind="query")))], NOW)
        assert await self.keys(store) == [("a", True)]


QUESTIONS = {
    "known keys": ("SELECT key FROM alerts WHERE key IN (SELECT value FROM json_each(?))", ["[]"]),
    "when rules last raised": (past_alerts._LAST, ["[]"]),
    "what rules told": (past_alerts._TOLD, {"rules": "{}", "since": "2026"}),
    "a rule's alerts since then": (past_alerts._SINCE, {"rule": "r", "since": "2026", "most": 9}),
    "what is due": (outbox._DUE, {"channel": "desk", "now": "2026", "ahead": "2027", "most": 1}),
    "what waits": ("SELECT * FROM alerts_waiting", {}),
    "alerts of a thread": ("SELECT id FROM alerts WHERE thread = ?", ["t"]),
    "what a message carries": ("SELECT 1 FROM alerts WHERE told_in = ?", [1]),
    "held alerts": (alerts._HELD, {"now": "2026", "ahead": "2027"}),
}


@pytest.mark.parametrize(("sql", "values"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_the_question_walks_through_no_whole_table_of_alerts(
    store: Store, sql: str, values: dict[str, object] | list[object]
) -> None:
    plan = [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [step.split()[1] for step in plan if step.startswith("SCAN") and "INDEX" not in step]
    assert {"alerts", "a", "deliveries", "d", "o", "s", "m"} & set(scans) == set()
