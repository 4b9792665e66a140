"""An alert as Slack's Block Kit. Pure, and under Slack's limits whatever the input.

Limits and escaping: https://docs.slack.dev/reference/block-kit/blocks and
https://docs.slack.dev/messaging/formatting-message-text (50 blocks; 150 characters in a header, 3,000 in a section;
``&``, ``<`` and ``>`` are control characters).
"""

import re
from typing import Any

from monitor.alerts.render.content import Content, Line, content
from storage.alert_records import Alert

Block = dict[str, Any]

_HEADER = 150
_SECTION = 3000
_LONGEST_LINK = 1500
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# Slack knows no escape for its own markup, so letters of the same looks take its place.
_LOOKALIKES = str.maketrans(
    {"*": "\N{ASTERISK OPERATOR}", "~": "\N{TILDE OPERATOR}", "`": "\N{MODIFIER LETTER GRAVE ACCENT}"}
)
_ITALIC = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_ANGLES = str.maketrans({"<": "\u2039", ">": "\u203a"})


def payload(alert: Alert) -> dict[str, Any]:
    """Return the body of one webhook call. ``text`` is what notifications and screen readers tell."""
    words = content(alert)
    return {
        "text": mrkdwn(f"{words.headline} - {words.explanation}"),
        "blocks": _blocks(words),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def mrkdwn(text: str) -> str:
    """Return text as mrkdwn that shows it literally: no mention, no link, no markup."""
    return _ITALIC.sub("\N{MODIFIER LETTER LOW MACRON}", text.translate(_LOOKALIKES)).translate(_ESCAPES)


def _blocks(words: Content) -> list[Block]:
    strip = [_section(f"`{words.sparkline}`\n{mrkdwn(_strip_caption(words))}")] if words.bars else []
    stories = [{"type": "divider"}, *(_section(_story(line)) for line in words.lines)] if words.lines else []
    more = [_context(f"and {words.left_out:,} more: `monitor query signals-latest`")] if words.left_out else []
    return [
        _header(words.headline),
        _context(mrkdwn(f"{words.topic} · {words.severity} · {words.raised}")),
        _section(mrkdwn(words.explanation) or "-"),
        *strip,
        *stories,
        *more,
        _context(_footer(words)),
    ]


def _strip_caption(words: Content) -> str:
    return f"{words.first_day} to {words.last_day} · {words.caption}"


def _story(line: Line) -> str:
    # A `|` in a URL is percent-encoded already (see safe_link); `&` still has to be escaped.
    url = line.url.translate(_ESCAPES) if line.url else ""
    title = mrkdwn(line.title)
    linked = f"<{url}|{title}>" if url and len(url) <= _LONGEST_LINK else title
    facts = [f"{line.outlets} · {line.time} · {line.probability}", line.because]
    return "\n".join([f"*{linked}*", *(mrkdwn(fact) for fact in facts if fact)])


def _footer(words: Content) -> str:
    rule = mrkdwn(f"Rule '{words.rule}' ({words.kind}).")
    return f"{rule} To change or silence it, edit or remove it under `alerts:` in `feeds.yaml`."


def _header(text: str) -> Block:
    # Counted in UTF-16 units, as Slack's own clients count. Whether plain text is unescaped there is not documented,
    # so it holds no angle bracket at all.
    short = text.translate(_ANGLES).encode("utf-16-le")[: _HEADER * 2].decode("utf-16-le", "ignore")
    return {"type": "header", "text": {"type": "plain_text", "text": short, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_text(text)]}


def _text(text: str) -> dict[str, Any]:
    # Verbatim: Slack links no bare URL and no @name by itself.
    return {"type": "mrkdwn", "text": text[:_SECTION], "verbatim": True}
