"""The history of the flow as trend detection reads it: stories by their first tellings, and what was covered."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlite_utils import Database

from storage.counts import in_time
from storage.days import day_of, zone_of
from storage.exposures import ending_after
from storage.records import NEWS, FeedDay, History, Occurrence
from storage.times import from_text, to_text


def read(db: Database, topics: Sequence[str], since: datetime, recent: datetime) -> History:
    """Return the history from ``since`` on; all stories one by one only from ``recent`` on (both local midnights)."""
    return History(
        exposures=ending_after(db, since),
        told={topic: _told(db, topic, since) for topic in topics},
        recent=_recent(db, recent),
        totals=_totals(db, since, recent),
        read_since=_read_since(db, topics),
    )


def is_news(published: datetime, seen: datetime, *, backlog: bool) -> bool:
    """Tell whether an item was news when it was seen."""
    return not backlog and seen - published <= NEWS


def _told(db: Database, topic: str, since: datetime) -> tuple[Occurrence, ...]:
    """Return a topic's stories whose first counted telling within the topic was published at ``since`` or later."""
    return _first_tellings(db.execute(_TOLD, {"topic": topic, "since": to_text(since)}))


def _recent(db: Database, since: datetime) -> tuple[Occurrence, ...]:
    """Return all stories whose first counted telling was published at ``since`` or later."""
    return _first_tellings(db.execute(_RECENT, {"since": to_text(since)}))


def _first_tellings(rows: Iterable[sqlite3.Row]) -> tuple[Occurrence, ...]:
    """Return the first row of each story; rows come in the order of publication."""
    first: dict[int, Occurrence] = {}
    for story_id, feed_id, published, seen, backlog in rows:
        if story_id not in first:
            at = from_text(published)
            first[story_id] = Occurrence(feed_id, at, is_news(at, from_text(seen), backlog=bool(backlog)))
    return tuple(first.values())


# CROSS JOIN keeps the order: by the index in order of publication, so that nothing is sorted. Only for a story begun
# before the window (first_published is of any telling) its earlier tellings are looked at.
_TOLD = f"""
SELECT m.story_id, i.feed_id, s.published, i.seen, i.backlog FROM signals s
CROSS JOIN items i ON i.id = s.item_id CROSS JOIN story_items m ON m.item_id = s.item_id
CROSS JOIN stories t ON t.id = m.story_id
WHERE s.topic = :topic AND s.published >= :since AND {in_time("i")} AND (t.first_published >= :since OR NOT EXISTS (
  SELECT 1 FROM story_items e CROSS JOIN items j ON j.id = e.item_id
  CROSS JOIN signals x ON x.item_id = j.id AND x.topic = s.topic
  WHERE e.story_id = m.story_id AND j.published < :since AND {in_time("j")}))
ORDER BY s.published, s.item_id
"""

_RECENT = f"""
SELECT m.story_id, i.feed_id, i.published, i.seen, i.backlog FROM items i
CROSS JOIN story_items m ON m.item_id = i.id CROSS JOIN stories t ON t.id = m.story_id
WHERE i.published >= :since AND {in_time("i")} AND (t.first_published >= :since OR NOT EXISTS (
  SELECT 1 FROM story_items e CROSS JOIN items j ON j.id = e.item_id
  WHERE e.story_id = m.story_id AND j.published < :since AND {in_time("j")}))
ORDER BY i.published, i.id
"""


def _totals(db: Database, since: datetime, recent: datetime) -> tuple[FeedDay, ...]:
    """Return all stories per feed and local day, from that of ``since`` up to the day before that of ``recent``."""
    zone = zone_of(db)
    days = [day_of(zone, since).isoformat(), day_of(zone, recent).isoformat()]
    sql = "SELECT day, feed_id, stories FROM feed_days WHERE day >= ? AND day < ? AND stories > 0 ORDER BY day, feed_id"
    return tuple(FeedDay(date.fromisoformat(day), feed_id, stories) for day, feed_id, stories in db.execute(sql, days))


def _read_since(db: Database, topics: Sequence[str]) -> dict[str, datetime]:
    sql = """SELECT topic, read_since FROM thresholds
             WHERE read_since IS NOT NULL AND topic IN (SELECT value FROM json_each(?)) ORDER BY topic"""
    return {row["topic"]: from_text(row["read_since"]) for row in db.execute(sql, [json.dumps(list(topics))])}
