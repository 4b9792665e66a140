"""Derive all that is derived anew, day by day, and say what that changed: nothing, if all is well."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from sqlite_utils import Database

from storage.counts import recount
from storage.days import ONE, Day, day_of, known_zone, local_day, zone_of
from storage.exposures import count_hours
from storage.items import id_list
from storage.stories import refresh
from storage.times import from_text

Rows = dict[tuple[object, ...], tuple[object, ...]]

CHUNK = 31
"""So many local days are derived in one transaction."""


@dataclass(frozen=True, slots=True)
class Recounted:
    """How many rows were derived anew, and how many of them were not what they should be."""

    rows: int = 0
    differed: int = 0

    def __add__(self, other: "Recounted") -> "Recounted":
        return Recounted(self.rows + other.rows, self.differed + other.differed)


def days(db: Database) -> list[date]:
    """Return all local days from the first to the last of which anything is stored."""
    row = db.execute(_RANGE).fetchone()
    if row["first"] is None:
        return []
    zone = zone_of(db)
    # A day more on both sides: days may have been counted in another time zone before.
    first, last = day_of(zone, from_text(row["first"])) - ONE, day_of(zone, from_text(row["last"])) + ONE
    return [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]


_RANGE = """
SELECT min(first) AS first, max(last) AS last FROM (
  SELECT min(published) AS first, max(published) AS last FROM items
  UNION ALL SELECT min(since), max(until) FROM exposures
  UNION ALL SELECT min(started), max(started) FROM fetches
  UNION ALL SELECT min(day) || 'T00:00:00Z', max(day) || 'T00:00:00Z' FROM topic_counts
  UNION ALL SELECT min(day) || 'T00:00:00Z', max(day) || 'T00:00:00Z' FROM feed_days)
"""


def count_in(db: Database, zone: str) -> None:
    """Count the days of this time zone (an IANA name) from now on; derive all days anew when it was another.

    Raises StorageError when this system does not know it.
    """
    known = known_zone(zone)
    row = db.execute("SELECT zone FROM calendar").fetchone()
    if row is not None and row["zone"] == zone:
        return
    db.execute("DELETE FROM calendar")
    db.execute("INSERT INTO calendar (zone) VALUES (?)", [zone])
    for chunk in chunks(days(db)):
        _count_days(db, chunk, [local_day(known, day) for day in chunk])


def chunks(all_days: Sequence[date]) -> Iterator[Sequence[date]]:
    """Cut days into pieces for one transaction each."""
    for begin in range(0, len(all_days), CHUNK):
        yield all_days[begin : begin + CHUNK]


def recount_days(db: Database, chosen: Sequence[date]) -> Recounted:
    """Derive consecutive local days anew, and the stories last told then; compare with what was stored."""
    zone = zone_of(db)
    bounds = [local_day(zone, day) for day in chosen]
    stories = _last_told(db, bounds)
    before = _derived(db, bounds, stories)
    refresh(db, stories)
    _count_days(db, chosen, bounds)
    after = _derived(db, bounds, stories)
    keys = before.keys() | after.keys()
    return Recounted(len(keys), sum(before.get(key) != after.get(key) for key in keys))


def _count_days(db: Database, chosen: Sequence[date], bounds: Sequence[Day]) -> None:
    feeds = [row["id"] for row in db.execute("SELECT id FROM feeds")]
    recount(db, product(chosen, feeds))
    for feed_id in feeds:
        count_hours(db, feed_id, chosen)
    _recount_polls(db, bounds)
    _sweep(db, bounds)


def _last_told(db: Database, bounds: Sequence[Day]) -> list[int]:
    sql = "SELECT id FROM stories WHERE last_published >= ? AND last_published < ?"
    return [row["id"] for row in db.execute(sql, [bounds[0].start, bounds[-1].end])]


def _derived(db: Database, bounds: Sequence[Day], stories: Sequence[int]) -> Rows:
    """Return the derived rows of these days and stories: their values by table and key."""
    found: Rows = {}
    for table, (keys, sql) in _DERIVED.items():
        values = [bounds[0].date, bounds[-1].date] if "BETWEEN" in sql else [id_list(stories)]
        for row in db.execute(sql, values):
            found[(table, *tuple(row)[:keys])] = tuple(row)[keys:]
    return found


_DERIVED = {
    "topic_counts": (
        3,
        "SELECT day, topic, feed_id, stories, items, weight FROM topic_counts WHERE day BETWEEN ? AND ?",
    ),
    "feed_days": (
        2,
        "SELECT day, feed_id, stories, items, hours, polls, failures FROM feed_days WHERE day BETWEEN ? AND ?",
    ),
    "stories": (
        1,
        """SELECT id, title, url, first_published, last_published, items, outlets, independent FROM stories
           WHERE id IN (SELECT value FROM json_each(?))""",
    ),
    "story_items": (
        1,
        "SELECT item_id, novelty FROM story_items WHERE story_id IN (SELECT value FROM json_each(?))",
    ),
}
"""For each table with derived columns, how many columns are its key, and the rows of some days or stories."""


def _recount_polls(db: Database, bounds: Sequence[Day]) -> None:
    """Count the polls again of the days that `fetches` still holds; what older days say is all that is left of them."""
    oldest = db.execute("SELECT min(started) AS started FROM fetches").fetchone()["started"]
    held = [day for day in bounds if oldest is not None and day.end > oldest]
    if not held:
        return
    listed = json.dumps([(day.date, day.start, day.end) for day in held])
    db.execute(
        "UPDATE feed_days SET polls = 0, failures = 0 WHERE day > ? AND day <= ?",
        [day_of(zone_of(db), from_text(oldest)).isoformat(), held[-1].date],
    )
    db.execute(_COUNT_POLLS, [listed])


# Of the day on which the record begins a part may be gone already: there the larger number holds.
_COUNT_POLLS = """
INSERT INTO feed_days (day, feed_id, polls, failures)
SELECT d.day, f.feed_id, sum(f.error IS NULL), sum(f.error IS NOT NULL) FROM (
  SELECT json_extract(value, '$[0]') AS day, json_extract(value, '$[1]') AS start, json_extract(value, '$[2]') AS "end"
  FROM json_each(?)) d CROSS JOIN fetches f ON f.started >= d.start AND f.started < d."end"
WHERE NOT f.pushed GROUP BY d.day, f.feed_id
ON CONFLICT (day, feed_id) DO UPDATE SET polls = max(polls, excluded.polls), failures = max(failures, excluded.failures)
"""


def _sweep(db: Database, bounds: Sequence[Day]) -> None:
    """Remove the rows of days on which, as counted now, nothing was."""
    db.execute(
        """DELETE FROM feed_days WHERE day BETWEEN ? AND ?
           AND stories = 0 AND items = 0 AND hours = 0 AND polls = 0 AND failures = 0""",
        [bounds[0].date, bounds[-1].date],
    )
