"""Fetching from servers that mean well: what is asked, what comes back, and what it says about the next time."""

import gzip
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.feed_records import Trouble
from tests.feeds.asking import BODY, NOW, a_feed, fetch, fetching
from tests.feeds.server import Site, ok


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


async def test_a_feed_that_moved_is_asked_at_its_new_address(site: Site) -> None:
    site.pages["/new"] = ok(BODY)
    fetched = await fetch(site, replace(a_feed("http://127.0.0.1:1/old"), address=site.url("/new")))
    assert fetched.body == BODY


async def test_caching_headers_say_how_long_a_document_stays_fresh(site: Site) -> None:
    site.pages["/feed"] = ok(BODY, b"Cache-Control: public", b"Cache-Control: max-age=3600", b"Age: 600")
    assert (await fetch(site)).fresh_for == timedelta(minutes=50)


async def test_a_failure_is_never_fresh(site: Site) -> None:
    site.pages["/feed"] = ok(b"", b"Cache-Control: max-age=3600", status=b"404 Not Found")
    assert (await fetch(site)).fresh_for is None


async def test_only_headers_that_somebody_reads_are_kept(site: Site) -> None:
    site.pages["/feed"] = ok(BODY, b"Content-Type: text/xml", b"Set-Cookie: a=b", b"X-Filler: " + b"x" * 50_000)
    assert (await fetch(site)).headers == {"content-length": str(len(BODY)), "content-type": "text/xml"}


STATUSES: list[tuple[bytes, tuple[bytes, ...], Trouble]] = [
    (b"401 Unauthorized", (), "blocked"),
    (b"402 Payment Required", (), "blocked"),
    (b"403 Forbidden", (), "blocked"),
    (b"407 Proxy Authentication Required", (), "blocked"),
    (b"429 Too Many Requests", (), "blocked"),
    (b"451 Unavailable For Legal Reasons", (), "blocked"),
    (b"503 Service Unavailable", (b"cf-mitigated: challenge",), "blocked"),
    (b"200 OK", (b"CF-Mitigated: challenge",), "blocked"),
    (b"202 Accepted", (b"x-amzn-waf-action: challenge",), "blocked"),
    (b"410 Gone", (), "gone"),
    (b"404 Not Found", (), "status"),
    (b"500 Internal Server Error", (), "status"),
    (b"206 Partial Content", (), "status"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "trouble"), STATUSES, ids=[str(row[:2]) for row in STATUSES])
async def test_a_status_without_a_document_is_a_trouble(
    site: Site, status: bytes, headers: tuple[bytes, ...], trouble: Trouble
) -> None:
    site.pages["/feed"] = ok(b"<html>no</html>", *headers, status=status)
    fetched = await fetch(site)
    assert (fetched.trouble, fetched.body) == (trouble, None)
    assert (fetched.error or "").startswith(f"HTTP {status.decode().split()[0]} ")


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found", b"503 Service Unavailable", b"429 Too Many Requests"])
async def test_any_answer_may_ask_us_to_come_later(site: Site, status: bytes) -> None:
    site.pages["/feed"] = ok(BODY, b"Retry-After: 7200", status=status)
    assert (await fetch(site)).retry_after == timedelta(hours=2)


async def test_a_page_is_got_without_validators(site: Site) -> None:
    site.pages["/"] = ok(b"<html>")
    async with fetching("127.0.0.1") as fetcher:
        fetched = await fetcher.get(site.url("/"), NOW)
    assert (fetched.status, fetched.body) == (200, b"<html>")
    assert site.asked[0].headers.keys() & {b"if-none-match", b"if-modified-since"} == set()


async def test_a_form_is_posted_and_its_answer_kept(site: Site) -> None:
    site.pages["/hub"] = ok(b"", status=b"202 Accepted")
    async with fetching("127.0.0.1") as fetcher:
        fetched = await fetcher.post(site.url("/hub"), {"hub.mode": "subscribe", "hub.topic": "http://a/?b=ü"}, NOW)
    assert (fetched.status, fetched.error, fetched.body) == (202, None, b"")
    assert (site.asked[0].method, site.asked[0].body) == (
        b"POST",
        b"hub.mode=subscribe&hub.topic=http%3A%2F%2Fa%2F%3Fb%3D%C3%BC",
    )
    assert site.asked[0].headers[b"content-type"] == b"application/x-www-form-urlencoded"


async def test_what_a_hub_says_against_a_form_is_kept(site: Site) -> None:
    site.pages["/hub"] = ok(b"no such topic", status=b"400 Bad Request")
    async with fetching("127.0.0.1") as fetcher:
        fetched = await fetcher.post(site.url("/hub"), {"a": "b"}, NOW)
    assert (fetched.error, fetched.trouble, fetched.body) == ("HTTP 400 Bad Request", "status", b"no such topic")


async def test_a_form_is_sent_on_only_where_it_stays_a_form(site: Site) -> None:
    site.pages |= {
        "/307": ok(b"", b"Location: /end", status=b"307 X"),
        "/302": ok(b"", b"Location: /end", status=b"302 X"),
    }
    site.pages["/end"] = ok(b"taken")
    async with fetching("127.0.0.1") as fetcher:
        taken = await fetcher.post(site.url("/307"), {"a": "b"}, NOW)
        turned_away = await fetcher.post(site.url("/302"), {"a": "b"}, NOW)
    assert [(asked.method, asked.target, asked.body) for asked in site.asked] == [
        (b"POST", b"/307", b"a=b"),
        (b"POST", b"/end", b"a=b"),
        (b"POST", b"/302", b"a=b"),
    ]
    assert (taken.body, taken.error) == (b"taken", None)
    assert (turned_away.trouble, turned_away.error) == ("redirect", "HTTP 302 Found: it leads nowhere")


async def test_a_host_can_be_asked_under_another_name(site: Site) -> None:
    site.pages["/feed"] = ok(BODY)
    hosts = {"127.0.0.1": {"user_agent": "agreed/1.0"}}
    async with fetching("127.0.0.1", hosts=hosts) as fetcher:
        await fetcher.fetch(a_feed(site.url()), NOW)
    assert site.asked[0].headers[b"user-agent"] == b"agreed/1.0"
