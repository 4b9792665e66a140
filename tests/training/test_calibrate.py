"""Prior correction, thresholds and measures, checked on cases small enough to work out by hand."""

import math
import random

import pytest

from monitor.training.calibrate import (
    GRID,
    Judged,
    average_precision,
    log_odds,
    prior_shift,
    quality,
    sigmoid,
    threshold_for,
)


def judged(*pairs: tuple[float, int]) -> list[Judged]:
    return [Judged(probability, bool(positive)) for probability, positive in pairs]


@pytest.mark.parametrize("probability", [1e-9, 0.13, 0.5, 0.999])
def test_sigmoid_undoes_log_odds(probability: float) -> None:
    assert sigmoid(log_odds(probability)) == pytest.approx(probability)


@pytest.mark.parametrize("logit", [-1000.0, 1000.0])
def test_sigmoid_stands_extremes(logit: float) -> None:
    assert 0.0 <= sigmoid(logit) <= 1.0


def test_the_shift_turns_the_learned_share_into_the_real_one() -> None:
    assert sigmoid(log_odds(0.3) + prior_shift(0.3, 0.13)) == pytest.approx(0.13)
    assert prior_shift(0.2, 0.2) == 0.0


def test_the_shift_calibrates_a_classifier_that_learned_on_another_mix() -> None:
    """Bayes by hand: of two bell curves the exact posterior at 30 %, shifted to 13 %, is the exact one at 13 %."""
    rng = random.Random(5)
    for _ in range(100):
        x = rng.gauss(0, 2)
        ratio = math.exp(x - 0.5)  # density of N(1, 1) over that of N(0, 1)
        learned, real = 0.3 * ratio / (0.3 * ratio + 0.7), 0.13 * ratio / (0.13 * ratio + 0.87)
        assert sigmoid(log_odds(learned) + prior_shift(0.3, 0.13)) == pytest.approx(real)


def test_quality_counts_hits_false_alarms_and_misses() -> None:
    found = quality(judged((0.9, 1), (0.8, 0), (0.6, 1), (0.2, 1), (0.1, 0)), 0.5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)


def test_quality_at_another_share_weighs_the_negatives() -> None:
    found = quality(judged((0.9, 1), (0.1, 1), (0.9, 0), (0.1, 0)), 0.5, prior=0.1)
    assert found.precision == pytest.approx(0.1)
    assert found.recall == pytest.approx(0.5)


def test_quality_without_tags_has_no_precision_and_no_f1() -> None:
    found = quality(judged((0.1, 1), (0.1, 0)), 0.5)
    assert math.isnan(found.precision)
    assert found.recall == 0.0


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([(0.9, 1), (0.8, 1), (0.1, 0)], 1.0, id="a perfect order"),
        pytest.param([(0.9, 0), (0.8, 1), (0.7, 1)], (1 / 2 + 2 / 3) / 2, id="one false item on top"),
        pytest.param([(0.5, 1), (0.5, 0)], 0.5, id="a tie counts as the worst order"),
    ],
)
def test_average_precision(pairs: list[tuple[float, int]], expected: float) -> None:
    assert average_precision(judged(*pairs)) == pytest.approx(expected)


def test_average_precision_without_positives_is_undefined() -> None:
    assert math.isnan(average_precision(judged((0.5, 0))))


def test_the_threshold_is_the_lowest_that_keeps_the_goal() -> None:
    items = judged(*[(0.9, 1)] * 8, *[(0.72, 1)] * 8, (0.72, 0), *[(0.63, 0)] * 40)
    assert threshold_for(items, goal=0.8, prior=16 / 57) == pytest.approx(0.65)


def test_the_threshold_is_never_below_even_odds() -> None:
    assert threshold_for(judged((0.9, 1), (0.4, 1), (0.1, 0)), goal=0.8, prior=0.13) == 0.5


def test_without_any_good_threshold_the_highest_is_taken() -> None:
    assert threshold_for(judged((0.99, 0), (0.2, 1)), goal=0.8, prior=0.13) == GRID[-1]
