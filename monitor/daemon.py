"""The daemon: APScheduler's timers and the pipeline's own events ring bells; three loops answer them.

Events are what makes it fast: a stored batch rings ``process`` at once, a raised alert rings ``deliver``. The timers
are only the fallback, for feeds that fall due, retries whose time has come, and time passing over a trend.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor import pipeline, polling, wiring
from monitor.config import Config, secret_reader
from monitor.errors import ConfigError
from monitor.feeds.reach import offline
from monitor.heartbeat import Heartbeat
from monitor.signals.opening import open_classifier
from monitor.system import System
from monitor.websub.websub import WebSub
from storage.feed_records import Feed, Fetched, Poll

POLL_SECONDS = 2
BEAT_SECONDS = 10
DELIVER_SECONDS = 5
PROCESS_SECONDS = 15
"""So late, at most, comes what waited for a time, and is asked what a rule asks every minute; it costs 10 ms."""
DRAIN_SECONDS = 7.0
LONGEST_WAIT_SECONDS = 60.0
"""After so long a step is done without its bell: the timers go by the clock, and stand still when it is set back."""
AFTER_ERROR_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
ROUND_PATIENCE_SECONDS = 5.0
STUCK = timedelta(minutes=10)
"""A step that has not come to an end for so long keeps the heartbeat back."""
OFFLINE_PAUSE = timedelta(minutes=5)
STEPS = 3  # poll, process, deliver
RECENT, FEW = timedelta(minutes=30), 3
EVERY_FEED = 1_000_000
_OFFLINE = (
    "no feed could be reached: this machine seems to be offline. It keeps trying; "
    "`make demo` (or `monitor demo`) shows the whole program without a network"
)

log = structlog.get_logger()


@dataclass(slots=True)
class Bells:
    """What wakes the loops."""

    poll: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.Event = field(default_factory=asyncio.Event)
    deliver: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def ring_all(self) -> None:
        """Wake every loop."""
        for bell in (self.poll, self.process, self.deliver):
            bell.set()


class Daemon:
    """Runs a system until it is told to stop. ``reload`` reads the configuration anew (it may raise ConfigError).

    ``patience`` is how many seconds a round of polls may take before the next one begins beside it.
    """

    def __init__(self, system: System, reload: Callable[[], Config], patience: float = ROUND_PATIENCE_SECONDS) -> None:
        self.system = system
        self.bells = Bells()
        self._reload = reload
        self._patience = patience
        self._polling = asyncio.Lock()
        self._rounds: dict[asyncio.Task[None], frozenset[int]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._reloading: asyncio.Task[None] | None = None
        self._last: dict[int, Fetched] = {}
        self._last_try: datetime | None = None  # while offline: when it began, or a feed was tried last
        self._listening: asyncio.Task[None] | None = None
        self._well: dict[str, datetime] = {}  # when each step last came to a good end
        self._heart = _heart(system)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then drain: what was begun is finished or left for the next start."""
        self._listen()
        scheduler = self._timers()
        await asyncio.to_thread(self.system.classifier.load)
        await self.system.store.hasten(self.system.now(), EVERY_FEED)  # as the network may be another one by now
        wiring.settle()
        self.bells.ring_all()
        self._listen_to_hubs()
        asking = asyncio.create_task(self._answer(self.bells.poll, self._poll), name="poll")
        loops = {
            asyncio.create_task(self._answer(self.bells.process, self._process), name="process"),
            asyncio.create_task(self._answer(self.bells.deliver, self._deliver), name="deliver"),
        }
        await self.bells.stop.wait()
        scheduler.shutdown(wait=False)
        await self._drain(asking, loops)
        await wiring.close(self.system)

    async def _drain(self, asking: asyncio.Task[None], loops: set[asyncio.Task[None]]) -> None:
        log.info("daemon.draining", seconds=DRAIN_SECONDS)
        self.system.store.hurry()
        await _cancelled(asking, self._reloading)
        await self._cut_rounds()
        await self._stop_listening()
        self.bells.ring_all()
        working = {*loops, *self._sending.values()}
        _, late = await asyncio.wait(working, timeout=DRAIN_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        log.info("daemon.stopped")

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.bells.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._begin_reload)

    def _timers(self) -> AsyncIOScheduler:
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for bell, seconds in (
            (self.bells.poll, POLL_SECONDS),
            (self.bells.process, PROCESS_SECONDS),
            (self.bells.deliver, DELIVER_SECONDS),
        ):
            scheduler.add_job(_ring, "interval", [bell], seconds=seconds)
        scheduler.add_job(self._prune, "interval", days=1)
        scheduler.add_job(self._beat, "interval", seconds=BEAT_SECONDS)
        scheduler.start()
        return scheduler

    async def _prune(self) -> None:
        await wiring.prune(self.system)

    async def _beat(self) -> None:
        """Let the heartbeat go out while every step works, and some channel takes messages."""
        now = self.system.now()
        well = len(self._well) == STEPS and all(abs(now - at) < STUCK for at in self._well.values())
        if self._heart and well and await self._can_tell(now):
            await self._heart.beat()

    async def _can_tell(self, now: datetime) -> bool:
        failing = {one.name for one in (await self.system.store.stream_health(now)).channels}
        return not self.system.channels or not failing.issuperset(self.system.channels)

    async def _answer(
        self, bell: asyncio.Event, step: Callable[[], Awaitable[None]], longest_wait: float = LONGEST_WAIT_SECONDS
    ) -> None:
        """Do a step whenever its bell rings; an error is logged and never ends the loop."""
        failures = 0
        while not self.bells.stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), longest_wait)
            bell.clear()
            try:
                await step()
                self._well[step.__name__] = self.system.now()
                failures = 0
            except Exception:
                log.exception("daemon.step_failed", step=step.__name__.lstrip("_"))
                await self._pause(min(AFTER_ERROR_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS))
                failures = min(failures + 1, 10)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.bells.stop.wait(), seconds)

    async def _poll(self) -> None:
        """Ask the feeds that are due; a round that takes long goes on beside the next ones."""
        async with self._polling:
            asked = frozenset[int]().union(*self._rounds.values())
            due = await self.system.store.due_feeds(self.system.now())
            if feeds := [feed for feed in due if feed.id not in asked]:
                task = asyncio.create_task(pipeline.poll(self.system, feeds, self._polled))
                self._rounds[task] = frozenset(feed.id for feed in feeds)
            await self._await_rounds()
        await self._heed_the_network()

    async def _await_rounds(self) -> None:
        """Wait a little for the rounds under way, and raise what ended one of them: the database is in trouble."""
        if not self._rounds:
            return
        ended, _ = await asyncio.wait(self._rounds, timeout=self._patience)
        for task in ended:
            del self._rounds[task]
        if failures := [error for task in ended if (error := task.exception())]:
            raise failures[0]

    def _listen_to_hubs(self) -> None:
        async def receive(feed: Feed, body: bytes, headers: Mapping[str, str]) -> int:
            new = await polling.receive(self.system, feed, body, headers)
            if new:
                self.bells.process.set()
            return new

        system = self.system
        hubs = WebSub(system.config.websub, system.store, system.fetcher, receive, system.now)
        self._listening = asyncio.create_task(hubs.run(), name="websub")

    async def _stop_listening(self) -> None:
        await _cancelled(self._listening)

    async def _cut_rounds(self) -> None:
        """End all rounds at once: a fetch that is cut has stored nothing, and its feed is still due."""
        rounds, self._rounds = self._rounds, {}
        await _cancelled(*rounds)

    def _polled(self, poll: Poll, new: int) -> None:
        self._last[poll.feed.id] = poll.fetched
        if new or poll.next.state != poll.feed.state:
            self.bells.process.set()

    async def _heed_the_network(self) -> None:
        """While this machine is offline, try one feed every few minutes; when it is back, ask what was not reached."""
        now = self.system.now()
        if not self._seems_offline(now):
            await self._back_online(now)
        elif self._last_try is None:
            self._last_try = now
            log.warning("daemon.offline", advice=_OFFLINE)
        elif now - self._last_try >= OFFLINE_PAUSE:
            self._last_try = now
            await self.system.store.hasten(now, 1)

    async def _back_online(self, now: datetime) -> None:
        if self._last_try is not None:
            self._last_try = None
            log.info("daemon.online")
            await self.system.store.hasten(now, EVERY_FEED)

    def _seems_offline(self, now: datetime) -> bool:
        """Judge by the last half hour: a feed that is asked once a day would speak for the network all day."""
        recent = [one for one in self._last.values() if now - one.started < RECENT]
        if self._last_try is not None:  # only an answer ends it
            return not recent or offline(recent)
        return len(recent) >= min(FEW, len(self._last)) and offline(recent)

    async def _process(self) -> None:
        def go_on() -> bool:
            self._well[self._process.__name__] = self.system.now()  # a long backlog is many good batches
            self.bells.deliver.set()
            return not self.bells.stop.is_set()

        await pipeline.process(self.system, go_on)

    async def _deliver(self) -> None:
        """Give every channel that has something due a task of its own, so that none waits for another."""
        for channel in await self.system.store.due_channels(self.system.now()):
            task = self._sending.get(channel)
            if task is None or task.done():
                self._sending[channel] = asyncio.create_task(self._deliver_to(channel))

    async def _deliver_to(self, channel: str) -> None:
        try:
            await pipeline.deliver_to(self.system, channel)
        except Exception:
            log.exception("daemon.step_failed", step="deliver", channel=channel)

    def _begin_reload(self) -> None:
        self._reloading = asyncio.create_task(self.reconfigure())

    async def reconfigure(self) -> None:
        """Take over a changed feeds.yaml; keep the old one, and say why, when the new one is bad."""
        try:
            async with self._polling:
                await self._take_over(self._reload())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new file, the daemon goes on
            problems = str(error).splitlines() or [type(error).__name__]
            log.error("config.rejected", problems=problems, advice="the old configuration stays in force")
            return
        self.bells.ring_all()
        log.info("config.reloaded", feeds=len(self.system.config.feed_specs()))

    async def _take_over(self, config: Config) -> None:
        old = self.system
        if config.database != old.config.database:
            raise ConfigError("`database` cannot change while running; restart for that")
        classifier = open_classifier(config.classifier, config.topics, await old.store.heads())
        await asyncio.to_thread(classifier.load)
        new = wiring.build(config, old.store, classifier, secret_reader())
        await self._cut_rounds()  # they still use the old connections and addresses
        await wiring.take_up(new)
        await self._stop_listening()
        self.system = new
        self._listen_to_hubs()
        self._last.clear()
        self._last_try = None
        self._heart = _heart(new)
        await wiring.close(old)


def _heart(system: System) -> Heartbeat | None:
    settings = system.config.heartbeat
    if settings is None:
        return None
    url = settings.url or secret_reader()(settings.url_env or "")
    return Heartbeat(url, settings.every, system.fetcher, system.now)


async def _cancelled(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel the tasks that there are, and wait until they have ended."""
    begun = [task for task in tasks if task is not None]
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)


async def _ring(bell: asyncio.Event) -> None:
    """Ring from the event loop: as a coroutine, so that APScheduler does not call it in a thread."""
    bell.set()
