"""When a feed that moved is believed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from storage.feed_records import Feed, Fetched, Move
from tests.feeds.polled import DAY, FINE, HOUR, NOTHING, NOW, URL, failed, known, lived

NEW, OTHER, PLAIN = "https://b.example/feed", "https://c.example/feed", "http://a.example/feed"
TO_NEW, TO_OTHER, TO_PLAIN, TO_OLD = (replace(FINE, moved_to=to) for to in (NEW, OTHER, PLAIN, URL))
DOWN, GONE = failed(), failed("gone", status=410)


def addresses(feed: Feed, polls: Sequence[Fetched], hours: int = 36) -> list[str | None]:
    """Poll with so many hours between; return where the feed is asked after each poll."""
    return [one.address for one in lived(feed, [(HOUR * hours * n, f, NOTHING) for n, f in enumerate(polls)])]


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        pytest.param([TO_NEW] * 3, [None, None, NEW], id="three times over three days"),
        pytest.param([TO_NEW, TO_NEW, DOWN, TO_NEW], [None, None, None, NEW], id="a failure between says nothing"),
        pytest.param([TO_NEW, FINE, TO_NEW, TO_NEW], [None] * 4, id="it did not move one time: from the beginning"),
        pytest.param([TO_NEW, TO_OTHER, TO_NEW, TO_NEW], [None] * 4, id="not always to the same place"),
        pytest.param([replace(DOWN, moved_to=NEW)] * 5, [None] * 5, id="to something that is no feed"),
        pytest.param([TO_PLAIN] * 5, [None] * 5, id="to the same without encryption"),
        pytest.param([TO_OLD] * 5, [None] * 5, id="to itself, by way of a cookie"),
        pytest.param([TO_NEW] * 3 + [TO_OTHER] * 3, [None, None, NEW, NEW, NEW, OTHER], id="it moves on"),
        pytest.param([TO_NEW] * 3 + [TO_OLD] * 3, [None, None, NEW, NEW, NEW, None], id="it moves back"),
    ],
)
def test_a_move_is_believed(polls: list[Fetched], expected: list[str | None]) -> None:
    assert addresses(known(), polls) == expected


def test_many_times_within_two_days_is_not_enough() -> None:
    assert set(addresses(known(), [TO_NEW] * 48, hours=1)) == {None}


def test_twice_over_a_week_is_not_enough() -> None:
    assert addresses(known(), [TO_NEW, TO_NEW], hours=7 * 24) == [None, None]


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        pytest.param([FINE, DOWN, DOWN, FINE], [NEW] * 4, id="two failures in a row"),
        pytest.param([DOWN, DOWN, DOWN], [NEW, NEW, None], id="three failures in a row"),
        pytest.param([GONE], [None], id="gone there: ask at once where feeds.yaml says"),
    ],
)
def test_the_new_address_is_given_up(polls: list[Fetched], expected: list[str | None]) -> None:
    assert addresses(known(address=NEW), polls) == expected


def test_a_feed_gone_at_its_new_address_is_asked_at_the_old_one_before_it_is_given_up() -> None:
    told = lived(known(address=NEW), [(DAY * day, GONE, NOTHING) for day in range(2)])
    assert [(one.address, one.at is None) for one in told] == [(None, False), (None, True)]


def test_what_is_remembered_of_a_move() -> None:
    told = lived(known(), [(DAY * day, TO_NEW, NOTHING) for day in range(4)])
    assert [one.move for one in told] == [Move(NEW, NOW, 1), Move(NEW, NOW, 2), Move(NEW, NOW, 3), None]
    given_up = known(address=NEW, move=Move(OTHER, NOW, 2), failures=2)
    assert lived(given_up, [(DAY, DOWN, NOTHING)])[0].move is None
