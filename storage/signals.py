"""What models said of items, and the signals that follow from it."""

from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from storage.items import advance, id_list, pending
from storage.records import Classification, Item, Signal
from storage.times import to_text


def save(db: Database, classifications: Sequence[Classification], signals: Sequence[Signal], now: datetime) -> None:
    """Store what the model said of a batch; its items go on to be grouped."""
    db.conn.executemany(
        "INSERT OR REPLACE INTO classifications (item_id, model, topic, probability, classified)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (c.item_id, c.model, topic, round(probability, 4), to_text(now))
            for c in classifications
            for topic, probability in c.probabilities.items()
        ],
    )
    db.conn.executemany(
        """INSERT OR REPLACE INTO signals (item_id, topic, probability, model, published, created)
           SELECT id, ?, ?, ?, published, ? FROM items WHERE id = ?""",
        [(s.topic, round(s.probability, 4), s.model, to_text(now), s.item_id) for s in signals],
    )
    advance(db, (c.item_id for c in classifications), "group")


def unjudged(db: Database, limit: int) -> list[tuple[Item, dict[str, float]]]:
    """Return items that no alert rule has looked at yet, each with the probability of every topic it carries."""
    items = pending(db, "judge", limit)
    topics: dict[int, dict[str, float]] = {item.id: {} for item in items}
    sql = "SELECT item_id, topic, probability FROM signals WHERE item_id IN (SELECT value FROM json_each(?))"
    for row in db.execute(sql, [id_list(topics)]):
        topics[row["item_id"]][row["topic"]] = row["probability"]
    return [(item, topics[item.id]) for item in items]
