"""What a classifier finds in a text. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np

    Vector: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a text carries one topic (0 to 1), which model says so, and the words that speak for it.

    ``words`` come strongest first; they are empty where the model cannot tell, or where nothing speaks for the topic.
    """

    probability: float
    model: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as read: a score per topic, and a vector of unit length that is near that of texts on the same matter.

    ``embedding`` is None where the model gives none, or could not read the text.
    """

    scores: Mapping[str, Score]
    embedding: "Vector | None" = None
