"""Items on their way through the pipeline: which step each waits for, and how to read them."""

import json
import sqlite3
from collections.abc import Iterable

from sqlite_utils import Database

from storage.records import Item
from storage.times import from_text

COLUMNS = (
    "i.id, i.feed_id, f.name AS feed, i.title, i.summary, i.lang, i.url, i.published, i.seen,"
    " i.backlog, i.backlog = 2 AS imported"
)


def pending(db: Database, step: str, limit: int) -> list[Item]:
    """Return up to ``limit`` items that wait for a step; fresh ones before backlog, so that news is never late."""
    sql = f"""SELECT {COLUMNS} FROM items i JOIN feeds f ON f.id = i.feed_id
              WHERE i.pending = ? ORDER BY i.backlog, i.id LIMIT ?"""
    return [to_item(row) for row in db.execute(sql, [step, limit])]


def to_item(row: sqlite3.Row) -> Item:
    """Read a row that has the columns of an Item."""
    values = {name: row[name] for name in Item.__dataclass_fields__}
    values["published"] = from_text(values["published"])
    values["seen"] = from_text(values["seen"])
    values["backlog"], values["imported"] = bool(values["backlog"]), bool(values["imported"])
    return Item(**values)


def pending_counts(db: Database) -> dict[str, int]:
    """Count the items that wait, per step."""
    sql = "SELECT pending, count(*) AS n FROM items WHERE pending IS NOT NULL GROUP BY pending"
    return {row["pending"]: row["n"] for row in db.execute(sql)}


def advance(db: Database, item_ids: Iterable[int], step: str | None) -> None:
    """Let items wait for the next step; None means that they are through."""
    db.execute("UPDATE items SET pending = ? WHERE id IN (SELECT value FROM json_each(?))", [step, id_list(item_ids)])


def id_list(ids: Iterable[int]) -> str:
    """Write ids as a JSON array for json_each: any number of them in one parameter."""
    return json.dumps(list(ids))


def last_id(db: Database) -> int:
    """Return the id of the item that was stored last; 0 when there is none."""
    (number,) = db.conn.execute("SELECT coalesce(max(id), 0) FROM items").fetchone()
    return int(number)
