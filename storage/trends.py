"""The last look at each topic's flow, hour by hour."""

import sqlite3
from collections.abc import Sequence

from sqlite_utils import Database

from storage.records import Trend
from storage.times import from_text, maybe_text, maybe_time, to_text

_TIMES = ("evaluated", "window_start", "window_end", "since")
_MAYBE_TIMES = ("ready", "episode", "alarmed")


def latest(db: Database) -> dict[str, Trend]:
    """Return the newest trend of every topic."""
    sql = "SELECT * FROM trends WHERE id IN (SELECT max(id) FROM trends GROUP BY topic)"
    return {row["topic"]: _trend(row) for row in db.execute(sql)}


def _trend(row: sqlite3.Row) -> Trend:
    values = {name: row[name] for name in Trend.__dataclass_fields__}
    values |= {name: from_text(row[name]) for name in _TIMES}
    values |= {name: maybe_time(row[name]) for name in _MAYBE_TIMES}
    return Trend(**values)


def save(db: Database, trends: Sequence[Trend]) -> None:
    """Keep the newest look of each topic and hour."""
    for trend in trends:
        db.execute("DELETE FROM trends WHERE topic = ? AND hour = ?", [trend.topic, _hour(trend)])
        values = {name: getattr(trend, name) for name in Trend.__dataclass_fields__}
        values |= {name: to_text(values[name]) for name in _TIMES}
        values |= {name: maybe_text(values[name]) for name in _MAYBE_TIMES} | {"hour": _hour(trend)}
        names = ", ".join(values)
        db.execute(f"INSERT INTO trends ({names}) VALUES ({', '.join(':' + name for name in values)})", values)


def _hour(trend: Trend) -> str:
    return to_text(trend.evaluated.replace(minute=0, second=0, microsecond=0))
