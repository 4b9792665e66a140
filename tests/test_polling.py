"""One feed polled again and again: no more is read than is new, and what is stored is the same all the same."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor import polling
from monitor.feeds.document import Document
from monitor.feeds.fresh import identify_all
from monitor.feeds.parse import parse_document
from monitor.feeds.slices import take_apart
from monitor.feeds.worker import ParseWorker
from storage import reading
from storage.entries import MOST_SHARING
from storage.feed_records import Entry, Feed, FeedSpec, FeedState, Fetched, Hints, Poll
from storage.store import Store
from storage.times import from_text
from tests.builders import NOW, feed_in, feed_now, poll
from tests.fakes import Clock, FakeFetcher, system

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNCHANGED = Fetched(NOW, 0.1, 304)
UNREACHED = Fetched(NOW, 0.1, error="cannot connect to wire.example", trouble="network")
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body></html>"


def item(title: str, guid: str | None = None, link: str | None = None) -> bytes:
    """Write an entry; without a guid or link of its own they come from its title, and "" is none."""
    slug = title.lower().replace(" ", "-")
    guid, link = slug if guid is None else guid, f"https://wire.example/{slug}" if link is None else link
    parts = [f"<title>{title}</title>", guid and f"<guid>{guid}</guid>", link and f"<link>{link}</link>"]
    return f"<item>{''.join(parts)}</item>".encode()


def rss(*items: bytes, built: int = 1, ttl: int = 0) -> bytes:
    """Write a feed; ``built`` is what changes in it with every answer."""
    head = b"<ttl>%d</ttl>" % ttl if ttl else b""
    return b"<rss version='2.0'><channel><title>Wire</title><lastBuildDate>%d</lastBuildDate>%b%b</channel></rss>" % (
        built,
        head,
        b"".join(items),
    )


ONE, TWO, THREE, FOUR = (item(f"Story {name}") for name in ("one", "two", "three", "four"))


@dataclass
class Reader:
    """Reads in this process what it is given, and keeps it."""

    bodies: list[bytes] = field(default_factory=list)

    async def read(self, fetched: Fetched, feed: Feed, now: datetime) -> Document:
        body = fetched.body or b""
        self.bodies.append(body)
        return parse_document(body, fetched.headers, fetched.url or feed.url, feed.lang, now)


@dataclass
class Desk:
    """Polls feeds by hand, an hour after one another. ``cut`` False forgets the entries' hashes: all is read whole."""

    store: Store
    reader: Any = field(default_factory=Reader)
    clock: Clock = field(default_factory=Clock)
    fetcher: FakeFetcher = field(default_factory=FakeFetcher)
    cut: bool = True

    def __post_init__(self) -> None:
        self.system = system(self.store, fetcher=self.fetcher, parser=self.reader, now=self.clock)

    async def poll(self, answer: bytes | Fetched, name: str = "Wire") -> tuple[Poll, int]:
        """Poll a feed, which answers so. Returns the poll and its number of new items."""
        fetched = Fetched(self.clock.now, 0.1, 200, len(answer), answer) if isinstance(answer, bytes) else answer
        self.fetcher.answers[name] = lambda: fetched
        outcome = await polling.poll_feed(self.system, await feed_now(self.store, name))
        self.clock.forward(hours=1)
        new = await self.store.save_poll(outcome if self.cut else replace(outcome, blocks=b""), self.clock.now)
        polling.tell(outcome, new)
        return outcome, new

    async def push(self, body: bytes, name: str = "Wire") -> int:
        """Let the feed's hub push this. Returns the number of new items."""
        return await polling.receive(self.system, await feed_now(self.store, name), body, {})

    def titles(self, name: str = "Wire") -> list[str]:
        """Return what is stored of a feed, in order."""
        return [title for _, _, title in stored(self.store, name)]


def stored(store: Store, name: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT i.guid, i.url, i.title FROM items i JOIN feeds f ON f.id = i.feed_id WHERE f.name = '{name}'"
    return reading.ask(store.path, f"{sql} ORDER BY i.id").rows


def exposures(store: Store) -> list[tuple[float, float]]:
    """Return from when to when the first feed is known without a gap, in hours since its first answer."""
    rows = reading.ask(store.path, "SELECT since, until FROM exposures WHERE feed_id = 1 ORDER BY since").rows
    times = [(from_text(since), from_text(until)) for since, until in rows]
    return [((since - times[0][0]) / HOUR, (until - times[0][0]) / HOUR) for since, until in times]


@pytest.fixture
async def desk(store: Store) -> Desk:
    """Build a desk with one feed that has answered once, with its first two stories."""
    await feed_in(store)
    made = Desk(store)
    await made.poll(rss(TWO, ONE))
    made.reader.bodies.clear()
    return made


class TestReadingNoMoreThanIsNew:
    async def test_nothing_is_read_of_an_unchanged_feed(self, desk: Desk) -> None:
        blocks = (await feed_now(desk.store)).blocks
        outcome, new = await desk.poll(UNCHANGED)
        assert (new, outcome.next.state, desk.reader.bodies) == (0, "ok", [])
        assert (await feed_now(desk.store)).blocks == blocks != b""

    async def test_nor_of_the_same_body(self, desk: Desk) -> None:
        before = await feed_now(desk.store)
        outcome, new = await desk.poll(rss(TWO, ONE))
        assert (new, outcome.entries, desk.reader.bodies) == (0, 0, [])
        assert (await feed_now(desk.store)).body_hash == before.body_hash == outcome.body_hash

    async def test_nor_where_only_the_build_date_changed(self, desk: Desk) -> None:
        outcome, new = await desk.poll(rss(TWO, ONE, built=2))
        assert (new, outcome.entries, outcome.known, desk.reader.bodies) == (0, 2, 2, [])

    async def test_nor_where_an_entry_is_gone(self, desk: Desk) -> None:
        outcome, new = await desk.poll(rss(TWO))
        assert (new, outcome.entries, outcome.known, desk.reader.bodies) == (0, 1, 1, [])

    async def test_of_new_entries_only_they_are_read_with_what_is_around_them(self, desk: Desk) -> None:
        outcome, new = await desk.poll(rss(FOUR, THREE, TWO, ONE, built=2))
        assert desk.reader.bodies == [rss(FOUR, THREE, built=2)]
        assert (new, outcome.entries, outcome.known) == (2, 4, 2)
        assert desk.titles() == ["Story two", "Story one", "Story four", "Story three"]

    async def test_what_was_read_once_is_not_read_again(self, desk: Desk) -> None:
        await desk.poll(rss(THREE, TWO, ONE))
        await desk.poll(rss(THREE, TWO, ONE, built=2))
        assert desk.reader.bodies == [rss(THREE)]

    async def test_an_entry_that_comes_back_after_a_while_is_known(self, desk: Desk) -> None:
        await desk.poll(rss(THREE, TWO))
        outcome, new = await desk.poll(rss(THREE, TWO, ONE))
        assert desk.reader.bodies == [rss(THREE), rss(ONE)]
        assert (new, outcome.known) == (0, 3)

    async def test_what_a_document_says_about_asking_for_it_is_learned_from_a_part_too(self, desk: Desk) -> None:
        await desk.poll(rss(THREE, TWO, ONE, ttl=90))
        await desk.poll(rss(THREE, TWO, ONE, built=2, ttl=90))
        assert (await feed_now(desk.store)).hints == Hints(ttl=timedelta(minutes=90))

    async def test_the_process_that_reads_gets_the_part_and_says_whether_it_is_sound(self, store: Store) -> None:
        worker = ParseWorker()
        desk = Desk(store, worker)
        await feed_in(store)
        try:
            assert [(await desk.poll(body))[1] for body in (rss(ONE), rss(TWO, ONE))] == [1, 1]
            assert (await feed_now(store)).blocks != b""
            assert (await desk.poll(rss(item("Three & four", "3", ""), ONE)))[1] == 1
            assert (await feed_now(store)).blocks == b""  # it had to be mended
        finally:
            await worker.aclose()


class TestWhatIsKnown:
    """Only an entry that is the same shows that nothing came and went unseen; a shared link or headline does not."""

    FRONT = "https://wire.example/"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            pytest.param(item("Monday", "1", FRONT), item("Tuesday", "2", FRONT), id="all link to the front page"),
            pytest.param(
                item("Daily briefing", "1"), item("Daily briefing", "2", f"{FRONT}2"), id="always one headline"
            ),
        ],
    )
    async def test_a_document_without_a_known_entry_begins_anew(self, desk: Desk, before: bytes, after: bytes) -> None:
        await desk.poll(rss(before, TWO))
        outcome, new = await desk.poll(rss(after, THREE, FOUR))
        assert (new, outcome.known) == (3, 0)
        assert exposures(desk.store) == [(0, 1), (2, 2)]

    async def test_an_edited_entry_and_one_with_another_guid_are_known(self, desk: Desk) -> None:
        outcome, _ = await desk.poll(
            rss(item("Story 2", "story-two", f"{self.FRONT}story-two"), item("Story one", "other"))
        )
        assert outcome.known == 2

    async def test_a_feed_of_years_whose_entries_share_a_link_costs_no_more_with_each(self, desk: Desk) -> None:
        for day in range(5):
            await desk.poll(rss(*(item(f"Day {day}, {number}", f"{day}.{number}", self.FRONT) for number in range(60))))
        key = identify_all([Entry("x", self.FRONT, "Another")])[0].keys[1]
        known = await desk.store.known_entries(1, [key])
        assert len(known) == MOST_SHARING
        assert {entry.title.split(",")[0] for entry in known} == {"Day 3", "Day 4"}
        assert (await desk.poll(rss(item("Day 0, 0", "0.0", self.FRONT), item("Day 4, 59", "4.59", self.FRONT))))[
            1
        ] == 0

    async def test_a_feed_that_was_paused_and_is_unchanged_missed_nothing(self, desk: Desk) -> None:
        url = (await feed_now(desk.store)).url
        await desk.store.sync_feeds([FeedSpec("Desk", "https://desk.example/")], desk.clock.now)
        desk.clock.forward(hours=5)
        await desk.store.sync_feeds([FeedSpec("Wire", url)], desk.clock.now)
        await desk.poll(UNCHANGED)
        assert exposures(desk.store) == [(0, 6)]


async def test_a_feed_that_moved_for_good_waits_with_the_feeds_of_its_new_domain(desk: Desk) -> None:
    there = replace(UNCHANGED, moved_to="https://feeds.new.example/wire")
    for _ in range(3):
        desk.clock.forward(days=2)
        await desk.poll(there)
    moved = await feed_now(desk.store)
    assert (moved.address, moved.domain) == ("https://feeds.new.example/wire", "new.example")


class TestDoubt:
    """Where a part leaves open what is new, the whole document is read."""

    @pytest.mark.parametrize(
        ("entry", "new"),
        [
            pytest.param(item("Story two, corrected", "story-two", "https://wire.example/story-two"), 0, id="title"),
            pytest.param(item("Story two", "story-two", "https://wire.example/elsewhere"), 0, id="link"),
            pytest.param(item("Story two", "another", "https://wire.example/story-two"), 0, id="guid"),
            pytest.param(item("Quite another", "story-two"), 1, id="a reused guid"),
            pytest.param(item("Story two", "another", "https://wire.example/elsewhere"), 1, id="a usual title"),
        ],
    )
    async def test_an_entry_that_resembles_a_known_one(self, desk: Desk, entry: bytes, new: int) -> None:
        outcome, stored = await desk.poll(rss(entry, ONE))
        assert desk.reader.bodies == [rss(entry), rss(entry, ONE)]
        assert (stored, outcome.entries) == (new, 2)
        assert (await desk.poll(rss(entry, ONE, built=2)))[1] == 0
        assert len(desk.reader.bodies) == 2

    async def test_guids_that_change_with_every_poll_are_no_news(self, desk: Desk) -> None:
        for number in range(3):
            entries = [item(title, f"{title}{number}") for title in ("Story two", "Story one")]
            outcome, new = await desk.poll(rss(*entries))
            assert (new, outcome.entries, outcome.known) == (0, 2, 2)
        assert desk.titles() == ["Story two", "Story one"]

    async def test_two_new_stories_that_share_a_guid_are_two(self, desk: Desk) -> None:
        entries = [item("Story three", "0"), item("Story four", "0")]
        assert (await desk.poll(rss(*entries, TWO, ONE)))[1] == 2

    async def test_a_document_that_had_to_be_mended_is_read_as_a_whole_the_next_time_too(self, desk: Desk) -> None:
        broken = rss(THREE, TWO, ONE).replace(b"Wire", b"Wire & more")
        assert (await desk.poll(broken))[1] == 1
        assert desk.reader.bodies == [broken.replace(TWO + ONE, b""), broken]
        again = broken.replace(TWO, FOUR + TWO)
        assert (await desk.poll(again))[1] == 1
        assert desk.reader.bodies[2:] == [again]

    async def test_a_document_that_cannot_be_taken_apart_is_read_as_a_whole(self, desk: Desk) -> None:
        nested = rss(THREE, item("Story four").replace(b"</item>", b"<item/></item>"))
        assert take_apart(nested) is None
        await desk.poll(nested)
        assert desk.reader.bodies == [nested]
        assert (await feed_now(desk.store)).blocks == b""


class TestTurningOver:
    async def test_a_document_that_shows_nothing_known_is_asked_sooner_and_leaves_a_gap(self, desk: Desk) -> None:
        before = (await desk.poll(rss(THREE, TWO, ONE)))[0].next.every
        outcome, new = await desk.poll(rss(*(item(f"Flood {n}") for n in range(9))))
        assert (new, outcome.known) == (9, 0)
        assert outcome.next.every < before
        assert len(reading.ask(desk.store.path, "SELECT * FROM exposures").rows) == 2

    async def test_one_that_still_shows_something_does_not(self, desk: Desk) -> None:
        outcome, _ = await desk.poll(rss(*(item(f"Flood {n}") for n in range(9)), TWO))
        assert outcome.known == 1
        assert len(reading.ask(desk.store.path, "SELECT * FROM exposures").rows) == 1


class TestFailing:
    async def test_a_page_that_is_no_feed_is_a_failure_however_often_it_comes(self, desk: Desk) -> None:
        for failures in (1, 2):
            outcome, _ = await desk.poll(LOGIN)
            assert (outcome.next.state, outcome.next.failures) == ("failing", failures)
            assert outcome.fetched.trouble == "content"
            assert outcome.fetched.error
        assert len(desk.reader.bodies) == 2

    async def test_after_it_the_old_body_is_well_and_a_new_one_is_read_in_part(self, desk: Desk) -> None:
        await desk.poll(LOGIN)
        outcome, _ = await desk.poll(rss(TWO, ONE))
        assert (outcome.next.state, outcome.next.failures, outcome.fetched.error) == ("ok", 0, None)
        await desk.poll(UNREACHED)
        assert (await desk.poll(rss(THREE, TWO, ONE)))[1] == 1
        assert desk.reader.bodies == [LOGIN, rss(THREE)]

    async def test_a_mistake_of_ours_is_told_without_its_values(self, desk: Desk) -> None:
        outcome = polling.fault(desk.system, await feed_now(desk.store), ZeroDivisionError("secret"))
        assert (outcome.fetched.trouble, outcome.next.state) == ("fault", "failing")
        assert outcome.fetched.error == "unexpected ZeroDivisionError; see the log"


class TestPushes:
    async def test_what_a_hub_brought_is_no_news_to_the_next_poll(self, desk: Desk) -> None:
        assert await desk.push(rss(THREE)) == 1
        outcome, new = await desk.poll(rss(FOUR, THREE, TWO, ONE))
        assert (new, outcome.known) == (1, 3)
        assert desk.titles() == ["Story two", "Story one", "Story three", "Story four"]

    async def test_nor_is_what_a_poll_brought_to_the_hub(self, desk: Desk) -> None:
        assert [await desk.push(rss(TWO)), await desk.push(rss(THREE, TWO)), await desk.push(rss(THREE))] == [0, 1, 0]

    async def test_both_at_once_store_it_once(self, desk: Desk) -> None:
        await asyncio.gather(desk.push(rss(THREE)), desk.poll(rss(THREE, TWO, ONE)), desk.push(rss(THREE, TWO)))
        assert sorted(desk.titles()) == ["Story one", "Story three", "Story two"]

    async def test_a_push_leaves_a_row_of_its_own_and_says_nothing_of_how_the_feed_answers(self, desk: Desk) -> None:
        before = await feed_now(desk.store)
        await desk.push(rss(THREE))
        after = await feed_now(desk.store)
        assert replace(after, last_news=before.last_news, rate=before.rate) == before
        assert after.last_news == desk.clock.now
        assert (after.rate or 0) > (before.rate or 0)
        rows = reading.ask(desk.store.path, "SELECT pushed, entries, new_items FROM fetches ORDER BY id").rows
        assert rows == [(0, 2, 2), (1, 1, 1)]

    async def test_pushed_news_counts_for_the_pace_of_the_polls_which_are_the_fallback(self, desk: Desk) -> None:
        for day in range(40):
            stories = [item(f"Story {day}.{number}") for number in range(10)]
            assert [await desk.push(rss(story)) for story in stories] == [1] * 10
            desk.clock.forward(hours=23)
            outcome, new = await desk.poll(rss(*stories))
            assert new == 0
        assert outcome.next.every == timedelta(minutes=15)

    async def test_a_push_brings_no_more_than_its_share_and_the_next_poll_the_rest(self, desk: Desk) -> None:
        body = rss(*(item(f"Flood {number}") for number in range(80)), TWO, ONE)
        assert await desk.push(body) == polling.MOST_PUSHED
        assert (await desk.poll(body))[1] == 80 - polling.MOST_PUSHED

    async def test_before_the_first_answer_nothing_is_taken_because_that_is_backlog(self, store: Store) -> None:
        await feed_in(store)
        desk = Desk(store)
        assert await desk.push(rss(TWO)) == 0
        await desk.poll(rss(TWO, ONE))
        assert reading.ask(store.path, "SELECT DISTINCT backlog FROM items").rows == [(1,)]

    async def test_one_that_is_no_feed_is_told_and_is_no_failure_of_the_feed(self, desk: Desk) -> None:
        with capture_logs() as told:
            assert await desk.push(LOGIN) == 0
        assert [line["event"] for line in told] == ["feed.push_unreadable"]
        assert (await feed_now(desk.store)).state == "ok"


guids = st.sampled_from(["", "0", "a", "b", "c"])
links = st.sampled_from(["", "https://wire.example/", "https://wire.example/1", "https://wire.example/2"])
titles = st.sampled_from(["Alpha", "Beta", "Gamma", "Delta"])
documents = st.lists(st.lists(st.builds(item, titles, guids, links), max_size=5), min_size=2, max_size=4)


numbers = count()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(series=documents)
async def test_a_series_of_documents_is_stored_the_same_in_parts_as_read_whole(
    store: Store, series: list[list[bytes]]
) -> None:
    # Feeds of their own for each series.
    parts, whole = (f"{way} {next(numbers)}" for way in ("in parts", "whole"))
    await store.sync_feeds([FeedSpec(name, f"https://wire.example/{name}") for name in (parts, whole)], NOW)
    desks = {parts: Desk(store), whole: Desk(store, cut=False)}
    for number, entries in enumerate(series):
        for name, desk in desks.items():
            await desk.poll(rss(*entries, built=number), name)
    assert stored(store, parts) == stored(store, whole)


FEED = Feed(1, "Wire", "https://wire.example/feed", None, None, HOUR, NOW)


def a_poll(before: FeedState = "ok", after: FeedState = "ok", error: str | None = None, **feed: Any) -> Poll:
    """Build a poll by which a feed goes from one state to another."""
    known = replace(FEED, state=before, first_ok=NOW - DAY, **feed)
    told = poll(known, error=error)
    return replace(told, next=replace(told.next, state=after))


MOVED = replace(a_poll().next, address="https://new.example/feed")


@pytest.mark.parametrize(
    ("told", "new", "lines"),
    [
        pytest.param(a_poll(), 2, [("info", "feed.polled", {"new": 2})], id="news"),
        pytest.param(a_poll(), 0, [], id="no news is not told"),
        pytest.param(poll(FEED), 0, [("info", "feed.polled", {"new": 0})], id="a first answer"),
        pytest.param(
            a_poll("ok", "failing", "HTTP 503", failures=0),
            0,
            [("warning", "feed.failed", {"error": "HTTP 503", "state": "failing", "failures": 1})],
            id="a failure",
        ),
        pytest.param(
            a_poll("failing", "failing", "HTTP 503", failures=7), 0, [("warning", "feed.failed", {})], id="another one"
        ),
        pytest.param(
            a_poll("failing", "ok", failures=3), 0, [("info", "feed.recovered", {"failures": 3, "new": 0})], id="well"
        ),
        pytest.param(a_poll("ok", "gone", "HTTP 410"), 0, [("warning", "feed.failed", {"state": "gone"})], id="gone"),
        pytest.param(a_poll("gone", "gone", "HTTP 410", failures=1), 0, [], id="gone is said once"),
        pytest.param(
            a_poll("ok", "stale"),
            0,
            [("info", "feed.stale", {"last_news": None})],
            id="stale",
        ),
        pytest.param(a_poll("stale", "stale"), 0, [], id="stale is said once"),
        pytest.param(
            replace(a_poll(), next=MOVED),
            0,
            [("warning", "feed.moved", {"address": "https://new.example/feed"})],
            id="moved",
        ),
        pytest.param(
            a_poll("ok", "failing", "HTTP 404", address="https://new.example/feed"),
            0,
            [("warning", "feed.failed", {}), ("warning", "feed.moved", {"address": "https://wire.example/feed"})],
            id="back where it was",
        ),
    ],
)
def test_what_the_log_says_of_a_poll(told: Poll, new: int, lines: list[tuple[str, str, dict[str, object]]]) -> None:
    with capture_logs() as log:
        polling.tell(told, new)
    assert [(line["log_level"], line["event"]) for line in log] == [line[:2] for line in lines]
    for line, (_, _, facts) in zip(log, lines, strict=True):
        assert line["feed"] == "Wire"
        assert facts.items() <= line.items()


class TestAFlood:
    """A feed whose entries are new with every poll must not fill the database, nor keep others' news waiting."""

    async def test_what_is_more_than_a_days_worth_is_left_out_and_told(self, desk: Desk) -> None:
        for hour in range(4):
            desk.clock.forward(hours=1)
            outcome, _ = await desk.poll(rss(*(item(f"Churned {hour} {number}") for number in range(450))))
        assert outcome.fetched.trouble == "flood"
        assert outcome.next.state == "failing"
        assert outcome.fetched.error == "it brought more than 1,500 new entries within 24 hours; 302 are left out"
        assert await desk.store.new_since(1, desk.clock.now - DAY) == 1500

    async def test_what_was_left_out_comes_when_the_day_is_over(self, desk: Desk) -> None:
        for hour in range(4):
            desk.clock.forward(hours=1)
            await desk.poll(rss(*(item(f"Churned {hour} {number}") for number in range(450))))
        desk.clock.forward(days=1)
        outcome, new = await desk.poll(rss(*(item(f"Churned 3 {number}") for number in range(450))))
        assert (outcome.fetched.error, new) == (None, 302)
