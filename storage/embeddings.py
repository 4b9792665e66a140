"""What recent items mean: kept as long as another telling of their stories may come."""

from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from storage.records import Embedding
from storage.times import to_text


def save(db: Database, embeddings: Sequence[Embedding]) -> None:
    """Store items' embeddings, in place of earlier ones."""
    db.conn.executemany(
        "INSERT OR REPLACE INTO embeddings (item_id, model, vector) VALUES (?, ?, ?)",
        [(one.item_id, one.model, one.vector) for one in embeddings],
    )


def prune(db: Database, before: datetime) -> None:
    """Forget the embeddings of items published before then that have their place in a story."""
    db.execute(
        """DELETE FROM embeddings WHERE item_id IN (
             SELECT e.item_id FROM embeddings e JOIN items i ON i.id = e.item_id
             JOIN story_items m ON m.item_id = e.item_id WHERE i.published < ?)""",
        [to_text(before)],
    )
