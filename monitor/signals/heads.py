"""Output layers on top of a frozen model: for a person's corrections, and for topics of the user's own. Pure (numpy).

A head reads an item's embedding and what the model itself thinks of the topic, as log-odds; it is a logistic regression
on both. Its weights are those of the embedding's dimensions, then that of the log-odds, then the bias.
"""

from typing import TYPE_CHECKING

from monitor.signals.odds import log_odds, sigmoid
from storage.records import Head

if TYPE_CHECKING:
    from monitor.signals.reading import Vector


def probability(head: Head, embedding: "Vector", model_says: float = 0.5) -> float:
    """Return how likely the head thinks its topic; ``model_says`` is the model's own probability, if it has one."""
    *dimensions, trust, bias = head.weights
    total = sum(w * float(x) for w, x in zip(dimensions, embedding, strict=True)) + trust * log_odds(model_says) + bias
    return sigmoid(total)
