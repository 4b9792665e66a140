"""Posting on guarded connections: whom it does not connect to, and what it says when no answer comes."""

from datetime import timedelta

import pytest

from monitor.alerts.channels.posting import GuardedPoster
from monitor.errors import ChannelError
from monitor.feeds.addresses import Allow
from monitor.feeds.connect import Gate
from monitor.feeds.names import Resolver
from tests.alerts.servers import http, silence, web

SOON = timedelta(seconds=5)
PATH = "/a/long-and-secret-piece/b?key=another-secret-piece"


def leads_to(*addresses: str) -> Resolver:
    def lookup(_host: str, port: int, **_: int) -> list[tuple[object, ...]]:
        if not addresses:
            raise OSError("no such name")
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    return Resolver(lookup)


def poster(*allow: str, resolver: Resolver | None = None) -> GuardedPoster:
    return GuardedPoster(Gate(Allow.parse(allow), resolver or leads_to()))


async def failed(url: str, by: GuardedPoster, within: timedelta = SOON) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        await by.post(url, b"{}", {}, within)
    assert "secret" not in str(caught.value)
    return caught.value


async def test_the_request_is_one_of_http_that_every_server_understands() -> None:
    async with web(http(200, b" taken \n")) as server:
        url = f"http://me:p%40ss@127.0.0.1:{server.port}/x?y={{z}}#part"
        answer = await poster("127.0.0.1").post(url, b"body", {"Content-Type": "text/plain"}, SOON)
    (head, body), *more = server.requests
    first, *lines = head.decode().strip().split("\r\n")
    assert (first, body, more) == ("POST /x?y={z} HTTP/1.1", b"body", [])
    assert sorted(line.lower() for line in lines) == sorted(
        [
            f"host: 127.0.0.1:{server.port}",
            "user-agent: ai-market-monitor",
            "content-length: 4",
            "accept-encoding: identity",
            "connection: close",
            "authorization: basic bwu6cebzcw==",
            "content-type: text/plain",
        ]
    )
    assert (answer.status, answer.text) == (200, "taken")


@pytest.mark.parametrize(
    ("url", "by", "told"),
    [
        pytest.param("http://127.0.0.1:8080/secret", poster(), 'add "127.0.0.1:8080" to fetch.allow', id="loopback"),
        pytest.param("http://169.254.169.254/secret", poster(), "is a link-local address", id="metadata of a cloud"),
        pytest.param(
            "https://hooks.example/secret",
            poster(resolver=leads_to("10.1.2.3")),
            'hooks.example leads to 10.1.2.3:443, which is a private address; to allow it, add "10.1.2.3:443"',
            id="a name that leads inside",
        ),
    ],
)
async def test_a_private_address_is_not_asked_as_long_as_it_is_one(url: str, by: GuardedPoster, told: str) -> None:
    error = await failed(url, by)
    assert told in str(error)
    assert error.retry


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("ftp://hooks.example/secret", "ftp: addresses", id="another scheme"),
        pytest.param("http://" + "a" * 300 + "/secret", "no valid host", id="no host"),
    ],
)
async def test_what_is_no_web_address_will_never_be_one(url: str, told: str) -> None:
    error = await failed(url, poster())
    assert told in str(error)
    assert not error.retry


async def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    error = await failed("https://hooks.example/secret", poster())
    assert "the name hooks.example cannot be resolved" in str(error)
    assert error.retry


async def test_a_connection_that_breaks_is_told() -> None:
    async with web(b"HTTP/1.1 200") as server:
        error = await failed(f"http://127.0.0.1:{server.port}/secret", poster("127.0.0.1"))
    assert "hung up in the middle of the headers" in str(error)
    assert error.retry


async def test_a_server_without_tls_is_told() -> None:
    async with silence(b"220 mail.example ESMTP\r\n") as port:
        error = await failed(f"https://127.0.0.1:{port}/secret", poster("127.0.0.1"))
    assert f"no TLS with 127.0.0.1:{port}" in str(error)


async def test_a_redirect_is_an_answer_like_any_other() -> None:
    async with web(http(307, Location="http://127.0.0.1:1/")) as server:
        answer = await poster("127.0.0.1").post(f"http://127.0.0.1:{server.port}/", b"", {}, SOON)
    assert (answer.status, len(server.requests)) == (307, 1)


async def test_a_body_without_an_end_does_not_undo_the_answer() -> None:
    async with silence(b"HTTP/1.1 202 Accepted\r\n\r\nbegin") as port:
        address = f"http://127.0.0.1:{port}/"
        answer = await poster("127.0.0.1").post(address, b"", {}, timedelta(seconds=0.3))
    assert (answer.status, answer.text) == (202, "begin")


async def test_an_answer_is_blotted_where_it_repeats_what_is_secret() -> None:
    async with web(http(404, f"no {PATH}; another-secret-piece? T0KEN!".encode())) as server:
        url = f"http://127.0.0.1:{server.port}{PATH}"
        answer = await poster("127.0.0.1").post(url, b"", {}, SOON, secrets=("T0KEN",))
    assert answer.text == "no …; …? …!"
