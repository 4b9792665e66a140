"""From the bytes of a feed document to clean entries. Runs inside the worker process (see monitor.feeds.worker)."""

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime

from monitor.errors import ParseError
from monitor.feeds import clean, dates, language
from monitor.feeds.document import Document
from monitor.feeds.hints import read_hints
from monitor.feeds.jsonfeed import looks_like_json, read_json_feed
from monitor.feeds.mend import narrow
from monitor.feeds.raw import RawDocument, RawEntry
from monitor.feeds.strangers import looks_like_html, refusal
from monitor.feeds.xmlfeed import read_xml_feed
from storage.feed_records import Entry

NEWEST = 500
_MAX_GUID = 500
_TITLE_FROM_SUMMARY = 120


def parse_document(  # noqa: PLR0913, PLR0917 - each is a fact of its own; Request bundles them for the worker
    body: bytes,
    headers: Mapping[str, str],
    url: str,
    lang: str | None,
    now: datetime,
    limit: int = NEWEST,
) -> Document:
    """Read a document; keep its ``limit`` newest entries, in their order. ParseError says why it is no feed.

    ``headers`` are the response's, names in lower case; ``url`` is where it came from; ``lang`` is the language the
    user gave the feed. A document that is merely broken is read as far as it goes.
    """
    if not body.strip():
        raise ParseError("the document is empty")
    raw = _take_apart(narrow(body), headers, url)
    dated = [(entry, _published(entry, now)) for entry in raw.entries]
    declared = language.code(lang) or language.code(raw.lang)
    cleaned = (_entry(entry, published, raw.base, declared) for entry, published in _newest(dated, limit, now))
    kept = tuple(entry for entry in cleaned if entry is not None)
    title = clean.cut(clean.plain(raw.title), clean.MAX_TITLE)
    hints = read_hints(raw.hints, headers.get("link", ""), raw.base)
    return Document(title, declared, len(dated), kept, hints, raw.sound)


def _take_apart(body: bytes, headers: Mapping[str, str], url: str) -> RawDocument:
    if looks_like_json(body):
        return read_json_feed(body, url)
    if looks_like_html(body):
        raise refusal(body, url)
    return read_xml_feed(body, headers, url)


def _published(entry: RawEntry, now: datetime) -> datetime | None:
    found = (dates.published(date.text, date.guess, now) for date in entry.dates)
    return next((moment for moment in found if moment is not None), None)


def _newest(
    dated: list[tuple[RawEntry, datetime | None]], limit: int, now: datetime
) -> list[tuple[RawEntry, datetime | None]]:
    """Choose the newest entries; one without a date counts as new, and earlier in the document as newer."""
    if len(dated) <= limit:
        return dated
    chosen = heapq.nlargest(limit, range(len(dated)), key=lambda place: (dated[place][1] or now, -place))
    return [dated[place] for place in sorted(chosen)]


def _entry(raw: RawEntry, published: datetime | None, base: str, declared: str | None) -> Entry | None:
    """Clean an entry; None when neither title nor text nor link is left of it."""
    url = _first(clean.link(href, base) for href in raw.links)
    summary = clean.cut(_first(clean.plain(text) for text in raw.texts) or "", clean.MAX_SUMMARY)
    title = _first(clean.plain(text, markup=raw.markup) for text in raw.titles)
    title = clean.cut(title, clean.MAX_TITLE) if title else clean.cut(summary, _TITLE_FROM_SUMMARY) or url
    if not title:
        return None
    summary = "" if summary == title else summary
    lang = language.code(raw.lang) or declared or language.detect(f"{title} {summary}")
    return Entry(_guid(raw.guid), url, title, summary, lang, published)


def _guid(text: str) -> str | None:
    guid = clean.one_line(text)
    return (guid if len(guid) <= _MAX_GUID else hashlib.sha256(guid.encode()).hexdigest()) or None


def _first(candidates: Iterable[str | None]) -> str | None:
    return next((text for text in candidates if text), None)
