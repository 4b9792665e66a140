"""What polling needs of a Store: feeds, what is known of them, and polls; those that wait together in one transaction.

A thousand feeds that brought nothing must not cost a thousand transactions.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from storage import entries, feed_rows, feeds, looks, polls, standing, subscriptions
from storage.errors import DatabaseBusy
from storage.feed_records import Entry, Feed, FeedHealth, FeedSpec, Poll, Subscription
from storage.writer import Writer, until_done

AT_ONCE = 2000
"""So many polls and new entries are stored in one transaction: others want to write too."""

GATHERING_SECONDS = 0.01
"""How long polls that come close upon each other are gathered, because a transaction costs more than a poll."""

Outcome: TypeAlias = int | Exception
"""How many new items a poll brought, or why it could not be stored."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A poll that waits to be stored, and who wants to hear of it."""

    poll: Poll
    now: datetime
    outcome: "asyncio.Future[int]"


class Polling(Writer):
    """The feeds of an open database. Every method raises StorageError when the database cannot be used."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._waiting: deque[Waiting] = deque()
        self._called = False  # the thread will look at what waits
        self._last_call = 0.0

    async def sync_feeds(
        self, specs: Sequence[FeedSpec], now: datetime, domain_of: Callable[[str], str] = feeds.host_of
    ) -> None:
        """Make the active feeds those of the configuration; ``domain_of`` gives an address's registered domain."""
        await self._do(lambda db: feeds.sync(db, specs, now, domain_of))

    async def due_feeds(self, now: datetime) -> list[Feed]:
        """Return the feeds whose time has come and whose domain is not closed."""
        return await self._look(lambda db: feed_rows.due(db, now))

    async def all_feeds(self) -> list[Feed]:
        """Return the feeds of the configuration."""
        return await self._look(feed_rows.active)

    async def hasten(self, now: datetime, most: int) -> None:
        """Make feeds due that could not be reached at the last poll, but not more than so many."""
        await self._do(lambda db: feed_rows.hasten(db, now, most))

    async def known_entries(self, feed_id: int, keys: Sequence[int]) -> list[Entry]:
        """Return the stored entries of a feed that share at least one key."""
        return await self._look(lambda db: entries.known_entries(db, feed_id, keys))

    async def new_since(self, feed_id: int, moment: datetime) -> int:
        """Count the items that a feed has brought since then."""
        return await self._look(lambda db: polls.new_since(db, feed_id, moment))

    async def save_push(self, push: Poll, now: datetime) -> int:
        """Store what a feed's hub brought. Returns the number of new items."""
        return await self._do(lambda db: polls.save_push(db, push, now))

    async def feed_health(self, since: datetime) -> list[FeedHealth]:
        """Return the feeds that are in trouble, and those that are well again since then."""
        return await self._look(lambda db: standing.feed_health(db, since))

    async def prune_fetches(self, before: datetime) -> None:
        """Forget polls and looks from before then."""
        while await self._do(lambda db: polls.prune(db, before)):
            pass
        await self._do(lambda db: looks.prune(db, before))

    # Hubs

    async def subscriptions(self) -> list[Subscription]:
        """Return all subscriptions at hubs."""
        return await self._look(subscriptions.all_subscriptions)

    async def save_subscription(self, subscription: Subscription) -> None:
        """Store a feed's subscription in place of the one it had."""
        await self._do(lambda db: subscriptions.save(db, subscription))

    async def remove_subscription(self, feed_id: int) -> None:
        """Forget a feed's subscription."""
        await self._do(lambda db: subscriptions.remove(db, feed_id))

    # Polls

    async def save_poll(self, poll: Poll, now: datetime) -> int:
        """Store a poll: fetch, feed state, new entries. Returns the number of new items.

        Calls that wait together are stored in one transaction, and none of them is harmed by what is wrong with another
        one. A caller that is cancelled meanwhile gets its cancellation after the commit.
        """
        waiting = Waiting(poll, now, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if not self._called:
            self._called = True
            self._call_thread()
        return await until_done(waiting.outcome)

    def _call_thread(self) -> None:
        """Have the thread store what waits: at once, but in a stream of polls only every few milliseconds."""
        loop = asyncio.get_running_loop()
        pause = max(0.0, self._last_call + GATHERING_SECONDS - loop.time())
        self._last_call = loop.time() + pause
        if pause:
            loop.call_later(pause, self._thread.submit, self._save_waiting)
        else:
            self._thread.submit(self._save_waiting)

    def _save_waiting(self) -> None:
        """On the thread: store what waits now, and say so. What comes meanwhile waits for the next call."""
        self._called = False
        for batch in _batches([self._waiting.popleft() for _ in range(len(self._waiting))]):
            outcomes = self._save_batch(batch)
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                batch[0].outcome.get_loop().call_soon_threadsafe(_tell, batch, outcomes)

    def _save_batch(self, batch: Sequence[Waiting]) -> Sequence[Outcome]:
        try:
            return self._transact(lambda db: polls.save(db, [(one.poll, one.now) for one in batch]))
        except DatabaseBusy as error:  # it is for all of them, and waiting again for each would take ever longer
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one poll, the others are stored
            return [error] if len(batch) == 1 else [self._save_batch([one])[0] for one in batch]


def _batches(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    batch: list[Waiting] = []
    size = 0
    for one in waiting:
        batch.append(one)
        size += 1 + len(one.poll.fresh)
        if size >= AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _tell(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if waiting.outcome.done():
            continue
        if isinstance(outcome, Exception):
            waiting.outcome.set_exception(outcome)
        else:
            waiting.outcome.set_result(outcome)
