"""Items that no alert rule has looked at yet, with all that a rule may ask of them."""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from sqlite_utils import Database

from storage.alert_records import Unjudged
from storage.items import COLUMNS, id_list, pending, to_item
from storage.records import Signal
from storage.stories import to_words

EARLIER = 20
"""So many earlier tellings of an item's story are read."""


def unjudged(db: Database, limit: int) -> list[Unjudged]:
    """Return items that wait for the alert rules, each with its signals, its story and the story's earlier tellings."""
    waiting = [item.id for item in pending(db, "judge", limit)]
    before = {item_id: _before(db, item_id) for item_id in waiting}
    known = _known(db, {item_id for ids in (waiting, *before.values()) for item_id in ids})
    return [replace(known[one], earlier=tuple(known[other] for other in before[one])) for one in waiting]


def _before(db: Database, item_id: int) -> list[int]:
    """Return the items of an item's story that were stored before it, newest first."""
    sql = """SELECT m.item_id FROM story_items own CROSS JOIN story_items m ON m.story_id = own.story_id
             WHERE own.item_id = ? AND m.item_id < own.item_id ORDER BY m.item_id DESC LIMIT ?"""
    return [row["item_id"] for row in db.execute(sql, [item_id, EARLIER])]


def _known(db: Database, item_ids: Iterable[int]) -> dict[int, Unjudged]:
    listed = id_list(item_ids)
    found = {row["id"]: _one(row) for row in db.execute(_ITEMS, [listed])}
    for row in db.execute(_SIGNALS, [listed]):
        signal = Signal(**{**dict(row), "words": to_words(row["words"])})
        known = found[signal.item_id]
        found[signal.item_id] = replace(known, signals=(*known.signals, signal))
    return found


_ITEMS = f"""
SELECT {COLUMNS}, f.kind, m.story_id, coalesce(t.independent, 1) AS outlets
FROM json_each(?) chosen CROSS JOIN items i ON i.id = chosen.value CROSS JOIN feeds f ON f.id = i.feed_id
LEFT JOIN story_items m ON m.item_id = i.id LEFT JOIN stories t ON t.id = m.story_id
"""
_SIGNALS = """
SELECT item_id, topic, probability, model, words FROM signals
WHERE item_id IN (SELECT value FROM json_each(?)) ORDER BY item_id, topic
"""


def _one(row: sqlite3.Row) -> Unjudged:
    return Unjudged(to_item(row), (), row["kind"], row["story_id"], row["outlets"])
