"""The pipeline's steps on a real database, with fakes for the outside world."""

import asyncio
from asyncio import Semaphore
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from monitor import pipeline
from monitor.alerts.rules.feeds import FeedsRule
from monitor.config import Config
from monitor.errors import ChannelError
from monitor.signals.reading import Reading
from monitor.system import System
from storage import reading
from storage.alert_records import Delivery, Sent
from storage.errors import DatabaseBusy, StorageError
from storage.feed_records import Feed, FeedSpec, Fetched, Poll
from storage.store import Store
from tests.builders import NOW, entry, feed_in, finding, raised
from tests.fakes import CONFIG, REFUSED, Clock, FakeChannel, FakeClassifier, FakeFetcher, FakeParser, system
from tests.websub.conftest import until

DAY = timedelta(days=1)


async def round_of(world: System) -> int:
    await world.store.sync_feeds(world.config.feed_specs(), world.now())
    return await pipeline.once(world, await world.store.due_feeds(world.now() + 9 * DAY))


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return reading.ask(store.path, sql).rows


@dataclass
class TakingTurns(FakeFetcher):
    """Gives no turn at the closed hosts until they open."""

    closed: set[str] = field(default_factory=set)
    opens: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: list[str] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        host = urlsplit(url).netloc
        self.turns.append(host)
        if host in self.closed:
            self.waiting.append(host)
            try:
                await self.opens.wait()
            finally:
                self.waiting.remove(host)
        yield


@dataclass
class Crowd(FakeFetcher):
    """Counts how many requests are under way at the same time."""

    now_here: int = 0
    most: int = 0

    async def fetch(self, feed: Feed, now: datetime) -> Fetched:
        self.now_here += 1
        self.most = max(self.most, self.now_here)
        await asyncio.sleep(0.01)
        self.now_here -= 1
        return await super().fetch(feed, now)


@dataclass
class Refusing(FakeFetcher):
    """Was asked too often by the feeds of some domains."""

    domains: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, feed: Feed, now: datetime) -> Fetched:
        self.asked.append(feed.name)
        if feed.domain in self.domains:
            return Fetched(now, 0.1, 429, error="HTTP 429", trouble="blocked")
        return await super().fetch(feed, now)


class TestPolling:
    async def test_what_is_new_is_stored_tagged_and_grouped(self, store: Store) -> None:
        parser = FakeParser({"Wire": [entry("Efficiency up by half"), entry("Weather")], "Desk": []})
        assert await round_of(system(store, parser=parser)) == 2
        assert rows(store, "SELECT title, topic FROM signals_latest") == [("Efficiency up by half", "efficiency")]
        assert rows(store, "SELECT count(*) FROM stories") == [(2,)]
        assert rows(store, "SELECT count(*) FROM items WHERE pending IS NOT NULL") == [(0,)]

    async def test_the_same_entries_again_are_nothing_new(self, store: Store) -> None:
        world = system(store, parser=FakeParser({"Wire": [entry("One")], "Desk": []}))
        assert [await round_of(world), await round_of(world)] == [1, 0]

    async def test_a_failing_feed_is_recorded_and_the_other_goes_on(self, store: Store) -> None:
        fetcher = FakeFetcher({"Desk": lambda: Fetched(NOW, 1.0, 503, error="HTTP 503 Service Unavailable")})
        world = system(store, fetcher=fetcher, parser=FakeParser({"Wire": [entry("One")]}))
        assert await round_of(world) == 1
        assert rows(store, "SELECT name, status, error FROM feed_health WHERE state = 'failing'") == [
            ("Desk", 503, "HTTP 503 Service Unavailable")
        ]

    async def test_a_document_that_is_no_feed_is_recorded(self, store: Store) -> None:
        await round_of(system(store, parser=FakeParser({"Wire": []})))
        assert rows(store, "SELECT name, error FROM feed_health WHERE error > ''") == [("Desk", "no feed")]

    async def test_a_fault_in_our_own_code_costs_only_the_feed_that_met_it(self, store: Store) -> None:
        def broken() -> Fetched:
            raise ZeroDivisionError

        fetcher = FakeFetcher({"Desk": broken})
        world = system(store, fetcher=fetcher, parser=FakeParser({"Wire": [entry("One")]}))
        assert await round_of(world) == 1
        assert rows(store, "SELECT name, error FROM feed_health WHERE error > ''") == [
            ("Desk", "unexpected ZeroDivisionError; see the log")
        ]

    async def test_an_unchanged_document_is_not_parsed_again(self, store: Store) -> None:
        same = Fetched(NOW, 0.1, 200, 10, body=b"same")
        parser = FakeParser({"Wire": [entry("One")], "Desk": []})
        world = system(store, fetcher=FakeFetcher({"Wire": lambda: same}), parser=parser)
        await round_of(world)
        parser.entries["Wire"] = [entry("One"), entry("Two")]
        assert await round_of(world) == 0

    async def test_a_database_that_fails_is_one_error_and_no_feeds_fault(self, tmp_path: Path) -> None:
        class LockedStore(Store):
            async def save_poll(self, _poll: Poll, _now: datetime) -> int:
                raise DatabaseBusy("locked")

        with LockedStore(tmp_path / "locked.db") as store, pytest.raises(DatabaseBusy):
            await round_of(system(store, parser=FakeParser({"Wire": [], "Desk": []})))

    async def test_one_poll_that_cannot_be_stored_ends_the_round_and_what_it_cut_is_still_due(
        self, tmp_path: Path
    ) -> None:
        class FullStore(Store):
            async def save_poll(self, poll: Poll, now: datetime) -> int:
                if poll.feed.name == "Desk":
                    raise StorageError("the disk is full")
                return await super().save_poll(poll, now)

        with FullStore(tmp_path / "full.db") as store:
            fetcher = TakingTurns(closed={"wire.example"})
            world = system(store, fetcher=fetcher, parser=FakeParser({"Wire": [], "Desk": []}))
            with pytest.raises(StorageError, match="the disk is full"):
                await round_of(world)
            assert [feed.name for feed in await store.due_feeds(world.now())] == ["Wire", "Desk"]
        assert fetcher.waiting == []

    async def test_a_feed_that_waits_for_its_hosts_turn_takes_no_slot(self, store: Store) -> None:
        fetcher = TakingTurns(closed={"wire.example"})
        parser = FakeParser({"Wire": [entry("One")], "Desk": [entry("Two")]})
        world = system(store, fetcher=fetcher, parser=parser, slots=Semaphore(1))
        polling = asyncio.create_task(round_of(world))
        await until(lambda: rows(store, "SELECT title FROM items") == [("Two",)])
        assert fetcher.waiting == ["wire.example"]
        fetcher.opens.set()
        assert await polling == 2

    async def test_feeds_of_a_domain_that_was_asked_too_often_are_asked_no_more_in_this_round(
        self, store: Store
    ) -> None:
        fetcher = Refusing(domains={"refused"})
        world = system(store, fetcher=fetcher, parser=FakeParser(), slots=Semaphore(1))
        feeds = [FeedSpec(f"Feed {n}", f"https://{n}.{'refused' if n < 4 else 'open'}.example/") for n in range(6)]
        await store.sync_feeds(feeds, world.now(), lambda url: url.split(".")[1])
        await pipeline.poll(world, await store.due_feeds(world.now()), lambda _poll, _new: None)
        assert fetcher.asked == ["Feed 0", "Feed 4", "Feed 5"]
        due = await store.due_feeds(world.now() + timedelta(hours=1))
        assert {feed.name for feed in due} >= {"Feed 1", "Feed 2", "Feed 3"}

    async def test_no_more_feeds_than_there_are_slots_are_asked_at_the_same_time(self, store: Store) -> None:
        fetcher = Crowd()
        world = system(store, fetcher=fetcher, parser=FakeParser(), slots=Semaphore(3))
        feeds = [FeedSpec(f"Feed {n}", f"https://{n}.example/") for n in range(9)]
        await store.sync_feeds(feeds, world.now())
        await pipeline.poll(world, await store.due_feeds(world.now()), lambda _poll, _new: None)
        assert (fetcher.count, fetcher.most) == (9, 3)

    async def test_a_feed_that_moved_waits_for_its_new_hosts_turn(self, store: Store) -> None:
        fetcher = TakingTurns()
        world = system(store, fetcher=fetcher, parser=FakeParser({"Wire": []}))
        feed = replace(await feed_in(store), address="https://new.example/feed")
        await pipeline.poll(world, [feed], lambda _poll, _new: None)
        assert fetcher.turns == ["new.example"]


class TestAlerting:
    async def test_a_first_answer_raises_no_alert_and_the_next_does(self, store: Store) -> None:
        parser = FakeParser({"Wire": [entry("Efficiency of old")], "Desk": []})
        world = system(store, parser=parser)
        await round_of(world)
        assert rows(store, "SELECT count(*) FROM alerts") == [(0,)]
        parser.entries["Wire"].append(entry("Efficiency news"))
        await round_of(world)
        assert rows(store, "SELECT kind, deliveries FROM alerts_history") == [("match", "other: sent, screen: sent")]

    async def test_an_item_is_judged_once_however_often_the_pipeline_runs(self, store: Store) -> None:
        parser = FakeParser({"Wire": [], "Desk": []})
        world = system(store, parser=parser)
        await round_of(world)
        parser.entries["Wire"] = [entry("Efficiency news")]
        for _ in range(3):
            await round_of(world)
        assert rows(store, "SELECT count(*) FROM alerts") == [(1,)]

    async def test_a_surge_after_weeks_of_backlog_is_one_alert_while_it_lasts(self, store: Store) -> None:
        clock = Clock(NOW.replace(microsecond=345_678))  # the database keeps whole seconds
        quiet = [entry(f"Efficiency {n}", NOW - n * DAY) for n in range(1, 42)]
        parser = FakeParser({"Wire": quiet, "Desk": []})
        screen = FakeChannel()
        world = system(store, parser=parser, now=clock, channels={"screen": screen})
        await round_of(world)
        for hour in range(6):
            clock.forward(hours=1)
            parser.entries["Wire"] = [
                *parser.entries["Wire"],
                *(entry(f"Efficiency {hour} {n}", clock.now) for n in range(5)),
            ]
            await round_of(world)
        assert rows(store, "SELECT count(*) FROM alerts WHERE kind = 'trend'") == [(1,)]
        assert len([headline for headline in screen.sent if "expected" in headline]) == 1

    async def test_what_waited_is_told_also_while_the_model_fails(self, store: Store) -> None:
        class Broken(FakeClassifier):
            def read(self, _texts: Sequence[str]) -> list[Reading]:
                raise MemoryError

        held = raised(finding("k", "screen"), state="held", until=NOW - timedelta(minutes=5))
        await store.save_judgement([], held, [], 0, NOW - DAY)
        world = system(store, parser=FakeParser({"Wire": [entry("One")], "Desk": []}), classifier=Broken())
        with pytest.raises(MemoryError):
            await round_of(world)
        assert await store.due_channels(NOW) == ["screen"]

    async def test_alerts_of_one_rule_that_cannot_be_let_out_keep_no_others_back(self, store: Store) -> None:
        odd = (replace(finding(f"odd:{n}", "screen"), rule="odd", severity="unheard of") for n in range(2))
        held = raised(*odd, finding("k", "screen"), state="held", until=NOW, why="quiet hours")
        await store.save_judgement([], held, [], 0, NOW)
        with capture_logs() as logs:
            assert await pipeline.let_out(system(store)) == 1
        assert rows(store, "SELECT state, rule FROM alerts") == [("held", "odd"), ("held", "odd"), ("told", "surge")]
        assert [(line["event"], line["rule"]) for line in logs] == [("alerts.rule_failed", "odd")]

    async def test_trends_wait_until_everything_is_counted(self, store: Store) -> None:
        world = system(store, parser=FakeParser({"Wire": [entry(f"Item {n}") for n in range(100)], "Desk": []}))
        await world.store.sync_feeds(world.config.feed_specs(), world.now())
        await pipeline.poll(world, await world.store.due_feeds(world.now()), lambda _poll, _new: None)
        await pipeline.process(world, lambda: False)
        assert rows(store, "SELECT count(*) FROM trends") == [(0,)]
        await pipeline.process(world)
        assert rows(store, "SELECT count(*) FROM trends") == [(2,)]


FAILED = Fetched(NOW, 1.0, 404, error="HTTP 404 Not Found", trouble="status")
TROUBLE = {"name": "trouble", "rule": "feeds"}


class NoTopics(FakeClassifier):
    """Looks for nothing, so that no trend is worked out: a test of other things is ten times as fast."""

    topics = ()


class TestAlertsAboutFeeds:
    """The rule `feeds`, from a failed poll to the channels."""

    def world(self, store: Store, *rules: object) -> System:
        config = Config.model_validate({**CONFIG, "alerts": [*CONFIG["alerts"], *rules]})
        parser = FakeParser({"Wire": [], "Desk": []})
        return system(store, config=config, parser=parser, classifier=NoTopics(), now=Clock())

    async def live(self, world: System, hours: int, answer: Fetched | None = None) -> None:
        """Poll every few hours, while the feed Desk answers so."""
        assert isinstance(world.fetcher, FakeFetcher)
        assert isinstance(world.now, Clock)
        world.fetcher.answers = {"Desk": lambda: answer} if answer else {}
        for _ in range(hours // 4):
            world.now.forward(hours=4)
            await round_of(world)

    def told(self, world: System) -> list[list[str]]:
        return [channel.sent for channel in world.channels.values() if isinstance(channel, FakeChannel)]

    async def test_a_feed_that_fails_for_a_day_is_told_once_and_so_is_its_recovery(self, store: Store) -> None:
        world = self.world(store, TROUBLE)
        await self.live(world, 8)
        await self.live(world, 24, FAILED)
        assert self.told(world) == [[], []]
        await self.live(world, 24, FAILED)
        failed = "Feed “Desk” has failed since Tue 02:00"
        assert self.told(world) == [[failed]] * 2
        await self.live(world, 24)
        assert self.told(world) == [[failed, "Feed “Desk” works again"]] * 2
        assert rows(store, "SELECT kind, severity FROM alerts ORDER BY id") == [("feeds", "warning"), ("feeds", "info")]

    async def test_a_feed_that_fails_again_is_told_again(self, store: Store) -> None:
        world = self.world(store, {**TROUBLE, "recovered": False})
        for _ in range(2):
            await self.live(world, 8)
            await self.live(world, 36, FAILED)
        assert [len(sent) for sent in self.told(world)] == [2, 2]

    async def test_a_short_failure_is_not_told_and_neither_is_its_end(self, store: Store) -> None:
        world = self.world(store, TROUBLE)
        for answer in (None, FAILED, None):
            await self.live(world, 20, answer)
        assert self.told(world) == [[], []]

    async def test_without_such_a_rule_nothing_is_told(self, store: Store) -> None:
        world = self.world(store)
        for answer in (None, FAILED, None):
            await self.live(world, 48, answer)
        assert self.told(world) == [[], []]

    async def test_troubles_that_are_known_take_no_place_of_a_new_one(self, store: Store) -> None:
        feeds = [{"name": f"Feed {n}", "url": f"https://{n}.example/"} for n in range(4)]
        config = Config.model_validate({**CONFIG, "feeds": feeds, "alerts": [{**TROUBLE, "after": "0s"}]})
        parser = FakeParser({feed["name"]: [] for feed in feeds})
        world = system(store, config=config, parser=parser, classifier=NoTopics(), now=Clock())
        assert isinstance(world.fetcher, FakeFetcher)
        assert isinstance(world.now, Clock)
        for failing in (0, 3, 4):
            world.fetcher.answers = {f"Feed {n}": lambda: FAILED for n in range(failing)}
            world.now.forward(hours=9)
            await round_of(world)
            await round_of(world)
        assert rows(store, "SELECT state, why FROM alerts") == [("told", "")] * 4

    async def test_a_rule_that_fails_costs_only_itself(self, store: Store) -> None:
        odd = FeedsRule.model_construct(name="odd", rule="feeds", after=DAY, states=None)  # type: ignore[arg-type]
        world = self.world(store, TROUBLE)
        alerts = (odd, *world.config.alerts)
        world = replace(world, config=world.config.model_copy(update={"alerts": alerts}))
        await self.live(world, 8)
        with capture_logs() as logs:
            await self.live(world, 44, FAILED)
        assert "Feed “Desk” has failed since Tue 02:00" in self.told(world)[0]
        assert self.told(world)[0].count("Alert rule 'odd' has failed") == 2  # on two days
        assert {line["rule"] for line in logs if line["event"] == "alerts.rule_failed"} == {"odd"}

    async def test_two_rules_tell_their_own_channels(self, store: Store) -> None:
        soon = {**TROUBLE, "name": "soon", "after": "0s", "send": ["screen"], "recovered": False}
        world = self.world(store, soon, {**TROUBLE, "send": ["other"], "feeds": ["Wire"]})
        await self.live(world, 8)
        await self.live(world, 4, FAILED)
        assert [len(sent) for sent in self.told(world)] == [1, 0]


class TestDelivering:
    async def alerted(self, store: Store, **channels: FakeChannel) -> System:
        parser = FakeParser({"Wire": [], "Desk": []})
        world = system(store, parser=parser, channels=channels)
        await round_of(world)
        parser.entries["Wire"] = [entry("Efficiency news")]
        await round_of(world)
        return world

    async def test_one_failing_channel_does_not_stop_the_other(self, store: Store) -> None:
        bad, good = FakeChannel([REFUSED]), FakeChannel()
        await self.alerted(store, bad=bad, good=good)
        assert (len(bad.sent), len(good.sent)) == (0, 1)
        assert rows(store, "SELECT channel, state, error FROM deliveries_open") == [("bad", "pending", "refused")]

    async def test_what_goes_on_with_a_message_sent_in_the_same_round_answers_it(self, store: Store) -> None:
        start = replace(finding("s", "only"), phase="start")
        end = replace(start, key="s:end", thread="s", phase="end")
        await store.save_judgement([], raised(start, end), [], 0, NOW)
        channel = FakeChannel()
        assert await pipeline.deliver(system(store, channels={"only": channel})) == 2
        assert [delivery.thread for delivery in channel.deliveries] == [(), ("message 1",)]

    async def test_a_server_that_is_unwell_is_asked_once_in_a_round(self, store: Store) -> None:
        await store.save_judgement([], raised(finding("a", "only"), finding("b", "only")), [], 0, NOW)
        channel = FakeChannel([REFUSED, REFUSED])
        assert await pipeline.deliver(system(store, channels={"only": channel})) == 0
        assert channel.failures == [REFUSED]

    async def test_a_message_that_some_recipients_took_keeps_no_others_back(self, store: Store) -> None:
        await store.save_judgement([], raised(finding("a", "only"), finding("b", "only")), [], 0, NOW)
        channel = FakeChannel([ChannelError("later", reached=("ann@example.org",))])
        assert await pipeline.deliver(system(store, channels={"only": channel})) == 1
        assert [delivery.alert.finding.key for delivery in channel.deliveries] == ["b"]

    async def test_a_failed_delivery_arrives_when_its_time_has_come(self, store: Store) -> None:
        channel = FakeChannel([REFUSED])
        world = await self.alerted(store, only=channel)
        assert await pipeline.deliver(world) == 0
        assert isinstance(world.now, Clock)
        world.now.forward(minutes=1)
        assert await pipeline.deliver(world) == 1
        assert await pipeline.deliver(world) == 0
        assert len(channel.sent) == 1

    async def test_a_refusal_for_good_is_given_up_and_shown(self, store: Store) -> None:
        await self.alerted(store, only=FakeChannel([ChannelError("no such webhook", retry=False)]))
        assert rows(store, "SELECT state, error FROM deliveries_open") == [("failed", "no such webhook")]

    async def test_a_message_whose_outcome_cannot_be_stored_is_not_sent_over_and_over(self, tmp_path: Path) -> None:
        class FullStore(Store):
            async def mark_sent(self, _delivery: Delivery, _sent: Sent, _now: datetime) -> None:
                raise StorageError("the disk is full")

        channel = FakeChannel()
        with FullStore(tmp_path / "full.db") as store:
            with pytest.raises(StorageError):
                await self.alerted(store, only=channel)
            assert await pipeline.deliver(system(store, channels={"only": channel})) == 0
        assert len(channel.sent) == 1

    async def test_a_fault_in_a_channel_loses_nothing(self, store: Store) -> None:
        await self.alerted(store, only=FakeChannel([ZeroDivisionError()]))
        assert rows(store, "SELECT state, error FROM deliveries_open") == [
            ("pending", "unexpected ZeroDivisionError; see the log")
        ]

    async def test_a_channel_that_left_the_configuration_is_named(self, store: Store) -> None:
        world = await self.alerted(store, only=FakeChannel([REFUSED]))
        later = system(store, channels={}, now=Clock(world.now() + DAY))
        await pipeline.deliver(later)
        assert rows(store, "SELECT error FROM deliveries_open") == [
            ("there is no channel 'only' in feeds.yaml any more",)
        ]


@pytest.mark.parametrize("threshold", [0.95, 0.5])
async def test_a_topics_threshold_decides_what_is_a_signal(store: Store, threshold: float) -> None:
    parser = FakeParser({"Wire": [entry("Efficiency")], "Desk": []})
    world = system(store, parser=parser, thresholds={**FakeClassifier.thresholds, "efficiency": threshold})
    await round_of(world)
    assert rows(store, "SELECT count(*) FROM signals") == [(int(threshold <= 0.9),)]
    assert rows(store, "SELECT count(*) FROM classifications") == [(2,)]
