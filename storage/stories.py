"""Stories, and the daily counts that follow from them."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlite_utils import Database

from storage.items import advance, id_list
from storage.records import DayCount, Occurrence, Story, StoryItem, StoryLine
from storage.times import from_text, to_text


def alike(db: Database, fingerprints: Sequence[str]) -> list[Story]:
    """Return the stories whose key begins with one of these fingerprints (hex text, see monitor.stories)."""
    sql = """SELECT DISTINCT s.id, s.key, s.last_published FROM json_each(?) f
             CROSS JOIN stories s ON s.key >= f.value AND s.key < f.value || 'g' ORDER BY s.id"""
    values = [json.dumps(sorted(set(fingerprints)))]
    return [Story(row["id"], row["key"], from_text(row["last_published"])) for row in db.execute(sql, values)]


def save(db: Database, members: Sequence[StoryItem]) -> None:
    """Store which items tell which stories; open the new ones; recount the days they touch."""
    opened: dict[str, int] = {}
    for member in members:
        story_id = member.story_id or opened.get(member.key) or _open(db, member)
        if member.story_id is None:
            opened[member.key] = story_id
        db.execute("INSERT OR REPLACE INTO story_items (item_id, story_id) VALUES (?, ?)", [member.item.id, story_id])
    item_ids = [member.item.id for member in members]
    _refresh(db, item_ids)
    recount(db, days_touched(db, item_ids))
    advance(db, item_ids, "judge")


def _open(db: Database, member: StoryItem) -> int:
    item = member.item
    cursor = db.execute(
        """INSERT INTO stories (key, title, url, first_published, last_published, items, outlets)
           VALUES (?, ?, ?, ?, ?, 0, 0)""",
        [member.key, item.title, item.url, to_text(item.published), to_text(item.published)],
    )
    if cursor.lastrowid is None:
        raise AssertionError("SQLite gives every inserted row an id")
    return cursor.lastrowid


def _refresh(db: Database, item_ids: Iterable[int]) -> None:
    """Derive the stories' columns from their items: first and last telling, how many, in how many feeds."""
    db.execute(
        """UPDATE stories SET (title, url, first_published) = (
               SELECT i.title, i.url, i.published FROM story_items m JOIN items i ON i.id = m.item_id
               WHERE m.story_id = stories.id ORDER BY i.published, i.id LIMIT 1),
             (last_published, items, outlets) = (
               SELECT max(i.published), count(*), count(DISTINCT i.feed_id)
               FROM story_items m JOIN items i ON i.id = m.item_id WHERE m.story_id = stories.id)
           WHERE id IN (SELECT story_id FROM story_items WHERE item_id IN (SELECT value FROM json_each(?)))""",
        [id_list(item_ids)],
    )


def days_touched(db: Database, item_ids: Iterable[int]) -> list[date]:
    """Return the UTC days on which any item of these items' stories was published."""
    sql = """SELECT DISTINCT substr(i.published, 1, 10) AS day FROM story_items m JOIN items i ON i.id = m.item_id
             WHERE m.story_id IN
               (SELECT story_id FROM story_items WHERE item_id IN (SELECT value FROM json_each(?)))"""
    return [date.fromisoformat(row["day"]) for row in db.execute(sql, [id_list(item_ids)])]


def recount(db: Database, days: Sequence[date]) -> None:
    """Derive topic_counts of these UTC days from the signals, whatever they held before."""
    for day in days:
        db.execute("DELETE FROM topic_counts WHERE day = ?", [day.isoformat()])
        db.execute(_COUNT_DAY, {"day": day.isoformat(), "start": f"{day}T", "end": f"{day + timedelta(days=1)}T"})


# A story counts on one day and for one feed: those of its first telling within the topic. CROSS JOIN keeps SQLite from
# starting at the signals, where it would read all older ones of the topic for each row.
_COUNT_DAY = """
INSERT INTO topic_counts (day, topic, feed_id, stories, items)
SELECT :day, s.topic, i.feed_id,
       sum(NOT EXISTS (
         SELECT 1 FROM story_items earlier CROSS JOIN signals e ON e.item_id = earlier.item_id AND e.topic = s.topic
         WHERE earlier.story_id = m.story_id AND (e.published, e.item_id) < (s.published, s.item_id))),
       count(*)
FROM items i JOIN signals s ON s.item_id = i.id JOIN story_items m ON m.item_id = i.id
WHERE i.published >= :start AND i.published < :end
GROUP BY s.topic, i.feed_id
"""


def day_counts(db: Database, topic: str, last: date, days: int) -> tuple[DayCount, ...]:
    """Return the stories of each of the last ``days`` UTC days up to ``last``, oldest first, zeros included."""
    first = last - timedelta(days=days - 1)
    sql = "SELECT day, sum(stories) AS n FROM topic_counts WHERE topic = ? AND day BETWEEN ? AND ? GROUP BY day"
    counts = {row["day"]: row["n"] for row in db.execute(sql, [topic, first.isoformat(), last.isoformat()])}
    each = [first + timedelta(days=n) for n in range(days)]
    return tuple(DayCount(day, counts.get(day.isoformat(), 0)) for day in each)


def occurrences(db: Database, topic: str, since: datetime) -> list[Occurrence]:
    """Return the first telling, within a topic, of each of its stories published after ``since``."""
    sql = """SELECT i.feed_id, min(i.published) AS published, i.backlog
             FROM signals s JOIN items i ON i.id = s.item_id JOIN story_items m ON m.item_id = s.item_id
             WHERE s.topic = ? AND s.published > ? GROUP BY m.story_id"""
    return [
        Occurrence(row["feed_id"], from_text(row["published"]), bool(row["backlog"]))
        for row in db.execute(sql, [topic, to_text(since)])
    ]


def story_lines(db: Database, topic: str, since: datetime, within: timedelta, limit: int) -> tuple[StoryLine, ...]:
    """Return a topic's stories first told after ``since``: most outlets first, then most probable, then newest.

    Retellings of one story lie at most ``within`` apart.
    """
    values = {"topic": topic, "since": to_text(since), "earlier": to_text(since - within), "limit": limit}
    return tuple(_line(row) for row in db.execute(_STORY_LINES, values))


# Tellings from before the window are read as well, to leave out the stories that were first told there. The words are
# those of the most probable item that has any: a signal that a person gave has none.
_STORY_LINES = """
SELECT * FROM (
  SELECT s.item_id, i.title, i.url, f.name AS feed, count(DISTINCT i.feed_id) AS outlets,
         min(s.published) AS published, (SELECT max(x.probability) FROM story_items y
           JOIN signals x ON x.item_id = y.item_id AND x.topic = s.topic WHERE y.story_id = m.story_id) AS probability,
         (SELECT x.words FROM story_items y JOIN signals x ON x.item_id = y.item_id AND x.topic = s.topic
           WHERE y.story_id = m.story_id ORDER BY x.words = '', x.probability DESC, x.item_id LIMIT 1) AS words
  FROM signals s JOIN story_items m ON m.item_id = s.item_id
  JOIN items i ON i.id = s.item_id JOIN feeds f ON f.id = i.feed_id
  WHERE s.topic = :topic AND s.published > :earlier GROUP BY m.story_id)
WHERE published > :since ORDER BY outlets DESC, probability DESC, published DESC LIMIT :limit
"""


def _line(row: sqlite3.Row) -> StoryLine:
    values = dict(row)
    values["published"] = from_text(values["published"])
    values["words"] = to_words(values["words"])
    return StoryLine(**values)


def to_words(text: str) -> tuple[str, ...]:
    """Read the column signals.words."""
    return tuple(text.split(", ")) if text else ()
