"""Where a feed's address may lead, and what it never leads to."""

import asyncio
import socket

import pytest

from storage.feed_records import Fetched, Trouble
from tests.feeds.asking import BODY, NOW, FakeNames, a_feed, fetch, fetching
from tests.feeds.server import Site, ok, serving


async def test_a_refused_connection_is_told_as_such() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with fetching("127.0.0.1") as fetcher:
        fetched = await fetcher.fetch(a_feed(f"http://127.0.0.1:{port}/"), NOW)
    assert fetched.error == f"cannot connect to 127.0.0.1:{port}: Connection refused"
    assert (fetched.status, fetched.trouble) == (None, "network")


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
    assert fetched.trouble == "address"
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


REDIRECTS: list[tuple[str, str, Trouble, str]] = [
    ("to itself", "http://127.0.0.1:PORT/feed", "redirect", "redirects in a circle (1 steps"),
    ("to a private address", "http://192.168.0.1/", "address", "192.168.0.1:80 is a private address"),
    ("to the cloud's metadata", "http://169.254.169.254/x", "address", "169.254.169.254:80 is a link-local address"),
    ("to another port of this machine", "http://127.0.0.1:1/", "address", "127.0.0.1:1 is a loopback address"),
    ("to a NAT64 address", "http://[64:ff9b::7f00:1]/", "address", "[64:ff9b::7f00:1]:80 is a NAT64 address"),
    ("to an IPv6-mapped address", "http://[::ffff:10.0.0.1]/", "address", "[::ffff:10.0.0.1]:80 is an IPv4-mapped"),
    ("to an IPv6 link-local address", "http://[fe80::1]/", "address", "[fe80::1]:80 is a link-local address"),
    ("behind a user name", "http://news.example@10.0.0.1/", "address", "10.0.0.1:80 is a private address"),
    ("behind a login", "http://news.example:80@10.0.0.1/", "address", "10.0.0.1:80 is a private address"),
    ("behind a back-slash", "http://10.0.0.1\\@news.example/", "address", "10.0.0.1:80 is a private address"),
    ("to a decimal address", "http://2130706433:1/", "address", "2130706433 leads to 127.0.0.1:1, which is"),
    ("to an octal address", "http://0177.0.0.1:1/", "address", "the address names no valid host"),
    ("to a hexadecimal address", "http://0x7f000001:1/", "address", "0x7f000001 leads to 127.0.0.1:1, which is"),
    ("to a file", "file:///etc/passwd", "address", "file: addresses are not fetched"),
    ("to an FTP server", "ftp://127.0.0.1/feed", "address", "ftp: addresses are not fetched"),
    ("to a script", "javascript:alert(1)", "address", "javascript: addresses are not fetched"),
    ("to junk", "http://[", "address", "redirects to something that is no address"),
    ("to an address without end", "http://a.example/" + "x" * 9_000, "address", "the address is longer than 8,192"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "trouble", "why"), [row[1:] for row in REDIRECTS], ids=[row[0] for row in REDIRECTS])
async def test_a_bad_redirect_is_not_followed(site: Site, where: str, trouble: Trouble, why: str) -> None:
    site.pages["/feed"] = moved(where.replace("PORT", str(site.port)))
    fetched = await fetch(site)
    assert (fetched.error or "").startswith(why)
    assert (fetched.status, fetched.trouble) == (302, trouble)
    assert len(site.asked) == 1


async def test_every_hop_is_checked(site: Site) -> None:
    site.pages |= {"/feed": moved("/second"), "/second": moved("http://169.254.169.254/")}
    fetched = await fetch(site)
    assert (fetched.trouble, len(site.asked)) == ("address", 2)


async def test_a_circle_of_three_is_told_as_such(site: Site) -> None:
    site.pages |= {"/feed": moved("/b"), "/b": moved("/c"), "/c": moved("/feed")}
    fetched = await fetch(site)
    assert (fetched.trouble, fetched.error) == ("redirect", f"redirects in a circle (3 steps, at {site.place})")


async def test_the_address_connected_to_is_the_one_that_was_checked(site: Site) -> None:
    site.pages["/feed"] = ok(BODY)
    names = FakeNames(news_example=["127.0.0.1", "10.0.0.1"])
    async with fetching(f"127.0.0.1:{site.port}", lookup=names) as fetcher:
        fetched = await fetcher.fetch(a_feed(f"http://news.example:{site.port}/feed"), NOW)
    assert (fetched.body, names.asked) == (BODY, ["news.example"])
    assert site.asked[0].headers[b"host"] == b"news.example:%d" % site.port


async def test_a_name_that_leads_inside_on_the_next_hop_is_refused_there(site: Site) -> None:
    site.pages["/feed"] = moved(f"http://news.example:{site.port}/second")
    names = FakeNames(news_example=["127.0.0.1", "10.0.0.1"])
    async with fetching(f"127.0.0.1:{site.port}", lookup=names) as fetcher:
        fetched = await fetcher.fetch(a_feed(f"http://news.example:{site.port}/feed"), NOW)
    assert fetched.trouble == "address"
    assert (fetched.error or "").startswith(f"news.example leads to 10.0.0.1:{site.port}, which is a private address")


MOVES = [
    ("one permanent redirect", {"/feed": (301, "/new")}, "/new"),
    ("two permanent redirects", {"/feed": (301, "/next"), "/next": (308, "/new")}, "/new"),
    ("a permanent one and a passing one", {"/feed": (301, "/next"), "/next": (302, "/new")}, None),
    ("a passing one", {"/feed": (307, "/new")}, None),
    ("none", {"/feed": (200, "")}, None),
]  # fmt: skip


@pytest.mark.parametrize(("pages", "moved_to"), [row[1:] for row in MOVES], ids=[row[0] for row in MOVES])
async def test_a_feed_moves_when_every_redirect_is_permanent(
    site: Site, pages: dict[str, tuple[int, str]], moved_to: str | None
) -> None:
    site.pages["/new"] = ok(BODY)
    site.pages |= {path: moved(to, b"%d X" % status) if to else ok(BODY) for path, (status, to) in pages.items()}
    fetched = await fetch(site)
    assert fetched.moved_to == (moved_to and site.url(moved_to))


async def test_a_move_counts_too_when_the_document_there_is_unchanged(site: Site) -> None:
    site.pages |= {"/feed": moved("/new", b"301 X"), "/new": b"HTTP/1.1 304 Not Modified\r\n\r\n"}
    assert (await fetch(site, a_feed(site.url(), etag='"x"'))).moved_to == site.url("/new")


async def test_a_move_to_an_error_page_is_none(site: Site) -> None:
    site.pages |= {"/feed": moved("/new", b"301 X"), "/new": ok(b"", status=b"404 Not Found")}
    assert (await fetch(site)).moved_to is None


async def test_a_feed_with_a_login_does_not_move(site: Site) -> None:
    site.pages |= {"/feed": moved("/new", b"301 X"), "/new": ok(BODY)}
    fetched = await fetch(site, a_feed(f"http://me:secret@{site.place}/feed"))
    assert (fetched.body, fetched.moved_to) == (BODY, None)
    assert all(b"authorization" in asked.headers for asked in site.asked)


async def test_two_hosts_that_redirect_to_each_other_do_not_wait_for_ever(site: Site) -> None:
    async with serving() as other, fetching("127.0.0.1", seconds=3) as fetcher:
        site.pages |= {"/feed": moved(other.url("/end")), "/end": ok(BODY)}
        other.pages |= {"/feed": moved(site.url("/end")), "/end": ok(BODY)}

        async def poll(one: Site) -> Fetched:
            async with fetcher.turn(one.url()):
                await asyncio.sleep(0.01)
                return await fetcher.fetch(a_feed(one.url()), NOW)

        both = await asyncio.gather(poll(site), poll(other))
    assert [fetched.body for fetched in both] == [BODY, BODY]


async def test_a_login_does_not_travel_to_another_host(site: Site) -> None:
    site.pages["/feed"] = moved(f"http://localhost:{site.port}/new")
    site.pages["/new"] = ok(BODY)
    async with fetching("127.0.0.1", "localhost") as fetcher:
        await fetcher.fetch(a_feed(f"http://me:secret@127.0.0.1:{site.port}/feed"), NOW)
    assert b"authorization" in site.asked[0].headers
    assert b"authorization" not in site.asked[1].headers
