"""The feeds of the configuration and those of the database: which is which, and what a change of it means."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlite_utils import Database

from storage.feed_records import FeedSpec
from storage.times import to_text

FIRST_PACE = timedelta(minutes=30)
"""How often a feed is asked whose own pace is not known yet."""


def host_of(url: str) -> str:
    """Return the host and port of a web address: its domain for whoever knows of no registered ones."""
    return urlsplit(url).netloc.lower()


def sync(db: Database, specs: Sequence[FeedSpec], now: datetime, domain_of: Callable[[str], str]) -> None:
    """Make the active feeds those of the configuration; ``domain_of`` gives the registered domain of an address.

    A feed is known by its URL (so it can be renamed), else by its name (so it can move). A feed that moved forgets all
    that it learned there; its next answer is a first answer again, and so is that of a feed which had left and comes
    back, unless it still shows entries that are known. A new interval counts from now. Feeds that left the
    configuration keep their items and stop being polled.
    """
    known = {row["id"]: row for row in db.execute("SELECT id, name, url, address FROM feeds")}
    matched = match_feeds(specs, [(row["id"], row["name"], row["url"]) for row in known.values()])
    _let_go(db, known.keys() - matched.values(), {spec.name for spec in specs}, known)
    rows = [(spec, known.get(matched.get(index, -1))) for index, spec in enumerate(specs)]
    stored = [_values(spec, row, now, domain_of) for spec, row in rows if row is not None]
    for statement in (_FREE_NAME, _FORGET_BLOCKS, _FORGET, _COME_BACK, _UPDATE):
        db.conn.executemany(statement, stored)
    db.conn.executemany(_INSERT, [_values(spec, None, now, domain_of) for spec, row in rows if row is None])


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
    taken: set[int] = set()
    for find in ways:
        for index, spec in enumerate(specs):
            feed_id = find(spec)
            if index not in matched and feed_id is not None and feed_id not in taken:
                matched[index] = feed_id
                taken.add(feed_id)
    return matched


def _let_go(db: Database, left: set[int], names: set[str], known: Mapping[int, sqlite3.Row]) -> None:
    """Stop polling feeds; one whose name another feed has now is called otherwise."""
    db.conn.executemany("UPDATE feeds SET active = 0 WHERE id = ?", [(feed_id,) for feed_id in left])
    nameless = [(feed_id,) for feed_id in left if known[feed_id]["name"] in names]
    db.conn.executemany("UPDATE feeds SET name = name || ' (feed ' || id || ')' WHERE id = ?", nameless)


def _values(
    spec: FeedSpec, row: sqlite3.Row | None, now: datetime, domain_of: Callable[[str], str]
) -> dict[str, object]:
    moved = row is None or row["url"] != spec.url
    asked = spec.url if row is None or moved else row["address"] or spec.url
    return {
        "id": row["id"] if row is not None else None,
        "name": spec.name,
        "url": spec.url,
        "lang": spec.lang,
        "kind": spec.kind,
        "domain": domain_of(asked),
        "fixed": spec.every is not None,
        "every": spec.every.total_seconds() if spec.every is not None else None,
        "first_pace": FIRST_PACE.total_seconds(),
        "now": to_text(now),
        "soon": to_text(now + (spec.every or FIRST_PACE)),
    }


_INSERT = """
INSERT INTO feeds (name, url, lang, kind, domain, fixed, every, added, next_poll)
VALUES (:name, :url, :lang, :kind, :domain, :fixed, coalesce(:every, :first_pace), :now, :now)
"""

# Two feeds may swap names, and names are unique at every moment.
_FREE_NAME = "UPDATE feeds SET name = 'renaming ' || id WHERE id = :id"

_FORGET_BLOCKS = """
DELETE FROM documents WHERE feed_id = :id AND EXISTS (SELECT 1 FROM feeds f WHERE f.id = feed_id AND f.url <> :url)
"""

_NEW_AGAIN = """
first_ok = NULL, next_poll = :now, failures = 0, error = NULL, trouble = NULL,
state = 'new', state_since = NULL, before = NULL, before_since = NULL
"""

_FORGET = f"""
UPDATE feeds SET {_NEW_AGAIN}, etag = NULL, modified = NULL, body_hash = NULL, hints = NULL, rate = NULL,
  every = :first_pace, address = NULL, moved_to = NULL, moved_since = NULL, moved_times = NULL
WHERE id = :id AND url <> :url
"""

_COME_BACK = f"UPDATE feeds SET {_NEW_AGAIN} WHERE id = :id AND NOT active"

# An interval that the user no longer sets begins anew; one that a feed has learned by itself stays.
_EVERY = "coalesce(:every, CASE WHEN fixed THEN :first_pace ELSE every END)"

_UPDATE = f"""
UPDATE feeds SET active = 1, name = :name, url = :url, lang = :lang, kind = :kind, domain = :domain, fixed = :fixed,
  next_poll = CASE WHEN every = {_EVERY} THEN next_poll ELSE min(next_poll, :soon) END, every = {_EVERY}
WHERE id = :id
"""
