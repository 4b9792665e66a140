"""Open the database: one writer, any number of read-only readers, and sqlite3's errors translated."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from storage.errors import DatabaseBusy, DatabaseDamaged, DatabaseMissing, StorageError
from storage.novelty import novelty

BUSY_SECONDS = 10.0
"""How long another program's write is waited for."""
_ROUND_SECONDS = 0.2


def open_writer(path: Path) -> Database:
    """Open (or create) the database for writing, in WAL mode.

    The connection may move between threads, but only one may use it at a time (storage.store sees to that).
    Raises StorageError.
    """
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=_ROUND_SECONDS, check_same_thread=False)
        try:
            connection.create_function("novelty", 1, novelty, deterministic=True)  # SQLite's pow() is not everywhere
            return _prepared(connection, "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
        except BaseException:
            connection.close()
            raise


def open_reader(path: Path) -> Database:
    """Open an existing database for reading only; SQLite itself refuses every write. Raises StorageError."""
    if not path.exists():
        raise DatabaseMissing(f"there is no database at {path} yet; `monitor run` (or `monitor run --once`) creates it")
    if path.stat().st_size == 0:
        raise DatabaseMissing(f"the database {path} is empty; `monitor run` (or `monitor run --once`) fills it")
    with translated(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        try:
            return _prepared(connection, "query_only=ON")
        except BaseException:
            connection.close()
            raise


def _prepared(connection: sqlite3.Connection, *pragmas: str) -> Database:
    connection.row_factory = sqlite3.Row
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # finds a damaged file now, not later
    return Database(connection)


@contextmanager
def transaction(db: Database, patience: Callable[[], float] = lambda: BUSY_SECONDS) -> Iterator[None]:
    """All or nothing. BEGIN IMMEDIATE: a deferred BEGIN that reads first fails under contention.

    ``patience`` says, whenever it is asked, for how many seconds in all another writer may be waited for.
    """
    _begin(db, patience)
    try:
        yield
        db.conn.execute("COMMIT")
    except BaseException:
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK")
        raise


def _begin(db: Database, patience: Callable[[], float]) -> None:
    """Begin in short rounds rather than one long wait, so that a program that stops can cut the waiting short."""
    begun = time.monotonic()
    while True:
        try:
            db.conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() - begun > patience():
                raise
        else:
            return


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn sqlite3's and the file system's errors into ours, naming the file and what to do."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _translation(path, error) from error


def _translation(path: Path, error: Exception) -> StorageError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return DatabaseBusy(f"{path} is locked by another program that writes for too long; close that one")
    if "not a database" in text or "malformed" in text:
        return DatabaseDamaged(f"{path} is damaged or not a SQLite database ({text}); move it away or restore a backup")
    if "full" in text:
        return StorageError(f"cannot write to {path}: the disk is full; nothing was lost, free some space")
    return StorageError(f"cannot use the database {path}: {text}; check that its folder exists and is writable")
