"""What hubs have pushed and nobody has read yet: a short queue in memory, emptied one push at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from monitor.websub.limits import Limits
from storage.feed_records import Feed

Receive = Callable[[Feed, bytes, Mapping[str, str]], Awaitable[int]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Push:
    """One document that a hub sent for a feed, its signature verified. ``headers`` have names in lower case."""

    feed: Feed
    body: bytes
    headers: Mapping[str, str]


class Inbox:
    """Holds pushes until ``receive`` has taken them. What is lost in a crash, the next poll of the feed brings."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._limits = limits
        self._waiting: asyncio.Queue[Push] = asyncio.Queue()
        self._bytes = 0

    def put(self, push: Push) -> bool:
        """Take a push into the queue; False when there is no room for it."""
        full = self._waiting.qsize() >= self._limits.pushes
        if full or self._bytes + len(push.body) > self._limits.pushed_bytes:
            return False
        self._bytes += len(push.body)
        self._waiting.put_nowait(push)
        return True

    async def work(self) -> None:
        """Hand over one push after the other, until cancelled."""
        while True:
            push = await self._waiting.get()
            try:
                await self._receive(push.feed, push.body, push.headers)
            except Exception:
                log.exception("websub.fault", feed=push.feed.name)
            finally:
                self._bytes -= len(push.body)
