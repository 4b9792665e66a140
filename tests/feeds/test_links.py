"""When two links mean the same page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.links import normalise_link

PAGE = "https://a.example/news/1?id=7"


@pytest.mark.parametrize(
    "other",
    [
        "HTTPS://A.Example/news/1?id=7",
        "http://a.example/news/1?id=7",
        "https://a.example:443/news/1?id=7",
        "https://a.example/news/1/?id=7",
        "https://a.example/news/1?id=7#",
        "https://a.example/news/1?id=7#3",
        "https://a.example/news/1?id=7#xtor=RSS-1",
        "https://a.example/news/1?id=7#:~:text=word",
        "https://a.example/news/1?id=7&utm_source=rss&utm_medium=feed",
        "https://a.example/news/1?utm_campaign=x&id=7&fbclid=abc",
        "https://a.example/news/1?id=7&gclid=1&mc_cid=2&mc_eid=3",
        "https://a.example/news/1?at_medium=RSS&at_campaign=rss&id=7",
        "https://a.example/news/1?id=7&source=rss&mod=rss_tech&partner=feed",
        " https://a.example/news/1?id=7 ",
    ],
)
def test_where_a_click_came_from_does_not_matter(other: str) -> None:
    assert normalise_link(other) == normalise_link(PAGE)


@pytest.mark.parametrize(
    "other",
    [
        "https://www.a.example/news/1?id=7",
        "https://a.example:8443/news/1?id=7",
        "https://a.example/news/2?id=7",
        "https://a.example/News/1?id=7",
        "https://a.example/news/1?id=8",
        "https://a.example/news/1",
        "https://a.example/news/1?id=7&ref=12",
        "https://a.example/news/1?id=7&source=ap",
        "https://a.example/news/1?id=7#v1.2",
    ],
)
def test_what_may_be_another_page_stays_another_page(other: str) -> None:
    assert normalise_link(other) != normalise_link(PAGE)


@pytest.mark.parametrize("text", ["", "tag:a.example,2026:7", "urn:uuid:1", "7", "http://[", "http://", "/news/1"])
def test_what_is_no_web_address_stays_as_it_is(text: str) -> None:
    assert normalise_link(text) == text


@given(st.one_of(st.text(), st.text().map("http://a.example/".__add__), st.text().map("https://a.example?".__add__)))
def test_normalising_twice_changes_nothing(url: str) -> None:
    once = normalise_link(url)
    assert normalise_link(once) == once
