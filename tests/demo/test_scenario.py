"""The bundled scenario is what its description promises, and every document it makes is a feed."""

import json
from calendar import timegm
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import feedparser
import pytest

from monitor.demo.scenario import OUTLETS, SURGE_TOPIC, TOPICS, Row, feed_document, load, published

ROWS = load()
BACKLOG = [row for row in ROWS if row.round == 0]
THURSDAY = datetime(2026, 3, 12, 15, 30, tzinfo=UTC)
ANY_MOMENT = [
    pytest.param(THURSDAY + timedelta(days=day, hours=hour), id=f"{day} days and {hour} hours after a Thursday")
    for day, hour in [(0, 0), (1, 9), (2, 3), (3, 7), (3, 20), (4, 8), (4, 9), (5, 1), (6, 23)]
]


def weekday(row: Row) -> int:
    """Monday is 0."""
    return published(row, THURSDAY).weekday()


def age(row: Row, now: datetime = THURSDAY) -> timedelta:
    return now - published(row, now)


def test_every_outlet_and_language_is_there() -> None:
    assert {row.feed for row in ROWS} == set(OUTLETS)
    assert all(row.lang == OUTLETS[row.feed].lang for row in ROWS)
    german = sum(row.lang == "de" for row in ROWS) / len(ROWS)
    assert 0.2 < german < 0.4


def test_it_is_about_six_weeks_of_news() -> None:
    assert 260 <= len(ROWS) <= 330
    assert all(row.title and row.summary for row in ROWS)
    assert all(25 <= len([r for r in BACKLOG if r.feed == feed]) <= 60 for feed in OUTLETS)


def test_only_the_syndicated_story_has_a_title_twice() -> None:
    twice = [title for title, times in Counter(row.title for row in ROWS).items() if times > 1]
    copies = [row for row in ROWS if row.title in twice]
    assert len(twice) == 1
    assert len(copies) == 2
    assert len({row.feed for row in copies}) == 2
    assert all(row.round == 2 and SURGE_TOPIC in row.topics for row in copies)
    assert len({row.summary for row in ROWS}) == len(ROWS) - 1


def test_a_weekend_day_brings_about_half_of_a_weekday() -> None:
    per_day = Counter(published(row, THURSDAY).date() for row in BACKLOG)
    weekdays = [n for day, n in per_day.items() if day.weekday() < 5][1:-1]  # the first and the last day are cut
    weekends = [n for day, n in per_day.items() if day.weekday() >= 5]
    assert all(6 <= n <= 9 for n in weekdays)
    assert all(3 <= n <= 4 for n in weekends)
    assert 0.4 < (sum(weekends) / len(weekends)) / (sum(weekdays) / len(weekdays)) < 0.5


@pytest.mark.parametrize(
    ("topic", "least", "most"), [("efficiency", 1.0, 1.5), ("capex", 1.0, 1.5), ("geopolitics", 0.8, 1.2)]
)
def test_the_backlog_is_quiet(topic: str, least: float, most: float) -> None:
    carrying = [row for row in BACKLOG if topic in row.topics]
    per_day = Counter(published(row, THURSDAY).date() for row in carrying)
    assert least <= sum(weekday(row) < 5 for row in carrying) / 30 <= most
    assert max(per_day.values()) <= 3


def test_most_of_the_backlog_carries_no_topic() -> None:
    untagged = sum(not row.topics for row in BACKLOG) / len(BACKLOG)
    assert 0.5 < untagged < 0.7


@pytest.mark.parametrize("now", ANY_MOMENT)
def test_every_feed_reaches_back_six_weeks_whenever_the_demo_is_played(now: datetime) -> None:
    for feed in OUTLETS:
        oldest = max(age(row, now) for row in BACKLOG if row.feed == feed)
        assert timedelta(days=40) <= oldest <= timedelta(days=42, hours=21)


@pytest.mark.parametrize("now", ANY_MOMENT)
def test_the_backlog_ends_twenty_hours_ago_and_keeps_its_weekends(now: datetime) -> None:
    per_day = Counter(published(row, now).date() for row in BACKLOG)
    first, *whole_days, last = sorted(per_day)
    assert min(age(row, now) for row in BACKLOG) >= timedelta(hours=20)
    assert all(per_day[day] <= 4 if day.weekday() >= 5 else per_day[day] >= 6 for day in whole_days[1:-1])
    assert (last - first).days >= 41


def test_the_ordinary_items_are_a_handful_of_the_last_day() -> None:
    ordinary = [row for row in ROWS if row.round == 1]
    assert len(ordinary) <= 8
    assert Counter(topic for row in ordinary for topic in row.topics) == dict.fromkeys(TOPICS, 1)
    assert all(timedelta(hours=8) < age(row) <= timedelta(hours=20) for row in ordinary)


def test_the_surge_is_one_of_efficiency_in_most_feeds_within_hours() -> None:
    surge = [row for row in ROWS if row.round == 2]
    stories = Counter(topic for row in surge for topic in row.topics)
    assert 14 <= stories[SURGE_TOPIC] <= 18
    assert all(1 <= stories[topic] <= 3 for topic in TOPICS if topic != SURGE_TOPIC)
    assert len({row.feed for row in surge if SURGE_TOPIC in row.topics}) >= 5
    assert all(age(row) <= timedelta(hours=8) for row in surge)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"topics": ["sports"]}, "unknown topic 'sports'", id="a topic nobody follows"),
        pytest.param({"feed": "Nobody's Notes"}, "unknown feed", id="a feed of no outlet"),
        pytest.param({"round": 3}, "round must be", id="a fourth round"),
        pytest.param({"day": -1}, "day not negative", id="an item from the future"),
        pytest.param({"colour": "red"}, "not an item", id="a field too many"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    good = {"round": 0, "day": 1, "feed": "Lab Notes", "lang": "en", "topics": [], "title": "T", "summary": "S"}
    file = tmp_path / "scenario.jsonl"
    file.write_text(f"{json.dumps(good)}\n{json.dumps(good | change)}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=f"line 2: .*{complaint}"):
        load(file)


@pytest.mark.parametrize("latest", [0, 1, 2])
@pytest.mark.parametrize("feed", OUTLETS)
def test_every_document_is_a_feed_with_all_its_items_and_dates(feed: str, latest: int) -> None:
    document = feedparser.parse(feed_document(feed, ROWS, THURSDAY, latest))
    mine = [row for row in ROWS if row.feed == feed and row.round <= latest]
    newest_first = sorted((published(row, THURSDAY) for row in mine), reverse=True)
    assert not document.bozo
    assert document.feed.title == feed
    assert document.feed.language == OUTLETS[feed].lang
    assert [datetime.fromtimestamp(timegm(e.published_parsed), UTC) for e in document.entries] == newest_first
    assert {e.title for e in document.entries} == {row.title for row in mine}
    assert all(e.summary for e in document.entries)
    assert len({e.id for e in document.entries}) == len({e.link for e in document.entries}) == len(mine)


@pytest.mark.parametrize("feed", OUTLETS)
def test_nothing_breaks_out_of_a_document(feed: str) -> None:
    nasty = 'R&D <b>"costs"</b> ]]> 5 < 6'
    rows = [Row(feed, 0.1, nasty, nasty, OUTLETS[feed].lang, (), 1)]
    texts = [element.text for element in ET.fromstring(feed_document(feed, rows, THURSDAY, 1)).iter()]
    paragraph = any(text and "<p>R&amp;D &lt;b&gt;" in text for text in texts)
    assert texts.count(nasty) == (1 if paragraph else 2)
    assert paragraph == (OUTLETS[feed].dialect == "rss-html")


def test_guids_stay_the_same_from_round_to_round() -> None:
    def guids(latest: int) -> set[str]:
        entries = feedparser.parse(feed_document("The Inference Desk", ROWS, THURSDAY, latest)).entries
        return {entry.id for entry in entries}

    assert guids(0) < guids(1) < guids(2)
