"""Records for tests, with everything that a test does not care about filled in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from storage.alert_records import AlertState, Finding, Raised
from storage.feed_records import Entry, Feed, FeedSpec, Fetched, NextPoll, Poll, Trouble
from storage.records import Classification, Grouping, Item, Merge, Signal, StoryItem
from storage.store import Store

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
MODEL = "test-model"
MODIFIED = "Mon, 23 Nov 2026 13:00:00 GMT"


def entry(title: str, published: datetime | None = NOW, **fields: object) -> Entry:
    """Build an entry with a guid and a link of its own."""
    slug = sha256(title.encode()).hexdigest()[:8]
    return replace(Entry(slug, f"https://example.org/{slug}", title, "", "en", published), **fields)  # type: ignore[arg-type]


def poll(feed: Feed, *entries: Entry, error: str | None = None) -> Poll:
    """Build a poll of a feed that brought these entries, all of them new, or failed."""
    trouble: Trouble | None = "status" if error else None
    fetched = Fetched(
        NOW, 0.1, 200, 1000, error=error, trouble=trouble, etag='"v1"', modified="Mon, 23 Nov 2026 13:00:00 GMT"
    )
    identities = tuple(f"id:{e.guid}" for e in entries)
    keys = tuple((int(sha256(i.encode()).hexdigest()[:12], 16),) for i in identities)
    later = NextPoll(NOW + timedelta(minutes=30), 1 if error else 0, state="failing" if error else "ok")
    return Poll(feed, fetched, later, "hash", len(entries), entries, identities, keys)


def unchanged(feed: Feed, now: datetime = NOW) -> Poll:
    """Build a poll to which the server said that nothing is new (304)."""
    fetched = Fetched(now, 0.1, 304, 200, etag='"v1"', modified=MODIFIED)
    return Poll(feed, fetched, NextPoll(now + timedelta(minutes=30)))


async def feed_in(store: Store, name: str = "Wire") -> Feed:
    """Add a feed to the store's feeds, and return it as stored."""
    known = {feed.name: FeedSpec(feed.name, feed.url) for feed in await store.all_feeds()}
    known[name] = FeedSpec(name, f"https://{name.lower()}.example/feed")
    await store.sync_feeds(list(known.values()), NOW)
    return await feed_now(store, name)


async def feed_now(store: Store, name: str = "Wire") -> Feed:
    """Return one of the store's feeds as it stands."""
    return next(feed for feed in await store.all_feeds() if feed.name == name)


async def past_first_answer(store: Store, feed: Feed) -> Feed:
    """Let the feed answer once, empty, so that what follows is news and no backlog."""
    await store.save_poll(poll(feed), NOW - timedelta(days=1))
    return await feed_now(store, feed.name)


async def tag(store: Store, **topics: float) -> list[Item]:
    """Classify every item that waits, each with these topics."""
    items = await store.pending("classify", 1000)
    found = [Classification(item.id, topic, MODEL, p) for item in items for topic, p in topics.items()]
    signals = [Signal(item.id, topic, p, MODEL) for item in items for topic, p in topics.items() if p >= 0.5]
    await store.save_classified(found, signals, [], NOW)
    return items


async def tell(store: Store, *stories: int, merges: tuple[Merge, ...] = ()) -> list[int]:
    """Give every item that waits for it its place in a story, by id; return the stories they are in then.

    ``stories`` are stored ones, or negative numbers for new ones; without any, each item opens a story of its own. An
    item that joins others retells them.
    """
    waiting = sorted(one.item.id for one in await store.pending_tellings(10_000))
    numbers = stories or range(-1, -len(waiting) - 1, -1)
    placed = tuple(StoryItem(item, story, "retelling") for item, story in zip(waiting, numbers, strict=True))
    await store.save_grouping(Grouping(placed, merges), NOW)
    told = await store.tellings(NOW - timedelta(days=99_999), NOW + timedelta(days=99_999))
    found = {one.item.id: one.story_id or 0 for one in told}
    return [found[item] for item in waiting]


def finding(key: str = "surge:efficiency:1", *send: str) -> Finding:
    """Build a finding with a headline and nothing to list."""
    return Finding(
        "surge", "trend", key, "warning", "efficiency", "Efficiency news ×4.6", "Because.", send or ("desk",)
    )


def raised(*found: Finding, state: AlertState = "told", until: datetime | None = None, why: str = "") -> list[Raised]:
    """Decide the same of each of these findings."""
    return [Raised(one, state, until, why) for one in found]
