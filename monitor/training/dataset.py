"""The labelled items that the model learns from, and the order in which it reads them.

Everything in ``data`` was written for this project; docs/model.md says what the labels mean.

- ``starter.jsonl``, ``near_misses.jsonl``, ``more_near_misses.jsonl`` and ``headlines.jsonl`` hold items in English and
  German, all but the first mostly such as are close to a topic without carrying it. A second reader labelled each of
  them again (``second``); where ``labels`` are not what the first reader gave, those are kept too (``first``).
- ``pairs.jsonl`` and ``near_miss_pairs.jsonl`` tell the English items of the first two a second time in German.
- ``held_out.jsonl`` is for tests: nothing learns from it.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitor.errors import ClassifierError
from monitor.signals.text import model_text

TOPICS = ("efficiency", "capex", "geopolitics")
DATA = Path(__file__).parent / "data"
WRITTEN = ("starter.jsonl", "near_misses.jsonl", "more_near_misses.jsonl", "headlines.jsonl")
"""The files of items that were written and read one by one; everything else retells some of them."""

Topics = frozenset[str]


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled item. Retellings of one event share ``event`` and must never be split between training and test.

    ``topics`` is what counts; ``second`` is what a second reader said without seeing it, if one did, and ``first`` what
    the first reader had said, where ``topics`` are no longer that.
    """

    title: str
    summary: str
    lang: str
    topics: Topics
    event: str
    first: Topics | None = None
    second: Topics | None = None

    @property
    def readings(self) -> tuple[Topics, Topics] | None:
        """Return what the two independent readers said; None when there was only one."""
        first = self.topics if self.first is None else self.first
        return None if self.second is None else (first, self.second)


def training_examples(folder: Path = DATA) -> tuple[Example, ...]:
    """Return all training items: those of WRITTEN, and the German retellings. Raises ClassifierError."""
    return written_examples(folder) + tuple(german for german, _ in _retold(folder))


def written_examples(folder: Path = DATA) -> tuple[Example, ...]:
    """Return the items of WRITTEN, without retellings. Raises ClassifierError."""
    return tuple(example for name in WRITTEN for example in read_examples(folder / name))


def parallel_texts(folder: Path = DATA) -> list[tuple[str, str]]:
    """Return the German retellings with the English texts that they retell. Raises ClassifierError."""
    return [(_text(german), _text(english)) for german, english in _retold(folder)]


def read_examples(path: Path) -> tuple[Example, ...]:
    """Read ``{"lang", "title", "summary", "labels"}`` lines; raise ClassifierError naming the line that is wrong.

    ``"first"`` and ``"second"``, lists of labels too, may be there or not.
    """
    return tuple(labelled_example(fields, where) for where, fields in json_lines(path))


def labelled_example(fields: dict[str, Any], where: str) -> Example:
    """Make an example of a line's fields; raise ClassifierError, beginning with ``where``, when they are wrong."""
    title, summary, labels = fields.get("title"), fields.get("summary") or "", fields.get("labels")
    if not isinstance(title, str) or not isinstance(labels, list):
        raise ClassifierError(f"{where}: an item needs a title (text) and labels (a list)")
    if not isinstance(summary, str):
        raise ClassifierError(f"{where}: summary: expected text")
    first, second = (_reading(fields, name, where) for name in ("first", "second"))
    return Example(title, summary, fields.get("lang") or "?", _topics(labels, where), title, first, second)


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line's place (``file:line``) and its JSON object, skipping blank lines; raise ClassifierError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClassifierError(f"Cannot read the items of {path}: {error}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{path.name}:{number}", _parsed(line, f"{path.name}:{number}")


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


def _retold(folder: Path) -> Iterator[tuple[Example, Example]]:
    """Yield each German retelling with the English item that it retells and whose event it shares."""
    for where, pair in json_lines(folder / "pairs.jsonl"):
        english = _side(pair, "en", where)
        yield replace(_side(pair, "de", where), event=english.event), english
    items = {item.title: item for item in read_examples(folder / "near_misses.jsonl") if item.lang == "en"}
    for where, fields in json_lines(folder / "near_miss_pairs.jsonl"):
        item = items.get(str(fields.get("en")))
        if item is None:
            raise ClassifierError(f"{where}: en: no English item of near_misses.jsonl is titled {fields.get('en')!r}")
        german = labelled_example({**fields, "lang": "de", "labels": sorted(item.topics)}, where)
        yield replace(german, event=item.event), item


def _side(pair: dict[str, Any], lang: str, where: str) -> Example:
    fields = pair.get(lang)
    if not isinstance(fields, dict):
        raise ClassifierError(f"{where}: {lang}: expected an object with title and summary")
    return labelled_example({**fields, "lang": lang, "labels": pair.get("labels")}, where)


def _text(example: Example) -> str:
    return model_text(example.title, example.summary)


def _parsed(line: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise ClassifierError(f"{where}: not JSON ({error})") from error
    if not isinstance(fields, dict):
        raise ClassifierError(f'{where}: expected an object such as {{"title": "…", "labels": ["capex"]}}')
    return fields


def _reading(fields: dict[str, Any], name: str, where: str) -> Topics | None:
    labels = fields.get(name)
    if labels is not None and not isinstance(labels, list):
        raise ClassifierError(f"{where}: {name}: expected a list of labels")
    return None if labels is None else _topics(labels, where)


def _topics(labels: list[Any], where: str) -> Topics:
    unknown = [label for label in labels if label not in TOPICS]
    if unknown:
        raise ClassifierError(f"{where}: unknown label {unknown[0]!r}; known are {', '.join(TOPICS)}")
    return frozenset(labels)
