"""Quiet hours: what feeds.yaml may say, and when the quiet ends."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.quiet import Window, parse, quiet_until

EVERY_DAY = frozenset(range(7))
NIGHT, LUNCH, WEEKEND = "22:00-07:00", "12:00-13:00", "Sat,Sun 00:00-24:00"
WORKDAY_NIGHTS = "Mon-Fri 22:00-07:00"
ALWAYS = "00:00-24:00"
BERLIN, TOKYO, HAVANA = "Europe/Berlin", "Asia/Tokyo", "America/Havana"


@pytest.mark.parametrize(
    ("text", "window"),
    [
        pytest.param("22:00-07:00", Window(1320, 420, EVERY_DAY), id="every night"),
        pytest.param(" 12:00-13:00 ", Window(720, 780, EVERY_DAY), id="spaces around it"),
        pytest.param("Sat,Sun 00:00-24:00", Window(0, 1440, frozenset({5, 6})), id="whole days"),
        pytest.param("mon-wed 20:00-08:00", Window(1200, 480, frozenset({0, 1, 2})), id="a range of days"),
        pytest.param("Fri-Mon 20:00-08:00", Window(1200, 480, frozenset({4, 5, 6, 0})), id="a range over the weekend"),
        pytest.param(f"22:00-07:00 {BERLIN}", Window(1320, 420, EVERY_DAY, BERLIN), id="a zone of its own"),
    ],
)
def test_quiet_hours_are_read(text: str, window: Window) -> None:
    assert parse(text) == window


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("10pm-7am", "write quiet hours such as", id="no 24-hour clock"),
        pytest.param("22:00", "write quiet hours such as", id="no end"),
        pytest.param("24:30-07:00", "24:30 is no time of day", id="after the end of the day"),
        pytest.param("Mon-Foo 22:00-07:00", "there is no day 'foo'", id="no such day"),
        pytest.param("22:00-07:00 Mars/Olympus", "there is no time zone 'Mars/Olympus'", id="no such zone"),
        pytest.param("22:00-07:00 ../etc/passwd", "write quiet hours such as", id="a path is no zone"),
    ],
)
def test_what_is_not_understood_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse(text)


def at(text: str, zone: str = "UTC") -> datetime:
    """Return a local time of a zone, in UTC; "again" means the second of two. 23 November 2026 is a Monday."""
    local = datetime.fromisoformat(text.removesuffix(" again")).replace(tzinfo=ZoneInfo(zone))
    return local.replace(fold=int(text.endswith("again"))).astimezone(UTC)


@pytest.mark.parametrize(
    ("windows", "now", "until"),
    [
        pytest.param((), "2026-11-23 03:00", None, id="no quiet hours"),
        pytest.param((NIGHT,), "2026-11-23 14:00", None, id="by day"),
        pytest.param((NIGHT,), "2026-11-23 22:00", "2026-11-24 07:00", id="its first minute is quiet"),
        pytest.param((NIGHT,), "2026-11-24 03:00", "2026-11-24 07:00", id="after midnight it still lasts"),
        pytest.param((NIGHT,), "2026-11-24 07:00", None, id="its end is not quiet any more"),
        pytest.param((NIGHT, LUNCH), "2026-11-23 12:30", "2026-11-23 13:00", id="the second of two windows"),
        pytest.param((WEEKEND,), "2026-11-27 23:59", None, id="Friday night is no weekend"),
        pytest.param((WEEKEND,), "2026-11-28 00:00", "2026-11-30 00:00", id="Saturday and Sunday touch at 24:00"),
        pytest.param((NIGHT, WEEKEND), "2026-11-27 22:30", "2026-11-30 07:00", id="nights and a weekend are one"),
        pytest.param((WORKDAY_NIGHTS,), "2026-11-28 03:00", "2026-11-28 07:00", id="Friday's window ends on Saturday"),
        pytest.param((WORKDAY_NIGHTS,), "2026-11-28 22:30", None, id="Saturday has none of its own"),
        pytest.param(("20:00-22:00", NIGHT), "2026-11-23 20:30", "2026-11-24 07:00", id="one begins where one ends"),
        pytest.param(("20:00-22:01", NIGHT), "2026-11-23 20:30", "2026-11-24 07:00", id="they overlap"),
        pytest.param(("20:00-21:59", NIGHT), "2026-11-23 20:30", "2026-11-23 21:59", id="a minute lies between"),
        pytest.param((NIGHT, "23:00-01:00"), "2026-11-23 23:30", "2026-11-24 07:00", id="one within the other"),
        pytest.param(("Mon 07:00-07:00",), "2026-11-24 06:59", "2026-11-24 07:00", id="equal times are a whole day"),
        pytest.param(("Mon 24:00-07:00",), "2026-11-24 06:00", "2026-11-24 07:00", id="24:00 is the next midnight"),
        pytest.param(("Mon 24:00-07:00",), "2026-11-23 06:00", None, id="so the day itself has none"),
        pytest.param((f"22:00-07:00 {TOKYO}",), "2026-11-23 14:00", "2026-11-23 22:00", id="a zone of its own"),
        pytest.param((f"22:00-07:00 {TOKYO}", NIGHT), "2026-11-23 14:00", "2026-11-24 07:00", id="two zones join"),
        pytest.param(
            (f"Mon 22:00-07:00 {TOKYO}",), "2026-11-22 21:00", None, id="the day counts where the window is: Sunday"
        ),
    ],
)
def test_the_quiet_ends(windows: tuple[str, ...], now: str, until: str | None) -> None:
    assert quiet_until(windows, "UTC", at(now)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("zone", "window", "now", "until"),
    [
        pytest.param(BERLIN, NIGHT, "2026-07-01 23:00", "2026-07-02 07:00", id="in summer time"),
        pytest.param(BERLIN, NIGHT, "2026-03-28 23:00", "2026-03-29 07:00", id="a short night"),
        pytest.param(BERLIN, NIGHT, "2026-10-24 23:00", "2026-10-25 07:00", id="a long night"),
        pytest.param(BERLIN, "22:00-02:30", "2026-03-29 01:50", "2026-03-29 03:30", id="it ends in a skipped hour"),
        pytest.param(BERLIN, "22:00-02:30", "2026-10-25 02:45", "2026-10-25 02:30 again", id="its end comes twice"),
        pytest.param(BERLIN, "02:30-04:00", "2026-10-25 02:10 again", "2026-10-25 04:00", id="its start comes twice"),
        pytest.param(HAVANA, WEEKEND, "2026-03-07 12:00", "2026-03-09 00:00", id="midnight is skipped"),
        pytest.param(HAVANA, WEEKEND, "2026-10-31 12:00", "2026-11-02 00:00", id="midnight comes twice"),
    ],
)
def test_clocks_that_are_changed_leave_no_gap(zone: str, window: str, now: str, until: str) -> None:
    assert quiet_until((window,), zone, at(now, zone)) == at(until, zone)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        pytest.param("2026-11-23 07:59", "2026-11-23 08:00", id="on Monday before eight"),
        pytest.param("2026-11-23 08:00", None, id="from eight on it is broken"),
        pytest.param("2026-11-23 08:59", None, id="for an hour"),
        pytest.param("2026-11-23 09:00", "2026-11-30 08:00", id="then until the next Monday"),
        pytest.param("2026-11-29 23:00", "2026-11-30 08:00", id="on Sunday"),
    ],
)
@pytest.mark.parametrize(
    "windows", [(ALWAYS,), ("00:00-12:00", "12:00-24:00"), (WEEKEND, "Mon-Fri 07:00-07:00", NIGHT)]
)
def test_quiet_without_end_is_broken_once_a_week(windows: tuple[str, ...], now: str, until: str | None) -> None:
    assert quiet_until(windows, BERLIN, at(now, BERLIN)) == (at(until, BERLIN) if until else None)


CLOCKS = st.integers(0, 24 * 12).map(lambda n: f"{n // 12:02}:{n % 12 * 5:02}")
DAYS = st.sampled_from(["", "Mon ", "Sat,Sun ", "Mon-Fri ", "Fri-Mon "])
ZONES = st.sampled_from(["", f" {BERLIN}", f" {TOKYO}", " America/New_York"])
WINDOWS = st.builds(lambda day, begin, end, zone: f"{day}{begin}-{end}{zone}", DAYS, CLOCKS, CLOCKS, ZONES)


@settings(max_examples=150, deadline=None)
@given(
    windows=st.lists(WINDOWS, max_size=4).map(tuple),
    zone=st.sampled_from(["UTC", BERLIN, HAVANA]),
    now=st.integers(0, 2 * 365 * 24 * 12).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * n)),
)
def test_the_end_of_the_quiet_is_later_not_quiet_and_within_a_week(
    windows: tuple[str, ...], zone: str, now: datetime
) -> None:
    until = quiet_until(windows, zone, now)
    if until is not None:
        assert now < until <= now + timedelta(days=7)
        assert until.tzinfo is UTC
        assert quiet_until(windows, zone, until) is None
        between = now + (until - now) / 2
        assert quiet_until(windows, zone, between) == until
