"""One working process per database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from monitor.errors import AlreadyRunning
from storage.connection import translated


@contextmanager
def only_instance(database: Path) -> Iterator[None]:
    """Hold the database's lock file; the system frees it when the process ends, however it ends.

    Raises AlreadyRunning when another process holds it, StorageError when its folder cannot be made.
    """
    with translated(database):
        database.parent.mkdir(parents=True, exist_ok=True)
    owner = Path(f"{database}.pid")
    lock = FileLock(f"{database}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise AlreadyRunning(
            f"another monitor{_process(owner)} is working on {database}; stop it first, or use another `database:`"
        ) from None
    try:
        owner.write_text(f"{os.getpid()}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _process(owner: Path) -> str:
    try:
        return f" (process {int(owner.read_text())})"
    except (OSError, ValueError):
        return ""
