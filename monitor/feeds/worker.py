"""Our side of the worker process: hands it documents one at a time, and replaces it when a document was too much.

The process starts with the first document and is used again for the next; it is killed when a document takes too long
or when nobody waits for the answer any more, and it leaves by itself when this process is gone.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from datetime import datetime, timedelta

from monitor.errors import ParseError
from monitor.feeds.document import Document, Request, pack_request, unpack_document
from monitor.feeds.frames import HEAD, REFUSED, REQUEST, frame
from storage.feed_records import Feed, Fetched

_MODULE = "monitor.feeds.worker_process"
_START_SECONDS = 60
# A busy machine may give the worker only a part of a processor; the limit proper is its own processor time.
_PATIENCE = 3
_BUFFER = 1 << 26


class ParseWorker:
    """Reads feed documents in a process of its own. ``cpu_limit`` is the processor time one document may cost."""

    def __init__(self, cpu_limit: timedelta = timedelta(seconds=10)) -> None:
        self._seconds = cpu_limit.total_seconds()
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def read(self, fetched: Fetched, feed: Feed, now: datetime) -> Document:
        """Read a fetched document; ParseError says why it is no feed, or that it cost too much to read."""
        request = Request(
            body=fetched.body or b"",
            headers={name: value for name, value in fetched.headers.items() if name == "content-type"},
            url=fetched.url or feed.url,
            lang=feed.lang,
            now=now,
            cpu_seconds=self._seconds,
        )
        async with self._turn:
            return await self._answer(pack_request(request))

    async def aclose(self) -> None:
        """End the worker process at once; a document it is reading fails."""
        self._closed = True
        await self._stop()

    async def _answer(self, message: bytes) -> Document:
        process = await self._running()
        whole = False
        try:
            async with asyncio.timeout(self._seconds * _PATIENCE):
                kind, body = await _exchange(process, message)
            whole = True
        except TimeoutError:
            raise ParseError(self._too_long()) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ParseError(await self._why_it_died(process)) from None
        finally:
            # Also when the wait was cancelled: the next answer on this pipe would be the wrong one.
            if not whole:
                await self._stop()
        if kind == REFUSED:
            raise ParseError(body.decode())
        return unpack_document(body)

    async def _running(self) -> Process:
        if self._closed:
            raise ParseError("the document was not read, because the monitor is stopping")
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._stop()
        try:
            self._process = await _start()
            async with asyncio.timeout(_START_SECONDS):
                await _receive(self._process)
        except (OSError, asyncio.IncompleteReadError):  # a TimeoutError is an OSError
            await self._stop()
            raise ParseError("the process that reads documents does not start") from None
        except asyncio.CancelledError:
            await self._stop()
            raise
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()

    async def _why_it_died(self, process: Process) -> str:
        if await process.wait() == -signal.SIGPROF:
            return self._too_long()
        return f"the process that read this document died (exit status {process.returncode})"

    def _too_long(self) -> str:
        return f"the document took longer than {self._seconds:g} s to read; no feed should"


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        # Never a module from the working directory, nor from the environment's wishes.
        "-P",
        "-m",
        _MODULE,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        limit=_BUFFER,
        # No secrets of ours, and one thread: numpy would reserve memory for one on each processor.
        env={
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        },
        # Ctrl-C on the terminal is for us; we end the worker when we are done with it.
        start_new_session=True,
    )


async def _exchange(process: Process, message: bytes) -> tuple[bytes, bytes]:
    assert process.stdin is not None  # noqa: S101 - opened with PIPE
    process.stdin.write(frame(REQUEST, message))
    await process.stdin.drain()
    return await _receive(process)


async def _receive(process: Process) -> tuple[bytes, bytes]:
    assert process.stdout is not None  # noqa: S101 - opened with PIPE
    kind, size = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
    return kind, await process.stdout.readexactly(size)
