"""How often a year does chance alone bring a score? Fits monitor.detection.chance: ``python -m benchmarks.null_model``.

Topics of every size and clumpiness, with and without season and other stories, go through the detector for a year in
which nothing changes. The number of episodes that begin at each score is fitted by Poisson regression (McCullagh and
Nelder 1989) on the size and dispersion that the detector itself saw. Prints the coefficients as
monitor.detection.chance holds them; takes about ten minutes. ``--topics N`` topics of each kind (30), ``--seed S``.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from benchmarks.detectors import WARM_UP, Scores, ours
from benchmarks.simulation import Kind, world
from benchmarks.trends import YEAR, plain, starts
from monitor.detection.chance import SLOPES, features
from storage.records import Way

Floats: TypeAlias = npt.NDArray[np.float64]

MEANS = (0.7, 1.4, 3, 7, 16, 40, 80)
DISPERSIONS = (1.0, 1.5, 2.0, 3.0, 4.5, 6.0)
WORLDS = ((0, 0.0), (2, 0.3), (8, 0.6))  # other stories for each of the topic's, amplitude of the season
GRID: dict[Way, Floats] = {"rise": np.arange(-2, 4.1, 0.5), "fall": np.arange(-3, 4.1, 0.5)}


def simulated(topics: int, seed: int) -> Iterator[Scores]:
    """Yield the scores of each kind of topic."""
    for mean, dispersion, (others, season) in product(MEANS, DISPERSIONS, WORLDS):
        yield ours(world(Kind(mean, dispersion, season, others), topics, WARM_UP + YEAR, seed))


def observations(scores: Scores, way: Way) -> Iterator[tuple[tuple[float, ...], int]]:
    """Yield what the episodes of each topic depend on, and their number, at each score of the grid."""
    for n, row in enumerate(plain(scores, way)):
        known = features(float(scores.means[n].mean()), float(scores.dispersions[n].mean()))
        slopes = known[: len(SLOPES[way])]
        for score in GRID[way]:
            yield (*known, *(value * score for value in slopes)), len(starts(row >= score, scores.per_day))


def poisson_fit(features_: Floats, counts: Floats, years: float) -> Floats:
    """Return the coefficients of log(counts per year), by Newton's method."""
    weights = np.zeros(features_.shape[1])
    weights[0] = np.log(counts.mean() / years)
    for _ in range(30):
        fitted = np.exp(features_ @ weights) * years
        curvature = (features_ * fitted[:, None]).T @ features_ + 1e-6 * np.eye(weights.size)
        weights += np.linalg.solve(curvature, features_.T @ (counts - fitted))
    return weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, fit and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.null_model", description="Fit the model of chance.")
    parser.add_argument("--topics", type=int, default=30, help="simulated topics of each kind (default 30)")
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args(arguments)
    ways: tuple[Way, ...] = get_args(Way)
    seen: dict[Way, list[tuple[tuple[float, ...], int]]] = {way: [] for way in ways}
    for scores in simulated(options.topics, options.seed):
        for way in ways:
            seen[way] += observations(scores, way)
    for way in ways:
        known, counts = zip(*seen[way], strict=True)
        weights = poisson_fit(np.array(known), np.array(counts, dtype=np.float64), YEAR / 365.25).round(4).tolist()
        cut = len(weights) - len(SLOPES[way])
        print(f'"{way}": intercepts {tuple(weights[:cut])}\n        slopes {tuple(weights[cut:])}')
    return 0


if __name__ == "__main__":
    sys.exit(main())
