"""Store: the transactions that the pipeline needs, one method each.

All of them run one after the other on one thread that owns the only writing connection, so the daemon's event loop
never waits for the disk, and no two writers of this process ever meet.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from sqlite_utils import Database

from storage import alerts, feeds, heads, items, labels, signals, stories, trends
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
    Head,
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

    async def _look(self, question: Callable[[Database], T]) -> T:
        """Ask one question that may take seconds, without keeping other programs from writing meanwhile."""

        def ask() -> T:
            with translated(self.path):
                return question(self._db)

        return await asyncio.get_running_loop().run_in_executor(self._thread, ask)

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

    async def save_reclassified(
        self, classifications: Sequence[Classification], found: Sequence[Signal], now: datetime
    ) -> None:
        """Store what other models say of items that were read before, and recount the days they touch."""
        await self._do(lambda db: signals.replace(db, classifications, found, now))

    async def unread(
        self, models: Mapping[str, str], since: datetime, limit: int, after: Item | None = None
    ) -> list[Item]:
        """Return items published since then that one of these models (by topic) has not read; go on after an item."""
        return await self._look(lambda db: signals.unread(db, models, since, limit, after))

    async def unread_count(self, models: Mapping[str, str], since: datetime) -> int:
        """Count the items published since then that one of these models has not read."""
        return await self._look(lambda db: signals.unread_count(db, models, since))

    async def signal_counts(self, since: datetime) -> dict[str, int]:
        """Count the signals of each topic published since then."""
        return await self._look(lambda db: signals.counts(db, since))

    async def save_thresholds(self, models: Mapping[str, str], thresholds: Mapping[str, float], now: datetime) -> None:
        """Note which model and threshold decide each topic from now on."""
        await self._do(lambda db: signals.save_thresholds(db, models, thresholds, now))

    # People's labels, and what was learned from them

    async def save_labels(self, item_id: int, said: Mapping[str, bool], now: datetime) -> None:
        """Store what a person says of an item (topic: carries it or not), and let its signals follow."""
        await self._do(lambda db: labels.save(db, item_id, said, now))

    async def replace_labels(self, item_id: int, said: Mapping[str, bool], now: datetime) -> int:
        """Make these all that was said of an item; its signals follow. Returns how many labels went."""
        return await self._do(lambda db: labels.replace(db, item_id, said, now))

    async def thresholds(self) -> dict[str, tuple[str, float]]:
        """Return for each topic in use the model that decides it, and from which probability on an item counts."""
        return await self._do(labels.thresholds)

    async def known(self, item_id: int, models: Mapping[str, str]) -> labels.Known | None:
        """Return what people and these models (by topic) say of an item; None when there is no such item."""
        return await self._do(lambda db: labels.about(db, item_id, models))

    async def labelled(self, models: Mapping[str, str]) -> list[labels.Known]:
        """Return all items that have a label, with what these models (by topic) say of them."""
        return await self._do(lambda db: labels.labelled(db, models))

    async def doubtful(self, since: datetime, topic: str | None, limit: int) -> list[labels.Known]:
        """Return items published since then that miss a label; those first that the model was least sure of."""
        return await self._do(lambda db: labels.doubtful(db, since, topic, limit))

    async def heads(self) -> list[Head]:
        """Return the output layers that were learned from labels."""
        return await self._do(heads.all_heads)

    async def save_heads(self, learned: Sequence[Head], now: datetime) -> None:
        """Make these the learned output layers, in place of all earlier ones."""
        await self._do(lambda db: heads.save(db, learned, now))

    # Stories

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

    async def unjudged(self, limit: int) -> list[tuple[Item, list[Signal]]]:
        """Return items that no alert rule has looked at yet, with their signals."""
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
