"""The development set: real items of public feeds, labelled for this project, on which thresholds are chosen.

``data/real.jsonl`` holds their labels, where they come from, and a hash of their text; the text is other people's and
not ours to give. Where it is at hand - in a monitor's database, or in a file of JSON lines - it is joined by that hash:

    python -m monitor.training.real --texts FILE_OR_DB ...    how much of the set is there, and how the model does on it
    python -m monitor.training.real --add LABELLED.jsonl      add items; only hashes and labels are kept
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from monitor.cli import figures
from monitor.cli.tables import show
from monitor.errors import ClassifierError, MonitorError
from monitor.signals.classifier import Classifier
from monitor.signals.evaluation import Case, Figures, Judged, measured
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.text import model_text
from monitor.training.agreement import agreement
from monitor.training.check import by_language
from monitor.training.dataset import DATA, TOPICS, Example, json_lines, labelled_example
from storage.errors import StorageError
from storage.reading import Answer, ask

REAL = DATA / "real.jsonl"
KEPT = ("url", "source", "lang", "labels", "first", "second")
"""What is kept of a labelled item, besides the hash of its text."""
NEEDED = ("url", "source", "lang")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SQLITE = b"SQLite format 3\0"  # how such a file begins: sqlite.org/fileformat.html
_PAGE = "SELECT id, title, summary FROM items WHERE id > :after ORDER BY id LIMIT 20000"

Text = tuple[str, str]  # title, summary


def main(arguments: Sequence[str] | None = None) -> int:
    """Report on the set, or add to it; return the exit code."""
    options = _options().parse_args(arguments)
    try:
        if options.add:
            print(f"Added {add(options.labels, options.add)} items to {options.labels}.")
        else:
            report(options.labels, options.texts, options.model)
    except (MonitorError, StorageError) as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def fingerprint(title: str, summary: str) -> str:
    """Return the SHA-256, in hexadecimal, of an item's text as the model sees it."""
    # JSON may hold halves of characters; such a text is nobody's, but must not end the search for the others.
    return sha256(model_text(title, summary).encode("utf-8", "surrogatepass")).hexdigest()


def entries(labels: Path) -> dict[str, Example]:
    """Read the set: for each hash an example that lacks only its text. Raises ClassifierError."""
    found: dict[str, Example] = {}
    for where, fields in json_lines(labels):
        key = fields.get("hash")
        if not isinstance(key, str) or not _SHA256.fullmatch(key):
            raise ClassifierError(f"{where}: hash: expected the 64 hexadecimal digits of a SHA-256")
        if key in found:
            raise ClassifierError(f"{where}: hash: the item is there already, further up; keep one of the two lines")
        found[key] = labelled_example({**fields, "title": "", "summary": ""}, where)
    return found


def join(labels: Path, texts: Iterable[Text]) -> tuple[Example, ...]:
    """Return the items of the set whose title and summary are among ``texts``, in the set's order."""
    wanted = entries(labels)
    known = {key: text for key, text in ((fingerprint(*text), text) for text in texts) if key in wanted}
    return tuple(
        replace(example, title=known[key][0], summary=known[key][1], event=known[key][0])
        for key, example in wanted.items()
        if key in known
    )


def texts_of(sources: Iterable[Path]) -> Iterator[Text]:
    """Yield title and summary of every item of monitors' databases and of files of JSON lines.

    Raises StorageError or ClassifierError when one cannot be read.
    """
    for path in sources:
        yield from _stored(path) if _is_database(path) else (_text(fields, where) for where, fields in json_lines(path))


def add(labels: Path, labelled: Path) -> int:
    """Append the items of a file of JSON lines to the set, without their text; return how many.

    Raises ClassifierError, with nothing added, when a line is wrong or its item is in the set already.
    """
    known = set(entries(labels)) if labels.exists() else set()
    lines = []
    for where, fields in json_lines(labelled):
        key = _checked(fields, where)
        if key in known:
            raise ClassifierError(f"{where}: “{fields['title']}” is in the set already; nothing was added")
        known.add(key)
        kept = {"hash": key, **{name: fields[name] for name in KEPT if name in fields}}
        lines.append(json.dumps(kept, ensure_ascii=False))
    with labels.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return len(lines)


def report(labels: Path, sources: Sequence[Path], model: Path | None) -> None:
    """Print how much of the set was found, how far its two readers agree, and the model's figures on what was found."""
    everything = list(entries(labels).values())
    found = join(labels, texts_of(sources))
    show(coverage(everything, found), "table")
    if found:
        classifier = OnnxClassifier.open(model)
        print(figures.table(performance(found, classifier), classifier.models))
    else:
        print("None of the set's texts is there, so the model cannot be measured.")


def coverage(everything: Sequence[Example], found: Sequence[Example]) -> Answer:
    """Count per language and topic what the set holds and what was found of it, with the readers' agreement."""
    at_hand = by_language(found)
    rows: list[tuple[Any, ...]] = []
    for lang, examples in by_language(everything).items():
        some, readers = at_hand.get(lang, []), agreement(examples)
        rows.append((lang, "(all)", len(examples), len(some), readers.items, None, _defined(readers.identical)))
        for topic in TOPICS:
            counts = (_carrying(topic, examples), _carrying(topic, some))
            rows.append((lang, topic, *counts, None, _defined(readers.kappas[topic]), None))
    return Answer(("lang", "topic", "in the set", "found", "read twice", "kappa", "same labels"), rows)


def performance(found: Sequence[Example], classifier: Classifier) -> list[Figures]:
    """Measure a classifier on the items that were found, per topic and language, as `monitor evaluate` does."""
    readings = classifier.read([model_text(example.title, example.summary) for example in found])
    cases = [
        Case(topic, example.lang, Judged(score.probability, topic in example.topics))
        for example, reading in zip(found, readings, strict=True)
        for topic, score in reading.scores.items()
    ]
    return measured(cases, classifier.thresholds)


def _stored(path: Path) -> Iterator[Text]:
    after = -1
    while rows := ask(path, _PAGE, {"after": after}).rows:
        yield from ((title, summary) for _, title, summary in rows)
        after = rows[-1][0]


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _text(fields: dict[str, Any], where: str) -> Text:
    title, summary = fields.get("title") or "", fields.get("summary") or ""
    if not isinstance(title, str) or not isinstance(summary, str):
        raise ClassifierError(f"{where}: title and summary: expected text")
    return title, summary


def _checked(fields: dict[str, Any], where: str) -> str:
    """Return the item's fingerprint, once its fields are as they must be."""
    example = labelled_example(fields, where)
    for name in NEEDED:
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise ClassifierError(f"{where}: {name}: is missing")
    return fingerprint(example.title, example.summary)


def _carrying(topic: str, examples: Sequence[Example]) -> int:
    return sum(topic in example.topics for example in examples)


def _defined(figure: float) -> float | None:
    return None if math.isnan(figure) else round(figure, 3)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitor.training.real", description="The set of real items.")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--texts", type=Path, nargs="+", help="where their text is: databases, or files of JSON lines")
    task.add_argument("--add", type=Path, help="labelled items to add: JSON lines")
    parser.add_argument("--labels", type=Path, default=REAL, help="the set (default: the project's own)")
    parser.add_argument("--model", type=Path, help="a model's folder (default: the shipped one)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
