"""Ask for a feed over HTTP, and come back with a document or one clear sentence; nothing a server does can raise.

Conditional GET (RFC 9110, 13) with the validators byte for byte, the address as written, redirects followed by hand so
that every hop is checked, one deadline over everything, and a cap on what is read and on what it unpacks to.
"""

import asyncio
import functools
import socket
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

import httpx

from monitor.errors import FetchError
from monitor.feeds.addresses import AddressError, Allow
from monitor.feeds.answers import challenge, fresh_for, retry_after, sentence, trouble
from monitor.feeds.connect import Gate
from monitor.feeds.failures import explain, trouble_of
from monitor.feeds.hosts import Manners, Turns
from monitor.feeds.inflate import Inflater
from monitor.feeds.limits import FetchSettings
from monitor.feeds.names import Lookup, Resolver
from monitor.feeds.target import Target, parse_target, redirected
from monitor.feeds.transport import GuardedTransport
from storage.feed_records import Feed, Fetched, Trouble

MAX_REDIRECTS = 5
MOST_ANSWER = 100_000
"""The largest answer to a form that is read, in bytes."""
_PATIENCE = 1 / 6
"""How much of its time a redirected request waits for its turn at another host: two hosts that redirect to each other
would otherwise wait for ever."""
_REDIRECTS = (301, 302, 303, 307, 308)
_SAME_METHOD = (307, 308)
_FOR_GOOD = (301, 308)
_DOCUMENTS = (200, 203)
_NOT_MODIFIED = 304
_LONGEST_NUMBER = 18
_ORIGINS_KEPT = 8_192
_OK = range(200, 300)
_ACCEPT = b"application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.7"
# What anybody reads of an answer. Of those that are lists, every one counts; of the others the first.
_LISTS = (b"cache-control", b"content-encoding", b"link")
_KEPT = {
    *_LISTS,
    *(b"age", b"content-length", b"content-type", b"date", b"etag", b"expires", b"last-modified", b"location"),
    *(
        b"retry-after",
        b"server",
        b"cf-mitigated",
        b"x-amzn-waf-action",
        b"x-vercel-mitigated",
        b"x-datadome",
        b"x-iinfo",
    ),
}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for: a document unless it is still the one with these validators, or an answer to a form."""

    url: str
    etag: str | None = None
    modified: str | None = None
    form: Mapping[str, str] | None = None


@dataclass(slots=True)
class _Trip:
    """How far a request came: what is told when it goes no further."""

    began: float = field(default_factory=time.perf_counter)
    doing: str = "before it began"
    hops: list[Target] = field(default_factory=list)
    for_good: bool = True
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    received: int = 0
    body: bytes | None = None
    error: str | None = None
    trouble: Trouble | None = None

    def tell(self, doing: str) -> None:
        self.doing = doing

    @property
    def site(self) -> str:
        return self.hops[-1].site if self.hops else "the address"


class Fetcher:
    """Fetches feeds. ``user_agent`` should name the program and a way to reach its operator."""

    def __init__(self, settings: FetchSettings, user_agent: str, lookup: Lookup = socket.getaddrinfo) -> None:
        self._limit = settings.timeout.total_seconds()
        self._max_bytes = settings.max_bytes
        self._manners = Manners(settings, user_agent)
        self._turns = Turns(self._manners.gap)
        self._transport = GuardedTransport(Gate(Allow.parse(settings.allow), Resolver(lookup)))

    async def fetch(self, feed: Feed, now: datetime) -> Fetched:
        """Ask for a feed once, unless it is unchanged.

        A failure comes back as `error`; `status` stays None when no server answered at all. Wait for a `turn` first.
        """
        return await self._ask(_Wish(feed.address or feed.url, feed.etag, feed.modified), now)

    async def get(self, url: str, now: datetime) -> Fetched:
        """Ask for whatever is at an address. Fails like `fetch`."""
        return await self._ask(_Wish(url), now)

    async def post(self, url: str, form: Mapping[str, str], now: datetime) -> Fetched:
        """Send a form, and return the answer: its body (at most 100 kB) also when the status is an error.

        Fails like `fetch`.
        """
        return await self._ask(_Wish(url, form=form), now)

    def turn(self, url: str) -> AbstractAsyncContextManager[None]:
        """Wait until nobody else asks this host, and long enough after the last; it is ours until the end."""
        try:
            return self._turns.turn(_asked(url))
        except FetchError:
            return nullcontext()  # asking will tell what is wrong with the address

    async def aclose(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    async def _ask(self, wish: _Wish, now: datetime) -> Fetched:
        trip = _Trip()
        try:
            async with asyncio.timeout(self._limit), AsyncExitStack() as turns:
                trip.body = await self._follow(wish, trip, turns)
        except Exception as failure:  # noqa: BLE001 - one feed must never hurt another, whatever its server does
            trip.error = explain(failure, trip.site, trip.doing, trip.received, self._limit)
            trip.trouble = trouble_of(failure)
        return _record(wish, now, trip)

    async def _follow(self, wish: _Wish, trip: _Trip, turns: AsyncExitStack) -> bytes | None:
        """Go where the address leads, over at most MAX_REDIRECTS redirects; None when nothing is new."""
        url = wish.url
        while True:
            target = parse_target(url) if trip.hops else _asked(url)
            await self._arrive(target, trip, turns)
            response = await self._send(target, wish, trip)
            try:
                location = _location(response, wish)
                if location is None:
                    return await self._read(response, wish, trip)
            finally:
                await response.aclose()
            trip.for_good &= response.status_code in _FOR_GOOD
            url = redirected(url, location)
            if wish.form is not None and target.scheme == "https" and not url.lower().startswith("https:"):
                raise FetchError("a form is not sent on without TLS", trouble="redirect")

    async def _arrive(self, target: Target, trip: _Trip, turns: AsyncExitStack) -> None:
        """Note the next step of the way; a host that was not yet asked on it is asked in turn."""
        before = trip.hops
        if target.url in [hop.url for hop in before]:
            what = f"redirects in a circle ({len(before)} steps, at {target.site})"
            raise FetchError(what, trouble="redirect")
        if len(before) > MAX_REDIRECTS:
            raise FetchError(f"redirects more than {MAX_REDIRECTS} times, last to {target.site}", trouble="redirect")
        if before and target.place not in [hop.place for hop in before]:
            trip.tell("while it waited for its turn at a host that it was redirected to")
            await _within(self._limit * _PATIENCE, turns, self._turns.turn(target))
        before.append(target)

    async def _send(self, target: Target, wish: _Wish, trip: _Trip) -> httpx.Response:
        origin = _origin(target.scheme, target.host, target.port)
        form = b"" if wish.form is None else urlencode(wish.form).encode()
        request = httpx.Request(
            "GET" if wish.form is None else "POST",
            origin,
            headers=[(b"Host", origin.netloc), *self._headers(target, wish), *_form_headers(wish, form)],
            stream=httpx.ByteStream(form),
            # The target goes out as written; httpx.URL would re-encode it.
            extensions={"target": target.path.encode("ascii"), "tell": trip.tell},
        )
        response = await self._transport.handle_async_request(request)
        trip.status, trip.headers = response.status_code, _kept(response)
        trip.tell("while the body was read")
        return response

    def _headers(self, target: Target, wish: _Wish) -> list[tuple[bytes, bytes]]:
        wanted = {
            b"User-Agent": self._manners.user_agent(target),
            b"Authorization": target.authorization,
            b"If-None-Match": wish.etag,
            b"If-Modified-Since": wish.modified,
        }
        own = [(name, value.encode("latin-1", "replace")) for name, value in wanted.items() if value]
        return [*own, (b"Accept", _ACCEPT), (b"Accept-Encoding", b"gzip, deflate"), (b"Connection", b"close")]

    async def _read(self, response: httpx.Response, wish: _Wish, trip: _Trip) -> bytes | None:
        status = response.status_code
        if wish.form is not None:
            return await self._answer(response, trip)
        if status == _NOT_MODIFIED and (wish.etag or wish.modified):
            return None
        if status not in _DOCUMENTS or challenge(trip.headers):
            raise _refusal(trip, status)
        return await _body(response, trip, self._max_bytes)

    async def _answer(self, response: httpx.Response, trip: _Trip) -> bytes:
        trip.body = await _body(response, trip, MOST_ANSWER)
        if response.status_code not in _OK:
            raise _refusal(trip, response.status_code)
        return trip.body


async def _within(seconds: float, stack: AsyncExitStack, turn: AbstractAsyncContextManager[None]) -> None:
    """Enter a turn, or go ahead without it when it does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            await stack.enter_async_context(turn)
    except TimeoutError:
        pass


async def _body(response: httpx.Response, trip: _Trip, most: int) -> bytes:
    announced = trip.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) <= _LONGEST_NUMBER and int(announced) > most:
        what = f"the document is announced with {announced} bytes, more than fetch.max_bytes"
        raise FetchError(what, trouble="size")
    inflater = Inflater(trip.headers.get("content-encoding", ""), most)
    async for chunk in response.aiter_raw():
        trip.received += len(chunk)
        inflater.feed(chunk)
    return inflater.finish()


def _form_headers(wish: _Wish, form: bytes) -> list[tuple[bytes, bytes]]:
    if wish.form is None:
        return []
    return [(b"Content-Type", b"application/x-www-form-urlencoded"), (b"Content-Length", b"%d" % len(form))]


@functools.lru_cache(_ORIGINS_KEPT)
def _asked(url: str) -> Target:
    """Take an address apart that is asked again and again. Those of redirects are strangers', and may be endless."""
    return parse_target(url)


@functools.lru_cache(_ORIGINS_KEPT)
def _origin(scheme: str, host: str, port: int) -> httpx.URL:
    try:
        return httpx.URL(scheme=scheme, host=host, port=port)
    except httpx.InvalidURL:
        raise AddressError("the address names no valid host") from None


def _refusal(trip: _Trip, status: int) -> FetchError:
    return FetchError(sentence(status, trip.headers), trouble=trouble(status, trip.headers))


def _location(response: httpx.Response, wish: _Wish) -> bytes | None:
    """Return where an answer leads on; None when it is the last. A form goes only where it stays a form."""
    if response.status_code not in (_REDIRECTS if wish.form is None else _SAME_METHOD):
        return None
    return next((value for name, value in response.headers.raw if name == b"location"), None)


def _kept(response: httpx.Response) -> dict[str, str]:
    """Return the headers that somebody reads, byte for byte as latin-1, names in lower case."""
    found: dict[bytes, bytes] = {}
    for name, value in response.headers.raw:
        if name in _LISTS and name in found:
            found[name] += b", " + value
        elif name in _KEPT:
            found.setdefault(name, value)
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in found.items()}


def _record(wish: _Wish, now: datetime, trip: _Trip) -> Fetched:
    # Without a new document the old validators stay true.
    etag, modified = wish.etag, wish.modified
    if trip.error is None and trip.body is not None:
        etag, modified = trip.headers.get("etag"), trip.headers.get("last-modified")
    return Fetched(
        started=now,
        seconds=time.perf_counter() - trip.began,
        status=trip.status,
        wire_bytes=trip.received,
        body=trip.body,
        headers=trip.headers,
        url=trip.hops[-1].url if trip.hops else "",
        etag=etag,
        modified=modified,
        error=trip.error,
        trouble=trip.trouble,
        retry_after=retry_after(trip.headers.get("retry-after"), now),
        fresh_for=fresh_for(trip.headers, now) if trip.error is None else None,
        moved_to=_moved_to(trip) if trip.error is None else None,
    )


def _moved_to(trip: _Trip) -> str | None:
    """Return where the document has moved for good; None for a move that would lose a login, or TLS."""
    first, last = trip.hops[0], trip.hops[-1]
    if first is last or not trip.for_good or any(hop.authorization for hop in trip.hops):
        return None
    return None if (first.scheme, last.scheme) == ("https", "http") else last.url
