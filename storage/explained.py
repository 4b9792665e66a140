"""What the database holds of one item, for those who ask why: read-only, beside a daemon that works."""

import sqlite3
from pathlib import Path

from storage.connection import open_reader, translated
from storage.errors import QueryError
from storage.heads import all_heads
from storage.items import COLUMNS, to_item
from storage.records import Head, Item, Verdict


def item_with_verdicts(path: Path, item_id: int) -> tuple[Item, dict[str, Verdict]]:
    """Return an item, and what is stored of each of its topics.

    Raises QueryError when there is no such item, StorageError when the database cannot be used.
    """
    db = open_reader(path)
    try:
        with translated(path):
            row = db.execute(_ITEM, [item_id]).fetchone()
            if row is None:
                raise QueryError(
                    f"there is no item {item_id} in {path}; "
                    '`monitor sql "SELECT item_id, title FROM signals_latest LIMIT 20"` shows the latest ones'
                )
            return to_item(row), {row["topic"]: _verdict(row) for row in db.execute(_VERDICTS, {"id": item_id})}
    finally:
        db.close()


def learned_heads(path: Path) -> list[Head]:
    """Return what `monitor train` learned; nothing where there is no database. Raises StorageError."""
    if not path.exists() or path.stat().st_size == 0:
        return []
    db = open_reader(path)
    try:
        with translated(path):
            return all_heads(db)
    finally:
        db.close()


_ITEM = f"SELECT {COLUMNS} FROM items i JOIN feeds f ON f.id = i.feed_id WHERE i.id = ?"

# Of several models that read the item, the one behind the signal comes first, then the latest.
_VERDICTS = """
SELECT topic, model, probability, signal,
       (SELECT carries FROM labels l WHERE l.item_id = :id AND l.topic = t.topic) AS label
FROM (
  SELECT topics.topic, c.model, c.probability, s.topic IS NOT NULL AS signal,
         row_number() OVER (PARTITION BY topics.topic ORDER BY c.model = s.model DESC, c.classified DESC) AS place
  FROM (SELECT topic FROM classifications WHERE item_id = :id UNION SELECT topic FROM signals WHERE item_id = :id
        UNION SELECT topic FROM labels WHERE item_id = :id) topics
  LEFT JOIN classifications c ON c.item_id = :id AND c.topic = topics.topic
  LEFT JOIN signals s ON s.item_id = :id AND s.topic = topics.topic) t
WHERE place = 1
"""


def _verdict(row: sqlite3.Row) -> Verdict:
    label = None if row["label"] is None else bool(row["label"])
    return Verdict(row["model"], row["probability"], bool(row["signal"]), label)
