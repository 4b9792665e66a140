"""What commands share that need the monitor stopped, and that a person may stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import AlreadyRunning
from monitor.instance import only_instance

STOPPED = 130
"""The exit code after Ctrl-C, as shells have it."""


def heed_signals() -> None:
    """Let SIGTERM and Ctrl-C raise KeyboardInterrupt; a shell's `&` ignores SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


@contextmanager
def alone(database: Path, advice: str = "") -> Iterator[None]:
    """Work as the only process on a database, and end with STOPPED when stopped.

    Raises AlreadyRunning, with the advice behind it.
    """
    heed_signals()
    try:
        with only_instance(database):
            yield
    except AlreadyRunning as error:
        raise AlreadyRunning(f"{error}. {advice}" if advice else str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit(STOPPED) from None
