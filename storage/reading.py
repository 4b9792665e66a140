"""Answer SQL questions: canned ones by name, and any SELECT; read-only, and limited in time."""

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from storage.connection import open_reader
from storage.errors import QueryError

STEPS_BETWEEN_CLOCK_READS = 10_000

_PARAMETER = re.compile(r"^--\s+:(\w+)\s*=\s*(\S+)\s+(.*)$")


@dataclass(frozen=True, slots=True)
class Answer:
    """Column names and all rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class CannedQuery:
    """A question with a name. ``parameters`` maps each name to its default and its meaning."""

    name: str
    question: str
    sql: str
    parameters: Mapping[str, tuple[str, str]]


def canned_queries() -> dict[str, CannedQuery]:
    """Read storage/queries/*.sql: the first comment is the question, ``-- :name = default  meaning`` a parameter."""
    sources = (file for file in files("storage").joinpath("queries").iterdir() if file.name.endswith(".sql"))
    queries = (_canned(file.name.removesuffix(".sql"), file.read_text()) for file in sources)
    return {query.name: query for query in sorted(queries, key=lambda query: query.name)}


def _canned(name: str, sql: str) -> CannedQuery:
    comments = [line for line in sql.splitlines() if line.startswith("--")]
    found = (_PARAMETER.match(line) for line in comments)
    return CannedQuery(name, comments[0].lstrip("- "), sql, {m[1]: (m[2], m[3]) for m in found if m})


def ask(
    path: Path, sql: str, parameters: Mapping[str, object] | None = None, seconds: float = 30.0, most: int | None = None
) -> Answer:
    """Run one SELECT on a read-only connection, and return its rows, or the first ``most`` of them.

    Raises QueryError when the statement is refused (it would write, or attach a file), fails, or takes longer than
    ``seconds``; StorageError when the database cannot be opened.
    """
    db = open_reader(path)
    try:
        with _limited(db, seconds):
            cursor = db.conn.execute(sql, dict(parameters or {}))
            columns = tuple(column[0] for column in cursor.description or ())
            return Answer(columns, [tuple(row) for row in (cursor if most is None else cursor.fetchmany(most))])
    finally:
        db.close()


@contextmanager
def _limited(db: Database, seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    db.conn.set_authorizer(_read_only)
    db.conn.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_CLOCK_READS)
    try:
        yield
    except sqlite3.Error as error:
        raise QueryError(_reason(error, seconds)) from error
    except UnicodeEncodeError as error:
        raise QueryError("the query holds bytes that are no text") from error


_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info"}


def _read_only(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    """Allow reading; refuse ATTACH, writes and switches (the codes: sqlite.org/c3ref/c_alter_table.html)."""
    reading = action in _READING and second != "load_extension"
    describing = action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS
    return sqlite3.SQLITE_OK if reading or describing else sqlite3.SQLITE_DENY


def _reason(error: sqlite3.Error, seconds: float) -> str:
    text = str(error)
    if "interrupted" in text:
        return f"the query took longer than {seconds:g} seconds and was stopped; narrow it, for instance by date"
    if "not authorized" in text or "readonly" in text:
        return f"only reading is allowed here ({text}): write a SELECT"
    if "binding" in text or "did not supply" in text:
        return f"the query has a parameter without a value: {text}"
    return f"SQLite says: {text}"


def status(path: Path) -> dict[str, Answer]:
    """Return what `monitor status` shows: feeds, pending work, trends, messages and alerts that wait, silences."""
    return {name: ask(path, sql) for name, sql in _STATUS.items()}


_STATUS = {
    "feeds": """SELECT name, state, since, status, last_ok, minutes, per_day,
                       max(next_poll, coalesce(waits_for, '')) AS next_poll,
                       CASE state WHEN 'stale' THEN coalesce('no news since ' || last_news, 'no news yet')
                                  ELSE coalesce(error, '') END AS reason
                FROM feed_health""",
    "pending": "SELECT pending AS step, count(*) AS items FROM items WHERE pending IS NOT NULL GROUP BY pending",
    "totals": """SELECT (SELECT count(*) FROM items) AS items, (SELECT count(*) FROM signals) AS signals,
                 (SELECT count(*) FROM stories) AS stories, (SELECT count(*) FROM alerts) AS alerts,
                 (SELECT max(seen) FROM items) AS newest_item, (SELECT max(last_poll) FROM feeds) AS last_poll,
                 (SELECT max(last_ok) FROM feeds WHERE active) AS last_ok""",
    "trends": "SELECT * FROM trends_latest",
    "deliveries": "SELECT * FROM deliveries_open",
    "open": "SELECT since, severity, rule, topic, headline, repeats, acked, alert_id FROM alerts_open",
    "held": """SELECT rule, why, count(*) AS alerts, min(held_until) AS until FROM alerts_waiting
               GROUP BY rule, why ORDER BY until, rule, why""",
    "silences": "SELECT * FROM silences_active",
}
