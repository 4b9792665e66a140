"""The demo's outside world, all on 127.0.0.1: the outlets' feeds, a Slack-like webhook and a mail server.

They run in threads behind the demo, so that the program's real fetching and sending code has somebody to talk to, and
they say nothing on the terminal.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from monitor.demo.scenario import OUTLETS, Row, feed_document

_HOST = "127.0.0.1"
_WEBHOOK = "/services/demo"


@dataclass(slots=True)
class DemoServers:
    """What the demo can be asked: where its servers listen (host 127.0.0.1), and what they were sent.

    ``feed_urls`` maps each feed's name to its address. ``mails`` are raw messages (RFC 5322), ``posts`` the decoded
    JSON bodies that reached the webhook; both in the order of arrival, and still there after the servers have stopped.
    """

    rows: Sequence[Row]
    now: datetime
    feed_urls: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str = ""
    http_port: int = 0
    smtp_port: int = 0
    mails: list[bytes] = field(default_factory=list)
    posts: list[Any] = field(default_factory=list)
    _round: int = field(default=0, init=False)

    def set_round(self, latest: int) -> None:
        """Let the feeds carry every item up to this round (0, 1 or 2) from now on."""
        self._round = latest

    def document(self, path: str) -> bytes | None:
        """Write the feed that is asked for by this path, or None for a path that leads nowhere."""
        names = (outlet.name for outlet in OUTLETS.values() if path == f"/feed/{outlet.slug}.xml")
        name = next(names, None)
        return None if name is None else feed_document(name, self.rows, self.now, self._round)


@contextmanager
def serve(rows: Sequence[Row], now: datetime) -> Iterator[DemoServers]:
    """Run the servers while the block lasts; they start with round 0. Raises OSError if no port can be had."""
    servers = DemoServers(rows, now)
    with ExitStack() as stack:
        port = stack.enter_context(_http(servers))
        servers.http_port = port
        servers.feed_urls = {o.name: f"http://{_HOST}:{port}/feed/{o.slug}.xml" for o in OUTLETS.values()}
        servers.webhook_url = f"http://{_HOST}:{port}{_WEBHOOK}"
        servers.smtp_port = stack.enter_context(_smtp(servers))
        yield servers


class _HttpServer(ThreadingTCPServer):
    """A thread a request; http.server's own server would ask the resolver for its name, which is slow when offline."""

    daemon_threads = False  # so that closing waits for answers under way
    request_queue_size = 32

    def __init__(self, servers: DemoServers) -> None:
        super().__init__((_HOST, 0), _Handler)
        self.servers = servers

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep silent about clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    """Feeds with an ETag on GET, the webhook on POST."""

    server: _HttpServer
    timeout = 5

    def do_GET(self) -> None:
        """Answer with a feed, with 304 when the client has it already, or with 404."""
        body = self.server.servers.document(self.path)
        if body is None:
            return self._answer(404, b"no such feed", "text/plain")
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers["If-None-Match"] == etag:
            return self._answer(304, b"", etag=etag)
        return self._answer(200, body, "application/xml; charset=utf-8", etag)

    def do_POST(self) -> None:
        """Keep a JSON body and answer "ok", in Slack's words."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path != _WEBHOOK:
            return self._answer(404, b"no_service", "text/plain")
        try:
            self.server.servers.posts.append(json.loads(body))
        except ValueError:
            return self._answer(400, b"invalid_payload", "text/plain")
        return self._answer(200, b"ok", "text/plain")

    def _answer(self, status: int, body: bytes, content_type: str = "", etag: str = "") -> None:
        """Send status, headers and body."""
        self.send_response(status)
        for name, value in (("Content-Type", content_type), ("ETag", etag)):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the overridden method's name for it
        """Keep silent."""


@contextmanager
def _http(servers: DemoServers) -> Iterator[int]:
    """Run the HTTP server; yields its port."""
    with _HttpServer(servers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)  # no slots: aiosmtpd looks at every attribute, and Python 3.11.2 cannot bear that then
class _Mailbox:
    """Takes every message."""

    mails: list[bytes]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's hook
        """Keep the message as it came."""
        self.mails.append(envelope.original_content or b"")
        return "250 OK"


class _SmtpServer(Controller):
    """aiosmtpd's controller, on a port of the system's choice."""

    def _trigger_server(self) -> None:
        """Learn the port before the controller connects to it."""
        assert self.server is not None  # noqa: S101 - start() has just set it; for the type checker
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio's own servers have it
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def _smtp(servers: DemoServers) -> Iterator[int]:
    """Run the mail server; yields its port."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd tells every command there
    # With a name given, aiosmtpd does not ask the resolver for one, which is slow when offline.
    controller = _SmtpServer(_Mailbox(servers.mails), hostname=_HOST, port=0, server_hostname="localhost")
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
