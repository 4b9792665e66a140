"""The labelled items that the model learns from, and the order in which it reads them.

``data/starter.jsonl`` and ``data/near_misses.jsonl`` hold English and German items, the latter mostly
such as are close to a topic without carrying it; ``data/pairs.jsonl`` tells each of the starter's English ones a second
time in German. Everything was written for this project. docs/model.md says what the labels mean.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.errors import ClassifierError

TOPICS = ("efficiency", "capex", "geopolitics")
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled item. Retellings of one event share ``event`` and must never be split between training and test."""

    title: str
    summary: str
    lang: str
    topics: frozenset[str]
    event: str


def training_examples(folder: Path = DATA) -> tuple[Example, ...]:
    """Return all training items: starter, near misses, and the pairs' German side (the English one is the starter)."""
    own = read_examples(folder / "starter.jsonl") + read_examples(folder / "near_misses.jsonl")
    return own + _german_sides(folder / "pairs.jsonl")


def read_examples(path: Path) -> tuple[Example, ...]:
    """Read ``{"lang", "title", "summary", "labels"}`` lines; raise ClassifierError naming the line that is wrong."""
    return tuple(_example(fields, where, fields.get("title")) for where, fields in _lines(path))


def split(examples: Sequence[Example], folds: int, seed: int = 0) -> tuple[tuple[int, ...], ...]:
    """Deal the events into ``folds`` test sets at random; each is returned as positions in ``examples``."""
    events = sorted({example.event for example in examples})
    random.Random(seed).shuffle(events)  # noqa: S311 - a repeatable shuffle, not a secret
    fold_of = {event: place % folds for place, event in enumerate(events)}
    return tuple(tuple(i for i, e in enumerate(examples) if fold_of[e.event] == fold) for fold in range(folds))


def reading_order(lengths: Sequence[int], batch: int, rng: random.Random) -> list[list[int]]:
    """Return one epoch's batches: random, but made of texts of like length, so that little padding is computed."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    pools = (order[start : start + batch * 16] for start in range(0, len(order), batch * 16))
    ranked = [index for pool in pools for index in sorted(pool, key=lambda i: lengths[i])]
    batches = [ranked[start : start + batch] for start in range(0, len(ranked), batch)]
    rng.shuffle(batches)
    return batches


def _german_sides(path: Path) -> tuple[Example, ...]:
    return tuple(
        _example({**pair.get("de", {}), "lang": "de", "labels": pair.get("labels")}, where, pair["en"]["title"])
        for where, pair in _lines(path)
    )


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClassifierError(f"Cannot read the labelled items of {path}: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield f"{path.name}:{number}", _parsed(line, f"{path.name}:{number}")


def _parsed(line: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise ClassifierError(f"{where}: not JSON ({error})") from error
    if not isinstance(fields, dict):
        raise ClassifierError(f'{where}: expected an object such as {{"title": "…", "labels": ["capex"]}}')
    return fields


def _example(fields: dict[str, Any], where: str, event: str | None) -> Example:
    title, labels = fields.get("title"), fields.get("labels")
    if not isinstance(title, str) or not isinstance(labels, list):
        raise ClassifierError(f"{where}: an item needs a title (text) and labels (a list)")
    unknown = [label for label in labels if label not in TOPICS]
    if unknown:
        raise ClassifierError(f"{where}: unknown label {unknown[0]!r}; known are {', '.join(TOPICS)}")
    return Example(title, fields.get("summary") or "", fields.get("lang") or "?", frozenset(labels), event or title)
