"""When a failed delivery is tried again, and when it is given up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.alerts.retry import MAX_ATTEMPTS, after_failure
from monitor.errors import ChannelError
from tests.alerts.sample import NOW, delivery, surge_alert


def wait(attempts: int, *, retry: bool = True, wish: timedelta | None = None) -> float | None:
    error = ChannelError("refused", retry=retry, retry_after=wish)
    decided = after_failure(delivery(surge_alert(), attempts=attempts), error, NOW)
    assert decided.error == "refused"
    return (decided.at - NOW).total_seconds() if decided.at else None


def test_the_wait_triples_up_to_an_hour() -> None:
    assert [wait(made) for made in range(8)] == [10, 30, 90, 270, 810, 2430, 3600, 3600]


def test_it_is_given_up_after_about_three_days() -> None:
    waits = [wait(made) for made in range(MAX_ATTEMPTS)]
    assert waits[-1] is None
    total = timedelta(seconds=sum(seconds or 0 for seconds in waits))
    assert timedelta(days=2.9) < total < timedelta(days=3.1)


@pytest.mark.parametrize(
    ("attempts", "wish", "seconds"),
    [
        pytest.param(0, timedelta(minutes=5), 300, id="a longer wish of the server is honoured"),
        pytest.param(4, timedelta(seconds=1), 810, id="a shorter one does not hurry us"),
        pytest.param(0, timedelta(days=365), 86400, id="a day is the most that is honoured"),
    ],
)
def test_the_wish_of_the_server(attempts: int, wish: timedelta, seconds: float) -> None:
    assert wait(attempts, wish=wish) == seconds


def test_what_can_never_be_taken_is_given_up_at_once() -> None:
    assert wait(0, retry=False, wish=timedelta(minutes=5)) is None


def test_a_delivery_sent_again_by_hand_after_many_attempts_does_not_overflow() -> None:
    assert wait(10**9) is None


@pytest.mark.parametrize("retry", [True, False])
def test_who_took_the_message_at_any_attempt_is_remembered(retry: bool) -> None:
    before = replace(delivery(surge_alert()), reached=("a@x.org",))
    error = ChannelError("450 try later", retry=retry, reached=("b@x.org", "a@x.org"))
    assert after_failure(before, error, NOW).reached == ("a@x.org", "b@x.org")
