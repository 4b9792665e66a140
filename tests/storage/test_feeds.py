"""Feeds in the database: what a change of feeds.yaml means for them, and what is remembered of each."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storage import reading
from storage.feed_records import Feed, FeedSpec, Hints, Move, NextPoll
from storage.feeds import host_of
from storage.store import Store
from tests.builders import MODIFIED, NOW, entry, feed_in, feed_now, poll, unchanged

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HUB = "https://hub.example/"
SAID = Hints(HOUR, (0, 1, 23), (5, 6), HUB, "https://wire.example/feed")
LEARNED = NextPoll(
    NOW + 2 * HOUR,
    every=2 * HOUR,
    rate=1.5,
    address="https://new.example/feed",
    move=Move("https://newer.example/feed", NOW - DAY, 2),
)


async def learned(store: Store, **changes: object) -> Feed:
    """Add a feed that has answered with everything that can be learned."""
    answer = poll(await feed_in(store), entry("One"))
    fields: dict[str, object] = {"next": LEARNED, "blocks": b"12345678", "hints": SAID} | changes
    await store.save_poll(replace(answer, **fields), NOW)  # type: ignore[arg-type]
    return await feed_now(store)


class TestWhatAPollTeaches:
    async def test_it_is_read_as_it_was_stored(self, store: Store) -> None:
        feed = await learned(store)
        assert feed == Feed(
            id=1,
            name="Wire",
            url="https://wire.example/feed",
            lang=None,
            kind=None,
            every=2 * HOUR,
            next_poll=NOW + 2 * HOUR,
            etag='"v1"',
            modified=MODIFIED,
            body_hash="hash",
            first_ok=NOW,
            rate=1.5,
            state="ok",
            state_since=NOW,
            last_poll=NOW,
            last_ok=NOW,
            last_news=NOW,
            address="https://new.example/feed",
            move=Move("https://newer.example/feed", NOW - DAY, 2),
            hints=SAID,
            domain="wire.example",
            blocks=b"12345678",
        )

    async def test_what_a_later_poll_does_not_tell_stays(self, store: Store) -> None:
        feed = await learned(store)
        await store.save_poll(replace(unchanged(feed), next=LEARNED), NOW + HOUR)
        after = await feed_now(store)
        assert (after.hints, after.body_hash, after.last_news, after.last_ok) == (SAID, "hash", NOW, NOW + HOUR)
        assert (await feed_now(store)).blocks == b"12345678"

    async def test_hints_that_a_document_no_longer_gives_are_forgotten(self, store: Store) -> None:
        feed = await learned(store)
        await store.save_poll(replace(poll(feed), hints=Hints(), blocks=b""), NOW)
        assert (await feed_now(store)).hints == Hints()
        assert (await feed_now(store)).blocks == b""

    async def test_validators_of_an_address_that_was_given_up_are_forgotten(self, store: Store) -> None:
        feed = await learned(store)
        back = NextPoll(NOW + HOUR, 3, state="failing")
        await store.save_poll(replace(poll(feed, error="HTTP 404"), next=back), NOW)
        after = await feed_now(store)
        assert (after.address, after.etag, after.modified) == (None, None, None)

    async def test_a_failure_at_the_same_address_keeps_them(self, store: Store) -> None:
        feed = await learned(store)
        failed = replace(LEARNED, failures=1, state="failing")
        await store.save_poll(replace(poll(feed, error="HTTP 404"), next=failed), NOW)
        assert (await feed_now(store)).etag == '"v1"'

    async def test_a_feed_that_is_gone_is_never_due(self, store: Store) -> None:
        feed = await learned(store, next=NextPoll(None, state="gone"))
        assert await store.due_feeds(NOW + 9999 * DAY) == []
        assert [one.id for one in await store.all_feeds()] == [feed.id]
        assert reading.ask(store.path, "SELECT state, next_poll FROM feed_health").rows == [("gone", None)]


class TestStates:
    async def after(self, store: Store, *states: tuple[str, int]) -> tuple[object, ...]:
        """Let the feed have these states, each since so many hours; return what is remembered."""
        feed = await feed_in(store)
        for state, hours in states:
            later = NextPoll(NOW + DAY, state=state, state_since=NOW + hours * HOUR)  # type: ignore[arg-type]
            await store.save_poll(replace(poll(feed), next=later), NOW + hours * HOUR)
        sql = "SELECT state, state_since, before, before_since FROM feeds"
        return reading.ask(store.path, sql).rows[0]

    @pytest.mark.parametrize(
        ("states", "remembered"),
        [
            pytest.param([("ok", 0)], ("ok", "14", "new", None), id="a new feed answers"),
            pytest.param([("ok", 0), ("failing", 1)], ("failing", "15", "ok", "14"), id="a feed fails"),
            pytest.param(
                [("ok", 0), ("failing", 1), ("ok", 3)], ("ok", "17", "failing", "15"), id="a feed is well again"
            ),
            pytest.param(
                [("ok", 0), ("stale", 2), ("stale", 2)], ("stale", "16", "ok", "14"), id="nothing changes any more"
            ),
        ],
    )
    async def test_the_state_before_is_remembered(
        self, store: Store, states: list[tuple[str, int]], remembered: tuple[str | None, ...]
    ) -> None:
        state, since, before, before_since = await self.after(store, *states)
        hours = [str(text)[11:13] if text else None for text in (since, before_since)]
        assert (state, hours[0], before, hours[1]) == remembered

    async def test_a_state_without_a_time_began_with_the_poll_that_changed_it(self, store: Store) -> None:
        feed = await feed_in(store)
        await store.save_poll(poll(feed), NOW)
        await store.save_poll(poll(feed), NOW + HOUR)
        assert (await feed_now(store)).state_since == NOW


class TestAnotherConfiguration:
    async def test_a_feed_that_moves_forgets_what_it_learned(self, store: Store) -> None:
        feed = await learned(store)
        await store.sync_feeds([FeedSpec(feed.name, "https://elsewhere.example/feed")], NOW)
        moved = await feed_now(store)
        assert moved == Feed(
            id=feed.id,
            name="Wire",
            url="https://elsewhere.example/feed",
            lang=None,
            kind=None,
            every=30 * MINUTE,
            next_poll=NOW,
            last_poll=NOW,
            last_ok=NOW,
            last_news=NOW,
            domain="elsewhere.example",
        )
        assert reading.ask(store.path, "SELECT trouble, error, before, before_since FROM feeds").rows == [(None,) * 4]

    async def test_a_feed_keeps_its_learned_pace_and_address_over_a_restart(self, store: Store) -> None:
        feed = await learned(store)
        await store.sync_feeds([FeedSpec(feed.name, feed.url, "en", "press")], NOW + DAY)
        assert await feed_now(store) == replace(feed, lang="en", kind="press", domain="new.example")

    async def test_an_interval_that_the_user_sets_counts_from_now(self, store: Store) -> None:
        feed = await learned(store)
        await store.sync_feeds([FeedSpec(feed.name, feed.url, every=5 * MINUTE)], NOW)
        fixed = await feed_now(store)
        assert (fixed.every, fixed.fixed, fixed.next_poll) == (5 * MINUTE, True, NOW + 5 * MINUTE)

    async def test_a_poll_does_not_change_an_interval_that_the_user_set(self, store: Store) -> None:
        feed = await learned(store)
        await store.sync_feeds([FeedSpec(feed.name, feed.url, every=5 * MINUTE)], NOW)
        await store.save_poll(replace(unchanged(feed), next=LEARNED), NOW)
        assert (await feed_now(store)).every == 5 * MINUTE

    async def test_an_interval_that_the_user_takes_back_begins_anew(self, store: Store) -> None:
        feed = await learned(store)
        await store.sync_feeds([FeedSpec(feed.name, feed.url, every=DAY)], NOW)
        await store.save_poll(replace(unchanged(feed), next=NextPoll(NOW + DAY)), NOW)
        await store.sync_feeds([FeedSpec(feed.name, feed.url)], NOW)
        free = await feed_now(store)
        assert (free.every, free.fixed, free.next_poll) == (30 * MINUTE, False, NOW + 30 * MINUTE)

    async def test_a_feed_that_was_gone_and_comes_back_is_asked_again(self, store: Store) -> None:
        feed = await learned(store, next=NextPoll(None, 2, state="gone"))
        await store.sync_feeds([FeedSpec(feed.name, feed.url)], NOW)
        assert await store.due_feeds(NOW + DAY) == []
        await store.sync_feeds([], NOW)
        await store.sync_feeds([FeedSpec(feed.name, feed.url)], NOW + DAY)
        (back,) = await store.due_feeds(NOW + DAY)
        assert (back.state, back.failures, back.first_ok) == ("new", 0, None)

    async def test_a_source_of_an_archive_that_becomes_a_feed_is_asked_at_a_usual_pace(self, store: Store) -> None:
        ids = await store.source_feeds(["Wire"], NOW)
        await store.sync_feeds([FeedSpec("Wire", "https://wire.example/feed")], NOW)
        feed = await feed_now(store)
        assert (feed.id, feed.every, feed.next_poll) == (ids["Wire"], 30 * MINUTE, NOW)

    async def test_a_name_may_pass_to_a_feed_while_its_owner_leaves(self, store: Store) -> None:
        one, two = FeedSpec("A", "https://one.example"), FeedSpec("B", "https://two.example")
        await store.sync_feeds([one, two], NOW)
        await store.sync_feeds([FeedSpec("A", two.url)], NOW)
        names = reading.ask(store.path, "SELECT name, url, active FROM feeds ORDER BY id").rows
        assert names == [("A (feed 1)", one.url, 0), ("A", two.url, 1)]

    async def test_the_registered_domain_is_that_of_where_the_feed_is_asked(self, store: Store) -> None:
        feed = await learned(store)
        specs = [FeedSpec(feed.name, feed.url), FeedSpec("Other", "https://a.other.example/feed")]
        await store.sync_feeds(specs, NOW, lambda url: ".".join(host_of(url).split(".")[-2:]))
        assert [one.domain for one in await store.all_feeds()] == ["new.example", "other.example"]
        await store.sync_feeds(specs, NOW)
        assert [one.domain for one in await store.all_feeds()] == ["new.example", "a.other.example"]
