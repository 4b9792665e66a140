"""A daemon's life on a real store, quickly: days of polls, late items, failures, stories that merge, and looks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from monitor.detection.flow import Calendar, Flow, begins, flow_of
from storage.feed_records import Entry, Feed, FeedSpec, Fetched, NextPoll, Poll
from storage.records import Classification, Grouping, Merge, Signal, StoryItem, Trend
from storage.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOPICS = ("efficiency", "capex")
MODELS = dict.fromkeys(TOPICS, "by-dice")


@dataclass
class Life:
    """Lives from ``now`` on; ``flows`` holds what trend detection was given at each look."""

    store: Store
    calendar: Calendar
    zone: str
    now: datetime
    dice: Random = field(default_factory=lambda: Random(7))
    flows: dict[datetime, dict[str, Flow]] = field(default_factory=dict)
    written: int = 0
    stories: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)

    async def begin(self, *feeds: str) -> None:
        """Know some feeds, topics and a time zone."""
        await self.store.sync_feeds([FeedSpec(name, f"https://{name.lower()}.example/") for name in feeds], self.now)
        await self.store.save_thresholds(MODELS, dict.fromkeys(TOPICS, 0.5), self.now)
        await self.store.count_in(self.zone)

    async def days(self, days: float, step: timedelta = 5 * HOUR) -> None:
        """Live on: every few hours poll all feeds, tag, group and look."""
        end = self.now + days * DAY
        while self.now < end:
            self.now += step
            for feed in await self.store.due_feeds(self.now + 9999 * DAY):
                await self._poll(feed)
            await self._tag()
            await self._group()
            await self._look()

    async def _poll(self, feed: Feed) -> None:
        if self.dice.random() < 0.1:
            fetched = Fetched(self.now, 0.0, 503, error="HTTP 503")
            await self.store.save_poll(Poll(feed, fetched, NextPoll(self.now, 1)), self.now)
            return
        entries = self._backlog() if feed.first_ok is None else [self._entry(5) for _ in range(self.dice.randrange(4))]
        if self.dice.random() < 0.1:
            entries.append(self._entry(24 * 12))  # late: beyond a week it does not count
        known = 0 if feed.first_ok is None or self.dice.random() < 0.05 else 3
        identities = tuple(f"id:{entry.guid}" for entry in entries)
        keys = tuple((int(entry.guid or 0),) for entry in entries)
        fetched = Fetched(self.now, 0.0, 200, 1000)
        later = NextPoll(self.now)
        poll = Poll(feed, fetched, later, None, len(entries) + known, tuple(entries), identities, keys, known)
        await self.store.save_poll(poll, self.now)

    def _backlog(self) -> list[Entry]:
        return [self._entry(24 * 40) for _ in range(60)]

    def _entry(self, hours: float) -> Entry:
        self.written += 1
        published = (self.now - self.dice.random() * hours * HOUR).replace(microsecond=0)
        number = str(self.written)
        return Entry(number, f"https://a.example/{number}", f"Headline {number}", "", "en", published)

    async def _tag(self) -> None:
        items = await self.store.pending("classify", 1000)
        said = [(item.id, topic, self.dice.random()) for item in items for topic in TOPICS]
        await self.store.save_classified(
            [Classification(item_id, topic, "by-dice", p) for item_id, topic, p in said],
            [Signal(item_id, topic, p, "by-dice", ("word",)) for item_id, topic, p in said if p >= 0.5],
            [],
            self.now,
        )

    async def _group(self) -> None:
        waiting = await self.store.pending_tellings(1000)
        merges = self._merges(waiting[0].item.id) if waiting and self.dice.random() < 0.3 else ()
        placed = [StoryItem(one.item.id, self._story(-n - 1)) for n, one in enumerate(waiting)]
        await self.store.save_grouping(Grouping(tuple(placed), merges), self.now)
        newest = max([0, *self.stories, *self.gone])
        self.stories += range(newest + 1, newest + 1 + sum(place.story_id < 0 for place in placed))

    def _merges(self, item_id: int) -> tuple[Merge, ...]:
        into, story = sorted(self.dice.sample(self.stories[-12:], 2)) if len(self.stories) > 12 else (0, 0)
        if not story:
            return ()
        self.stories.remove(story)
        self.gone.append(story)
        return (Merge(story, into, item_id),)

    def _story(self, new: int) -> int:
        return self.dice.choice(self.stories[-12:]) if self.stories and self.dice.random() < 0.3 else new

    async def _look(self) -> None:
        last = await self.store.last_item()
        unjudged = await self.store.unjudged(1000)
        history = await self.store.history(TOPICS, *begins(self.now, self.calendar))
        self.flows[self.now] = {topic: flow_of(topic, history, self.now, self.calendar) for topic in TOPICS}
        ids = [one.item.id for one in unjudged]
        await self.store.save_judgement([_trend(topic, self.now) for topic in TOPICS], [], ids, last, self.now)


def _trend(topic: str, now: datetime) -> Trend:
    return Trend(topic, now, now - DAY, now, 0, 0.0, 1.0, 0.0, "normal", now, 1)
