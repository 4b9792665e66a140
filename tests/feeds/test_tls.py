"""TLS: whom a certificate proves, and what happens when it proves nothing."""

import asyncio
import socket
import ssl

import httpx
import pytest

from monitor.feeds.addresses import Allow
from monitor.feeds.connect import Gate
from monitor.feeds.names import Resolver
from monitor.feeds.transport import GuardedTransport
from monitor.feeds.wire import Wire
from tests.alerts.servers import CERTIFICATE, tls
from tests.feeds.asking import BODY, FakeNames, a_feed, fetch
from tests.feeds.server import Site, ok, serving

LARGE = BODY * 20_000


def trusting_the_test() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    context.set_alpn_protocols(["http/1.1"])
    return context


async def ask(site: Site, host: str) -> bytes:
    """Fetch over TLS from a host that is this machine, trusting the test's own certificate."""
    names = FakeNames(other_example=["127.0.0.1"], localhost=["127.0.0.1"])
    transport = GuardedTransport(Gate(Allow.parse(["127.0.0.1"]), Resolver(names)), trusting_the_test)
    extensions = {"target": b"/feed", "tell": str}
    async with asyncio.timeout(5):
        response = await transport.handle_async_request(
            httpx.Request("GET", f"https://{host}:{site.port}/feed", extensions=extensions)
        )
        try:
            return b"".join([chunk async for chunk in response.aiter_raw()])
        finally:
            await response.aclose()


async def test_a_large_document_comes_over_tls() -> None:
    server, chosen = tls(), list[str | None]()
    server.set_alpn_protocols(["h2", "http/1.1"])

    async def page(writer: asyncio.StreamWriter) -> None:
        chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(ok(LARGE))
        await writer.drain()

    async with serving(server) as site:
        site.pages["/feed"] = page
        assert await ask(site, "localhost") == LARGE
    assert chosen == ["http/1.1"]


async def test_the_name_is_sent_and_verified_without_its_last_dot() -> None:
    server, asked = tls(), list[str | None]()
    server.sni_callback = lambda _connection, name, _context: asked.append(name)
    async with serving(server) as site:
        site.pages["/feed"] = ok(BODY)
        assert await ask(site, "localhost.") == BODY
    assert asked == ["localhost"]


async def test_a_certificate_for_another_name_is_refused() -> None:
    async with serving(tls()) as site:
        site.pages["/feed"] = ok(BODY)
        with pytest.raises(httpx.ConnectError, match=r"other\.example"):
            await ask(site, "other.example")
    assert site.asked == []


async def test_a_certificate_that_nobody_vouches_for_is_told_as_such() -> None:
    async with serving(tls()) as site:
        site.pages["/feed"] = ok(BODY)
        fetched = await fetch(site, a_feed(f"https://127.0.0.1:{site.port}/feed"))
    assert (fetched.error or "").startswith(f"cannot connect to {site.place}: its certificate is not valid (")
    assert (fetched.trouble, site.asked) == ("network", [])


async def test_a_handshake_that_never_ends_is_under_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        site = Site(nobody.getsockname()[1])
        fetched = await fetch(site, a_feed(f"https://{site.place}/feed"), seconds=0.2)
    assert (fetched.trouble, fetched.status) == ("timeout", None)


async def test_a_large_message_is_sent_whole() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = await Wire.open("127.0.0.1", server.getsockname()[1])
        connection, _ = server.accept()
        with connection:
            sending = asyncio.create_task(wire.send(LARGE))
            taken = await asyncio.to_thread(connection.recv, len(LARGE), socket.MSG_WAITALL)
            await sending
        assert (taken, await wire.receive()) == (LARGE, b"")
        wire.close()


async def test_a_refused_connection_leaves_nothing_open() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match=r"no connection"):
            await Wire.open("127.0.0.1", unused.getsockname()[1])
