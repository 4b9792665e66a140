"""Daily counts of stories and items, by topic and whatever the topic: rollups that follow from items and stories.

A place is a local day in one feed: the smallest piece that is counted anew.
"""

import json
import sqlite3
from collections.abc import Iterable, Set
from datetime import date, timedelta
from math import fsum
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from storage.alert_records import DayCount
from storage.days import ONE, day_of, local_day, zone_of
from storage.items import id_list
from storage.novelty import weight
from storage.times import from_text

LATE = timedelta(days=7)
"""An item that was seen later than this after its publication changes no count, unless it came as a backlog."""

Place = tuple[date, int]


def in_time(item: str) -> str:
    """Return the SQL condition under which an item (a row of items under this alias) counts."""
    late = f"strftime('%s', {item}.seen) - strftime('%s', {item}.published)"
    return f"({item}.backlog OR {late} <= {LATE // timedelta(seconds=1)})"


def recount_stories_of(db: Database, item_ids: Iterable[int]) -> None:
    """Count anew whatever may change with these items: all places in which a telling of one of their stories lies."""
    recount(db, places_of(db, item_ids))


def places_of(db: Database, item_ids: Iterable[int]) -> set[Place]:
    """Return the places of all tellings of these items' stories."""
    zone = zone_of(db)
    sql = """SELECT DISTINCT i.feed_id, i.published FROM story_items m JOIN items i ON i.id = m.item_id
             WHERE m.story_id IN
               (SELECT story_id FROM story_items WHERE item_id IN (SELECT value FROM json_each(?)))"""
    rows = db.execute(sql, [id_list(item_ids)])
    return {(day_of(zone, from_text(row["published"])), row["feed_id"]) for row in rows}


def recount(db: Database, places: Iterable[Place]) -> None:
    """Derive the counts of these places from items, stories and signals, whatever they held before."""
    zone, wanted = zone_of(db), set(places)
    there = json.dumps([(feed, d.start, d.end) for day, feed in wanted for d in [local_day(zone, day)]])
    keys = [(day.isoformat(), feed_id) for day, feed_id in wanted]
    by_topic = _ranks(db.execute(_TAGGED_TELLINGS, [there]), zone, wanted)
    db.conn.executemany("DELETE FROM topic_counts WHERE day = ? AND feed_id = ?", keys)
    db.conn.executemany(
        "INSERT INTO topic_counts (day, feed_id, topic, stories, items, weight) VALUES (?, ?, ?, ?, ?, ?)",
        [(*key, ranks.count(1), len(ranks), round(fsum(map(weight, ranks)), 6)) for key, ranks in by_topic.items()],
    )
    all_told = _ranks(db.execute(_TELLINGS, [there]), zone, wanted)
    db.conn.executemany("UPDATE feed_days SET stories = 0, items = 0 WHERE day = ? AND feed_id = ?", keys)
    db.conn.executemany(
        """INSERT INTO feed_days (day, feed_id, stories, items) VALUES (?, ?, ?, ?)
           ON CONFLICT (day, feed_id) DO UPDATE SET stories = excluded.stories, items = excluded.items""",
        [(day, feed_id, ranks.count(1), len(ranks)) for (day, feed_id, _), ranks in all_told.items()],
    )


def _ranks(rows: Iterable[sqlite3.Row], zone: ZoneInfo, wanted: Set[Place]) -> dict[tuple[str, int, str], list[int]]:
    """Return which numbers the tellings in each place have within their stories, by day, feed and topic.

    Rows are story, topic, feed and time of publication, in the order of publication.
    """
    told: dict[tuple[int, str], int] = {}
    found: dict[tuple[str, int, str], list[int]] = {}
    for story_id, topic, feed_id, published in rows:
        rank = told[story_id, topic] = told.get((story_id, topic), 0) + 1
        day = day_of(zone, from_text(published))
        if (day, feed_id) in wanted:
            found.setdefault((day.isoformat(), feed_id, topic), []).append(rank)
    return found


# From the places to the stories told there, and from these to all their tellings: a story counts in one place, that of
# its first. CROSS JOIN keeps SQLite in this order, however large the tables are.
_THERE = """
WITH there AS MATERIALIZED (
  SELECT DISTINCT m.story_id FROM json_each(?) p
  CROSS JOIN items i ON i.feed_id = json_extract(p.value, '$[0]')
    AND i.published >= json_extract(p.value, '$[1]') AND i.published < json_extract(p.value, '$[2]')
  CROSS JOIN story_items m ON m.item_id = i.id {tagged})
"""

_TELLINGS = f"""
{_THERE.format(tagged="")}
SELECT m.story_id, '', i.feed_id, i.published
FROM there CROSS JOIN story_items m ON m.story_id = there.story_id CROSS JOIN items i ON i.id = m.item_id
WHERE {in_time("i")} ORDER BY i.published, i.id
"""

_TAGGED_TELLINGS = f"""
{_THERE.format(tagged="CROSS JOIN signals s ON s.item_id = i.id")}
SELECT m.story_id, s.topic, i.feed_id, i.published
FROM there CROSS JOIN story_items m ON m.story_id = there.story_id CROSS JOIN signals s ON s.item_id = m.item_id
CROSS JOIN items i ON i.id = m.item_id
WHERE {in_time("i")} ORDER BY i.published, i.id
"""


def day_counts(db: Database, topic: str, last: date, days: int) -> tuple[DayCount, ...]:
    """Return the stories of each of the last ``days`` local days up to ``last``, oldest first, zeros included."""
    first = last - (days - 1) * ONE
    sql = "SELECT day, sum(stories) AS n FROM topic_counts WHERE topic = ? AND day BETWEEN ? AND ? GROUP BY day"
    counts = {row["day"]: row["n"] for row in db.execute(sql, [topic, first.isoformat(), last.isoformat()])}
    each = [first + n * ONE for n in range(days)]
    return tuple(DayCount(day, counts.get(day.isoformat(), 0)) for day in each)
