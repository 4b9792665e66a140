"""What an HTTP answer means to us, in words and times. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from storage.feed_records import Trouble

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
_BLOCKED = (401, 402, 403, 407, 429, 451)
_GONE = 410
_REDIRECTS = (301, 302, 303, 307, 308)
# Header, what it begins with, and who sends it: how the usual guards of sites tell that they want a browser.
_CHALLENGES = (
    ("cf-mitigated", "challenge", "a Cloudflare challenge"),
    ("x-amzn-waf-action", "challenge", "an AWS challenge"),
    ("x-amzn-waf-action", "captcha", "an AWS challenge"),
    ("x-vercel-mitigated", "challenge", "a Vercel challenge"),
)
_GUARDS = (("server", "akamaighost", "Akamai"), ("x-datadome", "", "DataDome"), ("x-iinfo", "", "Imperva"))
_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,18})", re.IGNORECASE)
_UNKEPT = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)


def challenge(headers: Mapping[str, str]) -> str | None:
    """Name the challenge for browsers that was answered in the document's place, if one was, whatever the status."""
    for name, begins, who in _CHALLENGES:
        if headers.get(name, "").strip().lower().startswith(begins):
            return f"{who} for browsers stands before the feed"
    return None


def trouble(status: int, headers: Mapping[str, str]) -> Trouble:
    """Say in one word why this answer brings no document."""
    if status in _BLOCKED or challenge(headers):
        return "blocked"
    if status in _REDIRECTS:
        return "redirect"
    return "gone" if status == _GONE else "status"


def sentence(status: int, headers: Mapping[str, str]) -> str:
    """Name a status that brought no document, with what it tells about the feed."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    hint = challenge(headers) or _hint(status, headers)
    return f"HTTP {status}{phrase}" + (f": {hint}" if hint else "")


def _hint(status: int, headers: Mapping[str, str]) -> str | None:
    if status == HTTPStatus.FORBIDDEN:
        return _HINTS[status] + _guard(headers)
    if status in _HINTS:
        return _HINTS[status]
    if status in _REDIRECTS:
        return "it leads nowhere"
    return "the site has trouble of its own" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None


def _guard(headers: Mapping[str, str]) -> str:
    for name, begins, who in _GUARDS:
        if name in headers and headers[name].lower().startswith(begins):
            return f" (its guard is {who})"
    return ""


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds or an HTTP date, at most a day; None when unreadable."""
    text = (value or "").strip()
    if not text:
        return None
    return _within_a_day(timedelta(seconds=int(text[:9])) if _is_number(text) else _since(text, now))


def fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Say how long a document stays fresh by its caching headers (RFC 9111, 4.2), at most a day.

    None when they do not say, or when they say that it must not be kept.
    """
    control, expires = headers.get("cache-control", ""), headers.get("expires", "")
    if not control and not expires:
        return None
    if _UNKEPT.search(control):
        return None
    if stated := _AGE.search(control):
        life: timedelta | None = timedelta(seconds=min(int(stated[1]), 10**9))
    else:
        life = _since(expires, _date(headers.get("date", "")) or now)
    age = headers.get("age", "").strip()
    spent = timedelta(seconds=int(age[:9]) if _is_number(age) else 0)
    return None if life is None else _within_a_day(life - spent)


def _within_a_day(wish: timedelta | None) -> timedelta | None:
    return None if wish is None or wish <= timedelta(0) else min(wish, LONGEST_WISH)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _since(text: str, start: datetime) -> timedelta | None:
    date = _date(text)
    return None if date is None else date - start


def _date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
