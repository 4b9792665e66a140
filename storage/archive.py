"""Archives: past items of feeds and of sources that are no feed of ours, and the times that they cover."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlite_utils import Database

from storage.days import days_between, zone_of
from storage.exposures import add, count_hours
from storage.feed_records import Entry
from storage.records import Exposure
from storage.times import from_text, to_text
from storage.writer import Writer

IMPORTED = 2
"""The value of items.backlog for what came from an archive."""
Stretch: TypeAlias = tuple[datetime, datetime]
_NEVER = 10 * 365 * 86400


@dataclass(frozen=True, slots=True)
class PastItem:
    """An entry of an archive, with the identity and the keys that it would have in a poll of its feed.

    ``entry.published`` is set.
    """

    feed_id: int
    entry: Entry
    identity: str
    keys: tuple[int, ...]


def source_feeds(db: Database, sources: Iterable[str], now: datetime) -> dict[str, int]:
    """Return for each source the feed of that name, whatever its case; add those that are missing.

    A source that is no feed becomes one that is never polled. Once feeds.yaml has a feed of that name, it is that feed.
    """
    known: dict[str, int] = {}
    for row in db.execute("SELECT id, name FROM feeds ORDER BY NOT active, id"):
        known.setdefault(row["name"].casefold(), row["id"])
    found = {}
    for source in sources:
        name = source.casefold()
        if name not in known:
            known[name] = _add(db, source, now)
        found[source] = known[name]
    return found


def _add(db: Database, source: str, now: datetime) -> int:
    cursor = db.execute(
        """INSERT INTO feeds (name, url, kind, every, active, added, next_poll)
           VALUES (?, ?, 'archive', ?, 0, ?, ?)""",
        [source, f"archive:{source}", _NEVER, to_text(now), to_text(now)],
    )
    if cursor.lastrowid is None:
        raise AssertionError("SQLite gives every inserted row an id")
    return cursor.lastrowid


def save(db: Database, items: Sequence[PastItem]) -> int:
    """Store past items, to be classified as backlog is; they count as seen when they were published.

    Items that are known already are left as they are. Returns the number of new ones.
    """
    return sum(_insert(db, item) for item in items)


def _insert(db: Database, item: PastItem) -> bool:
    entry = item.entry
    if entry.published is None:
        raise AssertionError("every item of an archive has a date")
    published = to_text(entry.published)
    cursor = db.execute(
        """INSERT INTO items (feed_id, guid, url, title, summary, lang, published, seen, backlog, identity, pending)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'classify') ON CONFLICT (feed_id, identity) DO NOTHING""",
        [
            item.feed_id,
            entry.guid,
            entry.url,
            entry.title,
            entry.summary,
            entry.lang,
            published,
            published,
            IMPORTED,
            item.identity,
        ],
    )
    if not cursor.rowcount:
        return False
    rows = [(item.feed_id, key, cursor.lastrowid) for key in item.keys]
    db.conn.executemany("INSERT OR IGNORE INTO item_keys (feed_id, key, item_id) VALUES (?, ?, ?)", rows)
    return True


def archived_times(db: Database, feed_id: int) -> list[datetime]:
    """Return when a feed's imported items were published, in order."""
    sql = "SELECT DISTINCT published FROM items WHERE feed_id = ? AND backlog = ? ORDER BY published"
    return [from_text(row["published"]) for row in db.execute(sql, [feed_id, IMPORTED])]


def live_stretches(db: Database, feed_id: int) -> list[Stretch]:
    """Return from when to when a feed's flow is known by other means than by an archive.

    An interval that an archive made begins and ends with one of its items, and was opened after it had ended.
    """
    sql = f"""SELECT since, until FROM exposures WHERE feed_id = :feed AND since < until AND NOT ({_BY_ARCHIVE})
              ORDER BY since"""
    values = {"feed": feed_id, "imported": IMPORTED}
    return [(from_text(row["since"]), from_text(row["until"])) for row in db.execute(sql, values)]


_BY_ARCHIVE = """
opened > until AND EXISTS (SELECT 1 FROM items i WHERE i.feed_id = exposures.feed_id AND i.backlog = :imported
                           AND i.published = exposures.since)
               AND EXISTS (SELECT 1 FROM items i WHERE i.feed_id = exposures.feed_id AND i.backlog = :imported
                           AND i.published = exposures.until)
"""


def save_exposures(db: Database, feed_id: int, covered: Sequence[Stretch], now: datetime) -> None:
    """Make these the intervals that archives cover of a feed, in place of those of earlier imports."""
    values = {"feed": feed_id, "imported": IMPORTED}
    rows = db.execute(f"SELECT since, until FROM exposures WHERE feed_id = :feed AND {_BY_ARCHIVE}", values).fetchall()
    db.execute(f"DELETE FROM exposures WHERE feed_id = :feed AND {_BY_ARCHIVE}", values)
    for row in rows:
        _forget_hours(db, feed_id, (from_text(row["since"]), from_text(row["until"])))
    for since, until in covered:
        add(db, Exposure(feed_id, since, until, now))


def _forget_hours(db: Database, feed_id: int, stretch: Stretch) -> None:
    days = list(days_between(zone_of(db), *stretch))
    sql = "UPDATE feed_days SET hours = 0 WHERE feed_id = ? AND day BETWEEN ? AND ?"
    db.execute(sql, [feed_id, days[0].isoformat(), days[-1].isoformat()])
    count_hours(db, feed_id, days)


class Archives(Writer):
    """What the import of an archive needs of a Store."""

    async def source_feeds(self, sources: Sequence[str], now: datetime) -> dict[str, int]:
        """Return for each source the feed of that name; add those that are missing."""
        return await self._do(lambda db: source_feeds(db, sources, now))

    async def save_archive(self, items: Sequence[PastItem]) -> int:
        """Store past items. Returns the number of new ones."""
        return await self._do(lambda db: save(db, items))

    async def archived_times(self, feed_id: int) -> list[datetime]:
        """Return when a feed's imported items were published."""
        return await self._do(lambda db: archived_times(db, feed_id))

    async def live_stretches(self, feed_id: int) -> list[Stretch]:
        """Return from when to when a feed's flow is known by other means than by an archive."""
        return await self._do(lambda db: live_stretches(db, feed_id))

    async def save_archive_exposures(self, feed_id: int, covered: Sequence[Stretch], now: datetime) -> None:
        """Make these the intervals that archives cover of a feed."""
        await self._do(lambda db: save_exposures(db, feed_id, covered, now))
