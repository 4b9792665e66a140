"""JSON Feed 1.1 (jsonfeed.org/version/1.1): few sites offer it, and it costs a few lines. Pure."""

import json
from collections.abc import Iterable
from typing import Any

from monitor.errors import ParseError
from monitor.feeds.hints import RawHints
from monitor.feeds.raw import RawDate, RawDocument, RawEntry


def looks_like_json(body: bytes) -> bool:
    """Tell whether a document is a JSON object rather than XML."""
    return body[:200].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def read_json_feed(body: bytes, url: str) -> RawDocument:
    """Take a JSON Feed apart; ParseError when it is some other JSON."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError):
        raise ParseError("the document begins like JSON, but cannot be read as JSON") from None
    version = feed.get("version")
    if not isinstance(version, str) or "jsonfeed.org/version" not in version:
        raise ParseError("the document is JSON, but no JSON Feed")
    items = feed.get("items")
    entries = tuple(_entry(item) for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
    hints = RawHints(hub=_hub(feed), topic=_text(feed, "feed_url"))
    return RawDocument(_text(feed, "title"), _text(feed, "language") or None, url, entries, hints)


def _hub(feed: dict[str, Any]) -> str:
    hubs = feed.get("hubs")
    spoken = (hub for hub in hubs if isinstance(hub, dict)) if isinstance(hubs, list) else ()
    return next((_text(hub, "url") for hub in spoken if _text(hub, "type").lower() == "websub"), "")


def _entry(item: dict[str, Any]) -> RawEntry:
    return RawEntry(
        guid=_text(item, "id"),
        links=_texts(item, ("url", "external_url")),
        titles=_texts(item, ("title",)),
        texts=_texts(item, ("summary", "content_html", "content_text")),
        dates=tuple(RawDate(text) for text in _texts(item, ("date_published", "date_modified"))),
        lang=_text(item, "language") or None,
    )


def _texts(item: dict[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for name in names if (text := _text(item, name)))


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    # Version 1.0 allowed ids to be numbers, and readers should take them still.
    return str(value) if isinstance(value, str | int | float) else ""
