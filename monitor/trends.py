"""Is more being told about a topic than chance explains? Stories of the last 24 hours against the same feeds' past.

Each feed has a level, learned on the days that it was covered; their sum, times the weekday, is what was to be
expected. How unusual the observed number is says the tail of a negative binomial whose dispersion is learned too
(after Noufaily et al. 2013, Statistics in Medicine 32:1206, restated for days). docs/trends.md tells the method.

The arithmetic works along the last axes of its arrays, so that benchmarks/false_alarms.py can run it over many
simulated topics at once. numpy is imported when the first trend is evaluated: the command line must start without it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from storage.records import Coverage, Occurrence, Trend, TrendState

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[np.float64]"

WINDOW = timedelta(hours=24)
MIN_HISTORY = timedelta(days=14)
"""A feed is compared once its flow is known for this long, the window included."""
SILENCE = timedelta(hours=36)
"""A feed that last answered longer ago is not compared."""
HISTORY_DAYS = 56
LEAVE = 0.05
"""A surge lasts while the chance stays at or below this."""
MIN_STORIES = 3
"""Fewer stories than this are never a surge."""

_DAY = 86_400
_WEEKEND = 0.5  # prior: stories of a weekend day per story of a weekday
_WEEKDAY_STORIES = 40.0  # weight of the weekday prior, in stories per weekday
_SHARE_STORIES = 20.0  # weight of the prior that stories come evenly through the day
_HALF_LIFE_DAYS = 28
_DISPERSION = 1.4  # prior: variance of a day's stories per expected story
_DISPERSION_DAYS = 14.0  # weight of that prior
_DISPERSION_MAX = 5.0
_CAP_SD = 3.0  # a day teaches the level at most this far above it
_DRIFT = 0.10  # relative uncertainty of the level beyond counting noise
_PRIOR_STORIES = 0.5  # so that a topic without any story yet does not expect exactly none
_CHANCE_AT_TWO = 0.0017  # a surge begins at this chance for a budget of two false alarms a year
_BUDGET_EXPONENT = 1.3  # half the budget asks for 2 ** 1.3 times smaller a chance
_ROUNDS = 4  # the fit changes by less than a hundredth after these

# Where the days back from now stand in the week, in days before today's weekday: a bin's later part, its earlier part.
_LATER = [k % 7 for k in range(HISTORY_DAYS + 1)]
_EARLIER = [(k + 1) % 7 for k in range(HISTORY_DAYS + 1)]
# The places of those weekdays within each week of the 56 past bins.
_FOLD_LATER = [_LATER[1:8].index(j) for j in range(7)]
_FOLD_EARLIER = [_EARLIER[1:8].index(j) for j in range(7)]


@dataclass(frozen=True, slots=True)
class Panel:
    """Stories of the feeds compared, in 24-hour bins back from now: bin 0 is the window, 1 to 56 the history.

    A bin straddles midnight: ``later`` counts the stories of the UTC day on which it ends, ``earlier`` those of the day
    before (both ..., feeds, 57). ``covered`` is 1 where a feed's flow is known (..., feeds, 56), ``polled`` the
    share of the window up to the feed's last answer (..., feeds). ``weekdays`` holds the prior weekday factors from
    today's weekday backwards (..., 7), ``elapsed`` the share of today's UTC day that is over, ``weights`` how much each
    past bin still teaches (56).
    """

    later: Array
    earlier: Array
    covered: Array
    polled: Array
    weekdays: Array
    weights: Array
    elapsed: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the window should hold: mean and variance of the number of stories (...), and their dispersion."""

    expected: Array
    variance: Array
    dispersion: Array


@dataclass(frozen=True, slots=True)
class _Fit:
    """Levels per feed (..., feeds; stories a day) and the factors of the bins (..., 57)."""

    levels: Array
    bins: Array
    dispersion: Array


def evaluate(  # noqa: PLR0913, PLR0917 - what is judged, against what, when, how strictly: nothing to bundle
    topic: str,
    occurrences: Sequence[Occurrence],
    coverage: Sequence[Coverage],
    previous: Trend | None,
    now: datetime,
    false_alarms_per_year: float = 2.0,
) -> Trend:
    """Compare the stories of the 24 hours up to ``now`` with what the same feeds let expect.

    ``occurrences`` are the topic's first tellings of the last 57 days (older ones are ignored), ``previous`` is what
    this function returned last time. Raises ValueError when the budget is not positive.
    """
    threshold = chance_threshold(false_alarms_per_year)
    feeds = [feed for feed in coverage if _comparable(feed, now)]
    if not feeds:
        return _learning(topic, occurrences, coverage, previous, now)
    panel = tally(occurrences, feeds, now)
    forecast = predict(panel)
    expected, variance = float(forecast.expected), float(forecast.variance)
    observed, old_news = _in_window(occurrences, feeds, now)
    chance = tail(observed, expected, variance)
    fresh = chance if old_news == 0 else tail(observed - old_news, expected, variance)
    enters = observed - old_news >= MIN_STORIES and fresh <= threshold
    state, since = next_state(previous, now, enters=enters, stays=observed >= MIN_STORIES and chance <= LEAVE)
    return Trend(
        topic=topic,
        evaluated=now,
        window_start=now - WINDOW,
        window_end=now,
        observed=observed,
        expected=expected,
        chance=chance,
        surprise=-math.log10(chance),
        state=state,
        since=since,
        feeds=len(feeds),
    )


def chance_threshold(false_alarms_per_year: float) -> float:
    """Return the chance at or below which a surge begins, for a budget of false surges per topic and year.

    Overlapping windows are looked at all day, and surges last, so a budget is no plain quotient: this is fitted to
    simulated topics that never surge, evaluated every hour (python -m benchmarks.false_alarms --fit).
    Raises ValueError when the budget is not positive.
    """
    if not false_alarms_per_year > 0:
        raise ValueError("the budget of false alarms per year must be positive")
    chance: float = _CHANCE_AT_TWO * (false_alarms_per_year / 2) ** _BUDGET_EXPONENT
    return min(chance, LEAVE / 2)


def next_state(previous: Trend | None, now: datetime, *, enters: bool, stays: bool) -> tuple[TrendState, datetime]:
    """Return the state and when it began.

    A surge once begun lasts a whole window at least, and then while it ``stays`` unusual, so that one event is one
    surge. Times are compared without their order: a clock that was set back ends nothing and starts nothing.
    """
    if previous is not None and previous.state == "surging":
        stays = stays or abs(now - previous.since) < WINDOW
    else:
        stays = False
    state: TrendState = "surging" if enters or stays else "normal"
    return state, _since(state, previous, now)


def _since(state: TrendState, previous: Trend | None, now: datetime) -> datetime:
    return previous.since if previous is not None and previous.state == state else now


def _comparable(feed: Coverage, now: datetime) -> bool:
    return now - feed.since >= MIN_HISTORY and now - feed.last_ok <= SILENCE


def _learning(
    topic: str,
    occurrences: Sequence[Occurrence],
    coverage: Sequence[Coverage],
    previous: Trend | None,
    now: datetime,
) -> Trend:
    """No feed can be compared: say what was counted, and when a baseline will be there if the feeds answer."""
    young = [feed.since + MIN_HISTORY for feed in coverage if now - feed.last_ok <= SILENCE]
    return Trend(
        topic=topic,
        evaluated=now,
        window_start=now - WINDOW,
        window_end=now,
        observed=_in_window(occurrences, coverage, now)[0],
        expected=0.0,
        chance=1.0,
        surprise=0.0,
        state="learning",
        since=_since("learning", previous, now),
        feeds=0,
        ready=min(young, default=None),
    )


def _in_window(occurrences: Sequence[Occurrence], feeds: Sequence[Coverage], now: datetime) -> tuple[int, int]:
    """Count the stories of these feeds in (now - 24 h, now], and how many of them are old news."""
    ids = {feed.feed_id for feed in feeds}
    start = now - WINDOW
    window = [o.backlog for o in occurrences if start < o.published <= now and o.feed_id in ids]
    return len(window), sum(window)


def tally(occurrences: Sequence[Occurrence], feeds: Sequence[Coverage], now: datetime) -> Panel:
    """Sort the feeds' stories into 24-hour bins back from ``now``."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    end, bins = now.timestamp(), HISTORY_DAYS + 1
    rows = {feed.feed_id: row for row, feed in enumerate(feeds)}
    known = [o for o in occurrences if o.feed_id in rows]
    times = np.array([o.published.timestamp() for o in known])
    row = np.array([rows[o.feed_id] for o in known], dtype=np.intp)
    age = np.floor_divide(end - times, _DAY).astype(np.intp)
    earlier = times // _DAY < (end - age * _DAY) // _DAY
    kept = (age >= 0) & (age < bins)
    place = (2 * row + earlier)[kept] * bins + age[kept]
    counts = np.bincount(place, minlength=len(feeds) * 2 * bins).reshape(len(feeds), 2, bins).astype(np.float64)
    whole_days = np.array([(end - feed.since.timestamp()) // _DAY for feed in feeds])
    polled = np.array([1 - (end - feed.last_ok.timestamp()) / _DAY for feed in feeds])
    return Panel(
        later=counts[:, 0],
        earlier=counts[:, 1],
        covered=(np.arange(1, bins) < whole_days[:, None]).astype(np.float64),
        polled=polled.clip(0, 1),
        weekdays=np.array(weekday_prior(now.astimezone(UTC).weekday())),
        weights=np.array(memory()),
        elapsed=end % _DAY / _DAY,
    )


def weekday_prior(today: int) -> list[float]:
    """Return the prior weekday factors, mean one, from weekday ``today`` (Monday is 0) backwards."""
    factors = [_WEEKEND if (today - back) % 7 >= 5 else 1.0 for back in range(7)]  # noqa: PLR2004 - Saturday
    return [7 * factor / sum(factors) for factor in factors]


def memory() -> list[float]:
    """Return how much each past bin teaches, latest first: half after four weeks."""
    return [0.5 ** (k / _HALF_LIFE_DAYS) for k in range(1, HISTORY_DAYS + 1)]


def predict(panel: Panel) -> Forecast:
    """Say how many stories the window should hold, and how uncertain that is.

    Variance is dispersion times mean, plus what is not known of the levels: counting noise of the history, and drift.
    """
    fit = _fit(panel)
    taught = panel.weights * panel.covered
    exposed = taught * fit.bins[..., None, 1:]
    days = exposed.sum(-1) ** 2 / (taught * exposed).sum(-1)  # as many evenly weighted days would teach as much
    factor = fit.bins[..., :1] * panel.polled
    expected = (fit.levels * factor).sum(-1)
    level_noise = fit.dispersion * (fit.levels * factor**2 / days).sum(-1)
    return Forecast(expected, fit.dispersion * expected + level_noise + (_DRIFT * expected) ** 2, fit.dispersion)


def _fit(panel: Panel) -> _Fit:
    """Learn levels, weekdays and dispersion in a few rounds; days far above the fit are capped, lest surges teach."""
    later, earlier = panel.later[..., 1:] * panel.covered, panel.earlier[..., 1:] * panel.covered
    totals, weekdays = (later + earlier).sum(-2), panel.weekdays
    share = _share_of_day(later, earlier, panel.elapsed)
    kept = 0 * totals + 1  # at first every day teaches in full
    dispersion = _DISPERSION * kept[..., 0]
    for _ in range(_ROUNDS):
        bins = share * weekdays[..., _LATER] + (1 - share) * weekdays[..., _EARLIER]
        levels = _levels((later + earlier) * kept[..., None, :], panel, bins)
        flat = (levels[..., None] * panel.covered).sum(-2)
        fitted = flat * bins[..., 1:]
        dispersion = _dispersion(totals * kept, fitted)
        kept = _cap(totals, fitted, dispersion)
        weekdays = _weekdays(later.sum(-2) * kept, earlier.sum(-2) * kept, flat, share, panel.weekdays)
    return _Fit(levels, bins, dispersion)


def _share_of_day(later: "Array", earlier: "Array", elapsed: float) -> "Array":
    """Return the share of a day's stories (..., 1) that come before the present time of day, in UTC."""
    after, before = later.sum((-2, -1)), earlier.sum((-2, -1))
    share: Array = (after + _SHARE_STORIES * elapsed) / (after + before + _SHARE_STORIES)
    return share[..., None]


def _levels(counts: "Array", panel: Panel, bins: "Array") -> "Array":
    """Return each feed's stories a day (..., feeds), on the days it was covered; recent days teach more."""
    taught = panel.weights * panel.covered
    stories = (counts * taught).sum(-1) + _PRIOR_STORIES / counts.shape[-2]
    levels: Array = stories / (taught * bins[..., None, 1:]).sum(-1)
    return levels


def _dispersion(totals: "Array", fitted: "Array") -> "Array":
    """Return variance over mean (...): squared residuals over the days, drawn towards the prior."""
    residuals, told = ((totals - fitted) ** 2).sum(-1), fitted.sum(-1)
    days = (fitted > 0).sum(-1)
    learned = 1 + 6 * told / (told + 7 * _WEEKDAY_STORIES)  # a level and six weekdays, as far as they left the prior
    prior = _DISPERSION_DAYS * (told / days + 0.5)  # few stories say little about dispersion: more prior
    dispersion: Array = (residuals / (1 - learned / days) + _DISPERSION * prior) / (told + prior)
    return dispersion.clip(1, _DISPERSION_MAX)


def _cap(totals: "Array", fitted: "Array", dispersion: "Array") -> "Array":
    """Return the share of each day's stories (..., 56) that may teach: up to three standard deviations over the fit."""
    most = fitted + _CAP_SD * (dispersion[..., None] * fitted) ** 0.5
    kept: Array = (most.clip(1) / totals.clip(1)).clip(0, 1)
    return kept


def _weekdays(later: "Array", earlier: "Array", flat: "Array", share: "Array", prior: "Array") -> "Array":
    """Return the weekday factors (..., 7) from today backwards, mean one: stories told over stories expected."""
    told = _fold(later, _FOLD_LATER) + _fold(earlier, _FOLD_EARLIER)
    expected = share * _fold(flat, _FOLD_LATER) + (1 - share) * _fold(flat, _FOLD_EARLIER)
    factors = (told + _WEEKDAY_STORIES * prior) / (expected + _WEEKDAY_STORIES)
    mean_one: Array = factors / factors.mean(-1)[..., None]
    return mean_one


def _fold(bins: "Array", places: list[int]) -> "Array":
    """Sum the 56 past bins (..., 56) by weekday (..., 7), from today's weekday backwards."""
    weeks = bins.reshape(*bins.shape[:-1], HISTORY_DAYS // 7, 7)
    summed: Array = weeks.sum(-2)[..., places]
    return summed


def tail(observed: int, expected: float, variance: float) -> float:
    """Return the chance of ``observed`` or more stories under a negative binomial; never below 1e-300.

    Sums the probabilities on the shorter side, each from its neighbour (Johnson, Kemp, Kotz 2005, chapter 5).
    """
    if observed <= 0 or expected <= 0:
        return 1.0
    size = expected**2 / max(variance - expected, 1e-6 * expected)
    if observed <= expected:
        return 1.0 - _terms(range(observed - 1, -1, -1), expected, size)
    return max(_terms(range(observed, 1_000_000_000), expected, size), 1e-300)


def _terms(numbers: range, mean: float, size: float) -> float:
    """Sum a negative binomial's probabilities over ``numbers`` until a term no longer matters."""
    step, share = numbers.step, mean / (mean + size)
    first = numbers[0]
    log_first = math.lgamma(first + size) - math.lgamma(size) - math.lgamma(first + 1)
    term = total = math.exp(log_first + size * math.log1p(-share) + first * math.log(share))
    for number in numbers[:-1]:
        ratio = (number + size) / (number + 1) * share if step > 0 else number / ((number - 1 + size) * share)
        term *= ratio
        total += term
        if term <= total * 1e-12:
            break
    return min(total, 1.0)
