"""Output layers on top of a frozen model: for a person's corrections, and for topics of the user's own. Pure (numpy).

A head reads an item's embedding and what the model itself thinks of the topic, as log-odds; it is a logistic regression
on both. Its weights are those of the embedding's dimensions, then that of the log-odds, then the bias.
"""

import math
from typing import TYPE_CHECKING

from storage.records import Head

if TYPE_CHECKING:
    from monitor.signals.reading import Vector

SUREST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability, finite also for 0 and 1."""
    kept = min(max(probability, SUREST), 1 - SUREST)
    return math.log(kept / (1 - kept))


def probability(head: Head, embedding: "Vector", model_says: float = 0.5) -> float:
    """Return how likely the head thinks its topic; ``model_says`` is the model's own probability, if it has one."""
    *dimensions, trust, bias = head.weights
    total = sum(w * float(x) for w, x in zip(dimensions, embedding, strict=True)) + trust * log_odds(model_says) + bias
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, total))))
