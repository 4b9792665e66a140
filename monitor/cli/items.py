"""What commands that look at stored items share: the database, which must exist, and reading many texts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from monitor.config import Config
from monitor.progress import Progress
from monitor.signals.classifier import Classifier
from monitor.signals.reading import Reading
from storage import reading
from storage.store import Store

_AT_ONCE = 64


@contextmanager
def existing_store(config: Config) -> Iterator[Store]:
    """Open the database, which must exist. Raises StorageError."""
    reading.ask(config.database, "SELECT 1")  # a missing one is an error here, and not to be made
    with Store(config.database) as store:
        yield store


def read_all(classifier: Classifier, texts: Sequence[str], label: str) -> list[Reading]:
    """Return a reading of each text, in order, showing progress under this label. Raises ClassifierError."""
    found: list[Reading] = []
    with Progress(label, len(texts)) as progress:
        for start in range(0, len(texts), _AT_ONCE):
            readings = classifier.read(texts[start : start + _AT_ONCE])
            found += readings
            progress.advance(len(readings))
    return found
