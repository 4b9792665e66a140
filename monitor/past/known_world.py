"""What was known at a moment of the past: items as they came, their stories as they were grouped then. Pure.

A replay goes through its moments in order and lets the world learn each item once. What trends ask of it are counts of
stories, each by its first telling, by feed, local day and hour; they are kept up to date and never counted anew.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from monitor.detection.flow import HOURS, Calendar
from storage.past_records import FIRST_ANSWER, IMPORTED, Past, PastLook, Told
from storage.records import NEWS, Merge

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Counts: TypeAlias = "npt.NDArray[np.int32]"

_HOUR = 3600
_NEWS = int(NEWS.total_seconds())
_TICK, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which trends and rules look: one of the daemon's looks, or a full hour where it did not live."""

    now: datetime
    look: PastLook | None = None

    def knows(self, item: Told) -> bool:
        """Tell whether an item was there. An archive's items were, from their publication on, at a full hour."""
        return item.id <= self.look.last_item if self.look else item.seen <= self.now.timestamp()

    def shows(self, item: Told) -> bool:
        """Tell whether an item, when it was new, was news to the rules."""
        return item.backlog == 0 or (self.look is None and item.backlog == IMPORTED)


class Days:
    """The local days of a replay, numbered from 0."""

    def __init__(self, first: date, last: date, calendar: Calendar) -> None:
        self.dates = [first + n * _DAY for n in range((last - first).days + 1)]
        self.starts = [int(calendar.midnight(day).timestamp()) for day in self.dates]
        self.kinds = [calendar.kind(day) for day in self.dates]

    def place(self, at: int) -> tuple[int, int]:
        """Return day and hour of a time (s); day -1 lies before the first one. A longer day's 25th hour is its 24th."""
        day = bisect_right(self.starts, at) - 1
        return day, min((at - self.starts[day]) // _HOUR, HOURS - 1)


class Tally:
    """Counts stories, each where its first telling lies: ``by_day`` (feeds, days), ``by_hour`` (feeds, days, 24).

    ``news_by_hour`` counts those among them that were news when they came, as storage.history says: an archive's were
    at full hours, not to the daemon that lived (``lived``).
    """

    def __init__(self, feeds: Mapping[int, int], days: Days, *, lived: bool) -> None:
        import numpy as np  # noqa: PLC0415 - the command line must start without it

        self._feeds, self._days = feeds, days
        self._first: dict[int, Told] = {}
        self.by_day: Counts = np.zeros((len(feeds), len(days.starts)), dtype=np.int32)
        self.by_hour: Counts = np.zeros((len(feeds), len(days.starts), HOURS), dtype=np.int32)
        self.news_by_hour: Counts = np.zeros_like(self.by_hour)
        self._backlog = (FIRST_ANSWER, IMPORTED) if lived else (FIRST_ANSWER,)
        self.changed_from = 0
        """The first day that has changed since somebody set this."""

    def tell(self, story: int, item: Told) -> None:
        """Learn of a telling; an earlier one than those known moves the story."""
        first = self._first.get(story)
        if first is None or (item.published, item.id) < (first.published, first.id):
            if first is not None:
                self._count(first, -1)
            self._first[story] = item
            self._count(item, 1)

    def merge(self, story: int, into: int) -> None:
        """Make two stories one."""
        first = self._first.pop(story, None)
        if first is not None:
            self._count(first, -1)
            self.tell(into, first)

    def _count(self, item: Told, change: int) -> None:
        day, hour = self._days.place(item.published)
        if day < 0:
            return
        row = self._feeds[item.feed_id]
        self.by_day[row, day] += change
        self.by_hour[row, day, hour] += change
        if item.backlog not in self._backlog and item.seen - item.published <= _NEWS:
            self.news_by_hour[row, day, hour] += change
        self.changed_from = min(self.changed_from, day)


class World:
    """All that is known: ``every`` counts all stories, ``topics`` those of each topic."""

    def __init__(self, past: Past, topics: Iterable[str], feeds: Mapping[int, int], days: Days, *, lived: bool) -> None:
        self._signals = past.signals
        self._stories = Stories()
        self._merges = merges_by_item(past)
        self.every = Tally(feeds, days, lived=lived)
        self.topics = {topic: Tally(feeds, days, lived=lived) for topic in topics}
        for merge in self._merges.pop(BEFORE, ()):
            self._merge(merge)

    def learn(self, item: Told) -> None:
        """Learn of an item, and that it showed stories to be one."""
        if item.story is not None and item.counts:
            story = self._stories.present(item.story)
            self.every.tell(story, item)
            for signal in self._signals.get(item.id, ()):
                if signal.topic in self.topics:
                    self.topics[signal.topic].tell(story, item)
        for merge in self._merges.get(item.id, ()):
            self._merge(merge)

    def _merge(self, merge: Merge) -> None:
        story, into = self._stories.merge(merge)
        if story != into:
            for tally in (self.every, *self.topics.values()):
                tally.merge(story, into)


class Stories:
    """Which story has a story's items now, as far as merges are known."""

    def __init__(self) -> None:
        self._into: dict[int, int] = {}

    def present(self, story: int) -> int:
        """Return the story that has these items now."""
        while story in self._into:
            story = self._into[story]
        return story

    def merge(self, merge: Merge) -> tuple[int, int]:
        """Learn of a merge. Returns the story that is no more, and the one that has its items now; perhaps the same."""
        story, into = self.present(merge.story_id), self.present(merge.into_id)
        if story != into:
            self._into[story] = into
        return story, into


BEFORE = 0
"""Stands for the items from before the period: no item has this id."""


def merges_by_item(past: Past) -> dict[int, list[Merge]]:
    """Return the merges by the item that brought each about; those of items that were not read stand under BEFORE."""
    read = {item.id for item in past.items}
    found: dict[int, list[Merge]] = {}
    for merge in past.merges:
        found.setdefault(merge.item_id if merge.item_id in read else BEFORE, []).append(merge)
    return found


def moments(past: Past, since: datetime, until: datetime) -> list[Moment]:
    """Return when trends and rules look in a period: every full hour before the first look, then at all looks."""
    first = max(since, past.oldest or until)
    hour = first.replace(minute=0, second=0, microsecond=0)
    hour += _TICK if hour < first else timedelta(0)
    hours = []
    while hour <= until and (past.first_look is None or hour < past.first_look):
        hours.append(Moment(hour))
        hour += _TICK
    return [*hours, *(Moment(look.at, look) for look in past.looks if since <= look.at <= until)]


def phases(found: Sequence[Moment]) -> list[Sequence[Moment]]:
    """Cut moments where the daemon began to live: what is known at its looks does not follow from full hours."""
    hours = sum(moment.look is None for moment in found)
    return [phase for phase in (found[:hours], found[hours:]) if phase]


def in_order(past: Past, phase: Sequence[Moment]) -> Sequence[Told]:
    """Return the items in the order in which they become known in a phase."""
    return past.items if phase[0].look else sorted(past.items, key=lambda item: (item.seen, item.id))


def shown(past: Past, found: Sequence[Moment]) -> list[list[Told]]:
    """Return for each moment the items that the rules saw first then, by id; without backlog."""
    by_look: dict[int, list[Told]] = {}
    for item in past.items:
        if item.look is not None:
            by_look.setdefault(item.look, []).append(item)
    by_time = sorted(past.items, key=lambda item: (item.seen, item.id))
    seen = [item.seen for item in by_time]
    chosen = []
    for moment in found:
        at = int(moment.now.timestamp())
        new = by_time[bisect_right(seen, at - _HOUR) : bisect_right(seen, at)]
        items = by_look.get(moment.look.id, []) if moment.look else sorted(new, key=lambda item: item.id)
        chosen.append([item for item in items if moment.shows(item)])
    return chosen
