"""Learning from people's labels: a correction for each topic, used only where it wins on labels held back. Pure.

A correction is a head (see monitor.signals.heads) that starts as "trust the model as it is". The prior holds it there,
so that few labels move little, and most for items that are like the labelled ones.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from monitor.signals.evaluation import Judged, quality
from monitor.signals.logistic import Numbers, Observed, Prior, fitted, losses, sigmoid
from monitor.signals.odds import log_odds
from storage.records import Head

if TYPE_CHECKING:
    from monitor.signals.reading import Vector

FEWEST = 20
"""Labels that a topic needs before anything is learned from them."""
FEWEST_EACH = 3
"""Of them, at least so many that carry the topic, and so many that do not."""
FOLDS = 10
LEAST_GAIN = 0.01
"""Log-loss that a correction must gain at least: below it, reading the stored items anew is not worth while."""
EMBEDDING_PRECISION = 0.3
TRUST_PRECISION = 4.0
BIAS_PRECISION = 1.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled item as the model reads it. ``says`` is the model's own probability.

    Items that tell the same ``story`` are never split between learning and testing.
    """

    embedding: "Vector"
    says: float
    carries: bool
    story: str


@dataclass(frozen=True, slots=True)
class Held:
    """Figures on labels held back: F1 at the topic's threshold, mean log-loss (natural logarithm)."""

    f1: float
    loss: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the labels of one topic taught. ``head`` is None where the topic keeps the model as it is.

    ``before`` and ``after`` are None when there were too few labels to try.
    """

    topic: str
    labels: int
    positives: int
    before: Held | None
    after: Held | None
    head: Head | None
    verdict: str


def learn(topic: str, labelled: Sequence[Labelled], threshold: float, base: str) -> Lesson:
    """Fit a correction to one topic's labels, and keep it if it wins. ``base`` names the model that read the items."""
    positives = sum(one.carries for one in labelled)
    needed = _needed(len(labelled), positives)
    if needed:
        return Lesson(topic, len(labelled), positives, None, None, None, needed)
    truth = np.array([float(one.carries) for one in labelled])
    before, after = np.array([one.says for one in labelled]), _held_back(labelled)
    old, new = _figures(before, truth, threshold), _figures(after, truth, threshold)
    lost = _lost(losses(before, truth) - losses(after, truth), old, new)
    head = None if lost else _head(topic, labelled, base)
    return Lesson(topic, len(labelled), positives, old, new, head, lost or "the correction wins: it is used")


def _needed(labels: int, positives: int) -> str:
    """Say what is missing before anything can be learned; nothing when it is enough."""
    missing = [f"{FEWEST - labels} more labels"] if labels < FEWEST else []
    kinds = (("that carry it", positives), ("that do not", labels - positives))
    missing += [f"{FEWEST_EACH - count} more {kind}" for kind, count in kinds if count < FEWEST_EACH]
    return f"too few labels: give {', '.join(missing)}" if missing else ""


def _lost(gains: Numbers, old: Held, new: Held) -> str:
    """Say why the correction is not used; nothing when it wins.

    It must lower the log-loss of labels held back by more than one standard error of the paired differences (and by
    LEAST_GAIN), and must not lower F1: what is gained may neither be luck nor be paid for at the threshold.
    """
    gain, error = float(gains.mean()), float(gains.std(ddof=1)) / len(gains) ** 0.5
    if gain <= max(error, LEAST_GAIN):
        return f"no clear gain ({gain:+.3f} ± {error:.3f} log-loss): the model stays as it is"
    if new.f1 < old.f1:
        return "F1 would fall: the model stays as it is"
    return ""


def _figures(told: Numbers, truth: Numbers, threshold: float) -> Held:
    judged = [Judged(float(p), bool(t)) for p, t in zip(told, truth, strict=True)]
    return Held(quality(judged, threshold).f1, float(losses(told, truth).mean()))


def _held_back(labelled: Sequence[Labelled]) -> Numbers:
    """Return the probability of each item by a correction that learned from the other folds only."""
    fold = np.array(folds(labelled))
    observed = _observed(labelled)
    told = np.empty(len(labelled))
    for number in range(FOLDS):
        out = fold == number
        kept = Observed(observed.rows[~out], observed.carries[~out], observed.counts[~out])
        told[out] = sigmoid(observed.rows[out] @ fitted(kept, _trusting(observed.rows.shape[1])))
    return told


def folds(labelled: Sequence[Labelled]) -> list[int]:
    """Deal the items into FOLDS sets, each with its share of both kinds; a story stays together."""
    order = sorted(range(len(labelled)), key=lambda i: labelled[i].story)
    stories = [list(places) for _, places in groupby(order, key=lambda i: labelled[i].story)]
    stories.sort(key=lambda places: (labelled[places[0]].carries, _shuffled(labelled[places[0]].story)))
    fold_of = {place: number % FOLDS for number, places in enumerate(stories) for place in places}
    return [fold_of[place] for place in range(len(labelled))]


def _shuffled(story: str) -> str:
    return hashlib.sha256(story.encode()).hexdigest()


def _observed(labelled: Sequence[Labelled]) -> Observed:
    rows = np.array([[*one.embedding.tolist(), log_odds(one.says), 1.0] for one in labelled])
    return Observed(rows, np.array([float(one.carries) for one in labelled]), np.ones(len(labelled)))


def _trusting(columns: int) -> Prior:
    """Return the prior of "the model is right": weights 0, trust 1, bias 0."""
    dimensions = columns - 2
    mean = np.array([0.0] * dimensions + [1.0, 0.0])
    return Prior(mean, np.array([EMBEDDING_PRECISION] * dimensions + [TRUST_PRECISION, BIAS_PRECISION]))


def _head(topic: str, labelled: Sequence[Labelled], base: str) -> Head:
    observed = _observed(labelled)
    weights = tuple(round(float(w), 6) for w in fitted(observed, _trusting(observed.rows.shape[1])))
    mark = hashlib.sha256(json.dumps(weights).encode()).hexdigest()[:6]
    return Head(topic, f"{base}+labels-{mark}", base, weights, len(labelled))
