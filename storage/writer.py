"""The thread that owns the only writing connection, and how work gets to it.

Everything runs there one after the other, so the daemon's event loop never waits for the disk, and no two writers of
this process ever meet.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sqlite_utils import Database

from storage.connection import BUSY_SECONDS, open_writer, transaction, translated
from storage.migrations import migrate

T = TypeVar("T")


class Writer:
    """An open database and its thread. Opening it raises StorageError when the database cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._patience = BUSY_SECONDS
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            self._db = self._thread.submit(_open, path).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def hurry(self) -> None:
        """Wait for other writers no longer: this process is about to stop, and nothing is lost by leaving work."""
        self._patience = 0.0

    def close(self) -> None:
        """Finish the transaction under way and close the database."""
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()

    async def _do(self, work: Callable[[Database], T]) -> T:
        """Run one transaction. A caller that is cancelled meanwhile gets its cancellation after the commit."""
        return await until_done(asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work))

    def _transact(self, work: Callable[[Database], T]) -> T:
        with translated(self.path), transaction(self._db, lambda: self._patience):
            return work(self._db)

    async def _look(self, question: Callable[[Database], T]) -> T:
        """Ask one question that may take seconds, without keeping other programs from writing meanwhile."""

        def ask() -> T:
            with translated(self.path):
                return question(self._db)

        return await asyncio.get_running_loop().run_in_executor(self._thread, ask)


async def until_done(job: "asyncio.Future[T]") -> T:
    """Wait for what is under way, also when cancelled meanwhile: the cancellation comes afterwards."""
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        await asyncio.wait([job])
        if not job.cancelled():
            job.exception()  # else Python complains that nobody asked
        raise


def _open(path: Path) -> Database:
    db = open_writer(path)
    try:
        with translated(path):
            migrate(db, path)
    except BaseException:
        db.close()
        raise
    return db
