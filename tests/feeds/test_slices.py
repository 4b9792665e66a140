"""Reading only the entries that are new gives the same as reading the whole document."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.feeds.document import Document
from monitor.feeds.parse import parse_document
from monitor.feeds.slices import HASH_BYTES, Sliced, take_apart
from tests.feeds.invariants import compare_parts, read_or_refuse
from tests.feeds.sampling import NOW, Sample, samples
from tests.feeds.typical import typical_feed

REAL = Path(__file__).parents[3] / "shared" / "real-feeds"
ROUNDS = sorted(REAL.glob("*/*.xml"))
SAMPLES = samples()
RSS = b"<rss version='2.0'><channel><title>t</title>%s</channel></rss>"
ONE = b"<item><title>One</title></item>"
TWO = b"<item><title>Two</title></item>"


def read(body: bytes, url: str = "https://feed.example/feed.xml", lang: str | None = "en") -> Document:
    return parse_document(body, {}, url, lang, NOW, limit=10_000)


def without(sliced: Sliced, unseen: Sequence[int]) -> bytes:
    """Return the document that is left when only these blocks are unknown."""
    known = [sliced.hashes[at : at + HASH_BYTES] for at in range(0, len(sliced.hashes), HASH_BYTES)]
    rest = sliced.unseen(b"".join(known[n] for n in range(sliced.count) if n not in unseen))
    assert rest is not None
    return rest


def some(count: int) -> list[list[int]]:
    """Choose entries: the first two, the last, one in the middle, all but one, all."""
    every = list(range(count))
    chosen = [every[:2], every[-1:], [count // 2], every[: count // 3] + every[count // 3 + 1 :], every]
    return [one for one in chosen if one]


def facts(document: Document) -> object:
    return document.title, document.lang, document.hints, document.sound


def compare(sample: Sample) -> None:
    """Read a document as a whole and in parts, unless it stays whole anyway."""

    def read(body: bytes) -> Document:
        return parse_document(body, sample.headers, sample.url, sample.lang, NOW)

    try:
        sliced, whole = take_apart(sample.body), read(sample.body)
    except ParseError:
        return
    if sliced is None or not whole.sound:
        return
    alone = [read(without(sliced, [place])).entries for place in range(sliced.count)]
    assert whole.found == sliced.count
    assert whole.entries == tuple(entry for entries in alone for entry in entries)
    for places in some(sliced.count):
        part = read(without(sliced, places))
        assert part.entries == tuple(entry for place in places for entry in alone[place])
        assert facts(part) == facts(whole)


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_a_part_of_a_sample_is_read_as_in_the_whole(sample: Sample) -> None:
    compare(sample)


def test_enough_samples_are_taken_apart_for_the_test_to_mean_something() -> None:
    taken = {sample.name for sample in SAMPLES if take_apart(sample.body)}
    assert {"atom", "rss", "rdf", "dates", "sparse", "hints"} <= taken


@pytest.mark.skipif(not ROUNDS, reason="the recorded feeds are not part of the repository")
@pytest.mark.parametrize("feed", sorted({path.parent.name for path in ROUNDS}))
def test_a_part_of_a_recorded_feed_is_read_as_in_the_whole_and_so_is_what_a_round_adds(feed: str) -> None:
    before: bytes | None = None
    rounds = sorted(REAL.glob(f"{feed}/*.xml"))
    for path in rounds[:1] + rounds[-1:]:
        body = path.read_bytes()
        sliced, whole = take_apart(body), read(body, lang=None)
        assert sliced is not None
        assert sliced.count == len(whole.entries)
        assert whole.sound
        subsets = some(sliced.count)[:3] if before is None else [_added(sliced, before)]
        for places in filter(None, subsets):
            document = read(without(sliced, places), lang=None)
            assert document.entries == tuple(whole.entries[place] for place in places)
            assert facts(document) == facts(whole)
        before = sliced.hashes


def _added(sliced: Sliced, before: bytes) -> list[int]:
    known = {before[at : at + HASH_BYTES] for at in range(0, len(before), HASH_BYTES)}
    hashes = [sliced.hashes[n * HASH_BYTES : (n + 1) * HASH_BYTES] for n in range(sliced.count)]
    return [place for place, digest in enumerate(hashes) if digest not in known]


def test_only_what_is_unseen_is_left_between_head_and_tail() -> None:
    old, new = take_apart(RSS % (ONE + b"\n")), take_apart(RSS % (TWO + b"\n  " + ONE + b"\n"))
    assert old
    assert new
    assert new.unseen(old.hashes) == RSS % (TWO + b"\n")
    assert new.unseen(new.hashes) is None
    assert new.unseen(b"") == RSS % (TWO + ONE + b"\n")
    assert (new.count, len(new.hashes)) == (2, 2 * HASH_BYTES)


TAKEN = [
    ("RSS", RSS % (ONE + TWO), 2),
    ("white space between entries", RSS % (b"\n\t" + ONE + b"\r\n " + TWO + b"\n"), 2),
    ("channel elements behind the entries", RSS % (ONE + b"<image><url>x</url></image><language>de</language>"), 1),
    ("an attribute on the entry", RSS % b"<item rdf:about='x'><title>One</title></item>", 1),
    ("an entry named in CDATA", RSS % b"<item><description><![CDATA[<b>x</b> &item;]]></description></item>", 1),
    ("a comment in an entry", RSS % b"<item><!-- x --><title>One</title></item>", 1),
    ("a byte order mark", b"\xef\xbb\xbf" + RSS % ONE, 1),
    ("a base above the entries", b"<rss xml:base='https://a.example/'>" + ONE.replace(b">", b" xml:base='x'>", 1), 1),
    ("a declared single-byte charset, all ASCII", b"<?xml version='1.0' encoding='ISO-8859-1'?>" + RSS % ONE, 1),
]

DECLINED = [
    ("no entries", RSS % b""),
    ("no feed", b"<urlset>" + ONE + b"</urlset>"),
    ("nothing", b""),
    ("an entry within an entry", RSS % b"<item><item></item></item>"),
    ("an entry that is not closed", RSS % (ONE + b"<item><title>x</title>")),
    ("an entry in CDATA that seems one", RSS % b"<item><description><![CDATA[</item><item>]]></description></item>"),
    ("the end of an entry in a comment", RSS % b"<item><!-- </item> --><title>x</title></item>"),
    ("a comment around entries", RSS % (b"<!--" + ONE + TWO + b"-->")),
    ("a comment from one entry to the next", RSS % b"<item><!-- </item><item> --></item>"),
    ("CDATA that is not closed", RSS % b"<item><title><![CDATA[x</title></item>"),
    ("something between entries", RSS % (ONE + b"<language>de</language>" + TWO)),
    ("an entry of another name", RSS % (ONE + b"<entry></entry>")),
    ("an entry with a prefix", RSS % (ONE + b"<rss:item></rss:item>")),
    ("an entry in capitals before", RSS % (b"<ITEM></ITEM>" + ONE)),
    ("a document type with entities", b"<!DOCTYPE rss [<!ENTITY a 'b'>]>" + RSS % ONE),
    ("UTF-16", (RSS % ONE).decode().encode("utf-16")),
    ("bytes that are not UTF-8", RSS % b"<item><title>K\xf6ln</title></item>"),
    ("UTF-7", b"<?xml version='1.0' encoding='UTF-7'?>" + RSS % ONE),
    ("an encoding that switches", b"<?xml version='1.0' encoding='ISO-2022-JP'?>" + RSS % ONE),
    ("a control character within a tag", RSS % (b"<it\x01em></it\x01em>" + ONE)),
    ("a base that feedparser would keep", RSS % (ONE.replace(b">", b" xml:base='https://b.example/'>", 1) + TWO)),
    ("more entries than any feed", RSS % (b"<item/>" + b"<item></item>" * 10_001)),
]


@pytest.mark.parametrize(("body", "count"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_a_document_is_taken_apart(body: bytes, count: int) -> None:
    sliced = take_apart(body)
    assert sliced
    assert sliced.count == count == read(body).found
    assert sliced.unseen(b"") is not None


@pytest.mark.parametrize("body", [row[1] for row in DECLINED], ids=[row[0] for row in DECLINED])
def test_a_document_that_is_odd_stays_whole(body: bytes) -> None:
    assert take_apart(body) is None


SIZE = 5_000_000
HOSTILE = {
    "openings": b"<item" * (SIZE // 5),
    "tags": b"<rss>" + b"<item>" * (SIZE // 6),
    "entries": b"<rss>" + b"<item></item>" * (SIZE // 13),
    "CDATA": b"<rss><item>" + b"<![CDATA[]]>" * (SIZE // 12) + b"</item>",
    "comments that never end": b"<rss><item>" + b"<!--" * (SIZE // 4) + b"</item>",
    "brackets": b"<rss><item></item>" + b"<" * SIZE,
    "space": b"<rss><item></item>" + b" " * SIZE,
    "a declaration": b"<?xml encoding=" + b" " * SIZE + b"<item></item>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_five_megabytes_of_hostile_input_cost_little(name: str) -> None:
    began = time.process_time()
    assert take_apart(HOSTILE[name]) is None
    assert time.process_time() - began < 0.5


def test_a_typical_feed_is_taken_apart_in_a_fraction_of_the_time_it_takes_to_read() -> None:
    body = typical_feed(25)
    sliced = take_apart(body)
    assert sliced
    assert sliced.count == 25
    slicing = min(_seconds(body, take_apart) for _ in range(20))
    reading = min(_seconds(body, read) for _ in range(3))
    assert slicing * 10 < reading


def _seconds(body: bytes, do: object) -> float:
    assert callable(do)
    began = time.process_time()
    do(body)
    return time.process_time() - began


PIECES = [
    *(sample.body for sample in SAMPLES if len(sample.body) < 1_500),
    ONE, b"<item>", b"</item>", b"<entry>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<item/>", b" xml:base='x/'",
    b"&amp;", b"<link>/x</link>", b"\n",
]  # fmt: skip
cuttings = st.lists(st.tuples(st.sampled_from(PIECES), st.integers(0, 600), st.integers(0, 1_500)), max_size=4)


@settings(max_examples=100, deadline=None)
@given(cuttings, st.sampled_from(PIECES[:-13]), st.integers(0, 1_500))
def test_a_mangled_document_that_is_taken_apart_is_read_as_in_the_whole(
    parts: list[tuple[bytes, int, int]], sample: bytes, place: int
) -> None:
    inserted = b"".join(piece[start : start + length] for piece, start, length in parts)
    body = sample[:place] + inserted + sample[place:]
    compare_parts(body, read_or_refuse(body, NOW), NOW)
