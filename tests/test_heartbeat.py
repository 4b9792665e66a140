"""The ping to somebody else's server: when it goes out, and when it is kept back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from monitor.config import Config, load
from monitor.daemon import STUCK, Daemon
from monitor.errors import ConfigError
from monitor.heartbeat import RETRY, Heartbeat, HeartbeatSettings
from storage.alert_records import Retry
from storage.feed_records import Fetched
from storage.store import Store
from tests.builders import NOW, finding, raised
from tests.fakes import CONFIG, Clock, FakeFetcher, FakeParser, system
from tests.websub.conftest import Log, until

URL = "https://ping.example/secret"
EVERY = timedelta(minutes=5)


@dataclass
class Switch(FakeFetcher):
    """Somebody else's server: answers with a status, or not at all (0)."""

    status: int = 200
    pings: list[datetime] = field(default_factory=list)

    async def get(self, url: str, now: datetime) -> Fetched:
        assert url == URL
        self.pings.append(now)
        error = None if self.status == 200 else f"HTTP {self.status}"
        return Fetched(now, 0.1, self.status or None, error=error)


@pytest.fixture
def log() -> Iterator[Log]:
    """Keep what is logged."""
    with capture_logs() as lines:
        yield lines


class TestPinging:
    async def ping(self, switch: Switch, clock: Clock, heart: Heartbeat, *, minutes: float) -> int:
        """Let the daemon try every ten seconds; return how many pings went out."""
        before = len(switch.pings)
        for _ in range(round(minutes * 6)):
            await heart.beat()
            clock.forward(seconds=10)
        return len(switch.pings) - before

    def heart(self, switch: Switch, clock: Clock) -> Heartbeat:
        return Heartbeat(URL, EVERY, switch, clock)  # type: ignore[arg-type]

    async def test_it_goes_out_once_in_its_time(self, log: Log) -> None:
        switch, clock = Switch(), Clock()
        assert await self.ping(switch, clock, self.heart(switch, clock), minutes=15) == 3
        assert log == []

    async def test_a_failure_and_the_recovery_are_logged_once(self, log: Log) -> None:
        switch, clock = Switch(status=503), Clock()
        heart = self.heart(switch, clock)
        await self.ping(switch, clock, heart, minutes=10)
        switch.status = 200
        await self.ping(switch, clock, heart, minutes=10)
        assert [line["event"] for line in log] == ["heartbeat.failed", "heartbeat.recovered"]
        assert log[0]["error"] == "HTTP 503"

    async def test_a_ping_that_failed_is_repeated_soon_so_that_nobody_is_alarmed(self, log: Log) -> None:
        switch, clock = Switch(status=0), Clock()
        heart = self.heart(switch, clock)
        assert await self.ping(switch, clock, heart, minutes=0.5) == 1
        switch.status = 200
        assert await self.ping(switch, clock, heart, minutes=5) == 1
        assert switch.pings == [NOW, NOW + RETRY]

    async def test_any_answer_that_takes_it_will_do(self, log: Log) -> None:
        switch, clock = Switch(status=202), Clock()
        assert await self.ping(switch, clock, self.heart(switch, clock), minutes=10) == 2
        assert log == []

    async def test_a_clock_that_was_set_back_does_not_stop_it(self, log: Log) -> None:
        switch, clock = Switch(), Clock()
        heart = self.heart(switch, clock)
        await heart.beat()
        clock.now -= timedelta(days=1)
        await heart.beat()
        assert len(switch.pings) == 2


class Running:
    """A daemon with a heartbeat, whose steps the test lets run one by one."""

    def __init__(self, store: Store) -> None:
        self.switch, self.clock = Switch(), Clock()
        config = Config.model_validate({**CONFIG, "alerts": [], "heartbeat": URL})
        parts = system(store, config=config, fetcher=self.switch, parser=FakeParser(), now=self.clock)
        self.daemon = Daemon(parts, lambda: config, patience=0.05)

    async def steps(self, *names: str) -> None:
        """Let steps come to their end, at the present moment."""
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "poll": self.daemon._poll,
            "process": self.daemon._process,
            "deliver": self.daemon._deliver,
        }
        for name in names:
            bell = asyncio.Event()
            bell.set()
            task = asyncio.create_task(self.daemon._answer(bell, steps[name]))
            await until(lambda name=name: self.daemon._well.get(f"_{name}") == self.clock.now)  # type: ignore[misc]
            task.cancel()

    async def beats(self) -> bool:
        before = len(self.switch.pings)
        await self.daemon._beat()
        return len(self.switch.pings) > before


class TestKeptBack:
    async def test_it_waits_until_every_step_has_worked(self, store: Store) -> None:
        running = Running(store)
        beats = []
        for name in ("poll", "process", "deliver"):
            beats.append(await running.beats())
            await running.steps(name)
        assert [*beats, await running.beats()] == [False, False, False, True]

    @pytest.mark.parametrize("stuck", ["poll", "process", "deliver"])
    async def test_it_is_kept_back_while_a_step_does_not_come_to_an_end(self, store: Store, stuck: str) -> None:
        running = Running(store)
        await running.steps("poll", "process", "deliver")
        running.clock.now += STUCK
        await running.steps(*{"poll", "process", "deliver"} - {stuck})
        assert not await running.beats()
        await running.steps(stuck)
        assert await running.beats()

    async def test_it_is_kept_back_while_a_step_fails(self, store: Store, log: Log) -> None:
        running = Running(store)
        await running.steps("poll", "process", "deliver")
        running.clock.now += STUCK
        await running.steps("poll", "deliver")

        async def _process() -> None:
            raise ZeroDivisionError

        bell = asyncio.Event()
        bell.set()
        failing = asyncio.create_task(running.daemon._answer(bell, _process))
        await until(lambda: any(line["event"] == "daemon.step_failed" for line in log))
        assert not await running.beats()
        failing.cancel()

    async def test_it_is_kept_back_while_no_channel_takes_messages(self, store: Store) -> None:
        running = Running(store)
        await running.steps("poll", "process", "deliver")
        await store.save_judgement([], raised(finding("key", "screen", "other")), [], 0, NOW)
        for channel, beats in (("screen", True), ("other", False)):
            (failed,) = await store.due_deliveries(channel, NOW, 1)
            await store.mark_failed(failed, Retry(NOW + timedelta(hours=1), "refused"), NOW)
            running.clock.forward(minutes=5)
            assert await running.beats() is beats

    async def test_without_an_address_there_is_none(self, store: Store) -> None:
        running = Daemon(system(store), lambda: Config.model_validate(CONFIG))
        await running._beat()
        assert running._heart is None


class TestSettings:
    @pytest.mark.parametrize(
        ("block", "settings"),
        [
            pytest.param(URL, {"url": URL}, id="the address alone"),
            pytest.param({"url": URL, "every": "1m"}, {"url": URL, "every": timedelta(minutes=1)}, id="a block"),
            pytest.param({"url_env": "PING"}, {"url_env": "PING"}, id="a secret address"),
        ],
    )
    def test_where_it_goes(self, block: object, settings: dict[str, Any]) -> None:
        found = HeartbeatSettings.model_validate(block)
        assert {name: getattr(found, name) for name in settings} == settings

    @pytest.mark.parametrize(
        "block",
        [
            pytest.param({}, id="no address"),
            pytest.param({"url": URL, "url_env": "PING"}, id="two addresses"),
            pytest.param("ping.example", id="half an address"),
            pytest.param({"url": URL, "every": "1s"}, id="too often"),
            pytest.param({"url": URL, "evry": "1m"}, id="a misspelt key"),
        ],
    )
    def test_what_is_refused(self, block: object) -> None:
        with pytest.raises(ValidationError):
            HeartbeatSettings.model_validate(block)

    def test_a_secret_address_that_is_not_set_is_named(self, tmp_path: Any) -> None:
        path = tmp_path / "feeds.yaml"
        path.write_text("heartbeat: {url_env: PING}\nfeeds: [{name: Wire, url: 'https://wire.example/'}]\n")
        with pytest.raises(ConfigError, match=r"heartbeat\.url_env: set the environment variable PING"):
            load(path, ("efficiency",), need_secrets=True, environ={})
