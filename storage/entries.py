"""Entries of feeds: which are known, and new ones stored."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from storage.exposures import first_answer
from storage.feed_records import Entry, Poll
from storage.times import to_text


def known_entries(db: Database, feed_id: int, keys: Sequence[int]) -> list[Entry]:
    """Return the stored entries of a feed that share at least one key; only guid, url and title are filled."""
    sql = """SELECT guid, url, title FROM items WHERE id IN
             (SELECT item_id FROM item_keys WHERE feed_id = ? AND key IN (SELECT value FROM json_each(?)))"""
    rows = db.conn.execute(sql, [feed_id, json.dumps(list(keys))])
    return [Entry(row["guid"], row["url"], row["title"]) for row in rows]


def insert(db: Database, poll: Poll, now: datetime) -> int:
    """Store the new entries of a poll, to be classified. Returns the number of those that were not there yet."""
    if not poll.fresh:
        return 0
    feed_id, seen, backlog = poll.feed.id, to_text(now), first_answer(poll)
    keys: list[tuple[int, int, int | None]] = []
    stored = 0
    for entry, identity, its_keys in zip(poll.fresh, poll.identities, poll.keys, strict=True):
        published = to_text(min(entry.published or now, now))
        texts = (entry.guid, entry.url, entry.title, entry.summary, entry.lang)
        cursor = db.conn.execute(_INSERT, (feed_id, *texts, published, seen, backlog, identity))
        if cursor.rowcount:
            stored += 1
            keys += [(feed_id, key, cursor.lastrowid) for key in its_keys]
    db.conn.executemany("INSERT OR IGNORE INTO item_keys (feed_id, key, item_id) VALUES (?, ?, ?)", keys)
    return stored


_INSERT = """
INSERT INTO items (feed_id, guid, url, title, summary, lang, published, seen, backlog, identity, pending)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'classify') ON CONFLICT (feed_id, identity) DO NOTHING
"""
