"""Keeps the subscriptions in line with the feeds: asks hubs, renews, tries again, and takes leave."""

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog

from monitor.feeds.fetch import Fetcher
from monitor.websub import protocol, schedule
from monitor.websub.protocol import Intent, Mode, one_line
from monitor.websub.settings import WebSubSettings
from storage.feed_records import Feed, Fetched, Subscription
from storage.store import Store

HUB_SECONDS = 120.0
MOST_LEAVING = 1_000

log = structlog.get_logger()


class Subscriber:
    """All subscriptions, by the token in their callback address, and what our hubs say of them.

    ``settings`` must have a public_url. ``load`` comes first.
    """

    def __init__(self, settings: WebSubSettings, store: Store, fetcher: Fetcher, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._public_url = settings.public_url or ""
        self._store = store
        self._fetcher = fetcher
        self._now = now
        self._feeds: dict[int, Feed] = {}
        self._held: dict[str, Subscription] = {}
        self._leaving: dict[str, Subscription] = {}
        self._tries: Counter[int] = Counter()

    async def load(self) -> None:
        """Take up what earlier runs have subscribed."""
        self._feeds = {feed.id: feed for feed in await self._store.all_feeds()}
        self._held = {one.token: one for one in await self._store.subscriptions()}

    def find(self, token: str) -> tuple[Subscription, Feed] | None:
        """Return the subscription with this token, and its feed."""
        held = self._held.get(token)
        feed = self._feeds.get(held.feed_id) if held else None
        return (held, feed) if held and feed else None

    # Rounds

    async def round(self) -> None:
        """Drop what no feed wants any more, begin what is new, and ask every hub for what is due, hubs side by side."""
        feeds = await self._store.all_feeds()
        self._feeds = {feed.id: feed for feed in feeds}
        plan = schedule.plan(feeds, tuple(self._held.values()), self._public_url)
        left = [ended for ended in plan.ended if await self._drop(ended)]
        for feed_id, (hub, topic) in plan.wanted.items():
            await self._begin(feed_id, hub, topic)
        requests = defaultdict[str, list[tuple[Mode, Subscription]]](list)
        for ended in left:
            requests[ended.hub].append(("unsubscribe", ended))
        for waiting in schedule.due(tuple(self._held.values()), self._now()):
            requests[waiting.hub].append(("subscribe", waiting))
        async with asyncio.TaskGroup() as hubs:
            for some in requests.values():
                hubs.create_task(self._ask(some))

    async def _begin(self, feed_id: int, hub: str, topic: str) -> None:
        token = protocol.new_token(self._public_url, secrets.token_hex(24))
        await self._keep(Subscription(feed_id, hub, topic, token, secrets.token_hex(32), next_try=self._now()))

    async def _drop(self, subscription: Subscription) -> bool:
        """Forget a subscription. Returns whether its hub should hear of it: it confirmed, and can ask us whether."""
        del self._held[subscription.token]
        del self._tries[subscription.feed_id]
        await self._store.remove_subscription(subscription.feed_id)
        reachable = protocol.belongs(subscription.token, self._public_url)
        if reachable and schedule.holds(subscription, self._now()):
            self._leaving[subscription.token] = subscription
            while len(self._leaving) > MOST_LEAVING:
                del self._leaving[next(iter(self._leaving))]
        return subscription.token in self._leaving

    async def _keep(self, subscription: Subscription) -> None:
        self._held[subscription.token] = subscription
        await self._store.save_subscription(subscription)

    # What we ask of hubs

    async def _ask(self, requests: Sequence[tuple[Mode, Subscription]]) -> None:
        """Ask one hub for one thing after the other; one that does not answer is left alone until the next round."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HUB_SECONDS):
                for mode, subscription in requests:
                    tell = self._subscribe if mode == "subscribe" else self._unsubscribe
                    if (await tell(subscription)).status is None:
                        return

    async def _subscribe(self, subscription: Subscription) -> Fetched:
        self._tries[subscription.feed_id] += 1
        # Kept before it is sent: a hub may verify before it answers.
        asking = schedule.asking(subscription, self._tries[subscription.feed_id], self._now())
        await self._keep(asking)
        if subscription.error == schedule.UNVERIFIED:
            self._tell(asking, accepted=False)
        fetched = await self._post("subscribe", asking)
        # Meanwhile the hub may have verified or refused, and then its answer says nothing more.
        if self._held.get(asking.token) is asking:
            outcome = schedule.answered(asking, fetched, self._now())
            if outcome is not asking:
                await self._keep(outcome)
            self._tell(outcome, accepted=outcome is asking)
        return fetched

    async def _unsubscribe(self, subscription: Subscription) -> Fetched:
        fetched = await self._post("unsubscribe", subscription)
        log.info("websub.left", hub=one_line(subscription.hub), error=fetched.error)
        return fetched

    async def _post(self, mode: Mode, subscription: Subscription) -> Fetched:
        address = protocol.asked_at(subscription.hub)
        async with self._fetcher.turn(address):
            return await self._fetcher.post(address, protocol.form(mode, subscription, self._settings), self._now())

    def _tell(self, outcome: Subscription, *, accepted: bool) -> None:
        bound = log.bind(feed=self._name(outcome), hub=one_line(outcome.hub))
        next_try = outcome.next_try and outcome.next_try.isoformat()
        if accepted:
            bound.info("websub.subscribed")
        elif outcome.state == "refused":
            bound.warning("websub.refused", reason=outcome.error, next_try=next_try)
        else:
            bound.warning("websub.failed", error=outcome.error, next_try=next_try)

    # What hubs say to us

    async def hear(self, token: str, intent: Intent) -> bytes | None:
        """Take what a hub says at a callback address. Returns what to answer; None when we asked for no such thing."""
        held = self._leaving.get(token) if intent.mode == "unsubscribe" else self._held.get(token)
        if held is None:
            return None
        if held.topic == intent.topic:
            if intent.mode == "denied":
                return await self._refused(held, intent)
            if intent.mode == "unsubscribe":
                return intent.challenge
            if intent.mode == "subscribe" and intent.challenge:
                return await self._verified(held, intent)
        log.warning("websub.unasked", feed=self._name(held), mode=one_line(intent.mode), topic=one_line(intent.topic))
        return None

    async def note(self, token: str, flaw: str) -> None:
        """Keep with a subscription what was wrong with a push: its hub may be one that cannot sign as we need it."""
        held = self._held.get(token)
        if held and held.error != flaw:
            await self._keep(replace(held, error=flaw))

    async def _verified(self, held: Subscription, intent: Intent) -> bytes:
        outcome = schedule.verified(held, intent, self._settings.lease, self._now())
        del self._tries[held.feed_id]
        await self._keep(outcome)
        until = outcome.lease_until and outcome.lease_until.isoformat()
        log.info("websub.verified", feed=self._name(held), until=until)
        return intent.challenge

    async def _refused(self, held: Subscription, intent: Intent) -> bytes:
        outcome = schedule.refused(held, intent.reason, self._now())
        await self._keep(outcome)
        self._tell(outcome, accepted=False)
        return b""

    def _name(self, subscription: Subscription) -> str:
        feed = self._feeds.get(subscription.feed_id)
        return feed.name if feed else ""
