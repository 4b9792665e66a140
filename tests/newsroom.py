"""A world of feeds that publish steadily, as the trend detector is told of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from monitor.detection.flow import Calendar, begins, days_at
from storage.records import Exposure, FeedDay, History, Occurrence

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CALENDAR = Calendar(UTC)


@dataclass
class Newsroom:
    """What its feeds told until ``now``: the topic's stories, and others.

    ``steady`` publishes so many a weekday (and half as many on weekend days); ``news`` adds some at given hours before
    now.
    """

    now: datetime
    told: list[Occurrence] = field(default_factory=list)
    others: list[Occurrence] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)

    def covered(
        self, feed: int = 1, days: float = 200, *, silent: float = 0.0, opened: float | None = None
    ) -> "Newsroom":
        """Cover a feed since ``days`` days ago until ``silent`` days ago; known as news since ``opened`` days ago."""
        since = self.now - days * DAY
        known = since if opened is None else self.now - opened * DAY
        self.exposures.append(Exposure(feed, since, self.now - silent * DAY, known))
        return self

    def steady(
        self, weekday: int, weekend: int | None = None, *, feed: int = 1, days: int = 200, until: float = 0
    ) -> "Newsroom":
        """Publish the topic's stories evenly through each local day, until ``until`` days ago."""
        self.told += self._steadily(weekday, weekday // 2 if weekend is None else weekend, feed, days, until)
        return self

    def background(
        self, weekday: int, weekend: int | None = None, *, feed: int = 1, days: int = 200, until: float = 0
    ) -> "Newsroom":
        """Publish stories of no topic."""
        self.others += self._steadily(weekday, weekday // 2 if weekend is None else weekend, feed, days, until)
        return self

    def _steadily(self, weekday: int, weekend: int, feed: int, days: int, until: float) -> Iterator[Occurrence]:
        midnight = self.now.replace(hour=0, minute=0, second=0)
        for ago in range(days):
            day = midnight - ago * DAY
            # A little up and down: as even as dice would make it.
            number = (weekend if day.weekday() >= 5 else weekday) + (1, 0, -1, 0, 2, -2, 0)[ago * 3 % 7] * (weekday > 2)
            for n in range(max(number, 0)):
                at = day + (n + 0.5) / max(number, 1) * DAY
                if at <= self.now - until * DAY:
                    yield Occurrence(feed, at)

    def news(
        self, number: int, hours: float = 20, *, feed: int = 1, ago: float = 0.0, late: bool = False
    ) -> "Newsroom":
        """Tell more stories of the topic, evenly within so many hours, the last of them ``ago`` hours before now.

        ``late`` ones were no news any more when they came.
        """
        times = [self.now - (ago + hours * (n + 0.5) / number) * HOUR for n in range(number)]
        self.told += [Occurrence(feed, at, not late) for at in times]
        return self

    def history(self, topic: str = "efficiency") -> History:
        """Return what the store would return."""
        since, recent = begins(self.now, CALENDAR)
        everything = [*self.told, *self.others]
        return History(
            exposures=tuple(self.exposures),
            told={topic: tuple(o for o in self.told if o.published >= since)},
            recent=tuple(o for o in everything if o.published >= recent),
            totals=tuple(_totals(everything, self.now)),
        )


def _totals(everything: Sequence[Occurrence], now: datetime) -> Iterator[FeedDay]:
    days = set(days_at(now, CALENDAR))
    counts: dict[tuple[int, int], int] = {}
    for one in everything:
        key = one.published.date().toordinal(), one.feed_id
        counts[key] = counts.get(key, 0) + 1
    for (day, feed), number in counts.items():
        if date.fromordinal(day) in days:
            yield FeedDay(date.fromordinal(day), feed, number)
