"""Parts of the daemon that a whole process is too slow a test for."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor import logs, wiring
from monitor.alerts.rules.query import QueryRule, asked
from monitor.config import Config
from monitor.daemon import OFFLINE_PAUSE, PROCESS_SECONDS, Daemon
from monitor.errors import ConfigError
from monitor.feeds.fetch import Fetcher
from monitor.feeds.worker import ParseWorker
from monitor.websub.protocol import new_token
from storage import reading
from storage.alert_records import Delivery, Raised, Sent
from storage.errors import DatabaseBusy
from storage.feed_records import Feed, Fetched, Hints, NextPoll, Poll, Subscription
from storage.store import Store
from tests.builders import NOW, entry, feed_in, feed_now, finding, past_first_answer, poll
from tests.fakes import CONFIG, Clock, FakeChannel, FakeFetcher, FakeParser, system
from tests.feeds.server import ok, serving
from tests.websub.conftest import Log, until
from tests.websub.hub import say, sign

HOUR = timedelta(hours=1)


async def test_what_a_rule_began_that_has_left_the_configuration_is_ended(store: Store) -> None:
    renamed = replace(finding("t"), rule="renamed", phase="start")
    await store.save_judgement([], [Raised(renamed)], [], 0, NOW)
    await wiring.take_up(system(store))
    assert reading.ask(store.path, "SELECT state, phase FROM alerts").rows == [("told", "start"), ("muted", "end")]


class HangingChannel(FakeChannel):
    """Never answers."""

    async def send(self, delivery: Delivery) -> Sent:
        await asyncio.sleep(3600)
        return Sent()


def test_what_a_rule_asks_every_minute_is_not_asked_every_other_minute() -> None:
    rule = QueryRule(name="q", rule="query", sql="SELECT 1", every=timedelta(minutes=1))
    ticks = [NOW + n * timedelta(seconds=PROCESS_SECONDS, milliseconds=-1) for n in range(1, 9)]
    assert next(tick for tick in ticks if asked(rule, NOW, tick)) - NOW < timedelta(seconds=90)


@dataclass
class SlowFetcher(FakeFetcher):
    """Keeps the requests of some feeds waiting until it is told to answer."""

    slow: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    answers_now: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, feed: Feed, now: datetime) -> Fetched:
        self.asked.append(feed.name)
        if feed.name in self.slow:
            await self.answers_now.wait()
        return await super().fetch(feed, now)


class LockedStore(Store):
    """Cannot store polls."""

    async def save_poll(self, _poll: Poll, _now: datetime) -> int:
        raise DatabaseBusy("locked")


def daemon(store: Store, **parts: object) -> Daemon:
    return Daemon(system(store, **parts), lambda: Config.model_validate(CONFIG), patience=0.05)


def titles(store: Store) -> list[str]:
    return [title for (title,) in reading.ask(store.path, "SELECT title FROM items ORDER BY id").rows]


@pytest.fixture
def log() -> Iterator[Log]:
    """Keep what is logged."""
    with capture_logs() as lines:
        yield lines


def events(log: Log) -> list[str]:
    return [str(line["event"]) for line in log]


async def test_a_channel_that_hangs_does_not_delay_the_others(store: Store) -> None:
    good, hanging = FakeChannel(), HangingChannel()
    running = daemon(store, channels={"bad": hanging, "good": good})
    for number in range(2):
        await store.save_judgement([], [Raised(finding(f"key {number}", "bad", "good"))], [], 0, NOW)
        await running._deliver()
        await asyncio.wait([running._sending["good"]], timeout=5)
    assert len(good.sent) == 2
    for task in running._sending.values():
        task.cancel()


class TestRounds:
    async def test_a_slow_feed_does_not_delay_one_that_falls_due_meanwhile(self, store: Store) -> None:
        fetcher = SlowFetcher(slow={"Wire"})
        running = daemon(store, fetcher=fetcher, parser=FakeParser({"Wire": [entry("Slow")], "Desk": [entry("Due")]}))
        await feed_in(store, "Wire")
        await running._poll()
        await feed_in(store, "Desk")
        await running._poll()
        assert (fetcher.asked, titles(store)) == (["Wire", "Desk"], ["Due"])
        fetcher.answers_now.set()
        await running._poll()
        assert titles(store) == ["Due", "Slow"]
        assert running._rounds == {}

    async def test_a_step_is_done_without_its_bell_where_the_clock_was_set_back_and_no_timer_rings(
        self, store: Store
    ) -> None:
        running, done = daemon(store), asyncio.Event()

        async def step() -> None:
            done.set()

        waiting = asyncio.create_task(running._answer(asyncio.Event(), step, longest_wait=0.01))
        await asyncio.wait_for(done.wait(), 5)
        waiting.cancel()

    async def test_what_a_round_brings_is_processed_at_once(self, store: Store) -> None:
        running = daemon(store, parser=FakeParser({"Wire": [entry("News")], "Desk": []}))
        await feed_in(store, "Wire")
        await running._poll()
        assert running.bells.process.is_set()

    async def test_a_poll_that_changes_nothing_wakes_nobody(self, store: Store) -> None:
        fetcher = FakeFetcher({"Wire": lambda: Fetched(NOW, 0.1, 304)})
        running = daemon(store, fetcher=fetcher, now=Clock(NOW + HOUR))
        await past_first_answer(store, await feed_in(store, "Wire"))
        await running._poll()
        assert fetcher.count == 1
        assert not running.bells.process.is_set()

    async def test_one_that_begins_to_fail_wakes_the_alert_rules(self, store: Store) -> None:
        fetcher = FakeFetcher({"Wire": lambda: Fetched(NOW, 0.1, 404, error="HTTP 404")})
        running = daemon(store, fetcher=fetcher, now=Clock(NOW + HOUR))
        await past_first_answer(store, await feed_in(store, "Wire"))
        await running._poll()
        assert running.bells.process.is_set()


class Noted(Daemon):
    """Notes how long it would pause after an error, and stops after so many."""

    def __init__(self, *parts: Any, most: int) -> None:
        super().__init__(*parts)
        self.pauses: list[float] = []
        self.most = most

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.bells.poll.set()
        if len(self.pauses) == self.most:
            self.bells.stop.set()


class TestADatabaseThatFails:
    async def test_it_ends_the_round_and_is_tried_again_ever_more_seldom(self, tmp_path: Path, log: Log) -> None:
        with LockedStore(tmp_path / "locked.db") as store:
            await feed_in(store)
            running = Noted(system(store, parser=FakeParser({"Wire": []})), lambda: None, most=8)
            running.bells.poll.set()
            await running._answer(running.bells.poll, running._poll)
        assert running.pauses == [10, 20, 40, 80, 160, 320, 600, 600]
        assert events(log) == ["daemon.step_failed"] * 8
        assert {line["step"] for line in log} == {"poll"}
        assert running._rounds == {}

    async def test_after_a_success_the_next_failure_is_a_first_one(self, store: Store, log: Log) -> None:
        running = Noted(system(store), lambda: None, most=3)
        outcomes = iter([DatabaseBusy("locked"), DatabaseBusy("locked"), None, DatabaseBusy("locked")])

        async def step() -> None:
            running.bells.poll.set()
            if error := next(outcomes):
                raise error

        running.bells.poll.set()
        await running._answer(running.bells.poll, step)
        assert running.pauses == [10, 20, 10]

    async def test_a_pause_ends_when_the_daemon_is_told_to_stop(self, store: Store) -> None:
        running = daemon(store)
        pausing = asyncio.create_task(running._pause(600))
        running.bells.stop.set()
        await asyncio.wait_for(pausing, 1)

    async def test_two_rounds_that_fail_together_are_one_failure(self, tmp_path: Path) -> None:
        forgotten: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: forgotten.append(context))
        with LockedStore(tmp_path / "locked.db") as store:
            fetcher = SlowFetcher(slow={"Wire", "Desk"})
            running = daemon(store, fetcher=fetcher, parser=FakeParser({"Wire": [], "Desk": []}))
            for name in ("Wire", "Desk"):
                await feed_in(store, name)
                await running._poll()
            fetcher.answers_now.set()
            with pytest.raises(DatabaseBusy):
                await running._poll()
        gc.collect()
        assert (running._rounds, forgotten) == ({}, [])


class TestOffline:
    async def polled(self, running: Daemon, store: Store, name: str, *, answered: bool) -> None:
        feed = await feed_in(store, name)
        now = running.system.now()
        outcome = Fetched(now, 0.1, 200) if answered else Fetched(now, 0.1, error="no route")
        running._polled(Poll(feed, outcome, NextPoll(NOW)), 0)
        await running._heed_the_network()

    async def unreached(self, running: Daemon, name: str, clock: Clock) -> None:
        """Let a feed fail now, to be asked again in hours."""
        failed = poll(await feed_in(running.system.store, name), error="no route")
        fetched = replace(failed.fetched, status=None, trouble="network")
        failed = replace(failed, fetched=fetched, next=replace(failed.next, at=clock.now + 5 * HOUR))
        await running.system.store.save_poll(failed, clock.now)
        running._polled(failed, 0)

    async def test_one_dead_feed_among_others_is_not_offline(self, store: Store, log: Log) -> None:
        running = daemon(store)
        await self.polled(running, store, "Alive", answered=True)
        await self.polled(running, store, "Dead", answered=False)
        assert log == []

    async def test_an_answer_of_hours_ago_does_not_speak_for_the_network(self, store: Store, log: Log) -> None:
        clock = Clock(NOW - 5 * HOUR)
        running = daemon(store, now=clock)
        answered = replace(poll(await feed_in(store, "Daily")), fetched=Fetched(clock.now, 0.1, 200))
        running._polled(answered, 0)
        clock.forward(hours=5)
        for name in ("Wire", "Desk", "Lab"):
            await self.unreached(running, name, clock)
            await running._heed_the_network()
        assert events(log) == ["daemon.offline"]

    async def test_it_is_told_once_and_taken_back(self, store: Store, log: Log) -> None:
        running = daemon(store)
        for answered in (False, False, True):
            await self.polled(running, store, "Wire", answered=answered)
        assert events(log) == ["daemon.offline", "daemon.online"]

    async def test_a_reload_meanwhile_does_not_say_that_the_network_is_back(self, store: Store, log: Log) -> None:
        async with configured(store, feeds=[]) as running:
            await self.polled(running, store, "Wire", answered=False)
            await running.reconfigure()
            await running._heed_the_network()
        assert "daemon.offline" in events(log)
        assert "daemon.online" not in events(log)

    async def test_while_it_lasts_one_feed_is_tried_every_five_minutes(self, store: Store) -> None:
        clock = Clock()
        running = daemon(store, now=clock)
        for name in ("Wire", "Desk"):
            await self.unreached(running, name, clock)
            clock.forward(minutes=1)
        due = []
        for _ in range(9):
            await running._heed_the_network()
            due.append([feed.name for feed in await store.due_feeds(clock.now)])
            for name in due[-1]:
                await self.unreached(running, name, clock)
            clock.now += OFFLINE_PAUSE / 4
        # The one that was asked longest ago.
        assert due == [[], [], [], [], ["Wire"], [], [], [], ["Desk"]]

    async def test_when_the_network_is_back_all_are_asked_that_were_not_reached(self, store: Store) -> None:
        clock = Clock()
        running = daemon(store, now=clock)
        for name in ("Wire", "Desk", "Lab"):
            await self.unreached(running, name, clock)
        await running._heed_the_network()
        answered = replace(poll(await feed_now(store, "Lab")), next=NextPoll(clock.now + HOUR))
        await store.save_poll(answered, clock.now)
        running._polled(answered, 0)
        await running._heed_the_network()
        assert {feed.name for feed in await store.due_feeds(clock.now)} == {"Wire", "Desk"}


@asynccontextmanager
async def configured(store: Store, **blocks: object) -> AsyncIterator[Daemon]:
    """Build a daemon with real parts, except for its classifier until it reloads; ``blocks`` are of feeds.yaml."""

    def config() -> Config:
        return Config.model_validate({"channels": {"screen": {"type": "console"}}, "alerts": [], **blocks})

    fetcher = Fetcher(config().fetch, "test")
    parts = system(store, config=config(), fetcher=fetcher, parser=ParseWorker(), now=wiring.utc_now)
    await wiring.take_up(parts)
    running = Daemon(parts, config, patience=0.05)
    try:
        yield running
    finally:
        await running._stop_listening()
        await running._cut_rounds()
        await wiring.close(running.system)


def rss(title: str) -> bytes:
    return f"<rss version='2.0'><channel><item><title>{title}</title></item></channel></rss>".encode()


async def silent(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


class TestReloading:
    @pytest.mark.parametrize("fault", [ConfigError("feeds.yaml:1:1: wrong"), KeyError("odd")])
    async def test_one_that_fails_in_any_way_keeps_the_old_configuration(
        self, store: Store, log: Log, fault: Exception
    ) -> None:
        def broken() -> Config:
            raise fault

        running = Daemon(system(store), broken)
        before = running.system
        await running.reconfigure()
        assert running.system is before
        assert log[0]["event"] == "config.rejected"

    async def test_a_database_cannot_be_exchanged_while_running(self, store: Store, log: Log) -> None:
        running = Daemon(system(store), lambda: Config.model_validate({**CONFIG, "database": "other.db"}))
        await running.reconfigure()
        assert "`database` cannot change" in str(log[0]["problems"])

    async def test_it_cuts_the_polls_under_way_and_the_next_round_brings_what_they_would_have(
        self, store: Store, log: Log
    ) -> None:
        async with serving() as site:
            site.pages["/feed"] = silent
            feeds = [{"name": "Wire", "url": site.url()}]
            async with configured(store, feeds=feeds, fetch={"allow": [site.place]}) as running:
                await running._poll()
                before = running.system
                site.pages["/feed"] = ok(
                    b"<rss version='2.0'><channel><item><title>News</title></item></channel></rss>"
                )
                await running.reconfigure()
                assert running._rounds == {}
                await running._poll()
                await until(lambda: titles(store) == ["News"])
        assert running.system is not before
        assert len(site.asked) == 2
        assert {"config.rejected", "feed.failed"}.isdisjoint(events(log))


@pytest.fixture
def ports() -> list[int]:
    """Find two free ports."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    numbers = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return numbers


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def websub(port: int) -> Mapping[str, str]:
    return {"public_url": f"http://127.0.0.1:{port}/push", "listen": f"127.0.0.1:{port}"}


class TestHubs:
    async def test_what_a_hub_pushes_is_stored_and_processed_at_once(self, store: Store, ports: list[int]) -> None:
        feeds = [{"name": "Wire", "url": "https://wire.example/feed"}]
        async with configured(store, feeds=feeds, websub=websub(ports[0])) as running:
            callback = await self.subscribed(running, f"http://127.0.0.1:{ports[0]}/push")
            running._listen_to_hubs()
            await until(lambda: listens(ports[0]))
            for title in ("News", "News", "More"):
                await say(callback, "POST", rss(title), X_Hub_Signature=sign("secret", rss(title)))
            await until(lambda: titles(store) == ["News", "More"])
            await until(running.bells.process.is_set)

    async def subscribed(self, running: Daemon, public_url: str) -> str:
        """Subscribe a feed that has answered before. Returns its callback address."""
        store, hub = running.system.store, "http://127.0.0.1:1/hub"
        feed = await feed_now(store)
        await store.save_poll(replace(poll(feed), hints=Hints(hub=hub)), NOW - 2 * HOUR)
        token, until = new_token(public_url, "0123"), running.system.now() + HOUR
        await store.save_subscription(Subscription(feed.id, hub, feed.url, token, "secret", "active", until))
        return f"{public_url}/{token}"

    async def test_a_reload_listens_where_the_new_configuration_says(self, store: Store, ports: list[int]) -> None:
        async with configured(store, feeds=[], websub=websub(ports[0])) as running:
            running._listen_to_hubs()
            await until(lambda: listens(ports[0]))
            running._reload = lambda: running.system.config.model_copy(
                update={"websub": type(running.system.config.websub).model_validate(websub(ports[1]))}
            )
            await running.reconfigure()
            await until(lambda: listens(ports[1]))
            assert not listens(ports[0])


@pytest.fixture
def garbage() -> Iterator[None]:
    """Undo afterwards what a daemon that runs does to the garbage collector."""
    usual = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("garbage")
class TestStopping:
    async def test_polls_and_the_server_for_hubs_end_at_once_whatever_they_wait_for(
        self, store: Store, ports: list[int], log: Log
    ) -> None:
        async with serving() as site:
            site.pages["/feed"] = silent
            feeds = [{"name": "Wire", "url": site.url()}]
            blocks = {"feeds": feeds, "fetch": {"allow": [site.place]}, "websub": websub(ports[0])}
            async with configured(store, **blocks) as running:
                task = asyncio.create_task(running.run())
                await until(lambda: bool(site.asked) and listens(ports[0]))
                running.bells.stop.set()
                await asyncio.wait_for(task, 5)
                assert not listens(ports[0])
                assert [feed.name for feed in await store.due_feeds(running.system.now())] == ["Wire"]
        assert events(log)[-1] == "daemon.stopped"
        assert {"feed.failed", "daemon.step_failed", "websub.fault"}.isdisjoint(events(log))

    async def test_a_reload_under_way_is_left_undone(self, store: Store, log: Log) -> None:
        async with configured(store, feeds=[]) as running:
            before = running.system
            task = asyncio.create_task(running.run())
            await until(lambda: running._listening is not None)
            running._begin_reload()
            await asyncio.sleep(0.05)
            running.bells.stop.set()
            await asyncio.wait_for(task, 5)
            assert running._reloading
            assert running._reloading.cancelled()
            assert running.system is before
        assert {"config.rejected", "config.reloaded"}.isdisjoint(events(log))


def test_a_traceback_in_the_log_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    import structlog

    def fails() -> None:
        webhook = "secret" + "-123"
        raise ValueError(len(webhook))

    logs.configure("info", "text")
    try:
        fails()
    except ValueError:
        structlog.get_logger().exception("delivery.fault")
    finally:
        structlog.reset_defaults()
    shown = capsys.readouterr().err
    assert "ValueError: 10" in shown
    assert "secret-123" not in shown
