"""Words, numbers and links as people read them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.wording import (
    counted,
    day_since,
    frequency,
    kind_name,
    level,
    moment_name,
    multiple,
    one_line,
    percent,
    printed_width,
    safe_link,
    span,
    topic_name,
)
from tests.alerts.nasty import LINKS, ODD_LINKS, TITLES
from tests.alerts.sample import NOW

DAY = timedelta(days=1)


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_a_title_becomes_one_clean_line(title: str) -> None:
    line = one_line(title, 200)
    assert len(line) <= 200
    assert line.splitlines() in ([], [line])
    assert line.isprintable() or set(line) & set("\u200c\u200d")
    assert line == line.strip()
    line.encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a  b\tc\n d", "a b c d", id="white space is one space"),
        pytest.param("x" * 11, "x" * 9 + "…", id="what is cut says so"),
        pytest.param("12345678 90", "12345678…", id="no space before the ellipsis"),
        pytest.param("👩\u200d🔬", "👩\u200d🔬", id="a joined emoji stays joined"),
        pytest.param("a\u202eb\u2066c", "abc", id="direction is not for the feed to choose"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text, 10) == line


@pytest.mark.parametrize("url", LINKS.values(), ids=LINKS.keys())
def test_what_is_no_web_link_is_dropped(url: str) -> None:
    assert safe_link(url) is None


@pytest.mark.parametrize("url", ODD_LINKS.values(), ids=ODD_LINKS.keys())
def test_what_is_odd_in_a_link_is_encoded(url: str) -> None:
    link = safe_link(url)
    assert link is not None
    assert link.startswith("https://news.example/")
    assert not set(link) & set("\"'<>|\\^`{} \r\n")
    assert link.isascii()


def test_a_plain_link_stays_as_it_is() -> None:
    url = "https://user@news.example:8443/a/b%20c;d?e=f&g=%7C,h#i!(j)"
    assert safe_link(url) == url
    assert safe_link(None) is None


@pytest.mark.parametrize(
    ("per_year", "told"),
    [
        pytest.param(0.001, "less than once in a hundred years", id="hardly ever"),
        pytest.param(0.05, "once in 20 years", id="seldom"),
        pytest.param(0.43, "once in 2.3 years", id="every few years"),
        pytest.param(1.0, "about once a year", id="yearly"),
        pytest.param(1.9, "about 2 times a year", id="within the budget"),
        pytest.param(40.2, "about 40 times a year", id="often"),
    ],
)
def test_frequency(per_year: float, told: str) -> None:
    assert frequency(per_year) == told


def test_numbers() -> None:
    assert [level(x) for x in (0.0, 0.04, 0.14, 5, 9.94, 9.96, 12.4, 1234)] == [
        "less than 0.1", "less than 0.1", "0.1", "5.0", "9.9", "10", "12", "1,234",
    ]  # fmt: skip
    assert [percent(x) for x in (0.0, 0.004, 0.5, 0.934, 0.99, 0.999)] == ["1%", "1%", "50%", "93%", "99%", ">99%"]
    assert multiple(23, 5) == "\N{MULTIPLICATION SIGN}4.6"
    assert [counted(n, "story", "stories") for n in (0, 1, 2345)] == ["0 stories", "1 story", "2,345 stories"]


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        pytest.param(timedelta(hours=3), "Mon 11:02", id="today"),
        pytest.param(timedelta(days=5, hours=23), "Tue 15:02", id="within six days"),
        pytest.param(timedelta(days=6), "17 Nov", id="a weekday would be ambiguous"),
        pytest.param(timedelta(days=330), "28 Dec 2025", id="in another year"),
    ],
)
def test_since_when(ago: timedelta, told: str) -> None:
    assert day_since(NOW - ago, NOW) == told


def test_since_when_is_told_in_the_users_zone() -> None:
    assert day_since(NOW - DAY, NOW, ZoneInfo("Asia/Tokyo")) == "Sun 23:02"


def test_how_long() -> None:
    lengths = [timedelta(seconds=70), timedelta(minutes=90), timedelta(hours=2), timedelta(hours=47), 2.6 * DAY]
    assert [span(length) for length in lengths] == ["1 minute", "90 minutes", "2 hours", "47 hours", "3 days"]


def test_names() -> None:
    assert topic_name("chip_supply") == "Chip supply"
    assert [kind_name(kind) for kind in ("silence", "feeds")] == ["Stream of news", "Feeds"]
    assert moment_name(NOW.astimezone(tz=None)) == "14:02 UTC on Mon 23 Nov"
    assert moment_name(NOW, ZoneInfo("Asia/Tokyo")) == "23:02 JST on Mon 23 Nov"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("×4.6 – ok", 9, id="signs of the West"),
        pytest.param("芯片", 4, id="Chinese"),
        pytest.param("Zoe\u0308", 3, id="a mark on a letter"),
        pytest.param("🔬", 2, id="an emoji"),
    ],
)
def test_how_wide_a_text_is_printed(text: str, columns: int) -> None:
    assert printed_width(text) == columns
