"""Fetching from servers that are polite, slow, wrong and hostile."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from monitor.feeds.fetch import Fetcher
from monitor.feeds.limits import FetchSettings
from storage.feed_records import Feed, Fetched
from tests.feeds.server import Script, Site, ok

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
LIMIT = 100_000


def a_feed(url: str, etag: str | None = None, modified: str | None = None) -> Feed:
    every = timedelta(minutes=30)
    return Feed(1, "Feed", url, None, None, every, NOW, etag=etag, modified=modified)


@asynccontextmanager
async def fetching(*allow: str, seconds: float = 5) -> AsyncIterator[Fetcher]:
    settings = FetchSettings(timeout=timedelta(seconds=seconds), max_bytes=LIMIT, allow=allow)
    fetcher = Fetcher(settings, "test-agent (+mailto:test@example.org)")
    try:
        yield fetcher
    finally:
        await fetcher.aclose()


async def fetch(site: Site, feed: Feed | str = "/feed", seconds: float = 5) -> Fetched:
    asked = a_feed(site.url(feed)) if isinstance(feed, str) else feed
    async with fetching(f"127.0.0.1:{site.port}", seconds=seconds) as fetcher:
        return await fetcher.fetch(asked, NOW)


async def test_a_document_comes_with_its_validators_and_headers(site: Site) -> None:
    site.pages["/feed"] = ok(BODY, b'ETag: W/"\xe4 x"', b"Last-Modified: yesterday, roughly", b"Content-Type: text/xml")
    fetched = await fetch(site)
    assert (fetched.status, fetched.error, fetched.body) == (200, None, BODY)
    assert (fetched.etag, fetched.modified) == ('W/"ä x"', "yesterday, roughly")
    assert fetched.headers["content-type"] == "text/xml"
    assert (fetched.started, fetched.wire_bytes, fetched.url) == (NOW, len(BODY), site.url("/feed"))
    assert 0 < fetched.seconds < 5


async def test_validators_go_back_byte_for_byte(site: Site) -> None:
    site.pages["/feed"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    feed = a_feed(site.url(), etag='W/"ä x"', modified="yesterday, roughly")
    fetched = await fetch(site, feed)
    assert site.asked[0].headers[b"if-none-match"] == b'W/"\xe4 x"'
    assert site.asked[0].headers[b"if-modified-since"] == b"yesterday, roughly"
    assert (fetched.status, fetched.error, fetched.body) == (304, None, None)
    assert (fetched.etag, fetched.modified) == (feed.etag, feed.modified)


async def test_the_request_says_who_asks_and_what_it_understands(site: Site) -> None:
    site.pages["/feed"] = ok(BODY)
    await fetch(site)
    headers = site.asked[0].headers
    assert headers[b"user-agent"] == b"test-agent (+mailto:test@example.org)"
    assert headers[b"accept-encoding"] == b"gzip, deflate"
    assert headers[b"host"] == b"127.0.0.1:%d" % site.port
    assert b"cookie" not in headers


async def test_the_address_goes_out_as_written(site: Site) -> None:
    site.pages["/~me/%7Bx%7D/[a]"] = ok(BODY)
    await fetch(site, "/~me/%7Bx%7D/[a]?q[]=1&e=%e2#part")
    assert site.asked[0].target == b"/~me/%7Bx%7D/[a]?q[]=1&e=%e2"


async def test_a_login_in_the_address_is_sent_as_basic_authentication_and_never_told(site: Site) -> None:
    site.pages["/feed"] = ok(b"", status=b"401 Unauthorized")
    fetched = await fetch(site, a_feed(f"http://me:secret@127.0.0.1:{site.port}/feed"))
    assert site.asked[0].headers[b"authorization"] == b"Basic bWU6c2VjcmV0"
    assert fetched.error == "HTTP 401 Unauthorized: the site asks for a login"
    assert "secret" not in f"{fetched.error} {fetched.url}"


async def test_a_failure_keeps_the_old_validators(site: Site) -> None:
    site.pages["/feed"] = ok(b"", b'ETag: "error page"', status=b"500 Internal Server Error")
    fetched = await fetch(site, a_feed(site.url(), etag='"good"', modified="then"))
    assert (fetched.etag, fetched.modified) == ('"good"', "then")


def raw_deflate(body: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(body) + squeezer.flush()


@pytest.mark.parametrize(
    ("encoding", "wire"),
    [
        (b"gzip", gzip.compress(BODY)),
        (b"x-gzip", gzip.compress(BODY)),
        (b"gzip", gzip.compress(BODY[:20]) + gzip.compress(BODY[20:])),
        (b"gzip", gzip.compress(BODY) + b"\0\0\0\0"),
        (b"deflate", zlib.compress(BODY)),
        (b"deflate", raw_deflate(BODY)),
        (b"gzip", BODY),
        (b"deflate", BODY),
        (b"identity", gzip.compress(BODY)),
    ],
    ids=[
        "gzip",
        "x-gzip",
        "gzip in two members",
        "gzip with padding",
        "zlib",
        "raw deflate",
        "plain text announced as gzip",
        "plain text announced as deflate",
        "gzip announced as nothing",
    ],
)
async def test_a_compressed_body_is_read_whatever_its_label(site: Site, encoding: bytes, wire: bytes) -> None:
    site.pages["/feed"] = ok(wire, b"Content-Encoding: " + encoding)
    fetched = await fetch(site)
    assert (fetched.body, fetched.error, fetched.wire_bytes) == (BODY, None, len(wire))


async def drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Slow: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def stay_silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def stream_for_ever(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        await writer.drain()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxx")
    await writer.drain()
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


BOMB = gzip.compress(b"x" * 20_000_000)

HOSTILE: list[tuple[str, bytes | Script, str]] = [
    ("body dripped", drip_body, "no complete answer from SITE within 0.4 s: it ended while the body was read ("),
    ("headers dripped", drip_headers, "no complete answer from SITE within 0.4 s: it ended before the server answered"),
    ("silence", stay_silent, "no complete answer from SITE within 0.4 s: it ended before the server answered"),
    ("a body without end", stream_for_ever, "the document is larger than 100,000 bytes (fetch.max_bytes)"),
    (
        "2 GB announced",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n",
        "the document is announced with 2000000000 bytes, more than fetch.max_bytes",
    ),
    (
        "a gzip bomb",
        ok(BOMB, b"Content-Encoding: gzip"),
        "unpacked, the document is larger than 100,000 bytes (fetch.max_bytes)",
    ),
    (
        "truncated gzip",
        ok(gzip.compress(BODY)[:-12], b"Content-Encoding: gzip"),
        "the compressed body is cut short",
    ),
    (
        "damaged gzip",
        ok(gzip.compress(BODY)[:10] + b"\xff" * 30, b"Content-Encoding: gzip"),
        "the compressed body is damaged",
    ),
    (
        "an encoding nobody asked for",
        ok(BODY, b"Content-Encoding: br"),
        "came in the encoding 'br', which was not asked for",
    ),
    (
        "gzip stacked twice",
        ok(gzip.compress(gzip.compress(BODY)), b"Content-Encoding: gzip, gzip"),
        "came in the encoding 'gzip, gzip', which was not asked for",
    ),
    ("a connection reset", reset, "the connection to SITE broke while the body was read"),
    (
        "a body shorter than announced",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxx",
        "SITE broke the rules of HTTP: peer closed connection without sending complete message body",
    ),
    ("no HTTP at all", b"220 mail.example ESMTP\r\n\r\n", "SITE broke the rules of HTTP: "),
    ("nothing but a hang-up", b"", "SITE broke the rules of HTTP: Server disconnected without sending a response"),
    (
        "endless headers",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: %s\r\n" % (b"x" * 200_000) + b"\r\n",
        "SITE broke the rules of HTTP: ",
    ),
    ("no content", b"HTTP/1.1 204 No Content\r\n\r\n", "HTTP 204 No Content: it holds no document"),
    (
        "not modified, unasked",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP 304 Not Modified: but nothing was asked conditionally",
    ),
    ("gone", ok(b"", status=b"410 Gone"), "HTTP 410 Gone: the feed is gone for good"),
    (
        "a redirect to nowhere",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP 302 Found",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("page", "why"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
async def test_whatever_a_server_does_becomes_one_sentence(site: Site, page: bytes | Script, why: str) -> None:
    site.pages["/feed"] = page
    fetched = await fetch(site, seconds=0.4 if callable(page) else 5)
    assert fetched.body is None
    assert fetched.error is not None
    assert fetched.error.startswith(why.replace("SITE", f"127.0.0.1:{site.port}"))
    assert "\n" not in fetched.error


async def test_a_body_longer_than_announced_is_read_as_announced(site: Site) -> None:
    site.pages["/feed"] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<rss>and more"
    assert (await fetch(site)).body == b"<rss>"


async def test_an_empty_document_is_left_to_the_parser(site: Site) -> None:
    site.pages["/feed"] = ok(b"")
    fetched = await fetch(site)
    assert (fetched.body, fetched.error) == (b"", None)


async def test_retry_after_is_passed_on(site: Site) -> None:
    site.pages["/feed"] = ok(b"", b"Retry-After: 7200", status=b"429 Too Many Requests")
    fetched = await fetch(site)
    assert fetched.error == "HTTP 429 Too Many Requests: the site was asked too often"
    assert (fetched.status, fetched.retry_after) == (429, timedelta(hours=2))


async def test_a_refused_connection_is_told_as_such() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with fetching("127.0.0.1") as fetcher:
        fetched = await fetcher.fetch(a_feed(f"http://127.0.0.1:{port}/"), NOW)
    assert fetched.error == f"cannot connect to 127.0.0.1:{port}: Connection refused"
    assert (fetched.status, fetched.refused) == (None, False)


async def test_a_server_without_tls_is_told_as_such(site: Site) -> None:
    site.pages["/"] = ok(BODY)
    fetched = await fetch(site, a_feed(f"https://127.0.0.1:{site.port}/"))
    assert (fetched.error or "").startswith(f"cannot connect to 127.0.0.1:{site.port}: no TLS connection")


async def test_a_name_that_does_not_resolve_is_told_as_such() -> None:
    async with fetching() as fetcher:
        # Longer than a DNS label may be, so that no resolver has to be asked.
        fetched = await fetcher.fetch(a_feed(f"http://{'x' * 64}/"), NOW)
    assert (fetched.error or "").startswith(f"the name {'x' * 64} cannot be resolved")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_loopback_is_refused_however_it_is_spelled(site: Site, host: str) -> None:
    site.pages["/feed"] = ok(BODY)
    async with fetching() as fetcher:
        fetched = await fetcher.fetch(a_feed(f"http://{host}:{site.port}/feed"), NOW)
    assert "to fetch.allow" in (fetched.error or "")
    assert fetched.refused
    assert site.asked == []


async def test_a_name_can_be_allowed(site: Site) -> None:
    site.pages["/feed"] = ok(BODY)
    async with fetching(f"localhost:{site.port}") as fetcher:
        fetched = await fetcher.fetch(a_feed(f"http://localhost:{site.port}/feed"), NOW)
    assert fetched.error is None


def moved(location: str, status: bytes = b"302 Found") -> bytes:
    return ok(b"", b"Location: " + location.encode(), status=status)


@pytest.mark.parametrize("status", [b"301 Moved Permanently", b"302 Found", b"303 See Other", b"307 X", b"308 X"])
async def test_redirects_are_followed(site: Site, status: bytes) -> None:
    site.pages["/feed"] = moved("/new", status)
    site.pages["/new"] = ok(BODY)
    fetched = await fetch(site)
    assert (fetched.body, fetched.url, fetched.status) == (BODY, site.url("/new"), 200)


async def test_five_redirects_are_followed_and_six_are_not(site: Site) -> None:
    site.pages |= {f"/{n}": moved(f"/{n + 1}") for n in range(6)}
    site.pages["/6"] = ok(BODY)
    assert (await fetch(site, "/1")).body == BODY
    assert (await fetch(site, "/0")).error == f"redirects more than 5 times, last to 127.0.0.1:{site.port}"


REDIRECTS = [
    ("to itself", "http://127.0.0.1:PORT/feed", "redirects in a circle (1 steps"),
    ("to a private address", "http://192.168.0.1/", "192.168.0.1:80 is a private address"),
    ("to the cloud's metadata", "http://169.254.169.254/x", "169.254.169.254:80 is a link-local address"),
    ("to another port of this machine", "http://127.0.0.1:1/", "127.0.0.1:1 is a loopback address"),
    ("to a NAT64 address", "http://[64:ff9b::7f00:1]/", "[64:ff9b::7f00:1]:80 is a NAT64 address"),
    ("behind a user name", "http://news.example@10.0.0.1/", "10.0.0.1:80 is a private address"),
    ("to a decimal address", "http://2130706433:1/", "2130706433 leads to 127.0.0.1:1, which is"),
    ("to a file", "file:///etc/passwd", "file: addresses are not fetched"),
    ("to junk", "http://[", "redirects to something that is no address"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "why"), [row[1:] for row in REDIRECTS], ids=[row[0] for row in REDIRECTS])
async def test_a_bad_redirect_is_not_followed(site: Site, where: str, why: str) -> None:
    site.pages["/feed"] = moved(where.replace("PORT", str(site.port)))
    fetched = await fetch(site)
    assert (fetched.error or "").startswith(why)
    assert fetched.status == 302
    assert len(site.asked) == 1


async def test_a_login_does_not_travel_to_another_host(site: Site) -> None:
    site.pages["/feed"] = moved(f"http://localhost:{site.port}/new")
    site.pages["/new"] = ok(BODY)
    async with fetching("127.0.0.1", "localhost") as fetcher:
        await fetcher.fetch(a_feed(f"http://me:secret@127.0.0.1:{site.port}/feed"), NOW)
    assert b"authorization" in site.asked[0].headers
    assert b"authorization" not in site.asked[1].headers


async def test_one_bad_feed_does_not_hold_up_the_others(site: Site) -> None:
    site.pages |= {"/bad": stay_silent, "/good": ok(BODY)}
    async with fetching(f"127.0.0.1:{site.port}", seconds=0.6) as fetcher:
        feeds = [a_feed(site.url("/bad")), *[a_feed(site.url("/good"))] * 20]
        bad, *good = await asyncio.gather(*(fetcher.fetch(feed, NOW) for feed in feeds))
    assert bad.error
    assert all(fetched.body == BODY and fetched.seconds < 0.6 for fetched in good)
