"""Entries of feeds: which are known, and new ones stored."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from storage.exposures import first_answer
from storage.feed_records import Entry, Poll
from storage.times import to_text

MOST_SHARING = 100
"""So many entries are looked at that share one guid, link or title."""


def known_entries(db: Database, feed_id: int, keys: Sequence[int]) -> list[Entry]:
    """Return the stored entries of a feed that share at least one key; only guid, url and title are filled.

    Of a key that many share (a link to the front page, a daily headline) only the newest count: what a document shows
    again is among them, and a feed of years must not cost more with every entry.
    """
    rows = db.conn.execute(_KNOWN, {"feed": feed_id, "keys": json.dumps(list(keys)), "older": MOST_SHARING - 1})
    return [Entry(row["guid"], row["url"], row["title"]) for row in rows]


_KNOWN = """
SELECT guid, url, title FROM items WHERE id IN (
  SELECT k.item_id FROM json_each(:keys) wanted CROSS JOIN item_keys k
  WHERE k.feed_id = :feed AND k.key = wanted.value AND k.item_id >= coalesce((
    SELECT item_id FROM item_keys WHERE feed_id = :feed AND key = wanted.value
    ORDER BY item_id DESC LIMIT 1 OFFSET :older), 0))
"""


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
