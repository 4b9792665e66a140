"""A web server for tests that answers exactly the bytes it is told to, at the pace it is told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

TLS_HANDSHAKE = b"\x16"

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A request as it came over the wire."""

    target: bytes
    headers: dict[bytes, bytes]
    method: bytes = b"GET"
    body: bytes = b""


@dataclass
class Site:
    """What the server answers to each path, and what it was asked."""

    port: int = 0
    pages: dict[str, bytes | Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/feed") -> str:
        return f"http://{self.place}{path}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readexactly(1)
            if first == TLS_HANDSHAKE:
                writer.write(b"HTTP/1.1 400 This Is No TLS\r\n\r\n")
                return
            asked = _read(first + await reader.readuntil(b"\r\n\r\n"))
            asked = replace(asked, body=await reader.readexactly(int(asked.headers.get(b"content-length", 0))))
            self.asked.append(asked)
            page = self.pages[asked.target.decode().partition("?")[0]]
            if isinstance(page, bytes):
                writer.write(page)
                await writer.drain()
            else:
                await page(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def _read(request: bytes) -> Asked:
    first, *rest = request.rstrip().split(b"\r\n")
    pairs = (line.split(b": ", 1) for line in rest)
    method, target, _ = first.split(b" ")
    return Asked(target, {name.lower(): value for name, value in pairs}, method)


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """Serve on a free port of the loopback interface; what still runs at the end is cancelled."""
    site = Site()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # asyncio would log the cancellation of what a test left unanswered.
        with suppress(asyncio.CancelledError):
            await site.answer(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def ok(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Write a whole answer with its length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
