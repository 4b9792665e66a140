"""Logistic regression with a Gaussian prior, for a few labels in many dimensions. Pure; deterministic.

Fitted by Newton's method, which is iteratively reweighted least squares (Hastie, Tibshirani & Friedman 2009, The
Elements of Statistical Learning, 4.4.1), each step found by conjugate gradients (Lin, Weng & Keerthi 2008, Trust region
Newton method for large-scale logistic regression). Rows are observations; logits are natural.

Products are taken by einsum, not by ``@``: at these sizes the threads of the linear algebra library gain little, and on
a busy machine they spend minutes waiting for each other.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Numbers: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_MOST_STEPS = 60
_CLOSE = 1e-4  # of a weight: what is left to gain below it is far less than a probability's last digit
_EXACT = 1e-3  # of a Newton step, relative to the slope; the next step mends the rest
_LARGEST = 0.98  # of a row's own influence: beyond it, leaving the row out cannot be told from one fit


@dataclass(frozen=True, slots=True)
class Observed:
    """What to learn from: rows of features, 1 or 0 for each row, and how often each row counts."""

    rows: Numbers
    carries: Numbers
    counts: Numbers


@dataclass(frozen=True, slots=True)
class Prior:
    """What the weights are before anything was observed: Gaussian, with a mean and a precision (1/variance) each."""

    mean: Numbers
    precision: Numbers


def sigmoid(logits: Numbers) -> Numbers:
    """Return the probabilities of these logits."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60.0, 60.0))))


def losses(probabilities: Numbers, carries: Numbers) -> Numbers:
    """Return the log-loss of each probability (natural logarithm; 0 is perfect)."""
    kept = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.asarray(-np.log(np.where(carries > 0, kept, 1 - kept)))


def fitted(observed: Observed, prior: Prior) -> Numbers:
    """Return the weights that are most likely after what was observed, one for each column."""
    weights = prior.mean.copy()
    cost = _cost(observed, prior, weights)
    for _ in range(_MOST_STEPS):
        step = _newton(observed, prior, weights)
        lower = _cost(observed, prior, weights - step)
        while lower > cost and np.abs(step).max() > _CLOSE:  # Newton overshoots where the sigmoid is flat
            step = step / 2
            lower = _cost(observed, prior, weights - step)
        weights, cost = weights - step, lower
        if np.abs(step).max() < _CLOSE:
            break
    return weights


def left_out(observed: Observed, prior: Prior, weights: Numbers) -> Numbers:
    """Return about the logit that each row would get from a fit to all other rows.

    One Newton step away from the fit to all rows (Rad & Maleki 2020, A scalable estimate of the out-of-sample
    prediction error via approximate leave-one-out).
    """
    rows, counts = observed.rows, observed.counts
    logits = _logits(rows, weights)
    told = sigmoid(logits)
    spread = rows * np.sqrt(counts * told * (1 - told))[:, None]
    inverse = np.linalg.inv(spread.T @ spread + np.diag(prior.precision))
    reach = np.einsum("ij,ij->i", rows @ inverse, rows)
    influence = np.minimum(reach * counts * told * (1 - told), _LARGEST)
    return np.asarray(logits + reach * counts * (told - observed.carries) / (1 - influence))


def _newton(observed: Observed, prior: Prior, weights: Numbers) -> Numbers:
    """Return the step (to be taken off) to the lowest point of the parabola that fits the cost here."""
    told = sigmoid(_logits(observed.rows, weights))
    bend = observed.counts * told * (1 - told)
    residual = _summed(observed.rows, observed.counts * (told - observed.carries))
    residual += prior.precision * (weights - prior.mean)
    scale = 1 / (prior.precision + np.einsum("ij,ij,i->j", observed.rows, observed.rows, bend))
    step, direction = np.zeros_like(weights), scale * residual
    enough = _EXACT * float(np.abs(residual).max())
    for _ in weights:  # exact arithmetic would need no more
        if float(np.abs(residual).max()) <= enough:
            break
        curved = _summed(observed.rows, bend * _logits(observed.rows, direction)) + prior.precision * direction
        size = float((residual * scale * residual).sum())
        length = size / float((direction * curved).sum())
        step, residual = step + length * direction, residual - length * curved
        direction = scale * residual + float((residual * scale * residual).sum()) / size * direction
    return step


def _logits(rows: Numbers, weights: Numbers) -> Numbers:
    return np.asarray(np.einsum("ij,j->i", rows, weights))


def _summed(rows: Numbers, amounts: Numbers) -> Numbers:
    return np.asarray(np.einsum("ij,i->j", rows, amounts))


def _cost(observed: Observed, prior: Prior, weights: Numbers) -> float:
    logits = _logits(observed.rows, weights)
    surprise = observed.counts * (np.logaddexp(0.0, logits) - observed.carries * logits)
    return float(surprise.sum() + (prior.precision * (weights - prior.mean) ** 2).sum() / 2)
