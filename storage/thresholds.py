"""Which model and threshold decide each topic, and from when on that model has read everything."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlite_utils import Database

from storage.counts import recount_stories_of
from storage.labels import PERSON, enforce, models_word, thresholds
from storage.times import to_text


def save(db: Database, models: Mapping[str, str], wanted: Mapping[str, float], now: datetime) -> None:
    """Note which model and threshold decide each topic from now on; topics that are no longer in use go.

    Where another model takes over, its word holds for items read from now on. Where only the threshold changes, the
    topic's signals are derived anew from what was said, so that its past can be compared with its present.
    """
    before = thresholds(db)
    db.execute("DELETE FROM thresholds WHERE topic NOT IN (SELECT value FROM json_each(?))", [json.dumps(list(models))])
    moved, lowered = [], []
    for topic, model in models.items():
        held_by, threshold = before.get(topic, (None, 0.0))
        if held_by != model:
            _take_over(db, topic, model, wanted[topic], now)
        elif threshold != wanted[topic]:
            moved.append(topic)
            lowered += [topic] if wanted[topic] < threshold else []
            sql = "UPDATE thresholds SET threshold = ?, since = ? WHERE topic = ?"
            db.execute(sql, [wanted[topic], to_text(now), topic])
    if moved:
        _derive_signals(db, moved, lowered, now)


def _take_over(db: Database, topic: str, model: str, threshold: float, now: datetime) -> None:
    unread = _newest_unread(db, topic, model, "9999") is not None
    db.execute(
        """INSERT OR REPLACE INTO thresholds (topic, model, threshold, since, read_since) VALUES (?, ?, ?, ?, ?)""",
        [topic, model, threshold, to_text(now), to_text(now) if unread else None],
    )


def _newest_unread(db: Database, topic: str, model: str, before: str) -> str | None:
    """Return when the newest item was published, before then, that a model has not read; None when it has read all.

    Items that wait for their first classification are left to the pipeline.
    """
    row = db.execute(_NEWEST_UNREAD, {"topic": topic, "model": model, "before": before}).fetchone()
    return row["published"] if row else None


_NEWEST_UNREAD = """
SELECT i.published FROM items i WHERE i.published < :before AND i.pending IS NOT 'classify' AND NOT EXISTS (
  SELECT 1 FROM classifications c WHERE c.item_id = i.id AND c.model = :model AND c.topic = :topic)
ORDER BY i.published DESC LIMIT 1
"""


def reach_back(db: Database, read: Mapping[str, str]) -> None:
    """Note how far back the models in use have read by now, after these models (by topic) read stored items."""
    sql = "SELECT topic, model, read_since FROM thresholds WHERE read_since IS NOT NULL"
    for topic, model, read_since in db.execute(sql).fetchall():
        if read.get(topic) != model:
            continue
        unread = _newest_unread(db, topic, model, read_since)
        db.execute(
            """UPDATE thresholds SET read_since = CASE WHEN ?1 IS NOT NULL THEN
                 min(read_since, coalesce((SELECT min(published) FROM items WHERE published > ?1), read_since)) END
               WHERE topic = ?2""",
            [unread, topic],
        )


def _derive_signals(db: Database, moved: Sequence[str], lowered: Sequence[str], now: datetime) -> None:
    """Derive the signals of topics whose threshold moved from what models said; people's labels stand."""
    topics = json.dumps(moved)
    before = _carriers(db, topics)
    db.execute(_BELOW, {"topics": topics, "person": PERSON})
    if lowered:  # where it rose, no signal can be new, and what models said need not be read
        values = {"topics": json.dumps(lowered), "now": to_text(now)}
        db.execute(models_word("c.topic IN (SELECT value FROM json_each(:topics))"), values)
    enforce(db, {item_id for item_id, _ in before ^ _carriers(db, topics)}, now)
    recount_stories_of(db, {item_id for item_id, _ in before ^ _carriers(db, topics)})


def _carriers(db: Database, topics: str) -> set[tuple[int, str]]:
    sql = "SELECT item_id, topic FROM signals WHERE topic IN (SELECT value FROM json_each(?))"
    return {(row["item_id"], row["topic"]) for row in db.execute(sql, [topics])}


_BELOW = """
DELETE FROM signals WHERE topic IN (SELECT value FROM json_each(:topics)) AND model <> :person
  AND probability < (SELECT threshold FROM thresholds t WHERE t.topic = signals.topic)
"""
