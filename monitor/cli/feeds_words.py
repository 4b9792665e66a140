"""What the commands about feeds say: what to do about a feed, how long ago something was. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

from monitor.errors import ConfigError
from monitor.settings import format_duration
from storage.feed_records import Entry, Feed, Fetched, Trouble

_UNDATED_SHARE = 0.5
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

_BY_STATUS = {
    401: "it needs a login, which this program has none for: look for another feed of this site",
    402: "it needs a subscription: look for another feed of this site",
    403: "set `contact:`, or for this site a `user_agent:` under `fetch: hosts:`; else ask its owner",
    404: "look for its new address: `monitor feeds add SITE` finds the feed of a page",
    429: "wait, and then ask less often: set `every:`, or a longer `gap:` under `fetch: hosts:`",
}
_BY_TROUBLE: dict[Trouble, str] = {
    "network": "check the spelling of its address, and whether the site opens in a browser",
    "timeout": "try again; if it is always slow, raise `fetch: timeout:`",
    "size": "raise `fetch: max_bytes:`, or look for a shorter feed of this site",
    "damaged": "try again; if it stays so, tell the site's owner",
    "status": "try again later; if it stays so, open the address in a browser",
    "blocked": "set `contact:`, or for this site a `user_agent:` under `fetch: hosts:`; else ask its owner",
    "gone": "the site means it: remove it, or look for its successor with `monitor feeds add SITE`",
    "redirect": "open the address in a browser, and write down where it ends",
    "address": "if it is a server of yours, list it under `fetch: allow:`",
    "content": "remove it, and `monitor feeds add` with this address looks for the feed of the page",
    "cost": "look for a shorter feed of this site",
    "flood": "look whether its entries are real; they may change their names with every poll",
    "fault": "please report it, with the address",
}
_CERTIFICATE = "only the site's owner can mend that; until then it cannot be read safely"


def advice(feed: Feed, fetched: Fetched, entries: Sequence[Entry], stale_after: timedelta, now: datetime) -> str:
    """Say in a few words what to do about a feed that was asked just now; nothing where all is well."""
    if fetched.error is not None:
        return _remedy(fetched)
    if fetched.moved_to and fetched.moved_to != feed.url:
        return f"it moved for good: write url: {fetched.moved_to}"
    if not entries:
        return "it has no entries; look whether the site has another feed"
    latest = newest(entries)
    if latest is None or sum(entry.published is None for entry in entries) > _UNDATED_SHARE * len(entries):
        return "its entries carry no dates, so they count by when they are seen"
    if now - latest > stale_after:
        return f"nothing newer than {format_duration(stale_after)}: look whether the site has another feed"
    return ""


def _remedy(fetched: Fetched) -> str:
    if fetched.trouble == "network" and "certificate" in (fetched.error or ""):
        return _CERTIFICATE
    if fetched.trouble in {"status", "blocked"} and fetched.status in _BY_STATUS:
        return _BY_STATUS[fetched.status]
    return _BY_TROUBLE[fetched.trouble or "fault"]


def newest(entries: Sequence[Entry]) -> datetime | None:
    """Return the date of the newest entry that has one."""
    return max((entry.published for entry in entries if entry.published is not None), default=None)


def ago(moment: datetime | None, now: datetime) -> str:
    """Say how long ago a moment was; empty for none."""
    if moment is None:
        return ""
    return "just now" if timedelta(0) <= now - moment < _MINUTE else f"{_length(abs(now - moment))}{_side(moment, now)}"


def ahead(moment: datetime | None, now: datetime) -> str:
    """Say in how long something is due; empty for never."""
    if moment is None:
        return ""
    return "now" if moment <= now else f"in {_length(moment - now)}"


def interval(every: timedelta) -> str:
    """Write an interval, exactly where it is a round one."""
    exact = format_duration(every)
    return exact if not exact.endswith("s") or every < _MINUTE else _length(every)


def _side(moment: datetime, now: datetime) -> str:
    return " ahead" if moment > now else " ago"


def _length(duration: timedelta) -> str:
    if duration < 2 * _HOUR:
        return f"{max(1, round(duration / _MINUTE))} min"
    return f"{round(duration / _HOUR)} h" if duration < 2 * _DAY else f"{round(duration / _DAY)} d"


def the_name(typed: str, names: Sequence[str], where: str) -> str:
    """Return the feed that a person means: by its name, in any case, or by how only its name begins.

    Raises ConfigError with what was perhaps meant.
    """
    if typed in names:
        return typed
    folded = typed.casefold()
    for found in (
        [name for name in names if name.casefold() == folded],
        [name for name in names if folded and name.casefold().startswith(folded)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigError(f"several feeds in {where} are called so: {_quoted(found[:10])}; write the whole name")
    close = get_close_matches(folded, [name.casefold() for name in names], 3, 0.5)
    meant = [name for name in names if name.casefold() in close or (folded and folded in name.casefold())][:5]
    hint = f"did you mean {_quoted(meant)}?" if meant else "`monitor feeds list` shows them"
    raise ConfigError(f"there is no feed {typed!r} in {where}; {hint}")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
