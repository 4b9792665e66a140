"""From publishers' markup to plain text on one line, and from their links to absolute ones. Pure."""

import html
import re
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

MAX_TITLE = 300
MAX_SUMMARY = 2_000
MAX_URL = 2_000
# More markup than this is never needed for MAX_SUMMARY characters of text.
_MAX_MARKUP = 200_000
_ELLIPSIS = "…"

# Characters that have no width, turn the writing direction, hide text, or cannot be stored: NUL and other controls,
# soft hyphen, zero-width and bidi marks, lone surrogates, interlinear and tag characters, noncharacters.
# White space among the controls (tab, line ends, U+001C to U+001F, U+0085) becomes a space instead.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)
_BLOCKS = (
    "address|article|aside|blockquote|br|caption|dd|details|div|dl|dt|figcaption|figure|footer|form|h[1-6]|header|hr|"
    "img|li|main|nav|ol|option|p|pre|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
_INLINE = "a|abbr|acronym|b|big|center|cite|code|del|em|font|i|ins|kbd|mark|q|s|small|span|strike|strong|sub|sup|tt|u"
_HIDDEN = "script|style|template|noscript|iframe|object|svg|math|head|textarea|select"
_BLOCK_EDGE = re.compile(rf"<(?=/?(?:{_BLOCKS})\b)", re.IGNORECASE)
_KNOWN_TAG = re.compile(rf"</?(?:{_BLOCKS}|{_INLINE}|{_HIDDEN})\b[^<>]*>", re.IGNORECASE)
# No character has such a number, and html.unescape refuses to read those of thousands of digits.
_ENDLESS = re.compile(r"&#[xX]?[0-9a-fA-F]{20,};?")
_ANY_TAG = re.compile(r"<[a-z/!?]", re.IGNORECASE)


def one_line(text: str) -> str:
    """Remove characters nobody can see and bring the rest onto one line with single spaces."""
    line = " ".join(text.split())
    return line if line.isascii() and line.isprintable() else " ".join(_UNWANTED.sub("", text).split())


def plain(text: str, *, markup: bool = True) -> str:
    """Turn HTML into plain text on one line: entities decoded, scripts dropped, blocks set apart by spaces.

    With ``markup=False`` (the publisher says that it is plain text) only tags that HTML knows count as markup, so
    that ``List<T>`` survives; entities are decoded all the same, because so many feeds escape twice.
    """
    text = _ENDLESS.sub("", _UNWANTED.sub("", text[:_MAX_MARKUP]))
    found = _ANY_TAG if markup else _KNOWN_TAG
    return one_line(_text_of(text) if found.search(text) else html.unescape(text))


def _text_of(markup: str) -> str:
    tree = LexborHTMLParser(_BLOCK_EDGE.sub(" <", markup))
    tree.strip_tags(_HIDDEN.split("|"))
    return tree.text()


def cut(text: str, limit: int) -> str:
    """Shorten a line to at most ``limit`` characters, at the end of a word where there is one, with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - len(_ELLIPSIS)]
    words = head.rpartition(" ")[0] if text[len(head)] != " " else head
    # Chinese has no spaces, and a very long word is no reason to lose half of the text.
    return (words if len(words) > limit // 2 else head).rstrip(" ,;:.-\u2013\u2014") + _ELLIPSIS


def link(href: str, where: str = "") -> str | None:
    """Make a link absolute against the document's address; None unless it then leads to a web page."""
    try:
        url = urljoin(where, one_line(href).replace(" ", "%20"))
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        return None
    return url if valid and len(url) <= MAX_URL else None
