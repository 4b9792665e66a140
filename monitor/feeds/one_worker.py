"""One worker process at the other end of a pipe: started with the first document, killed over one that is too much."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable

from monitor.errors import ParseError
from monitor.feeds.document import unpack_refusal
from monitor.feeds.frames import HEAD, REFUSED, REQUEST, frame

_MODULE = "monitor.feeds.worker_process"
_START_SECONDS = 60
# A busy machine may give the worker only a part of a processor; the limit proper is its own processor time.
_PATIENCE = 3
_BUFFER = 1 << 26


class OneWorker:
    """Answers one message at a time; the caller sees to that. ``seconds`` of processor time may each cost."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The process's number while there is one."""
        return self._process.pid if self._process is not None else None

    async def answer(self, message: bytes, slow_after: float, on_slow: Callable[[], None]) -> bytes:
        """Send a message and return the answer; ParseError says what was wrong with the document, or with its cost.

        ``on_slow`` is called once when the answer has not come after that many seconds; a process that only starts is
        not slow.
        """
        process = await self._running()
        slow = asyncio.get_running_loop().call_later(slow_after, on_slow)
        whole = False
        try:
            async with asyncio.timeout(self._seconds * _PATIENCE):
                kind, body = await _exchange(process, message)
            whole = True
        except TimeoutError:
            raise self._too_long() from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._why_it_died(process) from None
        finally:
            slow.cancel()
            # Also when the wait was cancelled: the next answer on this pipe would be the wrong one.
            if not whole:
                await self.stop()
        if kind == REFUSED:
            raise unpack_refusal(body)
        return body

    async def stop(self) -> None:
        """End the process at once; the next message starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()

    async def _running(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.stop()
        try:
            self._process = await _start()
            async with asyncio.timeout(_START_SECONDS):
                await _receive(self._process)
        except (OSError, asyncio.IncompleteReadError):  # a TimeoutError is an OSError
            await self.stop()
            raise ParseError("the process that reads documents does not start", trouble="fault") from None
        except asyncio.CancelledError:
            await self.stop()
            raise
        return self._process

    async def _why_it_died(self, process: Process) -> ParseError:
        if await process.wait() == -signal.SIGPROF:
            return self._too_long()
        status = process.returncode
        return ParseError(f"the process that read this document died (exit status {status})", trouble="cost")

    def _too_long(self) -> ParseError:
        sentence = f"the document took longer than {self._seconds:g} s to read; no feed should"
        return ParseError(sentence, trouble="cost")


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
