"""Topics of the user's own: about 30 examples in a file, told apart from ordinary AI news by the model's embeddings."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.errors import ConfigError
from monitor.signals.background import BACKGROUND, read_background
from monitor.signals.classifier import Classifier
from monitor.signals.onnx_classifier import CARD, Card
from monitor.signals.settings import TopicSettings
from monitor.signals.text import model_text, readable
from storage.records import Head

if TYPE_CHECKING:
    from monitor.signals.logistic import Numbers

FEWEST = 10
"""Examples without which a topic cannot be told apart at all."""
GOOD = 30


@dataclass(frozen=True, slots=True)
class OwnTopic:
    """A topic as its examples give it: texts that carry it, texts that do not, and ordinary news as embeddings."""

    name: str
    model: str
    carrying: tuple[str, ...]
    others: tuple[str, ...]
    background: "Numbers"

    def head(self, encoder: Classifier) -> Head:
        """Fit the topic's head with the encoder's embeddings (below a second). Raises ClassifierError."""
        from monitor.signals.telling_apart import weights  # noqa: PLC0415 - numpy, which few commands need

        found = [reading.embedding for reading in encoder.read([*self.carrying, *self.others])]
        vectors = [vector for vector in found if vector is not None]
        split = len(self.carrying)
        return Head(
            self.name, self.model, encoder.name, weights(vectors[:split], vectors[split:], self.background), len(found)
        )


def own_topics(topics: Mapping[str, TopicSettings], folder: Path) -> list[OwnTopic]:
    """Read the examples of every topic that has some, for the model in ``folder``; fit nothing yet.

    Raises ConfigError when examples are wrong, ClassifierError when the model cannot take topics.
    """
    chosen = [(name, settings.examples) for name, settings in topics.items() if settings.examples is not None]
    if not chosen:
        return []
    card = Card.read(folder / CARD)
    background = read_background(folder / BACKGROUND, card)
    return [_topic(name, read_examples(path), card, background) for name, path in chosen]


def read_examples(path: Path) -> dict[str, bool]:
    """Return the texts of a file of examples, each with whether it carries the topic.

    A line is ``{"title", "summary"}``, with ``"carries": false`` for a counter-example. Raises ConfigError that names
    file, line and field.
    """
    texts: dict[str, bool] = {}
    for where, line in _lines(path):
        text, carries = _example(line, where)
        if texts.setdefault(text, carries) != carries:
            raise ConfigError(f"{where}: carries: an earlier line says the opposite of the same text; remove one")
    found = sum(texts.values())
    if found < FEWEST:
        raise ConfigError(
            f"{path}: {found} different examples that carry the topic; give about {GOOD}, at least {FEWEST}"
        )
    return texts


def _topic(name: str, texts: Mapping[str, bool], card: Card, background: "Numbers") -> OwnTopic:
    """Name the topic's model after examples and encoder: other examples are another model."""
    mark = hashlib.sha256(json.dumps([card.sha256, sorted(texts.items())]).encode()).hexdigest()[:8]
    carrying = tuple(text for text, carries in texts.items() if carries)
    others = tuple(text for text, carries in texts.items() if not carries)
    return OwnTopic(name, f"{name}-{mark}", carrying, others, background)


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the examples in {path}: {error}") from None
    for number, line in enumerate(text.split("\n"), start=1):  # JSON text may hold the other line separators
        if line.strip():
            yield f"{path}:{number}", line


def _example(line: str, where: str) -> tuple[str, bool]:
    fields = _object(line, where)
    for field in ("title", "summary"):
        if not isinstance(fields.get(field), str | None):
            raise ConfigError(f"{where}: {field}: expected text")
    carries = fields.get("carries", True)
    if not isinstance(carries, bool):
        raise ConfigError(f"{where}: carries: expected true or false")
    text = model_text(fields.get("title") or "", fields.get("summary") or "")
    if not text:
        raise ConfigError(f"{where}: title: is missing")
    if not readable(text):
        raise ConfigError(f"{where}: title: the model reads Latin script only; remove this line")
    return text, carries


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ConfigError(f'{where}: expected an object such as {{"title": "…", "summary": "…"}}')
    return fields
