"""Alerts: findings that were raised, what becomes of each, and how those that waited come out."""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError
from sqlite_utils import Database

from storage.alert_records import Alert, Finding, Raised, Release
from storage.items import id_list
from storage.times import from_text, maybe_time, to_text

COLUMNS = (
    "a.id, a.created, a.finding, a.state, a.held_until, a.why, "
    "a.rule, a.kind, a.key, a.severity, a.topic, a.headline, a.thread, a.phase, a.strength"
)
"""The columns of ``alerts a`` that make an Alert."""
HELD_AT_ONCE = 20_000
CLOCK_SLIPS = timedelta(hours=1)
"""What is further ahead was written by a clock that was wrong."""
_FINDING = TypeAdapter(Finding)


def save(db: Database, raised: Sequence[Raised], now: datetime) -> int:
    """Raise alerts, those that are told with their deliveries. Returns the number of alerts that have deliveries.

    A finding whose key is known raises nothing: the same occasion never becomes two alerts.
    """
    return sum(_raise(db, one, now) for one in raised)


def tell(db: Database, finding: Finding, now: datetime) -> bool:
    """Raise an alert that is told at once; tell whether it has deliveries now."""
    return _raise(db, Raised(finding), now)


def _raise(db: Database, one: Raised, now: datetime) -> bool:
    alert_id = _insert(db, one, now)
    if alert_id is None:
        return False
    evidence = [(alert_id, item_id) for item_id in one.finding.evidence]
    # A user's query may call anything an item_id.
    db.conn.executemany("INSERT OR IGNORE INTO alert_items SELECT ?, id FROM items WHERE id = ?", evidence)
    return one.state == "told" and _deliver(db, alert_id, one.finding, now)


def _insert(db: Database, one: Raised, now: datetime) -> int | None:
    finding = one.finding
    values = {
        "key": finding.key,
        "rule": finding.rule,
        "kind": finding.kind,
        "severity": finding.severity,
        "topic": finding.topic,
        "headline": finding.headline,
        "created": to_text(now),
        "finding": _FINDING.dump_json(finding).decode(),
        "thread": finding.thread or finding.key,
        "phase": finding.phase,
        "state": one.state,
        "held_until": to_text(one.until or now) if one.state == "held" else None,
        "why": one.why,
        "strength": finding.strength,
    }
    names = ", ".join(f":{name}" for name in values)
    sql = f"INSERT INTO alerts ({', '.join(values)}) VALUES ({names}) ON CONFLICT (key) DO NOTHING"
    cursor = db.execute(sql, values)
    return cursor.lastrowid if cursor.rowcount else None


def _deliver(db: Database, alert_id: int, finding: Finding, now: datetime) -> bool:
    """Put an alert into the outbox; what it carries is told with it. Tell whether it goes anywhere."""
    rows = [(alert_id, channel, to_text(now)) for channel in dict.fromkeys(finding.send)]
    db.conn.executemany(
        "INSERT OR IGNORE INTO deliveries (alert_id, channel, state, next_try) VALUES (?, ?, 'pending', ?)", rows
    )
    db.execute(_IN_ORDER, {"now": to_text(now), "alert": alert_id})
    _carry(db, finding.carries, alert_id, now)
    return bool(rows)


# What came before it in its thread, and still waits for a channel, is tried again first.
_IN_ORDER = """
UPDATE deliveries SET next_try = :now
WHERE state = 'pending' AND next_try > :now AND alert_id IN (
  SELECT o.id FROM alerts a JOIN alerts o ON o.thread = a.thread AND o.id < a.id WHERE a.id = :alert)
"""


def _carry(db: Database, alert_ids: Iterable[int], carrier: int, now: datetime) -> None:
    """Note which alert tells of others; those that were told by themselves meanwhile stay so."""
    db.execute(
        """UPDATE alerts SET state = 'carried', told_in = :carrier, held_until = CASE state WHEN 'held' THEN :now END
           WHERE id IN (SELECT value FROM json_each(:ids)) AND state IN ('held', 'muted', 'silenced')""",
        {"carrier": carrier, "now": to_text(now), "ids": id_list(alert_ids)},
    )


def release(db: Database, releases: Sequence[Release], now: datetime) -> int:
    """Let held alerts out, or hold them longer. Returns the number of alerts that have new deliveries.

    Only what is still held comes out: a person, or another message, may have told it meanwhile.
    """
    return sum(_release(db, one, now) for one in releases)


def _release(db: Database, release: Release, now: datetime) -> int:
    waiting = _still_held(db, release.alert_ids)
    if release.until is not None:
        _hold(db, [alert.id for alert in waiting], release.until)
        return 0
    if release.summary is None:
        return sum(_let_out(db, alert, now) for alert in waiting)
    return _sum_up(db, waiting, release.summary, now)


def _still_held(db: Database, alert_ids: Sequence[int]) -> list[Alert]:
    sql = f"""SELECT {COLUMNS} FROM alerts a
              WHERE a.id IN (SELECT value FROM json_each(?)) AND a.state = 'held' ORDER BY a.id"""
    return [to_alert(row) for row in db.execute(sql, [id_list(alert_ids)])]


def _hold(db: Database, alert_ids: Sequence[int], until: datetime) -> None:
    sql = "UPDATE alerts SET held_until = ? WHERE id IN (SELECT value FROM json_each(?))"
    db.execute(sql, [to_text(until), id_list(alert_ids)])


def _let_out(db: Database, alert: Alert, now: datetime) -> bool:
    free(db, alert.id, now)
    return _deliver(db, alert.id, alert.finding, now)


def free(db: Database, alert_id: int, now: datetime) -> None:
    """Make an alert a told one that waited, was muted or silenced. What was held was held until now."""
    db.execute(
        """UPDATE alerts SET state = 'told', held_until = CASE state WHEN 'held' THEN ? END
           WHERE id = ? AND state IN ('held', 'muted', 'silenced')""",
        [to_text(now), alert_id],
    )


def _sum_up(db: Database, waiting: Sequence[Alert], summary: Finding, now: datetime) -> bool:
    """Tell several alerts in one message, unless all of them were told meanwhile."""
    if not waiting:
        return False
    delivered = tell(db, summary, now)
    (carrier,) = db.execute("SELECT id FROM alerts WHERE key = ?", [summary.key]).fetchone()
    _carry(db, [alert.id for alert in waiting], carrier, now)
    return delivered


def held(db: Database, now: datetime) -> list[Alert]:
    """Return the held alerts that are to be looked at again, oldest first, at most HELD_AT_ONCE.

    Also those that a clock raised which was ahead of the time: what it said of when they are to be told is wrong.
    """
    return [to_alert(row) for row in db.execute(_HELD, {"now": to_text(now), "ahead": to_text(now + CLOCK_SLIPS)})]


# Few alerts are held: they are found by their time, and then sorted.
_HELD = f"""
SELECT {COLUMNS} FROM alerts a WHERE a.state = 'held' AND (a.held_until <= :now OR +a.created > :ahead)
ORDER BY +a.id LIMIT {HELD_AT_ONCE}
"""


def reconsider(db: Database, now: datetime) -> None:
    """Make every held alert due: what holds it may have changed, such as the quiet hours of feeds.yaml."""
    db.execute("UPDATE alerts SET held_until = ? WHERE state = 'held' AND held_until > ?", [to_text(now)] * 2)


def end_unwatched(db: Database, rules: Mapping[str, str], now: datetime) -> int:
    """End what lasts of rules that are not among these (name and kind): nobody else would. Returns how many ended.

    It is only recorded: whoever took the rule away knows of it.
    """
    return int(db.execute(_END_UNWATCHED, {"rules": json.dumps(dict(rules)), "now": to_text(now)}).rowcount)


_END_UNWATCHED = """
INSERT INTO alerts (key, rule, kind, severity, topic, headline, created, finding, thread, phase, state, why)
SELECT key, rule, kind, 'info', topic, headline, :now,
       json_set(finding, '$.key', key, '$.severity', 'info', '$.headline', headline, '$.phase', 'end',
                '$.thread', thread, '$.carries', json('[]')),
       thread, 'end', 'muted', 'its rule is not in feeds.yaml any more, or is of another kind'
FROM (SELECT thread || ':unwatched:' || :now AS key, rule, kind, topic, 'No longer watched: ' || headline AS headline,
             finding, thread
      FROM alerts s WHERE kind <> 'match' AND phase = 'start' AND json_valid(finding) AND (
        SELECT n.phase FROM alerts n WHERE n.thread = s.thread ORDER BY n.id DESC LIMIT 1) <> 'end'
        AND NOT EXISTS (SELECT 1 FROM json_each(:rules) r WHERE r.key = s.rule AND r.value = s.kind))
WHERE true ON CONFLICT (key) DO NOTHING
"""


def alert(db: Database, alert_id: int) -> Alert | None:
    """Return an alert by its id; None when there is none."""
    row = db.execute(f"SELECT {COLUMNS} FROM alerts a WHERE a.id = ?", [alert_id]).fetchone()
    return None if row is None else to_alert(row)


def acknowledge(db: Database, alert_id: int, note: str, now: datetime) -> Alert | None:
    """Note that a person knows of an alert, and of all others of its thread. Returns it; None when there is none."""
    sql = "UPDATE alerts SET acked = ?, ack_note = ? WHERE thread = (SELECT thread FROM alerts WHERE id = ?)"
    db.execute(sql, [to_text(now), note, alert_id])
    return alert(db, alert_id)


def to_alert(row: sqlite3.Row) -> Alert:
    """Read a row that has the columns of COLUMNS, under whatever id stands first."""
    return Alert(
        id=row["id"],
        created=from_text(row["created"]),
        finding=_finding(row),
        state=row["state"],
        until=maybe_time(row["held_until"]),
        why=row["why"],
    )


def _finding(row: sqlite3.Row) -> Finding:
    """Read what was found; of one that cannot be read (another version wrote it) what else is known of it.

    One such row must not keep itself and all others from being told.
    """
    try:
        return _FINDING.validate_json(row["finding"])
    except ValidationError:
        known = {name: row[name] for name in _KNOWN}
        send = re.search(r'"send":\s*(\[[^\]]*\])', row["finding"])
        return Finding(**known, explanation=_UNREADABLE, send=tuple(json.loads(send[1])) if send else ())


_KNOWN = ("rule", "kind", "key", "severity", "topic", "headline", "thread", "phase", "strength")
_UNREADABLE = "The details of this alert cannot be read any more: another version of this program wrote them."
