"""How often is a trend alert wrong, and how soon is a real change found? Simulated, seeded; a few minutes.

Run ``python -m benchmarks.trends``. Topics with weekdays, holidays, trend, drift and clumps (benchmarks.simulation) go
through the shipped detector, hour by hour, and through the usual rules, day by day (benchmarks.detectors). Every rule
gets the threshold with which it gives one false alarm of a rise per topic and year at three stories a day; an alarm
within seven days of another is the same alert, and one that stands before a change does not count as finding it. The
shipped detector keeps the threshold it is shipped with, for a budget of one.

``--topics N`` topics a figure (60), ``--seed S``. ``--budget`` prints only the false alarms a year of the shipped
detector, for every kind of topic and each nuisance.
"""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.detectors import WARM_UP, Detector, Scores, ears_c3, huginn, on_raw_counts, oracle, ours, z_score
from benchmarks.simulation import Change, Kind, nuisances, world
from monitor.detection.chance import line
from storage.records import Way

Floats: TypeAlias = npt.NDArray[np.float64]
Surprise: TypeAlias = Callable[[Scores, Way], Floats]
"""Turns scores into what a threshold is put on (N, looks): higher is rarer."""

YEAR, SAME_DAYS = 364, 7
BEFORE = 14  # days that are looked at before a change
RISES = (Change(3, 3), Change(3, 7), Change(5, 3), Change(2, 14))
FALLS = (Change(0.2, 7), Change(0.5, 14), Change(0.0, 3))


def plain(scores: Scores, way: Way) -> Floats:
    """Return the scores as they are."""
    return scores.rises if way == "rise" else scores.falls


def by_budget(scores: Scores, way: Way) -> Floats:
    """Return minus the log of how often a year chance brings each score, as monitor.detection.chance says."""
    days = scores.means.shape[1]
    lines = [
        [line(way, scores.means[n, d], scores.dispersions[n, d]) for d in range(days)] for n in range(len(scores.means))
    ]
    intercept, slope = np.repeat(np.array(lines), scores.per_day, axis=1).transpose(2, 0, 1)
    return np.asarray(-(intercept + slope * plain(scores, way)))


@dataclass(frozen=True, slots=True)
class Rule:
    """A detector as the table shows it; ``shipped`` is the threshold with which it usually comes."""

    name: str
    detector: Detector
    surprise: Surprise = plain
    shipped: float | None = None


OURS = Rule("ours", ours, by_budget, 0.0)
RULES = (
    Rule("z-score, 28 days", z_score, plain, 3.0),
    Rule("Huginn PeakDetector", huginn, plain, 3.0),
    Rule("EARS C3", ears_c3, plain, 2.0),
    Rule("our filter, raw counts", on_raw_counts, plain),
    OURS,
    Rule("oracle, true mean known", oracle, plain),
)


def starts(alarms: npt.NDArray[np.bool_], per_day: int) -> list[int]:
    """Return the looks at which alerts begin; an alarm within seven days of the last one belongs to it."""
    looks = np.nonzero(alarms)[0]
    new = np.diff(looks, prepend=-(10**9)) > SAME_DAYS * per_day
    return [int(look) for look in looks[new]]


def per_year(surprise: Floats, threshold: float, per_day: int) -> float:
    """Return how many alerts begin per topic and year."""
    years = surprise.size / per_day / 365.25
    return sum(len(starts(row >= threshold, per_day)) for row in surprise) / years


def fitted(surprise: Floats, target: float, per_day: int) -> float:
    """Return the lowest threshold with at most so many alerts per topic and year."""
    low, high = float(surprise.min()), float(surprise.max()) + 1e-6
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if per_year(surprise, middle, per_day) > target else (low, middle)
    return high


def found(  # noqa: PLR0913, PLR0917 - a figure of the table: whose, of what, by which yardstick
    rule: Rule, kind: Kind, change: Change, threshold: float, topics: int, seed: int
) -> list[float]:
    """Return the share of changes found by the end of their first, second ... day (the last: at all)."""
    hits = np.zeros(change.days)
    runs = 7  # the change begins on another day of the year in each
    for run in range(runs):
        drawn = world(kind, -(-topics // runs), WARM_UP + BEFORE + 31 * run + change.days, seed + run, change)
        scores = rule.detector(drawn)
        surprise = rule.surprise(scores, "rise" if change.times > 1 else "fall")
        for row in surprise:
            hits += _days_found(starts(row >= threshold, scores.per_day), row.size, change.days, scores.per_day)
    return [float(share) for share in hits / (runs * -(-topics // runs))]


def _days_found(begun: Sequence[int], looks: int, days: int, per_day: int) -> npt.NDArray[np.int64]:
    onset = looks - days * per_day
    first = min((look for look in begun if look >= onset), default=None)
    return np.array([first is not None and first - onset < (day + 1) * per_day for day in range(days)], dtype=np.int64)


def quiet(rule: Rule, kind: Kind, topics: int, seed: int, way: Way = "rise") -> tuple[Floats, int]:
    """Return the surprise of topics in a year in which nothing changes (N, looks), and the looks a day."""
    scores = rule.detector(world(kind, topics, WARM_UP + YEAR, seed))
    return rule.surprise(scores, way), scores.per_day


def rate(  # noqa: PLR0913, PLR0917 - a figure of the table
    rule: Rule, kind: Kind, threshold: float, topics: int, seed: int, way: Way = "rise"
) -> float:
    """Return the false alarms per topic and year."""
    surprise, per_day = quiet(rule, kind, topics, seed, way)
    return per_year(surprise, threshold, per_day)


def table(topics: int, seed: int) -> None:
    """Print a row for each rule."""
    print(f"{topics} topics a figure, seed {seed}; false alarms of a rise per topic and year, share of changes found\n")
    heads = ("shipped", *(f"{c.times:g}x/{c.days}d (day 2)" for c in RISES), "mean 1 / 40", "added/down/copied/volume")
    print(f"{'':24}" + "".join(f"{head:>18}" for head in heads[:-1]) + f"{heads[-1]:>26}")
    for rule in RULES:
        cells = _cells(rule, topics, seed)
        print(f"{rule.name:24}" + "".join(f"{cell:>18}" for cell in cells[:-1]) + f"{cells[-1]:>26}", flush=True)
    print("\nfalls (budget one), mean 10: " + ", ".join(_fall(change, topics, seed) for change in FALLS))
    more = ((Change(3, 3), Kind(10)), (Change(3, 7), Kind(1)))
    print("rises, ours: " + ", ".join(_rise(change, kind, topics, seed) for change, kind in more))


def _cells(rule: Rule, topics: int, seed: int) -> list[str]:
    kind = Kind(3)
    surprise, per_day = quiet(rule, kind, topics, seed)
    threshold = 0.0 if rule is OURS else fitted(surprise, 1.0, per_day)
    shipped = "" if rule.shipped is None else f"{per_year(surprise, rule.shipped, per_day):.1f}"
    power = [found(rule, kind, change, threshold, topics, seed) for change in RISES]
    others = [f"{rate(rule, Kind(mean), threshold, topics, seed):.1f}" for mean in (1, 40)]
    nuisance = [
        f"{rate(rule, worse, threshold, topics, seed):.1f}" for name, worse in nuisances(kind).items() if name != "all"
    ]
    shares = [f"{share[-1]:.2f} ({share[min(1, len(share) - 1)]:.2f})" for share in power]
    return [shipped, *shares, " / ".join(others), "/".join(nuisance)]


def _fall(change: Change, topics: int, seed: int) -> str:
    share = found(OURS, Kind(10), change, 0.0, topics, seed)
    return f"x{change.times:g} for {change.days} days {share[-1]:.2f}"


def _rise(change: Change, kind: Kind, topics: int, seed: int) -> str:
    share = found(OURS, kind, change, 0.0, topics, seed)
    return f"{change.times:g}x/{change.days}d at mean {kind.mean:g} {share[-1]:.2f} (by day 2 {share[1]:.2f})"


def budgets(topics: int, seed: int) -> None:
    """Print the shipped detector's false alarms a year at budgets of 1 and 2, for each kind of topic and nuisance."""
    kinds = {f"mean {m:g}, dispersion {d:g}": Kind(m, d) for m in (1, 3, 10, 40) for d in (1.0, 1.5, 3.0, 5.0)}
    kinds |= {
        f"mean {m:g}, dispersion {d:g}, strong season": Kind(m, d, season=0.6)
        for m in (1, 3, 10, 40)
        for d in (1.5, 3.0, 5.0)
    }
    kinds |= {f"mean 3, {name}": kind for name, kind in nuisances(Kind(3)).items()}
    kinds |= {f"mean 10, {name}": kind for name, kind in nuisances(Kind(10)).items()}
    print(f"{'':44}{'rises: 1':>10}{'2':>6}{'falls: 1':>12}{'2':>6}")
    for name, kind in kinds.items():
        scores = ours(world(kind, topics, WARM_UP + YEAR, seed))
        row = [
            per_year(by_budget(scores, way), -math.log(budget), scores.per_day)
            for way in ("rise", "fall")
            for budget in (1.0, 2.0)
        ]
        print(f"{name:44}{row[0]:10.1f}{row[1]:6.1f}{row[2]:12.1f}{row[3]:6.1f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trends", description="Measure the trend detector.")
    parser.add_argument("--topics", type=int, default=60, help="simulated topics a figure (default 60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", action="store_true", help="print only false alarms, for every kind of topic")
    options = parser.parse_args(arguments)
    (budgets if options.budget else table)(options.topics, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
