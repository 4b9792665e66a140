"""Alerts from the feeds to the channels, as situations: on a real database, with fakes for the outside world."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from monitor import pipeline
from monitor.config import Config
from monitor.errors import ChannelError
from storage import reading
from storage.alert_records import Finding, Release
from storage.errors import DatabaseBusy
from storage.feed_records import Entry, Fetched
from storage.store import Store
from tests.builders import NOW, entry
from tests.fakes import CONFIG, REFUSED, Clock, FakeChannel, FakeClassifier, FakeFetcher, FakeParser, system

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MATCH = {"name": "every", "rule": "match"}
FAILED = Fetched(NOW, 1.0, 404, error="HTTP 404 Not Found", trouble="status")
FAILING = "SELECT name FROM feed_health WHERE state = 'failing'"
DOWN = {"name": "down", "rule": "query", "sql": FAILING, "headline": "{count} down: {first}"}
STREAM = {"name": "stream", "rule": "silence", "no_items": "24h"}
MORNING = {"name": "morning", "rule": "digest", "at": "08:00", "zone": "Europe/Berlin"}
TROUBLE = {"name": "trouble", "rule": "feeds", "after": "0s", "repeat": "6h"}
GONE = ChannelError("404 no_service: the webhook was removed", retry=False)


class OneTopic(FakeClassifier):
    """Looks for efficiency alone."""

    topics = ("efficiency",)


class NoTopics(FakeClassifier):
    """Looks for nothing, so that no trend is worked out: tests without a single item are much faster."""

    topics = ()


class Desk:
    """A monitor of two feeds and two channels, at a clock that the test moves."""

    def __init__(self, store: Store, *rules: object, tags: bool = True, **blocks: object) -> None:
        self.store, self.clock = store, Clock()
        self.fetcher, self.parser = FakeFetcher(), FakeParser({"Wire": [], "Desk": []})
        self.screen, self.other = FakeChannel(), FakeChannel()
        self.system = system(
            store,
            config=Config.model_validate({**CONFIG, **blocks, "alerts": rules}),
            fetcher=self.fetcher,
            parser=self.parser,
            classifier=OneTopic() if tags else NoTopics(),
            channels={"screen": self.screen, "other": self.other},
            now=self.clock,
        )

    async def open(self, *past: Entry) -> "Desk":
        """Let the feeds answer for the first time: what follows is news."""
        self.parser.entries["Wire"] += past
        await self.poll()
        return self

    async def poll(self) -> None:
        """Ask all feeds, and take what they bring through all steps."""
        await self.store.sync_feeds(self.system.config.feed_specs(), self.clock.now)
        await pipeline.once(self.system, await self.store.due_feeds(self.clock.now + 99 * DAY))

    async def news(self, number: int = 1, *, after: timedelta = HOUR) -> None:
        """Poll again after a while: so many stories were published, just now."""
        self.clock.now += after
        have = len(self.parser.entries["Wire"])
        self.parser.entries["Wire"] += [entry(title(have + n), self.clock.now - MINUTE) for n in range(number)]
        await self.poll()

    async def work(self) -> None:
        """Take what waits through all steps, without asking the feeds."""
        await pipeline.process(self.system)
        await pipeline.deliver(self.system)

    async def pass_hours(self, hours: float) -> None:
        """Let time pass, without news."""
        self.clock.forward(hours=hours)
        await self.work()

    async def live(self, hours: int) -> None:
        """Let time pass, and poll every hour; nothing new comes."""
        for _ in range(hours):
            await self.news(0)

    @property
    def told(self) -> list[Finding]:
        """What the first channel was sent."""
        return [one.alert.finding for one in self.screen.deliveries]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return reading.ask(self.store.path, sql).rows

    def states(self) -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM alerts GROUP BY state"))


def title(number: int) -> str:
    """Write a headline about efficiency that is like no other one."""
    digest = sha256(str(number).encode()).hexdigest().translate(str.maketrans("0123456789", "ghijklmnop"))
    return " ".join(["Efficiency", *(digest[at : at + 7] for at in range(0, 35, 7))]).capitalize()


def evidence(findings: Iterable[Finding]) -> set[int]:
    return {item for finding in findings for item in finding.evidence}


def headlines(channel: FakeChannel) -> Sequence[str]:
    return channel.sent


class TestBursts:
    async def test_two_hundred_stories_of_one_poll_are_three_messages_with_all_of_them(self, store: Store) -> None:
        desk = await Desk(store, MATCH).open()
        await desk.news(200)
        assert len(desk.told) == 3
        assert len(evidence(desk.told)) == 200
        assert desk.told[-1].headline.startswith("198 stories match 'every' at once")
        assert desk.states() == {"told": 3, "carried": 198}

    async def test_a_flood_of_a_minute_is_a_handful_of_messages_with_all_of_it(self, store: Store) -> None:
        desk = await Desk(store, MATCH).open()
        for _ in range(3):
            await desk.news(100, after=MINUTE / 3)
        assert len(desk.told) == 3
        await desk.pass_hours(0.2)
        assert len(desk.told) == 4
        assert len(evidence(desk.told)) == 300
        assert desk.states() == {"told": 4, "carried": 298}

    async def test_a_message_does_not_wait_longer_than_a_minute_for_the_rest_of_a_burst(self, store: Store) -> None:
        desk = await Desk(store, MATCH).open()
        desk.clock.forward(hours=1)
        desk.parser.entries["Wire"] += [entry(title(n), desk.clock.now) for n in range(200)]
        await pipeline.poll(desk.system, await store.due_feeds(desk.clock.now + DAY), lambda _poll, _new: None)
        for _ in range(3):
            await pipeline.process(desk.system, lambda: False)
            await pipeline.deliver(desk.system)
            desk.clock.forward(seconds=31)
        assert desk.rows("SELECT count(*) > 0 FROM items WHERE pending = 'classify'") == [(1,)]
        assert [len(one.evidence) for one in desk.told] == [1, 1, 190]

    async def test_a_database_that_fails_while_it_lets_alerts_out_loses_none(self, tmp_path: Path) -> None:
        class Failing(Store):
            fails = True

            async def release(self, releases: Sequence[Release], now: Any) -> int:
                if self.fails:
                    raise DatabaseBusy("locked")
                return await super().release(releases, now)

        with Failing(tmp_path / "failing.db") as store:
            desk = await Desk(store, MATCH).open()
            with pytest.raises(DatabaseBusy):
                await desk.news(9)
            store.fails = False
            await desk.work()
            assert len(evidence(desk.told)) == 9
            assert desk.states() == {"told": 3, "carried": 7}


class TestQuietHours:
    async def test_what_came_in_the_night_is_one_message_in_the_morning(self, store: Store) -> None:
        desk = await Desk(store, MATCH, quiet=["22:00-07:00"], timezone="Europe/Berlin").open()
        await desk.news(3, after=timedelta(hours=8))  # 23:00 in Berlin
        await desk.news(2)
        assert (desk.told, desk.states()) == ([], {"held": 5})
        desk.clock.now = NOW.replace(day=24, hour=5, minute=59)
        await desk.work()
        assert desk.told == []
        desk.clock.forward(minutes=1)
        await desk.work()
        assert [one.headline[:22] for one in desk.told] == ["5 stories match 'every"]
        assert len(evidence(desk.told)) == 5
        await desk.pass_hours(24)
        assert len(desk.told) == 1

    async def test_a_critical_alert_does_not_wait_and_neither_does_a_rule_without_quiet_hours(
        self, store: Store
    ) -> None:
        rules = ({**MATCH, "name": "urgent", "severity": "critical"}, {**MATCH, "name": "awake", "quiet": []}, MATCH)
        desk = await Desk(store, *rules, quiet=["00:00-24:00"]).open()
        await desk.news()
        assert [one.rule for one in desk.told] == ["urgent", "awake"]
        assert desk.rows("SELECT rule, why FROM alerts WHERE state = 'held'") == [("every", "quiet hours")]

    async def test_a_trouble_that_is_over_by_the_morning_is_one_message_that_says_so(self, store: Store) -> None:
        rule = {"name": "trouble", "rule": "feeds", "after": "1h"}
        desk = await Desk(store, rule, quiet=["15:00-20:00"]).open()
        desk.fetcher.answers = {"Desk": lambda: FAILED}
        await desk.live(4)
        desk.fetcher.answers = {}
        await desk.live(1)
        assert desk.told == []
        await desk.live(1)
        assert [(one.headline, one.phase) for one in desk.told] == [("Feed “Desk” works again", "end")]
        assert "Told together with Mon 16:00, “Feed “Desk” has failed since Mon 15:00”" in desk.told[0].explanation
        assert desk.states() == {"carried": 2, "told": 1}

    async def test_what_a_rule_held_is_told_although_the_rule_has_left_feeds_yaml(self, store: Store) -> None:
        desk = await Desk(store, MATCH, quiet=["00:00-24:00"]).open()
        await desk.news(2)
        later = Desk(store)
        later.clock.now = desk.clock.now + 7 * DAY
        await later.work()
        assert len(evidence(later.told)) == 2


class TestSilencesAndMuting:
    async def test_what_is_silenced_is_recorded_with_its_evidence_and_what_comes_later_is_told(
        self, store: Store
    ) -> None:
        desk = await Desk(store, MATCH).open()
        await store.add_silence("every", None, NOW + timedelta(hours=2), "earnings season", NOW)
        await desk.news()
        await desk.news()
        why = "silenced until 16:00 UTC on Mon 23 Nov: earnings season"
        assert desk.rows("SELECT state, why FROM alerts ORDER BY id") == [("silenced", why), ("told", "")]
        assert len(desk.told) == 1
        assert desk.rows("SELECT count(DISTINCT item_id) FROM alert_items") == [(2,)]

    async def test_a_story_that_a_trend_alert_counts_is_not_told_once_more(self, store: Store) -> None:
        desk = await Desk(store, {"name": "surge", "rule": "trend"}, MATCH).open(*usual_weeks())
        await desk.news(40)
        assert [one.kind for one in desk.told] == ["trend"]
        assert desk.rows("SELECT state, count(*) FROM alerts WHERE kind = 'match' GROUP BY 1") == [("muted", 40)]
        [(why,)] = desk.rows("SELECT DISTINCT why FROM alerts WHERE state = 'muted'")
        assert why.startswith("told by 'surge': Efficiency news")
        await desk.news()
        assert [one.kind for one in desk.told] == ["trend", "match"]

    async def test_a_rule_that_is_muted_by_a_trend_tells_nothing_of_its_topic_while_it_lasts(
        self, store: Store
    ) -> None:
        muted = {**MATCH, "muted_by": ["surge"]}
        desk = await Desk(store, {"name": "surge", "rule": "trend"}, muted).open(*usual_weeks())
        await desk.news(40)
        await desk.news()
        assert [one.kind for one in desk.told] == ["trend"]

    async def test_a_rule_that_is_muted_by_a_match_tells_nothing_of_its_topic_for_a_day(self, store: Store) -> None:
        wire = {**MATCH, "name": "wire", "feeds": ["Wire"]}
        desk = await Desk(store, wire, {**MATCH, "feeds": ["Desk"], "muted_by": ["wire"]}).open()
        await desk.news()
        for hours in (3, 24):
            await desk.pass_hours(hours)
            desk.parser.entries["Desk"].append(entry(title(hours), desk.clock.now))
            await desk.news(0)
        assert [one.rule for one in desk.told] == ["wire", "every"]
        assert desk.states() == {"told": 2, "muted": 1}

    async def test_a_critical_rule_tells_it_all_the_same(self, store: Store) -> None:
        urgent = {**MATCH, "severity": "critical"}
        desk = await Desk(store, {"name": "surge", "rule": "trend"}, urgent).open(*usual_weeks())
        await desk.news(40)
        assert sorted(one.kind for one in desk.told) == ["match", "match", "match", "trend"]


def usual_weeks() -> list[Entry]:
    """Six stories a day, for forty days."""
    ago = (n * DAY / 6 + timedelta(hours=n * 7919 % 23) / 2 for n in range(1, 240))
    return [entry(title(-n), NOW - one) for n, one in enumerate(ago, start=1)]


class TestTrends:
    async def test_start_update_and_end_of_a_surge_are_one_thread(self, store: Store) -> None:
        desk = await Desk(store, {"name": "surge", "rule": "trend"}).open(*usual_weeks())
        for number in (3, 8, 8, 8, 40, 40, 0, 0, 0, 0):
            await desk.news(number, after=timedelta(hours=12))
        assert [one.phase for one in desk.told] == ["start", "update", "end"]
        assert len({one.thread for one in desk.told}) == 1
        assert [one.thread for one in desk.screen.deliveries] == [(), ("message 1",), ("message 1", "message 2")]
        assert desk.other.sent == desk.screen.sent
        assert desk.rows("SELECT count(*) FROM alerts_open") == [(0,)]


class TestBudgets:
    async def test_what_a_weekly_budget_holds_is_told_by_the_digest_and_not_again(self, store: Store) -> None:
        scarce = {**MATCH, "weekly_budget": 2, "cooldown": "0s"}
        desk = await Desk(store, scarce, {"name": "morning", "rule": "digest", "at": "08:00"}).open()
        for _ in range(5):
            await desk.news()
        assert [one.rule for one in desk.told] == ["every"] * 2
        assert desk.rows("SELECT DISTINCT why FROM alerts WHERE state = 'held'") == [("weekly budget",)]
        await desk.pass_hours(24)
        assert [one.rule for one in desk.told] == ["every", "every", "morning"]
        assert desk.states() == {"told": 3, "carried": 3}
        for _ in range(2):
            await desk.pass_hours(24 * 4)
        assert [one.rule for one in desk.told][3:] == ["morning"] * 2
        assert desk.states() == {"told": 5, "carried": 3}

    async def test_without_a_digest_it_is_told_within_a_week_in_one_message(self, store: Store) -> None:
        desk = await Desk(store, {**MATCH, "weekly_budget": 2, "cooldown": "0s"}).open()
        for _ in range(5):
            await desk.news()
        await desk.pass_hours(24 * 7)
        assert [len(one.evidence) for one in desk.told] == [1, 1, 3]


class TestQueries:
    async def test_it_is_told_when_it_becomes_true_and_when_it_is_no_longer(self, store: Store) -> None:
        desk = await Desk(store, DOWN, tags=False).open()
        desk.fetcher.answers = {"Desk": lambda: FAILED}
        await desk.live(3)
        assert headlines(desk.screen) == ["1 down: Desk"]
        desk.fetcher.answers = {}
        await desk.live(3)
        assert headlines(desk.screen) == ["1 down: Desk", "down: no longer true; it lasted 3 hours"]
        assert desk.screen.deliveries[1].thread == ("message 1",)
        desk.fetcher.answers = {"Desk": lambda: FAILED}
        await desk.live(1)
        assert headlines(desk.screen)[2:] == ["1 down: Desk"]
        assert desk.screen.deliveries[2].thread == ()

    async def test_a_query_that_fails_is_told_once_a_day_and_stops_no_other_rule(self, store: Store) -> None:
        desk = await Desk(store, {**DOWN, "sql": "SELECT x FROM nowhere"}, MATCH).open()
        await desk.live(2)
        await desk.news()
        assert [one.rule for one in desk.told] == ["down", "every"]
        assert "no such table: nowhere" in desk.told[0].explanation
        await desk.news(0, after=DAY)
        assert [one.rule for one in desk.told] == ["down", "every", "down"]

    async def test_one_that_fails_for_a_while_ends_nothing(self, store: Store) -> None:
        desk = await Desk(store, DOWN, tags=False).open()
        desk.fetcher.answers = {"Desk": lambda: FAILED}
        await desk.live(1)
        broken = Desk(store, {**DOWN, "sql": "SELECT x FROM nowhere"})
        broken.fetcher.answers, broken.clock.now = desk.fetcher.answers, desk.clock.now
        await broken.live(1)
        desk.clock.forward(hours=1)
        await desk.live(1)
        assert [one.phase for one in (*desk.told, *broken.told)] == ["start", "once"]


class TestSilence:
    async def test_hours_without_news_are_told_and_so_is_their_end(self, store: Store) -> None:
        desk = await Desk(store, {**STREAM, "no_items": "4h"}).open()
        await desk.news()
        await desk.live(3)
        assert desk.told == []
        await desk.live(3)
        assert headlines(desk.screen) == ["No news for 4 hours: nothing new from any feed since Mon 15:00"]
        await desk.news()
        assert headlines(desk.screen)[1:] == ["News flows again, after 7 hours"]
        assert desk.screen.deliveries[1].thread == ("message 1",)

    async def test_after_a_sleep_of_days_nothing_is_told_before_the_feeds_were_asked(self, store: Store) -> None:
        desk = await Desk(store, STREAM).open()
        await desk.news()
        await desk.pass_hours(72)
        assert desk.told == []
        await desk.news()
        assert desk.told == []

    async def test_a_channel_that_takes_nothing_for_an_hour_is_told_through_the_other_one(self, store: Store) -> None:
        desk = await Desk(store, MATCH, {"name": "stream", "rule": "silence", "channels": "1h"}).open()
        desk.screen.failures = [REFUSED] * 3
        await desk.news()
        await desk.news(0, after=HOUR / 2)
        assert [len(desk.screen.sent), len(desk.other.sent)] == [0, 1]
        await desk.news(0, after=HOUR / 2)
        assert headlines(desk.other)[1:] == ["Channel “screen” has taken no message for 60 minutes"]
        assert desk.screen.sent == []
        await desk.news(0, after=HOUR / 2)
        assert [one.kind for one in desk.told] == ["match"]
        await desk.news(0, after=HOUR / 10)
        assert headlines(desk.other)[2:] == ["Channel “screen” takes messages again, after 96 minutes"]


class TestGivenUp:
    async def test_a_delivery_that_is_given_up_is_told_through_the_others_once_a_day(self, store: Store) -> None:
        desk = await Desk(store, {**MATCH, "cooldown": "0s"}).open()
        desk.screen.failures = [GONE] * 9
        for _ in range(3):
            await desk.news()
            await desk.work()
        assert [one.alert.finding.kind for one in desk.other.deliveries] == ["match", "delivery", "match", "match"]
        assert "404 no_service: the webhook was removed" in desk.other.deliveries[1].alert.finding.explanation
        await desk.news(after=DAY)
        await desk.work()
        assert [one.alert.finding.kind for one in desk.other.deliveries][4:] == ["match", "delivery"]

    async def test_it_is_told_in_quiet_hours_too(self, store: Store) -> None:
        desk = await Desk(store, {**MATCH, "severity": "critical"}, quiet=["00:00-24:00"]).open()
        desk.screen.failures = [GONE]
        await desk.news()
        await desk.work()
        assert [one.alert.finding.kind for one in desk.other.deliveries] == ["match", "delivery"]

    async def test_a_notice_that_is_given_up_too_leads_to_no_other_one(self, store: Store) -> None:
        desk = await Desk(store, MATCH).open()
        desk.screen.failures, desk.other.failures = [GONE] * 9, [GONE] * 9
        await desk.news()
        for _ in range(5):
            await desk.pass_hours(1)
        kinds = desk.rows("SELECT kind, count(*) FROM alerts GROUP BY kind ORDER BY kind")
        assert kinds == [("delivery", 2), ("match", 1)]
        assert desk.rows("SELECT count(*) FROM deliveries WHERE state <> 'failed'") == [(0,)]

    async def test_who_took_a_message_gets_it_no_second_time(self, store: Store) -> None:
        desk = await Desk(store, {**MATCH, "cooldown": "0s"}).open()
        desk.screen.failures = [ChannelError("450 try later: b@x.org", reached=("a@x.org",))]
        await desk.news(2)
        assert len(desk.screen.sent) == 1  # a server that takes some recipients is well enough for the next message
        await desk.pass_hours(1)
        assert [one.reached for one in desk.screen.deliveries] == [(), ("a@x.org",)]


class TestDigests:
    async def test_it_comes_at_its_local_time_and_once(self, store: Store) -> None:
        desk = await Desk(store, MORNING).open()
        await desk.news(3)
        desk.clock.now = NOW.replace(day=24, hour=6, minute=59)
        await desk.work()
        assert desk.told == []
        desk.clock.forward(minutes=1)
        for _ in range(5):
            await desk.work()
            desk.clock.forward(hours=1)
        assert [one.kind for one in desk.told] == ["digest"]

    async def test_one_that_was_missed_while_the_monitor_was_down_comes_afterwards_and_once(self, store: Store) -> None:
        desk = await Desk(store, MORNING).open()
        await desk.news(3)
        desk.clock.now = NOW.replace(day=26, hour=12)
        for _ in range(3):
            await desk.work()
        assert [one.key for one in desk.told] == ["morning:digest:2026-11-26T07:00:00+00:00"]

    async def test_it_lists_what_was_silenced_and_muted(self, store: Store) -> None:
        desk = await Desk(store, MORNING, MATCH).open()
        await store.add_silence("every", None, NOW + DAY, "", NOW)
        await desk.news()
        desk.clock.now = NOW.replace(day=24, hour=7)
        await desk.work()
        assert [len(one.carries) for one in desk.told] == [1]
        assert desk.states() == {"carried": 1, "told": 1}


class TestReminders:
    async def test_what_lasts_is_told_again_until_somebody_acknowledges_it(self, store: Store) -> None:
        desk = await Desk(store, TROUBLE, tags=False).open()
        desk.fetcher.answers = {"Desk": lambda: FAILED}
        await desk.live(14)
        first = "Feed “Desk” has failed since Mon 15:00"
        assert headlines(desk.screen) == [first, f"Still: {first}", f"Still: {first}"]
        assert [one.thread for one in desk.screen.deliveries][1:] == [("message 1",), ("message 1", "message 2")]
        (last,) = desk.rows("SELECT max(id) FROM alerts")
        assert await store.acknowledge(last[0], "known", desk.clock.now)
        await desk.live(24)
        assert len(desk.told) == 3
        desk.fetcher.answers = {}
        await desk.live(1)
        assert headlines(desk.screen)[3:] == ["Feed “Desk” works again"]
