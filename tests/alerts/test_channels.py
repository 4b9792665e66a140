"""The contract of every channel: it takes a delivery, or says what failed and whether to come back."""

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.channels import CHANNELS
from monitor.alerts.channels.channel import Channel
from monitor.errors import ChannelError
from storage.alert_records import Alert
from tests.alerts.nasty import TITLES
from tests.alerts.sample import HEADLINE, delivery, surge_alert
from tests.alerts.servers import free_port, http, post, silence, web
from tests.alerts.test_render import everywhere

SETTINGS: dict[str, dict[str, Any]] = {
    "email": {"host": "127.0.0.1", "security": "none", "from": "monitor@example.org", "to": ["desk@example.org"]},
    "slack": {"webhook_env": "SLACK_WEBHOOK"},
    "console": {},
}
SECRET = "s3cr3t"


@dataclass
class Reached:
    """A channel, what its server has received, and what identifies each message."""

    channel: Channel
    received: Callable[[], list[bytes]]


def build(kind: str, secret: str = "", **settings: Any) -> Channel:
    row = CHANNELS[kind]
    return row.build(row.settings.model_validate({"type": kind, **SETTINGS[kind], **settings}), lambda _: secret)


def slack(port: int, **settings: Any) -> Channel:
    return build("slack", f"http://127.0.0.1:{port}/services/T00/B00/{SECRET}", **settings)


@asynccontextmanager
async def email_reached(answers: dict[str, str] | None) -> AsyncIterator[Reached]:
    async with post(answers) as box:
        yield Reached(build("email", port=box.port), lambda: box.mails)


@asynccontextmanager
async def slack_reached(answer: bytes) -> AsyncIterator[Reached]:
    async with web(answer) as server:
        yield Reached(slack(server.port), lambda: server.bodies)


Reach = Callable[[], AbstractAsyncContextManager[Reached]]

WELL: dict[str, Reach] = {"email": lambda: email_reached(None), "slack": lambda: slack_reached(http(200, b"ok"))}
UNWELL: dict[str, Reach] = {
    "email": lambda: email_reached({"DATA": "451 try again later"}),
    "slack": lambda: slack_reached(http(503, b"try again later")),
}
REFUSING: dict[str, Reach] = {
    "email": lambda: email_reached({"DATA": "554 we do not want this"}),
    "slack": lambda: slack_reached(http(400, b"invalid_payload")),
}
AT_PORT: dict[str, Callable[..., Channel]] = {
    "email": lambda port, **settings: build("email", port=port, **settings),
    "slack": slack,
}


def every(table: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reach", table.values(), ids=table.keys())


async def failure(channel: Channel, raised: Alert | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        await channel.send(delivery(raised or surge_alert()))
    message = str(caught.value)
    assert SECRET not in message
    assert len(message.splitlines()) == 1
    assert 10 < len(message) < 400
    return caught.value


@every(WELL)
async def test_a_delivery_is_taken(reach: Reach) -> None:
    async with reach() as reached:
        await reached.channel.send(delivery(surge_alert()))
        assert len(reached.received()) == 1
        assert b"efficiency-surge" in reached.received()[0]


@every(WELL)
async def test_sending_twice_is_the_same_message_twice(reach: Reach) -> None:
    async with reach() as reached:
        await reached.channel.send(delivery(surge_alert()))
        await reached.channel.send(delivery(surge_alert(), attempts=3))
        first, second = reached.received()
        assert first == second


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
@every(WELL)
async def test_every_nasty_title_arrives(reach: Reach, title: str) -> None:
    async with reach() as reached:
        await reached.channel.send(delivery(everywhere(title)))
        assert len(reached.received()) == 1


@every(UNWELL)
async def test_an_unwell_server_is_worth_another_try(reach: Reach) -> None:
    async with reach() as reached:
        error = await failure(reached.channel)
    assert error.retry
    assert "try again later" in str(error)


@every(REFUSING)
async def test_a_refusal_is_final_and_quotes_the_server(reach: Reach) -> None:
    async with reach() as reached:
        error = await failure(reached.channel)
    assert not error.retry
    assert re.search("we do not want this|invalid_payload", str(error))


@pytest.mark.parametrize("channel_at", AT_PORT.values(), ids=AT_PORT.keys())
async def test_a_refused_connection_is_worth_another_try(channel_at: Callable[..., Channel]) -> None:
    error = await failure(channel_at(free_port()))
    assert error.retry
    assert re.search(r"127\.0\.0\.1.*(refuses connections|cannot be reached)", str(error))


@pytest.mark.parametrize("channel_at", AT_PORT.values(), ids=AT_PORT.keys())
async def test_a_silent_server_costs_no_more_than_the_timeout(channel_at: Callable[..., Channel]) -> None:
    async with silence() as port:
        before = time.monotonic()
        error = await failure(channel_at(port, timeout="0.2s"))
        assert time.monotonic() - before < 20
    assert error.retry
    assert "did not answer within 0.2s" in str(error)


@pytest.mark.parametrize("channel_at", AT_PORT.values(), ids=AT_PORT.keys())
async def test_a_server_that_speaks_nonsense_is_no_surprise(channel_at: Callable[..., Channel]) -> None:
    async with silence(b"\x00\xff nonsense\r\n\r\n") as port:
        await failure(channel_at(port, timeout="0.5s"))


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_channel_never_shows_its_secret(kind: str) -> None:
    secret = f"https://hooks.slack.com/services/{SECRET}"
    settings = {"user": "monitor", "password_env": "PW", "security": "tls"} if kind == "email" else {}
    assert SECRET not in repr(build(kind, secret, **settings))


@pytest.mark.parametrize("kind", CHANNELS)
def test_unknown_settings_are_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        build(kind, surprise=1)


async def test_the_console_prints_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    await build("console").send(delivery(surge_alert()))
    assert HEADLINE in capsys.readouterr().out


async def test_a_closed_console_is_a_failed_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        encoding = "ascii"

        def write(self, text: str) -> None:
            text.encode("ascii")
            raise BrokenPipeError("Broken pipe")

    import sys

    monkeypatch.setattr(sys, "stdout", Closed())
    assert "Broken pipe" in str(await failure(build("console")))
