"""The email channel: settings, TLS, login, recipients, and what it says when something fails."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import aiosmtplib
import pytest
from pydantic import ValidationError

from monitor.alerts.channels.email import EmailSettings, explain
from monitor.alerts.channels.email import build as build_channel
from monitor.errors import ChannelError
from tests.alerts.sample import delivery, surge_alert
from tests.alerts.servers import CERTIFICATE, Post, post, tls
from tests.alerts.test_channels import around, build, email, failure

LOGIN = {"user": "monitor", "password_env": "MAIL_PASSWORD"}


def settings(**change: Any) -> EmailSettings:
    block = {"type": "email", "host": "mail.example.org", "from": "m@example.org", "to": ["a@example.org"]}
    return EmailSettings.model_validate(block | change)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make OpenSSL trust the test server's certificate, as an administrator would for a private mail server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.mark.parametrize(
    ("change", "port"),
    [({}, 587), ({"security": "tls"}, 465), ({"security": "none"}, 25), ({"port": 2525}, 2525)],
    ids=["starttls", "tls", "none", "as written"],
)
def test_the_port_follows_the_security(change: dict[str, Any], port: int) -> None:
    assert settings(**change).server_port == port


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"to": []}, "at least 1", id="nobody to write to"),
        pytest.param({"to": ["nobody"]}, "write one address", id="no address"),
        pytest.param({"to": ["a@example.org, b@example.org"]}, "write one address", id="two in one"),
        pytest.param({"to": ["A <a@example.org> b"]}, "write one address", id="something behind the address"),
        pytest.param({"to": ["a@"]}, "write one address", id="half an address"),
        pytest.param({"to": ["A <a@example.org"]}, "write one address", id="an open angle"),
        pytest.param({"to": ["a..b@example.org"]}, "write one address", id="two dots"),
        pytest.param({"to": ["a@bücher.example"]}, "xn--", id="a domain with an umlaut"),
        pytest.param({"from": "m@example.org\r\nBcc: x@example.org"}, "control character", id="a header injection"),
        pytest.param({"host": "mail example"}, "pattern", id="a host with a space"),
        pytest.param({"user": "m"}, "belong together", id="a user without a password"),
        pytest.param({"password_env": "PW"}, "belong together", id="a password without a user"),
        pytest.param({**LOGIN, "security": "none"}, "clear text", id="a password in clear text"),
        pytest.param({"port": 0}, "greater than", id="no port"),
        pytest.param({"timeout": "0s"}, "greater than", id="no time at all"),
        pytest.param({"password": "hunter2"}, "Extra inputs", id="a secret in the file"),
    ],
)
def test_settings_that_cannot_work_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        settings(**change)


def test_good_settings() -> None:
    good = settings(to=["Zoë Ann <zoe@example.org>", '"Desk, AI" <desk@localhost>', "<x+y@a-b.example>"], **LOGIN)
    assert good.to == ("Zoë Ann <zoe@example.org>", '"Desk, AI" <desk@localhost>', "x+y@a-b.example")
    assert good.model_dump(mode="json", by_alias=True)["from"] == "m@example.org"
    assert settings(host="127.0.0.1", security="none", **LOGIN).user == "monitor"


def test_the_password_is_read_by_its_name_and_only_when_there_is_one() -> None:
    secrets = {"MAIL_PASSWORD": "right"}
    assert build_channel(settings(**LOGIN), around(secrets)).password == "right"
    assert build_channel(settings(), around(secrets)).password is None


async def sent(box: Post, **change: Any) -> None:
    await build("email", "right", port=box.port, **change).send(delivery(surge_alert()))
    assert len(box.mails) == 1


@pytest.mark.usefixtures("trusted")
async def test_starttls_with_login() -> None:
    async with post(tls_context=tls(), require_starttls=True) as box:
        await sent(box, security="starttls", **LOGIN)


@pytest.mark.usefixtures("trusted")
async def test_tls_from_the_first_byte() -> None:
    async with post(implicit_tls=True) as box:
        await sent(box, security="tls")


async def test_a_relay_on_this_machine_may_ask_for_a_password_without_tls() -> None:
    async with post(auth_require_tls=False) as box:
        await sent(box, **LOGIN)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(security: str) -> None:
    async with post(implicit_tls=security == "tls", tls_context=tls() if security == "starttls" else None) as box:
        error = await failure(build("email", port=box.port, security=security))
        assert not box.mails
    assert error.retry, "an administrator can mend it"
    assert "certificate of mail server" in str(error)
    assert "self-signed certificate" in str(error)


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another_name_is_not_trusted() -> None:
    async with post(implicit_tls=True) as box:
        error = await failure(build("email", port=box.port, security="tls", host="127.1"))
    assert "certificate is not valid for '127.1'" in str(error)


async def test_a_server_without_starttls_gets_no_mail_in_clear_text() -> None:
    async with post() as box:
        error = await failure(build("email", port=box.port, security="starttls"))
        assert not box.mails
    assert not error.retry
    assert "STARTTLS" in str(error)


async def test_tls_against_a_server_that_speaks_none() -> None:
    async with post() as box:
        error = await failure(build("email", port=box.port, security="tls", timeout="2s"))
    assert "check port and security" in str(error)


async def test_a_wrong_password_is_not_tried_again_nor_told() -> None:
    async with post(auth_require_tls=False) as box:
        error = await failure(build("email", "s3cr3t wrong", port=box.port, **LOGIN))
    assert not error.retry, "mail servers lock accounts"
    assert "did not accept user monitor with the password in MAIL_PASSWORD: 535" in str(error)


async def test_a_refused_sender_is_named() -> None:
    async with post({"MAIL": "550 not from here"}) as box:
        error = await failure(build("email", port=box.port))
    assert "does not take mail from monitor@example.org: 550 not from here" in str(error)


@pytest.mark.parametrize(
    ("answers", "retry"),
    [
        pytest.param({"a@example.org": "550 unknown", "b@example.org": "551 moved"}, False, id="all for good"),
        pytest.param({"a@example.org": "550 unknown", "b@example.org": "452 full"}, True, id="one for now"),
    ],
)
async def test_when_every_recipient_is_refused_the_reasons_are_told(answers: dict[str, str], retry: bool) -> None:
    async with post(answers) as box:
        error = await failure(build("email", port=box.port, to=list(answers)))
    assert error.retry is retry
    assert all(f"{address}: {reason}" in str(error) for address, reason in answers.items())


ALL = ["a@example.org", "Bea <b@example.org>", "c@example.org"]


async def test_one_refused_recipient_does_not_keep_the_mail_from_the_others() -> None:
    async with post({"a@example.org": "550 unknown"}) as box:
        told = await email(box.port, to=ALL).send(delivery(surge_alert()))
        assert box.recipients == [["b@example.org", "c@example.org"]]
    assert told.refused == "refused for good: a@example.org: 550 unknown"
    assert told.receipt == box.parsed[0]["Message-ID"]


async def test_whom_a_server_puts_off_gets_the_mail_later_and_nobody_gets_it_twice() -> None:
    async with post({"a@example.org": "550 unknown", "c@example.org": "451 greylisted, come back"}) as box:
        channel = email(box.port, to=ALL)
        error = await failure(channel)
        assert error.retry
        assert error.reached == ("b@example.org",)
        assert "c@example.org: 451 greylisted" in str(error)
        del box.answers["c@example.org"]
        told = await channel.send(replace(delivery(surge_alert(), attempts=1), reached=error.reached))
        assert box.recipients == [["b@example.org"], ["c@example.org"]]
    assert "a@example.org: 550 unknown" in told.refused
    assert box.mails[0] == box.mails[1], "it is the same mail, to all of them"


async def test_whom_a_server_puts_off_and_then_refuses_is_told_and_the_mail_counts_as_sent() -> None:
    async with post({"a@example.org": "551 moved"}) as box:
        taken = replace(delivery(surge_alert()), reached=("b@example.org", "c@example.org"))
        told = await email(box.port, to=ALL).send(taken)
    assert box.mails == []
    assert told.refused == "refused for good: a@example.org: 551 moved"


async def test_when_all_have_the_mail_the_server_is_not_asked() -> None:
    taken = replace(delivery(surge_alert()), reached=("b@example.org",))
    assert (await email(1, to=[ALL[1]]).send(taken)).receipt.startswith("<")


async def test_a_failure_does_not_forget_who_has_the_mail() -> None:
    with pytest.raises(ChannelError) as caught:
        await email(1, to=ALL).send(replace(delivery(surge_alert()), reached=("b@example.org",)))
    assert caught.value.reached == ("b@example.org",)


async def test_many_refused_recipients_are_told_in_a_short_sentence() -> None:
    crowd = {f"someone.with.a.long.name.{number}@example.org": "550 unknown " * 20 for number in range(60)}
    async with post(crowd) as box:
        await failure(email(box.port, to=list(crowd)))


async def test_a_recipient_listed_twice_is_written_to_once() -> None:
    async with post() as box:
        await email(box.port, to=["a@example.org", "Ann <a@example.org>"]).send(delivery(surge_alert()))
        assert box.recipients == [["a@example.org"]]


async def test_an_update_answers_the_earlier_mails_of_its_thread() -> None:
    async with post() as box:
        update = replace(delivery(surge_alert()), thread=("<1@example.org>", "<2@example.org>"))
        await email(box.port).send(update)
    assert box.parsed[0]["In-Reply-To"] == "<2@example.org>"
    assert box.parsed[0]["References"].split() == ["<1@example.org>", "<2@example.org>"]


async def test_the_greeting_does_not_name_this_machine() -> None:
    async with post() as box:
        await sent(box)
        assert socket.gethostname().encode() not in box.mails[0]


def chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "told", "retry"),
    [
        pytest.param(
            chained(aiosmtplib.SMTPConnectError("x"), socket.gaierror(-2, "Name or service not known")),
            "mail server mail.example.org is not known to DNS: Name or service not known",
            True,
            id="DNS",
        ),
        pytest.param(
            aiosmtplib.SMTPConnectTimeoutError("x"), "mail.example.org:587 did not answer within 30s", True, id="slow"
        ),
        pytest.param(
            aiosmtplib.SMTPServerDisconnected("Connection lost"), "cannot be reached: Connection lost", True, id="lost"
        ),
        pytest.param(
            aiosmtplib.SMTPConnectResponseError(421, "too busy"), "did not take the mail: 421 too busy", True, id="busy"
        ),
        pytest.param(ssl.SSLError(1, "x"), "no TLS with mail server mail.example.org:587", True, id="TLS"),
        pytest.param(OSError(101, "Network is unreachable"), "Network is unreachable", True, id="no network"),
    ],
)
def test_what_it_says(error: Exception, told: str, retry: bool) -> None:
    said = explain(error, settings())
    assert told in str(said)
    assert said.retry is retry


def errors_of(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from errors_of(child)


def made(kind: type[Exception]) -> Exception:
    if issubclass(kind, aiosmtplib.SMTPRecipientsRefused):
        return kind([aiosmtplib.SMTPRecipientRefused(550, "no", "a@example.org")])
    if issubclass(kind, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPSenderRefused):
        return kind(550, "no", "a@example.org")
    return kind(550, "no") if issubclass(kind, aiosmtplib.SMTPResponseException) else kind("no")


@pytest.mark.parametrize("kind", sorted(set(errors_of(aiosmtplib.SMTPException)), key=str))
def test_every_error_of_the_library_becomes_a_sentence(kind: type[Exception]) -> None:
    said = explain(made(kind), settings())
    assert isinstance(said, ChannelError)
    assert "mail server" in str(said)
