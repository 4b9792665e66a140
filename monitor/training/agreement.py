"""How far two readers agree who labelled the same items without seeing each other's labels. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.training.dataset import TOPICS, Example, Topics

Readings = tuple[Topics, Topics]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over how many items the readers are compared, Cohen's kappa per topic, and the share with the same labels."""

    items: int
    kappas: Mapping[str, float]
    identical: float


def agreement(examples: Iterable[Example]) -> Agreement:
    """Compare the two readings of those examples that have two; figures that nothing defines are NaN."""
    read = [example.readings for example in examples if example.readings is not None]
    same = sum(first == second for first, second in read)
    return Agreement(len(read), {topic: _kappa_of(topic, read) for topic in TOPICS}, _ratio(same, len(read)))


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Return the agreement beyond chance: 1 for full, 0 for what chance gives (Cohen 1960, A coefficient of agreement).

    NaN without pairs, and where both readers always say the same one thing: chance alone would then agree too.
    """
    both = _ratio(sum(first == second for first, second in pairs), len(pairs))
    yes = [_ratio(sum(said), len(pairs)) for said in zip(*pairs, strict=True)] or [math.nan, math.nan]
    chance = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
    return _ratio(both - chance, 1 - chance)


def _kappa_of(topic: str, read: Sequence[Readings]) -> float:
    return kappa([(topic in first, topic in second) for first, second in read])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
