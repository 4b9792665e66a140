"""Silences: people's wishes not to be told for a time. What rules find meanwhile is recorded all the same."""

import sqlite3
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from storage.alert_records import Silence
from storage.times import from_text, to_text

_IN_FORCE = "since <= :now AND until > :now"


def in_force(db: Database, now: datetime) -> list[Silence]:
    """Return the silences that hold now, oldest first."""
    sql = f"SELECT id, rule, topic, since, until, reason FROM silences WHERE {_IN_FORCE} ORDER BY id"
    return [_silence(row) for row in db.execute(sql, {"now": to_text(now)})]


def _silence(row: sqlite3.Row) -> Silence:
    return Silence(**{**dict(row), "since": from_text(row["since"]), "until": from_text(row["until"])})


def add(db: Database, wish: Silence) -> Silence:
    """Store a silence, and return it with its id; times are kept to the second."""
    cursor = db.execute(
        "INSERT INTO silences (rule, topic, since, until, reason) VALUES (?, ?, ?, ?, ?)",
        [wish.rule, wish.topic, to_text(wish.since), to_text(wish.until), wish.reason],
    )
    if cursor.lastrowid is None:
        raise AssertionError("SQLite gives every inserted row an id")
    return replace(wish, id=cursor.lastrowid)


def end(db: Database, rule: str | None, now: datetime) -> int:
    """End the silences of a rule that hold now, or all of them (None). Returns their number.

    Alerts that were held until the end of such a silence are looked at again now.
    """
    values = {"now": to_text(now), "rule": rule}
    ended = f"{_IN_FORCE} AND (:rule IS NULL OR rule = :rule)"
    db.execute(
        f"""UPDATE alerts SET held_until = :now
            WHERE state = 'held' AND held_until IN (SELECT until FROM silences WHERE {ended})""",
        values,
    )
    return int(db.execute(f"UPDATE silences SET until = :now WHERE {ended}", values).rowcount)
