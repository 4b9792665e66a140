"""Our side of the worker processes, which read documents: whatever a document does, it does it to one of them.

One process reads everything, one document at a time. While a document keeps it busy for long, a second process reads
the others; it leaves when it has had nothing to do for a minute. A process that a document costs too much is killed and
replaced, and so is one whose answer nobody waits for any more; all leave by themselves when this process is gone.
"""

import asyncio
from datetime import datetime, timedelta

from monitor.errors import ParseError
from monitor.feeds.document import Document, Request, pack_request, unpack_document
from monitor.feeds.one_worker import OneWorker
from storage.feed_records import Feed, Fetched

_HEADERS = ("content-type", "link")
_PATIENCE = 2.0  # loading what tells languages takes a second, and is no reason for another process
_IDLE = 60.0


class ParseWorker:
    """Reads feed documents in processes of its own. ``cpu_limit`` is the processor time one document may cost.

    After ``patience`` seconds with one document a second process begins, and after ``idle`` without work it ends.
    """

    def __init__(
        self, cpu_limit: timedelta = timedelta(seconds=10), patience: float = _PATIENCE, idle: float = _IDLE
    ) -> None:
        self._seconds = cpu_limit.total_seconds()
        self._first, self._second = OneWorker(self._seconds), OneWorker(self._seconds)
        self._busy: set[OneWorker] = set()
        self._places = asyncio.Semaphore(1)
        self._two = False
        self._patience, self._idle = patience, idle
        self._leaving: asyncio.TimerHandle | None = None
        self._left: asyncio.Task[None] | None = None
        self._closed = False

    async def read(self, fetched: Fetched, feed: Feed, now: datetime) -> Document:
        """Read a fetched document; ParseError says why it is no feed, or that it cost too much to read."""
        request = Request(
            body=fetched.body or b"",
            headers={name: value for name, value in fetched.headers.items() if name in _HEADERS},
            url=fetched.url or feed.url,
            lang=feed.lang,
            now=now,
            cpu_seconds=self._seconds,
        )
        await self._places.acquire()
        try:
            return unpack_document(await self._answer(pack_request(request)))
        finally:
            self._places.release()

    async def aclose(self) -> None:
        """End the processes at once; a document they are reading fails."""
        self._closed = True
        self._stay()
        await self._first.stop()
        await self._second.stop()
        if self._left is not None:
            await self._left

    async def _answer(self, message: bytes) -> bytes:
        if self._closed:
            raise ParseError("the document was not read, because the monitor is stopping", trouble="fault")
        worker = self._second if self._first in self._busy else self._first
        self._busy.add(worker)
        try:
            return await worker.answer(message, self._patience, self._call_second)
        finally:
            self._busy.discard(worker)
            if worker is self._second:
                self._leave_later()

    def _call_second(self) -> None:
        """Let a second process read what waits."""
        if not self._two:
            self._two = True
            self._places.release()
            self._leave_later()

    def _leave_later(self) -> None:
        self._stay()
        if self._closed:
            return
        self._leaving = asyncio.get_running_loop().call_later(self._idle, self._leave)

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()

    def _leave(self) -> None:
        """Send the second process away, and take back its place, unless it is at work or somebody waits for it."""
        if self._second in self._busy or self._places.locked():
            self._leave_later()
            return
        # Nobody waits for a place: only a document in the first process may have one to give back.
        self._two, self._places = False, asyncio.Semaphore(0 if self._busy else 1)
        self._left = asyncio.create_task(self._second.stop())
