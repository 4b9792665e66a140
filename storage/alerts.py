"""Alerts and the outbox of their deliveries."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlite_utils import Database

from storage.alert_records import Alert, Delivery, Finding, Retry
from storage.times import from_text, maybe_text, to_text

_FINDING = TypeAdapter(Finding)


def save(db: Database, findings: Sequence[Finding], now: datetime) -> int:
    """Raise alerts, each with its deliveries. Returns the number of new ones.

    A finding whose key is known raises nothing: the same occasion never becomes two alerts.
    """
    return sum(_raise(db, finding, now) for finding in findings)


def _raise(db: Database, finding: Finding, now: datetime) -> bool:
    cursor = db.execute(
        """INSERT INTO alerts (key, rule, kind, severity, topic, headline, created, finding)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING""",
        [
            finding.key,
            finding.rule,
            finding.kind,
            finding.severity,
            finding.topic,
            finding.headline,
            to_text(now),
            _FINDING.dump_json(finding).decode(),
        ],
    )
    if not cursor.rowcount:
        return False
    alert_id = cursor.lastrowid
    evidence = [(alert_id, item_id) for item_id in finding.evidence]
    db.conn.executemany("INSERT OR IGNORE INTO alert_items (alert_id, item_id) VALUES (?, ?)", evidence)
    outbox = [(alert_id, channel, to_text(now)) for channel in finding.send]
    db.conn.executemany(
        "INSERT INTO deliveries (alert_id, channel, state, next_try) VALUES (?, ?, 'pending', ?)", outbox
    )
    return True


def keys(db: Database, kind: str) -> frozenset[str]:
    """Return the keys of all alerts that rules of this kind have raised."""
    return frozenset(row["key"] for row in db.conn.execute("SELECT key FROM alerts WHERE kind = ?", [kind]))


def due_channels(db: Database, now: datetime) -> list[str]:
    """Return the channels for which a delivery's next try has come."""
    sql = "SELECT DISTINCT channel FROM deliveries WHERE state = 'pending' AND next_try <= ? ORDER BY channel"
    return [row["channel"] for row in db.execute(sql, [to_text(now)])]


def due_deliveries(db: Database, channel: str, now: datetime) -> list[Delivery]:
    """Return a channel's deliveries whose next try has come, oldest alert first."""
    sql = """SELECT d.id, d.channel, d.attempts, a.id AS alert_id, a.created, a.finding
             FROM deliveries d JOIN alerts a ON a.id = d.alert_id
             WHERE d.state = 'pending' AND d.next_try <= ? AND d.channel = ? ORDER BY d.id"""
    return [
        Delivery(row["id"], row["channel"], row["attempts"], _alert(row["alert_id"], row["created"], row["finding"]))
        for row in db.execute(sql, [to_text(now), channel])
    ]


def _alert(alert_id: int, created: str, finding: str) -> Alert:
    return Alert(alert_id, from_text(created), _FINDING.validate_json(finding))


def begin_attempt(db: Database, delivery: Delivery, fallback: Retry) -> None:
    """Count an attempt, and store what holds when its outcome is never told (a crash, a full disk)."""
    db.execute("UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?", [delivery.id])
    mark_failed(db, delivery, fallback)


def mark_sent(db: Database, delivery: Delivery, now: datetime) -> None:
    """Record that the channel's server took the message."""
    db.execute(
        "UPDATE deliveries SET state = 'sent', sent = ?, next_try = NULL, error = NULL WHERE id = ?",
        [to_text(now), delivery.id],
    )


def mark_failed(db: Database, delivery: Delivery, retry: Retry) -> None:
    """Record a failed attempt: when to try again, or that there will be no other."""
    db.execute(
        "UPDATE deliveries SET state = ?, next_try = ?, error = ? WHERE id = ?",
        ["pending" if retry.at else "failed", maybe_text(retry.at), retry.error, delivery.id],
    )


def requeue_failed(db: Database, since: datetime, now: datetime) -> int:
    """Give the deliveries of alerts since then that were given up a new first attempt. Returns their number."""
    sql = """UPDATE deliveries SET state = 'pending', attempts = 0, next_try = ?
             WHERE state = 'failed' AND alert_id IN (SELECT id FROM alerts WHERE created >= ?)"""
    return int(db.execute(sql, [to_text(now), to_text(since)]).rowcount)
