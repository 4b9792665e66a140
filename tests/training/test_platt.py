"""Probabilities and thresholds that hold for real items."""

import random

import pytest

from monitor.signals.evaluation import Judged, calibration_error, quality
from monitor.training.platt import GRID, platt, threshold_for


def told(count: int, sureness: float, seed: int = 3) -> tuple[list[tuple[float, float]], list[bool]]:
    """Make items that carry the topic as often as sigmoid(network + ngrams - 2), told ``sureness`` times too surely."""
    rng = random.Random(seed)
    logits, positives = [], []
    for _ in range(count):
        network, ngrams = rng.gauss(0, 2), rng.gauss(0, 1)
        noise = rng.random()
        positives.append(noise < 1 / (1 + 2.718281828 ** -(network + ngrams - 2)))
        logits.append((network * sureness, ngrams * sureness))
    return logits, positives


@pytest.mark.parametrize("sureness", [0.5, 1.0, 4.0], ids=["too modest", "right", "four times too sure"])
def test_probabilities_come_true_however_sure_the_logits_were(sureness: float) -> None:
    fitted = platt(*told(3000, sureness))
    logits, positives = told(3000, sureness, seed=4)
    judged = [Judged(fitted.probability(*two), positive) for two, positive in zip(logits, positives, strict=True)]
    assert calibration_error(judged) < 0.03


def test_both_models_are_heard() -> None:
    fitted = platt(*told(3000, 1.0))
    assert fitted.network == pytest.approx(1.0, abs=0.15)
    assert fitted.ngrams == pytest.approx(1.0, abs=0.2)


def test_a_handful_of_items_moves_the_weights_little() -> None:
    fitted = platt([(9.0, 0.0), (-9.0, 0.0), (8.0, 1.0), (-8.0, -1.0)], [True, False, True, False])
    assert 0.1 < fitted.network < 0.6
    assert fitted.ngrams == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("positives", [[True, True], [False, False]], ids=["all carry it", "none does"])
def test_one_kind_alone_teaches_nothing(positives: list[bool]) -> None:
    with pytest.raises(ValueError, match="needs items that carry the topic, and items that do not"):
        platt([(1.0, 1.0), (2.0, 2.0)], positives)


def test_the_threshold_reaches_the_precision_with_the_best_f1() -> None:
    judged = [Judged(0.9, True)] * 8 + [Judged(0.6, True)] * 8 + [Judged(0.6, False)] * 2 + [Judged(0.52, False)] * 20
    chosen = threshold_for(judged, 0.8, share=16 / 38)
    assert 0.52 < chosen <= 0.6
    assert quality(judged, chosen).precision >= 0.8


def test_a_precision_out_of_reach_gives_the_strictest_threshold() -> None:
    assert threshold_for([Judged(0.9, False)] * 9 + [Judged(0.9, True)], 0.8, share=0.1) == GRID[-1]


def test_where_the_topic_is_commoner_a_lower_threshold_is_precise_enough() -> None:
    judged = [Judged(0.7, True)] * 9 + [Judged(0.55, True)] * 3 + [Judged(0.55, False)] * 4 + [Judged(0.1, False)] * 200
    assert threshold_for(judged, 0.8, share=0.5) <= 0.55 < threshold_for(judged, 0.8, share=0.05)
