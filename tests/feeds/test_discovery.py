"""The feeds of a page."""

import pytest

from monitor.feeds.discovery import MOST, Candidate, discover, usual_places

PAGE = "https://www.site.example/blog/"
RSS = 'rel="alternate" type="application/rss+xml"'

FOUND = {
    "a link in the head": (f'<head><link {RSS} title="News" href="/feed.xml"></head>', ["/feed.xml"]),
    "all kinds of feeds": (
        (f'<link {RSS} href="/a"><link rel=alternate type=application/atom+xml href="/b">'
        '<link rel="alternate" type="application/feed+json" href="/c">'),
        ["/a", "/b", "/c"],
    ),
    "capitals, several words, parameters": (
        '<LINK REL="Home ALTERNATE" TYPE="Application/RSS+XML; charset=utf-8" HREF="/feed">',
        ["/feed"],
    ),
    "an alternate that is no feed": ('<link rel="alternate" type="text/html" hreflang="de" href="/de/">', []),
    "a feed of comments comes last": (
        f'<link {RSS} title="Comments" href="/comments/feed/"><link {RSS} href="/feed/">',
        ["/feed/", "/comments/feed/"],
    ),
    "the same twice": (f'<link {RSS} href="/feed"><link {RSS} href="/feed#top">', ["/feed"]),
    "a relative address": (f'<link {RSS} href="feed.xml">', ["/blog/feed.xml"]),
    "a base": (f'<base href="https://www.site.example/other/"><link {RSS} href="feed.xml">', ["/other/feed.xml"]),
    "no web address": (
        (f'<link {RSS} href="javascript:x"><link {RSS} href="file:///etc/passwd"><link {RSS} href="http://[">'
        f'<link {RSS} href=""><link {RSS}>'),
        [],
    ),
    "links that look like feeds, when none is named": (
        ('<a href="/rss.xml">RSS</a><a href="/feed/">x</a><a href="/index.atom">x</a><a href="/?format=rss">x</a>'
        '<a href="/about">x</a><a href="/feedback">x</a><a href="/press/atomic">x</a>'),
        ["/rss.xml", "/feed/", "/index.atom", "/?format=rss"],
    ),
    "links to other sites lead to readers": (
        '<a href="https://reader.example/subscribe/feed/">x</a><a href="https://feeds.site.example/rss">y</a>',
        ["https://feeds.site.example/rss"],
    ),
    "what is named counts more than what looks like it": (f'<a href="/rss">x</a><link {RSS} href="/f">', ["/f"]),
    "no page at all": ("\x00\xff <<<>>", []),
}  # fmt: skip


@pytest.mark.parametrize(("page", "expected"), FOUND.values(), ids=FOUND)
def test_feeds_are_found(page: str, expected: list[str]) -> None:
    site = "https://www.site.example"
    assert [one.url.removeprefix(site) for one in discover(page, PAGE)] == expected


def test_what_the_page_calls_them_is_shown_clean() -> None:
    assert discover(f'<link {RSS} title="A\u202e\n news" href="/f">', PAGE) == (
        Candidate("https://www.site.example/f", "A news"),
    )


def test_an_address_for_readers_is_a_web_address() -> None:
    page = f'<link {RSS} href="feed:https://www.site.example/a"><link {RSS} href="feed://www.site.example/b">'
    assert [one.url for one in discover(page, PAGE)] == ["https://www.site.example/a", "http://www.site.example/b"]


def test_a_directory_of_feeds_is_cut() -> None:
    page = "".join(f'<link {RSS} href="/{number}">' for number in range(1000))
    assert len(discover(page, PAGE)) == MOST


def test_the_usual_places_are_few() -> None:
    site = "https://site.example"
    root = [f"{site}/{place}" for place in ("feed", "rss.xml", "atom.xml", "index.xml", "feed.xml")]
    assert list(usual_places(f"{site}/")) == root
    assert list(usual_places(f"{site}/news/?page=2")) == [f"{site}/news/feed", *root]
