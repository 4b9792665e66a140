"""What hubs have pushed and nobody has read yet: a short queue in memory, emptied one push at a time."""

import asyncio
from collections import Counter
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
        self._bytes = Counter[int]()  # of each feed: what waits, and what is being read
        self._spent: dict[int, float] = {}  # until when each feed has used up its time, as the event loop counts

    def put(self, push: Push) -> bool:
        """Take a push into the queue; False when there is no room for it, or when its feed pushes too often."""
        if not self._has_room(push.feed.id, len(push.body)) or not self._may_push(push.feed.id):
            return False
        self._bytes[push.feed.id] += len(push.body)
        self._waiting.put_nowait(push)
        return True

    def _has_room(self, feed: int, size: int) -> bool:
        limits, taken = self._limits, self._bytes
        full = self._waiting.qsize() >= limits.pushes or taken.total() + size > limits.pushed_bytes
        return not full and taken[feed] + size <= limits.bytes_of_one

    def _may_push(self, feed: int) -> bool:
        """Count a push of a feed, unless there were too many (the generic cell rate algorithm, ITU-T I.371)."""
        now, each = asyncio.get_running_loop().time(), self._limits.push_seconds
        spent = max(self._spent.get(feed, now), now)
        if spent - now > each * (self._limits.pushes_of_one - 1):
            return False
        self._spent[feed] = spent + each
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
                self._bytes[push.feed.id] -= len(push.body)
