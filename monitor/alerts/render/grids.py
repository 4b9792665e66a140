"""Tables in clean words, and as lines of equally wide letters. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, repeat

from monitor.alerts.render.room import Room, html_bytes
from monitor.alerts.wording import one_line, printed_width, safe_link
from storage.alert_records import Cell, Finding, Table

TABLES_SHOWN = 5
ROWS_SHOWN = 25
COLUMNS_SHOWN = 8
_CELL = 160  # characters
_SHORT = 10  # characters, such as a time has; such a cell is not broken into lines
_LONG_WORD = 24  # characters; a longer word may be broken, so that it does not widen its column
_MARKUP, _HEAD_MARKUP = 200, 330  # bytes of HTML around a cell, and around one of the head
_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column; one of numbers is set flush right."""

    name: str
    number: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A cell. ``whole`` says that it is short enough for one line, ``breaks`` that it holds a very long word."""

    text: str
    url: str | None
    whole: bool
    breaks: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: each row has a field for each column. ``left_out`` counts the rows that are not listed."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Field, ...], ...]
    left_out: int

    @property
    def head(self) -> str:
        """The columns' names on one line; empty when none has a name."""
        return " · ".join(column.name for column in self.columns if column.name)

    @property
    def figures(self) -> bool:
        """Whether any column holds numbers, which are compared down the column."""
        return any(column.number for column in self.columns)


def grids(finding: Finding, room: Room) -> tuple[Grid, ...]:
    """Return the finding's tables; one without rows is left out. They leave half of the room to others."""
    tables = [table for table in finding.tables if table.rows and table.columns][:TABLES_SHOWN]
    ours = room.half()
    shown = tuple(_grid(table, ours) for table in tables)
    room.spend(room.left // 2 - ours.left)
    return shown


def _grid(table: Table, room: Room) -> Grid:
    columns = tuple(Column(one_line(name, 40), name in table.numbers) for name in table.columns[:COLUMNS_SHOWN])
    room.spend(sum(_HEAD_MARKUP + html_bytes(column.name) for column in columns))
    rows = room.take((_row(row, len(columns)) for row in table.rows[:ROWS_SHOWN]), _size)
    return Grid(one_line(table.title, 80), columns, rows, len(table.rows) - len(rows) + table.left_out)


def _row(cells: Sequence[Cell], columns: int) -> tuple[Field, ...]:
    padded = islice((*cells, *repeat(Cell(""), columns)), columns)
    return tuple(_field(cell) for cell in padded)


def _field(cell: Cell) -> Field:
    url = safe_link(cell.url)
    text = one_line(cell.text, _CELL) or (one_line(url, 60) if url else "")
    return Field(text, url, len(text) <= _SHORT, any(len(word) > _LONG_WORD for word in text.split()))


def _size(row: tuple[Field, ...]) -> int:
    return sum(_MARKUP + html_bytes(field.text, field.url) for field in row)


def aligned(grid: Grid, width: int) -> list[str]:
    """Return head and rows as lines with straight columns; none where a line is wider than ``width`` or has a link."""
    names = tuple(column.name for column in grid.columns)
    rows = [names, *(tuple(field.text for field in row) for row in grid.rows)]
    widths = [max(map(printed_width, column)) for column in zip(*rows, strict=True)]
    linked = any(field.url for row in grid.rows for field in row)
    if linked or sum(widths) + _GAP * (len(widths) - 1) > width:
        return []
    return [_straight(row, widths, grid.columns) for row in (rows if grid.head else rows[1:])]


def _straight(row: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    cells = []
    for text, width, column in zip(row, widths, columns, strict=True):
        blank = " " * (width - printed_width(text))
        cells.append(blank + text if column.number else text + blank)
    return (" " * _GAP).join(cells).rstrip()
