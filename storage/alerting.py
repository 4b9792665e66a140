"""What the alert side needs of a Store: judgements, earlier alerts, the outbox, silences."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlite_utils import Database

from storage import alerts, looks, outbox, past_alerts, silences, stream, trends, unjudged
from storage.alert_records import (
    Alert,
    Delivery,
    Finding,
    Inhibitor,
    PastAlert,
    Raised,
    Release,
    Retry,
    Sent,
    Silence,
    StreamHealth,
    ToldAlert,
    Unjudged,
)
from storage.records import Trend
from storage.writer import Writer


class Alerting(Writer):
    """The alerts of an open database. Every method raises StorageError when the database cannot be used."""

    # What rules look at

    async def unjudged(self, limit: int) -> list[Unjudged]:
        """Return items that no alert rule has looked at yet, with their signals, stories and earlier tellings."""
        return await self._do(lambda db: unjudged.unjudged(db, limit))

    async def stream_health(self, now: datetime) -> StreamHealth:
        """Return how the stream of news itself is, and which channels are in trouble."""
        return await self._look(lambda db: stream.health(db, now))

    async def told_alerts(self, rules: Mapping[str, str], now: datetime) -> Mapping[str, ToldAlert]:
        """Return by key the earlier alerts of these rules (name and kind), but matches and what ended long ago."""
        return await self._look(lambda db: past_alerts.told_alerts(db, rules, now))

    async def last_raised(self, rules: Sequence[str]) -> Mapping[str, datetime]:
        """Return when each of these rules last had something to tell; rules that never had are left out."""
        return await self._look(lambda db: past_alerts.last_raised(db, rules))

    # What becomes of findings

    async def known_keys(self, keys: Sequence[str]) -> frozenset[str]:
        """Return those of these keys that an alert has."""
        return await self._look(lambda db: past_alerts.known_keys(db, keys))

    async def told_stories(self, asked: Sequence[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Return those of these rules and items whose story that rule has told already, by a match."""
        return await self._look(lambda db: past_alerts.told_stories(db, asked))

    async def past_alerts(self, rules: Sequence[str], since: datetime) -> list[PastAlert]:
        """Return the newest alerts of these rules since then, and those that began what still lasts; oldest first."""
        return await self._look(lambda db: past_alerts.past_alerts(db, rules, since))

    async def inhibitors(self, since: datetime, named: Sequence[str] = ()) -> list[Inhibitor]:
        """Return the alerts that may mute others: what lasts, and what trends and ``named`` rules told since then."""
        return await self._look(lambda db: past_alerts.inhibitors(db, since, named))

    async def held(self, now: datetime) -> list[Alert]:
        """Return the held alerts that are to be looked at again, oldest first."""
        return await self._look(lambda db: alerts.held(db, now))

    async def save_judgement(
        self, looked: Sequence[Trend], raised: Sequence[Raised], item_ids: Sequence[int], last_item: int, now: datetime
    ) -> int:
        """Store trends, alerts and their deliveries together; ``last_item`` is the newest (`last_item`) they know.

        Returns the number of alerts that have deliveries.
        """

        def judged(db: Database) -> int:
            trends.save(db, looked)
            looks.remember(db, bool(looked), item_ids, last_item, now)
            return alerts.save(db, raised, now)

        return await self._do(judged)

    async def release(self, releases: Sequence[Release], now: datetime) -> int:
        """Let held alerts out, or hold them longer. Returns the number of alerts that have new deliveries."""
        return await self._do(lambda db: alerts.release(db, releases, now))

    async def reconsider(self, now: datetime) -> None:
        """Have every held alert looked at again: what holds it may have changed."""
        await self._do(lambda db: alerts.reconsider(db, now))

    async def end_unwatched(self, rules: Mapping[str, str], now: datetime) -> int:
        """End what lasts of rules that are not among these (name and kind). Returns how many ended."""
        return await self._do(lambda db: alerts.end_unwatched(db, rules, now))

    # The outbox

    async def due_channels(self, now: datetime) -> list[str]:
        """Return the channels for which a delivery's next try has come."""
        return await self._look(lambda db: outbox.due_channels(db, now))

    async def due_deliveries(self, channel: str, now: datetime, most: int = 1000) -> list[Delivery]:
        """Return a channel's deliveries whose next try has come, oldest alert first, at most so many."""
        return await self._look(lambda db: outbox.due_deliveries(db, channel, now, most))

    async def begin_attempt(self, delivery: Delivery, fallback: Retry) -> None:
        """Count an attempt before it is made, and plan for the case that nobody comes back to tell its outcome."""
        await self._do(lambda db: outbox.begin_attempt(db, delivery, fallback))

    async def mark_sent(self, delivery: Delivery, sent: Sent, now: datetime) -> None:
        """Record that a server took the message."""
        await self._do(lambda db: outbox.mark_sent(db, delivery, sent, now))

    async def mark_failed(self, delivery: Delivery, retry: Retry, now: datetime, notice: Finding | None = None) -> None:
        """Record a failed attempt; ``notice`` becomes an alert in the same transaction."""
        await self._do(lambda db: outbox.mark_failed(db, delivery, retry, now, notice))

    async def requeue_failed(self, since: datetime, now: datetime) -> int:
        """Give the deliveries of alerts since then that were given up a new first attempt."""
        return await self._do(lambda db: outbox.requeue_failed(db, since, now))

    # What people do

    async def alert(self, alert_id: int) -> Alert | None:
        """Return an alert; None when there is none of this id."""
        return await self._look(lambda db: alerts.alert(db, alert_id))

    async def acknowledge(self, alert_id: int, note: str, now: datetime) -> Alert | None:
        """Note that a person knows of an alert's whole thread. Returns the alert; None when there is none."""
        return await self._do(lambda db: alerts.acknowledge(db, alert_id, note, now))

    async def resend(self, alert_id: int, channels: Sequence[str] | None, now: datetime) -> int:
        """Send an alert once more, to all that were meant to get it or to these channels. Returns how many."""
        return await self._do(lambda db: outbox.resend(db, alert_id, channels, now))

    async def silences(self, now: datetime) -> list[Silence]:
        """Return the silences that hold now."""
        return await self._look(lambda db: silences.in_force(db, now))

    async def add_silence(
        self, rule: str | None, topic: str | None, until: datetime, reason: str, now: datetime
    ) -> Silence:
        """Tell nobody of a rule (None: of any) or of one of its topics until then."""
        return await self._do(lambda db: silences.add(db, Silence(0, rule, topic, now, until, reason)))

    async def end_silences(self, rule: str | None, now: datetime) -> int:
        """End the silences of a rule that hold now, or all of them (None). Returns their number."""
        return await self._do(lambda db: silences.end(db, rule, now))
