"""What holds of every document that was read, whatever its publisher wrote."""

import re
from datetime import UTC, datetime, timedelta

from monitor.errors import ParseError
from monitor.feeds.clean import MAX_SUMMARY, MAX_TITLE, MAX_URL, one_line
from monitor.feeds.document import Document, pack_document, unpack_document
from monitor.feeds.parse import NEWEST, parse_document
from monitor.feeds.slices import HASH_BYTES, take_apart
from storage.feed_records import Entry

_URL = "https://feed.example/feed.xml"


def read_or_refuse(body: bytes, now: datetime) -> Document | None:
    """Read a document and check what holds of every one; None when it is refused, by ParseError and nothing else."""
    try:
        document = parse_document(body, {}, _URL, "en", now)
    except ParseError:
        return None
    assert len(document.entries) <= min(NEWEST, document.found)
    assert unpack_document(pack_document(document)) == document
    for entry in document.entries:
        _check(entry, now)
    return document


def _check(entry: Entry, now: datetime) -> None:
    assert 0 < len(entry.title) <= MAX_TITLE
    assert len(entry.summary) <= MAX_SUMMARY
    assert len(entry.guid or "") <= 500
    for text in (entry.title, entry.summary, entry.guid or ""):
        assert text == one_line(text)
        text.encode()
    assert entry.url is None or (re.match("https?://[^/]", entry.url) and len(entry.url) <= MAX_URL)
    assert entry.lang is None or re.fullmatch("[a-z]{2}", entry.lang)
    if entry.published is not None:
        assert entry.published.tzinfo is UTC
        assert datetime(1990, 1, 1, tzinfo=UTC) <= entry.published <= now + timedelta(days=1)


def compare_parts(body: bytes, whole: Document | None, now: datetime) -> None:
    """Check that every entry of a document that can be taken apart is read by itself as in the whole."""
    sliced = take_apart(body)
    if sliced is None or whole is None or not whole.sound or sliced.count > NEWEST:
        return
    hashes = [sliced.hashes[at : at + HASH_BYTES] for at in range(0, len(sliced.hashes), HASH_BYTES)]
    if len(set(hashes)) < len(hashes):
        return
    alone: list[Entry] = []
    for place in range(sliced.count):
        rest = sliced.unseen(b"".join(hashes[:place] + hashes[place + 1 :]))
        assert rest is not None
        part = parse_document(rest, {}, _URL, "en", now)
        assert (part.title, part.lang, part.hints, part.sound) == (whole.title, whole.lang, whole.hints, True)
        alone += part.entries
    assert whole.found == sliced.count
    assert list(whole.entries) == alone
