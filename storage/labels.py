"""What people said of items. A label decides: it makes or removes the signal, whatever a model says."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from storage.counts import recount_stories_of
from storage.items import COLUMNS, id_list, to_item
from storage.records import Item
from storage.times import to_text

PERSON = "label"
"""The model name of signals that a person gave."""


@dataclass(frozen=True, slots=True)
class Known:
    """An item with what people and models say of it, by topic.

    ``labels`` tells whether it carries a topic, as a person said; ``probabilities`` are those of the models asked for;
    ``signals`` holds the topics as which it counts now, each with the words that decided, strongest first.
    """

    item: Item
    labels: Mapping[str, bool] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def save(db: Database, item_id: int, labels: Mapping[str, bool], now: datetime) -> None:
    """Store what a person says of an item (topic: carries it or not), move its signals, recount the days it touches."""
    _insert(db, item_id, labels, now)
    _follow(db, item_id, labels, now)


def replace(db: Database, item_id: int, labels: Mapping[str, bool], now: datetime) -> int:
    """Make these all that was said of an item: what was said before is forgotten. Returns how many labels went.

    Where no label is left, the model's word holds again.
    """
    before = {row["topic"] for row in db.execute("SELECT topic FROM labels WHERE item_id = ?", [item_id])}
    db.execute("DELETE FROM labels WHERE item_id = ?", [item_id])
    _insert(db, item_id, labels, now)
    _follow(db, item_id, before | set(labels), now)
    return len(before)


def _insert(db: Database, item_id: int, labels: Mapping[str, bool], now: datetime) -> None:
    db.conn.executemany(
        "INSERT OR REPLACE INTO labels (item_id, topic, carries, labelled) VALUES (?, ?, ?, ?)",
        [(item_id, topic, int(carries), to_text(now)) for topic, carries in labels.items()],
    )


def _follow(db: Database, item_id: int, topics: Iterable[str], now: datetime) -> None:
    """Let an item's signals of these topics follow from the labels it has now, else from the models."""
    values = {"item": item_id, "topics": json.dumps(sorted(topics)), "person": PERSON, "now": to_text(now)}
    db.execute(
        """DELETE FROM signals WHERE item_id = :item AND model = :person
           AND topic IN (SELECT value FROM json_each(:topics))""",
        values,
    )
    db.execute(models_word("c.item_id = :item AND c.topic IN (SELECT value FROM json_each(:topics))"), values)
    enforce(db, [item_id], now)
    recount_stories_of(db, [item_id])


def models_word(which: str) -> str:
    """Return the SQL that makes signals of the classifications ``c`` that meet a condition; it wants the value ``now``.

    What the model in use said decides; where it has not read the item, what was said last. Signals that are there stay.
    """
    return f"""
INSERT OR IGNORE INTO signals (item_id, topic, probability, model, published, created)
SELECT said.item_id, said.topic, said.probability, said.model, i.published, :now FROM (
  SELECT c.item_id, c.topic, c.probability, c.model, t.threshold, row_number() OVER (
    PARTITION BY c.item_id, c.topic ORDER BY c.model = t.model DESC, c.classified DESC, c.model) AS rank
  FROM classifications c JOIN thresholds t ON t.topic = c.topic WHERE {which}) said
JOIN items i ON i.id = said.item_id WHERE said.rank = 1 AND said.probability >= said.threshold
"""


def enforce(db: Database, item_ids: Iterable[int], now: datetime) -> None:
    """Make the signals of these items agree with their labels. A signal that only a person saw has probability 1."""
    ids = id_list(item_ids)
    db.execute(
        """DELETE FROM signals WHERE (item_id, topic) IN
             (SELECT item_id, topic FROM labels WHERE NOT carries AND item_id IN (SELECT value FROM json_each(?)))""",
        [ids],
    )
    db.execute(
        """INSERT OR IGNORE INTO signals (item_id, topic, probability, model, published, created)
           SELECT i.id, l.topic, 1.0, ?, i.published, ? FROM labels l JOIN items i ON i.id = l.item_id
           WHERE l.carries AND i.id IN (SELECT value FROM json_each(?))""",
        [PERSON, to_text(now), ids],
    )


def thresholds(db: Database) -> dict[str, tuple[str, float]]:
    """Return for each topic in use the model that decides it, and from which probability on an item counts."""
    rows = db.execute("SELECT topic, model, threshold FROM thresholds ORDER BY topic")
    return {row["topic"]: (row["model"], row["threshold"]) for row in rows}


def about(db: Database, item_id: int, models: Mapping[str, str]) -> Known | None:
    """Return what is known of an item, with what these models (by topic) say; None when there is no such item."""
    found = _known(db, [item_id], models)
    return found[0] if found else None


def labelled(db: Database, models: Mapping[str, str]) -> list[Known]:
    """Return the items that have a label, the newest first, with what these models (by topic) say."""
    sql = "SELECT DISTINCT l.item_id FROM labels l JOIN items i ON i.id = l.item_id ORDER BY i.published DESC, i.id"
    return _known(db, [row["item_id"] for row in db.execute(sql)], models)


def doubtful(db: Database, since: datetime, topic: str | None, limit: int) -> list[Known]:
    """Return items published since then, those first that the model in use was least sure about.

    Only topics without a label count, or only ``topic`` when it is given.
    """
    values = {"since": to_text(since), "topic": topic, "limit": limit}
    ids = [row["id"] for row in db.execute(_DOUBTFUL, values)]
    return _known(db, ids, {name: model for name, (model, _) in thresholds(db).items()})


# CROSS JOIN and + keep the order: the recent items first, then a look-up per topic, however long the history is.
_DOUBTFUL = """
SELECT i.id FROM items i CROSS JOIN thresholds t
CROSS JOIN classifications c ON c.item_id = i.id AND c.model = t.model AND c.topic = t.topic
WHERE i.published >= :since AND t.topic = coalesce(:topic, t.topic)
  AND NOT EXISTS (SELECT 1 FROM labels l WHERE l.item_id = i.id AND l.topic = t.topic)
GROUP BY +i.id ORDER BY min(abs(c.probability - t.threshold)), i.published DESC, i.id LIMIT :limit
"""


def _known(db: Database, item_ids: Sequence[int], models: Mapping[str, str]) -> list[Known]:
    """Load items in the order of these ids."""
    ids = id_list(item_ids)
    said = _by_item(db, "SELECT item_id, topic, carries AS value FROM labels", ids)
    likely = _by_item(db, _PROBABILITIES, ids, json.dumps(dict(models)))
    words = _by_item(db, "SELECT item_id, topic, words AS value FROM signals", ids)
    return [
        Known(
            item,
            {topic: bool(carries) for topic, carries in said.get(item.id, {}).items()},
            likely.get(item.id, {}),
            {topic: tuple(filter(None, text.split(", "))) for topic, text in words.get(item.id, {}).items()},
        )
        for item in _items(db, ids)
    ]


def _items(db: Database, ids: str) -> list[Item]:
    sql = f"""SELECT {COLUMNS} FROM json_each(?) chosen JOIN items i ON i.id = chosen.value
              JOIN feeds f ON f.id = i.feed_id ORDER BY chosen.key"""
    return [to_item(row) for row in db.execute(sql, [ids])]


_PROBABILITIES = """
SELECT c.item_id, c.topic, c.probability AS value
FROM classifications c JOIN json_each(?2) m ON m.key = c.topic AND m.value = c.model
"""


def _by_item(db: Database, sql: str, *values: str) -> dict[int, dict[str, Any]]:
    """Run a query that is limited to the items of the first value; return topic and value for each item."""
    found: dict[int, dict[str, Any]] = {}
    for row in db.execute(f"{sql} WHERE item_id IN (SELECT value FROM json_each(?1)) ORDER BY item_id, topic", values):
        found.setdefault(row["item_id"], {})[row["topic"]] = row["value"]
    return found
