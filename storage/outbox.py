"""The outbox: one delivery for each alert and channel, until a server takes it or it is given up."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from storage import alerts
from storage.alert_records import Delivery, Finding, Retry, Sent
from storage.times import maybe_text, to_text

LONGEST_WAIT = timedelta(days=2)
"""No next try is further ahead than this, unless it was planned by a clock that was wrong: then it has come."""

_IS_DUE = "d.state = 'pending' AND (d.next_try <= :now OR d.next_try > :ahead)"


def _times(now: datetime) -> dict[str, str]:
    return {"now": to_text(now), "ahead": to_text(now + LONGEST_WAIT)}


def due_channels(db: Database, now: datetime) -> list[str]:
    """Return the channels for which a delivery's next try has come."""
    sql = f"SELECT DISTINCT d.channel FROM deliveries d WHERE {_IS_DUE} ORDER BY d.channel"
    return [row["channel"] for row in db.execute(sql, _times(now))]


def due_deliveries(db: Database, channel: str, now: datetime, most: int) -> list[Delivery]:
    """Return a channel's deliveries whose next try has come, oldest alert first, at most so many."""
    return [_delivery(row) for row in db.execute(_DUE, {**_times(now), "channel": channel, "most": most})]


# An alert that is sent once more, or late, answers only what was said before it.
_DUE = f"""
SELECT {alerts.COLUMNS}, due.id AS delivery_id, due.channel, due.attempts, due.reached, due.resends,
       (SELECT json_group_array(receipt) FROM (
          SELECT s.receipt FROM alerts o JOIN deliveries s ON s.alert_id = o.id AND s.channel = due.channel
          WHERE o.thread = a.thread AND o.id < a.id AND s.receipt <> '' ORDER BY o.id)) AS receipts,
       (SELECT json_group_array(receipt) FROM (
          SELECT DISTINCT s.receipt FROM alerts o
          JOIN deliveries s ON s.alert_id = o.told_in AND s.channel = due.channel
          WHERE o.thread = a.thread AND o.told_in < a.id AND s.receipt <> '' ORDER BY s.id)) AS carriers
FROM (SELECT d.* FROM deliveries d WHERE {_IS_DUE} AND d.channel = :channel ORDER BY +d.id LIMIT :most) due
CROSS JOIN alerts a ON a.id = due.alert_id ORDER BY due.id
"""


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        id=row["delivery_id"],
        channel=row["channel"],
        attempts=row["attempts"],
        alert=alerts.to_alert(row),
        thread=tuple(json.loads(row["receipts"])),
        reached=tuple(json.loads(row["reached"])),
        resends=row["resends"],
        carriers=tuple(json.loads(row["carriers"])),
    )


def begin_attempt(db: Database, delivery: Delivery, fallback: Retry) -> None:
    """Count an attempt, and store what holds when its outcome is never told (a crash, a full disk)."""
    db.execute("UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?", [delivery.id])
    _plan(db, delivery, fallback)


def mark_sent(db: Database, delivery: Delivery, sent: Sent, now: datetime) -> None:
    """Record that the channel's server took the message, what it calls it, and which recipients it refused."""
    db.execute(
        """UPDATE deliveries SET state = 'sent', sent = ?, receipt = ?, refused = ?, reached = '[]', next_try = NULL,
             error = NULL
           WHERE id = ?""",
        [to_text(now), sent.receipt, sent.refused, delivery.id],
    )
    if delivery.attempts:  # the channel is back: what failed meanwhile must not wait for its own next try
        db.execute(_HURRY, {"now": to_text(now), "channel": delivery.channel})


_HURRY = "UPDATE deliveries SET next_try = :now WHERE channel = :channel AND state = 'pending' AND next_try > :now"


def mark_failed(db: Database, delivery: Delivery, retry: Retry, now: datetime, notice: Finding | None = None) -> None:
    """Record a failed attempt: when to try again, or that there will be no other; ``notice`` tells of it at once."""
    _plan(db, delivery, retry)
    if retry.closed_until is not None:
        db.execute(_CLOSED, {"until": to_text(retry.closed_until), "channel": delivery.channel})
    if notice is not None:
        alerts.tell(db, notice, now)


_CLOSED = """UPDATE deliveries SET next_try = :until
             WHERE channel = :channel AND state = 'pending' AND next_try < :until"""


def _plan(db: Database, delivery: Delivery, retry: Retry) -> None:
    reached = list(dict.fromkeys([*delivery.reached, *retry.reached]))
    db.execute(
        "UPDATE deliveries SET state = ?, next_try = ?, error = ?, reached = ? WHERE id = ?",
        ["pending" if retry.at else "failed", maybe_text(retry.at), retry.error, json.dumps(reached), delivery.id],
    )


def requeue_failed(db: Database, since: datetime, now: datetime) -> int:
    """Give the deliveries of alerts since then that were given up a new first attempt. Returns their number."""
    sql = """UPDATE deliveries SET state = 'pending', attempts = 0, next_try = ?
             WHERE state = 'failed' AND alert_id IN (SELECT id FROM alerts WHERE created >= ?)"""
    return int(db.execute(sql, [to_text(now), to_text(since)]).rowcount)


def resend(db: Database, alert_id: int, channels: Sequence[str] | None, now: datetime) -> int:
    """Send an alert once more, to all that were meant to get it or to these channels. Returns the number of messages.

    An alert that waits, or was muted or silenced, becomes a told one. What is on its way is only hurried.
    """
    alert = alerts.alert(db, alert_id)
    if alert is None:
        return 0
    chosen = channels if channels is not None else _channels(db, alert_id) or alert.finding.send
    rows = [{"alert": alert_id, "channel": channel, "now": to_text(now)} for channel in dict.fromkeys(chosen)]
    db.conn.executemany(_AGAIN, rows)
    alerts.free(db, alert_id, now)
    return len(rows)


def _channels(db: Database, alert_id: int) -> list[str]:
    sql = "SELECT channel FROM deliveries WHERE alert_id = ? ORDER BY id"
    return [row["channel"] for row in db.execute(sql, [alert_id])]


# Of what stands on the right of SET, SQLite takes the values from before.
_AGAIN = """
INSERT INTO deliveries (alert_id, channel, state, next_try) VALUES (:alert, :channel, 'pending', :now)
ON CONFLICT (alert_id, channel) DO UPDATE SET
  resends = resends + (state <> 'pending'), reached = CASE state WHEN 'pending' THEN reached ELSE '[]' END,
  state = 'pending', attempts = 0, next_try = :now, sent = NULL, refused = '', error = NULL
"""
