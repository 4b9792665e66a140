"""What is derived, computed once more from the raw tables, row by row in plain Python: slow, and easy to believe."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from storage import reading

Rows = set[tuple[object, ...]]
HOUR = timedelta(hours=1)

STORED = {
    "topic_counts": "SELECT day, topic, feed_id, stories, items, weight FROM topic_counts",
    "feed_days": "SELECT day, feed_id, stories, items FROM feed_days WHERE items > 0",
    "hours": "SELECT day, feed_id, hours FROM feed_days WHERE hours > 0",
    "stories": """SELECT id, title, url, first_published, last_published, items, outlets, independent FROM stories""",
    "novelty": "SELECT item_id, novelty FROM story_items",
}


def stored(path: Path) -> dict[str, Rows]:
    """Return what the database holds."""
    return {name: set(reading.ask(path, sql).rows) for name, sql in STORED.items()}


@dataclass(frozen=True)
class Raw:
    """The raw tables, and the local days they are counted in."""

    zone: ZoneInfo
    items: dict[int, sqlite3.Row]
    stories: dict[int, list[sqlite3.Row]]
    topics: dict[int, list[str]]
    exposures: list[sqlite3.Row]

    def day(self, item_id: int) -> str:
        return moment(self.items[item_id]["published"]).astimezone(self.zone).date().isoformat()

    def counts(self, item_id: int) -> bool:
        item = self.items[item_id]
        return item["backlog"] > 0 or moment(item["seen"]) - moment(item["published"]) <= timedelta(days=7)

    def feed(self, item_id: int) -> int:
        return int(self.items[item_id]["feed_id"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def raw(path: Path) -> Raw:
    """Read the raw tables; each story's tellings come in the order of publication."""
    with sqlite3.connect(path) as db:
        db.row_factory = sqlite3.Row
        items = {row["id"]: row for row in db.execute("SELECT * FROM items")}
        stories: dict[int, list[sqlite3.Row]] = defaultdict(list)
        for row in sorted(db.execute("SELECT * FROM story_items"), key=lambda r: published(items, r["item_id"])):
            stories[row["story_id"]].append(row)
        topics: dict[int, list[str]] = defaultdict(list)
        for row in db.execute("SELECT item_id, topic FROM signals"):
            topics[row["item_id"]].append(row["topic"])
        zone = db.execute("SELECT zone FROM calendar").fetchone()
        exposures = list(db.execute("SELECT * FROM exposures"))
    db.close()
    return Raw(ZoneInfo(zone["zone"] if zone else "UTC"), items, stories, topics, exposures)


def published(items: dict[int, sqlite3.Row], item_id: int) -> tuple[str, int]:
    return items[item_id]["published"], item_id


def expected(path: Path) -> dict[str, Rows]:
    """Return what the database should hold."""
    known = raw(path)
    return {
        "topic_counts": set(_topic_counts(known)),
        "feed_days": set(_feed_days(known)),
        "hours": set(_hours(known)),
        "stories": set(_stories(known)),
        "novelty": set(_novelty(known)),
    }


def _ranked(known: Raw, topic: str | None) -> Iterator[tuple[int, int]]:
    """Yield each counted item (that carries the topic), with its number within its story."""
    for tellings in known.stories.values():
        ids = [row["item_id"] for row in tellings if known.counts(row["item_id"])]
        yield from enumerate((i for i in ids if topic is None or topic in known.topics[i]), 1)


def _topic_counts(known: Raw) -> Iterator[tuple[object, ...]]:
    for topic in {topic for topics in known.topics.values() for topic in topics}:
        ranks = _by_place(known, _ranked(known, topic))
        for (day, feed), numbers in ranks.items():
            millionths = sum(1_000_000 if n == 1 else int(50_000 * 0.75 ** (n - 2)) for n in numbers)
            yield day, topic, feed, numbers.count(1), len(numbers), millionths / 1_000_000


def _by_place(known: Raw, ranked: Iterable[tuple[int, int]]) -> dict[tuple[str, int], list[int]]:
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for rank, item in ranked:
        found[known.day(item), known.feed(item)].append(rank)
    return found


def _feed_days(known: Raw) -> Iterator[tuple[object, ...]]:
    for (day, feed), ranks in _by_place(known, _ranked(known, None)).items():
        yield day, feed, ranks.count(1), len(ranks)


def _hours(known: Raw) -> Iterator[tuple[object, ...]]:
    """Walk from midnight to midnight through each interval; a feed's intervals do not overlap here."""
    seconds: Counter[tuple[str, int]] = Counter()
    for row in known.exposures:
        at, until = moment(row["since"]), moment(row["until"])
        while at < until:
            local = at.astimezone(known.zone).date()
            end = min(until, _midnight(known.zone, local + timedelta(days=1)))
            seconds[local.isoformat(), row["feed_id"]] += int((end - at).total_seconds())
            at = end
    return ((day, feed, round(number / 3600, 4)) for (day, feed), number in seconds.items() if number)


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(ZoneInfo("UTC"))


def _stories(known: Raw) -> Iterator[tuple[object, ...]]:
    for story, tellings in known.stories.items():
        items: list[Any] = [known.items[row["item_id"]] for row in tellings]
        own = {known.feed(row["item_id"]) for row in tellings if row["relation"] != "copy"}
        outlets = {item["feed_id"] for item in items}
        first, last = items[0], items[-1]
        sizes = len(items), len(outlets), len(own)
        yield story, first["title"], first["url"], first["published"], last["published"], *sizes


def _novelty(known: Raw) -> Iterator[tuple[object, ...]]:
    chain = (100, 75, 56, 42, 32, 24, 18, 13, 10, 8, 6, 4, 3, 2, 2, 1, 1, 1, 1)
    for tellings in known.stories.values():
        for number, row in enumerate(tellings):
            yield row["item_id"], chain[number] if number < len(chain) else 0
