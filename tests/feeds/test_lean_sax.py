"""What feedparser is not told is what nobody reads."""

import io
from collections.abc import Iterator
from typing import Any

import feedparser
import pytest
from feedparser import api

from monitor.errors import ParseError
from monitor.feeds.mend import content_type, mend, narrow
from monitor.feeds.raw import RawEntry
from monitor.feeds.xmlfeed import raw_entry, read_xml_feed
from tests.feeds.sampling import Sample, samples
from tests.feeds.typical import typical_feed

# Its unread elements hold elements that the standard reader takes for the entry's own.
SAMPLES = [sample for sample in samples() if sample.name != "long-names"]


@pytest.fixture
def standard_reader() -> Iterator[Any]:
    """Give feedparser as it comes, with the standard library's XML reader."""
    read_xml_feed(typical_feed(1), {}, "https://example.org/feed/")  # our reader is put in its place at first use
    ours = list(api.PREFERRED_XML_PARSERS)
    api.PREFERRED_XML_PARSERS.clear()
    yield feedparser
    api.PREFERRED_XML_PARSERS[:] = ours


def entries(library: Any, body: bytes) -> tuple[RawEntry, ...]:
    mended = mend(narrow(body))
    kind = {"content-type": content_type(mended, "")}
    read = library.parse(io.BytesIO(mended), response_headers=kind, sanitize_html=False, resolve_relative_uris=False)
    return tuple(raw_entry(one, read["feed"].get("language", "")) for one in read["entries"])


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_a_sample_has_the_same_entries_with_the_standard_reader(sample: Sample, standard_reader: Any) -> None:
    try:
        lean = read_xml_feed(narrow(sample.body), sample.headers, sample.url).entries
    except ParseError:
        return
    api.PREFERRED_XML_PARSERS.clear()
    if not sample.headers:
        assert lean == entries(standard_reader, sample.body)


def test_a_typical_feed_has_the_same_entries_with_the_standard_reader(standard_reader: Any) -> None:
    body = typical_feed(25)
    lean = read_xml_feed(body, {}, "https://example.org/feed/").entries
    api.PREFERRED_XML_PARSERS.clear()
    assert lean == entries(standard_reader, body)
    assert len(lean) == 25
