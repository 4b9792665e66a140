"""Shows how far long work has come: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_QUIET_SECONDS = 15.0


@contextmanager
def steps(label: str, total: int) -> Iterator[Callable[[], None]]:
    """Give a function to be called after each of ``total`` steps."""
    watch = _bar if sys.stdout.isatty() else _lines
    with watch(label, total) as tick:
        yield tick


@contextmanager
def _bar(label: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)


@contextmanager
def _lines(label: str, total: int) -> Iterator[Callable[[], None]]:
    start = last = time.monotonic()
    done = 0

    def tick() -> None:
        nonlocal last, done
        done, now = done + 1, time.monotonic()
        if done == total or now - last >= _QUIET_SECONDS:
            last = now
            print(f"{label}: {done}/{total} steps, {now - start:.0f} s", flush=True)

    yield tick
