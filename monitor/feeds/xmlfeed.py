"""RSS, Atom and RDF, taken apart by feedparser. Pure, but slow and fragile on hostile input: see monitor.feeds.worker.

feedparser is given a stream and our own headers, never a string or an address, because it would open those; its HTML
sanitiser is off, because we need text, not HTML. A document may name an element ``title_detail`` or ``links`` and so
put a string where feedparser promises a dict or a list: nothing here relies on the type of what comes back.
"""

import io
import time
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.errors import ParseError
from monitor.feeds.mend import content_type, mend
from monitor.feeds.raw import RawDate, RawDocument, RawEntry
from monitor.feeds.strangers import opening


def read_xml_feed(body: bytes, headers: Mapping[str, str], url: str) -> RawDocument:
    """Take an XML feed apart, broken or not; ParseError when it is some other document."""
    found = _feedparser(mend(body), content_type(body, headers.get("content-type", "")))
    if not found.get("version") and not found["entries"]:
        raise ParseError(f"neither RSS, Atom nor JSON Feed; the document begins with {opening(body)!r}")
    feed = found["feed"]
    lang = _text(feed, "language")
    return RawDocument(_text(feed, "title"), lang, url, tuple(_entry(entry, lang) for entry in found["entries"]))


def _feedparser(body: bytes, kind: str) -> Any:
    import feedparser  # noqa: PLC0415 - loaded only where a document is read

    try:
        # Without a content-location feedparser leaves relative guids alone; we resolve relative links ourselves.
        return feedparser.parse(
            io.BytesIO(body), response_headers={"content-type": kind}, sanitize_html=False, resolve_relative_uris=False
        )
    except MemoryError:
        raise
    except Exception as failure:
        raise ParseError(f"the document cannot be read: feedparser gave up ({type(failure).__name__})") from failure


def _entry(entry: Any, feed_lang: str) -> RawEntry:
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
    if "://" in page or not entry.get("guidislink"):
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
