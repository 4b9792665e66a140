"""What an HTTP answer means to us, in words. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

LONGEST_WISH = timedelta(days=1)

_HINTS = {
    204: "it holds no document",
    206: "it holds only a part of the document",
    304: "but nothing was asked conditionally",
    401: "the site asks for a login",
    402: "the site asks for a subscription",
    403: "the site refuses this program",
    404: "there is no feed at this address",
    406: "the site has the feed in no form that was asked for",
    407: "a proxy asks for a login",
    410: "the feed is gone for good",
    429: "the site was asked too often",
    451: "withheld for legal reasons",
}


def sentence(status: int, headers: Mapping[str, str]) -> str:
    """Name a status that brought no document, with what it tells about the feed."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    hint = _hint(status, headers)
    return f"HTTP {status}{phrase}" + (f": {hint}" if hint else "")


def _hint(status: int, headers: Mapping[str, str]) -> str | None:
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return "a Cloudflare challenge for browsers stands before the feed"
    if status in _HINTS:
        return _HINTS[status]
    return "the site has trouble of its own" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds or an HTTP date, at most a day; None when unreadable."""
    text = (value or "").strip()
    wish = timedelta(seconds=int(text[:9])) if text.isascii() and text.isdigit() else _until(text, now)
    return None if wish is None or wish <= timedelta(0) else min(wish, LONGEST_WISH)


def _until(text: str, now: datetime) -> timedelta | None:
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return date - now
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
