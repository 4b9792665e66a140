"""What a digest tells of a period: each story once, against what was expected; alerts told and held back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage import alerts, digest, trends
from storage.alert_records import AlertLine, AlertState, DigestData, Raised, TopicPeriod
from storage.digest import expected_in
from storage.feed_records import Feed
from storage.records import Classification, Item, Signal, Trend, TrendState
from storage.store import Store
from tests.alerts.sample import TREND
from tests.builders import MODEL, NOW, entry, feed_in, finding, past_first_answer, poll, tell

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE, UNTIL = NOW - DAY, NOW
LATER = NOW + 20 * timedelta(minutes=1)  # when the digest is made


async def read(
    store: Store, *topics: str, since: datetime = SINCE, until: datetime = UNTIL, days: int = 3, top: int = 5
) -> DigestData:
    return await store._look(lambda db: digest.read(db, topics or ("capex",), since, until, LATER, days, top))


async def capex(store: Store, since: datetime = SINCE, until: datetime = UNTIL, top: int = 5) -> TopicPeriod:
    (topic,) = (await read(store, since=since, until=until, top=top)).topics
    return topic


async def feeds(store: Store, *names: str) -> list[Feed]:
    """Add feeds that have answered long before."""
    added = [await feed_in(store, name) for name in names]
    return [await past_first_answer(store, feed) for feed in added]


async def told(
    store: Store,
    feed: Feed,
    title: str,
    published: datetime,
    seen: datetime | None = None,
    *,
    story: int = -1,
    **topics: float,
) -> int:
    """Let a feed tell something, ten minutes after its publication, and put it into a story; return the story."""
    await store.save_poll(poll(feed, entry(title, published)), seen or published + HOUR / 6)
    await _tag(store, await store.pending("classify", 10), topics or {"capex": 0.9})
    return (await tell(store, story))[0]


async def _tag(store: Store, items: Sequence[Item], topics: dict[str, float]) -> None:
    found = [Classification(item.id, topic, MODEL, p) for item in items for topic, p in topics.items()]
    carried = [(item, topic, p) for item in items for topic, p in topics.items() if p > 0.5]
    signals = [Signal(item.id, topic, p, MODEL, (f"{item.title}'s words",)) for item, topic, p in carried]
    await store.save_classified(found, signals, [], NOW)


class TestStories:
    @pytest.mark.parametrize(
        ("published", "seen", "counts"),
        [
            pytest.param(NOW - HOUR, NOW - HOUR, True, id="within the period"),
            pytest.param(NOW, NOW, True, id="at its end"),
            pytest.param(SINCE, SINCE, False, id="at its beginning: it was in the digest before"),
            pytest.param(NOW - HOUR, NOW + HOUR / 6, False, id="seen after its end: it will be in the next one"),
            pytest.param(NOW - 14 * HOUR, NOW - HOUR, True, id="dated to midnight"),
            pytest.param(SINCE - 3 * DAY, NOW - HOUR, True, id="three days late: no digest before told it"),
            pytest.param(SINCE - 8 * DAY, NOW - HOUR, False, id="too late to count anywhere"),
        ],
    )
    async def test_a_story_is_told_when_it_became_known(
        self, store: Store, published: datetime, seen: datetime, counts: bool
    ) -> None:
        (wire,) = await feeds(store, "Wire")
        await told(store, wire, "Event", published, seen)
        topic = await capex(store)
        assert (topic.stories, len(topic.top)) == (int(counts), int(counts))

    async def test_each_story_is_in_exactly_one_of_the_digests_that_follow_each_other(self, store: Store) -> None:
        wire, copy = await feeds(store, "Wire", "Copy")
        for n in range(12):
            at = SINCE + n * 3 * HOUR
            story = await told(store, wire, f"Event {n}", at, at + n * HOUR)
            await told(store, copy, f"Event {n} again", at, at + (n + 9) * HOUR, story=story)
        periods = [(SINCE + n * DAY, SINCE + (n + 1) * DAY) for n in range(-1, 4)]
        topics = [await capex(store, *period, top=20) for period in periods]
        assert sum(topic.stories for topic in topics) == 12
        assert sorted(line.title for topic in topics for line in topic.top) == sorted(f"Event {n}" for n in range(12))

    async def test_a_backlog_is_no_news_and_counts_when_it_was_published(self, store: Store) -> None:
        new = await feed_in(store, "New")
        old, recent = entry("Old", SINCE - HOUR), entry("Recent", SINCE + HOUR)
        await store.save_poll(poll(new, old, recent), NOW)
        await _tag(store, await store.pending("classify", 10), {"capex": 0.9})
        await tell(store)
        data = await read(store)
        assert [line.title for line in data.topics[0].top] == ["Recent"]
        assert data.items == 0

    async def test_what_was_told_before_is_only_retold(self, store: Store) -> None:
        wire, copy = await feeds(store, "Wire", "Copy")
        story = await told(store, wire, "Event", SINCE - HOUR)
        await told(store, copy, "Event again", NOW - HOUR, story=story)
        assert (await capex(store)).stories == 0

    async def test_within_a_topic_the_first_telling_that_carries_it_counts(self, store: Store) -> None:
        wire, copy = await feeds(store, "Wire", "Copy")
        story = await told(store, wire, "Off topic", SINCE - HOUR, efficiency=0.9)
        await told(store, copy, "On topic", NOW - HOUR, story=story)
        data = await read(store)
        assert [line.title for line in data.topics[0].top] == ["On topic"]
        assert data.topics[0].share is None  # of all stories none became known in the period

    async def test_a_telling_that_came_too_late_hides_nothing(self, store: Store) -> None:
        wire, copy = await feeds(store, "Wire", "Copy")
        story = await told(store, wire, "Too late", SINCE - 9 * DAY, SINCE - HOUR)
        await told(store, copy, "In time", NOW - HOUR, story=story)
        assert [line.title for line in (await capex(store)).top] == ["In time"]

    async def test_a_topics_share_is_of_all_stories_of_the_period(self, store: Store) -> None:
        wire, copy = await feeds(store, "Wire", "Copy")
        story = await told(store, wire, "Event", NOW - 3 * HOUR)
        await told(store, copy, "Event", NOW - 2 * HOUR, story=story)
        for n in range(3):
            await told(store, wire, f"Aside {n}", NOW - HOUR, capex=0.1, efficiency=0.9)
        await told(store, wire, "Before", SINCE - HOUR)
        data = await read(store, "capex", "efficiency", "geopolitics")
        assert [(one.topic, one.stories, one.share) for one in data.topics] == [
            ("capex", 1, 0.25),
            ("efficiency", 3, 0.75),
            ("geopolitics", 0, 0.0),
        ]
        assert data.items == 5
        assert (data.since, data.until) == (SINCE, UNTIL)

    async def test_the_last_days_are_those_up_to_today(self, store: Store) -> None:
        (wire,) = await feeds(store, "Wire")
        for n, ago in enumerate((50, 30, 2, 1)):
            await told(store, wire, f"Event {n}", NOW - ago * HOUR)
        topic = await capex(store)
        assert [(day.day.day, day.stories) for day in topic.days] == [(21, 1), (22, 1), (23, 2)]
        assert topic.stories == 2

    async def test_nothing_at_all_is_told_as_that(self, store: Store) -> None:
        data = await read(store)
        assert (data.items, data.alerts, data.held) == (0, (), ())
        assert replace(data.topics[0], days=()) == TopicPeriod("capex", 0, None, None, None, (), ())


class TestTheStrongest:
    async def test_outlets_with_words_of_their_own_come_first_then_probability(self, store: Store) -> None:
        wire, desk, paper = await feeds(store, "Wire", "Desk", "Paper")
        at = NOW - 5 * HOUR
        await told(store, wire, "Sure", at, capex=0.99)
        often = await told(store, wire, "Often", at + HOUR, capex=0.6)
        for feed in (desk, paper):
            await told(store, feed, f"Often, says {feed.name}", at + 2 * HOUR, story=often, capex=0.7)
        await told(store, wire, "Less sure", at + HOUR, capex=0.8)
        topic = await capex(store, top=2)
        assert [(line.title, line.feed, line.outlets, line.probability) for line in topic.top] == [
            ("Often", "Wire", 3, 0.7),
            ("Sure", "Wire", 1, 0.99),
        ]
        assert topic.stories == 3

    async def test_among_equals_what_is_new_comes_before_what_is_an_old_story(self, store: Store) -> None:
        wire, desk = await feeds(store, "Wire", "Desk")
        old = await told(store, wire, "Old, off topic", SINCE - HOUR, capex=0.1)
        await told(store, desk, "Old story, on topic now", NOW - HOUR, story=old)
        new = await told(store, wire, "New story", NOW - 3 * HOUR)
        await told(store, desk, "New story again", NOW - 2 * HOUR, story=new)
        assert [line.title for line in (await capex(store)).top] == ["New story", "Old story, on topic now"]
        assert [line.title for line in (await capex(store, top=1)).top] == ["New story"]

    async def test_a_line_tells_its_first_telling_and_the_words_of_the_most_probable_one(self, store: Store) -> None:
        wire, desk = await feeds(store, "Wire", "Desk")
        story = await told(store, wire, "First", NOW - 3 * HOUR, capex=0.6)
        await told(store, desk, "Second", NOW - 2 * HOUR, story=story, capex=0.9)
        (line,) = (await capex(store)).top
        assert (line.title, line.feed, line.published) == ("First", "Wire", NOW - 3 * HOUR)
        assert (line.words, line.url) == (("Second's words",), entry("First").url)


def look(ended: datetime, expected: float, hours: float = 24) -> tuple[datetime, datetime, float]:
    return ended - hours * HOUR, ended, expected


@pytest.mark.parametrize(
    ("since", "looks", "expected"),
    [
        pytest.param(SINCE, [look(UNTIL, 12.0)], 12.0, id="one look sees the whole day"),
        pytest.param(SINCE, [look(UNTIL, 12.0), look(UNTIL - HOUR, 99.0)], 12.0, id="looks that overlap count once"),
        pytest.param(SINCE, [look(UNTIL, 25.0, 25)], 24.0, id="a window begins before the day"),
        pytest.param(SINCE, [look(UNTIL - 6 * HOUR, 12.0)], 12.0, id="the last hours are like the others"),
        pytest.param(SINCE, [look(UNTIL - 12 * HOUR, 12.0)], 12.0, id="half a day is enough"),
        pytest.param(SINCE, [look(UNTIL - 13 * HOUR, 12.0)], None, id="less than half is not"),
        pytest.param(SINCE, [], None, id="it is being learned"),
        pytest.param(UNTIL - 3 * DAY, [look(UNTIL - n * DAY, 10.0 + n) for n in range(3)], 33.0, id="day after day"),
        pytest.param(UNTIL - 2 * DAY, [look(UNTIL, 36.0, 72)], 24.0, id="an episode's window is longer"),
        pytest.param(
            UNTIL - 4 * DAY, [look(UNTIL, 8.0), look(UNTIL - 2 * DAY, 10.0)], 36.0, id="days without a look are filled"
        ),
        pytest.param(UNTIL - 7 * DAY, [look(UNTIL, 8.0), look(UNTIL - 2 * DAY, 10.0)], None, id="too many without"),
    ],
)
def test_what_was_expected_is_put_together_from_looks(
    since: datetime, looks: list[tuple[datetime, datetime, float]], expected: float | None
) -> None:
    found = expected_in(looks, since, UNTIL)
    assert found == (None if expected is None else pytest.approx(expected))


class TestTrends:
    async def test_what_was_expected_comes_from_the_looks_of_the_period(self, store: Store) -> None:
        await self.looked(store, (NOW - 26 * HOUR, 70.0, "normal"), (NOW - HOUR, 50.0, "normal"), (NOW, 12.0, "normal"))
        topic = await capex(store)
        assert topic.expected == pytest.approx(12.0)
        assert topic.trend is not None
        assert (topic.trend.evaluated, topic.trend.expected) == (NOW, 12.0)

    async def test_a_look_after_the_end_says_how_it_stands_not_what_was_expected(self, store: Store) -> None:
        await self.looked(store, (NOW - HOUR, 12.0, "normal"), (LATER, 99.0, "surging"))
        topic = await capex(store)
        assert topic.expected == pytest.approx(12.0)
        assert topic.trend is not None
        assert topic.trend.state == "surging"

    async def test_nothing_was_expected_while_it_was_being_learned(self, store: Store) -> None:
        await self.looked(store, *((NOW - n * HOUR, 0.5, "learning") for n in range(30)))
        topic = await capex(store)
        assert topic.expected is None
        assert topic.trend is not None

    @staticmethod
    async def looked(store: Store, *looks: tuple[datetime, float, TrendState]) -> None:
        def trend(at: datetime, expected: float, state: TrendState) -> Trend:
            change = {"evaluated": at, "window_start": at - DAY, "window_end": at, "since": at, "expected": expected}
            return replace(TREND, topic="capex", state=state, **change)  # type: ignore[arg-type]

        await store._do(lambda db: trends.save(db, [trend(*one) for one in looks]))


class TestAlerts:
    @pytest.mark.parametrize(
        ("state", "created", "until", "listed"),
        [
            pytest.param("told", NOW - HOUR, None, "alerts", id="told"),
            pytest.param("carried", NOW - HOUR, None, "alerts", id="told within another message"),
            pytest.param("told", SINCE, None, "", id="told in the period before"),
            pytest.param("told", LATER, None, "", id="told since"),
            pytest.param("held", NOW - HOUR, LATER, "held", id="waiting"),
            pytest.param("muted", NOW - HOUR, None, "held", id="muted"),
            pytest.param("silenced", NOW - HOUR, None, "held", id="silenced"),
            pytest.param("held", SINCE - 3 * DAY, NOW + DAY, "held", id="waiting for days"),
            pytest.param("muted", SINCE, None, "", id="muted in the period before"),
            pytest.param("held", LATER, LATER + HOUR, "", id="waiting since"),
        ],
    )
    async def test_they_are_those_of_the_period_and_what_still_waits(
        self, store: Store, state: AlertState, created: datetime, until: datetime | None, listed: str
    ) -> None:
        await self.raise_(store, Raised(finding("one", "desk", "boss"), state, until, "because"), at=created)
        data = await read(store)
        line = AlertLine(
            id=1,
            created=created,
            rule="surge",
            kind="trend",
            severity="warning",
            topic="efficiency",
            headline="Efficiency news ×4.6",
            phase="once",
            state=state,
            why="because",
            send=("desk", "boss"),
        )
        assert (data.alerts, data.held) == ((line,) if listed == "alerts" else (), (line,) if listed == "held" else ())

    async def test_one_that_cannot_be_read_any_more_is_listed_all_the_same(self, store: Store) -> None:
        await self.raise_(store, Raised(finding("one")))
        await store._do(lambda db: db.execute("UPDATE alerts SET finding = '{'"))
        (line,) = (await read(store)).alerts
        assert (line.headline, line.send) == ("Efficiency news ×4.6", ())

    async def test_messages_that_only_repeat_others_are_left_out_and_the_newest_come_first(self, store: Store) -> None:
        await self.raise_(store, Raised(finding("one"), "held", NOW), Raised(finding("two"), "held", NOW))
        await self.raise_(store, Raised(replace(finding("summary"), carries=(1, 2))))
        await self.raise_(store, Raised(replace(finding("digest"), kind="digest")), Raised(finding("three")))
        assert [(line.id, line.state) for line in (await read(store)).alerts] == [
            (5, "told"),
            (2, "carried"),
            (1, "carried"),
        ]

    @staticmethod
    async def raise_(store: Store, *raised: Raised, at: datetime = NOW - HOUR) -> None:
        await store._do(lambda db: alerts.save(db, raised, at))


async def test_days_are_those_of_the_zone_that_the_database_counts_in(store: Store) -> None:
    await store.count_in("Asia/Tokyo")
    (wire,) = await feeds(store, "Wire")
    await told(store, wire, "Late in the evening", datetime(2026, 11, 23, 13, 30, tzinfo=UTC))
    late = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # half past midnight in Tokyo
    data = await store._look(lambda db: digest.read(db, ["capex"], SINCE, UNTIL, late, 2, 5))
    assert [(day.day.day, day.stories) for day in data.topics[0].days] == [(23, 1), (24, 0)]
