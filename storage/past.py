"""Read all that a replay needs, once, through a read-only connection."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from storage.connection import open_reader, translated
from storage.counts import in_time
from storage.items import COLUMNS, to_item
from storage.past_records import IMPORTED, Past, PastExposure, PastLook, Told
from storage.records import Exposure, Item, Merge, Signal
from storage.stories import to_words
from storage.times import from_text, maybe_time, to_text

LEAD_IN = timedelta(days=14)
"""Stories that began before the period are read so far back, so that a later telling is not taken for the first."""


def read(path: Path, since: datetime, until: datetime) -> Past:
    """Read the past from ``since`` to ``until``. Raises StorageError when there is no usable database."""
    db = open_reader(path)
    try:
        with translated(path):
            db.conn.execute("BEGIN")  # one state of the database, although a daemon goes on writing
            return _read(db, since - LEAD_IN, until)
    finally:
        db.close()


def _read(db: Database, since: datetime, until: datetime) -> Past:
    topics = {
        row["topic"]: maybe_time(row["read_since"]) for row in db.execute("SELECT topic, read_since FROM thresholds")
    }
    period = [to_text(since), to_text(until)]
    first = db.execute("SELECT min(at) AS look, (SELECT min(published) FROM items) AS item FROM looks").fetchone()
    return Past(
        topics=tuple(topics),
        items=_items(db, period),
        texts=_texts(db, period),
        signals=_signals(db, period),
        merges=tuple(Merge(*row) for row in db.execute("SELECT story_id, into_id, item_id FROM story_merges")),
        exposures=_exposures(db, since),
        fetched=_fetched(db),
        looks=_looks(db, period),
        first_look=maybe_time(first["look"]),
        oldest=maybe_time(first["item"]),
        read_since={topic: at for topic, at in topics.items() if at is not None},
    )


def _items(db: Database, period: Sequence[str]) -> tuple[Told, ...]:
    sql = f"""SELECT i.id, i.feed_id, CAST(strftime('%s', i.published) AS INTEGER),
                     CAST(strftime('%s', i.seen) AS INTEGER), i.backlog, m.placed_in, i.look, {in_time("i")},
                     coalesce(m.relation = 'copy', 0)
              FROM items i LEFT JOIN story_items m ON m.item_id = i.id
              WHERE i.published BETWEEN ? AND ? ORDER BY i.id"""
    return tuple(Told(*row) for row in db.execute(sql, period))


def _texts(db: Database, period: Sequence[str]) -> dict[int, Item]:
    sql = f"""SELECT {COLUMNS} FROM items i JOIN feeds f ON f.id = i.feed_id
              WHERE i.published BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM signals s WHERE s.item_id = i.id)"""
    return {row["id"]: to_item(row) for row in db.execute(sql, period)}


def _signals(db: Database, period: Sequence[str]) -> dict[int, tuple[Signal, ...]]:
    sql = """SELECT item_id, topic, probability, model, words FROM signals WHERE published BETWEEN ? AND ?
             ORDER BY item_id, topic"""
    found: dict[int, tuple[Signal, ...]] = {}
    for item_id, topic, probability, model, words in db.execute(sql, period):
        signal = Signal(item_id, topic, probability, model, to_words(words))
        found[item_id] = (*found.get(item_id, ()), signal)
    return found


def _exposures(db: Database, since: datetime) -> tuple[PastExposure, ...]:
    """Read intervals; one is an archive's when it begins with an imported item, or was over before it was known."""
    sql = f"""SELECT feed_id, since, until, opened, opened > until OR EXISTS (
                SELECT 1 FROM items i WHERE i.feed_id = e.feed_id AND i.published = e.since AND i.backlog = {IMPORTED})
              FROM exposures e WHERE until > ? ORDER BY feed_id, since"""
    return tuple(
        PastExposure(Exposure(feed_id, from_text(begin), from_text(end), from_text(opened)), bool(imported))
        for feed_id, begin, end, opened, imported in db.execute(sql, [to_text(since)])
    )


def _fetched(db: Database) -> dict[int, tuple[int, ...]]:
    sql = """SELECT feed_id, CAST(strftime('%s', started) + seconds AS INTEGER) FROM fetches
             WHERE error IS NULL AND NOT pushed ORDER BY started"""
    found: dict[int, list[int]] = {}
    for feed_id, ended in db.execute(sql):
        found.setdefault(feed_id, []).append(ended)
    return {feed_id: tuple(ended) for feed_id, ended in found.items()}


def _looks(db: Database, period: Sequence[str]) -> tuple[PastLook, ...]:
    sql = "SELECT id, at, last_item FROM looks WHERE at BETWEEN ? AND ? ORDER BY id"
    return tuple(PastLook(row["id"], from_text(row["at"]), row["last_item"]) for row in db.execute(sql, period))
