"""Lines of an archive, and the holes in one. A table of named situations each."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.past.archive import Reading, Refused, outside, read_line, stretches
from monitor.past.importing import by_declaration

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
READING = Reading(BERLIN, NOW, "old-news", by_declaration({"heise": "de", "wire": None}))
DAY = timedelta(days=1)


def line(**fields: object) -> bytes:
    return json.dumps({"published": "2025-01-27T10:00:00Z", "title": "DeepSeek shocks markets", **fields}).encode()


DATES = {
    "ISO 8601 with a zone": ("2025-01-27T10:00:00+02:00", "2025-01-27T08:00:00"),
    "ISO 8601 in UTC": ("2025-01-27T10:00:00Z", "2025-01-27T10:00:00"),
    "fractions of a second are dropped": ("2025-01-27T10:00:00.999Z", "2025-01-27T10:00:00"),
    "no zone is UTC": ("2025-01-27 10:00", "2025-01-27T10:00:00"),
    "a day is its noon where the user lives": ("2025-01-27", "2025-01-27T11:00:00"),
    "and so in summer": ("2025-07-27", "2025-07-27T10:00:00"),
    "a day in words": ("27 January 2025", "2025-01-27T11:00:00"),
    "RFC 822": ("Mon, 27 Jan 2025 10:00:00 -0500", "2025-01-27T15:00:00"),
    "seconds since 1970": (1737972000, "2025-01-27T10:00:00"),
    "thousandths of them": ("1737972000123", "2025-01-27T10:00:00"),
    "today, although its noon may be to come": ("2026-11-23", "2026-11-23T11:00:00"),
}


@pytest.mark.parametrize("situation", DATES)
def test_a_date_is_read(situation: str) -> None:
    written, expected = DATES[situation]
    found = read_line(line(published=written), READING).entry.published
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_today_before_noon_is_now() -> None:
    early = replace(READING, now=NOW.replace(hour=7))
    assert read_line(line(published="2026-11-23"), early).entry.published == early.now


REFUSED = {
    "no JSON": (b"title: x", "not JSON: "),
    "half of a line": (b'{"title": "x"', "not JSON: "),
    "no UTF-8": (b'{"title": "\xff"}', "not JSON: "),
    "an array": (b"[1]", "expected one JSON object on each line"),
    "no date": (line(published=None), "published: is missing"),
    "an empty date": (line(published=" "), "published: is missing"),
    "no such date": (line(published="2025-13-45"), "published: '2025-13-45' is no date; write it like 2025-01-27"),
    "words": (line(published="last week"), "published: 'last week' is no date"),
    "the future": (line(published="2026-11-23T14:00:01Z"), "published: '2026-11-23T14:00:01Z' lies in the future"),
    "tomorrow": (line(published="2026-11-24"), "published: '2026-11-24' lies in the future"),
    "an absurd year": (line(published="1889-01-01"), "published: '1889-01-01' lies before 1990"),
    "the end of time": (line(published="9999-12-31"), "published: '9999-12-31' lies in the future"),
    "no title": (line(title=None), "title: is missing"),
    "a title of markup": (line(title="<b></b>"), "title: is missing"),
    "a title that is a list": (line(title=["x"]), "title: expected text"),
    "a summary that is true": (line(summary=True), "summary: expected text"),
}


@pytest.mark.parametrize("situation", REFUSED)
def test_a_line_is_refused_and_says_why(situation: str) -> None:
    written, reason = REFUSED[situation]
    with pytest.raises(Refused) as caught:
        read_line(written, READING)
    assert str(caught.value).startswith(reason)


def test_fields_have_other_names_too() -> None:
    written = {"date": "2025-01-27", "title": "T", "link": "https://a.example/1", "text": "Body", "outlet": "Wire"}
    found = read_line(json.dumps(written).encode(), READING)
    assert (found.source, found.entry.url, found.entry.summary) == ("Wire", "https://a.example/1", "Body")


def test_text_is_cleaned_as_a_feeds_is() -> None:
    found = read_line(line(title="A &amp;\u202e B", summary="<p>One</p><p>Two</p><script>x()</script>"), READING).entry
    assert (found.title, found.summary) == ("A & B", "One Two")
    assert read_line(line(summary="DeepSeek shocks markets"), READING).entry.summary == ""
    assert read_line(line(url="javascript:alert(1)"), READING).entry.url is None


def test_without_a_source_the_files_name_stands() -> None:
    assert read_line(line(), READING).source == "old-news"
    assert len(read_line(line(source="x" * 500), READING).source) <= 80


def test_the_language_is_the_lines_then_the_feeds_then_that_of_the_text() -> None:
    german = "Die Regierung will den Ausbau der Rechenzentren schneller genehmigen"
    assert read_line(line(source="Heise", lang="en-US"), READING).entry.lang == "en"
    assert read_line(line(source="Heise"), READING).entry.lang == "de"
    assert read_line(line(source="Wire", title=german), READING).entry.lang == "de"


# Holes


def on(days: Iterable[float]) -> list[datetime]:
    return [datetime(2025, 1, 6, 12, tzinfo=UTC) + day * DAY for day in days]  # a Monday


def lengths(days: Iterable[float]) -> list[int]:
    """Return how many days each stretch without a hole lasts."""
    return [(until - since).days for since, until in stretches(on(days), UTC)]


WEEKDAYS = [day for day in range(200) if day % 7 < 5]
CUT = {
    "daily": (range(100), [99]),
    "daily, with three days off": ([*range(50), *range(53, 100)], [99]),
    "daily, with a week missing": ([*range(50), *range(57, 100)], [49, 42]),
    "on weekdays": (WEEKDAYS, [199]),
    "on weekdays, with two bridge days": ([day for day in WEEKDAYS if day not in (73, 74, 77, 78)], [199]),
    "on weekdays, with a week missing": ([day for day in WEEKDAYS if not 70 <= day < 77], [67, 122]),
    "on weekdays, with a month missing": ([day for day in WEEKDAYS if not 70 <= day < 100], [67, 99]),
    "weekly": (range(0, 364, 7), [357]),
    "weekly, with a fortnight off": ([d for d in range(0, 364, 7) if d not in (70, 77)], [357]),
    "weekly, with a quarter missing": ([*range(0, 98, 7), *range(189, 364, 7)], [91, 168]),
    "monthly": ([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], [334]),
    "two bursts, a year apart": ([0, 1, 2, 3, 365, 366, 367], [3, 2]),
    "one item alone": ([0], []),
    "many at one moment": ([0, 0, 0], []),
    "one lonely item before a hole": ([0, *range(100, 140)], [39]),
    "none": ([], []),
}


@pytest.mark.parametrize("situation", CUT)
def test_an_archive_is_cut_where_it_has_a_hole_and_not_at_usual_pauses(situation: str) -> None:
    days, expected = CUT[situation]
    assert lengths(days) == expected


def test_pauses_are_counted_in_local_days() -> None:
    late = [at.replace(hour=23, minute=30) for at in on(range(30))]
    assert len(stretches(late, ZoneInfo("Asia/Tokyo"))) == 1


def test_what_is_known_anyway_is_left_out() -> None:
    begin, a, b, c, d, end = on(range(6))
    assert outside((begin, end), []) == [(begin, end)]
    assert outside((begin, end), [(c, d), (a, b)]) == [(begin, a), (b, c), (d, end)]
    assert outside((a, d), [(begin, b)]) == [(b, d)]
    assert outside((a, d), [(begin, end)]) == []
    assert outside((a, b), [(c, d)]) == [(a, b)]
    assert outside((a, c), [(b, end)]) == [(a, b)]
