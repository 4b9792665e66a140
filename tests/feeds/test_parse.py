"""From documents to entries."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.errors import ParseError
from monitor.feeds.document import Document, Request, pack_document, pack_request, unpack_document, unpack_request
from monitor.feeds.language import code, detect
from monitor.feeds.mend import mend
from monitor.feeds.parse import parse_document
from tests.feeds.sampling import NOW, Sample, samples

SAMPLES = samples()


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_a_sample_is_read_as_expected(sample: Sample) -> None:
    assert sample.outcome() == sample.expected


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_what_was_read_survives_the_pipe(sample: Sample) -> None:
    request = Request(sample.body, sample.headers, sample.url, sample.lang, NOW)
    assert unpack_request(pack_request(request)) == request
    try:
        document = parse_document(sample.body, sample.headers, sample.url, sample.lang, NOW)
    except ParseError:
        document = Document()
    assert unpack_document(pack_document(document)) == document


def rss(*items: str, extra: str = "") -> bytes:
    return f"<rss version='2.0'><channel><title>x</title>{extra}{''.join(items)}</channel></rss>".encode()


def read(body: bytes, lang: str | None = None, limit: int = 500) -> Document:
    return parse_document(body, {}, "https://a.example/feed", lang, NOW, limit)


def dated(number: int) -> str:
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return f"<item><title>Item {number}</title><pubDate>{day:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"


def test_of_ten_thousand_entries_the_newest_are_kept_in_their_order() -> None:
    document = read(rss(*(dated(n) for n in range(10_000))), "en")
    assert document.found == 10_000
    assert [entry.title for entry in document.entries] == [f"Item {n}" for n in range(9_500, 10_000)]


def test_entries_without_dates_count_as_new_and_the_first_of_them_as_newest() -> None:
    undated = [f"<item><title>Undated {n}</title></item>" for n in range(3)]
    document = read(rss(dated(1), *undated, dated(2)), "en", limit=3)
    assert [entry.title for entry in document.entries] == ["Undated 0", "Undated 1", "Undated 2"]


def test_titles_and_summaries_are_cut() -> None:
    words = "word " * 200_000
    (entry,) = read(rss(f"<item><title>{words}</title><description>{words}</description></item>"), "en").entries
    assert len(entry.title) <= 300
    assert len(entry.summary) <= 2_000
    assert entry.title.endswith("word…")


def test_a_very_long_guid_becomes_its_hash() -> None:
    entries = read(rss(*(f"<item><title>t</title><guid>{'x' * 5000}{n}</guid></item>" for n in "ab")), "en").entries
    guids = {entry.guid for entry in entries}
    assert len(guids) == 2
    assert all(guid and len(guid) == 64 for guid in guids)


@pytest.mark.parametrize(
    ("configured", "declared", "expected"),
    [("de", "fr", "de"), (None, "fr", "fr"), (None, "", "en"), ("German", "en-US", "en")],
    ids=["the user's word counts first", "then the feed's", "then the text", "a language that is no tag is ignored"],
)
def test_the_language_of_an_entry(configured: str | None, declared: str, expected: str) -> None:
    item = "<item><title>Washington weighs new rules for the export of chips</title></item>"
    (entry,) = read(rss(item, extra=f"<language>{declared}</language>"), configured).entries
    assert entry.lang == expected


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Die Preise für Grafikkarten fallen deutlich", "de"),
        ("Le prix des puces baisse encore cette semaine", "fr"),
        ("香港智慧交通燈終於要來了", "zh"),
        ("OpenAI GPT-5", None),
        ("", None),
    ],
)
def test_a_language_is_detected_or_left_open(text: str, lang: str | None) -> None:
    assert detect(text) == lang


@pytest.mark.parametrize(
    ("tag", "lang"), [("en-US", "en"), ("zh_Hans", "zh"), ("DE", "de"), ("english", None), ("", None), (None, None)]
)
def test_a_language_tag_is_reduced_to_two_letters(tag: str | None, lang: str | None) -> None:
    assert code(tag) == lang


@pytest.mark.parametrize(
    ("reference", "kept"),
    [
        (b"&#xD800;", False),
        (b"&#57343;", False),
        (b"&#0;", False),
        (b"&#x0000b;", False),
        (b"&#xFFFE;", False),
        (b"&#x110000;", False),
        (b"&#99999999;", False),
        (b"&#9;", True),
        (b"&#xA;", True),
        (b"&#8217;", True),
        (b"&#x1F916;", True),
        (b"&amp;", True),
    ],
)
def test_references_to_what_xml_forbids_are_dropped(reference: bytes, *, kept: bool) -> None:
    assert mend(b"a" + reference + b"b") == (b"a" + reference + b"b" if kept else b"ab")
