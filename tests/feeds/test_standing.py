"""How a feed stands, and since when."""

from datetime import timedelta

import pytest

from storage.feed_records import Feed, FeedState, Fetched
from tests.feeds.polled import DAY, FEED, FINE, HOUR, NOTHING, NOW, brought, failed, known, lived

BLOCKED = failed("blocked", status=403)
GONE = failed("gone", status=410)


@pytest.mark.parametrize(
    ("feed", "fetched", "news", "state"),
    [
        pytest.param(FEED, FINE, True, "ok", id="a first answer"),
        pytest.param(FEED, FINE, False, "ok", id="a first answer without entries: wait and see"),
        pytest.param(FEED, failed(), False, "failing", id="it never answered"),
        pytest.param(known(), FINE, False, "ok", id="nothing new today"),
        pytest.param(known(), failed("timeout"), False, "failing", id="no answer in time"),
        pytest.param(known(), failed("content", status=200), False, "failing", id="no feed"),
        pytest.param(known(), BLOCKED, False, "blocked", id="refused"),
        pytest.param(known(), GONE, False, "gone", id="gone"),
        pytest.param(known(last_news=NOW - 29 * DAY), FINE, False, "ok", id="no news for four weeks"),
        pytest.param(known(last_news=NOW - 30 * DAY), FINE, False, "stale", id="no news for thirty days"),
        pytest.param(known(last_news=NOW - 99 * DAY), FINE, True, "ok", id="news at last"),
        pytest.param(known(last_news=NOW - 99 * DAY), failed(), False, "failing", id="old news, and it fails"),
        pytest.param(known(last_news=None), FINE, False, "stale", id="never any news in a hundred days"),
        pytest.param(known(last_news=None, first_ok=NOW - DAY), FINE, False, "ok", id="no news yet since yesterday"),
    ],
)
def test_the_state(feed: Feed, fetched: Fetched, news: bool, state: FeedState) -> None:
    assert lived(feed, [(timedelta(0), fetched, brought(HOUR) if news else NOTHING)])[0].state == state


@pytest.mark.parametrize(
    ("polls", "states"),
    [
        pytest.param([FINE, FINE], [("ok", -100), ("ok", -100)], id="well all the time"),
        pytest.param([failed(), failed()], [("failing", 0), ("failing", 0)], id="it goes on failing"),
        pytest.param(
            [failed(), BLOCKED, failed()],
            [("failing", 0), ("blocked", 0), ("failing", 0)],
            id="one trouble, now a refusal and now a silence, counts from its beginning",
        ),
        pytest.param(
            [failed(), GONE, GONE], [("failing", 0), ("gone", 1), ("gone", 1)], id="gone is a state of its own"
        ),
        pytest.param([failed(), FINE], [("failing", 0), ("ok", 1)], id="well again"),
        pytest.param([failed(), FINE, BLOCKED], [("failing", 0), ("ok", 1), ("blocked", 2)], id="a second trouble"),
    ],
)
def test_since_when(polls: list[Fetched], states: list[tuple[str, int]]) -> None:
    told = lived(known(), [(DAY * day, fetched, NOTHING) for day, fetched in enumerate(polls)])
    assert [(one.state, one.state_since) for one in told] == [(state, NOW + DAY * day) for state, day in states]


def test_a_stale_feed_is_stale_since_its_news_became_too_old_and_well_with_its_first_news() -> None:
    polls = [(DAY * day, FINE, brought(HOUR) if day == 40 else NOTHING) for day in range(0, 50, 5)]
    told = lived(known(last_news=NOW - DAY), polls)
    assert {(one.state, one.state_since) for one in told} == {
        ("ok", NOW - 100 * DAY),
        ("stale", NOW + 29 * DAY),
        ("ok", NOW + 40 * DAY),
    }


def test_a_failure_between_does_not_make_it_stale_anew() -> None:
    told = lived(
        known(last_news=NOW - 99 * DAY), [(0 * DAY, FINE, NOTHING), (DAY, failed(), NOTHING), (2 * DAY, FINE, NOTHING)]
    )
    assert [one.state for one in told] == ["stale", "failing", "stale"]
    assert told[0].state_since == told[2].state_since == NOW - 69 * DAY
