"""What a digest tells of a period: stories by topic against what was expected, alerts raised and held back.

A story belongs to the period in which it became known, so that each is in one digest, however late it was seen: many
feeds date everything to midnight. A backlog is no news; it counts when it was published.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from storage import trends
from storage.alert_records import AlertLine, DigestData, StoryLine, TopicPeriod
from storage.alerts import to_alert
from storage.counts import LATE, day_counts, in_time
from storage.days import day_of, zone_of
from storage.stories import to_words
from storage.times import from_text, to_text

ALERTS_KEPT = 20_000
"""No more alerts than this are read, the newest."""
_COVERED = 0.5
"""What was expected is told if it is known for this part of the period."""

_Look = tuple[datetime, datetime, float]  # window_start, window_end, expected


def read(  # noqa: PLR0913, PLR0917 - what is told of which period, and how much of it: nothing to bundle
    db: Database, topics: Sequence[str], since: datetime, until: datetime, now: datetime, days: int, top: int
) -> DigestData:
    """Return what is told of (since, until].

    Each topic comes with its newest trend, its last ``days`` local days up to ``now``, and its ``top`` strongest
    stories: those that most outlets tell in words of their own, then the most probable, then the newest to the reader.
    """
    period = {"since": to_text(since), "until": to_text(until), "reach": to_text(since - LATE), "top": top}
    today, newest, everything = day_of(zone_of(db), now), trends.latest(db), _all_stories(db, period)

    def about(topic: str) -> TopicPeriod:
        stories, lines = _stories(db, topic, period)
        share = stories / everything if everything else None
        expected = expected_in(_looks(db, topic, period), since, until)
        days_counted = day_counts(db, topic, today, days)
        return TopicPeriod(topic, stories, expected, share, newest.get(topic), days_counted, lines)

    told, held = _alerts(db, _TOLD, period), _alerts(db, _HELD, period)
    return DigestData(since, until, _items(db, period), tuple(map(about, topics)), told, held)


def _items(db: Database, period: Mapping[str, object]) -> int:
    sql = "SELECT count(*) FROM items WHERE seen > :since AND seen <= :until AND NOT backlog"
    (count,) = db.conn.execute(sql, dict(period)).fetchone()
    return int(count)


# Stories


def _known(item: str) -> str:
    """Return in SQL when an item (a row of items under this alias) became known."""
    return f"CASE WHEN {item}.backlog THEN {item}.published ELSE {item}.seen END"


# What became known within the period was published at most LATE before it, or does not count. CROSS JOIN keeps the
# order: by the index on publication. Nothing of a story was known before it was first published.
_IN_PERIOD = f"{_known('i')} > :since AND {_known('i')} <= :until AND {in_time('i')}"
_KNOWN_BEFORE = f"m.story_id = e.story_id AND {_known('j')} <= :since AND {in_time('j')}"

_STORIES = f"""
SELECT m.story_id, t.independent, s.item_id, min(i.published) AS published, count(DISTINCT i.feed_id) AS outlets,
       m.novelty, i.title, i.url, i.feed_id
FROM signals s CROSS JOIN items i ON i.id = s.item_id CROSS JOIN story_items m ON m.item_id = s.item_id
CROSS JOIN stories t ON t.id = m.story_id
WHERE s.topic = :topic AND s.published > :reach AND s.published <= :until AND {_IN_PERIOD}
  AND (t.first_published > :since OR NOT EXISTS (
    SELECT 1 FROM story_items e CROSS JOIN items j ON j.id = e.item_id
    CROSS JOIN signals x ON x.item_id = j.id AND x.topic = s.topic WHERE {_KNOWN_BEFORE}))
GROUP BY m.story_id
"""

# The words are those of the most probable item that has any: a signal that a person gave has none.
_TOP = f"""
SELECT told.*, f.name AS feed, (SELECT x.words FROM story_items y
    CROSS JOIN signals x ON x.item_id = y.item_id AND x.topic = :topic
    WHERE y.story_id = told.story_id ORDER BY x.words = '', x.probability DESC, x.item_id LIMIT 1) AS words
FROM (
  SELECT *, count(*) OVER () AS stories, (SELECT max(x.probability) FROM story_items y
      CROSS JOIN signals x ON x.item_id = y.item_id AND x.topic = :topic
      WHERE y.story_id = first.story_id) AS probability
  FROM ({_STORIES}) AS first ORDER BY independent DESC, probability DESC, novelty DESC, published DESC LIMIT :top
) AS told JOIN feeds f ON f.id = told.feed_id
ORDER BY independent DESC, probability DESC, novelty DESC, published DESC
"""

_ALL = f"""
SELECT count(DISTINCT m.story_id) FROM items i CROSS JOIN story_items m ON m.item_id = i.id
CROSS JOIN stories t ON t.id = m.story_id
WHERE i.published > :reach AND i.published <= :until AND {_IN_PERIOD}
  AND (t.first_published > :since OR NOT EXISTS (
    SELECT 1 FROM story_items e CROSS JOIN items j ON j.id = e.item_id WHERE {_KNOWN_BEFORE}))
"""


def _stories(db: Database, topic: str, period: Mapping[str, object]) -> tuple[int, tuple[StoryLine, ...]]:
    """Return how many stories of a topic became known, and the strongest of them."""
    rows = list(db.execute(_TOP, {**period, "topic": topic}))
    return (rows[0]["stories"] if rows else 0), tuple(map(_line, rows))


def _line(row: sqlite3.Row) -> StoryLine:
    values = {name: row[name] for name in StoryLine.__dataclass_fields__}
    return StoryLine(**{**values, "published": from_text(row["published"]), "words": to_words(row["words"])})


def _all_stories(db: Database, period: Mapping[str, object]) -> int:
    (count,) = db.conn.execute(_ALL, dict(period)).fetchone()
    return int(count)


# What was expected


def _looks(db: Database, topic: str, period: Mapping[str, object]) -> list[_Look]:
    """Return the windows in which a topic was judged that reach into the period, the latest first."""
    sql = """SELECT window_start, window_end, expected FROM trends
             WHERE topic = :topic AND hour > strftime('%Y-%m-%dT%H:%M:%SZ', :since, '-1 hour') AND hour <= :until
               AND window_end > :since AND state <> 'learning' ORDER BY hour DESC"""
    rows = db.execute(sql, {**period, "topic": topic})
    return [(from_text(row["window_start"]), from_text(row["window_end"]), row["expected"]) for row in rows]


def expected_in(looks: Iterable[_Look], since: datetime, until: datetime) -> float | None:
    """Return how many stories were expected in (since, until], from windows that follow each other without overlap.

    ``looks`` are in the order of their ends, the latest first. Of a window that reaches out of the period its part
    counts, and what no window covers is expected at the same rate. None where less than half is covered.
    """
    edge, expected, covered = until, 0.0, timedelta()
    for start, end, of_window in looks:
        if since < end <= edge:
            begin = max(start, since)
            expected += of_window * ((end - begin) / (end - start))
            covered += end - begin
            edge = begin
    part = covered / (until - since)
    return expected / part if part >= _COVERED else None


# Alerts

# A message that carried others, and a digest, only repeat.
_TOLD = """
SELECT * FROM alerts a WHERE created > :since AND created <= :until AND state IN ('told', 'carried')
  AND kind <> 'digest' AND NOT EXISTS (SELECT 1 FROM alerts c WHERE c.told_in = a.id)
ORDER BY created DESC, id DESC LIMIT :most
"""

_HELD = """
SELECT * FROM (
  SELECT * FROM alerts WHERE created > :since AND created <= :until AND state IN ('held', 'muted', 'silenced')
  UNION ALL
  SELECT * FROM alerts INDEXED BY alerts_held WHERE created <= :since AND state = 'held')
WHERE kind <> 'digest' ORDER BY created DESC, id DESC LIMIT :most
"""


def _alerts(db: Database, sql: str, period: Mapping[str, object]) -> tuple[AlertLine, ...]:
    return tuple(_alert_line(row) for row in db.execute(sql, {**period, "most": ALERTS_KEPT}))


def _alert_line(row: sqlite3.Row) -> AlertLine:
    values = {name: row[name] for name in AlertLine.__dataclass_fields__ if name not in {"created", "send"}}
    return AlertLine(**values, created=from_text(row["created"]), send=to_alert(row).finding.send)
