"""From markup to text, from links to addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.clean import MAX_URL, cut, link, one_line, plain


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Plain words", "Plain words"),
        ("<p>One</p><p>two</p>", "One two"),
        ("<ul><li>a<li>b</ul>c", "a b c"),
        ("line<br>break", "line break"),
        ("in<b>sid</b>e", "inside"),
        ("<script>alert(1)</script>x<style>p{}</style>", "x"),
        ("a<iframe>b</iframe><svg><text>c</text></svg>d", "ad"),
        ("<img src=x alt=y>after", "after"),
        ("&lt;b&gt; &amp;amp; &#8217; &nbsp; &euro;", "<b> &amp; \u2019 €"),
        ("a&#" + "0" * 5000 + "38;b &#x" + "f" * 5000 + " c", "ab c"),
        ("AT&T &unknown; 5 < 6", "AT&T &unknown; 5 < 6"),
        ("<!-- hidden -->seen<![CDATA[x]]>", "seen"),
        ("<p>unclosed <a href='x", "unclosed"),
        ("a\n\n b\t c\xa0d", "a b c d"),
        ("<div>" * 5000 + "deep", "deep"),
    ],
)
def test_html_becomes_one_line_of_text(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("List<T> and Map<K, V>", "List<T> and Map<K, V>"),
        ("Smaller < better > worse", "Smaller < better > worse"),
        ("A <b>bold</b> claim", "A bold claim"),
        ("Nvidia &#038; friends", "Nvidia & friends"),
    ],
)
def test_plain_text_loses_only_tags_that_html_knows(written: str, text: str) -> None:
    assert plain(written, markup=False) == text


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("nul\0l", "null"),
        ("bell\x07 esc\x1b[31m", "bell esc[31m"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("lone\ud800surrogate", "lonesurrogate"),
        ("soft\xadhyphen", "softhyphen"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("next\x85line\u2028para\u2029end", "next line para end"),
        ("省時20秒。", "省時20秒。"),
        ("chips ⚡ 🤖", "chips ⚡ 🤖"),
    ],
)
def test_what_nobody_can_see_is_removed(dirty: str, clean: str) -> None:
    assert one_line(dirty) == clean
    assert plain(f"<p>{dirty}</p>") == clean


@pytest.mark.parametrize(
    ("text", "limit", "result"),
    [
        ("short", 10, "short"),
        ("exactly10c", 10, "exactly10c"),
        ("one two three", 10, "one two…"),
        ("one two three", 8, "one two…"),
        ("words, then more", 8, "words…"),
        ("省時秒香港智慧交通燈終於", 6, "省時秒香港…"),
        ("x" * 50 + " y", 10, "xxxxxxxxx…"),
    ],
)
def test_long_text_is_cut_at_a_word(text: str, limit: int, result: str) -> None:
    assert cut(text, limit) == result


@pytest.mark.parametrize(
    ("href", "result"),
    [
        ("https://b.example/x", "https://b.example/x"),
        ("/x?a=1", "https://a.example/x?a=1"),
        ("x", "https://a.example/dir/x"),
        ("//b.example/x", "https://b.example/x"),
        (" https://b.example/a b\n", "https://b.example/a%20b"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("mailto:a@b.example", None),
        ("data:text/html,x", None),
        ("http://", None),
        ("http://[::1", None),
        ("http://a.example:99999/", None),
        ("https://b.example/" + "x" * MAX_URL, None),
    ],
)
def test_a_link_is_an_absolute_web_address_or_nothing(href: str, result: str | None) -> None:
    assert link(href, "https://a.example/dir/feed.xml") == result


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    line.encode()


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("<>&;/#x!-ab "))))
def test_no_markup_is_too_much(markup: str) -> None:
    for text in (plain(markup), plain(markup, markup=False)):
        assert text == one_line(text)


@given(st.text(), st.integers(min_value=2, max_value=50))
def test_a_cut_keeps_its_limit_and_is_final(text: str, limit: int) -> None:
    once = cut(one_line(text), limit)
    assert len(once) <= limit
    assert cut(once, limit) == once


@given(st.text(), st.text())
def test_any_text_is_a_link_or_none(href: str, where: str) -> None:
    found = link(href, where)
    assert found is None or (found.startswith(("http://", "https://")) and link(found) == found)
