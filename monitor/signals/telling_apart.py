"""From a few dozen examples of a topic to a head that finds more of them in ordinary news. Pure.

What ordinary news holds is not labelled: some of it carries the topic (Elkan & Noto 2008, Learning classifiers from
only positive and unlabeled data). So the classes are weighted to the share that a topic has in the wild, and the
probability is set on how the examples do when they are left out, against the news that is unlike them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from monitor.signals.logistic import Numbers, Observed, Prior, fitted, left_out

if TYPE_CHECKING:
    from monitor.signals.reading import Vector

SHARE = 0.07
"""The share of items (0 to 1) that is expected to carry a topic."""
COUNTER = 4.0
"""A counter-example, which a person chose, counts as much as so many items of ordinary news."""
ALIKE = 0.15
"""News as near to the examples as the last 15 % of them may carry the topic itself, and sets no probability."""
MOST_ALIKE = 0.1
"""No more of the news (0 to 1) than this is left aside for being alike: examples without a theme are near all."""
PRECISION = 0.3
"""How tightly the prior holds the weights at zero. With ALIKE chosen on the shipped topics: 30 examples, the rest held
out."""
_FREE = 1e-3  # the precision of a bias, which the prior leaves alone


def weights(carrying: Sequence["Vector"], others: Sequence["Vector"], background: Numbers) -> tuple[float, ...]:
    """Return a head's weights: the embedding's, no trust in a model that does not know it, the bias."""
    observed = _observed(np.array([*carrying]), np.array([*others]).reshape(-1, background.shape[1]), background)
    columns = observed.rows.shape[1]
    prior = Prior(np.zeros(columns), np.array([PRECISION] * (columns - 1) + [_FREE]))
    found = fitted(observed, prior)
    slope, shift = _calibration(left_out(observed, prior, found), observed.carries, len(others))
    *dimensions, bias = (found * slope).tolist()
    return (*(round(w, 6) for w in dimensions), 0.0, round(bias + shift, 6))


def _observed(carrying: Numbers, others: Numbers, background: Numbers) -> Observed:
    rows = np.vstack([carrying, others, background])
    carries = np.array([1.0] * len(carrying) + [0.0] * (len(rows) - len(carrying)))
    return Observed(np.hstack([rows, np.ones((len(rows), 1))]), carries, _counts(carries, len(others)))


def _counts(carries: Numbers, others: int) -> Numbers:
    """Return how often each row counts: those that carry the topic make up SHARE. They come first, then the others."""
    positives = int(carries.sum())
    counts = np.ones(len(carries))
    counts[positives : positives + others] = COUNTER
    counts[:positives] = SHARE / (1 - SHARE) * counts[positives:].sum() / positives
    return counts


def _calibration(logits: Numbers, carries: Numbers, others: int) -> tuple[float, float]:
    """Return slope and shift that turn logits of left-out rows into those of honest probabilities (Platt 1999)."""
    positives = int(carries.sum())
    near = max(np.quantile(logits[:positives], ALIKE), np.quantile(logits[positives + others :], 1 - MOST_ALIKE))
    kept = logits < near
    kept[: positives + others] = True
    rows = np.column_stack([logits[kept], np.ones(int(kept.sum()))])
    observed = Observed(rows, carries[kept], _counts(carries[kept], others))
    slope, shift = fitted(observed, Prior(np.zeros(2), np.full(2, _FREE))).tolist()
    return max(slope, 0.0), shift  # examples without anything in common must not turn the topic round
