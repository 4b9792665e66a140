"""What hubs, and those who pretend to be one, send to the callback addresses."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

import pytest

from monitor.websub.limits import Limits
from tests.websub.conftest import Desk, Log, until
from tests.websub.hub import Hub, Reply, say, sign

_WELL = ("listening", "subscribed", "verified", "pushed")
BODY = "<rss><channel><title>Größe</title></channel></rss>".encode()


def of(log: Log, event: str) -> list[dict[str, object]]:
    return [dict(line) for line in log if line["event"] == event]


async def test_a_push_is_answered_at_once_and_received(desk: Desk, hub: Hub, log: Log) -> None:
    async with desk.subscribed() as asked:
        desk.open.clear()
        reply = await hub.push(asked[0], BODY)
        assert (reply.status, reply.body, desk.received) == (200, b"", [])
        desk.open.set()
        await until(lambda: bool(desk.received))
    name, body, headers = desk.received[0]
    assert (name, body, headers["content-type"]) == ("Wire", BODY, "application/rss+xml")
    assert of(log, "websub.pushed") == [
        {"event": "websub.pushed", "feed": "Wire", "bytes": len(BODY), "log_level": "info"}
    ]


async def test_each_push_reaches_the_feed_of_its_token(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed("Wire", "Desk") as asked:
        for form in asked:
            await hub.push(form, form["hub.topic"].encode())
        await until(lambda: len(desk.received) == 2)
    assert {(name, body) for name, body, _ in desk.received} == {
        ("Wire", b"https://wire.example/feed"),
        ("Desk", b"https://desk.example/feed"),
    }


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        pytest.param("", "not signed", id="unsigned"),
        pytest.param(sign("guessed", BODY), "signed with another secret, or changed on the way", id="wrong"),
        pytest.param("sha1", "signed with sha1, and sha256 is required", id="sha1, though right"),
    ],
)
async def test_a_forged_push_is_ignored_and_its_sender_learns_nothing(
    desk: Desk, hub: Hub, log: Log, signature: str, reason: str
) -> None:
    async with desk.subscribed() as asked:
        if signature == "sha1":
            signature = sign(asked[0]["hub.secret"], BODY, "sha1")
        forged = await hub.push(asked[0], BODY, X_Hub_Signature=signature)
        good = await hub.push(asked[0], b"good")
        await until(lambda: bool(desk.received))
        stored = await desk.subscription()
    assert (stored.state, stored.error) == ("active", reason)
    assert _alike(forged) == _alike(good)
    assert [body for _, body, _ in desk.received] == [b"good"]
    assert [line["reason"] for line in of(log, "websub.forged")] == [reason]


def _alike(reply: Reply) -> tuple[object, ...]:
    return reply.status, reply.body, {name: value for name, value in reply.headers.items() if name != "date"}


async def test_one_feeds_secret_does_not_sign_for_another(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed("Wire", "Desk") as asked:
        await hub.push({**asked[0], "hub.secret": asked[1]["hub.secret"]}, BODY)
        await hub.push(asked[0], b"good")
        await until(lambda: bool(desk.received))
    assert [body for _, body, _ in desk.received] == [b"good"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("POST", "/push/0123-4567", 404, id="a push for an unknown token"),
        pytest.param("GET", "/push/0123-4567?hub.mode=subscribe", 404, id="a verification for one"),
        pytest.param("DELETE", "/push/0123-4567", 404, id="anything for one"),
        pytest.param("POST", "/", 404, id="no token"),
        pytest.param("GET", "/%00%ff/../../etc/passwd", 404, id="a way out"),
        pytest.param("GET", "/push/<token>", 404, id="a look at the callback address"),
        pytest.param("GET", "/push/<token>?hub.challenge=<script>", 404, id="a challenge alone"),
        pytest.param("PUT", "/push/<token>", 405, id="another method"),
        pytest.param("HEAD", "/push/<token>", 405, id="a question for the head"),
    ],
)
async def test_who_else_comes_by_is_told_nothing(desk: Desk, method: str, path: str, status: int) -> None:
    async with desk.subscribed():
        token = (await desk.subscription()).token
        address = f"http://{desk.settings.listen}{path.replace('<token>', token)}"
        reply = await say(address, method, BODY if method == "POST" else b"")
    assert reply.status == status
    assert reply.body in {b"", b"not found\n", b"method not allowed\n"}
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "server" not in reply.headers


async def test_a_huge_push_is_refused_when_it_is_announced(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed() as asked:
        reply = await say(asked[0]["hub.callback"], "POST", b"", Content_Length="2000000000")
        assert reply.status == 413
    assert desk.received == []


async def test_a_huge_push_is_cut_when_it_is_streamed(desk: Desk, hub: Hub) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 100_000
            yield b"x" * 100_000

    async with desk.subscribed() as asked:
        # Whether the answer still gets through to who goes on sending is up to the operating system.
        with suppress(ConnectionError, IndexError):
            assert (await say(asked[0]["hub.callback"], "POST", endless())).status == 413
        assert Limits().body_bytes < sent < 40_000_000
        await hub.push(asked[0], b"x" * Limits().body_bytes)
        await until(lambda: bool(desk.received))


async def test_an_encoded_push_is_not_taken(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed() as asked:
        assert (await hub.push(asked[0], BODY, Content_Encoding="gzip")).status == 415


async def test_a_push_that_breaks_off_is_nothing(desk: Desk, hub: Hub, log: Log) -> None:
    async with desk.subscribed() as asked:
        async with begun(desk, asked[0]["hub.callback"]):
            await asyncio.sleep(0.05)
        await hub.push(asked[0], b"good")
        await until(lambda: bool(desk.received))
    assert of(log, "websub.forged") == []
    assert of(log, "websub.fault") == []


@asynccontextmanager
async def begun(desk: Desk, url: str) -> AsyncIterator[asyncio.StreamReader]:
    """Begin a push and leave it there."""
    reader, writer = await asyncio.open_connection(*desk.settings.place)
    path = url.removeprefix(f"http://{desk.settings.listen}")
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<rss".encode())
    await writer.drain()
    try:
        yield reader
    finally:
        writer.close()


async def test_a_slow_push_is_cut_and_delays_no_other(desk: Desk, hub: Hub) -> None:
    desk = replace(desk, limits=Limits(body_seconds=0.3))
    async with desk.subscribed("Wire", "Desk") as asked, begun(desk, asked[0]["hub.callback"]) as slow:
        await hub.push(asked[1], BODY)
        await until(lambda: bool(desk.received))
        assert b"408" in await slow.readline()


async def test_many_slow_pushes_for_one_feed_delay_only_that_one(desk: Desk, hub: Hub) -> None:
    desk = replace(desk, limits=Limits(bodies_at_once=2))
    async with desk.subscribed("Wire", "Desk") as asked, AsyncExitStack() as slow:
        for _ in range(8):
            await slow.enter_async_context(begun(desk, asked[0]["hub.callback"]))
        async with asyncio.timeout(5):
            assert (await hub.push(asked[1], BODY)).status == 200


async def test_a_head_that_is_dripped_is_cut(desk: Desk, hub: Hub) -> None:
    desk = replace(desk, limits=Limits(connection_seconds=0.3))
    async with desk.subscribed():
        reader, writer = await asyncio.open_connection(*desk.settings.place)
        dripped = 0
        try:
            async with asyncio.timeout(5):
                while not reader.at_eof() and reader.exception() is None:
                    writer.write(b"POST / HTTP/1.1\r\nX: "[dripped : dripped + 1] or b"x")
                    dripped += 1
                    await asyncio.sleep(0.02)
        finally:
            writer.close()
        assert dripped < 100


async def test_too_many_connections_are_not_kept(desk: Desk, hub: Hub) -> None:
    desk = replace(desk, limits=Limits(connections=5))
    async with desk.subscribed() as asked:
        opened = [await asyncio.open_connection(*desk.settings.place) for _ in range(9)]
        await asyncio.sleep(0.1)
        ended = [reader for reader, _ in opened if reader.at_eof() or reader.exception()]
        assert len(ended) == 4
        for _, writer in opened:
            writer.close()
        await asyncio.sleep(0.1)
        assert (await hub.push(asked[0], BODY)).status == 200


async def test_many_pushes_at_once_are_received_one_at_a_time(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed() as asked:
        bodies = [b"<rss>%d</rss>" % number for number in range(60)]
        replies = await asyncio.gather(*(hub.push(asked[0], body) for body in bodies))
        await until(lambda: len(desk.received) == 60)
    assert {reply.status for reply in replies} == {200}
    assert sorted(body for _, body, _ in desk.received) == sorted(bodies)


@pytest.mark.parametrize("limits", [Limits(pushes=2), Limits(pushed_bytes=250)], ids=["pushes", "bytes"])
async def test_when_the_queue_is_full_the_hub_is_asked_to_come_again(
    desk: Desk, hub: Hub, log: Log, limits: Limits
) -> None:
    desk = replace(desk, limits=limits)
    async with desk.subscribed() as asked:
        desk.open.clear()
        replies = [await hub.push(asked[0], b"x" * 100) for _ in range(5)]
        desk.open.set()
        accepted = sum(reply.status == 200 for reply in replies)
        await until(lambda: len(desk.received) == accepted)
        assert (await hub.push(asked[0], b"x" * 100)).status == 200
    assert 0 < accepted < 5
    assert {(reply.status, reply.headers["retry-after"]) for reply in replies[accepted:]} == {(503, "60")}
    assert len(of(log, "websub.full")) == 5 - accepted


async def test_a_hub_that_pushes_without_end_leaves_room_for_the_others(desk: Desk, hub: Hub) -> None:
    desk = replace(desk, limits=Limits(pushes_of_one=3, push_seconds=60))
    async with desk.subscribed("Wire", "Desk") as (endless, other):
        statuses = [(await hub.push(endless, b"x%d" % number)).status for number in range(5)]
        assert (await hub.push(other, BODY)).status == 200
    assert statuses == [200, 200, 200, 503, 503]


async def test_a_push_that_cannot_be_received_harms_no_other(desk: Desk, hub: Hub, log: Log) -> None:
    async with desk.subscribed() as asked:
        desk.fault = RuntimeError("odd")
        await hub.push(asked[0], b"bad")
        await until(lambda: bool(of(log, "websub.fault")))
        desk.fault = None
        await hub.push(asked[0], b"good")
        await until(lambda: bool(desk.received))
    assert [body for _, body, _ in desk.received] == [b"good"]


async def test_stopping_takes_a_second_whoever_is_connected(desk: Desk, hub: Hub) -> None:
    async with AsyncExitStack() as connected:
        async with desk.subscribed() as asked:
            desk.open.clear()
            await hub.push(asked[0], BODY)
            await connected.enter_async_context(begun(desk, asked[0]["hub.callback"]))
            _, idle = await asyncio.open_connection(*desk.settings.place)
            connected.callback(idle.close)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 2
    again = replace(desk)
    async with again.at_work():  # the port is free again
        assert (await hub.push(asked[0], BODY)).status == 200


async def test_signals_and_the_log_of_the_process_stay_as_they_are(desk: Desk, hub: Hub) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), list(logging.getLogger().handlers)
    async with desk.subscribed():
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before[:2]
        assert logging.getLogger().handlers == before[2]
        assert logging.getLogger("uvicorn").handlers == []


async def test_what_is_no_http_ends_only_itself_and_fills_no_log(
    desk: Desk, hub: Hub, log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    async with desk.subscribed() as asked:
        for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\r\n" * 9999, b"GET /" + b"x" * 99_999):
            reader, writer = await asyncio.open_connection(*desk.settings.place)
            writer.write(nonsense + b"\r\n\r\n")
            writer.write_eof()
            await asyncio.gather(reader.read(), return_exceptions=True)
            writer.close()
        assert (await hub.push(asked[0], BODY)).status == 200
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert {str(line["event"]) for line in log} == {f"websub.{what}" for what in _WELL}


async def test_a_port_that_becomes_free_is_taken(desk: Desk, hub: Hub) -> None:
    desk = replace(desk, limits=Limits(round_seconds=0.05))
    await desk.feed()
    taken = socket.create_server(desk.settings.place)
    async with desk.at_work():
        taken.close()
        await until(lambda: bool(hub.replies))
