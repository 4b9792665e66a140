"""What the rest of the program asks of a classifier, whichever it is."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from monitor.signals.reading import Reading


class Classifier(Protocol):
    """Reads texts. Opened at once, loaded when first asked, safe to share between threads."""

    @property
    def name(self) -> str:
        """Name the model; results are stored under the names in their scores, which may be others for some topics."""
        ...

    @property
    def models(self) -> Mapping[str, str]:
        """Return for each topic the name under which its results are stored."""
        ...

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Return for each topic the probability from which on an item should count, as the model's card says."""
        ...

    @property
    def topics(self) -> tuple[str, ...]:
        """Name the topics, in the order in which scores come."""
        ...

    def load(self) -> None:
        """Load what takes long; do nothing the second time. Raises ClassifierError."""
        ...

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return a reading of each text, in order. Raises ClassifierError."""
        ...
