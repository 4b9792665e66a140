"""Tag items that come as JSON lines: one answer for every line, whatever the line holds."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from monitor.signals.classifier import Classifier
from monitor.signals.reading import Reading
from monitor.signals.tags import signals
from monitor.signals.text import model_text

LINES_AT_ONCE = 64

Row = tuple[str, str | None]
"""The text to tag, and None; or the empty text, and what is wrong with the line."""


def tag(lines: Iterable[str], classifier: Classifier, thresholds: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """Answer each line that is not blank: with probabilities, topics and model, or with an error that names it."""
    rows = (_row(line, number) for number, line in enumerate(lines, start=1) if line.strip())
    while batch := list(islice(rows, LINES_AT_ONCE)):
        readings = classifier.read([text for text, _ in batch])
        for (_, error), reading in zip(batch, readings, strict=True):
            yield {"error": error} if error else _answer(classifier.name, reading, thresholds)


def _answer(model: str, reading: Reading, thresholds: Mapping[str, float]) -> dict[str, Any]:
    found = signals(0, reading.scores, thresholds)
    return {
        "probabilities": {topic: round(score.probability, 4) for topic, score in reading.scores.items()},
        "topics": [signal.topic for signal in found],
        "words": {signal.topic: list(signal.words) for signal in found},
        "model": model,
    }


def _row(line: str, number: int) -> Row:
    place = f"standard input:{number}"
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        return "", f"{place}: not JSON: {error}"
    if not isinstance(item, dict):
        return "", f"{place}: expected a JSON object"
    for field in ("title", "summary"):
        if not isinstance(item.get(field) or "", str):
            return "", f"{place}: {field}: expected text"
    if not item.get("title") and not item.get("summary"):
        return "", f"{place}: title: is missing"
    return model_text(item.get("title") or "", item.get("summary") or ""), None
