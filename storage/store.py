"""Store: the transactions that the pipeline needs, one method each, all on the thread of storage.writer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from storage import (
    counts,
    digest,
    embeddings,
    heads,
    history,
    items,
    labels,
    recounting,
    signals,
    stories,
    thresholds,
    trends,
)
from storage.alert_records import DayCount, DigestData, StoryLine
from storage.alerting import Alerting
from storage.archive import Archives
from storage.polling import Polling
from storage.records import Classification, Embedding, Grouping, Head, History, Item, Signal, Telling, Trend
from storage.recounting import Recounted


class Store(Alerting, Archives, Polling):
    """The database as the pipeline sees it. Every method raises StorageError when the database cannot be used."""

    # Items on their way

    async def pending(self, step: str, limit: int) -> list[Item]:
        """Return items that wait for a step."""
        return await self._do(lambda db: items.pending(db, step, limit))

    async def pending_counts(self) -> dict[str, int]:
        """Count the items that wait, per step."""
        return await self._do(items.pending_counts)

    async def last_item(self) -> int:
        """Return the id of the item that was stored last; 0 when there is none."""
        return await self._do(items.last_id)

    async def save_classified(
        self,
        classifications: Sequence[Classification],
        found: Sequence[Signal],
        meant: Sequence[Embedding],
        now: datetime,
    ) -> None:
        """Store what the model said of a batch, and what its items mean."""
        await self._do(lambda db: signals.save(db, classifications, found, meant, now))

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

    async def save_thresholds(self, models: Mapping[str, str], wanted: Mapping[str, float], now: datetime) -> None:
        """Note which model and threshold decide each topic from now on; signals follow a threshold that changed."""
        await self._do(lambda db: thresholds.save(db, models, wanted, now))

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

    async def pending_tellings(self, limit: int) -> list[Telling]:
        """Return items that wait for their place in a story."""
        return await self._do(lambda db: stories.pending_tellings(db, limit))

    async def tellings(self, since: datetime, until: datetime) -> list[Telling]:
        """Return the items published in [since, until] that have their place in a story."""
        return await self._do(lambda db: stories.tellings(db, since, until))

    async def save_grouping(self, grouping: Grouping, now: datetime) -> None:
        """Store which items tell which stories and which stories are one, and recount the days they touch."""
        await self._do(lambda db: stories.save(db, grouping, now))

    async def prune_embeddings(self, before: datetime) -> None:
        """Forget what items published before then mean, once they have their place in a story."""
        await self._do(lambda db: embeddings.prune(db, before))

    # Counts

    async def count_in(self, zone: str) -> None:
        """Count the days of this time zone (an IANA name); count everything anew when it was another one so far."""
        await self._do(lambda db: recounting.count_in(db, zone))

    async def history(self, topics: Sequence[str], since: datetime, recent: datetime) -> History:
        """Return the flow since then, and all stories one by one since ``recent`` (both are local midnights)."""
        return await self._do(lambda db: history.read(db, topics, since, recent))

    async def day_counts(self, topic: str, last: date, days: int) -> tuple[DayCount, ...]:
        """Return a topic's stories per local day."""
        return await self._do(lambda db: counts.day_counts(db, topic, last, days))

    async def stored_days(self) -> int:
        """Count the local days that `recount` goes through."""
        return len(await self._look(recounting.days))

    async def recount(self, advance: Callable[[int], None]) -> Recounted:
        """Derive all counts and all stories anew, a few days at a time; ``advance`` hears of the days done."""
        total = Recounted()
        for chunk in recounting.chunks(await self._look(recounting.days)):
            total += await self._do(partial(recounting.recount_days, chosen=chunk))
            advance(len(chunk))
        return total

    # Trends and digests

    async def latest_trends(self) -> dict[str, Trend]:
        """Return the newest trend of every topic."""
        return await self._do(trends.latest)

    async def story_lines(self, topic: str, since: datetime, within: timedelta, limit: int) -> tuple[StoryLine, ...]:
        """Return a topic's stories since then, the strongest first."""
        return await self._do(lambda db: stories.story_lines(db, topic, since, within, limit))

    async def digest_data(  # noqa: PLR0913, PLR0917 - as storage.digest.read
        self, topics: Sequence[str], since: datetime, until: datetime, now: datetime, days: int, top: int
    ) -> DigestData:
        """Return what is told of (since, until]: ``top`` stories of each topic, and its last ``days`` local days."""
        return await self._look(lambda db: digest.read(db, topics, since, until, now, days, top))
