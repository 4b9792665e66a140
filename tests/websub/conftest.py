"""Fixtures of push: a hub, and a desk that is subscribed there."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor.feeds.fetch import Fetcher
from monitor.feeds.limits import FetchSettings
from monitor.websub.limits import Limits
from monitor.websub.settings import WebSubSettings
from monitor.websub.subscriber import Subscriber
from monitor.websub.websub import WebSub
from storage.feed_records import Feed, Hints, Subscription
from storage.store import Store
from tests.builders import feed_in, poll
from tests.fakes import Clock
from tests.websub.hub import Hub, hub_on_loopback

Log = list[MutableMapping[str, Any]]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; a test fails when it does not within seconds."""
    async with asyncio.timeout(8):
        while not holds():  # noqa: ASYNC110 - what holds may be anything
            await asyncio.sleep(0.01)


@dataclass
class Desk:
    """A monitor as far as push goes: a real store, server and fetcher, and a receive that only keeps what it gets.

    ``open`` is cleared to let it hang.
    """

    store: Store
    hub: Hub
    fetcher: Fetcher
    settings: WebSubSettings
    clock: Clock = field(default_factory=Clock)
    received: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.open.set()
        self.websub = WebSub(self.settings, self.store, self.fetcher, self._receive, self.clock, limits=self.limits)

    @property
    def subscriber(self) -> Subscriber:
        return self.websub._subscriber

    async def _receive(self, feed: Feed, body: bytes, headers: Mapping[str, str]) -> int:
        await self.open.wait()
        if self.fault:
            raise self.fault
        self.received.append((feed.name, body, headers))
        return 1

    async def feed(self, name: str = "Wire", hub: str | None = "", topic: str | None = None) -> Feed:
        """Add a feed whose last document advertised the hub."""
        feed = await feed_in(self.store, name)
        await self.hints(feed, hub, topic or feed.url)
        return feed

    async def hints(self, feed: Feed, hub: str | None = "", topic: str | None = None) -> None:
        """Let a poll of a feed find that it advertises a hub (the test's own, if empty)."""
        hints = Hints(hub=self.hub.url if hub == "" else hub, topic=topic)
        await self.store.save_poll(replace(poll(feed), hints=hints), self.clock.now)

    async def subscription(self, name: str = "Wire") -> Subscription:
        """Return what is stored of a feed's subscription."""
        feeds = {feed.id: feed.name for feed in await self.store.all_feeds()}
        return next(one for one in await self.store.subscriptions() if feeds[one.feed_id] == name)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Run until the end of the block."""
        task = asyncio.create_task(self.websub.run())
        try:
            await until(self._listens)
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(self.settings.place) == 0

    @asynccontextmanager
    async def subscribed(self, *names: str) -> AsyncIterator[list[dict[str, str]]]:
        """Run, subscribed to these feeds (Wire, if none is named); gives what the hub was asked for."""
        for name in names or ("Wire",):
            await self.feed(name)
        async with self.at_work():
            await until(lambda: len(self.hub.replies) == (len(names) or 1))
            yield self.hub.asked

    @property
    def callback(self) -> str:
        """A callback address that is nobody's."""
        return f"{self.settings.public_url}/0123-4567"


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    """Run a hub on loopback."""
    async with hub_on_loopback() as running:
        yield running


@pytest.fixture
async def desk(store: Store, hub: Hub) -> AsyncIterator[Desk]:
    """Build a desk that has no feeds yet and does not run."""
    fetcher = Fetcher(FetchSettings(allow=("127.0.0.1",), timeout=timedelta(seconds=1)), "test")
    listen = f"127.0.0.1:{_free_port()}"
    yield Desk(store, hub, fetcher, WebSubSettings(public_url=f"http://{listen}/push", listen=listen))
    await fetcher.aclose()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def log() -> Iterator[Log]:
    """Keep what is logged."""
    with capture_logs() as lines:
        yield lines
