"""Store: the transactions that the pipeline needs, one method each.

All of them run one after the other on one thread that owns the only writing connection, so the daemon's event loop
never waits for the disk, and no two writers of this process ever meet.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from sqlite_utils import Database

from storage import alerts, feeds, items, signals, stories, trends
from storage.connection import BUSY_SECONDS, open_writer, transaction, translated
from storage.migrations import migrate
from storage.records import (
    Classification,
    Coverage,
    DayCount,
    Delivery,
    Entry,
    Feed,
    FeedSpec,
    Finding,
    Item,
    Occurrence,
    Poll,
    Retry,
    Signal,
    Story,
    StoryItem,
    StoryLine,
    Trend,
)

T = TypeVar("T")


class Store:
    """The database as the pipeline sees it. Every method raises StorageError when the database cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._patience = BUSY_SECONDS
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            self._db = self._thread.submit(_open, path).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def hurry(self) -> None:
        """Wait for other writers no longer: this process is about to stop, and nothing is lost by leaving work."""
        self._patience = 0.0

    def close(self) -> None:
        """Finish the transaction under way and close the database."""
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()

    async def _do(self, work: Callable[[Database], T]) -> T:
        """Run one transaction. A caller that is cancelled meanwhile gets its cancellation after the commit."""
        job = asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.wait([job])
            raise

    def _transact(self, work: Callable[[Database], T]) -> T:
        with translated(self.path), transaction(self._db, lambda: self._patience):
            return work(self._db)

    # Feeds

    async def sync_feeds(self, specs: Sequence[FeedSpec], now: datetime) -> None:
        """Make the active feeds those of the configuration."""
        await self._do(lambda db: feeds.sync(db, specs, now))

    async def due_feeds(self, now: datetime) -> list[Feed]:
        """Return the feeds whose time has come."""
        return await self._do(lambda db: feeds.due(db, now))

    async def known_entries(self, feed_id: int, keys: Sequence[int]) -> list[Entry]:
        """Return the stored entries of a feed that share at least one key."""
        return await self._do(lambda db: feeds.known_entries(db, feed_id, keys))

    async def prune_fetches(self, before: datetime) -> None:
        """Forget polls from before then."""
        await self._do(lambda db: feeds.prune_fetches(db, before))

    async def save_poll(self, poll: Poll, now: datetime) -> int:
        """Store a poll: fetch, feed state, new entries. Returns the number of new items."""
        return await self._do(lambda db: feeds.save_poll(db, poll, now))

    # Items on their way

    async def pending(self, step: str, limit: int) -> list[Item]:
        """Return items that wait for a step."""
        return await self._do(lambda db: items.pending(db, step, limit))

    async def pending_counts(self) -> dict[str, int]:
        """Count the items that wait, per step."""
        return await self._do(items.pending_counts)

    async def save_classified(
        self, classifications: Sequence[Classification], found: Sequence[Signal], now: datetime
    ) -> None:
        """Store what the model said of a batch."""
        await self._do(lambda db: signals.save(db, classifications, found, now))

    async def stories_like(self, fingerprints: Sequence[str]) -> list[Story]:
        """Return the stories that items with these fingerprints may tell."""
        return await self._do(lambda db: stories.alike(db, fingerprints))

    async def save_stories(self, members: Sequence[StoryItem]) -> None:
        """Store which items tell which stories, and recount the days they touch."""
        await self._do(lambda db: stories.save(db, members))

    # Trends and alerts

    async def coverage(self) -> list[Coverage]:
        """Return since when each active feed's flow is known."""
        return await self._do(feeds.coverage)

    async def occurrences(self, topic: str, since: datetime) -> list[Occurrence]:
        """Return the stories of a topic, each by its first telling."""
        return await self._do(lambda db: stories.occurrences(db, topic, since))

    async def latest_trends(self) -> dict[str, Trend]:
        """Return the newest trend of every topic."""
        return await self._do(trends.latest)

    async def story_lines(self, topic: str, since: datetime, within: timedelta, limit: int) -> tuple[StoryLine, ...]:
        """Return a topic's stories since then, the strongest first."""
        return await self._do(lambda db: stories.story_lines(db, topic, since, within, limit))

    async def day_counts(self, topic: str, last: date, days: int) -> tuple[DayCount, ...]:
        """Return a topic's stories per UTC day."""
        return await self._do(lambda db: stories.day_counts(db, topic, last, days))

    async def unjudged(self, limit: int) -> list[tuple[Item, dict[str, float]]]:
        """Return items that no alert rule has looked at yet, with their topics."""
        return await self._do(lambda db: signals.unjudged(db, limit))

    async def save_judgement(
        self, looked: Sequence[Trend], findings: Sequence[Finding], item_ids: Sequence[int], now: datetime
    ) -> int:
        """Store trends, alerts and their deliveries together. Returns the number of new alerts."""
        return await self._do(lambda db: alerts.save_judgement(db, looked, findings, item_ids, now))

    # The outbox

    async def due_channels(self, now: datetime) -> list[str]:
        """Return the channels for which a delivery's next try has come."""
        return await self._do(lambda db: alerts.due_channels(db, now))

    async def due_deliveries(self, channel: str, now: datetime) -> list[Delivery]:
        """Return a channel's deliveries whose next try has come."""
        return await self._do(lambda db: alerts.due_deliveries(db, channel, now))

    async def begin_attempt(self, delivery: Delivery, fallback: Retry) -> None:
        """Count an attempt before it is made, and plan for the case that nobody comes back to tell its outcome."""
        await self._do(lambda db: alerts.begin_attempt(db, delivery, fallback))

    async def mark_sent(self, delivery: Delivery, now: datetime) -> None:
        """Record that a server took the message."""
        await self._do(lambda db: alerts.mark_sent(db, delivery, now))

    async def mark_failed(self, delivery: Delivery, retry: Retry) -> None:
        """Record a failed attempt."""
        await self._do(lambda db: alerts.mark_failed(db, delivery, retry))

    async def requeue_failed(self, since: datetime, now: datetime) -> int:
        """Give the deliveries of alerts since then that were given up a new first attempt."""
        return await self._do(lambda db: alerts.requeue_failed(db, since, now))


def _open(path: Path) -> Database:
    db = open_writer(path)
    try:
        with translated(path):
            migrate(db, path)
    except BaseException:
        db.close()
        raise
    return db
