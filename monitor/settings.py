"""The strict base of every settings class, and the types of their fields. Pure: reads nothing."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_LONGEST = 3650 * 86400
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> object:
    """Read '90s', '30m', '2h' or '1d' as a timedelta; leave anything else to pydantic, which will refuse it."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a duration such as 90s, 30m, 2h or 1d")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > _LONGEST:
        raise ValueError("write a duration of at most 3650d")
    return timedelta(seconds=seconds)


def format_duration(value: timedelta) -> str:
    """Write a timedelta in the largest unit that divides it: 1800 s become '30m'."""
    seconds = value.total_seconds()
    unit = next(u for u in "dhms" if seconds % _SECONDS[u] == 0 or u == "s")
    return f"{seconds / _SECONDS[unit]:g}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DURATION.pattern, "examples": ["90s", "30m", "2h", "1d"]}),
]

SecretName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$"),
    Field(description="Name of an environment variable that holds the secret; NAME_FILE may name a file instead."),
]


def web_address(url: str) -> str:
    """Return a whole http or https address as it is; raise ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(c.isspace() for c in url):
        raise ValueError("write a whole web address, such as https://example.org/feed.xml")
    if parts.username or parts.password:
        raise ValueError("an address must not carry a user name or password")
    return url


def time_zone(name: str) -> str:
    """Return an IANA name of a time zone as it is; raise ValueError for anything else."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write UTC, Europe/Berlin or the like") from None
    return name


class Settings(BaseModel):
    """A block of feeds.yaml: frozen, and refusing keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
