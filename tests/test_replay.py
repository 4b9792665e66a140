"""Replay: what the daemon alerted, it alerts again; what an archive held, it would have alerted in time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from monitor import pipeline
from monitor.alerts.rules.match import MatchRule
from monitor.alerts.rules.trend import TrendRule
from monitor.config import Config
from monitor.detection.flow import Calendar
from monitor.past.archive import Archived
from monitor.past.flows import SPAN
from monitor.past.importing import Spool, cover, store_items
from monitor.past.keeping_to import kept, most_within, parse_limit
from monitor.past.known_world import Moment, moments, shown
from monitor.past.new_then import batches
from monitor.past.replay import WARM_UP, Raised, Replay, View, leading_up, see
from storage import past, reading
from storage.feed_records import Entry, Fetched
from storage.past_records import Past, PastLook, Told
from storage.records import Item, Merge, Signal
from storage.store import Store
from tests.builders import entry
from tests.fakes import CONFIG, Clock, FakeClassifier, FakeFetcher, FakeParser, system

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
CALENDAR = Calendar(UTC)
SURGES = [{"name": "surge", "rule": "trend", "repeat": "30h"}]
MATCHES = [
    {"name": "every", "rule": "match", "topics": ["efficiency"]},
    {"name": "told twice", "rule": "match", "topics": ["efficiency"], "min_outlets": 2},
]
TOGETHER = {"name": "together", "rule": "compound", "all": [{"rises": "efficiency"}, {"alert": "surge"}]}
FEEDS = {"name": "trouble", "rule": "feeds"}
RULES = Config.model_validate({**CONFIG, "alerts": [*SURGES, *MATCHES]}).alerts
SURGE = TrendRule(name="surge", rule="trend")
TOPICS = FakeClassifier.topics


def title(subject: str, number: object) -> str:
    """Build a title that shares no word with any other."""
    digits = sha256(f"{subject}{number}".encode()).hexdigest()
    words = "".join(chr(ord("a") + int(digit, 16)) for digit in digits)
    return f"{subject} {words[:7]} {words[7:14]} {words[14:21]} {words[21:28]}"


async def replayed(store: Store, since: datetime, until: datetime, topics: Sequence[str] = TOPICS) -> Replay:
    stored = past.read(store.path, since - WARM_UP - (SPAN + 1) * DAY, until)
    found = leading_up(stored, since, until)
    return see(stored, found, since, View(topics, CALENDAR, "UTC"), lambda _done: None)


# A period that the daemon lived through


def retold(headline: str) -> str:
    """Copy a story, or tell it in part with other words; then every other time without its topic."""
    subject, *words = headline.split()[:4]
    about = subject if words[0] < "j" else "and"
    return f"Again: {headline}" if words[0] < "e" else f"{' '.join(words)} {about} so what"


class OneTopic(FakeClassifier):
    """Knows one topic only: a look takes half the time."""

    topics = ("efficiency",)
    thresholds: Mapping[str, float] = {"efficiency": 0.5}
    models: Mapping[str, str] = {"efficiency": "by-name"}


@dataclass
class Newsroom:
    """Two feeds that publish with some chance each hour, and tell some of each other's stories once more."""

    clock: Clock
    dice: Random = field(default_factory=lambda: Random(5))
    parser: FakeParser = field(default_factory=lambda: FakeParser({"Wire": [], "Desk": []}))
    written: int = 0

    def publish(self, hours: int, *, surge: float = 0.0, shown: int = 100) -> None:
        """Publish what comes in these hours; the documents show the newest entries."""
        for feed, other in (("Wire", "Desk"), ("Desk", "Wire")):
            for ago in range(hours):
                at = self.clock.now - (ago + self.dice.random()) * HOUR
                for subject, chance in (("efficiency", 0.12 + surge), ("capex", 0.15), ("weather", 0.1)):
                    if self.dice.random() < chance:
                        self._write(feed, title(subject, self.written), at)
                if self.parser.entries[other] and self.dice.random() < 0.1:
                    self._write(feed, retold(self.parser.entries[other][-1].title), at)
        for feed, entries in self.parser.entries.items():
            self.parser.entries[feed] = entries[-shown:]

    def _write(self, feed: str, headline: str, at: datetime) -> None:
        self.written += 1
        self.parser.entries[feed].append(entry(headline, at.replace(microsecond=0)))


async def lived(store: Store) -> Newsroom:
    """Live for a week, polled every six hours; the first answers reach back six weeks.

    One feed is down for a while; efficiency surges for a day, and is told of less than usual after that.
    """
    clock = Clock(BEGIN + 8 * HOUR)
    room = Newsroom(clock)
    down = Fetched(clock.now, 0.1, 503, error="HTTP 503")
    fetcher = FakeFetcher()
    config = Config.model_validate({**CONFIG, "alerts": RULES})
    world = system(store, config=config, parser=room.parser, fetcher=fetcher, now=clock, classifier=OneTopic())
    await store.save_thresholds(world.classifier.models, world.thresholds, clock.now)
    room.publish(24 * 45, shown=1500)
    for step in range(6 * 4):
        await world.store.sync_feeds(world.config.feed_specs(), clock.now)
        fetcher.answers = {"Desk": lambda: down} if step in (3, 4, 5) else {}
        await pipeline.once(world, await store.due_feeds(clock.now + 9 * DAY))
        clock.forward(hours=6)
        room.publish(6, surge=-0.1 if step >= 12 else 0.5 if step >= 8 else 0.0)
    return room


def raised(store: Store) -> list[tuple[Any, ...]]:
    """Return the alerts that rules found: not the messages that carry several of them."""
    sql = "SELECT key, created, headline, phase FROM alerts WHERE key NOT LIKE '%:summary:%' ORDER BY id"
    return reading.ask(store.path, sql).rows


def told(alerts: Iterable[Raised]) -> list[tuple[Any, ...]]:
    return [
        (one.finding.key, f"{one.at:%Y-%m-%dT%H:%M:%SZ}", one.finding.headline, one.finding.phase) for one in alerts
    ]


def sent(store: Store, key: str) -> dict[str, Any]:
    [[stored]] = reading.ask(store.path, f"SELECT finding FROM alerts WHERE key = '{key}'").rows
    found: dict[str, Any] = json.loads(stored)
    return found


async def test_a_period_that_the_daemon_lived_through_gives_the_identical_alerts(store: Store) -> None:
    room = await lived(store)
    replay = await replayed(store, BEGIN, room.clock.now, OneTopic.topics)
    alerts = replay.alerts(RULES)
    assert told(alerts) == raised(store)
    assert {one.finding.rule for one in alerts} == {"surge", "every", "told twice"}
    surge = [one for one in alerts if one.finding.topic == "efficiency" and ":rise:" in one.finding.key]
    assert [one.finding.phase for one in surge] == ["start", "update", "end"]
    assert BEGIN + 2 * DAY < surge[0].at < BEGIN + 4 * DAY
    for one in surge:
        stored = sent(store, one.finding.key)
        assert [line.item_id for line in one.finding.stories] == [line["item_id"] for line in stored["stories"]]
        assert [day.stories for day in one.finding.charts[0].days] == [
            day["stories"] for day in stored["charts"][0]["days"]
        ]
    new = [one for one in alerts if one.finding.phase in {"once", "start"}]
    assert replay.times(RULES) == [one.at for one in new]


# An imported archive


def archive(
    days: int, *, busy: Iterable[int] = (), without: Iterable[int] = (), late: int | None = None
) -> list[Archived]:
    """Build the past of two outlets, ``days`` long; on ``busy`` days efficiency surges, ``without`` is a hole.

    A third outlet joins ``late`` days in, and doubles the volume.
    """
    dice, found = Random(11), []
    outlets = ["Wire", "Old paper", *(["Newcomer"] if late is not None else [])]
    for day in range(days):
        for outlet in outlets:
            if day in set(without) or (outlet == "Newcomer" and day < (late or 0)):
                continue
            times = 2 if outlet == "Newcomer" else 1
            for subject, usual in (("efficiency", 2 * times), ("capex", 2 * times), ("weather", 2 * times)):
                number = usual + dice.choice((-1, 0, 0, 1)) + (8 if subject == "efficiency" and day in set(busy) else 0)
                for n in range(number):
                    at = (BEGIN + (day + dice.random()) * DAY).replace(microsecond=0)
                    written = Entry(None, None, title(subject, f"{outlet}{day}{n}"), "", "en", at)
                    found.append(Archived(outlet, written))
    return found


async def brought(store: Store, *parts: list[Archived], now: datetime = BEGIN + 900 * DAY) -> None:
    """Import these parts, one after the other, and tag and group them as the fake classifier does."""
    world = system(store, now=Clock(now))
    await store.save_thresholds(world.classifier.models, world.thresholds, now)
    for part in parts:
        with Spool() as spool:
            for item in part:
                spool.add(item)
            stored = await store_items(store, spool, now, lambda _pieces: None)
        await cover(store, stored.feeds, UTC, now)
        while await pipeline.classify(world) or await pipeline.group(world):
            pass


async def alerts_of(store: Store, days: int, since: int = 0) -> list[Raised]:
    """Return the beginnings and ends of surges."""
    replay = await replayed(store, BEGIN + since * DAY, BEGIN + days * DAY, ("efficiency",))
    return [one for one in replay.alerts([SURGE]) if one.finding.phase in {"start", "end"}]


class TestArchive:
    async def test_a_surge_is_told_in_time_and_ends_and_a_hole_or_a_new_outlet_is_not_told(self, store: Store) -> None:
        await brought(store, archive(100, busy=range(80, 84), without=range(50, 60), late=65))
        alert, end = await alerts_of(store, 100, since=45)
        assert BEGIN + 80 * DAY < alert.at < BEGIN + 82 * DAY
        assert (alert.finding.topic, alert.finding.rule) == ("efficiency", "surge")
        assert all(story.published <= alert.at for story in alert.finding.stories)
        assert BEGIN + 85 * DAY < end.at < BEGIN + 92 * DAY
        assert (end.finding.thread, end.finding.phase) == (alert.finding.key, "end")
        assert set(alert.finding.evidence) <= set(end.finding.evidence)

    async def test_the_order_of_imports_does_not_matter(self, tmp_path: Path) -> None:
        lines, found = archive(65, busy=(60, 61)), []
        half = len(lines) // 2
        shuffled = Random(1).sample(lines, len(lines))
        for n, parts in enumerate(([lines], [shuffled], [lines[half:], lines[:half]])):
            with Store(tmp_path / f"{n}.db") as store:
                await brought(store, *parts)
                found.append([(one.at, one.finding.headline) for one in await alerts_of(store, 64, since=55)])
        assert found[0] == found[1] == found[2]
        assert len(found[0]) == 1

    async def test_rules_that_wait_for_others_are_replayed_and_those_about_feeds_are_not(self, store: Store) -> None:
        await brought(store, archive(70, busy=(60, 61)))
        rules = Config.model_validate({**CONFIG, "alerts": [SURGES[0], TOGETHER, FEEDS]}).alerts
        replay = await replayed(store, BEGIN + 55 * DAY, BEGIN + 70 * DAY, ("efficiency",))
        alerts = [one for one in replay.alerts(rules) if one.finding.phase == "start"]
        assert [one.finding.rule for one in alerts] == ["surge", "together"]
        assert alerts[1].at > alerts[0].at
        assert replay.times(rules) == [one.at for one in alerts]

    async def test_items_of_an_archive_are_news_to_the_rules_once(self, store: Store) -> None:
        await brought(store, archive(3))
        every = MatchRule(name="every", rule="match", topics=("efficiency",))
        alerts = (await replayed(store, BEGIN, BEGIN + 4 * DAY, ())).alerts([every])
        [[count]] = reading.ask(store.path, "SELECT count(*) FROM signals WHERE topic = 'efficiency'").rows
        assert len(alerts) == count
        assert all(timedelta(0) <= one.at - one.finding.stories[0].published <= HOUR for one in alerts)

    async def test_what_is_too_short_is_learning_and_says_until_when(self, store: Store) -> None:
        await brought(store, archive(20))
        replay = await replayed(store, BEGIN, BEGIN + 20 * DAY)
        assert replay.alerts([SURGE]) == []
        assert set(replay.learning([SURGE])) == set(TOPICS)
        assert all(ready and ready > BEGIN + 30 * DAY for ready in replay.learning([SURGE]).values())

    async def test_a_budget_is_kept(self, store: Store) -> None:
        await brought(store, archive(80, busy=(62, 63, 74, 75)))
        replay = await replayed(store, BEGIN + 60 * DAY, BEGIN + 80 * DAY, ("efficiency",))
        found = kept(replay, SURGE, parse_limit("1/week"))
        assert found.setting is not None
        assert found.setting.startswith("false_alarms_per_year: ")
        every = MatchRule(name="every", rule="match", topics=("efficiency",), min_probability=0.5)
        assert kept(replay, every, parse_limit("3/week")).setting == "min_probability: 0.93"  # all items have 0.9
        assert kept(replay, every, parse_limit("3/week")).then == 0


# Pieces


def item(number: int, published: float, seen: float | None = None, backlog: int = 0, **fields: Any) -> Told:
    """Build an item; times are days after BEGIN."""
    at, known = (int((BEGIN + day * DAY).timestamp()) for day in (published, published if seen is None else seen))
    usual = {"feed_id": 1, "copy": False, "story": number, "look": None, "counts": True}
    return Told(number, published=at, seen=known, backlog=backlog, **{**usual, **fields})


def look(number: int, day: float, last_item: int) -> PastLook:
    return PastLook(number, BEGIN + day * DAY, last_item)


def test_moments_are_full_hours_until_the_daemon_lives_and_then_its_looks() -> None:
    looks = (look(1, 2.01, 5), look(2, 2.5, 6))
    stored = Past(looks=looks, first_look=looks[0].at, oldest=BEGIN + 1.99 * DAY)
    found = moments(stored, BEGIN, BEGIN + 3 * DAY)
    assert [moment.now for moment in found] == [BEGIN + 2 * DAY, looks[0].at, looks[1].at]
    assert moments(stored, BEGIN, BEGIN + 1 * DAY) == []
    later = moments(stored, BEGIN + 2.2 * DAY, BEGIN + 9 * DAY)
    assert later == [Moment(looks[1].at, looks[1])]


def test_what_is_known_at_a_look_is_what_had_been_stored_and_at_an_hour_what_had_been_seen() -> None:
    early, late = item(3, 0.0, 1.0), item(9, 0.0, 1.0)
    assert [Moment(BEGIN + 2 * DAY, look(1, 2, 5)).knows(one) for one in (early, late)] == [True, False]
    assert [Moment(BEGIN + day * DAY).knows(late) for day in (0.5, 1.0)] == [False, True]


def test_rules_see_news_once_and_an_archive_only_where_no_daemon_was() -> None:
    items = (
        item(1, 0.02, backlog=2),
        item(2, 0.03, backlog=1),
        item(3, 0.035),
        item(4, 1.9, look=7),
        item(5, 1.9, 2.0, 2, look=7),
    )
    looks = (look(7, 2.0, 5),)
    found = [Moment(BEGIN + HOUR), Moment(looks[0].at, looks[0])]
    assert [[one.id for one in new] for new in shown(Past(items=items, looks=looks), found)] == [[1, 3], [4]]


def past_of(*items: Told, merges: tuple[Merge, ...] = (), looks: tuple[PastLook, ...] = ()) -> Past:
    """Build a past; items with an even number carry efficiency, and have a text."""
    about = {one.id: (Signal(one.id, "efficiency", 0.5 + one.id / 100, "m"),) for one in items if one.id % 2 == 0}
    texts = {n: Item(n, 1, "Wire", f"Title {n}", "", "en", None, BEGIN, BEGIN) for n in about}
    return Past(items=items, texts=texts, signals=about, merges=merges, looks=looks)


def known_stories(stored: Past, *found: Moment) -> list[list[tuple[Any, ...]]]:
    """Return for each moment the new items with story, outlets and earlier tellings."""
    return [
        [
            (one.item.id, one.story_id, one.outlets, [other.item.id for other in one.earlier])
            for batch in cut
            for one in batch
        ]
        for cut in batches(stored, found, {"Wire": "press"})
    ]


class TestNewItems:
    def test_know_the_tellings_that_came_before_them(self) -> None:
        items = (
            item(2, 0.01, story=5),
            item(4, 0.03, story=5, feed_id=2),
            item(6, 0.02, story=6),
            item(8, 0.05, story=5, feed_id=3),
        )
        hours = [Moment(BEGIN + HOUR), Moment(BEGIN + 2 * HOUR)]
        assert known_stories(past_of(*items), *hours) == [
            [(2, 5, 2, []), (4, 5, 2, [2]), (6, 6, 1, [])],
            [(8, 5, 3, [4, 2])],
        ]

    def test_are_known_with_the_story_that_theirs_was_merged_into_by_then(self) -> None:
        items = (item(2, 0.01, story=5), item(4, 0.02, story=6), item(6, 0.05, story=5))
        stored = past_of(*items, merges=(Merge(6, 5, 6),))
        hours = [Moment(BEGIN + HOUR), Moment(BEGIN + 2 * HOUR)]
        assert known_stories(stored, *hours) == [[(2, 5, 1, []), (4, 6, 1, [])], [(6, 5, 1, [4, 2])]]

    def test_that_carry_no_topic_count_where_an_earlier_telling_does(self) -> None:
        items = (item(1, 0.01, story=4), item(2, 0.02, story=5), item(3, 0.03, story=5, feed_id=2))
        assert known_stories(past_of(*items), Moment(BEGIN + HOUR)) == [[(2, 5, 2, []), (3, 5, 2, [2])]]

    def test_do_not_count_outlets_that_copied(self) -> None:
        items = (item(2, 0.01, story=5), item(4, 0.02, story=5, feed_id=2, copy=True))
        assert known_stories(past_of(*items), Moment(BEGIN + HOUR)) == [[(2, 5, 1, []), (4, 5, 1, [2])]]

    def test_without_a_place_in_a_story_stand_alone(self) -> None:
        assert known_stories(past_of(item(2, 0.01, story=None)), Moment(BEGIN + HOUR)) == [[(2, None, 1, [])]]

    def test_of_an_early_batch_do_not_know_what_came_with_a_later_one(self) -> None:
        told_at = look(7, 1.0, 400)
        items = tuple(item(n, 0.5, story=5 if n in {2, 300} else n, feed_id=n, look=7) for n in range(2, 301, 2))
        [found] = known_stories(past_of(*items, looks=(told_at,)), Moment(told_at.at, told_at))
        assert [one for one in found if one[1] == 5] == [(2, 5, 1, []), (300, 5, 2, [2])]

    def test_know_the_newest_twenty_tellings_and_the_kind_of_their_feed(self) -> None:
        items = tuple(item(n, n / 10_000, story=5) for n in range(2, 62, 2))
        [[batch]] = batches(past_of(*items), [Moment(BEGIN + HOUR)], {"Wire": "press"})
        assert [one.item.id for one in batch[-1].earlier] == list(range(58, 18, -2))
        assert {batch[-1].kind, batch[-1].earlier[0].kind} == {"press"}


@pytest.mark.parametrize(
    ("days", "most"), [((), 0), ((0,), 1), ((0, 3, 6.9), 3), ((0, 3, 7), 2), ((0, 0, 0, 8, 8), 3), ((0, 8, 16), 1)]
)
def test_the_most_alerts_within_a_week(days: Sequence[float], most: int) -> None:
    assert most_within([BEGIN + day * DAY for day in days], 7 * DAY) == most


@pytest.mark.parametrize("text", ["3", "3/fortnight", "0/week", "-1/week", "x/day"])
def test_a_limit_that_makes_no_sense(text: str) -> None:
    with pytest.raises(ValueError, match="such as 3/week"):
        parse_limit(text)
