"""Replay: what the daemon alerted, it alerts again; what an archive held, it would have alerted in time."""

import json
from collections.abc import Iterable, Sequence
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
from monitor.past.replay import WARM_UP, Raised, Replay, View, leading_up, see
from storage import past, reading
from storage.feed_records import Entry, Fetched
from storage.past_records import Past, PastLook, Told
from storage.store import Store
from tests.builders import entry
from tests.fakes import CONFIG, Clock, FakeClassifier, FakeFetcher, FakeParser, system

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
CALENDAR = Calendar(UTC)
RULES = Config.model_validate(CONFIG).alerts
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


@dataclass
class Newsroom:
    """Two feeds that publish with some chance each hour; efficiency surges in the end."""

    clock: Clock
    dice: Random = field(default_factory=lambda: Random(5))
    parser: FakeParser = field(default_factory=lambda: FakeParser({"Wire": [], "Desk": []}))
    written: int = 0

    def publish(self, hours: int, surge: float = 0.0) -> None:
        """Publish what comes in these hours; the documents show the newest two hundred entries."""
        for feed in self.parser.entries:
            for ago in range(hours):
                at = self.clock.now - (ago + self.dice.random()) * HOUR
                for subject, chance in (("efficiency", 0.12 + surge), ("capex", 0.15), ("weather", 0.1)):
                    if self.dice.random() < chance:
                        self._write(feed, subject, at)
            self.parser.entries[feed] = self.parser.entries[feed][-1500:]

    def _write(self, feed: str, subject: str, at: datetime) -> None:
        self.written += 1
        self.parser.entries[feed].append(entry(title(subject, self.written), at.replace(microsecond=0)))


async def lived(store: Store) -> Newsroom:
    """Live for a week, polled every six hours; the first answers reach back six weeks."""
    clock = Clock(BEGIN + 8 * HOUR)
    room = Newsroom(clock)
    down = Fetched(clock.now, 0.1, 503, error="HTTP 503")
    fetcher = FakeFetcher()
    world = system(store, parser=room.parser, fetcher=fetcher, now=clock)
    await store.save_thresholds(world.classifier.models, world.thresholds, clock.now)
    room.publish(24 * 45)
    for step in range(7 * 4):
        await world.store.sync_feeds(world.config.feed_specs(), clock.now)
        fetcher.answers = {"Desk": lambda: down} if step in (6, 7, 8) else {}
        await pipeline.once(world, await store.due_feeds(clock.now + 9 * DAY))
        clock.forward(hours=6)
        room.publish(6, surge=0.5 if step >= 18 else 0.0)
    return room


def raised(store: Store) -> list[tuple[Any, ...]]:
    return reading.ask(store.path, "SELECT key, created, headline FROM alerts ORDER BY id").rows


def told(alerts: Iterable[Raised]) -> list[tuple[Any, ...]]:
    return [(one.finding.key, f"{one.at:%Y-%m-%dT%H:%M:%SZ}", one.finding.headline) for one in alerts]


async def test_a_period_that_the_daemon_lived_through_gives_the_identical_alerts(store: Store) -> None:
    room = await lived(store)
    alerts = (await replayed(store, BEGIN, room.clock.now)).alerts(RULES)
    assert told(alerts) == raised(store)
    assert {one.finding.kind for one in alerts} == {"trend", "match"}
    surge = [one for one in alerts if one.finding.kind == "trend" and one.finding.topic == "efficiency"][-1]
    assert BEGIN + 4.5 * DAY < surge.at < BEGIN + 6 * DAY
    [[stored]] = reading.ask(store.path, f"SELECT finding FROM alerts WHERE key = '{surge.finding.key}'").rows
    sent = json.loads(stored)
    assert [line.item_id for line in surge.finding.stories] == [line["item_id"] for line in sent["stories"]]
    assert [day.stories for day in surge.finding.days] == [day["stories"] for day in sent["days"]]


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
    return (await replayed(store, BEGIN + since * DAY, BEGIN + days * DAY, ("efficiency",))).alerts([SURGE])


class TestArchive:
    async def test_a_surge_raises_one_alert_in_time_and_a_hole_or_a_new_outlet_none(self, store: Store) -> None:
        await brought(store, archive(100, busy=range(80, 84), without=range(50, 60), late=65))
        [alert] = await alerts_of(store, 100, since=45)
        assert BEGIN + 80 * DAY < alert.at < BEGIN + 82 * DAY
        assert (alert.finding.topic, alert.finding.rule) == ("efficiency", "surge")
        assert all(story.published <= alert.at for story in alert.finding.stories)

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
    usual = {"story": number, "look": None, "counts": True}
    return Told(number, 1, at, known, backlog, **{**usual, **fields})


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


@pytest.mark.parametrize(
    ("days", "most"), [((), 0), ((0,), 1), ((0, 3, 6.9), 3), ((0, 3, 7), 2), ((0, 0, 0, 8, 8), 3), ((0, 8, 16), 1)]
)
def test_the_most_alerts_within_a_week(days: Sequence[float], most: int) -> None:
    assert most_within([BEGIN + day * DAY for day in days], 7 * DAY) == most


@pytest.mark.parametrize("text", ["3", "3/fortnight", "0/week", "-1/week", "x/day"])
def test_a_limit_that_makes_no_sense(text: str) -> None:
    with pytest.raises(ValueError, match="such as 3/week"):
        parse_limit(text)
