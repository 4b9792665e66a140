"""What is to be expected of a topic: learned day by day from the same feeds' past, and never from surges.

Each feed has a level (stories a day) on the days it was covered: a new feed joins when its level is known, an absent
one leaves both sides of the comparison. Their sum, the panel, is multiplied by a weekday or holiday factor, by a
slowly moving common level, and by how much the same feeds bring in all: where all coverage doubles, twice as much of
each topic is expected. The variance of the counts is a learned multiple of their mean (the dispersion), widened by
what is not known of the level. A day that looks like a surge hardly teaches, and no day teaches more than four
standard deviations. The panel and the learning that is sure not to swallow surges follow Noufaily et al. 2013
(Statistics in Medicine 32:1206) and Harvey 1989 (local level); docs/trends.md tells the whole.

Arrays have any leading axes (...), so that a replay can take many moments at once, and a benchmark many topics. F is
the number of feeds; a class of days is a weekday (0 to 6) or HOLIDAY.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from monitor.detection.belief import after_day, calm, log_ratios

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[np.float64]"
Classes: TypeAlias = "npt.NDArray[np.intp]"

HOLIDAY = 7
JOIN_DAYS = 21.0
"""A feed is compared once it was covered for so many days."""

_FORGET = 1 - 1 / 65  # of a level's evidence, each day
_FORGET_SEASON = 1 - 1 / 180  # of the weekday factors' evidence
_FORGET_SPREAD = 1 - 1 / 120  # of the dispersion's evidence
_PRIOR_STORIES = 0.5  # so that a topic without any story yet does not expect exactly none
_WEEKEND, _HOLIDAY = 0.5, 0.6  # priors: stories of such a day per story of a usual weekday
_SEASON_STORIES = 40.0  # weight of those priors
_DISPERSION, _DISPERSION_DAYS = 1.8, 14.0  # prior: variance of a day's stories over their mean
_DISPERSION_MAX = 8.0
_CAP_SD = 4.0
_TEACH_LEAST = 0.05  # a lasting new level must become normal at last
_LEVEL_SD, _LEVEL_MEMORY = 0.25, 60.0  # how the common level drifts: relative sd, days
_DOUBT_AT_FIRST = 0.05  # relative variance of a level that was learned in three weeks
_GAIN = (1 / 65, 1 / 5)  # the common level follows a day by so much at least and at most
_VOLUME_STORIES = 20.0  # the calendar's word weighs so many against the number of all stories that really came


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the panel: the topic's stories, all stories, and the share of the day covered (..., F).

    ``kind`` is the class of the day (...). ``fresh`` is the share covered of which news was learned as it came; the
    rest was backlog.
    """

    told: Array
    total: Array
    known: Array
    fresh: Array
    kind: Classes


@dataclass(frozen=True, slots=True)
class Season:
    """Evidence for the factor of each class of days: stories told, stories expected without it (..., 8)."""

    told: Array
    expected: Array

    def factor(self, kind: Classes) -> "Array":
        """Return the factor (...) of a class of days; those of the seven weekdays have mean one."""
        import numpy as np  # noqa: PLC0415 - the command line must start without it

        prior = _season_prior()
        factors = (self.told + _SEASON_STORIES * prior) / (self.expected + _SEASON_STORIES)
        factors = factors / factors[..., :HOLIDAY].mean(-1, keepdims=True)
        return np.take_along_axis(factors, kind[..., None], -1)[..., 0]

    def taught(self, kind: Classes, told: Array, expected: Array) -> "Season":
        """Return the evidence after a day of that class."""
        import numpy as np  # noqa: PLC0415 - the command line must start without it

        today = np.arange(HOLIDAY + 1) == kind[..., None]
        return Season(
            self.told * _FORGET_SEASON + today * told[..., None],
            self.expected * _FORGET_SEASON + today * expected[..., None],
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the past has taught: see this module. All arrays (...) unless written otherwise.

    ``told`` and ``total`` are the feeds' forgotten stories, ``exposed`` and ``exposed_total`` the expected days they
    came from, ``age`` the days covered so far (..., F). ``belief`` is about the states of monitor.detection.belief
    (..., S), ``fresh`` the same from news only. ``days`` counts the days on which the panel was compared.
    """

    told: Array
    total: Array
    exposed: Array
    exposed_total: Array
    age: Array
    season: Season
    season_total: Season
    level: Array
    doubt: Array
    squares: Array
    spread: Array
    belief: Array
    fresh: Array
    days: Array


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a day should bring, before anything of it is known.

    Per feed and whole day: the topic's stories ``panel``, the same on an average day ``usual``, and all other stories
    ``others`` (..., F); zero for feeds that are not compared. ``factor`` and ``factor_others`` are those of the class
    of the day (...), ``doubt`` the relative variance of what is not known of the panel's level, ``spread`` the learned
    dispersion, ``dispersion`` the variance over the mean of the prediction.
    """

    panel: Array
    usual: Array
    others: Array
    factor: Array
    factor_others: Array
    doubt: Array
    spread: Array
    dispersion: Array


def beginning(*shape: int) -> Baseline:
    """Return the baseline of one who knows nothing; ``shape`` is (..., F)."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    feeds, one, season = np.zeros(shape), np.ones(shape[:-1]), np.zeros((*shape[:-1], HOLIDAY + 1))
    return Baseline(
        told=feeds,
        total=feeds,
        exposed=feeds,
        exposed_total=feeds,
        age=feeds,
        season=Season(season, season),
        season_total=Season(season, season),
        level=one,
        doubt=_DOUBT_AT_FIRST * one,
        squares=0 * one,
        spread=0 * one,
        belief=calm(*shape[:-1]),
        fresh=calm(*shape[:-1]),
        days=0 * one,
    )


def outlook(past: Baseline, kind: "Classes", covered: "Array") -> Outlook:
    """Say what a day of that class should bring from each feed that is compared, if it is covered all day.

    ``covered`` (..., F) is positive where a feed is covered at all.
    """
    joined = (past.age >= JOIN_DAYS) & (covered > 0)
    levels = joined * (past.told + _PRIOR_STORIES / past.told.shape[-1]) / past.exposed.clip(1)
    spread = dispersion(past)
    noise = (levels**2 / past.told.clip(_PRIOR_STORIES)).sum(-1) / (levels.sum(-1) ** 2).clip(1e-9)
    doubt = past.doubt / past.level**2 + spread * noise
    usual = levels * past.level[..., None]
    factor, factor_others = past.season.factor(kind), past.season_total.factor(kind)
    panel = usual * factor[..., None]
    return Outlook(
        panel=panel,
        usual=usual,
        others=joined * past.total / past.exposed_total.clip(1) * factor_others[..., None],
        factor=factor,
        factor_others=factor_others,
        doubt=doubt,
        spread=spread,
        dispersion=spread + doubt * panel.sum(-1),
    )


def dispersion(past: Baseline) -> "Array":
    """Return the learned variance over mean of a day's stories (...)."""
    days = past.days.clip(1)
    prior = _DISPERSION_DAYS * (past.spread / days.clip(None, 1 / (1 - _FORGET_SPREAD)) + 0.5)
    learned: Array = (past.squares + _DISPERSION * prior) / (past.spread + prior)
    return learned.clip(1, _DISPERSION_MAX)


def volume(others: "Array", expected: "Array", share: "Array | float" = 1.0) -> "Array":
    """Return how much the feeds brought in all, relative to what was expected of them in a day (...).

    For an hour, ``share`` is what the calendar says of its share of an average day, and ``others`` came within it: the
    result is its share of this day. Over a day's hours they sum up to the day's volume.
    """
    ratio: Array = (_VOLUME_STORIES * share + others) / (_VOLUME_STORIES + expected)
    return ratio


def learn(past: Baseline, day: Day) -> Baseline:
    """Return what is known after a day."""
    ahead, seen = outlook(past, day.kind, day.known), day.known > 0
    others = (day.total - day.told).clip(0) * seen  # a story may begin to carry the topic later than it began
    compared, usual_others = ahead.panel > 0, (ahead.others * day.known).sum(-1)
    busy = volume((others * compared).sum(-1), usual_others)
    expected = (ahead.panel * day.known).sum(-1) * busy
    told = (day.told * seen * compared).sum(-1)
    ratios = log_ratios(told, expected, ahead.dispersion)
    belief = after_day(past.belief, ratios)
    teaches = belief[..., 0].clip(_TEACH_LEAST)
    kept = _kept(told, expected, ahead.dispersion)
    news = _share((day.fresh * ahead.panel).sum(-1), (day.known * ahead.panel).sum(-1))
    level, doubt = _level_after(past, teaches, kept * told, expected, ahead.spread)
    return Baseline(
        told=_FORGET * past.told + day.told * seen * (teaches * kept)[..., None],
        exposed=_FORGET * past.exposed + day.known * (teaches * busy * past.level * ahead.factor)[..., None],
        total=_FORGET * past.total + others,
        exposed_total=_FORGET * past.exposed_total + day.known * ahead.factor_others[..., None],
        age=past.age + day.known,
        season=past.season.taught(day.kind, teaches * kept * told, teaches * expected / ahead.factor),
        season_total=past.season_total.taught(
            day.kind, (others * compared).sum(-1), usual_others / ahead.factor_others
        ),
        level=level,
        doubt=doubt,
        # Clumps look like surges of a day: here all days teach, or a clumpy topic would never be known as one.
        squares=_FORGET_SPREAD * past.squares + (kept * told - expected) ** 2 - ahead.doubt * expected**2,
        spread=_FORGET_SPREAD * past.spread + expected,
        days=_FORGET_SPREAD * past.days + (expected > 0),
        belief=belief,
        fresh=after_day(past.fresh, ratios * news[..., None]),
    )


def _kept(told: "Array", expected: "Array", dispersion: "Array") -> "Array":
    """Return the share of a day's stories (...) that may teach: up to four standard deviations over the expected."""
    most = (expected + _CAP_SD * (dispersion * expected) ** 0.5).clip(1)
    share: Array = (most / told.clip(1)).clip(0, 1)
    return share


def _share(part: "Array", whole: "Array") -> "Array":
    """Return part / whole (...), 0 where there is no whole."""
    share: Array = part / whole.clip(1e-9)
    return share


def _level_after(
    past: Baseline, teaches: "Array", told: "Array", expected: "Array", spread: "Array"
) -> tuple["Array", "Array"]:
    """Follow the common level: a Kalman step (Harvey 1989) in units of what the feeds' levels let expect.

    Returns the new level and its variance (...).
    """
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    some = expected > 0
    basis = np.where(some, expected, 1.0) / past.level
    noise = spread * past.level / basis
    gain = (past.doubt / (past.doubt + noise)).clip(*_GAIN) * teaches * some
    level = past.level + gain * (told / basis - past.level) + (1 - past.level) / _LEVEL_MEMORY * some
    wander = 2 * _LEVEL_SD**2 / _LEVEL_MEMORY * past.level**2 * some
    doubt = ((1 - gain) * past.doubt + wander).clip(0, _LEVEL_SD**2 * past.level**2)
    return level.clip(0.1, 10), doubt


@cache
def _season_prior() -> "Array":
    """Return the prior factors of the classes of days (8)."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    factors = np.array([1.0] * 5 + [_WEEKEND] * 2 + [_HOLIDAY])
    factors /= factors[:HOLIDAY].mean()
    return factors
