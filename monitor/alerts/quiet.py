"""Quiet hours: windows of local time, over midnight where they must. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(
    r"(?:(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)\s+)?"
    r"(?P<begin>[0-2]\d:[0-5]\d)-(?P<end>[0-2]\d:[0-5]\d)(?:\s+(?P<zone>[A-Za-z0-9_+/-]+))?"
)
_WHOLE_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """Quiet from ``begin`` to ``end`` (minutes after local midnight; over midnight when ``end`` is not later).

    ``days`` are the weekdays on which it begins (0 is Monday); ``zone`` is None for that of feeds.yaml.
    """

    begin: int
    end: int
    days: frozenset[int]
    zone: str | None = None


def parse(text: str) -> Window:
    """Read '22:00-07:00', 'Sat,Sun 00:00-24:00' or 'Mon-Fri 20:00-08:00 Europe/Berlin'. Raises ValueError."""
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise ValueError("write quiet hours such as 22:00-07:00, or Sat,Sun 00:00-24:00, or 22:00-07:00 Europe/Berlin")
    return Window(_minutes(found["begin"]), _minutes(found["end"]), _days(found["days"]), _zone(found["zone"]))


def _minutes(clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    if (total := hours * 60 + minutes) > _WHOLE_DAY:
        raise ValueError(f"{clock} is no time of day; the last one is 24:00")
    return total


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.lower().split(","):
        first, *others = (_day(name) for name in part.split("-"))
        last = others[-1] if others else first
        found |= {(first + n) % 7 for n in range((last - first) % 7 + 1)}
    return frozenset(found)


def _day(name: str) -> int:
    if name not in _DAYS:
        raise ValueError(f"there is no day {name!r}; write Mon, Tue, Wed, Thu, Fri, Sat or Sun")
    return _DAYS.index(name)


def _zone(name: str | None) -> str | None:
    try:
        return None if name is None else ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write UTC, Europe/Berlin or the like") from None


def _readable(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        parse(text)
    return texts


QuietHours = Annotated[tuple[str, ...], AfterValidator(_readable)]


def quiet_until(windows: tuple[str, ...], zone: str, now: datetime) -> datetime | None:
    """Return when the quiet that holds at ``now`` ends (windows that touch are one); None when it is not quiet."""
    raise NotImplementedError
