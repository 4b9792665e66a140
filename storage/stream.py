"""How the stream of news itself is: whether feeds answer and bring something, and whether channels take messages."""

from datetime import datetime

from sqlite_utils import Database

from storage.alert_records import ChannelHealth, StreamHealth
from storage.times import from_text, maybe_time, to_text


def health(db: Database, now: datetime) -> StreamHealth:
    """Return how feeds and channels are.

    What was seen or answered after ``now`` was so by a clock that was wrong, and does not count.
    """
    row = db.execute(_STREAM, {"now": to_text(now)}).fetchone()
    seen = db.execute("SELECT name, last_news FROM feeds WHERE active AND last_news IS NOT NULL")
    return StreamHealth(
        began=maybe_time(row["began"]),
        last_item=maybe_time(row["last_item"]),
        last_ok=maybe_time(row["last_ok"]),
        feeds=row["feeds"],
        failing=row["failing"],
        seen={one["name"]: from_text(one["last_news"]) for one in seen},
        channels=tuple(found for name in _failing(db) if (found := _channel(db, name)) is not None),
    )


# From the newest item back to the first news: no further than to the first poll, because before it lie archives only.
# A feed that has failed once may have met a moment without network, and most others with it.
_STREAM = """
WITH first AS (SELECT min(started) AS began FROM fetches)
SELECT began,
       (SELECT i.seen FROM items i
        WHERE i.seen BETWEEN began AND :now AND NOT i.backlog ORDER BY i.seen DESC LIMIT 1) AS last_item,
       (SELECT max(last_ok) FROM feeds WHERE active AND last_ok <= :now) AS last_ok,
       (SELECT count(*) FROM feeds WHERE active AND state <> 'gone') AS feeds,
       (SELECT count(*) FROM feeds WHERE active AND state IN ('failing', 'blocked') AND failures > 1) AS failing
FROM first
"""


def _failing(db: Database) -> list[str]:
    """Return the channels that did not take some message at the last attempt."""
    sql = """SELECT channel FROM deliveries WHERE state = 'pending' AND error IS NOT NULL
             UNION SELECT channel FROM deliveries WHERE state = 'failed' ORDER BY channel"""
    return [row["channel"] for row in db.execute(sql)]


def _channel(db: Database, name: str) -> ChannelHealth | None:
    """Return how a channel fails; None when it has taken a later message than those that failed.

    Its trouble began with the oldest message that failed since, but not before the last one that it took.
    """
    row = db.execute(_CHANNEL, {"channel": name}).fetchone()
    if row["since"] is None:
        return None
    since = max(row["since"], row["last_sent"] or "")
    return ChannelHealth(name, from_text(since), row["waiting"], row["given_up"], row["error"])


_CHANNEL = """
WITH last AS (SELECT id, sent FROM deliveries WHERE channel = :channel AND state = 'sent' ORDER BY id DESC LIMIT 1),
open AS (
  SELECT id, alert_id, state, error FROM deliveries WHERE channel = :channel AND state = 'pending'
  UNION ALL
  SELECT id, alert_id, state, error FROM deliveries
  WHERE channel = :channel AND state = 'failed' AND id > coalesce((SELECT id FROM last), 0)),
failed AS (SELECT * FROM open WHERE error IS NOT NULL AND id > coalesce((SELECT id FROM last), 0))
SELECT (SELECT min(a.created) FROM failed JOIN alerts a ON a.id = failed.alert_id) AS since,
       (SELECT sent FROM last) AS last_sent,
       (SELECT count(*) FROM open WHERE state = 'pending') AS waiting,
       (SELECT count(*) FROM open WHERE state = 'failed') AS given_up,
       (SELECT error FROM failed ORDER BY id DESC LIMIT 1) AS error
"""
