"""httpx's transport on guarded connections of our own: one for each request, because feeds live on different hosts."""

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Callable

import httpx

from monitor.errors import FetchError
from monitor.feeds.connect import Gate
from monitor.feeds.response import Body, Head, HeadReader, body_of
from monitor.feeds.wire import Wire


@functools.cache
def trusting_authorities() -> ssl.SSLContext:
    """Return the one TLS context of this process: reading the authorities' certificates takes a while."""
    context = httpx.create_ssl_context(trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    return context


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends a request through a gate, and reads the one response to it.

    Raises httpx.ConnectError, httpx.ReadError, or FetchError. A request's extension ``target`` is what it asks for, as
    written; ``tell`` hears what is being done.
    """

    def __init__(self, gate: Gate, tls: Callable[[], ssl.SSLContext] = trusting_authorities) -> None:
        self._gate = gate
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response with the body still to be read."""
        message = written(request)
        wire = await self._connected(request)
        try:
            request.extensions["tell"]("before the server answered")
            head, body, rest = await _answered(wire, message)
        except BaseException:
            wire.close()
            raise
        return httpx.Response(head.status, headers=list(head.headers), stream=_Stream(wire, body, rest))

    async def _connected(self, request: httpx.Request) -> Wire:
        url, tell = request.url, request.extensions["tell"]
        host = url.raw_host.decode("ascii")
        tell("before there was a connection")
        try:
            wire = await self._gate.open(host, url.port or (443 if url.scheme == "https" else 80))
            if url.scheme == "https":
                await _secured(wire, self._tls(), host)
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return wire


async def _secured(wire: Wire, context: ssl.SSLContext, host: str) -> None:
    try:
        # A name may end in a dot, but its certificate does not name it so.
        await wire.start_tls(context, host.rstrip("."))
    except BaseException:
        wire.close()
        raise


def written(request: httpx.Request) -> bytes:
    """Write a request; FetchError when a header would break out of its line."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.extensions["target"])]
    lines += [b"%s: %s" % (name, value) for name, value in request.headers.raw]
    head = b"\r\n".join(lines)
    if not head.count(b"\n") == head.count(b"\r") == len(lines) - 1 or b"\0" in head:
        raise FetchError("a header that is to be sent holds a line break", trouble="fault")
    return b"%s\r\n\r\n%s" % (head, request.read())


async def _answered(wire: Wire, message: bytes) -> tuple[Head, Body, bytes]:
    reader = HeadReader()
    try:
        await wire.send(message)
        head = reader.take(await wire.receive(answer=True))
        while head is None:
            head = reader.take(await wire.receive())
    except OSError as error:
        raise httpx.ReadError(str(error)) from error
    return head, body_of(head), bytes(reader.rest)


class _Stream(httpx.AsyncByteStream):
    """The body of a response, as it comes."""

    def __init__(self, wire: Wire, body: Body, rest: bytes) -> None:
        self._wire, self._body, self._rest = wire, body, rest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._rest and not self._body.done:
            yield self._body.take(self._rest)
        while not self._body.done:
            yield self._body.take(await self._received())
            # A fast server must not keep the others waiting.
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        self._wire.close()

    async def _received(self) -> bytes:
        try:
            return await self._wire.receive()
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
