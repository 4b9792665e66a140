"""Subscriptions against a hub on loopback, with a real store: what is asked, what the hub does, what is stored."""

import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.websub import schedule
from monitor.websub.settings import WebSubSettings
from storage.errors import StorageError
from storage.feed_records import Subscription
from tests.builders import NOW, feed_in
from tests.websub.conftest import Desk, Log, until
from tests.websub.hub import CHALLENGE, Hub, say, verification

DAY = timedelta(days=1)


def events(log: Log) -> list[str]:
    return [line["event"] for line in log]


async def test_a_feed_with_a_hub_is_subscribed_and_verified(desk: Desk, hub: Hub, log: Log) -> None:
    async with desk.subscribed() as asked:
        stored = await desk.subscription()
    assert [form["hub.topic"] for form in asked] == ["https://wire.example/feed"]
    assert hub.replies[0].status == 200
    assert hub.replies[0].body == CHALLENGE.encode()
    assert hub.replies[0].headers["content-type"].startswith("text/plain")
    assert (stored.state, stored.lease_until, stored.error) == ("active", NOW + 10 * DAY, None)
    assert stored.next_try == NOW + timedelta(seconds=864000 * 2 / 3)
    assert events(log)[0] == "websub.listening"
    assert set(events(log)) == {"websub.listening", "websub.subscribed", "websub.verified"}


async def test_secret_and_token_are_long_new_each_time_and_never_logged(desk: Desk, log: Log) -> None:
    async with desk.subscribed("Wire", "Desk") as asked:
        secrets = {form["hub.secret"] for form in asked}
        tokens = {form["hub.callback"].rsplit("/")[-1] for form in asked}
    assert len(secrets) == len(tokens) == 2
    assert {len(secret) for secret in secrets} == {64}
    assert not any(hidden in str(log) for hidden in secrets | tokens)


async def test_feeds_without_a_hub_ask_for_nothing(desk: Desk, hub: Hub) -> None:
    await desk.feed(hub=None)
    async with desk.at_work():
        await desk.subscriber.round()
    assert hub.asked == []
    assert await desk.store.subscriptions() == []


async def test_a_hub_may_verify_before_it_answers(desk: Desk, hub: Hub) -> None:
    """PubSubHubbub 0.3 has it so: the answer, which comes later, must not undo the verification."""
    await desk.feed()

    async def verify_first(form: dict[str, str]) -> None:
        await hub.verify(form)

    hub.first, hub.pages["/hub"] = verify_first, b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
    async with desk.at_work():
        await until(lambda: bool(hub.asked))
        assert (await desk.subscription()).state == "active"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"topic": "https://other.example/feed"}, id="another topic"),
        pytest.param({"challenge": ""}, id="nothing to repeat"),
        pytest.param({"mode": "unsubscribe"}, id="an end that nobody asked for"),
        pytest.param({"mode": "<script>"}, id="no mode of WebSub"),
    ],
)
async def test_what_was_not_asked_for_is_not_confirmed(desk: Desk, hub: Hub, changes: dict[str, str]) -> None:
    hub.verifies = False
    await desk.feed()
    async with desk.at_work():
        await until(lambda: bool(hub.asked))
        reply = await hub.verify(hub.asked[0], **changes)
        stored = await desk.subscription()
    assert (reply.status, reply.body) == (404, b"not found\n")
    assert (stored.state, stored.error) == ("asked", schedule.UNVERIFIED)


async def test_another_token_is_not_confirmed(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed() as asked:
        reply = await say(f"{desk.callback}?{verification(asked[0], hub.lease)}")
    assert (reply.status, reply.body) == (404, b"not found\n")


async def test_a_hub_that_denies_is_asked_again_after_a_day(desk: Desk, hub: Hub, log: Log) -> None:
    async with desk.subscribed() as asked:
        reply = await hub.verify(asked[0], mode="denied", reason="over\nquota")
        stored = await desk.subscription()
        assert (reply.status, reply.body) == (200, b"")
        assert (stored.state, stored.error, stored.next_try) == ("refused", "over quota", NOW + DAY)
        assert "websub.refused" in events(log)
        desk.clock.forward(days=1)
        await desk.subscriber.round()
        await until(lambda: len(hub.replies) == 2)
        assert (await desk.subscription()).state == "active"


async def test_a_denial_of_another_topic_is_none(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed() as asked:
        reply = await hub.verify(asked[0], mode="denied", topic="https://other.example/")
        assert reply.status == 404
        assert (await desk.subscription()).state == "active"


async def test_a_lease_is_renewed_after_two_thirds_of_it(desk: Desk, hub: Hub) -> None:
    hub.lease = "86400"
    async with desk.subscribed() as asked:
        desk.clock.forward(hours=15)
        await desk.subscriber.round()
        assert len(asked) == 1
        desk.clock.forward(hours=2)
        await desk.subscriber.round()
        await until(lambda: len(hub.replies) == 2)
        stored = await desk.subscription()
    assert asked[1] == asked[0]
    assert (stored.state, stored.lease_until) == ("active", NOW + timedelta(hours=17) + DAY)


async def test_a_renewal_that_fails_lets_the_lease_run_out(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed():
        hub.pages["/hub"] = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
        states = []
        for days in (7, 2, 2):
            desk.clock.forward(days=days)
            await desk.subscriber.round()
            states.append((await desk.subscription()).state)
    assert states == ["active", "active", "asked"]


async def test_a_hub_that_never_verifies_is_asked_ever_less(desk: Desk, hub: Hub, log: Log) -> None:
    hub.verifies = False
    await desk.feed()
    async with desk.at_work():
        await until(lambda: bool(hub.asked))
        for minutes, times in ((4, 1), (1, 2), (14, 2), (1, 3)):
            desk.clock.forward(minutes=minutes)
            await desk.subscriber.round()
            assert len(hub.asked) == times
        stored = await desk.subscription()
    assert (stored.state, stored.error) == ("asked", schedule.UNVERIFIED)
    assert len({form["hub.callback"] for form in hub.asked}) == 1
    assert [line["error"] for line in log if line["event"] == "websub.failed"] == [schedule.UNVERIFIED] * 2


@pytest.mark.parametrize(
    ("page", "state", "error", "event"),
    [
        pytest.param(
            b"HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nnot for you\n",
            *("refused", "not for you", "websub.refused"),
            id="refuses",
        ),
        pytest.param(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", "asked", "503", "websub.failed", id="unwell"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "asked", "HTTP", "websub.failed", id="no web server"),
        pytest.param(b"", "asked", "127.0.0.1", "websub.failed", id="hangs up"),
    ],
)
async def test_a_hub_that_does_not_accept(  # noqa: PLR0917 - the situation and what comes of it
    desk: Desk, hub: Hub, log: Log, page: bytes, state: str, error: str, event: str
) -> None:
    hub.pages["/hub"] = page
    await desk.feed()
    async with desk.at_work():
        await until(lambda: event in events(log))
        stored = await desk.subscription()
    assert stored.state == state
    assert stored.error is not None
    assert error in stored.error


@pytest.mark.parametrize(
    "address",
    ["http://10.0.0.1:9/", "http://169.254.169.254:80/latest", "file:///etc/passwd", "http://[::1]:80/", "hub"],
)
async def test_a_hub_at_a_private_address_is_never_asked(desk: Desk, log: Log, address: str) -> None:
    await desk.feed(hub=address)
    async with desk.at_work():
        await until(lambda: "websub.failed" in events(log))
        stored = await desk.subscription()
    assert stored.state == "asked"
    assert stored.error != schedule.UNVERIFIED


@pytest.mark.parametrize(("status", "followed"), [(307, True), (308, True), (302, False)])
async def test_a_hub_that_moved(desk: Desk, hub: Hub, log: Log, status: int, followed: bool) -> None:
    hub.pages["/old"] = b"HTTP/1.1 %d Moved\r\nLocation: /hub\r\nContent-Length: 0\r\n\r\n" % status
    await desk.feed(hub=hub.url.replace("/hub", "/old"))
    async with desk.at_work():
        await until(lambda: {"websub.verified", "websub.failed"} & set(events(log)) != set())
        assert ((await desk.subscription()).state == "active") is followed
    assert [form["hub.mode"] for form in hub.asked] == ["subscribe"] * (2 if followed else 1)


async def test_a_slow_hub_delays_no_other(desk: Desk, hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never says a word
        await desk.feed("Slow", hub=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        await desk.feed("Wire")
        async with desk.at_work():
            await until(lambda: bool(hub.replies))
            assert (await desk.subscription("Wire")).state == "active"
            assert (await desk.subscription("Slow")).error == schedule.UNVERIFIED


async def test_a_hub_that_is_down_is_tried_for_one_feed_a_round(desk: Desk, hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        down = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    for name in ("A", "B", "C"):
        await desk.feed(name, hub=down)
    async with desk.at_work():
        await desk.subscriber.round()
        errors = [(await desk.subscription(name)).error for name in ("A", "B", "C")]
    assert None in errors
    assert "cannot connect" in str(errors)


@pytest.mark.parametrize(
    ("hub_now", "topic_now"),
    [
        pytest.param("", "https://wire.example/other", id="another topic"),
        pytest.param("/second", "https://wire.example/feed", id="another hub"),
        pytest.param(None, None, id="no hub any more"),
    ],
)
async def test_what_a_feed_advertises_changes(desk: Desk, hub: Hub, hub_now: str | None, topic_now: str | None) -> None:
    feed = await feed_in(desk.store)
    async with desk.subscribed() as asked:
        first = dict(asked[0])
        await desk.hints(feed, hub_now and f"http://127.0.0.1:{hub.port}{hub_now}", topic_now)
        await desk.subscriber.round()
        await until(lambda: len(hub.replies) == (3 if topic_now else 2))
        left = next(form for form in asked if form["hub.mode"] == "unsubscribe")
        assert (left["hub.callback"], left["hub.topic"]) == (first["hub.callback"], first["hub.topic"])
        assert all(reply.status == 200 for reply in hub.replies)
        assert (await hub.push(first)).status == 404
        if topic_now:
            stored = await desk.subscription()
            assert (stored.state, stored.topic) == ("active", topic_now)
            assert not first["hub.callback"].endswith(stored.token)
        else:
            assert await desk.store.subscriptions() == []


async def test_a_feed_that_leaves_feeds_yaml_is_unsubscribed(desk: Desk, hub: Hub, log: Log) -> None:
    async with desk.subscribed() as asked:
        await desk.store.sync_feeds([], NOW, lambda _: "")
        await desk.subscriber.round()
        await until(lambda: len(hub.replies) == 2)
        assert asked[1]["hub.mode"] == "unsubscribe"
        assert "hub.secret" not in asked[1]
        assert hub.replies[1].body == CHALLENGE.encode()
        assert await desk.store.subscriptions() == []
    assert "websub.left" in events(log)


async def test_a_restart_takes_up_what_is_subscribed(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed():
        pass
    again = replace(desk)
    async with again.at_work():
        assert (await hub.push(hub.asked[0])).status == 200
        await until(lambda: bool(again.received))
    assert len(hub.asked) == 1


async def test_under_another_public_address_everything_is_subscribed_anew(desk: Desk, hub: Hub) -> None:
    async with desk.subscribed():
        before = await desk.subscription()
    moved = replace(desk, settings=desk.settings.model_copy(update={"public_url": f"{desk.settings.public_url}/2"}))
    async with moved.at_work():
        await until(lambda: len(hub.replies) == 2)
        after = await moved.subscription()
    assert hub.asked[1]["hub.callback"].startswith(f"{moved.settings.public_url}/")
    assert before.token != after.token
    assert after.state == "active"


async def test_without_a_public_address_nothing_is_done(desk: Desk, hub: Hub) -> None:
    await desk.feed()
    idle = replace(desk, settings=WebSubSettings(listen=desk.settings.listen))
    await idle.websub.run()
    assert hub.asked == []


async def test_a_database_that_fails_is_told_and_does_not_end_push(desk: Desk, hub: Hub, log: Log) -> None:
    async with desk.subscribed() as asked:
        works = desk.subscriber._store

        class Failing:
            async def save_subscription(self, _: Subscription) -> None:
                raise StorageError("disk full")

        desk.subscriber._store = Failing()  # type: ignore[assignment]
        assert (await hub.verify(asked[0])).status == 500
        desk.subscriber._store = works
        assert (await hub.verify(asked[0])).status == 200
    assert [line["event"] for line in log if line["log_level"] == "error"] == ["websub.fault"]


async def test_a_port_that_is_taken_is_told_and_nobody_is_asked(desk: Desk, hub: Hub, log: Log) -> None:
    await desk.feed()
    with socket.create_server(desk.settings.place):
        async with desk.at_work():
            await until(lambda: "websub.cannot_listen" in events(log))
    told = next(line for line in log if line["event"] == "websub.cannot_listen")
    assert "in use" in told["error"]
    assert "websub.listen" in told["advice"]
    assert hub.asked == []
