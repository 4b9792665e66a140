"""A mail server and a web server that fail in the ways that real ones do, and remember what they took.

They run in threads behind the benchmark. What is taken is noted before the answer goes out: a message that was taken
and whose answer was lost is one that its sender will repeat, and may.
"""

import asyncio
import json
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
FAULTS = (("well", 70), ("slow", 10), ("busy", 6), ("broken", 6), ("deaf", 4), ("lost", 4))
"""What a server does with a message, and how often in a hundred.

``slow`` takes it late, ``busy`` asks to come back later (429, 451), ``broken`` fails (500, 421), ``deaf`` hangs up
before it has read, ``lost`` takes it and hangs up before it has answered.
"""
NUMBER = re.compile(rb"alert number (\d+)")
NOTICE = b"does not deliver"
"""What the program says through the other channels when it gives a message up: none of the alerts that are counted."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that a server took: of which alert, on which channel, when, and whether the answer was lost.

    ``begun`` is when it was asked to take it (seconds, as of time.time).
    """

    channel: str
    alert: int
    begun: float
    at: float
    identity: str
    lost: bool


@dataclass
class World:
    """Both servers, with luck of a seed of their own."""

    luck: random.Random
    smtp_port: int = 0
    http_port: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    healing: bool = False

    def fault(self) -> str:
        """Choose what happens to a message; only good things once the servers heal."""
        kinds, weights = zip(*FAULTS, strict=True)
        chosen = "well" if self.healing else str(self.luck.choices(kinds, weights)[0])
        self.faults[chosen] = self.faults.get(chosen, 0) + 1
        return chosen

    def take(self, channel: str, message: bytes, identity: str, fault: str, begun: float) -> None:
        """Remember a message that was taken."""
        if NOTICE in message:
            return
        found = NUMBER.search(message)
        assert found, message[:500]
        self.arrivals.append(Arrival(channel, int(found[1]), begun, time.time(), identity, fault == "lost"))


@contextmanager
def serve(seed: int) -> Iterator[World]:
    """Run both servers while the block lasts."""
    world = World(random.Random(seed))
    mail = Controller(_Mail(world), hostname=HOST, port=_free_port(), server_hostname="mail.test")
    web = _Web(world)
    mail.start()
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    world.smtp_port, world.http_port = mail.port, web.server_address[1]
    try:
        yield world
    finally:
        mail.stop()
        web.shutdown()
        web.server_close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class _Mail:
    """What aiosmtpd asks about a mail; the hook's name is its own."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - see above
        fault, begun = self._world.fault(), time.time()
        refusals = {"busy": "451 come back later", "broken": "421 closing down"}
        if fault in refusals:
            return refusals[fault]
        if fault == "slow":
            await asyncio.sleep(self._world.luck.uniform(0.02, 0.3))
        if fault != "deaf":
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            identity = re.search(rb"(?im)^message-id:\s*(\S+)", content)
            self._world.take(
                "desk", content.replace(b"=\r\n", b""), identity[1].decode() if identity else "", fault, begun
            )
        if fault in {"deaf", "lost"} and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 taken"


class _Web(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, world: World) -> None:
        super().__init__((HOST, 0), _Post)
        self.world = world

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep silent about clients that are killed."""


class _Post(BaseHTTPRequestHandler):
    """Takes what is posted to /team (as Slack does) and /machine (as a webhook does)."""

    server: _Web
    timeout = 5

    def do_POST(self) -> None:
        """Take a message, or fail."""
        world, fault, begun = self.server.world, self.server.world.fault(), time.time()
        if fault == "deaf":
            return self._hang_up()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if fault == "slow":
            time.sleep(world.luck.uniform(0.02, 0.3))
        if fault in {"busy", "broken"}:
            return self._answer(429 if fault == "busy" else 500, b"come back later")
        channel = self.path.strip("/")
        identity = self.headers.get("webhook-id") or str(hash(json.dumps(json.loads(body), sort_keys=True)))
        world.take(channel, body, identity, fault, begun)
        return self._hang_up() if fault == "lost" else self._answer(200, b"ok")

    def _answer(self, status: int, body: bytes) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(body)

    def _hang_up(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""
