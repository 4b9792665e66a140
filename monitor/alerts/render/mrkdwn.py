"""Slack's markup, mrkdwn, so that what others wrote shows literally. Pure.

Escaping: https://docs.slack.dev/messaging/formatting-message-text (``&``, ``<`` and ``>`` are control characters).
"""

import re
from collections.abc import Iterable, Iterator

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# Slack knows no escape for its own markup, so letters of the same looks take its place.
_LOOKALIKES = str.maketrans(
    {"*": "\N{ASTERISK OPERATOR}", "~": "\N{TILDE OPERATOR}", "`": "\N{MODIFIER LETTER GRAVE ACCENT}"}
)
_ITALIC = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_ANGLES = str.maketrans({"<": "\u2039", ">": "\u203a"})
_HALF = re.compile("&[a-z]{0,3}$")
_LONGEST_LINK = 1500


def mrkdwn(text: str) -> str:
    """Return text as mrkdwn that shows it literally: no mention, no link, no markup."""
    return _ITALIC.sub("\N{MODIFIER LETTER LOW MACRON}", text.translate(_LOOKALIKES)).translate(_ESCAPES)


def code(text: str) -> str:
    """Return text to stand between backticks, where it can be copied as it is but for backticks of its own."""
    return text.replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}").translate(_ESCAPES)


def link(text: str, url: str | None) -> str:
    """Return text that leads to a safe link; only the text without one, and where it is too long for a message."""
    # A `|` in a URL is percent-encoded already (see safe_link); `&` still has to be escaped.
    address = (url or "").translate(_ESCAPES)
    return f"<{address}|{mrkdwn(text)}>" if address and len(address) <= _LONGEST_LINK else mrkdwn(text)


def plain(text: str, limit: int) -> str:
    """Return plain text of at most ``limit`` UTF-16 units, as Slack's own clients count.

    Whether plain text is unescaped there is not documented, so it holds no angle bracket at all.
    """
    safe = text.translate(_ANGLES)
    return safe if units(safe) <= limit else f"{_cut(safe, limit - 1).rstrip()}…"


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, limit: int) -> str:
    """Cut mrkdwn to ``limit`` units, and leave no half of an escaped sign behind."""
    return text if units(text) <= limit else f"{_HALF.sub('', _cut(text, limit - 1))}…"


def _cut(text: str, limit: int) -> str:
    return text.encode("utf-16-le")[: limit * 2].decode("utf-16-le", "ignore")


def pieces(parts: Iterable[str], limit: int, between: str = "\n") -> Iterator[str]:
    """Join parts to texts of at most ``limit`` units each. A part that is longer by itself is left out."""
    held = ""
    for part in parts:
        joined = f"{held}{between}{part}" if held else part
        if units(joined) <= limit:
            held = joined
        elif units(part) <= limit:
            yield held
            held = part
    if held:
        yield held
