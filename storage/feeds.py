"""Feeds, their polls, and which of their entries are known."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from storage import exposures
from storage.feed_records import Entry, Feed, FeedSpec, Poll
from storage.times import from_text, maybe_time, to_text

_COLUMNS = "id, name, url, lang, kind, every, next_poll, etag, modified, body_hash, failures, first_ok"


def sync(db: Database, specs: Sequence[FeedSpec], now: datetime) -> None:
    """Make the active feeds those of the configuration.

    A feed is known by its URL (so it can be renamed), else by its name (so it can move). A feed that moved forgets its
    validators; its next answer is a first answer again, and so is that of a feed which had left and comes back. A new
    interval counts from now. Feeds that left the configuration keep their items and stop being polled.
    """
    known = [(row["id"], row["name"], row["url"]) for row in db.execute("SELECT id, name, url FROM feeds")]
    matched = match_feeds(specs, known)
    db.execute("UPDATE feeds SET first_ok = NULL WHERE NOT active")
    db.execute("UPDATE feeds SET active = 0")
    for feed_id in matched.values():  # two feeds may swap names: names are unique at every moment
        db.execute("UPDATE feeds SET name = 'renaming ' || id WHERE id = ?", [feed_id])
    for index, spec in enumerate(specs):
        if index in matched:
            _update(db, matched[index], spec, now)
        else:
            _insert(db, spec, now)


def match_feeds(specs: Sequence[FeedSpec], known: Sequence[tuple[int, str, str]]) -> dict[int, int]:
    """Find for each spec, by its index, the stored feed (id, name, url) that it means. Pure.

    Name and URL together count most, then the URL, then the name, at last in any case; no stored feed is meant twice.
    """
    by_both = {(name, url): feed_id for feed_id, name, url in known}
    by_url = {url: feed_id for feed_id, _, url in known}
    by_name = {name: feed_id for feed_id, name, _ in known}
    in_any_case = {name.casefold(): feed_id for feed_id, name, _ in known}  # an archive may write it otherwise
    ways: tuple[Callable[[FeedSpec], int | None], ...] = (
        lambda spec: by_both.get((spec.name, spec.url)),
        lambda spec: by_url.get(spec.url),
        lambda spec: by_name.get(spec.name),
        lambda spec: in_any_case.get(spec.name.casefold()),
    )
    matched: dict[int, int] = {}
    for find in ways:
        for index, spec in enumerate(specs):
            feed_id = find(spec)
            if index not in matched and feed_id is not None and feed_id not in matched.values():
                matched[index] = feed_id
    return matched


def _insert(db: Database, spec: FeedSpec, now: datetime) -> None:
    db.execute(
        "INSERT INTO feeds (name, url, lang, kind, every, added, next_poll) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [spec.name, spec.url, spec.lang, spec.kind, _seconds(spec), to_text(now), to_text(now)],
    )


def _update(db: Database, feed_id: int, spec: FeedSpec, now: datetime) -> None:
    db.execute(
        """UPDATE feeds SET etag = NULL, modified = NULL, body_hash = NULL, failures = 0, first_ok = NULL, next_poll = ?
           WHERE id = ? AND url <> ?""",
        [to_text(now), feed_id, spec.url],
    )
    db.execute(
        """UPDATE feeds SET active = 1, name = :name, url = :url, lang = :lang, kind = :kind,
           next_poll = CASE WHEN every = :every THEN next_poll ELSE min(next_poll, :soon) END, every = :every
           WHERE id = :id""",
        {
            "name": spec.name,
            "url": spec.url,
            "lang": spec.lang,
            "kind": spec.kind,
            "every": _seconds(spec),
            "soon": to_text(now + spec.every),
            "id": feed_id,
        },
    )


def _seconds(spec: FeedSpec) -> float:
    return spec.every.total_seconds()


def due(db: Database, now: datetime) -> list[Feed]:
    """Return the active feeds whose time has come, the longest overdue first."""
    sql = f"SELECT {_COLUMNS} FROM feeds WHERE active AND next_poll <= ? ORDER BY next_poll, id"
    return [_feed(row) for row in db.execute(sql, [to_text(now)])]


def _feed(row: sqlite3.Row) -> Feed:
    values = dict(row)
    values["every"] = timedelta(seconds=values["every"])
    values["next_poll"] = from_text(values["next_poll"])
    values["first_ok"] = maybe_time(values["first_ok"])
    return Feed(**values)


def known_entries(db: Database, feed_id: int, keys: Sequence[int]) -> list[Entry]:
    """Return the stored entries of a feed that share at least one key; only guid, url and title are filled."""
    sql = """SELECT guid, url, title FROM items WHERE id IN
             (SELECT item_id FROM item_keys WHERE feed_id = ? AND key IN (SELECT value FROM json_each(?)))"""
    return [Entry(**row) for row in map(dict, db.execute(sql, [feed_id, json.dumps(list(keys))]))]


def save_poll(db: Database, poll: Poll, now: datetime) -> int:
    """Store the outcome of one poll: the fetch, the feed's new state, its new entries. Returns their number."""
    stored = _insert_items(db, poll, now)
    _insert_fetch(db, poll, stored)
    exposures.count_poll(db, poll.feed.id, poll.fetched.started, poll.fetched.error is not None)
    if poll.fetched.error is None:
        _record_success(db, poll, now)
        exposures.record(db, poll, now)
    else:
        _record_failure(db, poll, now)
    return stored


def _insert_fetch(db: Database, poll: Poll, stored: int) -> None:
    fetched = poll.fetched
    db.execute(
        "INSERT INTO fetches (feed_id, started, seconds, status, bytes, entries, new_items, error)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            poll.feed.id,
            to_text(fetched.started),
            round(fetched.seconds, 3),
            fetched.status,
            fetched.wire_bytes,
            poll.entries,
            stored,
            fetched.error,
        ],
    )


def _record_failure(db: Database, poll: Poll, now: datetime) -> None:
    db.execute(
        "UPDATE feeds SET last_poll = ?, status = ?, error = ?, failures = ?, next_poll = ? WHERE id = ?",
        [
            to_text(now),
            poll.fetched.status,
            poll.fetched.error,
            poll.next.failures,
            to_text(poll.next.at),
            poll.feed.id,
        ],
    )


def _record_success(db: Database, poll: Poll, now: datetime) -> None:
    db.execute(
        """UPDATE feeds SET last_poll = :now, last_ok = :now, first_ok = coalesce(first_ok, :now), status = :status,
           error = NULL, failures = 0, next_poll = :next, etag = :etag, modified = :modified,
           body_hash = coalesce(:body_hash, body_hash) WHERE id = :id""",
        {
            "now": to_text(now),
            "status": poll.fetched.status,
            "next": to_text(poll.next.at),
            "etag": poll.fetched.etag,
            "modified": poll.fetched.modified,
            "body_hash": poll.body_hash,
            "id": poll.feed.id,
        },
    )


def _insert_items(db: Database, poll: Poll, now: datetime) -> int:
    stored = 0
    for entry, identity, keys in zip(poll.fresh, poll.identities, poll.keys, strict=True):
        cursor = db.execute(
            """INSERT INTO items
               (feed_id, guid, url, title, summary, lang, published, seen, backlog, identity, pending)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'classify') ON CONFLICT (feed_id, identity) DO NOTHING""",
            [
                poll.feed.id,
                entry.guid,
                entry.url,
                entry.title,
                entry.summary,
                entry.lang,
                to_text(min(entry.published or now, now)),
                to_text(now),
                exposures.first_answer(poll),
                identity,
            ],
        )
        if cursor.rowcount:
            stored += 1
            rows = [(poll.feed.id, key, cursor.lastrowid) for key in keys]
            db.conn.executemany("INSERT OR IGNORE INTO item_keys (feed_id, key, item_id) VALUES (?, ?, ?)", rows)
    return stored


def prune_fetches(db: Database, before: datetime) -> None:
    """Forget polls from before then: a feed asked every half hour leaves 17,520 rows a year."""
    db.execute("DELETE FROM fetches WHERE started < ?", [to_text(before)])
