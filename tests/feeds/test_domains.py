"""Whose site an address belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.domains import registered_domain


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://feeds.example.com/rss", "example.com"),
        ("https://www.feeds.EXAMPLE.co.uk./rss", "example.co.uk"),
        ("https://me:secret@a.b.example.com:8443/", "example.com"),
        ("https://one.github.io/feed", "one.github.io"),
        ("https://blog.müller.de/", "xn--mller-kva.de"),
        ("https://blog.xn--mller-kva.de/", "xn--mller-kva.de"),
        ("http://a.unheard-of/", "a.unheard-of"),
        ("http://127.0.0.1:8080/feed", "127.0.0.1:8080"),
        ("http://[::1]/feed", "::1:80"),
        ("http://localhost:9000/", "localhost:9000"),
        ("http://co.uk/", "co.uk:80"),
        ("mailto:me@example.com", ""),
        ("", ""),
    ],
)
def test_an_address_belongs_to_a_registered_domain(url: str, domain: str) -> None:
    assert registered_domain(url) == domain


@given(st.text())
def test_any_text_has_some_domain(text: str) -> None:
    assert isinstance(registered_domain(f"http://{text}/"), str)
