"""Print how good a classifier is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from monitor.signals.evaluation import ALL, Figures, macro_f1

FEW = 30
"""Below this number of labels, a topic's figures say next to nothing."""

LEGEND = """\
carry: items that carry the topic; from: threshold; precision with its 95 % interval (Wilson);
AP: average precision, over all thresholds; ECE: expected calibration error, 0 is best"""

_HEAD = ("lang", "items", "carry", "from", "precision     ", "recall", "F1", "AP", "ECE")
_WIDTHS = (4, 5, 5, 4, 14, 6, 4, 4, 4)


def table(rows: Sequence[Figures], models: Mapping[str, str]) -> str:
    """Return the figures as a table for people, headed by the models (by topic) that they are of."""
    widest = max((len(row.topic) for row in rows), default=0)
    lines = [f"{name}: {', '.join(topics)}" for name, topics in _by_model(models, rows).items()]
    lines += ["", _line("topic", _HEAD, widest)]
    lines += [_line(row.topic, _cells(row), widest) for row in rows]
    lines += ["", f"macro-F1: {', '.join(f'{lang} {_number(f1)}' for lang, f1 in macro_f1(rows).items())}", LEGEND]
    return "\n".join(lines)


def as_json(rows: Sequence[Figures], models: Mapping[str, str], notes: Sequence[str]) -> dict[str, Any]:
    """Return the figures for other programs; what is undefined is null."""
    return {
        "models": {topic: name for topic, name in models.items() if topic in {row.topic for row in rows}},
        "figures": [{name: _rounded(value) for name, value in asdict(row).items()} for row in rows],
        "macro_f1": {lang: _rounded(f1) for lang, f1 in macro_f1(rows).items()},
        "notes": list(notes),
    }


def too_few(rows: Sequence[Figures]) -> list[str]:
    """Return a warning when topics have too few labels, or too few items that carry them, for figures to mean much."""
    short = [f"{row.topic} ({row.items})" for row in rows if row.lang == ALL and row.items < FEW]
    if not short:
        return []
    return [
        f"Too few labels to mean much, below {FEW}: {', '.join(short)}. A few more items can turn these figures over."
    ]


def _by_model(models: Mapping[str, str], rows: Sequence[Figures]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for topic in dict.fromkeys(row.topic for row in rows):
        named.setdefault(models.get(topic, "?"), []).append(topic)
    return named


def _cells(row: Figures) -> tuple[str, ...]:
    interval = "" if math.isnan(row.low) else f" {_number(row.low)}–{_number(row.high)}"
    ratios = (row.recall, row.f1, row.average_precision, row.calibration_error)
    counts = (row.lang, str(row.items), str(row.positives), _number(row.threshold))
    return (*counts, f"{_number(row.precision)}{interval:10}", *map(_number, ratios))


def _line(topic: str, cells: Sequence[str], widest: int) -> str:
    padded = (f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return f"{topic:{widest}}  {'  '.join(padded)}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _rounded(value: object) -> object:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 4)
