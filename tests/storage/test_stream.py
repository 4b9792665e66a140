"""How the stream of news is: what feeds bring and answer, and which channels take no messages."""

from dataclasses import replace
from datetime import datetime, timedelta

from storage.alert_records import ChannelHealth, Delivery, Retry, Sent
from storage.feed_records import FeedState, NextPoll
from storage.store import Store
from tests.builders import NOW, entry, feed_in, feed_now, finding, poll, raised

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER, OVER = Retry(NOW + DAY, "refused"), Retry(None, "no such webhook")


async def answers(store: Store, name: str, now: datetime, *titles: str, state: FeedState = "ok") -> None:
    """Let a feed answer (or fail) at a time, with entries published then."""
    answer = poll(
        await feed_now(store, name), *(entry(title, now) for title in titles), error=None if state == "ok" else state
    )
    answer = replace(answer, fetched=replace(answer.fetched, started=now))
    failures = 0 if state == "ok" else answer.feed.failures + 1
    await store.save_poll(replace(answer, next=NextPoll(now + HOUR, failures, state=state, state_since=now)), now)


class TestFeeds:
    async def test_a_new_database_knows_nothing(self, store: Store) -> None:
        health = await store.stream_health(NOW)
        assert (health.began, health.last_item, health.last_ok, health.feeds, health.seen) == (None, None, None, 0, {})

    async def test_a_backlog_is_no_news(self, store: Store) -> None:
        await feed_in(store)
        await answers(store, "Wire", NOW - 2 * DAY, "Old")
        health = await store.stream_health(NOW)
        assert (health.began, health.last_item, health.last_ok) == (NOW - 2 * DAY, None, NOW - 2 * DAY)
        await answers(store, "Wire", NOW - DAY, "News")
        await answers(store, "Wire", NOW)
        health = await store.stream_health(NOW)
        assert (health.began, health.last_item, health.last_ok) == (NOW - 2 * DAY, NOW - DAY, NOW)
        assert health.seen == {"Wire": NOW - DAY}

    async def test_feeds_that_are_asked_and_those_that_fail_again_and_again_are_counted(self, store: Store) -> None:
        states: tuple[FeedState, ...] = ("ok", "failing", "blocked", "gone")
        for state in states:
            await feed_in(store, state)
            await answers(store, state, NOW - HOUR, state=state)
        assert (await store.stream_health(NOW)).failing == 0
        for state in states:
            await answers(store, state, NOW, state=state)
        await feed_in(store, "new")
        health = await store.stream_health(NOW)
        assert (health.feeds, health.failing) == (4, 2)

    async def test_feeds_that_left_do_not_count(self, store: Store) -> None:
        await feed_in(store)
        await answers(store, "Wire", NOW, "Old")
        await store.sync_feeds([], NOW)
        health = await store.stream_health(NOW)
        assert (health.feeds, health.last_ok, health.seen) == (0, None, {})

    async def test_what_a_wrong_clock_dated_to_the_future_does_not_count(self, store: Store) -> None:
        await feed_in(store)
        await answers(store, "Wire", NOW - DAY, "Old")
        await answers(store, "Wire", NOW, "News")
        await answers(store, "Wire", NOW + 99 * DAY, "From a wrong clock")
        assert (await store.stream_health(NOW + HOUR)).last_item == NOW


class TestChannels:
    async def told(self, store: Store, key: str, ago: timedelta) -> Delivery:
        await store.save_judgement([], raised(finding(key)), [], 0, NOW - ago)
        return next(d for d in await store.due_deliveries("desk", NOW + 9 * DAY) if d.alert.finding.key == key)

    async def channels(self, store: Store) -> tuple[ChannelHealth, ...]:
        return (await store.stream_health(NOW)).channels

    async def test_a_channel_that_was_not_tried_is_not_in_trouble(self, store: Store) -> None:
        await self.told(store, "a", DAY)
        assert await self.channels(store) == ()

    async def test_it_is_in_trouble_since_the_oldest_message_that_failed(self, store: Store) -> None:
        first, second = await self.told(store, "a", 3 * HOUR), await self.told(store, "b", 2 * HOUR)
        await self.told(store, "c", HOUR)
        await store.mark_failed(first, OVER, NOW)
        await store.mark_failed(second, LATER, NOW)
        assert await self.channels(store) == (ChannelHealth("desk", NOW - 3 * HOUR, 2, 1, "refused"),)

    async def test_a_message_that_is_taken_ends_it(self, store: Store) -> None:
        await store.mark_failed(await self.told(store, "a", 3 * HOUR), OVER, NOW)
        await store.mark_sent(await self.told(store, "b", HOUR), Sent(), NOW)
        assert await self.channels(store) == ()

    async def test_what_waits_after_a_message_was_taken_counts_from_then_on(self, store: Store) -> None:
        first, second = await self.told(store, "a", 3 * HOUR), await self.told(store, "b", 2 * HOUR)
        for delivery in (first, second):
            await store.mark_failed(delivery, LATER, NOW - HOUR)
        await store.mark_sent(first, Sent(), NOW - timedelta(minutes=1))
        (channel,) = await self.channels(store)
        assert (channel.since, channel.waiting, channel.given_up) == (NOW - timedelta(minutes=1), 1, 0)

    async def test_messages_given_up_before_the_last_success_are_forgotten(self, store: Store) -> None:
        await store.mark_failed(await self.told(store, "a", 9 * DAY), OVER, NOW)
        await store.mark_sent(await self.told(store, "b", 8 * DAY), Sent(), NOW - 8 * DAY)
        await store.mark_failed(await self.told(store, "c", HOUR), OVER, NOW)
        assert await self.channels(store) == (ChannelHealth("desk", NOW - HOUR, 0, 1, "no such webhook"),)
