"""Local days: which time zone the database counts in, and where its days begin and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlite_utils import Database

from storage.errors import StorageError
from storage.times import to_text

ONE = timedelta(days=1)
UTC_NAME = "UTC"


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: 23 to 25 hours from ``start`` up to, but without, ``end``, both as UTC text."""

    date: str
    start: str
    end: str


def zone_name(db: Database) -> str:
    """Return the time zone in which the database counts days; UTC until it was told one."""
    row = db.execute("SELECT zone FROM calendar").fetchone()
    return row["zone"] if row else UTC_NAME


def zone_of(db: Database) -> ZoneInfo:
    """Return the time zone in which the database counts days. Raises StorageError when this system does not know it."""
    return known_zone(zone_name(db))


def known_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises StorageError when this system does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise StorageError(
            f"this system knows no time zone {name!r}; set `timezone:` to a name such as Europe/Berlin,"
            " or install the package tzdata"
        ) from None


def day_of(zone: ZoneInfo, moment: datetime) -> date:
    """Return the local day of an aware datetime."""
    return moment.astimezone(zone).date()


def midnight(zone: ZoneInfo, day: date) -> datetime:
    """Return the moment a local day begins. Where clocks skip midnight, that is when they jump."""
    return datetime.combine(day, time(), zone)


@lru_cache(maxsize=4096)
def local_day(zone: ZoneInfo, day: date) -> Day:
    """Return a local day with its bounds."""
    return Day(day.isoformat(), to_text(midnight(zone, day)), to_text(midnight(zone, day + ONE)))


def days_between(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[date]:
    """Yield the local days that [begin, end] touches, in order."""
    last = day_of(zone, end)
    for ordinal in range(day_of(zone, begin).toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)
