"""One working process per database."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from monitor.errors import AlreadyRunning
from storage.connection import translated

_RELOADS = "reloads"


@contextmanager
def only_instance(database: Path, *, reloads: bool = False) -> Iterator[None]:
    """Hold the database's lock file; the system frees it when the process ends, however it ends.

    With ``reloads``, others may send this process a SIGHUP to have it read its configuration again.
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
        owner.write_text(f"{os.getpid()} {platform.node()} {_RELOADS if reloads else ''}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def running_process(database: Path) -> int | None:
    """Return the process on this machine that works on the database and reloads on SIGHUP; None when there is none.

    A process in a container is none of this machine's, even where both see the same files.
    """
    try:
        process, *rest = Path(f"{database}.pid").read_text().split()
        here = rest == [platform.node(), _RELOADS] and _locked(database)
        return int(process) if here else None
    except (OSError, ValueError):
        return None


def _locked(database: Path) -> bool:
    """Tell whether the process that wrote the file still lives; its number may be another's by now."""
    try:
        with FileLock(f"{database}.lock", timeout=0):
            return False
    except Timeout:
        return True


def _process(owner: Path) -> str:
    try:
        return f" (process {int(owner.read_text().split()[0])})"
    except (OSError, ValueError, IndexError):
        return ""
