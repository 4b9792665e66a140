"""Progress of long work: a bar on a terminal, a line every few seconds in a log. Short work shows nothing."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

SECONDS_BETWEEN_LINES = 5.0
WORTH_SHOWING = 10

log = structlog.get_logger()


class Progress:
    """Counts from 0 to ``total`` pieces of work; use it as a context manager and call ``advance``."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._last_line = time.monotonic()
        self._lines = 0
        self._bar: Bar | None = None
        self._show = total >= WORTH_SHOWING

    def __enter__(self) -> Self:
        if self._show and sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._bar.add_task(self._label, total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._lines:
            self._line()

    def advance(self, pieces: int = 1) -> None:
        """Say that some pieces of work are done."""
        self._done += pieces
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], pieces)
        elif self._show and time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._line()

    def _line(self) -> None:
        self._last_line = time.monotonic()
        self._lines += 1
        log.info("progress", work=self._label, done=self._done, of=self._total)


def _bar() -> "Bar":
    from rich.console import Console  # noqa: PLC0415 - slow to import, and only a terminal needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
