"""When hubs are asked, and what their answers make of a subscription."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.websub import schedule
from monitor.websub.protocol import Intent, new_token
from storage.feed_records import Feed, Fetched, Hints, Subscription
from tests.builders import NOW

PUBLIC = "https://monitor.example.org/push"
HUB, TOPIC = "https://hub.example/", "https://wire.example/feed"
HELD = Subscription(1, HUB, TOPIC, new_token(PUBLIC, "0"), "secret", next_try=NOW)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def feed(feed_id: int = 1, hub: str | None = HUB, topic: str | None = TOPIC, address: str | None = None) -> Feed:
    hints = Hints(hub=hub, topic=topic)
    return Feed(feed_id, "Wire", "https://u.example/", None, None, HOUR, NOW, hints=hints, address=address)


def answer(status: int | None, body: bytes = b"", kind: str = "text/plain") -> Fetched:
    return Fetched(NOW, 0.1, status, body=body, headers={"content-type": kind}, error=f"it said {status}")


@pytest.mark.parametrize(
    ("feeds", "held", "ended", "wanted"),
    [
        pytest.param([feed()], [], [], {1: (HUB, TOPIC)}, id="a hub is new"),
        pytest.param([feed()], [HELD], [], {}, id="all is well"),
        pytest.param([feed(hub=None)], [], [], {}, id="no hub"),
        pytest.param([], [HELD], [HELD], {}, id="the feed left"),
        pytest.param([feed(hub=None)], [HELD], [HELD], {}, id="the feed lost its hub"),
        pytest.param([feed(hub="https://h2/")], [HELD], [HELD], {1: ("https://h2/", TOPIC)}, id="another hub"),
        pytest.param([feed(topic="https://t2/")], [HELD], [HELD], {1: (HUB, "https://t2/")}, id="another topic"),
        pytest.param(
            [feed()], [replace(HELD, token="1-0")], [replace(HELD, token="1-0")], {1: (HUB, TOPIC)}, id="we moved"
        ),
        pytest.param([feed(topic=None)], [], [], {1: (HUB, "https://u.example/")}, id="no topic: the feed's URL"),
        pytest.param([feed(topic=None, address="https://a/")], [], [], {1: (HUB, "https://a/")}, id="where it moved"),
        pytest.param([feed(topic="https://t/" + "x" * 2000)], [], [], {}, id="an absurd topic is no offer"),
        pytest.param([feed(1), feed(2)], [HELD], [], {2: (HUB, TOPIC)}, id="each feed has a subscription of its own"),
    ],
)
def test_the_plan(
    feeds: list[Feed], held: list[Subscription], ended: list[Subscription], wanted: dict[int, tuple[str, str]]
) -> None:
    assert schedule.plan(feeds, held, PUBLIC) == schedule.Plan(tuple(ended), wanted)


def test_who_waits_longest_is_asked_first() -> None:
    late = replace(HELD, feed_id=2, next_try=NOW - HOUR)
    future, never = replace(HELD, next_try=NOW + MINUTE), replace(HELD, next_try=None)
    assert schedule.due([HELD, future, never, late], NOW) == [late, HELD]


def test_pauses_grow_to_a_day_and_never_end() -> None:
    pauses = [schedule.pause(tries) for tries in range(1, 9)]
    assert [p / MINUTE for p in pauses] == [5, 15, 45, 135, 405, 1215, 1440, 1440]
    assert schedule.pause(10_000) == DAY


@pytest.mark.parametrize(
    ("fetched", "outcome"),
    [
        pytest.param(answer(202), ("asked", schedule.UNVERIFIED, 5 * MINUTE), id="accepted: it will verify"),
        pytest.param(answer(204), ("asked", schedule.UNVERIFIED, 5 * MINUTE), id="an old hub says so like that"),
        pytest.param(answer(400, b"bad topic\r\n"), ("refused", "bad topic", DAY), id="refused, in its words"),
        pytest.param(answer(404, b"<p>", "text/html"), ("refused", "it said 404", DAY), id="refused, not in words"),
        pytest.param(answer(422), ("refused", "it said 422", DAY), id="refused, without a word"),
        pytest.param(answer(429), ("asked", "it said 429", 5 * MINUTE), id="later"),
        pytest.param(answer(500, b"oops"), ("asked", "it said 500", 5 * MINUTE), id="unwell"),
        pytest.param(answer(302), ("asked", "it said 302", 5 * MINUTE), id="a redirect that is not followed"),
        pytest.param(answer(None), ("asked", "it said None", 5 * MINUTE), id="nobody there"),
    ],
)
def test_the_answer_of_a_hub(fetched: Fetched, outcome: tuple[str, str, timedelta]) -> None:
    found = schedule.answered(schedule.asking(HELD, 1, NOW), fetched, NOW)
    assert found.next_try is not None
    assert (found.state, found.error, found.next_try - NOW) == outcome


@pytest.mark.parametrize(
    ("wish", "after"),
    [
        pytest.param(MINUTE, 5 * MINUTE, id="never sooner than planned"),
        pytest.param(HOUR, HOUR, id="as it wishes"),
        pytest.param(timedelta(days=400), DAY, id="but within a day"),
    ],
)
def test_a_hub_may_say_when_to_come_back(wish: timedelta, after: timedelta) -> None:
    fetched = Fetched(NOW, 0.1, 503, error="unwell", retry_after=wish)
    assert schedule.answered(schedule.asking(HELD, 1, NOW), fetched, NOW).next_try == NOW + after


@pytest.mark.parametrize(
    ("granted", "until", "renewal"),
    [
        pytest.param(timedelta(days=3), timedelta(days=3), timedelta(days=2), id="renewed after two thirds"),
        pytest.param(None, timedelta(days=10), timedelta(days=10) * 2 / 3, id="the lease we wished for"),
        pytest.param(timedelta(seconds=1), timedelta(seconds=1), 10 * MINUTE, id="a silly lease does not hurry us"),
    ],
)
def test_a_verified_subscription(granted: timedelta | None, until: timedelta, renewal: timedelta) -> None:
    asking = schedule.asking(HELD, 3, NOW)
    outcome = schedule.verified(asking, Intent("subscribe", TOPIC, b"x", granted), timedelta(days=10), NOW)
    assert outcome == replace(HELD, state="active", lease_until=NOW + until, next_try=NOW + renewal, error=None)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param(NOW + 7 * DAY, "active", id="while the lease runs"),
        pytest.param(NOW + 11 * DAY, "asked", id="when it has passed"),
    ],
)
def test_a_renewal_leaves_the_lease_alone(now: datetime, state: str) -> None:
    active = schedule.verified(HELD, Intent("subscribe", TOPIC, b"x"), 10 * DAY, NOW)
    asking = schedule.asking(active, 1, now)
    assert (asking.state, asking.lease_until, asking.next_try) == (state, NOW + 10 * DAY, now + 5 * MINUTE)


def test_a_refusal_is_kept_for_a_day() -> None:
    refused = schedule.refused(HELD, "", NOW)
    assert refused.error == "the hub refused and gave no reason"
    assert schedule.due([refused], NOW + DAY - MINUTE) == []
    assert schedule.asking(refused, 1, NOW + DAY).state == "asked"


def test_a_hub_that_never_verifies_is_asked_ever_less_and_for_ever() -> None:
    held, now, asked = HELD, NOW, list[datetime]()
    while now < NOW + 30 * DAY:
        held = schedule.asking(held, len(asked) + 1, now)
        asked.append(now)
        now = held.next_try or NOW
    assert 30 < len(asked) < 40
    assert asked[-1] - asked[-2] == DAY
