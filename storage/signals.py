"""What models said of items, and the signals that follow from it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlite_utils import Database

from storage import embeddings, thresholds
from storage.counts import recount_stories_of
from storage.items import COLUMNS, advance, id_list, to_item
from storage.labels import enforce
from storage.records import Classification, Embedding, Item, Signal
from storage.times import to_text


def save(
    db: Database,
    classifications: Sequence[Classification],
    signals: Sequence[Signal],
    meant: Sequence[Embedding],
    now: datetime,
) -> None:
    """Store what the models said of a batch, and what its items mean; they go on to be grouped."""
    _insert(db, classifications, signals, now)
    embeddings.save(db, meant)
    advance(db, {c.item_id for c in classifications}, "group")


def replace(db: Database, classifications: Sequence[Classification], signals: Sequence[Signal], now: datetime) -> None:
    """Store what other models say of items that were read before; nothing that was said is forgotten.

    Their signals become the new models' (people's labels stand), and the days they touch are counted anew.
    """
    items = id_list({c.item_id for c in classifications})
    topics = json.dumps(sorted({c.topic for c in classifications}))
    db.execute(
        """DELETE FROM signals WHERE item_id IN (SELECT value FROM json_each(?))
           AND topic IN (SELECT value FROM json_each(?))""",
        [items, topics],
    )
    _insert(db, classifications, signals, now)
    thresholds.reach_back(db, {c.topic: c.model for c in classifications})
    recount_stories_of(db, {c.item_id for c in classifications})


def _insert(db: Database, classifications: Sequence[Classification], signals: Sequence[Signal], now: datetime) -> None:
    db.conn.executemany(
        "INSERT OR REPLACE INTO classifications (item_id, model, topic, probability, classified)"
        " VALUES (?, ?, ?, ?, ?)",
        [(c.item_id, c.model, c.topic, round(c.probability, 4), to_text(now)) for c in classifications],
    )
    db.conn.executemany(
        """INSERT OR REPLACE INTO signals (item_id, topic, probability, model, words, published, created)
           SELECT id, ?, ?, ?, ?, published, ? FROM items WHERE id = ?""",
        [(s.topic, round(s.probability, 4), s.model, ", ".join(s.words), to_text(now), s.item_id) for s in signals],
    )
    enforce(db, {c.item_id for c in classifications}, now)


def unread(
    db: Database, models: Mapping[str, str], since: datetime, limit: int, after: Item | None = None
) -> list[Item]:
    """Return items published since then that miss what one of these models (by topic) says; the newest first.

    ``after`` goes on below an item that was returned before, so that nothing is looked through twice. Items that wait
    for their first classification are left to the pipeline.
    """
    where, values = _missing(models, since)
    place = {"published": to_text(after.published), "id": after.id} if after else {"published": "9999", "id": 0}
    sql = f"""SELECT {COLUMNS} FROM items i JOIN feeds f ON f.id = i.feed_id
              WHERE {where} AND (i.published, i.id) < (:published, :id)
              ORDER BY i.published DESC, i.id DESC LIMIT :limit"""
    return [to_item(row) for row in db.execute(sql, {**values, **place, "limit": limit})]


def unread_count(db: Database, models: Mapping[str, str], since: datetime) -> int:
    """Count what `unread` would find without a limit."""
    where, values = _missing(models, since)
    (count,) = db.conn.execute(f"SELECT count(*) FROM items i WHERE {where}", values).fetchone()
    return int(count)


def _missing(models: Mapping[str, str], since: datetime) -> tuple[str, dict[str, str]]:
    """Return a condition on ``items i``, and its values; a look-up for each topic: a list would take twice as long."""
    values, looks = {"since": to_text(since)}, []
    for n, (topic, model) in enumerate(models.items()):
        values |= {f"topic{n}": topic, f"model{n}": model}
        looks.append(
            "NOT EXISTS (SELECT 1 FROM classifications c"
            f" WHERE c.item_id = i.id AND c.model = :model{n} AND c.topic = :topic{n})"
        )
    return f"i.published >= :since AND i.pending IS NOT 'classify' AND ({' OR '.join(looks)})", values


def counts(db: Database, since: datetime) -> dict[str, int]:
    """Count the signals of each topic whose items were published since then."""
    sql = "SELECT topic, count(*) AS n FROM signals WHERE published >= ? GROUP BY topic ORDER BY topic"
    return {row["topic"]: row["n"] for row in db.execute(sql, [to_text(since)])}
