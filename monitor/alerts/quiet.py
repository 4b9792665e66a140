"""Quiet hours: windows of local time, over midnight where they must. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from monitor.settings import time_zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(
    r"(?:(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)\s+)?"
    r"(?P<begin>[0-2]\d:[0-5]\d)-(?P<end>[0-2]\d:[0-5]\d)(?:\s+(?P<zone>[A-Za-z0-9_+/-]+))?"
)
_WHOLE_DAY = 24 * 60
_WEEK = timedelta(days=7)


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
    zone = found["zone"] and time_zone(found["zone"])
    return Window(_minutes(found["begin"]), _minutes(found["end"]), _days(found["days"]), zone)


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


def _readable(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        parse(text)
    return texts


QuietHours = Annotated[tuple[str, ...], AfterValidator(_readable)]


def quiet_until(windows: tuple[str, ...], zone: str, now: datetime) -> datetime | None:
    """Return when the quiet that holds at ``now`` ends (windows that touch are one); None when it is not quiet.

    ``zone`` is that of windows without one of their own; the result is in UTC, and at most a week ahead. Quiet hours
    that leave no hour of the week are broken for one, on Monday at eight, so that nothing waits for ever.
    """
    until = now.astimezone(UTC)
    for begin, end in sorted(span for text in windows for span in _spans(_window(text), zone, now)):
        if begin > until:
            break
        until = max(until, end)
    if until - now >= _WEEK:
        return _break(zone, now)
    return until if until > now else None


_window = lru_cache(maxsize=256)(parse)


def _spans(window: Window, zone: str, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when the window begins and ends, in UTC, from what still lasts at ``now`` to over a week later."""
    local = ZoneInfo(window.zone or zone)
    today = now.astimezone(local).date()
    length = (window.end - window.begin) % _WHOLE_DAY or _WHOLE_DAY
    for day in (today + timedelta(days=n) for n in range(-2, 9)):
        if day.weekday() in window.days:
            end = window.begin + length
            yield _moment(day, window.begin, local), max(_moment(day, end, local, fold) for fold in (0, 1))


def _moment(day: date, minutes: int, zone: ZoneInfo, fold: int = 0) -> datetime:
    """Return in UTC when the wall clock has gone so many minutes since that day's midnight.

    A time that the clocks skip is the one at which as much has passed as on other days; of one that comes twice,
    ``fold`` says which.
    """
    days, minute = divmod(minutes, _WHOLE_DAY)
    wall = datetime.combine(day + timedelta(days=days), time(*divmod(minute, 60)), tzinfo=zone)
    return wall.replace(fold=fold).astimezone(UTC)


def _break(zone: str, now: datetime) -> datetime | None:
    """Return when the next break of endless quiet begins; None during one."""
    local = ZoneInfo(zone)
    monday = now.astimezone(local).date() - timedelta(days=now.astimezone(local).weekday())
    begin, later = (_moment(day, 8 * 60, local) for day in (monday, monday + _WEEK))
    if now < begin:
        return begin
    return None if now < begin + timedelta(hours=1) else later
