"""When is it a surge? A table of named situations, then states over time, then the promise about false alarms."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from benchmarks.false_alarms import (
    SURGE_DAYS,
    WARM_UP,
    Kind,
    Surge,
    episodes,
    found,
    our_chances,
    per_year,
    quiet_runs,
    stories,
    surge_runs,
)
from monitor.trends import HISTORY_DAYS, chance_threshold, evaluate, tail
from storage.records import Coverage, Occurrence, Trend, TrendState

WEDNESDAY = datetime(2025, 3, 5, 15, tzinfo=UTC)
MONDAY = datetime(2025, 3, 3, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def told(now: datetime, count: int, *, feed: int = 1, days_ago: int = 0, backlog: bool = False) -> Iterator[Occurrence]:
    """Tell ``count`` stories evenly within the 24-hour bin that ended ``days_ago`` days before now."""
    for n in range(count):
        yield Occurrence(feed, now - days_ago * DAY - (n + 0.5) / count * DAY, backlog)


def history(now: datetime, weekday: int, weekend: int = 0, *, feed: int = 1, days: int = 60) -> list[Occurrence]:
    """Tell so many stories on each day before the window; a bin counts for the weekday of its middle."""
    middles = {ago: now - (ago + 0.5) * DAY for ago in range(1, days)}
    amounts = {ago: weekend if middle.weekday() >= 5 else weekday for ago, middle in middles.items()}
    return [o for ago, amount in amounts.items() for o in told(now, amount, feed=feed, days_ago=ago)]


def covered(now: datetime, days: float = 90, *, feed: int = 1, silent: float = 0.01) -> Coverage:
    """Cover a feed since ``days`` days ago, its last answer ``silent`` days ago."""
    return Coverage(feed, now - days * DAY, now - silent * DAY)


def look(
    occurrences: Sequence[Occurrence], coverage: Sequence[Coverage], now: datetime, previous: Trend | None = None
) -> Trend:
    return evaluate("efficiency", occurrences, coverage, previous, now)


@dataclass(frozen=True)
class Situation:
    """A world as it stands at ``now``, and what is to be made of it; ``expected`` is a range of stories."""

    claim: str
    occurrences: Sequence[Occurrence]
    coverage: Sequence[Coverage]
    state: TrendState
    observed: int
    expected: tuple[float, float]
    now: datetime = WEDNESDAY


W = WEDNESDAY
USUAL = history(W, 10, 5)
SITUATIONS = [
    Situation("an ordinary day is normal", [*USUAL, *told(W, 10)], [covered(W)], "normal", 10, (9, 11)),
    Situation("a quiet day is normal", [*USUAL, *told(W, 1)], [covered(W)], "normal", 1, (9, 11)),
    Situation("a busy day is normal", [*USUAL, *told(W, 16)], [covered(W)], "normal", 16, (9, 11)),
    Situation("three times as many is a surge", [*USUAL, *told(W, 30)], [covered(W)], "surging", 30, (9, 11)),
    Situation(
        "Monday after a weekend is normal",
        [*history(MONDAY, 20, 2), *told(MONDAY, 16)],
        [covered(MONDAY)],
        "normal",
        16,
        (10, 19),
        MONDAY,
    ),
    Situation(
        "a weekday's number on a Sunday is a surge",
        [*history(MONDAY - DAY, 20, 4), *told(MONDAY - DAY, 22)],
        [covered(MONDAY - DAY)],
        "surging",
        22,
        (3, 9),
        MONDAY - DAY,
    ),
    Situation(
        "a feed added yesterday leaves both sides",
        [*USUAL, *told(W, 10), *told(W, 40, feed=2)],
        [covered(W), covered(W, 1, feed=2)],
        "normal",
        10,
        (9, 11),
    ),
    Situation(
        "a feed known for twenty days is compared over those days only",
        [*USUAL, *told(W, 10), *history(W, 20, 10, feed=2, days=20), *told(W, 20, feed=2)],
        [covered(W), covered(W, 20, feed=2)],
        "normal",
        30,
        (28, 32),
    ),
    Situation(
        "a dead feed leaves both sides",
        [*USUAL, *told(W, 10), *history(W, 30, 15, feed=2)],
        [covered(W), covered(W, feed=2, silent=5)],
        "normal",
        10,
        (9, 11),
    ),
    Situation(
        "a surge is seen although the largest feed died",
        [*USUAL, *told(W, 30), *history(W, 100, 50, feed=2)],
        [covered(W), covered(W, feed=2, silent=5)],
        "surging",
        30,
        (9, 11),
    ),
    Situation(
        "of half a window polled half is expected",
        [*USUAL, *told(W, 5)],
        [covered(W, silent=0.5)],
        "normal",
        5,
        (4.5, 5.5),
    ),
    Situation("an outage of thirty hours expects nothing", USUAL, [covered(W, silent=1.25)], "normal", 0, (0, 0)),
    Situation("stories of an unknown feed do not count", list(told(W, 50, feed=9)), [covered(W)], "normal", 0, (0, 1)),
    Situation(
        "a surge in one of twenty small feeds is seen",
        [
            *[o for feed in range(2, 21) for o in history(W, 1, 1, feed=feed)],
            *history(W, 1, feed=1),
            *told(W, 60),
        ],
        [covered(W, feed=feed) for feed in range(1, 21)],
        "surging",
        60,
        (18, 21),
    ),
    Situation(
        "old news alone raises nothing", [*USUAL, *told(W, 40, backlog=True)], [covered(W)], "normal", 40, (9, 11)
    ),
    Situation(
        "fresh news surges beside old news",
        [*USUAL, *told(W, 5, backlog=True), *told(W, 30)],
        [covered(W)],
        "surging",
        35,
        (9, 11),
    ),
    Situation("two stories never surge", list(told(W, 2)), [covered(W)], "normal", 2, (0, 0.1)),
    Situation("nothing known and nothing told is normal", [], [covered(W)], "normal", 0, (0, 0.1)),
    Situation("a topic never told before surges", list(told(W, 6)), [covered(W)], "surging", 6, (0, 0.1)),
    Situation(
        "thousands of stories a day are ordinary where they are usual",
        [*history(W, 2000, 1000, days=15), *told(W, 2100)],
        [covered(W, 15)],
        "normal",
        2100,
        (1800, 2200),
    ),
    Situation(
        "a past surge does not hide the next one",
        [*USUAL, *told(W, 60, days_ago=10), *told(W, 60, days_ago=11), *told(W, 28)],
        [covered(W)],
        "surging",
        28,
        (9, 12),
    ),
    Situation("no feed at all means learning", list(told(W, 9)), [], "learning", 0, (0, 0)),
    Situation("young feeds are learnt", list(told(W, 9)), [covered(W, 13)], "learning", 9, (0, 0)),
    Situation("nothing answers for two days", USUAL, [covered(W, silent=2)], "learning", 0, (0, 0)),
]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.claim)
def test_situation(situation: Situation) -> None:
    trend = look(situation.occurrences, situation.coverage, situation.now)

    assert (trend.state, trend.observed) == (situation.state, situation.observed)
    assert situation.expected[0] <= trend.expected <= situation.expected[1]
    assert trend.surprise == pytest.approx(-math.log10(trend.chance))


def test_learning_says_when_a_baseline_will_be_there() -> None:
    coverage = [covered(W, 3), covered(W, 9, feed=2), covered(W, 13, feed=3, silent=4)]

    assert look([], coverage, W).ready == W + 5 * DAY


def test_learning_without_a_living_feed_promises_nothing() -> None:
    assert look([], [covered(W, silent=4)], W).ready is None


def test_learning_ends_when_it_was_promised() -> None:
    coverage = [covered(W, 3)]
    ready = look([], coverage, W).ready

    assert ready is not None
    assert look([], [replace(coverage[0], last_ok=ready)], ready).state == "normal"


def test_an_imported_archive_needs_no_learning() -> None:
    archive = [replace(o, backlog=True) for o in USUAL]

    assert look([*archive, *told(W, 30)], [covered(W, 60)], W).state == "surging"


def test_the_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    edges = [Occurrence(1, W), Occurrence(1, W - DAY), Occurrence(1, W + timedelta(microseconds=1))]

    trend = look(edges, [covered(W)], W)

    assert (trend.window_start, trend.window_end, trend.observed) == (W - DAY, W, 1)


def test_the_time_zone_of_now_does_not_matter() -> None:
    occurrences = [*USUAL, *told(W, 14)]
    here = look(occurrences, [covered(W)], W)
    there = look(occurrences, [covered(W)], W.astimezone(timezone(timedelta(hours=9))))

    assert (here.expected, here.chance) == (there.expected, there.chance)


def test_a_higher_level_becomes_normal_within_weeks() -> None:
    now = W + 28 * DAY
    days = [*history(W, 10, 5), *history(now, 30, 15, days=28), *told(now, 30)]

    assert look(days, [covered(now)], now).chance > 0.05


# States over time.


def with_count(count: int, previous: Trend | None, now: datetime = W) -> Trend:
    return look([*history(now, 10, 5), *told(now, count)], [covered(now)], now, previous)


def test_a_surge_keeps_the_time_it_began() -> None:
    begun = with_count(30, None)

    lasting = with_count(25, begun, W + timedelta(hours=7))

    assert (lasting.state, lasting.since) == ("surging", W)


def test_a_surge_lasts_while_it_stays_unusual_though_it_would_not_begin_anew() -> None:
    begun = with_count(30, None)

    fading = with_count(18, begun, W + 2 * DAY)

    assert fading.chance > chance_threshold(2)
    assert (fading.state, fading.since) == ("surging", W)


def test_a_surge_does_not_end_before_its_first_story_has_left_the_window() -> None:
    begun = with_count(30, None)

    assert with_count(10, begun, W + timedelta(hours=23)).state == "surging"


def test_a_surge_that_is_over_is_normal_since_then() -> None:
    over = with_count(10, with_count(30, None), W + 2 * DAY)

    assert (over.state, over.since) == ("normal", W + 2 * DAY)


def test_a_surge_weeks_later_is_another_one() -> None:
    over = with_count(10, with_count(30, None), W + 2 * DAY)

    assert with_count(30, over, W + 21 * DAY).since == W + 21 * DAY


def test_a_clock_set_back_neither_ends_nor_restarts_a_surge() -> None:
    begun = with_count(30, None)

    earlier = with_count(30, begun, W - timedelta(hours=2))

    assert (earlier.state, earlier.since) == ("surging", W)


def test_a_clock_that_was_a_year_ahead_does_not_hold_a_surge() -> None:
    ahead = replace(with_count(30, None), since=W + 365 * DAY, evaluated=W + 365 * DAY)

    assert with_count(10, ahead).state == "normal"


def test_an_outage_ends_a_surge_in_learning() -> None:
    silent = look(USUAL, [covered(W, silent=2)], W, with_count(30, None, W - 2 * DAY))

    assert (silent.state, silent.since) == ("learning", W)


# The arithmetic.


@pytest.mark.parametrize("budget", [0, -1, math.nan], ids=str)
def test_a_budget_must_be_positive(budget: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        chance_threshold(budget)


def test_a_smaller_budget_asks_for_a_smaller_chance() -> None:
    thresholds = [chance_threshold(budget) for budget in (0.1, 0.5, 1, 2, 4, 12, 1000)]

    assert thresholds == sorted(thresholds)
    assert thresholds[0] > 0
    assert thresholds[-1] < 0.05


def test_the_budget_decides_what_is_a_surge() -> None:
    world = ([*USUAL, *told(W, 21)], [covered(W)], None, W)

    assert [evaluate("capex", *world, budget).state for budget in (0.1, 12)] == ["normal", "surging"]


@pytest.mark.parametrize(
    ("observed", "mean", "variance", "chance"),
    [(0, 3, 4, 1.0), (1, 2, 4, 0.75), (2, 2, 4, 0.5), (3, 2, 4, 0.3125), (3, 1, 1, 0.0803014), (5, 0, 0, 1.0)],
    ids=["none", "below the mean", "at the mean", "above the mean", "nearly Poisson", "nothing expected"],
)
def test_tail_by_hand(observed: int, mean: float, variance: float, chance: float) -> None:
    assert tail(observed, mean, variance) == pytest.approx(chance, rel=1e-4)


@pytest.mark.parametrize("mean", [0.3, 7.0, 400.0, 20_000.0])
def test_tail_falls_with_the_number_and_never_leaves_zero_to_one(mean: float) -> None:
    chances = [tail(int(mean * times), mean, 1.6 * mean + (0.1 * mean) ** 2) for times in (0, 0.5, 1, 1.5, 3, 10, 100)]

    assert chances == sorted(chances, reverse=True)
    assert all(0 < chance <= 1 for chance in chances)


def test_a_topic_of_a_hundred_stories_a_day_is_judged_in_milliseconds() -> None:
    occurrences = [*history(W, 100, 50), *told(W, 110)]
    look(occurrences, [covered(W)], W)
    begun = time.process_time()
    for _ in range(5):
        look(occurrences, [covered(W)], W)

    assert (time.process_time() - begun) / 5 < 0.1


# The promise: as many false alarms as the budget allows, and real surges found. See benchmarks/false_alarms.py.


def test_the_simulation_runs_what_is_shipped() -> None:
    drawn = stories(Kind(8), 1, WARM_UP + 4 + SURGE_DAYS, np.random.default_rng(3), surge=4)
    hours = our_chances(drawn)[0]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    occurrences = [
        Occurrence(1, start + timedelta(days=int(day), hours=int(hour) + 0.5))
        for _, day, hour in np.argwhere(drawn)
        for _ in range(int(drawn[0, day, hour]))
    ]
    trend: Trend | None = None
    begun = []
    for hour, chance in enumerate(hours.tolist()):
        now = start + timedelta(days=WARM_UP, hours=hour)
        trend = look(occurrences, [Coverage(1, start, now)], now, trend)
        assert trend.chance == pytest.approx(chance) if chance < 1 else trend.chance > 0.05
        if trend.state == "surging" and trend.since == now:
            begun.append(hour)

    assert begun == episodes(hours, chance_threshold(2))
    assert begun


def test_quiet_topics_keep_the_budget_and_surges_are_found() -> None:
    threshold = chance_threshold(2)
    quiet = quiet_runs(our_chances, [Kind(3), Kind(10)], topics=16, seed=5)
    faint, strong = (found(run, threshold) for run in surge_runs(our_chances, [Surge(3, 3), Surge(10, 5)], 21, seed=5))

    assert 0.7 < np.mean([per_year(run, threshold) for run in quiet]) < 3.5
    assert faint[0] > 0.5
    assert strong[0] > 0.95
    assert strong[1] < 24


def test_the_history_is_whole_weeks() -> None:
    assert HISTORY_DAYS % 7 == 0
