"""What a document and its HTTP answer say about asking for the feed: how often, when not, and at which hub. Pure.

RSS 2.0 (ttl, skipHours, skipDays), JSON Feed (hubs) and WebSub (W3C Recommendation, 4: links with rel=hub and rel=self,
those of the HTTP answer first). What the syndication module of RSS 1.0 says (updatePeriod) is left out: publishing
programs write "hourly" into every feed, and nobody means it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from monitor.feeds.clean import link
from storage.feed_records import Hints

_LONGEST = timedelta(days=366)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = 24
_MOST_LINKS = 50
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class RawHints:
    """The same as a document writes it, not cleaned; empty where it says nothing."""

    ttl: str = ""
    hours: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    hub: str = ""
    topic: str = ""


def read_hints(raw: RawHints, link_header: str, base: str) -> Hints:
    """Clean a document's hints; ``link_header`` is the answer's Link header, ``base`` what links are relative to."""
    sent = _sent_links(link_header)
    return Hints(
        ttl=_ttl(raw),
        skip_hours=_hours(raw.hours),
        skip_days=_days(raw.days),
        hub=link(sent.get("hub") or raw.hub, base) if sent.get("hub") or raw.hub else None,
        topic=link(sent.get("self") or raw.topic, base) if sent.get("self") or raw.topic else None,
    )


def _ttl(raw: RawHints) -> timedelta | None:
    """Read the RSS ttl, which counts minutes."""
    minutes = _number(raw.ttl)
    return min(timedelta(minutes=minutes), _LONGEST) if minutes else None


def _hours(texts: Iterable[str]) -> tuple[int, ...]:
    """Read hours of the day, in UTC; 24 is an old way to write 0. All of them would be never: that is no hint."""
    numbers = (_number(text) for text in texts)
    hours = {number % _HOURS for number in numbers if number is not None and number <= _HOURS}
    return tuple(sorted(hours)) if len(hours) < _HOURS else ()


def _days(texts: Iterable[str]) -> tuple[int, ...]:
    names = {text.strip().lower() for text in texts}
    days = tuple(number for number, name in enumerate(_DAYS) if name in names)
    return days if len(days) < len(_DAYS) else ()


def _number(text: str) -> int | None:
    found = text.strip()
    return int(found) if _NUMBER.fullmatch(found) and found.isascii() else None


def _sent_links(header: str) -> dict[str, str]:
    """Read a Link header (RFC 8288, 3): the first target of each relation, relations in lower case."""
    found: dict[str, str] = {}
    for part in header.split("<")[1 : _MOST_LINKS + 1]:
        target, closed, parameters = part.partition(">")
        relations = _REL.search(parameters) if closed else None
        for name in (relations[1] or relations[2] or "").lower().split() if relations else ():
            found.setdefault(name, target)
    return found
