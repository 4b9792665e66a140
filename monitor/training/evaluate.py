"""Measures the shipped model on labelled items: ``python -m monitor.training.evaluate [--file F.jsonl] [--model DIR]``.

F.jsonl holds ``{"lang", "title", "summary", "labels"}`` lines; by default it is ``data/held_out.jsonl``, whose items no
training has seen. Needs neither torch nor the extra ``train``.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from monitor.errors import MonitorError
from monitor.signals.classifier import Classifier
from monitor.signals.text import model_text
from monitor.training.calibrate import Judged, average_precision, quality
from monitor.training.dataset import DATA, Example, read_examples

COLUMNS = ("topic", "lang", "items", "positive", "threshold", "precision", "recall", "F1", "AP")
Row = tuple[str, str, int, int, float, float, float, float, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    options = _options().parse_args(arguments)
    try:
        classifier = Classifier.open(options.model)
        rows = evaluate(classifier, read_examples(options.file))
    except MonitorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    Console().print(_table(f"{classifier.name} on {options.file.name}", rows))
    return 0


def evaluate(classifier: Classifier, examples: Sequence[Example]) -> list[Row]:
    """Return one row per topic and language, and one per topic over all languages."""
    told = classifier.probabilities([model_text(example.title, example.summary) for example in examples])
    return [
        _row(topic, lang, [Judged(p[topic], topic in e.topics) for e, p in chosen], classifier.thresholds[topic])
        for topic in classifier.topics
        for lang, chosen in _by_language(list(zip(examples, told, strict=True)))
    ]


def _by_language(
    told: list[tuple[Example, dict[str, float]]],
) -> Iterator[tuple[str, list[tuple[Example, dict[str, float]]]]]:
    for lang in sorted({example.lang for example, _ in told}):
        yield lang, [pair for pair in told if pair[0].lang == lang]
    yield "all", told


def _row(topic: str, lang: str, judged: list[Judged], threshold: float) -> Row:
    found = quality(judged, threshold)
    positive = sum(one.positive for one in judged)
    figures = (found.precision, found.recall, found.f1, average_precision(judged))
    return (topic, lang, len(judged), positive, threshold, *figures)


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, caption="AP: average precision, over all thresholds", box=None)
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in {"topic", "lang"} else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.2f}"
    return str(value)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitor.training.evaluate", description="Measure a model.")
    parser.add_argument("--file", type=Path, default=DATA / "held_out.jsonl", help="labelled items, JSON lines")
    parser.add_argument("--model", type=Path, help="a model's folder (default: the shipped one)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
