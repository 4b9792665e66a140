"""Print the answer to a question as a table, JSON or CSV."""

import csv
import json
import sys
from typing import Any

import click

from storage.reading import Answer

FORMATS = ("table", "json", "csv")


def show(answer: Answer, form: str) -> None:
    """Print an answer on standard output in one of FORMATS."""
    {"table": _table, "json": _json, "csv": _csv}[form](answer)


def _json(answer: Answer) -> None:
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    click.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=_unprintable))


def _unprintable(value: Any) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)


def _csv(answer: Answer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows(answer.rows)


def _table(answer: Answer) -> None:
    from rich import box  # noqa: PLC0415 - slow to import, and only tables need it
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    rows = [[_cell(value) for value in row] for row in answer.rows]
    for index, column in enumerate(answer.columns):
        numeric = all(isinstance(row[index], int | float | None) for row in answer.rows)
        short = all(len(row[index]) <= SHORT for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=short)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    if not answer.rows:
        click.echo("no rows", err=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


SHORT = 24
"""Cells up to this length (times among them) are never broken."""
WIDE = 240
"""Columns of a table that goes to a file or a pipe."""
