"""Statuses and Retry-After in words and times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.answers import fresh_for, retry_after, sentence, trouble

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
        (403, {"server": "AkamaiGHost"}, "HTTP 403 Forbidden: the site refuses this program (its guard is Akamai)"),
        (403, {"x-datadome": "protected"}, "HTTP 403 Forbidden: the site refuses this program (its guard is DataDome)"),
        (405, {"x-amzn-waf-action": "captcha"}, "HTTP 405 Method Not Allowed: an AWS challenge for browsers"),
        (302, {}, "HTTP 302 Found: it leads nowhere"),
        (418, {}, "HTTP 418 I'm a Teapot"),
        (299, {}, "HTTP 299"),
    ],
)  # fmt: skip
def test_a_status_is_put_into_words(status: int, headers: dict[str, str], words: str) -> None:
    assert sentence(status, headers).startswith(words)


@pytest.mark.parametrize(
    ("status", "headers", "word"),
    [
        (403, {}, "blocked"),
        (429, {}, "blocked"),
        (503, CHALLENGED, "blocked"),
        (503, {"cf-mitigated": "logged"}, "status"),
        (404, {"server": "AkamaiGHost"}, "status"),
        (410, {}, "gone"),
        (301, {}, "redirect"),
        (304, {}, "status"),
        (500, {}, "status"),
    ],
)
def test_a_status_is_put_into_one_word(status: int, headers: dict[str, str], word: str) -> None:
    assert trouble(status, headers) == word


@pytest.mark.parametrize(
    ("headers", "life"),
    [
        ({}, None),
        ({"cache-control": "max-age=600"}, timedelta(minutes=10)),
        ({"cache-control": 'public, MAX-AGE = "600"'}, timedelta(minutes=10)),
        ({"cache-control": "max-age=600", "age": "240"}, timedelta(minutes=6)),
        ({"cache-control": "max-age=600", "age": "700"}, None),
        ({"cache-control": "max-age=0"}, None),
        ({"cache-control": "no-cache, max-age=600"}, None),
        ({"cache-control": "max-age=600,no-store"}, None),
        ({"cache-control": "s-maxage=600"}, None),
        ({"cache-control": "max-age=31536000"}, timedelta(days=1)),
        ({"cache-control": "max-age=" + "9" * 400}, timedelta(days=1)),
        ({"cache-control": "max-age=soon"}, None),
        ({"expires": "Sun, 01 Mar 2026 12:30:00 GMT"}, timedelta(minutes=30)),
        (
            {"expires": "Sun, 01 Mar 2026 20:30:00 GMT", "date": "Sun, 01 Mar 2026 20:20:00 GMT"},
            timedelta(minutes=10),
        ),
        ({"expires": "Sun, 01 Mar 2026 12:30:00 GMT", "cache-control": "max-age=60"}, timedelta(minutes=1)),
        ({"expires": "Sun, 01 Mar 2026 12:30:00 GMT", "cache-control": "max-age=0"}, None),
        ({"expires": "0"}, None),
        ({"expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
    ],
)
def test_caching_headers_say_how_long_a_document_stays_fresh(headers: dict[str, str], life: timedelta | None) -> None:
    assert fresh_for(headers, NOW) == life


@given(st.text(), st.text(), st.text(), st.text())
def test_caching_headers_never_raise(control: str, expires: str, date: str, age: str) -> None:
    life = fresh_for({"cache-control": control, "expires": expires, "date": date, "age": age}, NOW)
    assert life is None or timedelta(0) < life <= timedelta(days=1)
