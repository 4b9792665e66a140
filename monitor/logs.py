"""Structured logs on standard error: dotted event names with fields; coloured text on a terminal, else JSON lines."""

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor


class _StandardError:
    """Looks sys.stderr up for each line, so that a progress bar that redirects it stays below the log."""

    def msg(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    log = debug = info = warning = warn = error = err = exception = critical = fatal = failure = msg


def configure(level: str = "info", style: str = "auto") -> None:
    """Set up logging for this process. ``style`` is auto, text or json."""
    text = style == "text" or (style == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[*_SHARED, *(_text() if text else _json())],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )
    for noisy in ("apscheduler", "httpx", "httpcore", "transformers"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


_SHARED: list["Processor"] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
]


def _text() -> list["Processor"]:
    local_time = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
    return [local_time, _renderer()]


def _renderer() -> "Processor":
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        pad_event_to=18,
        pad_level=False,
        exception_formatter=structlog.dev.plain_traceback,  # the rich one prints local variables: secrets among them
    )


def _json() -> list["Processor"]:
    utc = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [utc, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
