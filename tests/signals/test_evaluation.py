"""Measures of a classifier, checked on cases small enough to work out by hand."""

import math

import pytest

from monitor.signals.evaluation import (
    Case,
    Judged,
    Quality,
    average_precision,
    calibration_error,
    macro_f1,
    measured,
    quality,
    wilson,
)


def judged(*pairs: tuple[float, int]) -> list[Judged]:
    return [Judged(probability, bool(positive)) for probability, positive in pairs]


def test_quality_counts_hits_false_alarms_and_misses() -> None:
    found = quality(judged((0.9, 1), (0.8, 0), (0.6, 1), (0.2, 1), (0.1, 0)), 0.5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)


def test_a_probability_at_the_threshold_is_a_tag() -> None:
    assert quality(judged((0.5, 1)), 0.5) == Quality(1.0, 1.0)


def test_quality_at_another_share_weighs_the_negatives() -> None:
    found = quality(judged((0.9, 1), (0.1, 1), (0.9, 0), (0.1, 0)), 0.5, prior=0.1)
    assert found.precision == pytest.approx(0.1)
    assert found.recall == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("pairs", "precision", "recall", "f1"),
    [
        pytest.param([(0.1, 1), (0.1, 0)], math.nan, 0.0, 0.0, id="no tag, and something missed"),
        pytest.param([(0.9, 0), (0.1, 0)], 0.0, math.nan, 0.0, id="a false alarm, and nothing to find"),
        pytest.param([(0.1, 0)], math.nan, math.nan, math.nan, id="no tag, and nothing to find"),
        pytest.param([], math.nan, math.nan, math.nan, id="no items"),
    ],
)
def test_what_is_undefined_is_nan(pairs: list[tuple[float, int]], precision: float, recall: float, f1: float) -> None:
    found = quality(judged(*pairs), 0.5)
    assert [found.precision, found.recall, found.f1] == pytest.approx([precision, recall, f1], nan_ok=True)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([(0.9, 1), (0.8, 1), (0.1, 0)], 1.0, id="a perfect order"),
        pytest.param([(0.9, 0), (0.8, 1), (0.7, 1)], (1 / 2 + 2 / 3) / 2, id="one false item on top"),
        pytest.param([(0.5, 1), (0.5, 0)], 0.5, id="a tie counts as the worst order"),
        pytest.param([(0.5, 0)], math.nan, id="nothing to find"),
    ],
)
def test_average_precision(pairs: list[tuple[float, int]], expected: float) -> None:
    assert average_precision(judged(*pairs)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([(1.0, 1), (0.0, 0)], 0.0, id="sure and right"),
        pytest.param([(1.0, 0), (0.0, 1)], 1.0, id="sure and wrong"),
        pytest.param([(0.25, 1), (0.25, 0), (0.25, 0), (0.25, 0)], 0.0, id="a quarter comes true"),
        pytest.param([(0.85, 1), (0.85, 0), (0.15, 0), (0.15, 0)], (0.35 + 0.15) / 2, id="two bins of equal weight"),
        pytest.param([(0.61, 0), (0.69, 1)], 0.15, id="within a bin, errors even out"),
        pytest.param([], math.nan, id="no items"),
    ],
)
def test_calibration_error(pairs: list[tuple[float, int]], expected: float) -> None:
    assert calibration_error(judged(*pairs)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        pytest.param(8, 10, 0.4902, 0.9433, id="eight of ten"),
        pytest.param(0, 10, 0.0, 0.2775, id="none of ten"),
        pytest.param(10, 10, 0.7225, 1.0, id="all of ten"),
        pytest.param(0, 0, math.nan, math.nan, id="nothing tried"),
    ],
)
def test_wilson_interval(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-4, nan_ok=True)


CASES = [
    Case("capex", "en", Judged(0.9, True)),
    Case("capex", "en", Judged(0.7, False)),
    Case("capex", "de", Judged(0.2, True)),
    Case("energy", "en", Judged(0.9, False)),
    Case("gone", "en", Judged(0.9, True)),
]
LIMITS = {"energy": 0.5, "capex": 0.5, "geopolitics": 0.5}


def test_there_is_a_row_for_each_topic_and_language_and_one_over_all() -> None:
    rows = measured(CASES, LIMITS)
    assert [(row.topic, row.lang, row.items, row.positives) for row in rows] == [
        ("energy", "en", 1, 0),
        ("energy", "all", 1, 0),
        ("capex", "de", 1, 1),
        ("capex", "en", 2, 1),
        ("capex", "all", 3, 2),
    ]
    assert (rows[-1].precision, rows[-1].recall, rows[-1].f1) == (0.5, 0.5, 0.5)
    assert (rows[-1].low, rows[-1].high) == wilson(1, 2)


def test_macro_f1_is_the_mean_of_the_topics_that_can_be_found_in_a_language() -> None:
    cases = [*CASES, Case("geopolitics", "en", Judged(0.9, True)), Case("energy", "fr", Judged(0.1, False))]
    found = macro_f1(measured(cases, LIMITS))
    assert list(found) == ["de", "en", "fr", "all"]
    assert found["de"] == 0.0
    assert found["en"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["all"] == pytest.approx((0.5 + 1) / 2)
    assert math.isnan(found["fr"])
