"""When an entry was published, from whatever its publisher wrote. Pure.

Feeds write RFC 822 and ISO 8601 dates, but also seconds since 1970, German months and zone names that feedparser
takes for UTC. What cannot be a date of a news item (before 1990, or more than a day ahead) is no date.
"""

import re
import time
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

FIRST_YEAR = 1990
_AHEAD = timedelta(days=1)

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?m\.?)?(?:\s*uhr)?"
_ZONE = r"\(?(?P<zone>z|[+-]\d{1,2}(?::?\d{2})?|(?:gmt|utc)[+-]\d{1,2}(?::?\d{2})?|[a-z]{1,5})?\)?(?:\s*\([^)]*\))?"
_TIME = rf"(?:(?:\s*,?\s*(?:t|um|at)?\s*){_CLOCK}\s*{_ZONE})?"
_WEEKDAY = r"(?:[^\W\d]+\.?,?\s+)?"
_FORMS = tuple(
    re.compile(form + _TIME)
    for form in (
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
        _WEEKDAY + r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        _WEEKDAY + r"(?P<day>\d{1,2})\.?[\s-]+(?:de\s+)?(?P<name>[^\W\d]+)\.?,?[\s-]+(?:de\s+)?(?P<year>\d{4}|\d{2})",
        _WEEKDAY + r"(?P<name>[^\W\d]+)\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
    )
)
_EPOCH = re.compile(r"(?P<seconds>\d{9,10})(?P<thousandths>\d{3})?(?:\.\d+)?")

# By their first letters without accents, longest first; English, German, French, Spanish, Italian, Dutch, Portuguese.
_MONTHS = {
    1: "jan ene gen", 2: "feb fev fevr", 3: "mar maa mrz mrt", 4: "apr avr abr", 5: "may mai mag mei",
    6: "jun juin giu", 7: "jul juil lug", 8: "aug aou ago", 9: "sep set", 10: "oct okt ott out", 11: "nov",
    12: "dec dez dic",
}  # fmt: skip
_MONTH_OF = {prefix: month for month, prefixes in _MONTHS.items() for prefix in prefixes.split()}

_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "mez": 1, "met": 1, "cest": 2,
    "mesz": 2, "mest": 2, "eet": 2, "eest": 3, "msk": 3, "ist": 5.5, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9,
    "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5, "ct": -6,
    "mst": -7, "mdt": -6, "mt": -7, "pst": -8, "pdt": -7, "pt": -8, "ast": -4, "adt": -3, "akst": -9, "akdt": -8,
    "hst": -10,
}  # fmt: skip


def published(text: str, guess: time.struct_time | None, now: datetime) -> datetime | None:
    """Read one date as UTC. ``guess`` is feedparser's reading of the same text, used where ours finds nothing."""
    line = _fold(text)
    moment = _epoch(line) or _written(line)
    if moment is None and guess is not None and not line.isdigit():
        moment = _utc(guess)
    return moment if moment is not None and _believable(moment, now) else None


def _believable(moment: datetime, now: datetime) -> bool:
    return moment.year >= FIRST_YEAR and moment <= now + _AHEAD


def _fold(text: str) -> str:
    """Lower case without accents: 'März' becomes 'marz', 'Août' 'aout'."""
    decomposed = unicodedata.normalize("NFKD", text[:100])
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).lower().split())


def _epoch(line: str) -> datetime | None:
    match = _EPOCH.fullmatch(line)
    return datetime.fromtimestamp(int(match["seconds"]), UTC) if match else None


def _written(line: str) -> datetime | None:
    for form in _FORMS:
        match = form.fullmatch(line)
        if match is not None:
            return _assemble(match.groupdict())
    return None


def _assemble(parts: dict[str, str | None]) -> datetime | None:
    month = int(parts.get("month") or 0) or _month(parts.get("name") or "")
    hour, minute = int(parts["hour"] or 0), int(parts["minute"] or 0)
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"].startswith("p") else 0)
    try:
        # A leap second (:60) counts as the second before it.
        second = min(int(parts["second"] or 0), 59)
        local = datetime(
            _year(parts["year"] or ""), month, int(parts["day"] or 0), hour, minute, second, tzinfo=_zone(parts["zone"])
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _month(name: str) -> int:
    return _MONTH_OF.get(name[:4]) or _MONTH_OF.get(name[:3]) or 0


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:  # noqa: PLR2004 - the digits of a full year
        return year
    return year + (1900 if year >= FIRST_YEAR % 100 else 2000)


def _zone(name: str | None) -> timezone:
    """Read '+02:00', '-0500', 'GMT+2' or a zone's name; UTC when there is none, or none that is known."""
    text = (name or "utc").removeprefix("gmt").removeprefix("utc")
    if text[:1] in ("+", "-"):
        digits = text[1:].replace(":", "")
        hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")  # noqa: PLR2004 - hhmm
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if text[0] == "-" else offset)
    return timezone(timedelta(hours=_ZONES.get(text, 0)))


def _utc(guess: time.struct_time) -> datetime | None:
    try:
        return datetime(*guess[:5], min(guess[5], 59), tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None
