"""Dates as feeds write them."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.dates import published

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 23 Nov 2026 14:05:06 GMT", "2026-11-23T14:05:06"),
        ("Mon, 23 Nov 2026 14:05:06 +0200", "2026-11-23T12:05:06"),
        ("Mon, 23 Nov 2026 14:05:06 -05:00", "2026-11-23T19:05:06"),
        ("23 Nov 26 14:05 EST", "2026-11-23T19:05:00"),
        ("23 Nov 99 14:05 UT", "1999-11-23T14:05:00"),
        ("Fri, 14 Aug 2026 10:00:00 CEST", "2026-08-14T08:00:00"),
        ("Fri, 14 Aug 2026 10:00:00 MESZ", "2026-08-14T08:00:00"),
        ("Mon, 23 Nov 2026 10:00:00 CET", "2026-11-23T09:00:00"),
        ("Mon, 23 Nov 2026 10:00:00 PST", "2026-11-23T18:00:00"),
        ("Mon, 23 Nov 2026 10:00:00 GMT+2", "2026-11-23T08:00:00"),
        ("Mon, 23 Nov 2026 10:00:00 XYZ", "2026-11-23T10:00:00"),
        ("Mon, 23 Nov 2026 10:00:00 GMT (Coordinated Universal Time)", "2026-11-23T10:00:00"),
        ("Mon, 23 Nov 2026", "2026-11-23T00:00:00"),
        ("Mon, 23 Nov 2026 10:00:60 GMT", "2026-11-23T10:00:59"),
        ("Mo, 23 Nov 2026 10:00:00 +0100", "2026-11-23T09:00:00"),
        ("Di, 03 März 2026 10:00:00 MEZ", "2026-03-03T09:00:00"),
        ("Mi., 14. Okt. 2026, 10:00 Uhr", "2026-10-14T10:00:00"),
        ("Donnerstag, 3. Dezember 2025", "2025-12-03T00:00:00"),
        ("14.10.2026 08:30", "2026-10-14T08:30:00"),
        ("3 août 2026 10:00", "2026-08-03T10:00:00"),
        ("3 de mayo de 2026", "2026-05-03T00:00:00"),
        ("Nov 23, 2026 2:05 PM EST", "2026-11-23T19:05:00"),
        ("November 3rd, 2026", "2026-11-03T00:00:00"),
        ("2026-11-23T14:05:06Z", "2026-11-23T14:05:06"),
        ("2026-11-23T14:05:06.123456+01:00", "2026-11-23T13:05:06"),
        ("2026-11-23 14:05:06", "2026-11-23T14:05:06"),
        ("2026-11-23T14:05", "2026-11-23T14:05:00"),
        ("2026-11-23", "2026-11-23T00:00:00"),
        ("2026/11/23 14:05", "2026-11-23T14:05:00"),
        ("1763906706", "2025-11-23T14:05:06"),
        ("1763906706123", "2025-11-23T14:05:06"),
        ("2026-11-25T11:00:00Z", "2026-11-25T11:00:00"),
    ],
)
def test_a_date_is_read_as_utc(text: str, moment: str) -> None:
    assert published(text, None, NOW) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "0001-01-01T00:00:00Z",
        "1795-03-02T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1989-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "2026-11-25T13:00:00Z",
        "2026-02-31",
        "32 Nov 2026",
        "23 Foo 2026",
        "123456789012345678",
        "2026-11-23T14:05:06+99:99",
    ],
)
def test_what_cannot_be_the_date_of_a_news_item_is_none(text: str) -> None:
    assert published(text, None, NOW) is None


def test_a_form_only_feedparser_knows_is_taken_from_it() -> None:
    guess = time.struct_time((2026, 11, 23, 1, 2, 3, 0, 0, 0))
    assert published("2026년 11월 23일", guess, NOW) == datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)


def test_feedparsers_reading_of_a_number_is_not_trusted() -> None:
    assert published("2026112", time.struct_time((2026, 1, 12, 0, 0, 0, 0, 0, 0)), NOW) is None


@given(st.text(alphabet=st.sampled_from("0123456789:-+./, TZgmtcesNovMärz")))
def test_no_text_is_too_much(text: str) -> None:
    moment = published(text, None, NOW)
    assert moment is None or datetime(1990, 1, 1, tzinfo=UTC) <= moment <= NOW + timedelta(days=1)


@given(st.integers(0, 36 * 365 * 86400), st.integers(-720, 840))
def test_every_moment_survives_being_written(seconds: int, minutes: int) -> None:
    moment = datetime(1990, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = (moment + timedelta(minutes=minutes)).replace(tzinfo=None)
    zone = f"{sign}{hours:02}{rest:02}"
    for text in (local.isoformat() + zone, local.strftime("%a, %d %b ") + f"{local.year} {local:%H:%M:%S} {zone}"):
        assert published(text, None, NOW) == moment
