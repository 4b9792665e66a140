"""Detectors for benchmarks.trends: ours, as it runs, and the rules that are usually used.

A detector takes a world and returns a score for every look after WARM_UP days: ours looks at every hour, the others at
the end of every day. High means more than usual; ``falls`` asks for less than usual instead.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.simulation import World
from monitor.detection import belief
from monitor.detection.baseline import Baseline, Day, Outlook, beginning, learn, outlook, volume
from monitor.detection.flow import HOURS, RECENT_DAYS
from monitor.detection.looks import spread_out

Floats: TypeAlias = npt.NDArray[np.float64]

WARM_UP = 200
OFFICE_HOURS = np.array([1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 9, 9, 10, 10, 9, 8, 6, 5, 4, 3, 3, 2, 1], dtype=np.float64)
PROFILE = OFFICE_HOURS / OFFICE_HOURS.sum()


@dataclass(frozen=True, slots=True)
class Scores:
    """What a detector said: rises and falls (N, looks), looks a day, and how it saw the topic (N, days)."""

    rises: Floats
    falls: Floats
    per_day: int
    means: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    dispersions: Floats = field(default_factory=lambda: np.zeros((0, 0)))


Detector: TypeAlias = Callable[[World], Scores]


@dataclass(slots=True)
class _Recent:
    """One recent day, as the detector sees it at each of its hours: log likelihoods (N, 24, S)."""

    ratios: Floats


def ours(world: World, first: int = WARM_UP) -> Scores:
    """Run the shipped detector: the baseline day by day, the belief hour by hour, over stories on the same feeds."""
    topics, feeds, days = world.told.shape
    past, recent, starts = beginning(topics, feeds), list[_Recent](), list[Floats]()
    rises, falls, means, spreads = list[Floats](), list[Floats](), list[Floats](), list[Floats]()
    for day in range(days):
        ahead = outlook(past, world.kinds[:, day], world.known[..., day])
        if day > first - RECENT_DAYS:
            starts.append(past.fresh)
            recent = [*recent, _today(world, day, ahead)][-RECENT_DAYS:]
        if day >= first:
            looks = _beliefs(starts[-len(recent)], recent)
            rises.append(belief.log_odds(looks, belief.SURGES))
            falls.append(belief.log_odds(looks, belief.DROPS))
            means.append(ahead.usual.sum(-1))
            spreads.append(ahead.spread)
        past = _after(past, world, day)
    return Scores(np.concatenate(rises, 1), np.concatenate(falls, 1), HOURS, np.stack(means, 1), np.stack(spreads, 1))


def _after(past: Baseline, world: World, day: int) -> Baseline:
    told, others, known = world.told[..., day], world.others[..., day], world.known[..., day]
    return learn(past, Day(told.astype(float), (told + others).astype(float), known, known, world.kinds[:, day]))


def _today(world: World, day: int, ahead: Outlook) -> _Recent:
    """Spread a day's stories over its hours."""
    compared = (ahead.panel > 0) * world.known[..., day]
    told = by_hour((world.told[..., day] * compared).sum(-1), day)
    others = by_hour((world.others[..., day] * compared).sum(-1), day + world.told.shape[-1])
    rest = (ahead.others * world.known[..., day]).sum(-1)
    share = volume(others, rest[:, None], PROFILE)
    added = volume(others, rest[:, None], spread_out(PROFILE)) / share
    expected = (ahead.panel * world.known[..., day]).sum(-1)[:, None] * share
    return _Recent(belief.log_ratios(told, expected, ahead.dispersion[:, None], added))


def by_hour(stories: Floats, seed: int) -> Floats:
    """Spread a day's stories (N) over its hours (N, 24)."""
    return np.random.default_rng(seed).multinomial(stories.astype(int), PROFILE).astype(float)


def _beliefs(start: Floats, recent: list[_Recent]) -> Floats:
    """Return the belief at each hour of the last of these days (N, 24, S)."""
    now, looks = start, list[Floats]()
    for day in recent:
        looks = []
        for hour in range(HOURS):
            now = belief.after_hour(now, day.ratios[:, hour])
            looks.append(now)
    return np.stack(looks, 1)


def oracle(world: World) -> Scores:
    """Run the same filter for one who knows the true mean and dispersion of every day."""
    topics, _, days = world.told.shape
    now, rises, falls = belief.calm(topics), list[Floats](), list[Floats]()
    for day in range(WARM_UP - 30, days):
        told = by_hour((world.told[..., day] * world.known[..., day]).sum(-1), day)
        expected = (world.mean[..., day] * world.known[..., day]).sum(-1)[:, None] * PROFILE
        ratios = belief.log_ratios(
            told, expected, np.full((topics, 1), world.dispersion), spread_out(PROFILE) / PROFILE
        )
        for hour in range(HOURS):
            now = belief.after_hour(now, ratios[:, hour])
            if day >= WARM_UP:
                rises.append(belief.log_odds(now, belief.SURGES))
                falls.append(belief.log_odds(now, belief.DROPS))
    return Scores(np.stack(rises, 1), np.stack(falls, 1), HOURS)


def on_raw_counts(world: World) -> Scores:
    """Run our filter without stories, feeds or coverage: everything as one feed's items, when it was seen."""
    items = world.items[:, None].astype(np.int64)
    return ours(replace(world, told=items, others=items * 0, known=np.ones(items.shape)))


def _daily(rises: Floats) -> Scores:
    return Scores(rises[:, WARM_UP:], -rises[:, WARM_UP:], 1)


def _past(items: Floats, days: int, skip: int = 0) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the ``days`` days before each day (and before the ``skip`` days before)."""
    padded = np.pad(items, ((0, 0), (days + skip, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, days, 1)[:, : items.shape[1]]
    return windows.mean(-1), windows.std(-1, ddof=1)


def z_score(world: World) -> Scores:
    """Return the z-score against the 28 days before."""
    items = world.items.astype(float)
    mean, sd = _past(items, 28)
    return _daily((items - mean) / sd.clip(0.5))


def ears_c3(world: World) -> Scores:
    """Return EARS C3: three days' excess over seven days that ended two days before (Fricker et al. 2008)."""
    items = world.items.astype(float)
    mean, sd = _past(items, 7, 2)
    c2 = (items - mean) / sd.clip(0.5)
    over = (c2 - 1).clip(0)
    return _daily(over + np.pad(over, ((0, 0), (1, 0)))[:, :-1] + np.pad(over, ((0, 0), (2, 0)))[:, :-2])


def huginn(world: World) -> Scores:
    """Return Huginn's PeakDetector: a day's distance from a fortnight's mean in its standard deviations."""
    items = world.items.astype(float)
    mean, sd = _past(items, 14)
    return _daily((items - mean) / sd.clip(0.25))
