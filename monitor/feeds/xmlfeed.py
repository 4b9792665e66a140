"""RSS, Atom and RDF, taken apart by feedparser. Pure, but slow and fragile on hostile input: see monitor.feeds.worker.

feedparser is given a stream and our own headers, never a string or an address, because it would open those; its HTML
sanitiser is off, because we need text, not HTML. A document may name an element ``title_detail`` or ``links`` and so
put a string where feedparser promises a dict or a list: nothing here relies on the type of what comes back.
"""

import functools
import io
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.errors import ParseError
from monitor.feeds.hints import RawHints
from monitor.feeds.mend import content_type, mend
from monitor.feeds.raw import RawDate, RawDocument, RawEntry
from monitor.feeds.strangers import opening

# feedparser's XML reader; says there what it leaves out, and why.
_READER = "monitor.feeds.lean_sax"
_SKIPPED = re.compile(rb"<skip(hours|days)\s*>(.{0,3000}?)</skip", re.IGNORECASE | re.DOTALL)
_SKIPPED_ONE = re.compile(rb"<(?:hour|day)\s*>\s*(\w{1,12})\s*<", re.IGNORECASE)
_CHANNEL = 20_000


def read_xml_feed(body: bytes, headers: Mapping[str, str], url: str) -> RawDocument:
    """Take an XML feed apart, broken or not; ParseError when it is some other document."""
    mended = mend(body)
    found = _feedparser(mended, content_type(mended, headers.get("content-type", "")))
    if not found.get("version") and not found["entries"]:
        raise ParseError(f"neither RSS, Atom nor JSON Feed; the document begins with {opening(body)!r}")
    feed = found["feed"]
    lang = _text(feed, "language")
    entries = tuple(raw_entry(entry, lang) for entry in found["entries"])
    return RawDocument(_text(feed, "title"), lang, url, entries, _hints(mended, feed), not found["bozo"])


def _feedparser(body: bytes, kind: str) -> Any:
    try:
        # Without a content-location feedparser leaves relative guids alone; we resolve relative links ourselves.
        return _library().parse(
            io.BytesIO(body), response_headers={"content-type": kind}, sanitize_html=False, resolve_relative_uris=False
        )
    except (MemoryError, RecursionError, ParseError):
        raise
    except Exception as failure:
        raise ParseError(f"the document cannot be read: feedparser gave up ({type(failure).__name__})") from failure


@functools.cache
def _library() -> Any:
    import feedparser  # noqa: PLC0415 - loaded only where a document is read
    from feedparser import api  # noqa: PLC0415 - as above

    api.PREFERRED_XML_PARSERS[:] = [_READER]
    # It copies nothing but text, one level deep; copy.deepcopy would take a seventh of its time.
    feedparser.FeedParserDict.__deepcopy__ = lambda self, _memo: type(self)(self)
    return feedparser


def _hints(body: bytes, feed: Any) -> RawHints:
    links = {_text(link, "rel"): _text(link, "href") for link in reversed(_parts(feed, "links"))}
    return RawHints(
        ttl=_text(feed, "ttl"),
        hours=_skipped(body, b"hours"),
        days=_skipped(body, b"days"),
        hub=links.get("hub", ""),
        topic=links.get("self", ""),
    )


def _skipped(body: bytes, unit: bytes) -> tuple[str, ...]:
    """Read the hours or days of a channel (feedparser keeps only the last of them), before or behind its entries."""
    for part in (body[:_CHANNEL], body[-_CHANNEL:]):
        for found in _SKIPPED.finditer(part):
            if found[1].lower() == unit:
                return tuple(one.decode("ascii", "replace") for one in _SKIPPED_ONE.findall(found[2]))
    return ()


def raw_entry(entry: Any, feed_lang: str) -> RawEntry:
    """Take what we read of feedparser's entry."""
    title = entry.get("title_detail")
    detail = title if isinstance(title, dict) else {}
    # feedparser hands the root's xml:lang down; only another one is the entry's own.
    lang = _text(entry, "language") or _text(detail, "language")
    return RawEntry(
        guid=_text(entry, "id"),
        links=tuple(filter(None, _links(entry))),
        titles=(_text(entry, "title"),),
        texts=(_text(entry, "summary"), *(_text(part, "value") for part in _parts(entry, "content"))),
        dates=tuple(_dates(entry)),
        lang=lang if lang != feed_lang else None,
        markup=detail.get("type") != "text/plain",
    )


def _links(entry: Any) -> Iterator[str]:
    """Yield the entry's page, then what else it links to."""
    page = _text(entry, "link")
    # feedparser takes any guid for the link of an entry without one, but "1274" is no page.
    if "://" in page or not entry.get("guidislink") or page != _text(entry, "id"):
        yield page
    for link in _parts(entry, "links"):
        if link.get("rel") in ("enclosure", "via", "related"):
            yield _text(link, "href")


def _dates(entry: Any) -> Iterator[RawDate]:
    for name in ("published", "updated", "created"):
        # dict.get, because feedparser's own get() answers 'updated' with 'published' and warns about it.
        text, guess = dict.get(entry, name), dict.get(entry, f"{name}_parsed")
        if isinstance(text, str):
            yield RawDate(text, guess if isinstance(guess, time.struct_time) else None)


def _parts(entry: Any, name: str) -> list[Any]:
    value = entry.get(name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _text(mapping: Any, name: str) -> str:
    value = mapping.get(name)
    return value if isinstance(value, str) else ""
