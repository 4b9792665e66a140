"""Fetching from servers that are slow, wrong and hostile: one sentence and one word for each, and no harm done."""

import asyncio
import gzip
import resource
import socket
import struct
import sys
import time
from collections.abc import Callable

import pytest

from monitor.feeds.inflate import Inflater
from storage.feed_records import Trouble
from tests.feeds.asking import BODY, LIMIT, NOW, a_feed, fetch, fetching
from tests.feeds.server import Script, Site, ok

MEGABYTES = 1024 if sys.platform.startswith("linux") else 1024 * 1024
"""In the unit in which the system counts resident memory."""


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


async def early_hints_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 100)
        await writer.drain()


async def trailers_for_ever(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n0\r\n")
    while True:
        writer.write(b"X-Trailer: 1\r\n" * 100)
        await writer.drain()


async def stream_until_hang_up(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 0x10000)
        await writer.drain()


async def reset_at_once(writer: asyncio.StreamWriter) -> None:
    hard_close(writer)


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxx")
    await writer.drain()
    hard_close(writer)


def hard_close(writer: asyncio.StreamWriter) -> None:
    """Hang up with a reset instead of a goodbye."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


BOMB = gzip.compress(b"x" * 20_000_000)
HTTP = "SITE broke the rules of HTTP: "
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = "no complete answer from SITE within 0.4 s: it ended "

HOSTILE: list[tuple[str, bytes | Script, Trouble, str]] = [
    ("body dripped", drip_body, "timeout", SLOW + "while the body was read ("),
    ("headers dripped", drip_headers, "timeout", SLOW + "before the server answered"),
    ("silence", stay_silent, "timeout", SLOW + "before the server answered"),
    ("a body without end", stream_for_ever, "size", "the document is larger than 100,000 bytes (fetch.max_bytes)"),
    ("2 GB streamed", stream_until_hang_up, "size", "the document is larger than 100,000 bytes (fetch.max_bytes)"),
    (
        "2 GB announced",
        OK + b"Content-Length: 2000000000\r\n\r\n",
        "size",
        "the document is announced with 2000000000 bytes, more than fetch.max_bytes",
    ),
    (
        "a gzip bomb",
        ok(BOMB, b"Content-Encoding: gzip"),
        "size",
        "unpacked, the document is larger than 100,000 bytes (fetch.max_bytes)",
    ),
    ("a gzip bomb in gzip", ok(gzip.compress(BOMB), b"Content-Encoding: gzip"), "damaged", "the body is compressed"),
    (
        "gzip stacked twice",
        ok(gzip.compress(BOMB), b"Content-Encoding: gzip, gzip"),
        "damaged",
        "came in the encoding 'gzip, gzip', which was not asked for",
    ),
    (
        "gzip stacked twice in two headers",
        ok(gzip.compress(BOMB), b"Content-Encoding: gzip", b"Content-Encoding: gzip"),
        "damaged",
        "came in the encoding 'gzip, gzip', which was not asked for",
    ),
    (
        "gzip in thousands of empty pieces",
        ok(gzip.compress(b"") * 4_000, b"Content-Encoding: gzip"),
        "damaged",
        "the body is compressed in more than 1,000 pieces",
    ),
    (
        "truncated gzip",
        ok(gzip.compress(BODY)[:-12], b"Content-Encoding: gzip"),
        "damaged",
        "the compressed body is cut short",
    ),
    (
        "false gzip",
        ok(gzip.compress(BODY)[:10] + b"\xff" * 30, b"Content-Encoding: gzip"),
        "damaged",
        "the compressed body is damaged",
    ),
    (
        "an encoding nobody asked for",
        ok(BODY, b"Content-Encoding: br"),
        "damaged",
        "came in the encoding 'br', which was not asked for",
    ),
    ("a reset before the answer", reset_at_once, "network", "the connection to SITE broke before the server answered"),
    ("a reset in the body", reset, "network", "the connection to SITE broke while the body was read"),
    (
        "a body shorter than announced",
        OK + b"Content-Length: 1000\r\n\r\nxxx",
        "damaged",
        HTTP + "it hung up 997 bytes before the end that it had announced",
    ),
    ("a length below nothing", OK + b"Content-Length: -5\r\n\r\nxxx", "damaged", HTTP + "it announces a length"),
    (
        "two lengths",
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nxxxx",
        "damaged",
        HTTP + "it announces two different lengths",
    ),
    ("a length of 5,000 digits", OK + b"Content-Length: %s\r\n\r\nx" % (b"9" * 5000), "damaged", HTTP + "it announces"),
    ("a chunk without end", CHUNKED + b"5\r\n<rs", "damaged", HTTP + "it hung up in the middle of the body"),
    ("a chunk of no size", CHUNKED + b"-1\r\n<rss>", "damaged", HTTP + "it sends a chunk without a length"),
    ("a chunk that is too long", CHUNKED + b"2\r\n<rss>\r\n", "damaged", HTTP + "it sends a chunk that is longer"),
    ("a byte a chunk", CHUNKED + b"1\r\nx\r\n" * 30_000, "damaged", HTTP + "it sends more around the chunks"),
    ("trailers without end", trailers_for_ever, "damaged", HTTP + "it sends more around the chunks"),
    ("no HTTP at all", b"220 mail.example ESMTP\r\n", "damaged", HTTP + "what it says is no HTTP"),
    ("an HTTP of its own", b"HTTP/x maybe\r\n\r\n", "damaged", HTTP + "what it says is no HTTP"),
    ("nothing but a hang-up", b"", "damaged", HTTP + "it hung up without an answer"),
    ("half a head", OK + b"Content-Le", "damaged", HTTP + "it hung up in the middle of the headers"),
    (
        "a header without end",
        OK + b"X-Long: %s\r\n" % (b"x" * 200_000),
        "damaged",
        HTTP + "its headers are longer than 100,000 bytes",
    ),
    ("thousands of headers", OK + b"X: y\r\n" * 2_000 + b"\r\n", "damaged", HTTP + "it sends more than 1,000 headers"),
    ("hints without end", early_hints_for_ever, "damaged", HTTP + "its headers are longer than 100,000 bytes"),
    ("no content", b"HTTP/1.1 204 No Content\r\n\r\n", "status", "HTTP 204 No Content: it holds no document"),
    (
        "not modified, unasked",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        "status",
        "HTTP 304 Not Modified: but nothing was asked conditionally",
    ),
    ("gone", ok(b"", status=b"410 Gone"), "gone", "HTTP 410 Gone: the feed is gone for good"),
    ("a redirect to nowhere", ok(b"", status=b"302 Found"), "redirect", "HTTP 302 Found: it leads nowhere"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "trouble", "why"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
async def test_whatever_a_server_does_becomes_one_sentence_and_one_word(
    site: Site, page: bytes | Script, trouble: Trouble, why: str
) -> None:
    site.pages["/feed"] = page
    fetched = await fetch(site, seconds=0.4 if trouble == "timeout" else 5)
    assert fetched.body is None
    assert fetched.error is not None
    assert fetched.error.startswith(why.replace("SITE", site.place))
    assert fetched.trouble == trouble
    assert "\n" not in fetched.error
    assert fetched.seconds < 3


async def test_a_stream_of_gigabytes_takes_no_memory(site: Site) -> None:
    site.pages |= {
        "/stream": stream_until_hang_up,
        "/chunks": stream_for_ever,
        "/bomb": ok(BOMB, b"Content-Encoding: gzip"),
    }
    await asyncio.gather(*(fetch(site, path) for path in site.pages))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.gather(*(fetch(site, path) for path in [*site.pages] * 10))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * MEGABYTES


async def test_a_resolver_that_hangs_is_under_the_deadline_and_holds_up_nobody(site: Site) -> None:
    site.pages["/feed"] = ok(BODY)

    def hang(host: str, *_more: object, **_options: object) -> list[tuple[object, ...]]:
        time.sleep(1.5 if host == "slow.example" else 0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    async with fetching("127.0.0.1", seconds=0.5, lookup=hang) as fetcher:
        slow = [fetcher.fetch(a_feed(f"http://slow.example:{site.port}/feed"), NOW) for _ in range(20)]
        quick = fetcher.fetch(a_feed(f"http://quick.example:{site.port}/feed"), NOW)
        *failed, brought = await asyncio.gather(*slow, quick)
        # The threads that everything else needs are free.
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 7), 0.3) == 7
    assert brought.body == BODY
    assert {fetched.trouble for fetched in failed} == {"timeout"}
    assert (failed[0].error or "").endswith("within 0.5 s: it ended before there was a connection")


PACKINGS: list[tuple[str, Callable[[bytes], bytes]]] = [("gzip", gzip.compress), ("plain", bytes)]


@pytest.mark.parametrize("pack", [row[1] for row in PACKINGS], ids=[row[0] for row in PACKINGS])
def test_the_limit_is_exact(pack: Callable[[bytes], bytes]) -> None:
    inflater = Inflater("", LIMIT)
    inflater.feed(pack(b"x" * LIMIT))
    assert len(inflater.finish()) == LIMIT


async def test_one_bad_feed_does_not_hold_up_the_others(site: Site) -> None:
    site.pages |= {"/bad": stay_silent, "/good": ok(BODY)}
    async with fetching(f"127.0.0.1:{site.port}", seconds=0.6) as fetcher:
        feeds = [a_feed(site.url("/bad")), *[a_feed(site.url("/good"))] * 20]
        bad, *good = await asyncio.gather(*(fetcher.fetch(feed, NOW) for feed in feeds))
    assert bad.error
    assert all(fetched.body == BODY and fetched.seconds < 0.6 for fetched in good)
