"""From the logits of network and n-grams to probabilities and thresholds that hold for real items. Pure (numpy)."""

from collections.abc import Sequence

import numpy as np

from monitor.signals.evaluation import Judged, quality
from monitor.signals.logistic import Observed, Prior, fitted
from monitor.signals.onnx_classifier import Calibration

GRID = tuple(step / 100 for step in range(50, 81, 5))
"""Thresholds to choose from: what carries a topic must at least be likelier to carry it than not."""
_USUAL = (0.5, 0.5, 0.0)  # before any item was seen: both models count alike
_SURE = (4.0, 4.0, 0.01)  # precisions of that belief


def platt(logits: Sequence[tuple[float, float]], positives: Sequence[bool]) -> Calibration:
    """Fit the weights of both models' logits (network, n-grams) and the shift: Platt scaling (1999) of two models.

    Targets are smoothed as Platt does. Raises ValueError when no item, or every item, is positive.
    """
    hits = sum(positives)
    if not 0 < hits < len(positives):
        raise ValueError("calibration needs items that carry the topic, and items that do not")
    high, low = (hits + 1) / (hits + 2), 1 / (len(positives) - hits + 2)
    rows = np.column_stack([np.array(logits), np.ones(len(positives))])
    observed = Observed(rows, np.where(positives, high, low), np.ones(len(positives)))
    network, ngrams, shift = fitted(observed, Prior(np.array(_USUAL), np.array(_SURE)))
    return Calibration(round(float(network), 4), round(float(ngrams), 4), round(float(shift), 4))


def threshold_for(judged: Sequence[Judged], goal: float, share: float) -> float:
    """Return the threshold of GRID with the best F1 among those whose precision reaches ``goal``; else the highest.

    Both are weighted to what they are where that share of items carries the topic.
    """
    good = [t for t in GRID if quality(judged, t, share).precision >= goal]
    return max(good, key=lambda t: quality(judged, t, share).f1, default=GRID[-1])
