"""Fits the linear model over n-grams (monitor.signals.ngrams). Imports scikit-learn."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from monitor.signals.ngrams import BUCKETS, pieces
from monitor.signals.text import model_text
from monitor.training.dataset import TOPICS, Example

_FEWEST = 2
"""Items that must hold a piece before it counts."""
_STRENGTH = 10.0
"""Inverse of the L2 penalty."""


def write_ngrams(examples: Sequence[Example], path: Path) -> None:
    """Fit one logistic regression per topic and write the weights, as 8-bit integers, to ``path`` (.npz)."""
    counts = _counts([model_text(example.title, example.summary) for example in examples])
    rarity = _rarity(counts)
    inputs = normalize(counts.multiply(rarity).tocsr())
    fits = [_fit(inputs, [topic in example.topics for example in examples]) for topic in TOPICS]
    weights = np.stack([fit.coef_[0] for fit in fits])
    scale = float(np.abs(weights).max()) / 127
    np.savez_compressed(
        path,
        weights=np.rint(weights / scale).astype(np.int8),
        scale=scale,
        rarity=rarity.astype(np.float16),
        bias=np.array([fit.intercept_[0] for fit in fits], np.float32),
    )


def _counts(texts: Sequence[str]) -> Any:
    rows, places, values = [], [], []
    for row, text in enumerate(texts):
        for place, count in pieces(text).items():
            rows.append(row)
            places.append(place)
            values.append(1 + math.log(count))
    return csr_matrix((values, (rows, places)), shape=(len(texts), BUCKETS))


def _rarity(counts: Any) -> Any:
    """Return the smoothed inverse document frequency of every bucket; 0 for those in too few items."""
    held = np.asarray((counts > 0).sum(axis=0))[0]
    return np.where(held >= _FEWEST, np.log((1 + counts.shape[0]) / (1 + held)) + 1, 0.0)


def _fit(inputs: Any, positives: list[bool]) -> Any:
    return LogisticRegression(C=_STRENGTH, max_iter=300).fit(inputs, positives)
