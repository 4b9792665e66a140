"""How often does a quiet topic raise a surge, and how soon is a real one found? Simulated, seeded, about a minute.

Run ``python -m benchmarks.false_alarms``. Every topic is one feed with stories spread over the day in an office-hours
shape, half as many on weekend days, evaluated every hour by the functions of monitor.trends themselves. Beside it
stands the usual rule, a z-score over the past 28 days: as it is usually set (three standard deviations), and set so
that its false alarms equal ours on average. ``--topics N`` simulates N topics of each kind (40), ``--fit`` prints the
false alarms at other thresholds: what monitor.trends.chance_threshold is fitted to.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from monitor import trends

Floats: TypeAlias = npt.NDArray[np.float64]
Detector: TypeAlias = Callable[[Floats], Floats]
"""Takes stories (topics, days, 24), returns the chance at each hour after the warm-up (topics, hours)."""

WARM_UP = 58
"""Days before the first evaluation: the history and a day for the bins that straddle midnight."""
QUIET_DAYS = 122
SURGE_DAYS = 3
OFFICE_HOURS = np.array([1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 9, 9, 10, 10, 9, 8, 6, 5, 4, 3, 3, 2, 1], dtype=np.float64)
THREE_SD = 0.5 * math.erfc(3 / math.sqrt(2))
GRID = tuple(float(chance) for chance in np.geomspace(1e-6, 2e-2, 60))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of topic: stories a day, variance over mean, relative sd of a slow drift with a memory of 60 days."""

    mean: float
    dispersion: float = 1.5
    drift: float = 0.0

    def __str__(self) -> str:
        return f"mean {self.mean:<4g} dispersion {self.dispersion:g}" + (" drifting" if self.drift else "")


@dataclass(frozen=True, slots=True)
class Surge:
    """Three days with ``times`` as many stories."""

    mean: float
    times: float


QUIET = tuple(Kind(mean, phi) for mean, phi in product((1, 3, 10, 40), (1.0, 1.5, 2.0)))
DRIFTING = tuple(Kind(mean, 1.5, 0.25) for mean in (1, 3, 10, 40))
SURGES = tuple(Surge(mean, times) for times, mean in product((3, 5), (1, 3, 10)))


def stories(kind: Kind, topics: int, days: int, rng: np.random.Generator, surge: float = 1.0) -> Floats:
    """Draw stories (topics, days, 24), from a Monday on; ``surge`` multiplies the last three days."""
    weekday = np.array([1, 1, 1, 1, 1, 0.5, 0.5])[np.arange(days) % 7] * 7 / 6
    rate = kind.mean * weekday * np.exp(_drift(kind.drift, topics, days, rng))
    rate[:, days - SURGE_DAYS :] *= surge
    if kind.dispersion > 1:
        rate = rng.gamma(rate / (kind.dispersion - 1), kind.dispersion - 1)
    hourly = rate[..., None] * OFFICE_HOURS / OFFICE_HOURS.sum()
    return np.asarray(rng.poisson(hourly), dtype=np.float64)


def _drift(sd: float, topics: int, days: int, rng: np.random.Generator, memory: float = 60.0) -> Floats:
    """Draw Ornstein-Uhlenbeck paths (topics, days)."""
    paths, keep = np.zeros((topics, days)), math.exp(-1 / memory)
    paths[:, 0] = sd * rng.standard_normal(topics)
    for day in range(1, days):
        paths[:, day] = keep * paths[:, day - 1] + sd * math.sqrt(1 - keep**2) * rng.standard_normal(topics)
    return paths


def our_chances(told: Floats) -> Floats:
    """Return the chance that monitor.trends finds at each hour; 1 where it is plainly above the leaving threshold."""
    by_hour = [_our_chances_at(hour, told) for hour in range(24)]
    return np.stack(by_hour, axis=-1).reshape(told.shape[0], -1)


def _our_chances_at(hour: int, told: Floats) -> Floats:
    panel = _panel(hour, told)
    observed = (panel.later + panel.earlier)[..., 0, 0]
    forecast = trends.predict(panel)
    chances = np.ones_like(observed)
    # One standard deviation above the mean is more likely than LEAVE in every negative binomial drawn here.
    unusual = (observed >= trends.MIN_STORIES) & (observed > forecast.expected + forecast.variance**0.5)
    for at in zip(*np.nonzero(unusual), strict=True):
        chances[at] = trends.tail(int(observed[at]), float(forecast.expected[at]), float(forecast.variance[at]))
    return chances


def _panel(hour: int, told: Floats) -> trends.Panel:
    """Bin the stories as monitor.trends does, for all topics and evaluated days at once."""
    later, earlier = _bins(hour, told)
    days = range(WARM_UP, told.shape[1])
    return trends.Panel(
        later=later[:, :, None, :],
        earlier=earlier[:, :, None, :],
        covered=np.ones((1, trends.HISTORY_DAYS)),
        polled=np.ones(1),
        weekdays=np.array([trends.weekday_prior(day % 7) for day in days]),
        weights=np.array(trends.memory()),
        elapsed=hour / 24,
    )


def _bins(hour: int, told: Floats) -> tuple[Floats, Floats]:
    """Return the stories of the 24-hour bins back from each day's ``hour``: after midnight, before it."""
    after, before = told[..., :hour].sum(-1), told[..., hour:].sum(-1)
    back = np.arange(WARM_UP, told.shape[1])[:, None] - np.arange(trends.HISTORY_DAYS + 1)
    return after[:, back], before[:, back - 1]


def z_score_chances(told: Floats) -> Floats:
    """Return the normal tail of the window's z-score against the 28 bins before it, at each hour."""
    by_hour = []
    for hour in range(24):
        after, before = _bins(hour, told)
        bins = after + before
        past = bins[..., 1:29]
        by_hour.append((bins[..., 0] - past.mean(-1)) / past.std(-1, ddof=1).clip(0.5))
    z = np.stack(by_hour, axis=-1).reshape(told.shape[0], -1)
    return np.array([[0.5 * math.erfc(value / math.sqrt(2)) for value in row] for row in z.tolist()])


def episodes(chances: Sequence[float] | Floats, threshold: float) -> list[int]:
    """Return the hours at which surges begin; they last as monitor.trends.next_state lets them."""
    row, starts, until = np.asarray(chances), list[int](), 0
    for hour in np.nonzero(row <= threshold)[0].tolist():
        if hour >= until:
            starts.append(hour)
            ends = np.nonzero(row[hour + 24 :] > trends.LEAVE)[0]
            until = hour + 24 + int(ends[0]) if ends.size else len(row)
    return starts


def per_year(chances: Floats, threshold: float) -> float:
    """Return how many surges begin per topic and year."""
    return sum(len(episodes(row, threshold)) for row in chances) / (chances.size / (24 * 365.25))


def found(chances: Floats, threshold: float) -> tuple[float, float]:
    """Return the share of surges found while they last, and the median hours it took (not counting earlier alarms)."""
    onset = chances.shape[1] - SURGE_DAYS * 24
    begun = [[hour - onset for hour in episodes(row, threshold) if hour > onset] for row in chances]
    waits = [hours[0] for hours in begun if hours]
    return len(waits) / len(chances), float(np.median(waits)) if waits else math.nan


def quiet_runs(detector: Detector, kinds: Sequence[Kind], topics: int, seed: int) -> list[Floats]:
    """Return the chances of topics that never surge, for each kind; the same stories for every detector."""
    return [
        detector(stories(kind, topics, WARM_UP + QUIET_DAYS, np.random.default_rng([seed, n])))
        for n, kind in enumerate(kinds)
    ]


def surge_runs(detector: Detector, surges: Sequence[Surge], topics: int, seed: int) -> list[Floats]:
    """Return the chances of topics whose last three days are a surge, beginning on every weekday in turn."""
    runs = []
    for n, surge in enumerate(surges):
        rng = np.random.default_rng([seed, 100 + n])
        drawn = [
            stories(Kind(surge.mean), -(-topics // 7), WARM_UP + 7 + day + SURGE_DAYS, rng, surge.times)
            for day in range(7)
        ]
        # Topics differ in length only in how long they were quiet: keep the last week before the surge.
        runs.append(np.concatenate([detector(told)[:, -24 * (7 + SURGE_DAYS) :] for told in drawn]))
    return runs


def fit_threshold(runs: Sequence[Floats], target: float) -> float:
    """Return the largest threshold of a grid with at most ``target`` false surges a year on average."""
    fitting = [chance for chance in GRID if np.mean([per_year(run, chance) for run in runs]) <= target]
    return max(fitting, default=GRID[0])


def report(topics: int, seed: int) -> None:
    """Print false surges a year for each kind of topic, then the share of surges found, for each rule."""
    kinds = QUIET + DRIFTING
    ours, theirs = (quiet_runs(rule, kinds, topics, seed) for rule in (our_chances, z_score_chances))
    threshold = trends.chance_threshold(2.0)
    average = float(np.mean([per_year(run, threshold) for run in ours]))
    rules = {"ours": threshold, "z > 3": THREE_SD, "z, fitted": fit_threshold(theirs, average)}
    columns = [(ours, rules["ours"]), (theirs, rules["z > 3"]), (theirs, rules["z, fitted"])]
    print(f"False surges per topic and year (budget 2, {topics * QUIET_DAYS / 365.25:.0f} topic-years a row)")
    print(f"{'':34}" + "".join(f"{name:>12}" for name in rules))
    for n, kind in enumerate(kinds):
        print(f"{kind!s:34}" + "".join(f"{per_year(runs[n], at):12.1f}" for runs, at in columns))
    print(f"{'average':34}" + "".join(f"{np.mean([per_year(run, at) for run in runs]):12.1f}" for runs, at in columns))
    _report_surges(rules, max(topics, 140), seed)


def _report_surges(rules: dict[str, float], topics: int, seed: int) -> None:
    print(f"\nSurges of three days found while they last, with the median hours it took ({topics} a row)")
    print(f"{'':34}" + "".join(f"{name:>12}" for name in rules))
    ours, theirs = (surge_runs(rule, SURGES, topics, seed) for rule in (our_chances, z_score_chances))
    for n, surge in enumerate(SURGES):
        results = [found((ours if name == "ours" else theirs)[n], at) for name, at in rules.items()]
        cells = "".join(f"{f'{share:.2f} {wait:3.0f} h':>12}" for share, wait in results)
        print(f"{f'mean {surge.mean:<4g} times {surge.times:g}':34}" + cells)


def report_fit(topics: int, seed: int) -> None:
    """Print the average false surges a year at a range of thresholds, and the threshold shipped for that budget."""
    runs = quiet_runs(our_chances, QUIET + DRIFTING, topics, seed)
    print("threshold   false surges a year   chance_threshold of that budget")
    for chance in (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2):
        average = float(np.mean([per_year(run, chance) for run in runs]))
        print(f"{chance:9.4f} {average:21.2f} {trends.chance_threshold(average):33.5f}")


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.false_alarms", description=__doc__)
    parser.add_argument("--topics", type=int, default=40, help="simulated topics of each kind (default 40)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fit", action="store_true", help="print the false alarms at other thresholds instead")
    options = parser.parse_args()
    (report_fit if options.fit else report)(options.topics, options.seed)


if __name__ == "__main__":
    main()
