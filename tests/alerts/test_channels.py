"""The contract of every channel: it takes a delivery, or says what failed and whether to come back."""

import json
import re
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.channels import CHANNELS
from monitor.alerts.channels.channel import Channel, Surroundings
from monitor.alerts.channels.posting import GuardedPoster
from monitor.errors import ChannelError
from monitor.feeds.addresses import Allow
from monitor.feeds.connect import Gate
from monitor.feeds.names import Resolver
from storage.alert_records import Alert, Sent
from tests.alerts.nasty import TITLES
from tests.alerts.sample import HEADLINE, delivery, surge_alert
from tests.alerts.servers import free_port, http, post, silence, web
from tests.alerts.test_render import everywhere

with warnings.catch_warnings():  # Apprise imports what Python 3.11 and 3.12 call old
    warnings.simplefilter("ignore", DeprecationWarning)
    import apprise

    apprise.Apprise().add("json://localhost")

SETTINGS: dict[str, dict[str, Any]] = {
    "email": {"host": "127.0.0.1", "security": "none", "from": "monitor@example.org", "to": ["desk@example.org"]},
    "slack": {"webhook_env": "SLACK_WEBHOOK"},
    "webhook": {"url_env": "HOOK", "secret_env": "HOOK_KEY"},
    "apprise": {"url_env": "SERVICE"},
    "file": {"path": "alerts.jsonl"},
    "console": {},
}
SECRET = "s3cr3t"


@dataclass
class Reached:
    """A channel, and what its server has received."""

    channel: Channel
    received: Callable[[], list[bytes]]


def around(secret: str | dict[str, str] = "", *, allow: tuple[str, ...] = ("127.0.0.1",)) -> Surroundings:
    """Return a world in which every secret, or each by its name, is known, and this machine may be posted to."""
    read = secret.__getitem__ if isinstance(secret, dict) else lambda _: secret
    return Surroundings(read, GuardedPoster(Gate(Allow.parse(allow), Resolver())), lambda: datetime.now(UTC))


def build(kind: str, secret: str | dict[str, str] = "", **settings: Any) -> Channel:
    row = CHANNELS[kind]
    return row.build(row.settings.model_validate({"type": kind, **SETTINGS[kind], **settings}), around(secret))


def email(port: int, **settings: Any) -> Channel:
    return build("email", port=port, **settings)


def slack(port: int, *, scheme: str = "http", **settings: Any) -> Channel:
    return build("slack", f"{scheme}://127.0.0.1:{port}/services/T00/B00/{SECRET}", **settings)


def slack_bot(port: int, *, scheme: str = "http", **settings: Any) -> Channel:
    way = {"webhook_env": None, "token_env": "SLACK_TOKEN", "channel": "#alerts"}
    return build("slack", f"xoxb-{SECRET}", **way, api=f"{scheme}://127.0.0.1:{port}/api", **settings)


def webhook(port: int, *, scheme: str = "http", **settings: Any) -> Channel:
    secrets = {"HOOK": f"{scheme}://127.0.0.1:{port}/hooks/{SECRET}", "HOOK_KEY": f"{SECRET} key"}
    return build("webhook", secrets, **settings)


def service(port: int, *, scheme: str = "http", **settings: Any) -> Channel:
    return build("apprise", f"{scheme.replace('http', 'json')}://127.0.0.1:{port}/{SECRET}", **settings)


AT_PORT: dict[str, Callable[..., Channel]] = {
    "email": email,
    "slack": slack,
    "slack bot": slack_bot,
    "webhook": webhook,
    "apprise": service,
}
ON_THE_WEB = {name: at for name, at in AT_PORT.items() if name != "email"}
POSTED = json.dumps({"ok": True, "channel": "C012", "ts": "1764000000.000100"}).encode()


@asynccontextmanager
async def email_reached(answers: dict[str, str] | None = None) -> AsyncIterator[Reached]:
    async with post(answers) as box:
        yield Reached(email(box.port), lambda: box.mails)


@asynccontextmanager
async def web_reached(at: Callable[..., Channel], answer: bytes) -> AsyncIterator[Reached]:
    async with web(answer) as server:
        yield Reached(at(server.port), lambda: server.bodies)


@asynccontextmanager
async def file_reached(form: str, *, folder: str = "") -> AsyncIterator[Reached]:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / folder / "alerts"
        channel = build("file", path=str(path), format=form)
        yield Reached(
            channel, lambda: path.read_bytes().splitlines(keepends=True) if form == "jsonl" else [path.read_bytes()]
        )


Reach = Callable[[], AbstractAsyncContextManager[Reached]]

WELL: dict[str, Reach] = {
    "email": email_reached,
    "slack": lambda: web_reached(slack, http(200, b"ok")),
    "slack bot": lambda: web_reached(slack_bot, http(200, POSTED)),
    "webhook": lambda: web_reached(webhook, http(202)),
    "apprise": lambda: web_reached(service, http(200)),
    "file": lambda: file_reached("jsonl"),
    "file of text": lambda: file_reached("text"),
}
UNWELL: dict[str, Reach] = {
    "email": lambda: email_reached({"DATA": "451 try again later"}),
    "slack": lambda: web_reached(slack, http(503, b"try again later")),
    "slack bot": lambda: web_reached(slack_bot, http(503, b"try again later")),
    "webhook": lambda: web_reached(webhook, http(503, b"try again later")),
    "apprise": lambda: web_reached(service, http(503, b"try again later")),
    "file": lambda: file_reached("jsonl", folder="missing"),
}
REFUSING: dict[str, Reach] = {
    "email": lambda: email_reached({"DATA": "554 we do not want this"}),
    "slack": lambda: web_reached(slack, http(400, b"we do not want this")),
    "slack bot": lambda: web_reached(slack_bot, http(200, b'{"ok": false, "error": "we do not want this"}')),
    "webhook": lambda: web_reached(webhook, http(422, b"we do not want this")),
}


def every(table: dict[str, Any], name: str = "reach") -> pytest.MarkDecorator:
    return pytest.mark.parametrize(name, table.values(), ids=table.keys())


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
        assert isinstance(await reached.channel.send(delivery(surge_alert())), Sent)
        assert len(reached.received()) == 1
        assert b"efficiency-surge" in reached.received()[0]


@every(WELL)
async def test_sending_twice_is_the_same_message_twice(reach: Reach) -> None:
    async with reach() as reached:
        before = await reached.channel.send(delivery(surge_alert()))
        assert await reached.channel.send(delivery(surge_alert(), attempts=3)) == before
        both = b"".join(reached.received())
        assert both == both[: len(both) // 2] * 2


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
@every(WELL)
async def test_every_nasty_title_arrives(reach: Reach, title: str) -> None:
    async with reach() as reached:
        await reached.channel.send(delivery(everywhere(title)))
        assert len(reached.received()) >= 1


@every(UNWELL)
async def test_an_unwell_server_is_worth_another_try(reach: Reach) -> None:
    async with reach() as reached:
        error = await failure(reached.channel)
    assert error.retry
    assert re.search("try again later|error=503|there is no folder", str(error))


@every(REFUSING)
async def test_a_refusal_is_final_and_quotes_the_server(reach: Reach) -> None:
    async with reach() as reached:
        error = await failure(reached.channel)
    assert not error.retry
    assert "we do not want this" in str(error)


@every(AT_PORT, "channel_at")
async def test_a_refused_connection_is_worth_another_try(channel_at: Callable[..., Channel]) -> None:
    error = await failure(channel_at(free_port()))
    assert error.retry
    assert re.search(r"127\.0\.0\.1.*refuses connections|Connection error", str(error))


@every(AT_PORT, "channel_at")
async def test_a_silent_server_costs_no_more_than_the_timeout(channel_at: Callable[..., Channel]) -> None:
    async with silence() as port:
        before = time.monotonic()
        error = await failure(channel_at(port, timeout="0.2s"))
        assert time.monotonic() - before < 20
    assert error.retry
    assert "did not answer within 0.2s" in str(error)


@every(ON_THE_WEB, "channel_at")
async def test_a_web_server_that_answers_too_late_is_asked_again(channel_at: Callable[..., Channel]) -> None:
    async with web(http(200, POSTED), delay=0.3) as server:
        error = await failure(channel_at(server.port, timeout="0.1s"))
        assert len(server.requests) == 1
    assert error.retry
    assert "did not answer within 0.1s" in str(error)


async def test_a_mail_server_that_answers_too_late_is_asked_again() -> None:
    async with post(delay=0.3) as box:
        error = await failure(email(box.port, timeout="0.2s"))
    assert error.retry
    assert "did not answer within 0.2s" in str(error)


@every(AT_PORT, "channel_at")
async def test_a_server_that_speaks_nonsense_is_no_surprise(channel_at: Callable[..., Channel]) -> None:
    async with silence(b"\x00\xff nonsense\r\n\r\n") as port:
        await failure(channel_at(port, timeout="0.5s"))


@every(ON_THE_WEB, "channel_at")
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(channel_at: Callable[..., Channel]) -> None:
    async with web(http(200, POSTED), secure=True) as server:
        error = await failure(channel_at(server.port, scheme="https"))
        assert server.requests == []
    assert error.retry, "an administrator can mend it"
    assert re.search("certificate of 127.*cannot be trusted: self-signed certificate|Connection error", str(error))


@every(AT_PORT, "channel_at")
def test_a_channel_never_shows_its_secret(channel_at: Callable[..., Channel]) -> None:
    assert SECRET not in repr(channel_at(80))


def test_a_mail_channel_never_shows_its_password() -> None:
    assert SECRET not in repr(build("email", SECRET, user="monitor", password_env="PW", security="tls"))


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
