"""Whether SELECTs can be asked at all: SQLite prepares them against an empty database of the present schema."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from storage import reading
from storage.connection import open_writer
from storage.errors import QueryError
from storage.migrations import migrate

K = TypeVar("K")


def complaints(statements: Mapping[K, str]) -> dict[K, str]:
    """Return what SQLite says against those of the statements that cannot be run, by their keys."""
    if not statements:
        return {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        db = open_writer(path)
        migrate(db, path)
        db.close()
        found = {key: _complaint(path, sql) for key, sql in statements.items()}
    return {key: complaint for key, complaint in found.items() if complaint}


def _complaint(path: Path, sql: str) -> str:
    try:
        reading.ask(path, sql, seconds=5.0, most=1)
    except QueryError as error:
        return str(error)
    return ""
