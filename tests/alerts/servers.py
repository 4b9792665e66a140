"""Servers on loopback that take messages, or fail to in the ways that real ones do."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CERTIFICATE = Path(__file__).parent / "tls" / "certificate.pem"
KEY = Path(__file__).parent / "tls" / "key.pem"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tls() -> ssl.SSLContext:
    """Return the server's side of TLS, with a certificate that nobody trusts by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


@dataclass
class Web:
    """A web server that gives every request the same answer; ``requests`` holds head and body of each."""

    port: int = 0
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T00/B00/s3cr3t"

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, body in self.requests]


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP answer; ``Retry_After="3"`` becomes the header Retry-After."""
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Post:
    """A mail server; ``answers`` maps a command or a recipient's address to what is said instead of 250 OK.

    ``delay`` is how many seconds it thinks about a mail.
    """

    answers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    @property
    def parsed(self) -> list[EmailMessage]:
        return [message_from_bytes(mail, policy=policy.default) for mail in self.mails]

    # The names of these hooks, and what they are given, are aiosmtpd's.

    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        if address not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 OK")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.delay)
        if "DATA" in self.answers:
            return self.answers["DATA"]
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        self.recipients.append(envelope.rcpt_tos)
        return "250 taken"

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        return AuthResult(success=login.password == b"right", handled=False)


@asynccontextmanager
async def post(
    answers: dict[str, str] | None = None, *, implicit_tls: bool = False, delay: float = 0, **options: Any
) -> AsyncIterator[Post]:
    """Serve mail; ``options`` go to aiosmtpd (``tls_context`` for STARTTLS, ``auth_require_tls``, ...)."""
    box = Post(answers or {}, delay)
    connections: list[SMTP] = []

    def connection() -> SMTP:
        connections.append(SMTP(box, hostname="mail.test", authenticator=box.authenticate, **options))
        return connections[-1]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=tls() if implicit_tls else None)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await asyncio.gather(*(_ended(one) for one in connections))


async def _ended(connection: SMTP) -> None:
    """Wait until the server has noticed that its client is gone, so that no socket outlives the test."""
    if connection._handler_coroutine:
        await asyncio.wait([connection._handler_coroutine], timeout=1)
    if connection.transport:
        connection.transport.close()
    await asyncio.sleep(0)


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handle, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Let ``handle`` talk with each client; yields the port. Ends when all talks have ended."""
    talks: set[asyncio.Task[Any]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        talks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*talks)


@asynccontextmanager
async def web(
    answer: bytes | Callable[[bytes], bytes] | None, *, secure: bool = False, delay: float = 0
) -> AsyncIterator[Web]:
    """Serve ``answer``, or what it makes of the request's head; None stays silent until the client leaves.

    ``secure`` speaks TLS with a certificate that nobody trusts; ``delay`` is how many seconds it thinks.
    """
    served = Web()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        served.requests.append((head, await reader.readexactly(length)))
        await asyncio.sleep(delay)
        said = answer(head) if callable(answer) else answer
        writer.write(said) if said is not None else await reader.read()

    async with listening(handle, tls() if secure else None) as served.port:
        yield served


@asynccontextmanager
async def silence(greeting: bytes = b"") -> AsyncIterator[int]:
    """Accept connections, say at most ``greeting``, and then nothing. Yields the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read()

    async with listening(handle) as port:
        yield port
