"""How feeds are: what alert rules, people and hubs' subscriber are told."""

from dataclasses import replace
from datetime import timedelta

from storage import reading
from storage.feed_records import FeedHealth, FeedState, NextPoll, Subscription
from storage.store import Store
from tests.builders import NOW, entry, feed_in, poll

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def stands(store: Store, name: str, *states: FeedState) -> None:
    """Let a feed go through states, a day each, the last one beginning now."""
    feed = await feed_in(store, name)
    for back, state in zip(range(len(states) - 1, -1, -1), states, strict=True):
        now = NOW - back * DAY
        error = None if state in {"ok", "stale"} else f"{name} is {state}"
        answer = poll(feed, entry(name), error=error) if state == "ok" else poll(feed, error=error)
        await store.save_poll(replace(answer, next=NextPoll(now + HOUR, state=state, state_since=now)), now)


class TestHealth:
    async def test_feeds_in_trouble_come_with_what_they_were_before_and_why(self, store: Store) -> None:
        await stands(store, "Well", "ok")
        await stands(store, "Failing", "ok", "failing")
        await stands(store, "Stale", "ok", "stale")
        failing, stale = await store.feed_health(NOW - 9 * DAY)
        assert failing == FeedHealth(2, "Failing", "failing", NOW, "ok", NOW - DAY, "Failing is failing", NOW - DAY)
        assert stale == FeedHealth(3, "Stale", "stale", NOW, "ok", NOW - DAY, "", NOW - DAY)

    async def test_a_feed_that_is_well_again_is_told_for_a_while(self, store: Store) -> None:
        await stands(store, "Back", "ok", "blocked", "ok")
        again = FeedHealth(1, "Back", "ok", NOW, "blocked", NOW - DAY, "", NOW - 2 * DAY)
        assert await store.feed_health(NOW) == [again]
        assert await store.feed_health(NOW + HOUR) == []

    async def test_a_new_feed_that_answers_is_no_recovery(self, store: Store) -> None:
        await feed_in(store, "Unasked")
        await stands(store, "First", "ok")
        assert await store.feed_health(NOW - DAY) == []

    async def test_a_feed_that_left_is_not_told(self, store: Store) -> None:
        await stands(store, "Left", "failing")
        await store.sync_feeds([], NOW)
        assert await store.feed_health(NOW - DAY) == []

    async def test_the_view_shows_the_worst_first(self, store: Store) -> None:
        for state in ("ok", "stale", "failing", "blocked", "gone"):
            await stands(store, state.title(), "ok", state)
        await feed_in(store, "Unasked")
        shown = [row[0] for row in reading.ask(store.path, "SELECT state FROM feed_health").rows]
        assert shown == ["gone", "blocked", "failing", "stale", "new", "ok"]


class TestSubscriptions:
    asked = Subscription(1, "https://hub.example", "https://wire.example/feed", "token", "secret", next_try=NOW)

    async def test_it_is_read_as_it_was_stored(self, store: Store) -> None:
        await feed_in(store)
        await store.save_subscription(self.asked)
        assert await store.subscriptions() == [self.asked]

    async def test_a_feed_has_one_and_the_view_shows_its_state(self, store: Store) -> None:
        await feed_in(store)
        active = replace(self.asked, state="active", lease_until=NOW + DAY, token="other", error=None)
        for one in (self.asked, active):
            await store.save_subscription(one)
        assert await store.subscriptions() == [active]
        assert reading.ask(store.path, "SELECT pushed FROM feed_health").rows == [("active",)]

    async def test_it_can_be_removed_and_its_secret_is_not_printed(self, store: Store) -> None:
        await feed_in(store)
        await store.save_subscription(self.asked)
        await store.remove_subscription(1)
        assert await store.subscriptions() == []
        assert "secret" not in repr(self.asked)
