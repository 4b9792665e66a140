"""A hub for tests: takes subscriptions, verifies them as it is told to, and pushes what it is told to."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
CHALLENGE = "a+b c&d=é"


@dataclass(frozen=True)
class Reply:
    """What came back over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def say(url: str, method: str = "GET", body: bytes | Iterator[bytes] = b"", **headers: str) -> Reply:
    """Send one request as it is, and read the answer to its end. An iterator sends its parts, as one chunk each."""
    parts = urlsplit(url)
    assert parts.hostname
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if isinstance(body, bytes):
            length, wire = {"Content-Length": str(len(body))}, iter([body])
        else:
            length, wire = {"Transfer-Encoding": "chunked"}, _chunked(body)
        fields = {"Host": parts.netloc, **length, **{name.replace("_", "-"): value for name, value in headers.items()}}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
        for part in wire:
            writer.write(part)
            await writer.drain()
        return _read(await reader.read())
    finally:
        writer.close()


def _chunked(parts: Iterator[bytes]) -> Iterator[bytes]:
    yield from (b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    yield b"0\r\n\r\n"


def _read(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return Reply(int(first.split()[1]), {name.lower(): value for name, value in pairs}, body)


@dataclass
class Hub:
    """``pages`` answers a path with these bytes instead of ACCEPTED; ``asked`` are the forms that came.

    ``verifies`` says whether each accepted request is verified at once, ``replies`` what was answered to that.
    ``lease`` is how long it grants, in seconds. ``first`` is done with a request before it is answered.
    """

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    verifies: bool = True
    replies: list[Reply] = field(default_factory=list)
    lease: str = "864000"
    first: Callable[[dict[str, str]], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub"

    async def verify(self, asked: Mapping[str, str], **changes: str) -> Reply:
        """Ask whether a request was meant; ``changes`` replace what was asked for."""
        return await say(f"{asked['hub.callback']}?{verification(asked, self.lease, **changes)}")

    async def push(self, asked: Mapping[str, str], body: bytes = b"<rss/>", **headers: str) -> Reply:
        """Send content with the right signature, unless ``headers`` say otherwise."""
        signed = {"X_Hub_Signature": sign(asked["hub.secret"], body), "Content_Type": "application/rss+xml"}
        return await say(asked["hub.callback"], "POST", body, **{**signed, **headers})

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        asked = dict(parse_qsl((await reader.readexactly(length)).decode()))
        if self.first:
            await self.first(asked)
        self.asked.append(asked)
        page = self.pages.get(head.split()[1], ACCEPTED)
        writer.write(page)
        await writer.drain()
        writer.close()
        if page is ACCEPTED and self.verifies:
            self.replies.append(await self.verify(asked))


def verification(asked: Mapping[str, str], lease: str, **changes: str) -> str:
    """Return the query with which a hub verifies; ``mode``, ``topic``, ``challenge`` ... may be changed."""
    usual = {"mode": asked["hub.mode"], "topic": asked["hub.topic"], "challenge": CHALLENGE, "lease_seconds": lease}
    return urlencode({f"hub.{name}": value for name, value in {**usual, **changes}.items()})


def sign(secret: str, body: bytes, method: str = "sha256") -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


@asynccontextmanager
async def hub_on_loopback() -> AsyncIterator[Hub]:
    """Serve on a free port; what still runs at the end is cancelled."""
    hub = Hub()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # asyncio would log the cancellation of what a test left unanswered.
        with suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            await hub.answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    hub.port = server.sockets[0].getsockname()[1]
    try:
        yield hub
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
