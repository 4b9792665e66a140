"""Times as the database holds them: UTC ISO 8601 text to the second, which sorts as it reads."""

from datetime import UTC, datetime
from functools import lru_cache

_REMEMBERED = 4_096  # what is stored or read together shares most of its times


@lru_cache(_REMEMBERED)
def to_text(moment: datetime) -> str:
    """Write an aware datetime as 2026-01-31T08:00:00Z; fractions of a second are dropped."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"  # strftime takes four times as long


@lru_cache(_REMEMBERED)
def from_text(text: str) -> datetime:
    """Read what to_text wrote."""
    return datetime.fromisoformat(text)


def maybe_text(moment: datetime | None) -> str | None:
    """Write a time that may be missing."""
    return None if moment is None else to_text(moment)


def maybe_time(text: str | None) -> datetime | None:
    """Read a time that may be missing."""
    return None if text is None else from_text(text)
