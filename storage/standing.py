"""How feeds are, for the alert rules."""

import sqlite3
from datetime import datetime

from sqlite_utils import Database

from storage.feed_records import FeedHealth
from storage.times import from_text, maybe_time, to_text


def feed_health(db: Database, since: datetime) -> list[FeedHealth]:
    """Return the feeds of the configuration that are in trouble, and those that are well again since then."""
    return [_health(row) for row in db.conn.execute(_HEALTH, [to_text(since)])]


_HEALTH = """
SELECT id, name, state, coalesce(state_since, added) AS since, before, before_since, coalesce(error, '') AS reason,
       last_news
FROM feeds
WHERE active AND (state IN ('failing', 'stale', 'blocked', 'gone')
                  OR state = 'ok' AND before <> 'new' AND state_since >= ?)
ORDER BY id
"""


def _health(row: sqlite3.Row) -> FeedHealth:
    return FeedHealth(
        feed_id=row["id"],
        name=row["name"],
        state=row["state"],
        since=from_text(row["since"]),
        before=row["before"],
        before_since=maybe_time(row["before_since"]),
        reason=row["reason"],
        last_news=maybe_time(row["last_news"]),
    )
