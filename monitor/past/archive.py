"""Past items from a file: what a line says, and where an archive has holes. Pure.

A line is a JSON object ``{"published", "title", "summary", "url", "source", "lang"}``; some other names are understood,
too. Its text is cleaned as a feed's is.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from itertools import pairwise
from typing import Any

from monitor.feeds import clean, dates
from storage.feed_records import Entry

MAX_SOURCE = 80
_NAMES = {
    "published": ("published", "date", "time"),
    "title": ("title",),
    "summary": ("summary", "description", "text"),
    "url": ("url", "link"),
    "source": ("source", "feed", "outlet"),
    "lang": ("lang",),
}
_NOON = time(12)
_FAR_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)  # so that dates.published reads a date that lies ahead
_SHOWN = 40

LONG_PAUSE = 4
"""A pause of up to so many days is never a hole."""
TIMES_USUAL = 3
"""Nor is one that is up to so many times as long as the source's longest usual pause."""
_USUAL_SHARE = 0.95


class Refused(ValueError):
    """A line cannot be imported; the text says which field is wrong, and why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How lines are read: the time zone of dates without a time, the present, the source of lines that name none.

    ``language`` finds the language of a line from what it says itself, its source, and its text.
    """

    zone: tzinfo
    now: datetime
    source: str
    language: Callable[[str, str, str], str | None]


@dataclass(frozen=True, slots=True)
class Archived:
    """A past item and the name of the source that published it."""

    source: str
    entry: Entry


def read_line(line: bytes, reading: Reading) -> Archived:
    """Read one line. Raises Refused."""
    values = _values(line)
    published = moment(values["published"], reading)
    title = clean.cut(clean.plain(values["title"], markup=False), clean.MAX_TITLE)
    if not title:
        raise Refused("title: is missing")
    summary = clean.cut(clean.plain(values["summary"]), clean.MAX_SUMMARY)
    source = clean.cut(clean.one_line(values["source"]), MAX_SOURCE) or reading.source
    lang = reading.language(values["lang"], source, f"{title} {summary}")
    return Archived(
        source, Entry(None, clean.link(values["url"]), title, "" if summary == title else summary, lang, published)
    )


def _values(line: bytes) -> dict[str, str]:
    """Return each field's text, empty where the line has none."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise Refused("expected one JSON object on each line")
    return {name: _text(fields, known) for name, known in _NAMES.items()}


def _text(fields: dict[str, Any], names: Sequence[str]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, bool | dict | list):
            raise Refused(f"{name}: expected text")
        if value is not None and str(value).strip():
            return str(value).strip()
    return ""


def moment(text: str, reading: Reading) -> datetime:
    """Read a date: ISO 8601, RFC 822 and what else feeds write; UTC where no zone is named, noon without a time.

    Raises Refused when it is none, or none of a past news item.
    """
    if not text:
        raise Refused("published: is missing; give the item's date")
    found = _midday(text, reading) or _exact(text)
    if found is None:
        raise Refused(f"published: {text[:_SHOWN]!r} is no date; write it like 2025-01-27 or 2025-01-27T14:30:00Z")
    if found > reading.now:
        raise Refused(f"published: {text[:_SHOWN]!r} lies in the future; only past items can be imported")
    if found.year < dates.FIRST_YEAR:
        raise Refused(f"published: {text[:_SHOWN]!r} lies before {dates.FIRST_YEAR}; check the year")
    return found.replace(microsecond=0)


def _midday(text: str, reading: Reading) -> datetime | None:
    """Read a date without a time as its noon, there where the user lives; today's noon may be yet to come."""
    day = None
    with suppress(ValueError):
        day = date.fromisoformat(text)
    if day is None and ":" not in text and not text.replace(".", "").isdigit():
        written = dates.published(text, None, _FAR_AHEAD)
        day = written.date() if written else None
    if day is None:
        return None
    with suppress(OverflowError):
        noon = datetime.combine(day, _NOON, reading.zone).astimezone(UTC)
        return min(noon, reading.now) if day == reading.now.astimezone(reading.zone).date() else noon
    return None


def _exact(text: str) -> datetime | None:
    with suppress(ValueError, OverflowError):
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    return dates.published(text, None, _FAR_AHEAD)


def stretches(published: Sequence[datetime], zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """Return from when to when an archive of one source has no hole; ``published`` are its items' times, in order.

    A hole is a time without items that is longer than LONG_PAUSE days and than TIMES_USUAL times the usual pauses of
    this source: so long or shorter are 95 of 100 pauses between the days on which it published. A weekly letter has
    pauses of seven days. A stretch of a single moment tells nothing and is left out.
    """
    days = [moment.astimezone(zone).date() for moment in published]
    longest = _longest_pause(sorted(set(days)))
    found, first = [], 0
    for index, day in enumerate(days):
        last = index + 1 == len(days)
        if last or (days[index + 1] - day).days > longest:
            found.append((published[first], published[index]))
            first = index + 1
    return [(since, until) for since, until in found if since < until]


def _longest_pause(days: Sequence[date]) -> int:
    """Return the longest pause in days that is no hole."""
    pauses = sorted((later - day).days for day, later in pairwise(days))
    usual = pauses[int(_USUAL_SHARE * (len(pauses) - 1))] if pauses else 0
    return max(LONG_PAUSE, TIMES_USUAL * usual)


def outside(
    stretch: tuple[datetime, datetime], known: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """Return the parts of a stretch that none of the ``known`` ones covers."""
    since, until = stretch
    left = []
    for begin, end in sorted(known):
        if begin > since and begin < until:
            left.append((since, begin))
        if begin < until:
            since = max(since, end)
    return [*left, (since, until)] if since < until else left
