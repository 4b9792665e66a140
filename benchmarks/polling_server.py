"""The origin servers of the polling benchmark, in a process of their own: ``python -m benchmarks.polling_server 200``.

Every feed has an address of its own, as on the Internet: on Linux one of 127.0.0.0/8 with one port for all, elsewhere
a port of 127.0.0.1. The first line of output is a JSON list of the feeds' URLs; the last feed takes no part in what is
counted (programs warm up on it). ``/scenario/NAME`` at any address switches what all answer; ``/counts`` tells how
often each status was answered since it was last asked; ``/sent`` when (``time.monotonic``, which the processes of a
machine share) the last document of each site was handed to the network. It ends when its standard input does.
"""

import asyncio
import functools
import json
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

from benchmarks.polling_feeds import World, document, validators
from benchmarks.polling_usage import allow_many_files

SHORTEST, LONGEST = 0.05, 0.3
"""Bounds of the time to answer, in seconds, where a scenario is slow."""
_SEND_BUFFER = 1 << 19  # so that a document leaves in one piece

Place = tuple[str, int]
"""An IP address and a port."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What changes when it begins (entries, build dates), and whether answers carry validators and take their time."""

    entries: int = 0
    builds: int = 0
    validators: bool = True
    slow: bool = False


SCENARIOS = {
    "first": Scenario(),
    "304": Scenario(),
    "latency": Scenario(slow=True),
    "same": Scenario(validators=False),
    "date": Scenario(builds=1),
    "new": Scenario(builds=1, entries=2),
    "load": Scenario(builds=1, entries=2, slow=True),
}


class Origins:
    """All sites: what they answer at present, and what they have answered since the scenario began."""

    def __init__(self, places: list[Place]) -> None:
        self._numbers = {place: number for number, place in enumerate(places)}
        self._world = World(datetime.now(UTC))
        self._scenario = SCENARIOS["first"]
        self._counts: Counter[int] = Counter()
        self.sent: dict[str, float] = {}

    def delay(self, place: Place) -> float:
        """Return how many seconds this site takes to answer."""
        return Random(self._numbers[place]).uniform(SHORTEST, LONGEST) if self._scenario.slow else 0.0

    def answer(self, place: Place, request: bytes) -> bytes:
        """Return the answer of one site to one request."""
        path = request.split(b" ", 2)[1].decode()
        if path == "/feed":
            return self._feed(self._numbers[place], request)
        return _response(200, json.dumps(self._control(path)).encode())

    def _feed(self, number: int, request: bytes) -> bytes:
        etag, modified = (value.encode() for value in validators(number, self._world))
        asked = self._scenario.validators and (b": " + etag in request or b": " + modified in request)
        if number != len(self._numbers) - 1:
            self._counts[304 if asked else 200] += 1
        known = (b"ETag: " + etag, b"Last-Modified: " + modified) if self._scenario.validators else ()
        return _response(304, b"", *known) if asked else _response(200, document(number, self._world), *known)

    def _control(self, path: str) -> object:
        if path == "/counts":
            told, self._counts = self._counts, Counter()
            return told
        if path == "/sent":
            return self.sent
        self._scenario = SCENARIOS[path.removeprefix("/scenario/")]
        world, scenario = self._world, self._scenario
        builds, entries = world.builds + scenario.builds, world.entries + scenario.entries
        self._world = replace(world, builds=builds, entries=entries)
        return path


class Connection(asyncio.Protocol):
    """One connection to one site; it stays open as long as the client likes."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note which site this is."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._place: Place = transport.get_extra_info("sockname")[:2]

    def data_received(self, data: bytes) -> None:
        """Answer every request that has come completely."""
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            delay = self._origins.delay(self._place)
            asyncio.get_running_loop().call_later(delay, self._answer, request) if delay else self._answer(request)

    def _answer(self, request: bytes) -> None:
        answer = self._origins.answer(self._place, request)
        self._transport.write(answer)
        self._origins.sent[url_of(self._place)] = time.monotonic()
        if b"connection: close" in request.lower():
            self._transport.close()


def _response(status: int, body: bytes, *headers: bytes) -> bytes:
    first = {200: b"HTTP/1.1 200 OK", 304: b"HTTP/1.1 304 Not Modified"}[status]
    about = (b"Content-Type: application/rss+xml; charset=UTF-8", b"Content-Length: %d" % len(body))
    return b"\r\n".join((first, b"Server: origin", *(about if status == 200 else ()), *headers, b"", body))


def url_of(place: Place) -> str:
    """Return the address of the feed at this place."""
    return f"http://{place[0]}:{place[1]}/feed"


def _listen(count: int) -> list[socket.socket]:
    """Open that many places: on Linux on one port, as all of 127.0.0.0/8 is this machine there."""
    sockets: list[socket.socket] = []
    for number in range(count):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        port = sockets[0].getsockname()[1] if sockets and sys.platform == "linux" else 0
        listener.bind((_address(number), port))
        listener.listen(1024)
        sockets.append(listener)
    return sockets


def _address(number: int) -> str:
    return f"127.77.{number // 250}.{number % 250 + 1}" if sys.platform == "linux" else "127.0.0.1"


async def serve(count: int) -> None:
    """Serve that many sites until standard input ends."""
    sockets = _listen(count)
    places: list[Place] = [listener.getsockname() for listener in sockets]
    loop, connection = asyncio.get_running_loop(), functools.partial(Connection, Origins(places))
    servers = [await loop.create_server(connection, sock=listener, backlog=1024) for listener in sockets]
    print(json.dumps([url_of(place) for place in places]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(serve(int(sys.argv[1])))
