"""Feeds as they are read from their rows, and hints as they are written there."""

import json
import sqlite3
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from storage.feed_records import Feed, Hints, Move
from storage.times import from_text, maybe_time, to_text

_TIMES = ("first_ok", "state_since", "last_poll", "last_ok", "last_news")
_AS_STORED = (
    *("id", "name", "url", "lang", "kind", "etag", "modified", "body_hash", "failures", "rate", "state"),
    *("address", "domain"),
)
_CLOCKS_DIFFER = timedelta(hours=1)
_LONGEST_CLOSED = timedelta(days=2)
_MOVE = ("moved_to", "moved_since", "moved_times")
_BLOCKS = "(SELECT blocks FROM documents WHERE feed_id = feeds.id) AS blocks"
_COLUMNS = ", ".join((*_AS_STORED, *_TIMES, *_MOVE, "every", "fixed", "hints", _BLOCKS))


def due(db: Database, now: datetime) -> list[Feed]:
    """Return the active feeds whose time has come and whose domain is not closed, the longest overdue first.

    What was polled, or closed, in the future was so by a clock that was wrong (a machine that had just started, say):
    without this nobody would ask again before that future has come.
    """
    sql = f"""SELECT {_COLUMNS}, next_poll FROM feeds
              WHERE active AND (next_poll <= :now OR last_poll > :future AND state <> 'gone') AND NOT EXISTS (
                SELECT 1 FROM domains d
                WHERE d.domain = feeds.domain AND d.closed_until > :now AND d.closed_until < :longest)
              ORDER BY next_poll, id"""
    times = {"now": to_text(now), "future": to_text(now + _CLOCKS_DIFFER), "longest": to_text(now + _LONGEST_CLOSED)}
    return [_feed(row) for row in db.conn.execute(sql, times)]


def active(db: Database) -> list[Feed]:
    """Return the feeds of the configuration, in the order in which they were added.

    One whose domain is closed is due when that is over.
    """
    sql = f"""SELECT {_COLUMNS}, max(next_poll, coalesce(d.closed_until, '')) AS next_poll
              FROM feeds LEFT JOIN domains d USING (domain) WHERE active ORDER BY id"""
    return [_feed(row) for row in db.conn.execute(sql)]


def hasten(db: Database, now: datetime, most: int) -> None:
    """Make feeds due that could not be reached at the last poll, those first that were asked longest ago."""
    db.conn.execute(
        """UPDATE feeds SET next_poll = :now WHERE id IN (SELECT id FROM feeds WHERE active AND trouble = 'network'
           AND next_poll > :now ORDER BY last_poll LIMIT :most)""",
        {"now": to_text(now), "most": most},
    )


def _feed(row: sqlite3.Row) -> Feed:
    values: dict[str, Any] = {name: row[name] for name in _AS_STORED}
    values |= {name: maybe_time(row[name]) for name in _TIMES}
    return Feed(
        **values,
        every=timedelta(seconds=row["every"]),
        fixed=bool(row["fixed"]),
        next_poll=from_text(row["next_poll"]),
        hints=_hints(row["hints"]),
        move=_move(row),
        blocks=row["blocks"] or b"",
    )


def _move(row: sqlite3.Row) -> Move | None:
    if row["moved_to"] is None:
        return None
    return Move(row["moved_to"], from_text(row["moved_since"]), row["moved_times"])


def _hints(text: str | None) -> Hints:
    if text is None:
        return Hints()
    stored = json.loads(text)
    return Hints(
        ttl=timedelta(seconds=stored["ttl"]) if "ttl" in stored else None,
        skip_hours=tuple(stored.get("skip_hours", ())),
        skip_days=tuple(stored.get("skip_days", ())),
        hub=stored.get("hub"),
        topic=stored.get("topic"),
    )


def hints_text(hints: Hints) -> str:
    """Write hints as JSON; what a document does not say is left out."""
    said = {
        "ttl": hints.ttl.total_seconds() if hints.ttl is not None else None,
        "skip_hours": hints.skip_hours or None,
        "skip_days": hints.skip_days or None,
        "hub": hints.hub,
        "topic": hints.topic,
    }
    return json.dumps({name: value for name, value in said.items() if value is not None})
