"""Exposure: from when to when a feed's flow is known without a gap, and how much of each local day that is."""

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from storage.days import day_of, days_between, local_day, zone_of
from storage.feed_records import Poll
from storage.records import Exposure
from storage.times import from_text, to_text

_COLUMNS = "feed_id, since, until, opened"


def first_answer(poll: Poll) -> bool:
    """Tell whether this is a feed's first answer. A feed that moved and still shows known entries goes on as before."""
    return poll.feed.first_ok is None and not poll.known


def record(db: Database, poll: Poll, now: datetime) -> None:
    """Store what a poll that worked tells about a feed's flow: no gap since the last one, or a new beginning.

    Where a document shows none of the entries that are known, some may have come and gone meanwhile: all that is known
    again is what it reaches back to.
    """
    last = latest(db, poll.feed.id)
    since = reach(poll, now) if _tells_nothing_known(poll) else now
    if last and (since <= last.until or not _tells_nothing_known(poll)):
        _extend(db, last, now)
    else:
        add(db, Exposure(poll.feed.id, since, now, now))


def _tells_nothing_known(poll: Poll) -> bool:
    return not poll.known and (poll.feed.first_ok is None or poll.entries > 0)


def reach(poll: Poll, now: datetime) -> datetime:
    """How far back a document without known entries reaches: the date by which a tenth of its entries were out.

    Not the very oldest, because a single pinned post from years ago must not claim that nothing else appeared since.
    """
    dates = sorted(entry.published for entry in poll.fresh if entry.published)
    return min(dates[len(dates) // 10], now) if dates else now


def latest(db: Database, feed_id: int) -> Exposure | None:
    """Return a feed's last interval."""
    sql = f"SELECT {_COLUMNS} FROM exposures WHERE feed_id = ? ORDER BY since DESC LIMIT 1"
    row = db.execute(sql, [feed_id]).fetchone()
    return _exposure(row) if row else None


def ending_after(db: Database, moment: datetime) -> tuple[Exposure, ...]:
    """Return all feeds' intervals that end after a moment, by feed and time."""
    sql = f"SELECT {_COLUMNS} FROM exposures WHERE until > ? ORDER BY feed_id, since"
    return tuple(_exposure(row) for row in db.execute(sql, [to_text(moment)]))


def _exposure(row: sqlite3.Row) -> Exposure:
    return Exposure(row["feed_id"], *(from_text(row[name]) for name in ("since", "until", "opened")))


def add(db: Database, exposure: Exposure) -> None:
    """Store an interval, and the hours of the days it covers. One that begins with a stored one becomes part of it."""
    db.execute(
        f"""INSERT INTO exposures ({_COLUMNS}) VALUES (?, ?, ?, ?) ON CONFLICT (feed_id, since)
            DO UPDATE SET until = max(until, excluded.until), opened = min(opened, excluded.opened)""",
        [exposure.feed_id, to_text(exposure.since), to_text(exposure.until), to_text(exposure.opened)],
    )
    count_hours(db, exposure.feed_id, list(days_between(zone_of(db), exposure.since, exposure.until)))


def _extend(db: Database, last: Exposure, now: datetime) -> None:
    db.execute(
        "UPDATE exposures SET until = max(until, ?) WHERE feed_id = ? AND since = ?",
        [to_text(now), last.feed_id, to_text(last.since)],
    )
    count_hours(db, last.feed_id, list(days_between(zone_of(db), last.until, now)))


def count_hours(db: Database, feed_id: int, days: Sequence[date]) -> None:
    """Derive the covered hours of consecutive local days from the feed's intervals."""
    if not days:  # the clock went back
        return
    zone = zone_of(db)
    sql = f"SELECT {_COLUMNS} FROM exposures WHERE feed_id = ? AND until > ? AND since < ? ORDER BY since"
    bounds = [feed_id, local_day(zone, days[0]).start, local_day(zone, days[-1]).end]
    intervals = [_exposure(row) for row in db.execute(sql, bounds)]
    hours = [(covered_hours(zone, day, intervals), day.isoformat(), feed_id) for day in days]
    db.conn.executemany(_SET_HOURS, [row for row in hours if row[0]])
    db.conn.executemany(_CLEAR_HOURS, [row for row in hours if not row[0]])


_SET_HOURS = """
INSERT INTO feed_days (hours, day, feed_id) VALUES (?, ?, ?)
ON CONFLICT (day, feed_id) DO UPDATE SET hours = excluded.hours
"""

_CLEAR_HOURS = "UPDATE feed_days SET hours = ? WHERE day = ? AND feed_id = ?"


def covered_hours(zone: ZoneInfo, day: date, intervals: Sequence[Exposure]) -> float:
    """Return how many hours (0 to 25) of a local day lie in at least one of these intervals, sorted by ``since``."""
    bounds = local_day(zone, day)
    reached, end, seconds = from_text(bounds.start), from_text(bounds.end), 0.0
    for interval in intervals:
        begin, stop = max(interval.since, reached), min(interval.until, end)
        if stop > begin:
            seconds += (stop - begin).total_seconds()
            reached = stop
    return round(seconds / 3600, 4)


def count_poll(db: Database, feed_id: int, started: datetime, failed: bool) -> None:
    """Add a poll to its local day."""
    day = day_of(zone_of(db), started).isoformat()
    db.execute(
        """INSERT INTO feed_days (day, feed_id, polls, failures) VALUES (?, ?, ?, ?) ON CONFLICT (day, feed_id)
           DO UPDATE SET polls = polls + excluded.polls, failures = failures + excluded.failures""",
        [day, feed_id, int(not failed), int(failed)],
    )
