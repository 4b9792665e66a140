"""What the commands about alerts share: rules named by people, and times as feeds.yaml tells them. Pure."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from difflib import get_close_matches

from monitor.errors import ConfigError

_LIKE = 0.5
_SHOWN = 5


def the_name(typed: str, names: Sequence[str], what: str, where: str) -> str:
    """Return the rule or channel (``what``) that a person means: by its name, in any case.

    Raises ConfigError with what was perhaps meant; ``where`` names the place that holds the names.
    """
    if typed in names:
        return typed
    alike = [name for name in names if name.casefold() == typed.casefold()]
    if len(alike) == 1:
        return alike[0]
    raise ConfigError(f"there is no {what} {typed!r} in {where}; {_hint(typed.casefold(), names, what)}")


def _hint(folded: str, names: Sequence[str], what: str) -> str:
    close = get_close_matches(folded, [name.casefold() for name in names], _SHOWN, _LIKE)
    meant = [name for name in names if name.casefold() in close or (folded and folded in name.casefold())][:_SHOWN]
    if meant:
        return f"did you mean {', '.join(map(repr, meant))}?"
    return f"{what}s: {', '.join(names) or 'none'}"


def local(moment: datetime, zone: tzinfo) -> str:
    """Write a moment as 2026-11-23 14:00, local time."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def local_zone(moment: datetime, zone: tzinfo) -> str:
    """Write a moment as 2026-11-23 14:00 CET."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
