"""An alert as a mail for machines: its headers, its name, and the thread it belongs to."""

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest

from monitor.alerts.render.email import message
from monitor.alerts.render.identity import mark
from storage.alert_records import Alert, Delivery
from tests.alerts.sample import HEADLINE, NOW, delivery, surge_alert

SENDER = Address("Monitor", addr_spec="monitor@example.org")
TO = (Address("Zoë", addr_spec="zoe@example.org"), Address(addr_spec="desk@example.org"))


def sent_as(one: Delivery, sender: Address = SENDER) -> EmailMessage:
    """Return the mail as its readers get it."""
    return message_from_bytes(message(one, sender, TO).as_bytes(policy=policy.SMTP), policy=policy.default)


def mail(raised: Alert) -> EmailMessage:
    return sent_as(delivery(raised))


def test_the_mail_is_made_for_machines_too() -> None:
    sent = mail(surge_alert())
    assert sent["Subject"] == HEADLINE
    assert sent["From"] == "Monitor <monitor@example.org>"
    assert [address.addr_spec for address in sent["To"].addresses] == ["zoe@example.org", "desk@example.org"]
    assert sent["Date"].datetime == NOW.replace(microsecond=0)
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["List-Id"] == "AI market monitor <alerts.ai-market-monitor.example.org>"
    assert (sent["X-Monitor-Rule"], sent["X-Monitor-Severity"]) == ("efficiency-surge", "warning")
    assert sent["MIME-Version"] == "1.0"
    assert [part.get_content_type() for part in sent.iter_parts()] == ["text/plain", "text/html"]


def test_a_mail_is_the_same_to_the_byte_each_time_it_is_sent() -> None:
    first, second = (message(delivery(surge_alert(), attempts=n), SENDER, TO).as_bytes() for n in (0, 5))
    assert first == second


def test_message_ids_differ_by_channel_and_by_alert_and_survive_a_new_database() -> None:
    raised = surge_alert()
    alerts = [raised, replace(raised, id=8), replace(raised, created=NOW.replace(minute=59))]
    deliveries = [*(delivery(one) for one in alerts), delivery(raised, channel="other")]
    ids = {message(one, SENDER, TO)["Message-ID"] for one in deliveries}
    assert len(ids) == 4
    assert all(re.fullmatch(r"<[0-9a-f]{32}@example\.org>", one) for one in ids)


def test_a_mail_that_is_wanted_once_more_is_another_one_each_time() -> None:
    one = delivery(surge_alert())
    ids = {sent_as(replace(one, resends=number))["Message-ID"] for number in range(3)}
    assert len(ids) == 3
    assert re.fullmatch("[0-9a-f]{32}", mark(replace(one, resends=2)))


FIRST, SECOND = "<aa@example.org>", "<bb@example.org>"


@pytest.mark.parametrize(
    ("thread", "answers", "references"),
    [
        pytest.param((), None, None, id="the first of its thread"),
        pytest.param((FIRST,), FIRST, FIRST, id="the second"),
        pytest.param((FIRST, SECOND), SECOND, f"{FIRST} {SECOND}", id="the third"),
        pytest.param((FIRST, "C123:1712.0001", ""), FIRST, FIRST, id="what another channel called it names no mail"),
        pytest.param(("<a@b>\r\nBcc: x@example.org",), None, None, id="nothing that could be a header"),
        pytest.param(("<ä@example.org>", "<a@b@c>", "<a b@c>", "a@b"), None, None, id="nothing but plain names"),
    ],
)
def test_a_mail_answers_the_earlier_ones_of_its_thread(
    thread: tuple[str, ...], answers: str | None, references: str | None
) -> None:
    sent = sent_as(replace(delivery(surge_alert()), thread=thread))
    assert (sent["In-Reply-To"], sent["References"]) == (answers, references)
    assert sent["Subject"] == HEADLINE, "programs go by the references"
    assert sent["Bcc"] is None


def test_a_mail_answers_those_that_told_of_its_beginning_among_other_things() -> None:
    sent = sent_as(replace(delivery(surge_alert()), carriers=(FIRST, SECOND), thread=(SECOND,)))
    assert (sent["In-Reply-To"], sent["References"]) == (SECOND, f"{FIRST} {SECOND}")


def test_what_waited_is_a_mail_of_the_time_at_which_it_is_told() -> None:
    until = NOW.replace(microsecond=0) + timedelta(hours=9)
    assert mail(replace(surge_alert(), until=until))["Date"].datetime == until


def test_a_very_long_thread_names_the_last_twenty() -> None:
    thread = tuple(f"<{number}@example.org>" for number in range(300))
    assert sent_as(replace(delivery(surge_alert()), thread=thread))["References"].split() == list(thread[-20:])


@pytest.mark.parametrize("length", [1, 20, 40, 60, 100])
def test_our_own_names_are_never_mangled(length: int) -> None:
    sender = Address(addr_spec=f"monitor@{'d' * length}.example.org")
    first = sent_as(delivery(surge_alert()), sender)["Message-ID"]
    later = message(replace(delivery(surge_alert()), thread=(first,)), sender, TO).as_bytes(policy=policy.SMTP)
    named = [line for line in later.split(b"\r\n") if line.startswith((b"In-Reply-To:", b"References:", b" <"))]
    assert not any(b"=?" in line for line in named)
    assert (first.encode() in b"".join(named)) is (length <= 31), "or nothing, where Python would mangle it"
