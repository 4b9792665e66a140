"""Simulated topics for benchmarks.trends: daily stories of several feeds, with everything that misleads a detector.

Counts are negative binomial (variance = dispersion x mean); the mean is level x weekday x holiday x trend x season x
drift, as in Noufaily et al. 2013 (Statistics in Medicine 32:1206), restated for days. N topics, F feeds, D days; day 0
is a Monday moved by a random number of days.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from monitor.detection.baseline import HOLIDAY

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

FEEDS, NEW_FEEDS = 5, 3
WEEKEND, HOLIDAY_FACTOR, CHRISTMAS = 0.45, 0.45, 0.65
DRIFT_SD, DRIFT_MEMORY = 0.25, 60.0
_DISPERSION_OF_OTHERS = 2.0
_SATURDAY = 5
_PUBLIC_HOLIDAYS = (0, 88, 91, 121, 145, 184, 246, 330, 358, 359)
_CHRISTMAS_DAYS = range(353, 367)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of topic: stories a day, variance over mean, and what the world does to it.

    ``season`` is the amplitude of a yearly wave in log units, ``others`` how many other stories come for each of the
    topic's. The nuisances: three feeds are ``added``; the host is ``down`` four times a year and a feed dead twice;
    one story in 25 is ``copied`` 2 to 40 times; the ``volume`` of all coverage changes three times a year.
    """

    mean: float
    dispersion: float = 1.5
    season: float = 0.0
    others: float = 4.0
    added: bool = False
    down: bool = False
    copied: bool = False
    volume: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """From the first day after a quiet time on, ``days`` days bring ``times`` as many stories."""

    times: float
    days: int


@dataclass(frozen=True, slots=True)
class World:
    """What happened: stories and other stories by publication, coverage (N, F, D), and classes of days (N, D).

    ``items`` (N, D) is what a program counts that knows no stories, no feeds and no dates: copies, and everything on
    the day on which it was seen. ``mean`` (N, F, D) is the truth behind ``told`` but for the change, ``dispersion``
    another.
    """

    told: Ints
    others: Ints
    known: Floats
    kinds: npt.NDArray[np.intp]
    items: Ints
    mean: Floats
    dispersion: float


def world(kind: Kind, topics: int, days: int, seed: int, change: Change | None = None) -> World:
    """Draw topics; a ``change`` fills the last days."""
    rng = np.random.default_rng([seed, days, topics])
    weekday = (np.arange(days) + rng.integers(0, 7, (topics, 1))) % 7
    year = np.arange(days) % 365
    public, christmas = np.isin(year, _PUBLIC_HOLIDAYS), np.isin(year, list(_CHRISTMAS_DAYS))
    shape = _week(weekday) * np.where(public, HOLIDAY_FACTOR, np.where(christmas, CHRISTMAS, 1.0))
    shares = rng.dirichlet([3.0] * FEEDS, topics)
    if kind.added:
        shares = np.concatenate([shares, rng.uniform(0.25, 0.7, (topics, NEW_FEEDS))], 1)
    wave = _waves(topics, days, rng) if kind.volume else np.ones((topics, days))
    level = kind.mean * shape * wave * _slow(kind, topics, days, rng)
    mean = level[:, None] * shares[..., None]
    changed = mean.copy()
    if change is not None:
        changed[..., days - change.days :] *= change.times
    known = _known(kind, topics, shares.shape[1], days, rng)
    told = _draw(changed, kind.dispersion, rng)
    rest = kind.others * kind.mean * shape * wave * _slow(kind, topics, days, rng)
    others = _draw(rest[:, None] * shares[..., None], _DISPERSION_OF_OTHERS, rng)
    kinds = np.where((public | christmas) & (weekday < _SATURDAY), HOLIDAY, weekday).astype(np.intp)
    return World(told, others, known, kinds, _items(kind, told, known, rng), mean, kind.dispersion)


def _week(weekday: Ints) -> Floats:
    factors = np.array([1.0] * 5 + [WEEKEND] * 2)
    return np.asarray((factors / factors.mean())[weekday])


def _slow(kind: Kind, topics: int, days: int, rng: np.random.Generator) -> Floats:
    """Return trend, season and drift (Ornstein-Uhlenbeck), relative to one (N, D)."""
    years = (np.arange(days) - days / 2) / 365
    trend = np.log1p(rng.uniform(-0.4, 0.4, (topics, 1))) * years
    season = kind.season * np.sin(2 * np.pi * (years + rng.uniform(0, 1, (topics, 1))))
    drift, keep = np.zeros((topics, days)), np.exp(-1 / DRIFT_MEMORY)
    drift[:, 0] = DRIFT_SD * rng.standard_normal(topics)
    for day in range(1, days):
        drift[:, day] = keep * drift[:, day - 1] + DRIFT_SD * (1 - keep**2) ** 0.5 * rng.standard_normal(topics)
    return np.exp(trend + season + drift - DRIFT_SD**2 / 2)


def _waves(topics: int, days: int, rng: np.random.Generator) -> Floats:
    """Return changes of the volume of all coverage: from one day to the next half to two and a half times as much."""
    factors = np.ones((topics, days))
    for topic in range(topics):
        for day in rng.integers(0, days, 3 * days // 365):
            factors[topic, day:] *= np.exp(rng.uniform(np.log(0.5), np.log(2.5)))
    return np.asarray(factors / np.exp(np.log(factors).mean(1, keepdims=True)))


def _draw(mean: Floats, dispersion: float, rng: np.random.Generator) -> Ints:
    if dispersion > 1:
        mean = rng.gamma(np.maximum(mean, 1e-9) / (dispersion - 1), dispersion - 1)
    return np.asarray(rng.poisson(mean), dtype=np.int64)


def _known(kind: Kind, topics: int, feeds: int, days: int, rng: np.random.Generator) -> Floats:
    """Return which feeds are covered on which days: new ones begin, the host goes down, a feed dies for a while."""
    known = np.ones((topics, feeds, days))
    years = days / 365
    for topic in range(topics):
        for feed in range(FEEDS, feeds):
            known[topic, feed, : rng.integers(days // 4, days)] = 0
        for _ in range(round(4 * years) if kind.down else 0):
            begin = rng.integers(0, days - 3)
            known[topic, :, begin : begin + rng.integers(1, 4)] = 0
        for _ in range(round(2 * years) if kind.down else 0):
            begin = rng.integers(0, days - 20)
            known[topic, rng.integers(0, FEEDS), begin : begin + rng.integers(10, 21)] = 0
    return known


def _items(kind: Kind, told: Ints, known: Floats, rng: np.random.Generator) -> Ints:
    """Return what a naive program counts per day (N, D): copies too, and a backlog on the day after an outage."""
    seen = (told * known).sum(1)
    if kind.down:
        missed = rng.binomial(told.sum(1), 0.6) * (known.sum(1) == 0)
        for day in range(1, seen.shape[1]):
            back = known[:, :, day].sum(1) > 0
            seen[:, day] += missed[:, day - 1] * back
            missed[:, day] += missed[:, day - 1] * ~back
    seen = seen.astype(np.int64)
    return np.asarray(seen + _copies(seen, rng)) if kind.copied else seen


def _copies(seen: Ints, rng: np.random.Generator) -> Ints:
    """Return the copies of stories, half on the day itself and half on the next."""
    copied = rng.binomial(seen, 0.04)
    more = np.zeros_like(seen)
    for topic, day in zip(*np.nonzero(copied), strict=True):
        number = int(rng.integers(2, 41, copied[topic, day]).sum())
        more[topic, day] += number // 2
        if day + 1 < seen.shape[1]:
            more[topic, day + 1] += number - number // 2
    return more


def nuisances(kind: Kind) -> dict[str, Kind]:
    """Return the same topic with each nuisance, and with all of them."""
    each = {name: replace(kind, **{name: True}) for name in ("added", "down", "copied", "volume")}
    return each | {"all": replace(kind, added=True, down=True, copied=True, volume=True)}
