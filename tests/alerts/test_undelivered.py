"""A message was given up: who is told of it, and when nobody is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.alerts.undelivered import notice
from monitor.alerts.wording import one_line
from storage.alert_records import Finding, Retry
from tests.alerts.nasty import TITLES
from tests.alerts.sample import HEADLINE, NOW, delivery, match_alert, surge_alert

GONE = Retry(None, "404 no_service: the webhook was removed")
BOTH = ("desk", "team")


def told(
    retry: Retry = GONE,
    channels: tuple[str, ...] = BOTH,
    kind: str = "trend",
    days: int = 0,
    send: tuple[str, ...] = ("desk",),
) -> Finding | None:
    """Return what is told when the channel "desk" did not take an alert of this kind."""
    alert = surge_alert()
    failed = delivery(replace(alert, finding=replace(alert.finding, kind=kind, send=send)))
    return notice(failed, retry, channels, NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("found", "send"),
    [
        pytest.param(told(), ("team",), id="the other channel"),
        pytest.param(told(channels=("a", "desk", "b")), ("a", "b"), id="all the others"),
        pytest.param(told(channels=("team",)), ("team",), id="of a channel that left feeds.yaml: those left"),
        pytest.param(
            told(channels=("team",), send=("desk", "team")), None, id="nobody, where others were told of the alert too"
        ),
        pytest.param(told(channels=("desk",)), None, id="nobody: there is no other channel"),
        pytest.param(told(Retry(NOW, "refused")), None, id="nobody: it is still tried"),
        pytest.param(told(kind="delivery"), None, id="nobody: it was such a notice itself"),
    ],
)
def test_who_is_told(found: Finding | None, send: tuple[str, ...] | None) -> None:
    assert (found.send if found else None) == send


def test_it_says_what_was_lost_why_and_what_to_do() -> None:
    found = told()
    assert found
    assert found.headline == "Channel “desk” does not deliver: an alert was given up"
    assert found.explanation.startswith(f"“{HEADLINE}” did not get through: {GONE.error}. It is kept")
    assert "monitor alerts test desk" in found.advice
    assert found.severity == "critical"


def test_of_a_channel_that_is_no_more_it_says_where_else_the_alert_can_go() -> None:
    found = told(channels=("team", "mail"))
    assert found
    assert (found.severity, found.headline) == (
        "info",
        "An alert was meant for channel “desk”, which has left feeds.yaml",
    )
    assert "`monitor alerts resend 7 team`" in found.advice


def test_one_channel_is_told_of_once_a_day() -> None:
    keys = [found.key for found in (told(), told(Retry(None, "other")), told(days=1)) if found]
    assert keys[0] == keys[1] != keys[2]


def test_each_channel_is_told_of_by_itself() -> None:
    other = notice(delivery(match_alert(), channel="team"), GONE, BOTH, NOW)
    first = told()
    assert first
    assert other
    assert (first.key != other.key, other.send) == (True, ("desk",))


@pytest.mark.parametrize("text", TITLES.values(), ids=TITLES)
def test_whatever_a_server_said_stays_text_of_one_line(text: str) -> None:
    found = notice(delivery(match_alert(), channel=text), Retry(None, text), BOTH, NOW)
    assert found
    assert found.headline == one_line(found.headline, 150)
    assert " ".join(found.explanation.split()) == one_line(found.explanation, 1000)
    assert " ".join(found.advice.split()) == one_line(found.advice, 500)
