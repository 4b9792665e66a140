"""Words, numbers and links as people read them. Pure, and the last door before a message: nothing of a feed breaks out.

Text of a feed becomes one line without control characters, bidirectional overrides or invisible marks; a link is
kept only when it is http or https, and then holds no character that could end an attribute or a markup.
"""

import unicodedata
from datetime import UTC, date, datetime, timedelta, tzinfo
from urllib.parse import quote, urlsplit

# Joiners are Cf like the bidirectional controls, but emoji, Persian and the scripts of India need them.
_JOINERS = "\u200c\u200d"
_SPACES = ("Cc", "Zl", "Zp", "Zs")
_DROPPED = ("Cf", "Cs", "Co")
_URL_SAFE = "%/:=&?~#+!$,;@()[]"
_LONGEST_LINK = 2000
_KINDS = {"silence": "Stream of news"}


def one_line(text: str, limit: int) -> str:
    """Return the text on one line of at most ``limit`` characters, safe for a header, a terminal and a template."""
    # Cleaning 20 times the limit is enough: it bounds the cost of a title of a megabyte.
    clean = "".join(map(_harmless, text[: limit * 20]))
    line = " ".join(clean.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _harmless(char: str) -> str:
    category = unicodedata.category(char)
    if category in _SPACES:
        return " "
    return "" if category in _DROPPED and char not in _JOINERS else char


def safe_link(url: str | None) -> str | None:
    """Return the URL with everything unusual percent-encoded, or None when it is no http(s) link or too long."""
    plain = (url or "").strip()
    if len(plain) > _LONGEST_LINK:  # encoding never makes it shorter, and takes long for a megabyte
        return None
    link = quote(plain, safe=_URL_SAFE, errors="ignore")
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    usable = parts.scheme in ("http", "https") and parts.hostname and len(link) <= _LONGEST_LINK
    return link if usable else None


def topic_name(topic: str) -> str:
    """Write a topic's key for people: 'chip_supply' becomes 'Chip supply'."""
    name = one_line(topic, 60).replace("_", " ").replace("-", " ")
    return name[:1].upper() + name[1:]


def kind_name(kind: str) -> str:
    """Write what a rule without a topic is about: 'feeds' becomes 'Feeds'."""
    return _KINDS.get(kind) or topic_name(kind)


def printed_width(text: str) -> int:
    """Return how many columns a text takes where all letters are equally wide: two for most of East Asia's and emoji.

    Widths as in Unicode's annex 11; marks that combine with the letter before them take none.
    """
    return sum(0 if _is_mark(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _is_mark(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) in ("Mn", "Me")


def counted(number: int, singular: str, plural: str) -> str:
    """Return '1 story' or '23 stories'."""
    return f"{number:,} {singular if number == 1 else plural}"


def level(value: float) -> str:
    """Write an expected count: one decimal below ten, none above; never a false zero."""
    if value < 0.1:  # noqa: PLR2004 - the smallest count that one decimal can show
        return "less than 0.1"
    return f"{value:.1f}" if round(value, 1) < 10 else f"{value:,.0f}"  # noqa: PLR2004 - two digits say enough


def multiple(observed: int, expected: float) -> str:
    """Write how many times the expected was seen: 4.6 times, with the sign of multiplication."""
    return f"\N{MULTIPLICATION SIGN}{level(observed / expected)}"


def percent(probability: float) -> str:
    """Write a probability in whole percent, never as a certainty."""
    return ">99%" if probability > 0.99 else f"{max(probability, 0.01):.0%}"  # noqa: PLR2004 - nothing is certain


def frequency(per_year: float) -> str:
    """Say how often chance alone does this: 'once in 2.3 years', '3 times a year'."""
    if per_year <= 0.01:  # noqa: PLR2004 - no model of counts is to be trusted for longer than a century
        return "less than once in a hundred years"
    years = 1 / per_year
    if years >= 1.05:  # noqa: PLR2004 - below this it rounds to 'once in 1.0 years'
        return f"once in {years:.1f} years" if years < 10 else f"once in {years:.0f} years"  # noqa: PLR2004 - two digits
    return "about once a year" if per_year < 1.5 else f"about {per_year:.0f} times a year"  # noqa: PLR2004 - rounds to 2


def hours(duration: timedelta) -> int:
    """Return a duration in whole hours."""
    return round(duration / timedelta(hours=1))


def clock(moment: datetime, zone: tzinfo = UTC) -> str:
    """Write the time of day: '14:00 UTC', '15:00 CET'."""
    return f"{moment.astimezone(zone):%H:%M %Z}"


def day_name(day: date) -> str:
    """Write a day as 'Mon 23 Nov'."""
    return f"{day:%a} {day.day} {day:%b}"


def short_day(day: date) -> str:
    """Write a day as '23 Nov'."""
    return f"{day.day} {day:%b}"


def moment_name(moment: datetime, zone: tzinfo = UTC) -> str:
    """Write a moment as '14:00 UTC on Mon 23 Nov'."""
    return f"{clock(moment, zone)} on {day_name(moment.astimezone(zone).date())}"


def weekday_time(moment: datetime, zone: tzinfo = UTC) -> str:
    """Write a moment of the last days as 'Mon 14:00'."""
    return f"{moment.astimezone(zone):%a %H:%M}"


def day_since(moment: datetime, now: datetime, zone: tzinfo = UTC) -> str:
    """Write a moment of the past as it is said after 'since': 'Mon 14:00' within six days, '23 Oct', '23 Oct 2025'."""
    if now - moment < timedelta(days=6):
        return weekday_time(moment, zone)
    day = moment.astimezone(zone).date()
    return short_day(day) if day.year == now.astimezone(zone).year else f"{short_day(day)} {day.year}"


def interval(duration: timedelta) -> str:
    """Write how often something is done, as it is said after 'every': 'minute', '15 minutes', 'day'."""
    return span(duration).removeprefix("1 ")


def span(duration: timedelta) -> str:
    """Write how long something lasted: '20 minutes', '5 hours', '3 days'."""
    for unit, name in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        if duration >= 2 * unit:
            return counted(round(duration / unit), name, f"{name}s")
    return counted(round(duration / timedelta(minutes=1)), "minute", "minutes")
