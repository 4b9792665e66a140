"""Polls: what each changed of its feed, and the record of it. Those that wait together are stored together."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from sqlite_utils import Database

from storage import entries, exposures
from storage.feed_records import RATE_MEMORY, Move, Poll
from storage.feed_rows import hints_text
from storage.times import maybe_text, to_text

Timed: TypeAlias = tuple[Poll, datetime]
"""A poll and the time at which it is stored."""

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When a feed that is gone is asked again."""


def save(db: Database, polls: Sequence[Timed]) -> list[int]:
    """Store the outcomes of polls. Returns how many new items each brought."""
    brought: list[int] = []
    for some in _rounds(polls):
        stored = [entries.insert(db, poll, now) for poll, now in some]
        _insert_fetches(db, [_fetch(poll, new) for (poll, _), new in zip(some, stored, strict=True)])
        exposures.record(db, some)
        _update_feeds(db, [(poll, now, new) for (poll, now), new in zip(some, stored, strict=True)])
        brought += stored
    return brought


def _rounds(polls: Sequence[Timed]) -> Iterator[list[Timed]]:
    """Cut polls so that within each part no feed comes twice: what one leaves is what the next one starts from."""
    part: list[Timed] = []
    feeds: set[int] = set()
    for poll, now in polls:
        if poll.feed.id in feeds:
            yield part
            part, feeds = [], set()
        part.append((poll, now))
        feeds.add(poll.feed.id)
    yield part


def new_since(db: Database, feed_id: int, moment: datetime) -> int:
    """Count the items that a feed has brought since then, asked for or pushed."""
    sql = "SELECT coalesce(sum(new_items), 0) FROM fetches WHERE started >= ? AND feed_id = ?"
    (found,) = db.conn.execute(sql, [to_text(moment), feed_id]).fetchone()
    return int(found)


def save_push(db: Database, push: Poll, now: datetime) -> int:
    """Store what a feed's hub brought: its new entries and a record, but nothing of how the feed answers.

    They count for the feed's pace like those of a poll: else the polls, which find them known, would fall asleep, and
    be no fallback when the hub fails.
    """
    new = entries.insert(db, push, now)
    _insert_fetches(db, [{**_fetch(push, new), "pushed": 1}])
    if new:
        faster = new * timedelta(days=1) / RATE_MEMORY
        sql = "UPDATE feeds SET last_news = ?, rate = rate + ? WHERE id = ?"
        db.conn.execute(sql, [to_text(now), faster, push.feed.id])
    return new


def _fetch(poll: Poll, new: int) -> dict[str, object]:
    fetched = poll.fetched
    return {
        "feed": poll.feed.id,
        "started": to_text(fetched.started),
        "seconds": round(fetched.seconds, 3),
        "status": fetched.status,
        "bytes": fetched.wire_bytes,
        "entries": poll.entries,
        "new": new,
        "error": fetched.error,
        "trouble": fetched.trouble,
        "pushed": 0,
    }


def _insert_fetches(db: Database, rows: Sequence[dict[str, object]]) -> None:
    db.conn.executemany(
        """INSERT INTO fetches (feed_id, started, seconds, status, bytes, entries, new_items, error, trouble, pushed)
           VALUES (:feed, :started, :seconds, :status, :bytes, :entries, :new, :error, :trouble, :pushed)""",
        rows,
    )


def _update_feeds(db: Database, polls: Sequence[tuple[Poll, datetime, int]]) -> None:
    answered = [one for one in polls if one[0].fetched.error is None]
    failed = [one for one in polls if one[0].fetched.error is not None]
    db.conn.executemany(_ANSWERED, [_standing(poll, now) | _learned(poll, new) for poll, now, new in answered])
    db.conn.executemany(_FAILED, [_standing(poll, now) for poll, now, _ in failed])
    blocks = [(poll.feed.id, poll.blocks) for poll, _, _ in answered if poll.blocks is not None]
    db.conn.executemany("INSERT OR REPLACE INTO documents (feed_id, blocks) VALUES (?, ?)", blocks)
    _close_domains(db, [(poll, now) for poll, now, _ in polls if poll.next.closed_until is not None])


def _standing(poll: Poll, now: datetime) -> dict[str, object]:
    after = poll.next
    return {
        "id": poll.feed.id,
        "now": to_text(now),
        "status": poll.fetched.status,
        "error": poll.fetched.error,
        "trouble": poll.fetched.trouble,
        "failures": after.failures,
        "next": to_text(after.at or NEVER),
        "every": after.every.total_seconds(),
        "rate": after.rate,
        "state": after.state,
        "since": maybe_text(after.state_since),
        "address": after.address,
        "domain": poll.domain,
        **_move(after.move),
    }


def _move(move: Move | None) -> dict[str, object]:
    if move is None:
        return {"moved_to": None, "moved_since": None, "moved_times": None}
    return {"moved_to": move.to, "moved_since": to_text(move.since), "moved_times": move.times}


def _learned(poll: Poll, new: int) -> dict[str, object]:
    return {
        "etag": poll.fetched.etag,
        "modified": poll.fetched.modified,
        "body_hash": poll.body_hash,
        "hints": hints_text(poll.hints) if poll.hints is not None else None,
        "new": new,
    }


# Of what stands on the right of SET, SQLite takes the values from before.
_STANDS = """
last_poll = :now, status = :status, error = :error, trouble = :trouble, failures = :failures, next_poll = :next,
every = CASE WHEN fixed THEN every ELSE :every END, rate = :rate,
before = CASE WHEN state = :state THEN before ELSE state END,
before_since = CASE WHEN state = :state THEN before_since ELSE state_since END,
state = :state, state_since = coalesce(:since, CASE WHEN state = :state THEN state_since END, :now),
address = :address, domain = coalesce(:domain, domain),
moved_to = :moved_to, moved_since = :moved_since, moved_times = :moved_times
"""

_ANSWERED = f"""
UPDATE feeds SET {_STANDS}, last_ok = :now, first_ok = coalesce(first_ok, :now),
  etag = :etag, modified = :modified, body_hash = coalesce(:body_hash, body_hash),
  hints = coalesce(:hints, hints), last_news = CASE WHEN :new THEN :now ELSE last_news END
WHERE id = :id
"""

# Validators of an address that was given up mean nothing to another one.
_FAILED = f"""
UPDATE feeds SET {_STANDS}, etag = CASE WHEN address IS :address THEN etag END,
  modified = CASE WHEN address IS :address THEN modified END
WHERE id = :id
"""


def _close_domains(db: Database, polls: Sequence[Timed]) -> None:
    """Note until when no feed of these domains is asked; those that are open again are forgotten."""
    for poll, now in polls:
        db.conn.execute("DELETE FROM domains WHERE closed_until <= ?", [to_text(now)])
        if poll.feed.domain:
            db.conn.execute(_CLOSE, [poll.feed.domain, maybe_text(poll.next.closed_until)])


_CLOSE = """
INSERT INTO domains (domain, closed_until) VALUES (?, ?)
ON CONFLICT (domain) DO UPDATE SET closed_until = max(closed_until, excluded.closed_until)
"""


def prune(db: Database, before: datetime) -> bool:
    """Forget some polls from before then; tell whether there may be more of them."""
    found = db.conn.execute("SELECT id FROM fetches WHERE started < ? LIMIT ?", [to_text(before), _AT_ONCE]).fetchall()
    db.conn.executemany("DELETE FROM fetches WHERE id = ?", [(row["id"],) for row in found])
    return len(found) == _AT_ONCE


_AT_ONCE = 10_000
"""So many polls are forgotten in one transaction: others want to write too."""
