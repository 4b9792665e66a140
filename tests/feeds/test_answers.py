"""Statuses and Retry-After in words and times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.answers import retry_after, sentence

CHALLENGED = {"cf-mitigated": "challenge"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        ("120", timedelta(minutes=2)),
        (" 120 ", timedelta(minutes=2)),
        ("99999999999999", timedelta(days=1)),
        ("Sun, 01 Mar 2026 13:00:00 GMT", timedelta(hours=1)),
        ("Sun, 01 Mar 2026 13:00:00 -0000", timedelta(hours=1)),
        ("Wed, 01 Apr 2026 13:00:00 GMT", timedelta(days=1)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_a_wish_of_at_most_a_day(value: str | None, wish: timedelta | None) -> None:
    assert retry_after(value, NOW) == wish


@given(st.text())
def test_retry_after_never_raises(text: str) -> None:
    retry_after(text, NOW)


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (403, {}, "HTTP 403 Forbidden: the site refuses this program"),
        (403, CHALLENGED, "HTTP 403 Forbidden: a Cloudflare challenge for browsers stands before the feed"),
        (404, {}, "HTTP 404 Not Found: there is no feed at this address"),
        (410, {}, "HTTP 410 Gone: the feed is gone for good"),
        (503, {}, "HTTP 503 Service Unavailable: the site has trouble of its own"),
        (520, {}, "HTTP 520: the site has trouble of its own"),
        (418, {}, "HTTP 418 I'm a Teapot"),
        (299, {}, "HTTP 299"),
    ],
)  # fmt: skip
def test_a_status_is_put_into_words(status: int, headers: dict[str, str], words: str) -> None:
    assert sentence(status, headers) == words
