"""Which items tell one event, across outlets, wording and language? Pure.

Items with the same title are one story: feeds syndicate. All others are joined by how likely they tell one event
(monitor.stories.likeness): a new item, and whatever told stories it connects, become one story when the tellings of
both sides are likely the same on average, so that a chain of follow-ups does not become one story. Stories told before
are never split, and all a batch decides follows from its items and what was told, not from the order in which they are
given.

Novelty decays along a story, and the number of independent outlets is kept (storage): RavenPack's published chain.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import fmean
from typing import TypeAlias

from monitor.stories.likeness import likeness
from monitor.stories.linkage import Linkage, Pair
from monitor.stories.neighbours import Neighbours
from monitor.stories.titles import comparable, copied, fingerprint
from storage.records import Grouping, Merge, Relation, StoryItem, Telling

WITHIN = timedelta(days=3)
"""A telling joins a story at most this far from another telling of it."""
LONGEST = timedelta(days=7)
"""So long may a story be told, from the first telling to the last."""

ENOUGH = -0.25
"""Log-odds that the tellings of one story have at least, on average: one in two, less a little."""
LEAST, MOST = -1.5, 4.0
"""Log-odds: no pair of tellings speaks more strongly against one story, or for it."""
WORDINGS = 16
"""Of a long story so many wordings, its latest, are compared."""
_REACH = WITHIN + LONGEST  # a story's telling that is near enough, and the story's end that is farthest from it
_WITHIN_DAYS = WITHIN / timedelta(days=1)

Span: TypeAlias = tuple[datetime, datetime]


def group(new: Sequence[Telling], told: Sequence[Telling]) -> Grouping:
    """Place every new item in a story: a told one, or one that is opened here under a negative id.

    ``told`` are items that have their places, those published in ``spans(new)``. Stories that a new item shows to be
    one are merged into the older one. Meant for batches: the time grows with the square of what is alike among ``new``.
    """
    fresh = sorted(new, key=_order)
    ids = {one.item.id for one in fresh}
    stories = _Stories([*fresh, *sorted((one for one in told if one.item.id not in ids), key=_order)], len(fresh))
    stories.join_titles()
    stories.join_alike()
    return stories.grouping()


def spans(new: Sequence[Telling]) -> list[Span]:
    """Return the times of publication, from and to, of whatever could be told with new items, and of their stories.

    The spans do not overlap; the earliest comes first.
    """
    merged: list[Span] = []
    for since, until in sorted((one.item.published - _REACH, one.item.published + _REACH) for one in new):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged


def _order(telling: Telling) -> tuple[datetime, int]:
    return telling.item.published, telling.item.id


def _fit(one: Span, other: Span) -> bool:
    """Tell whether what was told in these spans together does not take too long for one story."""
    return max(one[1], other[1]) - min(one[0], other[0]) <= LONGEST


class _Stories:
    """Stories in the making. Tellings go by their places in ``tellings``, of which the ``fresh`` first ones are new."""

    def __init__(self, tellings: Sequence[Telling], fresh: int) -> None:
        self._tellings, self._fresh = tellings, fresh
        self._neighbours = Neighbours(tellings, fresh, _WITHIN_DAYS)
        self._prints = [fingerprint(one.item) for one in tellings]
        self._comparable: dict[int, bool] = {}
        self._scores: dict[Pair, float] = {}
        self._story: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self._extent: dict[int, Span] = {}
        self._merges: list[Merge] = []

    def join_titles(self) -> None:
        """Put each new telling where its title was told, the nearest in time, or into a story of its own."""
        same: dict[str, list[int]] = {}
        for which in (*range(self._fresh, len(self._tellings)), *range(self._fresh)):
            alike = same.setdefault(self._prints[which], [])
            story = self._tellings[which].story_id if which >= self._fresh else self._told_in(which, alike)
            self._put(which, -1 - which if story is None else story)
            alike.append(which)

    def join_alike(self) -> None:
        """Join stories whose tellings are likely the same event, the likeliest first."""
        near = [pair for pair in self._neighbours.pairs() if self._likeness(*pair) >= ENOUGH]
        pairs = {(self._story[one], self._story[other]) for one, other in near}
        Linkage((pair for pair in pairs if pair[0] != pair[1]), self._value, self._join).run()

    def grouping(self) -> Grouping:
        """Return what was decided about the new tellings."""
        opened = sorted((story for story in self._members if story < 0), reverse=True)
        names = {story: -1 - n for n, story in enumerate(opened)}
        stories = [self._story[which] for which in range(self._fresh)]
        placed = [
            StoryItem(self._tellings[which].item.id, names.get(story, story), self._relation(which, story))
            for which, story in enumerate(stories)
        ]
        return Grouping(tuple(placed), tuple(self._merges))

    def _put(self, which: int, story: int) -> None:
        published = self._tellings[which].item.published
        since, until = self._extent.get(story, (published, published))
        self._story[which] = story
        self._members.setdefault(story, []).append(which)
        self._extent[story] = min(since, published), max(until, published)

    def _told_in(self, which: int, alike: Sequence[int]) -> int | None:
        published = self._tellings[which].item.published
        near = [
            other
            for other in alike
            if self._near(which, other) and _fit((published, published), self._extent[self._story[other]])
        ]
        nearest = min(near, key=lambda other: (self._neighbours.days(which, other), other), default=None)
        return None if nearest is None else self._story[nearest]

    def _near(self, one: int, other: int) -> bool:
        return self._neighbours.days(one, other) <= _WITHIN_DAYS

    def _value(self, one: int, other: int) -> float | None:
        """Return how likely the tellings of two stories are the same on average; None when not likely enough."""
        if not _fit(self._extent[one], self._extent[other]):
            return None
        ours, theirs = self._wordings(one), self._wordings(other)
        average = self._average(ours, theirs)
        return average if average >= ENOUGH and self._agree(ours, theirs) else None

    def _average(self, ours: Sequence[int], theirs: Sequence[int]) -> float:
        return fmean(min(MOST, max(LEAST, self._likeness(mine, yours))) for mine in ours for yours in theirs)

    def _agree(self, ours: Sequence[int], theirs: Sequence[int]) -> bool:
        """Tell whether two told stories are alike without the new telling that connects them: it may be a round-up."""
        mine, yours = ([which for which in side if which >= self._fresh] for side in (ours, theirs))
        return not mine or not yours or self._average(mine, yours) >= ENOUGH

    def _wordings(self, story: int) -> list[int]:
        """Return the latest tellings of a story; of those with the same title, the first."""
        newest_first = sorted(self._members[story], key=self._when, reverse=True)
        return list({self._prints[which]: which for which in newest_first}.values())[:WORDINGS]

    def _likeness(self, one: int, other: int) -> float:
        pair = (min(one, other), max(one, other))
        if pair not in self._scores:
            worth = self._near(*pair) and self._speaks(one) and self._speaks(other)
            self._scores[pair] = self._compared(*pair) if worth else LEAST
        return self._scores[pair]

    def _speaks(self, which: int) -> bool:
        if which not in self._comparable:
            self._comparable[which] = comparable(self._tellings[which].item)
        return self._comparable[which]

    def _compared(self, one: int, other: int) -> float:
        near = self._neighbours
        same_feed = self._tellings[one].item.feed_id == self._tellings[other].item.feed_id
        days, cosine = near.days(one, other), near.cosine(one, other)
        return likeness(near.said(one), near.said(other), days, cosine, same_feed=same_feed)

    def _join(self, one: int, other: int) -> int:
        """Make two stories one: the older told one, else the one that opened first."""
        kept, gone = sorted((one, other), key=lambda story: (story < 0, abs(story)))
        if gone > 0:
            connects = min(which for which in (*self._members[one], *self._members[other]) if which < self._fresh)
            self._merges.append(Merge(gone, kept, self._tellings[connects].item.id))
        for which in self._members.pop(gone):
            self._put(which, kept)
        return kept

    def _relation(self, which: int, story: int) -> Relation:
        """Say what a telling is to those before it."""
        item = self._tellings[which].item
        before = [self._tellings[other].item for other in self._members[story] if self._when(other) < self._when(which)]
        if not before:
            return "first"
        if any(copied(item, earlier) for earlier in before):
            return "copy"
        return "update" if any(item.feed_id == earlier.feed_id for earlier in before) else "retelling"

    def _when(self, which: int) -> tuple[datetime, int]:
        return _order(self._tellings[which])
