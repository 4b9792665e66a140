"""One TCP connection, with TLS on it or not, that never blocks the event loop.

Straight on the socket: asyncio's transports cost, where a connection serves one small request, more processor time
than the kernel needs for the whole exchange.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_MOST_AT_ONCE = 65_536


class Wire:
    """An open connection. Whoever opened it closes it; OSError (ssl.SSLError is one) says that it broke."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, address: str, port: int) -> "Wire":
        """Connect to an IP address; OSError says why that is not possible."""
        wire = cls(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM))
        try:
            await wire._connect((address, port))
        except BaseException:
            wire.close()
            raise
        return wire

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Begin TLS with a server that must prove to be ``name``."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = context.wrap_socket(self._socket, server_hostname=name, do_handshake_on_connect=False)
        self._socket = secure
        await self._get(secure.do_handshake, self._readable)

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        while data:
            sent = await self._get(partial(self._socket.send, data), self._writable)
            data = data[sent:]

    async def receive(self, *, answer: bool = False) -> bytes:
        """Return the next bytes, at most 64 kB; none when the other side hung up.

        The first bytes of an ``answer`` are never there yet: asking for them at once would be in vain.
        """
        if answer and not isinstance(self._socket, ssl.SSLSocket):
            await self._readable()
        return await self._get(partial(self._socket.recv, _MOST_AT_ONCE), self._readable)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    async def _connect(self, address: tuple[str, int]) -> None:
        try:
            self._socket.connect(address)
        except BlockingIOError:
            await self._writable()
        failed = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise OSError(failed, "no connection")

    async def _get(self, call: Callable[[], _Result], ready: Callable[[], Awaitable[None]]) -> _Result:
        """Call until it does not have to wait; ``ready`` waits for what the call needs of the network."""
        while True:
            try:
                return call()
            except BlockingIOError:
                await ready()
            except ssl.SSLWantReadError:
                await self._readable()
            except ssl.SSLWantWriteError:
                await self._writable()

    async def _readable(self) -> None:
        await self._signal(self._loop.add_reader, self._loop.remove_reader)

    async def _writable(self) -> None:
        await self._signal(self._loop.add_writer, self._loop.remove_writer)

    async def _signal(self, add: Callable[..., Any], remove: Callable[[int], bool]) -> None:
        waiter, descriptor = self._loop.create_future(), self._socket.fileno()
        add(descriptor, _wake, waiter)
        try:
            await waiter
        finally:
            remove(descriptor)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
