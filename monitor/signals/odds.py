"""Between probabilities and log-odds. Pure."""

import math

SUREST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""
_FARTHEST = 60.0  # log-odds beyond which no float tells probabilities apart


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability, finite also for 0 and 1."""
    kept = min(max(probability, SUREST), 1 - SUREST)
    return math.log(kept / (1 - kept))


def sigmoid(logit: float) -> float:
    """Return the probability of log-odds, without overflow."""
    return 1 / (1 + math.exp(-max(-_FARTHEST, min(_FARTHEST, logit))))
