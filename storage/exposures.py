"""Exposure: from when to when a feed's flow is known without a gap, and how much of each local day that is."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from storage.days import day_of, days_between, local_day, zone_of
from storage.feed_records import Poll
from storage.records import Exposure
from storage.times import from_text, to_text

_COLUMNS = "feed_id, since, until, opened"
_NOT_MODIFIED = 304


def first_answer(poll: Poll) -> bool:
    """Tell whether this is a feed's first answer. A feed that moved and still shows known entries goes on as before."""
    return poll.feed.first_ok is None and not poll.known


def record(db: Database, polls: Sequence[tuple[Poll, datetime]]) -> None:
    """Count polls, each of another feed, and store what those that worked tell about the flow of their feeds."""
    zone = zone_of(db)
    _count_polls(db, zone, [poll for poll, _ in polls])
    worked = [(poll, now) for poll, now in polls if poll.fetched.error is None]
    if worked:
        _lengthen(db, zone, worked)


def _lengthen(db: Database, zone: ZoneInfo, polls: Sequence[tuple[Poll, datetime]]) -> None:
    days = [day_of(zone, now) for _, now in polls]
    known = _recent(db, [poll.feed.id for poll, _ in polls], local_day(zone, min(days)).start)
    grown = [_grown(poll, now, known[poll.feed.id]) for poll, now in polls]
    db.conn.executemany(_GROW, [_row(one) for one, _ in grown])
    today = [(one, day) for (one, begins), day in zip(grown, days, strict=True) if _within(zone, day, begins, one)]
    hours = [covered_hours(zone, day, [*known[one.feed_id], one]) for one, day in today]
    _set_hours(db, [(found, day.isoformat(), one.feed_id) for found, (one, day) in zip(hours, today, strict=True)])
    done = {one.feed_id for one, _ in today}
    for one, begins in grown:
        if one.feed_id not in done:
            count_hours(db, one.feed_id, list(days_between(zone, begins, one.until)))


def _within(zone: ZoneInfo, day: date, begins: datetime, grown: Exposure) -> bool:
    """Tell whether an interval grew by a part of this day alone: almost always, and quick to count."""
    start, end = _bounds(zone, day)
    return start <= begins and grown.until < end


def _grown(poll: Poll, now: datetime, known: Sequence[Exposure]) -> tuple[Exposure, datetime]:
    """Return a feed's last interval after a poll, and from when on it covers more than was covered before.

    A poll that worked leaves no gap since the last one, or begins anew: where a document shows none of the entries
    that are known, some may have come and gone meanwhile, and all that is known again is what it reaches back to.
    """
    now = now.replace(microsecond=0)  # as it is stored
    since = reach(poll, now).replace(microsecond=0) if _tells_nothing_known(poll) else now
    if known and (since <= known[-1].until or not _tells_nothing_known(poll)):
        last = known[-1]
        return Exposure(last.feed_id, last.since, max(last.until, now), last.opened), last.until
    return Exposure(poll.feed.id, since, now, now), since


def _tells_nothing_known(poll: Poll) -> bool:
    if poll.fetched.status == _NOT_MODIFIED:  # also after a pause: nothing came and went
        return False
    return not poll.known and (poll.feed.first_ok is None or poll.entries > 0)


def reach(poll: Poll, now: datetime) -> datetime:
    """How far back a document without known entries reaches: the date by which a tenth of its entries were out.

    Not the very oldest, because a single pinned post from years ago must not claim that nothing else appeared since.
    """
    dates = sorted(entry.published for entry in poll.fresh if entry.published)
    return min(dates[len(dates) // 10], now) if dates else now


def _recent(db: Database, feeds: Sequence[int], moment: str) -> Mapping[int, list[Exposure]]:
    """Return by feed its intervals that end after a moment, and in any case its last one, in order."""
    found: dict[int, list[Exposure]] = defaultdict(list)
    for row in db.conn.execute(_RECENT, [json.dumps(feeds), moment]):
        found[row["feed_id"]].append(_exposure(row))
    return found


_RECENT = """
WITH wanted AS MATERIALIZED (
  SELECT value AS feed_id, (SELECT max(since) FROM exposures WHERE feed_id = value) AS last FROM json_each(?))
SELECT e.feed_id, e.since, e.until, e.opened
FROM wanted w CROSS JOIN exposures e ON e.feed_id = w.feed_id
WHERE e.until > ? OR e.since = w.last ORDER BY e.feed_id, e.since
"""


def ending_after(db: Database, moment: datetime) -> tuple[Exposure, ...]:
    """Return all feeds' intervals that end after a moment, by feed and time."""
    sql = f"SELECT {_COLUMNS} FROM exposures WHERE until > ? ORDER BY feed_id, since"
    return tuple(_exposure(row) for row in db.execute(sql, [to_text(moment)]))


def _exposure(row: sqlite3.Row) -> Exposure:
    feed_id, since, until, opened = row
    return Exposure(feed_id, from_text(since), from_text(until), from_text(opened))


def _row(exposure: Exposure) -> tuple[object, ...]:
    return exposure.feed_id, to_text(exposure.since), to_text(exposure.until), to_text(exposure.opened)


_GROW = f"""
INSERT INTO exposures ({_COLUMNS}) VALUES (?, ?, ?, ?) ON CONFLICT (feed_id, since)
DO UPDATE SET until = max(until, excluded.until), opened = min(opened, excluded.opened)
"""


def add(db: Database, exposure: Exposure) -> None:
    """Store an interval, and the hours of the days it covers. One that begins with a stored one becomes part of it."""
    db.conn.execute(_GROW, _row(exposure))
    count_hours(db, exposure.feed_id, list(days_between(zone_of(db), exposure.since, exposure.until)))


def count_hours(db: Database, feed_id: int, days: Sequence[date]) -> None:
    """Derive the covered hours of consecutive local days from the feed's intervals."""
    if not days:  # the clock went back
        return
    zone = zone_of(db)
    sql = f"SELECT {_COLUMNS} FROM exposures WHERE feed_id = ? AND until > ? AND since < ? ORDER BY since"
    bounds = [feed_id, local_day(zone, days[0]).start, local_day(zone, days[-1]).end]
    intervals = [_exposure(row) for row in db.execute(sql, bounds)]
    _set_hours(db, [(covered_hours(zone, day, intervals), day.isoformat(), feed_id) for day in days])


def _set_hours(db: Database, hours: Sequence[tuple[float, str, int]]) -> None:
    db.conn.executemany(_SET_HOURS, [row for row in hours if row[0]])
    db.conn.executemany(_CLEAR_HOURS, [row for row in hours if not row[0]])


_SET_HOURS = """
INSERT INTO feed_days (hours, day, feed_id) VALUES (?, ?, ?)
ON CONFLICT (day, feed_id) DO UPDATE SET hours = excluded.hours
"""

_CLEAR_HOURS = "UPDATE feed_days SET hours = ? WHERE day = ? AND feed_id = ?"


def covered_hours(zone: ZoneInfo, day: date, intervals: Sequence[Exposure]) -> float:
    """Return how many hours (0 to 25) of a local day lie in at least one of these intervals, sorted by ``since``."""
    seconds = 0.0
    reached, end = _bounds(zone, day)
    for interval in intervals:
        begin, stop = max(interval.since, reached), min(interval.until, end)
        if stop > begin:
            seconds += (stop - begin).total_seconds()
            reached = stop
    return round(seconds / 3600, 4)


@lru_cache(maxsize=4096)
def _bounds(zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    bounds = local_day(zone, day)
    return from_text(bounds.start), from_text(bounds.end)


def _count_polls(db: Database, zone: ZoneInfo, polls: Sequence[Poll]) -> None:
    """Add polls to the local days on which they began."""
    db.conn.executemany(_COUNT_POLL, [_poll_row(zone, poll) for poll in polls])


def _poll_row(zone: ZoneInfo, poll: Poll) -> tuple[str, int, bool, bool]:
    failed = poll.fetched.error is not None
    return day_of(zone, poll.fetched.started).isoformat(), poll.feed.id, not failed, failed


_COUNT_POLL = """
INSERT INTO feed_days (day, feed_id, polls, failures) VALUES (?, ?, ?, ?) ON CONFLICT (day, feed_id)
DO UPDATE SET polls = polls + excluded.polls, failures = failures + excluded.failures
"""
