"""Labelled items from a file of JSON lines: ``{"lang": "en", "title": "…", "summary": "…", "labels": ["capex"]}``."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.errors import ConfigError

MOST_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class LabelledText:
    """An item, and all the topics that it carries. ``lang`` is "?" where the file does not say."""

    title: str
    summary: str
    lang: str
    topics: frozenset[str]


def read_labelled(path: Path, topics: Sequence[str]) -> list[LabelledText]:
    """Read a file whose labels are among these topics; blank lines are skipped.

    Raises ConfigError with a line for each of the first mistakes: file:line: field: what is wrong.
    """
    found: list[LabelledText] = []
    problems: list[str] = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            fields, wrong = _fields(line, topics)
            problems += [f"{path}:{number}: {problem}" for problem in wrong]
            found += [] if wrong else [_item(fields)]
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more mistakes"] if len(problems) > MOST_PROBLEMS else []
        raise ConfigError(*problems[:MOST_PROBLEMS], *more)
    if not found:
        raise ConfigError(f'{path}: holds no items; write lines such as {{"title": "…", "labels": ["{topics[0]}"]}}')
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None


def _item(fields: dict[str, Any]) -> LabelledText:
    title, summary = fields.get("title") or "", fields.get("summary") or ""
    return LabelledText(title, summary, fields.get("lang") or "?", frozenset(fields["labels"]))


def _fields(line: str, topics: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return a line's fields, and what is wrong with them."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {}, [f"not JSON: {error}"]
    if not isinstance(fields, dict):
        return {}, ["expected a JSON object"]
    return fields, list(_mistakes(fields, topics))


def _mistakes(fields: dict[str, Any], topics: Sequence[str]) -> Iterator[str]:
    for field in ("title", "summary", "lang"):
        if not isinstance(fields.get(field) or "", str):
            yield f"{field}: expected text"
    if not fields.get("title") and not fields.get("summary"):
        yield "title: is missing"
    labels = fields.get("labels")
    if not isinstance(labels, list):
        yield 'labels: expected a list of topics, such as ["capex"], or [] for none'
        return
    for label in labels:
        if label not in topics:
            yield f"labels: there is no topic {label!r}; topics: {', '.join(topics)}"
