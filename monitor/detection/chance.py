"""How often does chance alone do this? Tails of a negative binomial, and false alarms a year by score.

``per_year`` is a log-linear model (Poisson regression) of how many episodes a year begin at a score, fitted to
simulated topics that never rise or fall: with weekdays, holidays, drift, trend and clumps, of 0.7 to 80 stories a day
and dispersion 1 to 6, as the detector itself learns them (python -m benchmarks.trends --fit prints its coefficients).
"""

import math
from functools import lru_cache

from storage.records import Way

INTERCEPTS: dict[Way, tuple[float, ...]] = {
    "rise": (-0.7656, -0.2686, 0.0644, 0.4037, 0.013, -0.0291),
    "fall": (-3.4869, 4.0545, -1.3175, -0.8196, 0.221, 0.087),
}
"""Log episodes a year at score 0, for the features of ``features``."""
SLOPES: dict[Way, tuple[float, ...]] = {
    "rise": (-1.2139, -0.1936, 0.2003, 0.1338),
    "fall": (-1.6769, 0.8666, -0.1385, -0.0778),
}
"""How they change with the score, for the first four of the features."""

_MEANS = (0.7, 80.0)  # what the simulation held; beyond it the nearest value is taken
_DISPERSIONS = (1.0, 6.0)
_TAIL = 0.05  # of each side of an interval
_MOST = 7.0  # log episodes a year


def per_year(score: float, way: Way, mean: float, dispersion: float) -> float:
    """Return how many episodes a year chance begins at this score (log odds) or a higher one.

    ``mean`` is the topic's usual number of stories a day, ``dispersion`` their learned variance over it.
    """
    intercept, slope = line(way, mean, dispersion)
    return math.exp(min(intercept + slope * score, _MOST))


def line(way: Way, mean: float, dispersion: float) -> tuple[float, float]:
    """Return the log of the episodes a year at score 0, and by how much it changes with each unit of the score."""
    known = features(mean, dispersion)
    intercept = sum(weight * value for weight, value in zip(INTERCEPTS[way], known, strict=True))
    return intercept, sum(weight * value for weight, value in zip(SLOPES[way], known, strict=False))


def features(mean: float, dispersion: float) -> tuple[float, ...]:
    """Return what the number of false alarms a year depends on."""
    size = math.log10(min(max(mean, _MEANS[0]), _MEANS[1]))
    clumps = math.log(min(max(dispersion, _DISPERSIONS[0]), _DISPERSIONS[1]))
    return (1.0, size, size**2, clumps, clumps**2, size * clumps)


def upper_tail(observed: int, expected: float, variance: float) -> float:
    """Return the chance of ``observed`` or more stories under a negative binomial; never below 1e-300.

    Sums the probabilities on the shorter side, each from its neighbour (Johnson, Kemp, Kotz 2005, chapter 5).
    """
    if observed <= 0 or expected <= 0:
        return 1.0
    if observed <= expected:
        return 1.0 - _terms(range(observed - 1, -1, -1), expected, _size(expected, variance))
    return max(_terms(range(observed, 1_000_000_000), expected, _size(expected, variance)), 1e-300)


def lower_tail(observed: int, expected: float, variance: float) -> float:
    """Return the chance of ``observed`` or fewer stories under a negative binomial; never below 1e-300."""
    if expected <= 0:
        return 1.0
    if observed >= expected:
        return 1.0 - upper_tail(observed + 1, expected, variance)
    return max(_terms(range(observed, -1, -1), expected, _size(expected, variance)), 1e-300)


@lru_cache(4096)
def interval(expected: float, variance: float) -> tuple[int, int]:
    """Return the numbers of stories between which nine of ten such windows lie."""
    if expected <= 0:
        return 0, 0
    low = high = int(expected)
    while low > 0 and lower_tail(low - 1, expected, variance) > _TAIL:
        low -= 1
    while upper_tail(high + 1, expected, variance) > _TAIL:
        high += 1
    return low, high


def _size(expected: float, variance: float) -> float:
    return expected**2 / max(variance - expected, 1e-6 * expected)


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
