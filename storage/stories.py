"""Stories: which items tell which, stories that turn out to be one, and what follows from that."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from storage.alert_records import StoryLine
from storage.counts import in_time, recount_stories_of
from storage.items import COLUMNS, advance, id_list, to_item
from storage.records import Embedding, Grouping, Merge, StoryItem, Telling
from storage.times import from_text, to_text

_TELLINGS = f"""
SELECT {COLUMNS}, e.model, e.vector, m.story_id FROM items i JOIN feeds f ON f.id = i.feed_id
LEFT JOIN embeddings e ON e.item_id = i.id LEFT JOIN story_items m ON m.item_id = i.id
"""


def pending_tellings(db: Database, limit: int) -> list[Telling]:
    """Return up to ``limit`` items that wait for their place in a story; fresh ones before backlog, by id."""
    sql = f"{_TELLINGS} WHERE i.pending = 'group' ORDER BY i.backlog, i.id LIMIT ?"
    return [_telling(row) for row in db.execute(sql, [limit])]


def tellings(db: Database, since: datetime, until: datetime) -> list[Telling]:
    """Return the items published in [since, until] that have a place in a story, oldest first."""
    sql = f"{_TELLINGS} WHERE i.published BETWEEN ? AND ? AND m.story_id IS NOT NULL ORDER BY i.published, i.id"
    return [_telling(row) for row in db.execute(sql, [to_text(since), to_text(until)])]


def _telling(row: sqlite3.Row) -> Telling:
    embedding = Embedding(row["id"], row["model"], row["vector"]) if row["model"] is not None else None
    return Telling(to_item(row), embedding, row["story_id"])


def save(db: Database, grouping: Grouping, now: datetime) -> None:
    """Store what grouping decided: merges first, then each item's place; derive what follows; count the days anew.

    Stories with negative ids are opened, under ids that no story ever had.
    """
    for merge in grouping.merges:
        _merge(db, merge, now)
    opened = _open(db, grouping.placed)
    for place in grouping.placed:
        story_id = opened.get(place.story_id, place.story_id)
        db.execute(
            "INSERT INTO story_items (item_id, story_id, placed_in, relation) VALUES (?, ?, ?, ?)",
            [place.item_id, story_id, story_id, place.relation],
        )
    item_ids = [place.item_id for place in grouping.placed]
    touched = [*item_ids, *_some_item_of(db, grouping.merges)]
    refresh(db, _stories_of(db, touched))
    recount_stories_of(db, touched)
    advance(db, item_ids, "judge")


def _merge(db: Database, merge: Merge, now: datetime) -> None:
    into = present_id(db, merge.into_id)
    db.execute("UPDATE story_items SET story_id = ? WHERE story_id = ?", [into, merge.story_id])
    db.execute("DELETE FROM stories WHERE id = ?", [merge.story_id])
    db.execute(
        "INSERT INTO story_merges (story_id, into_id, item_id, merged) VALUES (?, ?, ?, ?)",
        [merge.story_id, into, merge.item_id, to_text(now)],
    )


def present_id(db: Database, story_id: int) -> int:
    """Return the story that has a story's items now: itself, or the one it was merged into in the end."""
    sql = "SELECT into_id FROM story_merges WHERE story_id = ?"
    while row := db.execute(sql, [story_id]).fetchone():
        story_id = row["into_id"]
    return story_id


def _open(db: Database, placed: Sequence[StoryItem]) -> Mapping[int, int]:
    """Open a story for each negative id, by the first item that tells it; return the new ids by the negative ones."""
    begun: dict[int, int] = {}
    for place in placed:
        if place.story_id < 0:
            begun.setdefault(place.story_id, place.item_id)
    first = _next_id(db)
    opened = {negative: first + n for n, negative in enumerate(sorted(begun, reverse=True))}
    db.conn.executemany(
        """INSERT INTO stories (id, title, url, first_published, last_published, items, outlets)
           SELECT ?, title, url, published, published, 1, 1 FROM items WHERE id = ?""",
        [(opened[negative], item_id) for negative, item_id in begun.items()],
    )
    return opened


def _next_id(db: Database) -> int:
    sql = """SELECT 1 + max((SELECT coalesce(max(id), 0) FROM stories),
                            (SELECT coalesce(max(story_id), 0) FROM story_merges))"""
    (number,) = db.conn.execute(sql).fetchone()
    return int(number)


def _some_item_of(db: Database, merges: Sequence[Merge]) -> list[int]:
    """Return an item of each story that others were merged into."""
    stories = id_list({present_id(db, merge.into_id) for merge in merges})
    sql = """SELECT min(item_id) AS item FROM story_items
             WHERE story_id IN (SELECT value FROM json_each(?)) GROUP BY story_id"""
    return [row["item"] for row in db.execute(sql, [stories])]


def _stories_of(db: Database, item_ids: Iterable[int]) -> list[int]:
    sql = "SELECT DISTINCT story_id FROM story_items WHERE item_id IN (SELECT value FROM json_each(?))"
    return [row["story_id"] for row in db.execute(sql, [id_list(item_ids)])]


def refresh(db: Database, story_ids: Iterable[int]) -> None:
    """Derive what follows from the items of these stories: the columns of stories, and each telling's novelty."""
    listed = id_list(story_ids)
    db.execute(_REFRESH_STORIES, [listed])
    db.execute(_REFRESH_NOVELTY, [listed])


_REFRESH_STORIES = """
UPDATE stories SET (title, url, first_published) = (
    SELECT i.title, i.url, i.published FROM story_items m JOIN items i ON i.id = m.item_id
    WHERE m.story_id = stories.id ORDER BY i.published, i.id LIMIT 1),
  (last_published, items, outlets, independent) = (
    SELECT max(i.published), count(*), count(DISTINCT i.feed_id),
           count(DISTINCT CASE WHEN m.relation <> 'copy' THEN i.feed_id END)
    FROM story_items m JOIN items i ON i.id = m.item_id WHERE m.story_id = stories.id)
WHERE id IN (SELECT value FROM json_each(?))
"""

_REFRESH_NOVELTY = """
UPDATE story_items SET novelty = novelty(told.rank) FROM (
  SELECT m.item_id, row_number() OVER (PARTITION BY m.story_id ORDER BY i.published, i.id) AS rank
  FROM json_each(?) chosen CROSS JOIN story_items m ON m.story_id = chosen.value CROSS JOIN items i ON i.id = m.item_id
) AS told
WHERE story_items.item_id = told.item_id AND story_items.novelty <> novelty(told.rank)
"""


def story_lines(db: Database, topic: str, since: datetime, within: timedelta, limit: int) -> tuple[StoryLine, ...]:
    """Return a topic's stories first told after ``since``: most outlets first, then most probable, then newest.

    Tellings of one story lie at most ``within`` apart. Items that came too late to count are left out.
    """
    values = {"topic": topic, "since": to_text(since), "earlier": to_text(since - within), "limit": limit}
    return tuple(_line(row) for row in db.execute(_STORY_LINES, values))


# Tellings from before the window are read as well, to leave out the stories that were first told there. The words are
# those of the most probable item that has any: a signal that a person gave has none.
_STORY_LINES = f"""
SELECT * FROM (
  SELECT s.item_id, i.title, i.url, f.name AS feed, count(DISTINCT i.feed_id) AS outlets,
         min(s.published) AS published, (SELECT max(x.probability) FROM story_items y
           JOIN signals x ON x.item_id = y.item_id AND x.topic = s.topic WHERE y.story_id = m.story_id) AS probability,
         (SELECT x.words FROM story_items y JOIN signals x ON x.item_id = y.item_id AND x.topic = s.topic
           WHERE y.story_id = m.story_id ORDER BY x.words = '', x.probability DESC, x.item_id LIMIT 1) AS words
  FROM signals s JOIN story_items m ON m.item_id = s.item_id
  JOIN items i ON i.id = s.item_id JOIN feeds f ON f.id = i.feed_id
  WHERE s.topic = :topic AND s.published > :earlier AND {in_time("i")} GROUP BY m.story_id)
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
