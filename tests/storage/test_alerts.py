"""What becomes of findings: told, held and let out, carried by another one; each exactly once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from storage import reading
from storage.alert_records import (
    Alert,
    AlertState,
    Cell,
    Chart,
    DayCount,
    Finding,
    Raised,
    Release,
    Sent,
    StoryLine,
    StoryList,
    Table,
)
from storage.store import Store
from tests.builders import NOW, finding, raised

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOT_TOLD: tuple[AlertState, ...] = ("held", "muted", "silenced")


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(path, sql).rows


async def judged(store: Store, some: Sequence[Raised]) -> int:
    return await store.save_judgement([], some, [], 0, NOW)


async def known(store: Store, alert_id: int) -> Alert:
    alert = await store.alert(alert_id)
    assert alert is not None
    return alert


async def states(store: Store) -> dict[object, tuple[object, object]]:
    """Return for each key what became of the alert, and the alert that tells of it."""
    return {key: (state, told_in) for key, state, told_in in rows(store.path, "SELECT key, state, told_in FROM alerts")}


class TestRaising:
    async def test_the_same_finding_raises_one_alert_and_one_delivery_per_channel(self, store: Store) -> None:
        found = finding("k", "desk", "team", "desk")
        assert await judged(store, raised(found)) == 1
        assert await judged(store, raised(found)) == 0
        assert await store.due_channels(NOW) == ["desk", "team"]
        due = await store.due_deliveries("team", NOW)
        assert [(d.channel, d.alert.finding) for d in due] == [("team", found)]

    async def test_a_finding_comes_back_with_all_that_it_holds(self, store: Store) -> None:
        line = StoryLine(1, "Title", "https://example.org", "Wire", 3, NOW, 0.9, ("word",))
        full = replace(
            finding("full"),
            stories=(line,),
            charts=(Chart("capex", (DayCount(date(2026, 11, 23), 4),), 1.5),),
            tables=(Table("Rows", ("a", "b"), ((Cell("1"), Cell("x", "https://example.org")),), 3, ("a",)),),
            lists=(StoryList("Top", (line,), 2),),
            expected=1.5,
            observed=4,
            evidence=(),
            phase="update",
            thread="start",
            strength=2.5,
            advice="Look.",
            carries=(7, 8),
        )
        await judged(store, raised(full))
        assert (await known(store, 1)).finding == full

    async def test_a_finding_without_a_thread_begins_its_own(self, store: Store) -> None:
        await judged(store, raised(finding("k")))
        assert rows(store.path, "SELECT thread, phase FROM alerts") == [("k", "once")]

    async def test_a_held_alert_has_no_deliveries_and_says_why_and_until_when(self, store: Store) -> None:
        assert await judged(store, raised(finding("k"), state="held", until=NOW + HOUR, why="quiet hours")) == 0
        alert = await known(store, 1)
        assert (alert.state, alert.until, alert.why) == ("held", NOW + HOUR, "quiet hours")
        assert await store.due_channels(NOW + DAY) == []

    @pytest.mark.parametrize("state", ["muted", "silenced"])
    async def test_what_nobody_is_told_is_recorded(self, store: Store, state: AlertState) -> None:
        assert await judged(store, raised(finding("k"), state=state, why="told by 'surge'")) == 0
        history = "SELECT state, why, deliveries, thread FROM alerts_history"
        assert rows(store.path, history) == [(state, "told by 'surge'", None, "k")]
        assert await store.held(NOW + DAY) == []

    async def test_ten_thousand_findings_at_once_are_stored(self, store: Store) -> None:
        found = [finding(f"k{n}") for n in range(10_000)]
        assert await judged(store, raised(*found)) == 10_000
        assert len(await store.known_keys([one.key for one in found])) == 10_000


async def test_what_is_held_is_looked_at_again_when_feeds_yaml_may_have_changed(store: Store) -> None:
    await judged(store, raised(finding("night"), state="held", until=NOW + DAY, why="quiet hours"))
    assert await store.held(NOW) == []
    await store.reconsider(NOW)
    assert [one.finding.key for one in await store.held(NOW)] == ["night"]


class TestCarrying:
    async def waiting(self, store: Store) -> None:
        for state in (*NOT_TOLD, "told"):
            await judged(store, raised(finding(state), state=state, until=NOW if state == "held" else None))

    async def test_a_message_carries_what_waits_or_was_not_told(self, store: Store) -> None:
        await self.waiting(store)
        await judged(store, raised(replace(finding("digest"), carries=(1, 2, 3, 4))))
        assert await states(store) == {
            "held": ("carried", 5),
            "muted": ("carried", 5),
            "silenced": ("carried", 5),
            "told": ("told", None),
            "digest": ("told", None),
        }
        assert await store.held(NOW + DAY) == []

    async def test_a_message_that_is_not_sent_carries_nothing(self, store: Store) -> None:
        await self.waiting(store)
        await judged(store, raised(replace(finding("digest"), carries=(1, 2, 3)), state="silenced"))
        assert [one.finding.key for one in await store.held(NOW)] == ["held"]

    async def test_a_held_message_carries_once_it_is_let_out(self, store: Store) -> None:
        await self.waiting(store)
        await judged(store, raised(replace(finding("digest"), carries=(1,)), state="held", until=NOW))
        await store.release([Release((5,))], NOW)
        assert (await states(store))["held"] == ("carried", 5)


class TestReleasing:
    async def held(self, store: Store, *keys: str) -> list[Alert]:
        await judged(store, raised(*(finding(key) for key in keys), state="held", until=NOW, why="cooldown"))
        return await store.held(NOW)

    async def test_held_alerts_are_looked_at_again_when_their_time_has_come_oldest_first(self, store: Store) -> None:
        for key, later in (("b", HOUR), ("a", timedelta(0)), ("c", 2 * HOUR)):
            await judged(store, raised(finding(key), state="held", until=NOW + later))
        assert [one.finding.key for one in await store.held(NOW + HOUR)] == ["b", "a"]

    async def test_what_a_clock_held_that_was_a_year_ahead_is_looked_at_when_that_is_set_right(
        self, store: Store
    ) -> None:
        wrong = NOW + 365 * DAY
        await store.save_judgement([], raised(finding("k"), state="held", until=wrong + HOUR), [], 0, wrong)
        await judged(store, raised(finding("waits"), state="held", until=NOW + HOUR))
        assert [one.finding.key for one in await store.held(NOW)] == ["k"]

    async def test_a_single_one_is_sent_as_it_is_and_remembers_until_when_it_was_held(self, store: Store) -> None:
        (alert,) = await self.held(store, "k")
        assert await store.release([Release((alert.id,))], NOW + HOUR) == 1
        (delivery,) = await store.due_deliveries("desk", NOW + HOUR)
        assert delivery.alert == Alert(1, NOW, finding("k"), "told", NOW + HOUR, "cooldown")
        assert await store.due_channels(NOW) == []

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param("json_remove(finding, '$.explanation')", id="a field is missing"),
            pytest.param("replace(finding, '}', '')", id="it is no JSON"),
        ],
    )
    async def test_one_that_cannot_be_read_is_told_as_far_as_it_is_known_and_holds_nobody_up(
        self, store: Store, change: str
    ) -> None:
        await self.held(store, "a", "b")
        await store._do(lambda db: db.execute(f"UPDATE alerts SET finding = {change} WHERE key = 'a'"))
        assert await store.release([Release((1,)), Release((2,))], NOW) == 2
        unread, read = await store.due_deliveries("desk", NOW)
        assert unread.alert.finding.headline == finding().headline
        assert "cannot be read any more" in unread.alert.finding.explanation
        assert read.alert.finding == finding("b")

    async def test_several_are_carried_by_one_summary(self, store: Store) -> None:
        alerts = await self.held(store, "a", "b")
        summary = Release(tuple(one.id for one in alerts), summary=finding("summary"))
        assert await store.release([summary], NOW) == 1
        assert [one.alert.finding.key for one in await store.due_deliveries("desk", NOW)] == ["summary"]
        assert await states(store) == {"a": ("carried", 3), "b": ("carried", 3), "summary": ("told", None)}

    async def test_they_can_be_held_longer(self, store: Store) -> None:
        (alert,) = await self.held(store, "k")
        assert await store.release([Release((alert.id,), until=NOW + DAY)], NOW) == 0
        assert await store.held(NOW + HOUR) == []
        assert [one.until for one in await store.held(NOW + DAY)] == [NOW + DAY]

    async def test_what_was_told_meanwhile_is_not_told_again(self, store: Store) -> None:
        await self.held(store, "a", "b")
        await store.resend(1, None, NOW)
        (delivery,) = await store.due_deliveries("desk", NOW)
        await store.mark_sent(delivery, Sent(), NOW)
        assert await store.release([Release((1,)), Release((2,), summary=finding("summary"))], NOW) == 1
        assert await store.release([Release((1, 2), summary=finding("late"))], NOW) == 0
        assert [one.alert.finding.key for one in await store.due_deliveries("desk", NOW)] == ["summary"]
        assert await states(store) == {"a": ("told", None), "b": ("carried", 3), "summary": ("told", None)}

    async def test_a_summary_that_was_sent_before_is_not_sent_again_and_holds_nobody_up(self, store: Store) -> None:
        await judged(store, raised(finding("summary")))
        await self.held(store, "a")
        assert await store.release([Release((2,), summary=finding("summary"))], NOW) == 0
        assert await store.held(NOW) == []


class TestWhatNobodyWatches:
    """A rule was renamed, removed, or is of another kind now: what it began would last for ever."""

    async def begun(self, store: Store) -> None:
        start = replace(finding("t"), phase="start")
        await judged(store, raised(start, replace(start, key="over"), replace(finding("once"), rule="gone")))
        await judged(store, raised(replace(start, key="over:end", thread="over", phase="end")))

    @pytest.mark.parametrize("rules", [{}, {"other": "trend"}, {"surge": "query"}])
    async def test_it_ends_and_that_is_only_recorded(self, store: Store, rules: dict[str, str]) -> None:
        await self.begun(store)
        assert await store.end_unwatched(rules, NOW + HOUR) == 1
        assert rows(store.path, "SELECT thread FROM alerts_open") == []
        end = await store.alert(5)
        assert end is not None
        assert (end.finding.phase, end.finding.thread, end.state) == ("end", "t", "muted")
        assert end.finding.headline == "No longer watched: Efficiency news ×4.6"
        assert await store.end_unwatched(rules, NOW + DAY) == 0

    async def test_what_is_watched_goes_on(self, store: Store) -> None:
        await self.begun(store)
        assert await store.end_unwatched({"surge": "trend"}, NOW) == 0


class TestAcknowledging:
    async def test_the_whole_thread_is_acknowledged_and_nothing_else(self, store: Store) -> None:
        start = replace(finding("start"), phase="start")
        update = replace(finding("start:surging"), phase="update", thread="start")
        await judged(store, raised(start, update, finding("other")))
        alert = await store.acknowledge(2, "we know", NOW + HOUR)
        assert alert is not None
        assert alert.finding == update
        acked = {key: one.acked for key, one in (await store.told_alerts({"surge": "trend"}, NOW)).items()}
        assert acked == {"start": NOW + HOUR, "start:surging": NOW + HOUR, "other": None}
        assert rows(store.path, "SELECT DISTINCT ack_note FROM alerts ORDER BY 1") == [(None,), ("we know",)]

    async def test_an_unknown_alert_is_none(self, store: Store) -> None:
        assert await store.acknowledge(9, "", NOW) is None
        assert await store.alert(9) is None


class TestViews:
    async def begun(self, store: Store) -> None:
        start = replace(finding("t"), phase="start")
        await judged(store, raised(start, replace(start, key="over"), finding("once")))
        again = [replace(start, key=f"t:repeat:{n}", thread="t", phase="update", headline=f"Still {n}") for n in (1, 2)]
        end = replace(start, key="over:end", thread="over", phase="end")
        await store.save_judgement([], raised(*again, end), [], 0, NOW + HOUR)

    async def test_what_lasts_is_shown_with_its_newest_headline(self, store: Store) -> None:
        await self.begun(store)
        await store.acknowledge(1, "", NOW + 2 * HOUR)
        shown = "SELECT since, headline, updated, alerts, repeats, acked, alert_id FROM alerts_open"
        times = "2026-11-23T14:00:00Z", "2026-11-23T15:00:00Z", "2026-11-23T16:00:00Z"
        assert rows(store.path, shown) == [(times[0], "Still 2", times[1], 3, 2, times[2], 1)]

    async def test_what_begins_anew_in_the_same_thread_lasts_again(self, store: Store) -> None:
        await self.begun(store)
        again = replace(finding("over:again"), thread="over", phase="update")
        await judged(store, raised(again))
        assert rows(store.path, "SELECT thread FROM alerts_open") == [("over",), ("t",)]

    async def test_what_waits_is_shown_and_counted(self, store: Store) -> None:
        found: list[Finding] = [finding(key) for key in "abc"]
        await judged(store, raised(*found[:2], state="held", until=NOW + HOUR, why="quiet hours"))
        await judged(store, raised(found[2], state="held", until=NOW + DAY, why="weekly budget"))
        assert rows(store.path, "SELECT why, alert_id FROM alerts_waiting") == [
            ("quiet hours", 1),
            ("quiet hours", 2),
            ("weekly budget", 3),
        ]
        status = reading.status(store.path)["held"]
        assert status.columns == ("rule", "why", "alerts", "until")
        assert status.rows == [
            ("surge", "quiet hours", 2, "2026-11-23T15:00:00Z"),
            ("surge", "weekly budget", 1, "2026-11-24T14:00:00Z"),
        ]

    async def test_the_status_shows_what_lasts(self, store: Store) -> None:
        await self.begun(store)
        assert [row[4] for row in reading.status(store.path)["open"].rows] == ["Still 2"]
