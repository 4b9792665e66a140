"""The web server around the application: uvicorn inside our own event loop, without its signals and its log.

What is open to the internet is bounded here: how many connections, and how long one may live whatever it sends.
"""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.websub.app import App
from monitor.websub.limits import Limits


class _Server(uvicorn.Server):
    """A server that leaves SIGTERM and SIGINT to the daemon."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a host and port. OSError when they are not to be had."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


async def serve(app: App, listening: socket.socket, limits: Limits) -> None:
    """Serve until cancelled; answers under way are finished, and half a request is cut."""
    server = _Server(_config(app, limits))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(running)
    finally:
        server.should_exit = True
        await running
        for connection in list(server.server_state.connections):
            connection.transport.abort()


def _config(app: App, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_bounded(limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # what strangers do to the server is no news; what matters the application logs
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=0,  # what is under way after a tenth of a second is a body that nobody needs
    )


def _bounded(limits: Limits) -> type[H11Protocol]:
    """Return uvicorn's protocol for connections that end in time: it would wait for ever for a head that is dripped."""

    class Connection(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
            super().connection_made(transport)
            self._end = self.loop.call_later(limits.connection_seconds, transport.abort)
            if len(self.connections) > limits.connections:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._end.cancel()
            super().connection_lost(exc)

    return Connection
