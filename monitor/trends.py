"""Does a topic really rise or fall? Turns a look into a state, within a budget of false alarms. Pure.

A look's score is compared with how often a year chance alone brings such a score to a topic of this size and
dispersion (monitor.detection.chance). A topic that becomes unusual begins an episode; it lasts until the score has
fallen well below what began it, and one that becomes unusual again within a week goes on. docs/trends.md tells the
method.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.detection.baseline import JOIN_DAYS
from monitor.detection.chance import interval, lower_tail, per_year, upper_tail
from monitor.detection.flow import Calendar, flow_of
from monitor.detection.looks import Look, Window, look_all
from storage.records import Exposure, History, Trend, TrendState, Way

MIN_DAYS = 12.0
"""So many (effective) days the panel must have been compared before a topic is judged."""
LEARNING = timedelta(days=JOIN_DAYS + 15)
"""How long a feed is learned until a topic can be judged by it alone."""
ANSWERING = timedelta(hours=36)
"""A feed that last answered longer ago does not count as alive."""
MIN_STORIES = 3
"""Fewer stories than this are never a rise, and fewer expected never a fall."""
SAME = timedelta(days=7)
"""A topic that becomes unusual again within this time goes on with its episode."""

RISES: tuple[TrendState, ...] = ("rising", "surging")
FALLS: tuple[TrendState, ...] = ("falling", "quiet")
_SURGING, _STILL_SURGING = 2.4, 2.0  # a rise by so much is a surge
_QUIET, _STILL_QUIET = 0.28, 0.35  # a fall to so much is silence
_LITTLE = 0.1  # stories: less is not divided by
_LEAVE = 13.0  # an episode lasts while chance brings its score at most so many times as often as its budget allows


@dataclass(frozen=True, slots=True)
class Episode:
    """The present or the last episode: a rise or a fall, when it began, when it was last rare enough for the budget."""

    way: Way | None = None
    began: datetime | None = None
    alarmed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Budgets:
    """How many alerts a year and topic are accepted from chance alone; no fall is looked for when ``falls`` is 0."""

    rises: float = 2.0
    falls: float = 1.0


def evaluate(  # noqa: PLR0913, PLR0917 - what is judged, against what, when, how strictly: nothing to bundle
    topic: str, history: History, previous: Trend | None, now: datetime, calendar: Calendar, budgets: Budgets
) -> Trend:
    """Judge a topic's flow at ``now``; ``previous`` is what this function returned last time."""
    [look] = look_all([flow_of(topic, history, now, calendar)])
    return judge(topic, look, previous, budgets, history.exposures)


def judge(topic: str, look: Look, previous: Trend | None, budgets: Budgets, exposures: Sequence[Exposure]) -> Trend:
    """Turn a look into a state, with the numbers that explain it.

    Raises ValueError when the budget of rises is not positive, or that of falls is negative.
    """
    if not budgets.rises > 0 or budgets.falls < 0:
        raise ValueError("the budget of false alarms per year must be positive")
    if look.days < MIN_DAYS or not look.feeds:  # an outage, perhaps: the last episode is not forgotten
        before, ready = _episode(None, False, previous, look.now), _ready(look.now, exposures)
        return _trend(topic, look, look.windows[0], "learning", previous, episode=before, ready=ready)
    way, alarmed = _way(look, previous, budgets)
    episode = _episode(way, alarmed, previous, look.now)
    window = _telling(look, way)
    return _trend(topic, look, window, _state(window, way, previous), previous, way=way, episode=episode)


def _way(look: Look, previous: Trend | None, budgets: Budgets) -> tuple[Way | None, bool]:
    """Say whether the topic rises or falls, and whether that is rare enough for the budget at this moment.

    Both at once cannot be: the rarer one counts.
    """
    times: dict[Way, float] = {"rise": rarity(look, "rise") / budgets.rises}
    if max(window.observed for window in look.windows) < MIN_STORIES:
        times.pop("rise")
    if budgets.falls and max(window.expected for window in look.windows) >= MIN_STORIES:
        times["fall"] = rarity(look, "fall") / budgets.falls
    found = {way: often for way, often in times.items() if often <= (_LEAVE if _in(previous, way) else 1.0)}
    way = min(found, key=found.__getitem__, default=None)
    return way, way is not None and found[way] <= 1.0


def rarity(look: Look, way: Way) -> float:
    """Return how often a year chance alone brings a topic like this one such a score."""
    return per_year(look.rise if way == "rise" else look.fall, way, look.mean, look.dispersion)


def _in(previous: Trend | None, way: Way) -> bool:
    return previous is not None and previous.state in (RISES if way == "rise" else FALLS)


def _episode(way: Way | None, alarmed: bool, previous: Trend | None, now: datetime) -> Episode:
    """Go on with the last episode, or begin one. Times are compared without their order: a clock may be set back."""
    before = Episode(previous.way, previous.episode, previous.alarmed) if previous else Episode()
    if way is None:
        return before
    recent = before.alarmed is not None and abs(now - before.alarmed) <= SAME
    if before.way == way and (recent or _in(previous, way)):
        return replace(before, alarmed=now) if alarmed else before
    return Episode(way, now, now)


def _state(window: Window, way: Way | None, previous: Trend | None) -> TrendState:
    """Name the state by how many times the expected came; one that has grown stays so until it is clearly less."""
    before = previous.state if previous else "normal"
    times = window.observed / max(window.expected, _LITTLE)
    if way == "rise":
        return "surging" if times >= (_STILL_SURGING if before == "surging" else _SURGING) else "rising"
    if way == "fall":
        return "quiet" if times <= (_STILL_QUIET if before == "quiet" else _QUIET) else "falling"
    return "normal"


def _telling(look: Look, way: Way | None) -> Window:
    """Return the window that shows a rise or a fall best; the last 24 hours when there is none."""
    if way is None:
        return look.windows[0]
    return min(look.windows, key=lambda window: _chance(look, window, way))


def _chance(look: Look, window: Window, way: Way | None) -> float:
    """Return the probability that a window holds so many stories or more, or so few or fewer, by chance."""
    tail = lower_tail if way == "fall" else upper_tail
    return tail(window.observed, window.expected, _variance(look, window))


def _variance(look: Look, window: Window) -> float:
    return look.dispersion * window.expected + look.doubt * window.expected**2


def _trend(  # noqa: PLR0913 - a record of many fields is put together here
    topic: str,
    look: Look,
    window: Window,
    state: TrendState,
    previous: Trend | None,
    *,
    way: Way | None = None,
    episode: Episode | None = None,
    ready: datetime | None = None,
) -> Trend:
    chance = _chance(look, window, way) if state != "learning" else 1.0
    low, high = interval(window.expected, _variance(look, window))
    last = episode or Episode()
    return Trend(
        topic=topic,
        evaluated=look.now,
        window_start=window.start,
        window_end=look.now,
        observed=window.observed,
        expected=window.expected,
        chance=chance,
        surprise=max(-math.log10(chance), 0.0),
        state=state,
        since=previous.since if previous is not None and previous.state == state else look.now,
        feeds=look.feeds,
        ready=ready,
        low=low,
        high=high,
        score=look.fall if way == "fall" else look.rise,
        per_year=rarity(look, way or "rise") if state != "learning" else 365.0,
        outlets=window.outlets,
        share=window.share,
        usual_share=window.usual_share,
        way=last.way,
        episode=last.began,
        alarmed=last.alarmed,
    )


def _ready(now: datetime, exposures: Sequence[Exposure]) -> datetime | None:
    """Say when a topic can be judged, if the feeds that answer go on answering; None when none does."""
    alive = [exposure.since + LEARNING for exposure in exposures if now - exposure.until <= ANSWERING]
    return max(min(alive), now) if alive else None
