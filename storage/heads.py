"""The output layers that `monitor train` learned from people's labels, and the labels as it reads them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from storage.reading import ask
from storage.records import Head
from storage.times import to_text

_SECONDS = 300.0  # that a question about all labels may take: nobody waits for it at a screen


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """What a person said of an item and one topic. Items of one ``story`` tell the same event."""

    item_id: int
    topic: str
    carries: bool
    story: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class TaggedItem:
    """An item that a person labelled, with all topics as which it counts: the person's word, else the model's."""

    title: str
    summary: str
    lang: str | None
    story: str
    topics: frozenset[str]


def all_heads(db: Database) -> list[Head]:
    """Return the learned heads, by topic."""
    sql = "SELECT topic, model, base, weights, labels FROM heads ORDER BY topic"
    return [Head(**{**row, "weights": tuple(json.loads(row["weights"]))}) for row in db.query(sql)]


def save(db: Database, heads: Sequence[Head], now: datetime) -> None:
    """Make these the learned heads, in place of all earlier ones."""
    db.execute("DELETE FROM heads")
    db.conn.executemany(
        "INSERT INTO heads (topic, model, base, weights, labels, fitted) VALUES (?, ?, ?, ?, ?, ?)",
        [(h.topic, h.model, h.base, json.dumps(h.weights), h.labels, to_text(now)) for h in heads],
    )


def labelled(path: Path) -> list[LabelledItem]:
    """Return all labels, by topic and item. Raises StorageError."""
    rows = ask(path, _LABELLED, seconds=_SECONDS).rows
    return [LabelledItem(item, topic, bool(said), *rest) for item, topic, said, *rest in rows]


def tagged(path: Path, topics: Sequence[str]) -> list[TaggedItem]:
    """Return the items with a label for one of these topics, with those of the topics that they carry.

    Raises StorageError.
    """
    known = frozenset(topics)
    return [
        TaggedItem(title, summary, lang, story, known.intersection(json.loads(carried)))
        for title, summary, lang, story, carried, said in ask(path, _TAGGED, seconds=_SECONDS).rows
        if known.intersection(json.loads(said))
    ]


_STORY = "coalesce('story ' || m.story_id, 'item ' || i.id)"  # before it is grouped, an item is a story of its own

_LABELLED = f"""
SELECT i.id, l.topic, l.carries, {_STORY}, i.title, i.summary
FROM labels l JOIN items i ON i.id = l.item_id LEFT JOIN story_items m ON m.item_id = i.id
ORDER BY l.topic, i.id
"""

_TAGGED = f"""
SELECT i.title, i.summary, i.lang, {_STORY},
  (SELECT json_group_array(s.topic) FROM signals s WHERE s.item_id = i.id),
  (SELECT json_group_array(l.topic) FROM labels l WHERE l.item_id = i.id)
FROM items i LEFT JOIN story_items m ON m.item_id = i.id
WHERE i.id IN (SELECT item_id FROM labels)
ORDER BY i.id
"""
