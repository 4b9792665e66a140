"""Addresses taken apart without re-encoding them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FetchError
from monitor.feeds.target import parse_target, redirected


@pytest.mark.parametrize(
    ("url", "site", "path"),
    [
        ("http://a.example/feed", "a.example", "/feed"),
        ("HTTPS://a.example:443/feed", "a.example", "/feed"),
        ("http://a.example:8080", "a.example:8080", "/"),
        ("http://a.example?x=1", "a.example", "/?x=1"),
        ("http://a.example/~me/%7Bx%7D/[a]?q[]=1&e=%E2%82%AC#top", "a.example", "/~me/%7Bx%7D/[a]?q[]=1&e=%E2%82%AC"),
        ("http://a.example/ü b?", "a.example", "/%C3%BC%20b?"),
        ("http://[2001:db8::1]:81/", "[2001:db8::1]:81", "/"),
        ("http://127.0.0.1\\@a.example/", "127.0.0.1", "/\\@a.example/"),
        ("http://a.example@127.0.0.1/", "127.0.0.1", "/"),
        ("  http://a.example/\n", "a.example", "/"),
    ],
)
def test_an_address_goes_out_as_written(url: str, site: str, path: str) -> None:
    target = parse_target(url)
    assert (target.site, target.path) == (site, path)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "file: addresses are not fetched"),
        ("feed://a.example/", "feed: addresses are not fetched"),
        ("a.example/feed", "no scheme"),
        ("", "no scheme"),
        ("http:///feed", "no valid host"),
        ("http:feed", "no valid host"),
        ("http://[::1/feed", "no valid host"),
        ("http://a.example:99999/", "port 99999"),
        ("http://a.example:0/", "port 0"),
        ("http://" + "a." * 200 + "example/", "no valid host"),
        ("http://a.example/" + "x" * 9_000, "longer than 8,192 characters"),
    ],
)
def test_what_cannot_be_fetched_is_named(url: str, why: str) -> None:
    with pytest.raises(FetchError, match=why):
        parse_target(url)


@pytest.mark.parametrize("url", ["http://a.example/x", "HTTP://A.Example.:80/y", "http://me@a.example"])
def test_a_place_has_one_spelling(url: str) -> None:
    assert parse_target(url).place == "a.example:80"


def test_a_login_becomes_a_header_and_is_never_shown() -> None:
    target = parse_target("https://me:s%3Acret@a.example/feed")
    assert target.authorization == "Basic bWU6czpjcmV0"
    assert "cret" not in repr(target) + target.url + target.site


@pytest.mark.parametrize(
    ("location", "result"),
    [
        (b"/new", "http://a.example/new"),
        (b"other?x", "http://a.example/dir/other?x"),
        (b"//b.example/x", "http://b.example/x"),
        (b"https://b.example/~x%7B", "https://b.example/~x%7B"),
        ("/ü".encode(), "http://a.example/ü"),
        ("/ü".encode("latin-1"), "http://a.example/ü"),
    ],
)
def test_a_redirect_is_resolved_against_the_address_that_sent_it(location: bytes, result: str) -> None:
    assert redirected("http://a.example/dir/feed", location) == result


@given(st.text())
def test_any_text_is_a_target_or_an_error(text: str) -> None:
    for url in (text, f"http://{text}", f"http://a.example/{text}"):
        try:
            path = parse_target(url).path
        except FetchError:
            continue
        assert path.isascii()
        assert path.startswith("/")


@given(st.binary())
def test_any_location_is_an_address_or_an_error(location: bytes) -> None:
    with suppress(FetchError):
        redirected("http://a.example/", location)
