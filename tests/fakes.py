"""Stand-ins for what the pipeline acts through, each small enough to read."""

from asyncio import Semaphore
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from monitor.config import Config
from monitor.detection.flow import Calendar
from monitor.errors import ChannelError, ParseError
from monitor.feeds.document import Document
from monitor.signals.reading import Reading, Score
from monitor.system import System
from storage.alert_records import Delivery, Sent
from storage.feed_records import Entry, Feed, Fetched
from storage.store import Store
from tests.builders import NOW


@dataclass
class FakeFetcher:
    """Answers every feed with a body that is new each time, except where told otherwise."""

    answers: dict[str, Callable[[], Fetched]] = field(default_factory=dict)
    count: int = 0

    async def fetch(self, feed: Feed, now: datetime) -> Fetched:
        self.count += 1
        usual = Fetched(now, 0.1, 200, 100, body=f"body {self.count}".encode())
        return self.answers.get(feed.name, lambda: usual)()

    def turn(self, _url: str) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def aclose(self) -> None:
        pass


@dataclass
class FakeParser:
    """Finds in every document of a feed the entries that the test put there."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)

    async def read(self, _fetched: Fetched, feed: Feed, _now: datetime) -> Document:
        if feed.name not in self.entries:
            raise ParseError("no feed")
        return Document(found=len(self.entries[feed.name]), entries=tuple(self.entries[feed.name]))

    async def aclose(self) -> None:
        pass


class FakeClassifier:
    """Knows a topic by its name in the text."""

    name = "by-name"
    topics: tuple[str, ...] = ("efficiency", "capex")
    thresholds: Mapping[str, float] = {"efficiency": 0.5, "capex": 0.5}

    models: Mapping[str, str] = {"efficiency": "by-name", "capex": "by-name"}

    def load(self) -> None:
        pass

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [Reading({topic: self._score(topic, text) for topic in self.topics}) for text in texts]

    def _score(self, topic: str, text: str) -> Score:
        return Score(0.9, self.name, (topic,)) if topic in text.lower() else Score(0.1, self.name)


@dataclass
class FakeChannel:
    """Keeps what it is sent; fails as often as told."""

    failures: list[Exception] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> Sent:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(delivery.alert.finding.headline)
        self.deliveries.append(delivery)
        return Sent(f"message {len(self.sent)}")


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


CONFIG = {
    "feeds": [{"name": "Wire", "url": "https://wire.example/feed"}, {"name": "Desk", "url": "https://desk.example/"}],
    "channels": {"screen": {"type": "console"}, "other": {"type": "console"}},
    "alerts": [
        {"name": "surge", "rule": "trend"},
        {"name": "every", "rule": "match", "topics": ["efficiency"], "cooldown": "0s"},
    ],
}


def system(store: Store, **parts: Any) -> System:
    """Build a system of fakes around a real store; ``parts`` replace single ones."""
    usual = {
        "config": Config.model_validate(CONFIG),
        "fetcher": FakeFetcher(),
        "slots": Semaphore(8),
        "parser": FakeParser(),
        "classifier": FakeClassifier(),
        "thresholds": FakeClassifier.thresholds,
        "channels": {"screen": FakeChannel(), "other": FakeChannel()},
        "calendar": Calendar(UTC),
        "now": Clock(),
    }
    return System(store=store, **cast("Any", {**usual, **parts}))


REFUSED = ChannelError("refused", retry=True)
"""A failure that may pass."""
