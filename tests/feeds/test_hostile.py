"""Documents made to hurt: each is read within limits, or refused with a reason."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.feeds.document import Document
from monitor.feeds.parse import parse_document
from tests.feeds.invariants import compare_parts, read_or_refuse
from tests.feeds.sampling import NOW, samples

MEGABYTE = 1_000_000
NESTED = "http://purl.org/dc/elements/1.1/"


def rss(items: bytes, head: bytes = b"") -> bytes:
    return head + b"<rss version='2.0'><channel><title>x</title>" + items + b"</channel></rss>"


def item(inside: bytes) -> bytes:
    return b"<item><title>Still here</title>" + inside + b"</item>"


READ: dict[str, Callable[[], bytes]] = {
    "a title of 1 MB": lambda: rss(b"<item><title>Still here " + b"word " * (MEGABYTE // 5) + b"</title></item>"),
    "an entry of 4.9 MB": lambda: rss(item(b"<description>" + b"&lt;p&gt;word " * 350_000 + b"</description>")),
    "4.9 MB of CDATA": lambda: rss(item(b"<description><![CDATA[" + b"<p>word " * 600_000 + b"]]></description>")),
    "a guid of 1 MB": lambda: rss(item(b"<guid>" + b"g" * MEGABYTE + b"</guid>")),
    "a link of 1 MB": lambda: rss(item(b"<link>https://a.example/" + b"l" * MEGABYTE + b"</link>")),
    "a date of 1 MB": lambda: rss(item(b"<pubDate>" + b"2026-" * 200_000 + b"</pubDate>")),
    "an author like an e-mail address": lambda: rss(item(b"<author>" + b"a" * MEGABYTE + b"</author>")),
    "a creator like one": lambda: rss(item(f"<c:creator xmlns:c='{NESTED}'>{'a' * MEGABYTE}</c:creator>".encode())),
    "50,000 categories": lambda: rss(item(b"<category>c</category>" * 50_000)),
    "100,000 comments": lambda: rss(item(b"<!-- -->" * 100_000)),
    "a reference of a million zeros": lambda: rss(item(b"<description>&#" + b"0" * MEGABYTE + b"</description>")),
    "a billion laughs": lambda: rss(
        b"<item><title>Still here</title><description>&j;</description></item>",
        b"<!DOCTYPE x ["
        + b"".join(b"<!ENTITY %c '%s'>" % (97 + n, b"&%c;" % (96 + n) * 10 if n else b"ha" * 10) for n in range(10))
        + b"]>",
    ),
    "one entity many times": lambda: rss(
        item(b"<description>" + b"&a;" * 50_000 + b"</description>"),
        b"<!DOCTYPE x [<!ENTITY a '" + b"a" * 50_000 + b"'>]>",
    ),
}
REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "20,000 attributes": (
        lambda: rss(item(b"<a " + b" ".join(b"a%d=''" % n for n in range(20_000)) + b"/>")),
        "cost",
        "too many attributes",
    ),
    "200,000 elements deep": (lambda: rss(item(b"<a>" * 200_000 + b"</a>" * 200_000)), "cost", "too deep"),
    "HTML a million deep": (lambda: b"<html>" + b"<div>" * 900_000, "content", "an HTML page"),
    "JSON too deep": (lambda: b'{"a":' * 500_000, "content", "cannot be read as JSON"),
    "a number of a million digits": (
        lambda: b'{"version":"https://jsonfeed.org/version/1.1","items":[' + b"9" * MEGABYTE + b"]}",
        "content",
        "cannot be read as JSON",
    ),
    "100,000 comments before nothing": (lambda: b"<!-- --> " * 100_000, "content", "neither RSS"),
}


def read(body: bytes) -> Document:
    return parse_document(body, {}, "https://feed.example/feed.xml", "en", NOW)


@pytest.mark.parametrize("name", READ)
def test_too_much_of_something_is_read_within_limits(name: str) -> None:
    body = READ[name]()
    began = time.process_time()
    document = read_or_refuse(body, NOW)
    assert time.process_time() - began < 5
    assert document
    assert [entry.title[:10] for entry in document.entries] == ["Still here"]


@pytest.mark.parametrize("name", REFUSED)
def test_too_much_of_something_else_is_refused_at_once(name: str) -> None:
    build, trouble, reason = REFUSED[name]
    body = build()
    began = time.process_time()
    with pytest.raises(ParseError, match=reason) as refused:
        read(body)
    assert time.process_time() - began < 5
    assert refused.value.trouble == trouble


SAMPLES = [sample.body for sample in samples() if len(sample.body) < 1_500]
TOKENS = [
    b"<item>", b"</item>", b"<entry>", b"</entry>", b"<title>", b"</title>", b"<link>", b"<link href='x'/>", b"<guid>",
    b"<pubDate>", b"<description>", b"<content type='xhtml'>", b"<svg>", b"<source>", b"<image>", b"<title_detail>",
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<!DOCTYPE", b"<?xml encoding='", b"&#xD800;", b"&amp;lt;b&gt;", b"&nbsp;",
    b" xml:base='http://b.example/'", b" xmlns='urn:x'", b" xml:lang='fr'", b"\0", b"\x1b$B", b"\xff\xfe", b"\xc3",
    b"\xe2\x80\xae", b"<rss version='2.0'><channel>", b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"'", b">",
    b"https://a.example/",
]  # fmt: skip
changes = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["cut", "double", "flip", "insert"]),
        st.one_of(st.sampled_from(TOKENS), st.binary(min_size=1, max_size=4)),
        st.integers(0, 400),
    ),
    max_size=5,
)


def changed(body: bytes, change: tuple[float, str, bytes, int]) -> bytes:
    where, how, token, length = change
    place = int(where * len(body))
    before, middle, after = body[:place], body[place : place + length], body[place + length :]
    made = {"cut": b"", "double": middle * 2, "flip": bytes(b ^ (1 << length % 8) for b in middle[:3]) + middle[3:]}
    return before + made.get(how, token + middle) + after


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), changes)
@example(b"\x01", [])  # found by an earlier form of this test: nothing is left of it once mended
def test_a_mutated_sample_is_read_within_the_limits_or_refused_and_its_parts_like_the_whole(
    body: bytes, made: list[tuple[float, str, bytes, int]]
) -> None:
    for change in made:
        body = changed(body, change)
    compare_parts(body, read_or_refuse(body, NOW), NOW)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6)), max_size=25))
def test_random_markup_is_read_within_the_limits_or_refused(tokens: list[bytes]) -> None:
    body = b"<rss version='2.0'><channel><item>" + b"".join(tokens)
    compare_parts(body, read_or_refuse(body, NOW), NOW)
