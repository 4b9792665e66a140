"""Ask for a feed over HTTP, and come back with a document or one clear sentence; nothing a server does can raise.

Conditional GET (RFC 9110, 13) with the validators byte for byte, the address as written, redirects followed by hand so
that every hop is checked, one deadline over everything, and a cap on what is read and on what it unpacks to.
"""

import asyncio
import functools
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpcore
import httpx

from monitor.errors import FetchError
from monitor.feeds.addresses import AddressError, Allow
from monitor.feeds.answers import retry_after, sentence
from monitor.feeds.connect import GuardedBackend
from monitor.feeds.inflate import Inflater
from monitor.feeds.limits import FetchSettings
from monitor.feeds.target import Target, parse_target, redirected
from storage.feed_records import Feed, Fetched

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_DOCUMENTS = (200, 203)
_NOT_MODIFIED = 304
_ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.7"


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport on a pool that checks addresses and keeps no connections: feeds live on different hosts."""

    def __init__(self, allow: Allow) -> None:
        context = _tls()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=GuardedBackend(allow),
        )


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return the one TLS context of this process: reading the authorities' certificates takes a while."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(slots=True)
class _Trip:
    """How far a fetch came: what is told when it goes no further."""

    began: float = field(default_factory=time.perf_counter)
    doing: str = "before the server answered"
    site: str = ""
    url: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    received: int = 0
    body: bytes | None = None
    error: str | None = None
    refused: bool = False


class Fetcher:
    """Fetches feeds. ``user_agent`` should name the program and a way to reach its operator."""

    def __init__(self, settings: FetchSettings, user_agent: str) -> None:
        self._limit = settings.timeout.total_seconds()
        self._max_bytes = settings.max_bytes
        self._headers = {"User-Agent": user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate"}
        self._transport = GuardedTransport(Allow.parse(settings.allow))

    async def fetch(self, feed: Feed, now: datetime) -> Fetched:
        """Ask once. A failure comes back as `error`; `status` stays None when no server answered at all."""
        trip = _Trip()
        try:
            async with asyncio.timeout(self._limit):
                trip.body = await self._follow(feed, trip)
        except Exception as failure:  # noqa: BLE001 - one feed must never hurt another, whatever its server does
            trip.error = _explain(failure, trip, self._limit)
            trip.refused = isinstance(failure, AddressError)
        return _record(feed, now, trip)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    async def _follow(self, feed: Feed, trip: _Trip) -> bytes | None:
        """Go where the feed's address leads, over at most MAX_REDIRECTS redirects; None when nothing is new."""
        url, visited = feed.url, list[str]()
        while True:
            target = parse_target(url)
            if target.url in visited:
                raise FetchError(f"redirects in a circle ({len(visited)} steps, at {target.site})")
            if len(visited) > MAX_REDIRECTS:
                raise FetchError(f"redirects more than {MAX_REDIRECTS} times, last to {target.site}")
            visited.append(target.url)
            response = await self._send(target, feed, trip)
            try:
                if response.status_code not in _REDIRECTS or "location" not in trip.headers:
                    return await self._read(response, feed, trip)
                url = redirected(url, _raw(response, b"location"))
            finally:
                await response.aclose()

    async def _send(self, target: Target, feed: Feed, trip: _Trip) -> httpx.Response:
        trip.site, trip.url = target.site, target.url
        request = httpx.Request(
            "GET",
            httpx.URL(scheme=target.scheme, host=target.host, port=target.port),
            headers=self._request_headers(target, feed),
            # The target goes out as written (httpx.URL would re-encode it); the one deadline replaces httpx's four.
            extensions={"target": target.path.encode("ascii"), "timeout": {}},
        )
        response = await self._transport.handle_async_request(request)
        trip.status, trip.headers = response.status_code, _headers(response)
        trip.doing = "while the body was read"
        return response

    def _request_headers(self, target: Target, feed: Feed) -> list[tuple[bytes, bytes]]:
        headers = dict(self._headers)
        if target.authorization:
            headers["Authorization"] = target.authorization
        if feed.etag:
            headers["If-None-Match"] = feed.etag
        if feed.modified:
            headers["If-Modified-Since"] = feed.modified
        return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]

    async def _read(self, response: httpx.Response, feed: Feed, trip: _Trip) -> bytes | None:
        status = response.status_code
        if status == _NOT_MODIFIED and (feed.etag or feed.modified):
            return None
        if status not in _DOCUMENTS:
            raise FetchError(sentence(status, trip.headers), status=status)
        announced = trip.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_bytes:
            raise FetchError(f"the document is announced with {announced} bytes, more than fetch.max_bytes")
        inflater = Inflater(trip.headers.get("content-encoding", ""), self._max_bytes)
        async for chunk in response.aiter_raw():
            trip.received += len(chunk)
            inflater.feed(chunk)
        return inflater.finish()


def _record(feed: Feed, now: datetime, trip: _Trip) -> Fetched:
    # Without a new document the old validators stay true.
    etag, modified = feed.etag, feed.modified
    if trip.body is not None:
        etag, modified = trip.headers.get("etag"), trip.headers.get("last-modified")
    return Fetched(
        started=now,
        seconds=time.perf_counter() - trip.began,
        status=trip.status,
        wire_bytes=trip.received,
        body=trip.body,
        headers=trip.headers,
        url=trip.url,
        etag=etag,
        modified=modified,
        error=trip.error,
        retry_after=retry_after(trip.headers.get("retry-after"), now),
        refused=trip.refused,
    )


def _headers(response: httpx.Response) -> dict[str, str]:
    """Return the headers byte for byte as latin-1, names in lower case; of a repeated name the first."""
    headers: dict[str, str] = {}
    for name, value in response.headers.raw:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def _raw(response: httpx.Response, wanted: bytes) -> bytes:
    return next(value for name, value in response.headers.raw if name.lower() == wanted)


def _explain(failure: Exception, trip: _Trip, limit: float) -> str:
    """Put a failure into one sentence, without any part of the address beyond its host."""
    if isinstance(failure, FetchError):
        return str(failure)
    if isinstance(failure, TimeoutError):
        where = f" ({trip.received:,} bytes had come)" if trip.received else ""
        return f"no complete answer from {trip.site} within {limit:g} s: it ended {trip.doing}{where}"
    if isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout):
        return f"cannot connect to {trip.site}: {_root(failure)}"
    if isinstance(failure, httpx.ProtocolError):
        return f"{trip.site} broke the rules of HTTP: {_short(failure)}"
    if isinstance(failure, httpx.NetworkError):
        return f"the connection to {trip.site} broke {trip.doing}"
    return f"{trip.site or 'the address'} cannot be fetched: {type(failure).__name__}: {_short(failure)}"


def _root(failure: BaseException) -> str:
    """Find what the operating system or TLS said at the bottom of a chain of exceptions."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS connection ({cause.reason})"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return _short(failure) or "no answer"


def _short(failure: BaseException) -> str:
    return "".join(c if c.isprintable() else " " for c in str(failure))[:200]
