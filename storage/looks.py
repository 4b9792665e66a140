"""Looks: each time that trends and alert rules looked at what was there, so that a replay can do it again."""

from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from storage.items import advance, id_list
from storage.times import to_text


def remember(db: Database, looked: bool, item_ids: Sequence[int], last_item: int, now: datetime) -> None:
    """Note whether trends were looked at, the newest item then, and the items that the rules saw: they are through.

    Items that were judged while others still waited, without a look at trends, belong to the look that comes next.
    """
    if looked:
        db.execute("INSERT INTO looks (at, last_item) VALUES (?, ?)", [to_text(now), last_item])
    db.execute(
        """UPDATE items SET look = (SELECT coalesce(max(id), 0) FROM looks) + ?
           WHERE id IN (SELECT value FROM json_each(?))""",
        [0 if looked else 1, id_list(item_ids)],
    )
    advance(db, item_ids, None)


def prune(db: Database, before: datetime) -> None:
    """Forget looks from before then; the last one stays, so that no id is given twice."""
    db.execute("DELETE FROM looks WHERE at < ? AND id < (SELECT max(id) FROM looks)", [to_text(before)])
