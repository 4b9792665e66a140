"""Everything that can go wrong outside the database, drawn as a tree; each says whether trying again can help.

::

    MonitorError                exit code 1
    ├── ConfigError             feeds.yaml is wrong: mend it (exit code 2)
    ├── AlreadyRunning          another process works on this database (exit code 3)
    ├── FetchError              a feed did not answer well: the next poll tries again
    ├── ParseError              a document is no feed, or cost too much to read: the next poll tries again
    ├── ClassifierError         the model is missing or damaged: reinstall (exit code 5)
    └── ChannelError            a message was not taken; ``retry`` says whether to send it again

Errors of the database are in storage/errors.py (exit code 4).
"""

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.feed_records import Trouble


class MonitorError(Exception):
    """Base of all our errors: its text is a sentence for the user."""

    exit_code = 1
    retry = False


class ConfigError(MonitorError):
    """The configuration is wrong; ``problems`` holds one line for each mistake."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class AlreadyRunning(MonitorError):
    """Another process works on this database."""

    exit_code = 3


class FetchError(MonitorError):
    """A feed did not answer well. ``trouble`` says why in one word."""

    retry = True

    def __init__(self, message: str, *, trouble: "Trouble" = "network") -> None:
        super().__init__(message)
        self.trouble = trouble


class ParseError(MonitorError):
    """A document is no feed, or cost too much to read. ``trouble`` says why in one word."""

    retry = True

    def __init__(self, message: str, *, trouble: "Trouble" = "content") -> None:
        super().__init__(message)
        self.trouble = trouble


class ClassifierError(MonitorError):
    """The model is missing, damaged, or does not know a topic."""

    exit_code = 5


class ChannelError(MonitorError):
    """A message was not taken by its server.

    ``retry`` is False when the same message can never be taken (a bad address, a deleted webhook);
    ``retry_after`` is the server's own wish for when to come back; ``reached`` are the recipients that took the message
    nevertheless, and get it no second time.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool = True,
        retry_after: timedelta | None = None,
        reached: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.retry_after = retry_after
        self.reached = reached
