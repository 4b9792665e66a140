"""How good a grouping into stories is: B-cubed scores, and grouping as it goes on a running system, batch by batch."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from monitor.stories.grouping import group, spans
from storage.records import Grouping, Telling


@dataclass(frozen=True, slots=True)
class Score:
    """B-cubed precision and recall (0 to 1).

    Bagga & Baldwin 1998, Entity-based cross-document coreferencing using the vector space model.
    """

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Return the harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def bcubed(stories: Sequence[Hashable], events: Sequence[Hashable], among: Iterable[int] | None = None) -> Score:
    """Compare each item's story with its event, on average over the items ``among`` all (places; all when None)."""
    size, told, both = Counter(stories), Counter(events), Counter(zip(stories, events, strict=True))
    rows = range(len(stories)) if among is None else list(among)
    right = [both[stories[n], events[n]] for n in rows]
    precision = sum(count / size[stories[n]] for count, n in zip(right, rows, strict=True)) / len(right)
    recall = sum(count / told[events[n]] for count, n in zip(right, rows, strict=True)) / len(right)
    return Score(precision, recall)


def agreement(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> float:
    """Return the share of the pairs of items put together by either grouping that both put together (Jaccard)."""
    one, other = _together(ours), _together(theirs)
    return len(one & other) / len(one | other) if one | other else 1.0


def in_batches(tellings: Sequence[Telling], size: int) -> list[int]:
    """Group tellings as they arrive, ``size`` at a time; return each one's story."""
    shelf = Shelf()
    for begin in range(0, len(tellings), size):
        shelf.add(tellings[begin : begin + size])
    return [shelf.story(one) for one in tellings]


class Shelf:
    """The stories of a database, in memory."""

    def __init__(self) -> None:
        self._told: dict[int, Telling] = {}
        self._newest = 0

    def add(self, batch: Sequence[Telling]) -> Grouping:
        """Group a batch with what is there, and keep it."""
        between = spans(batch)
        told = [
            one for one in self._told.values() if any(since <= one.item.published <= until for since, until in between)
        ]
        grouping = group(batch, told)
        for merge in grouping.merges:
            for item_id, one in self._told.items():
                if one.story_id == merge.story_id:
                    self._told[item_id] = replace(one, story_id=merge.into_id)
        items = {one.item.id: one for one in batch}
        highest = self._newest
        for place in grouping.placed:
            story_id = place.story_id if place.story_id > 0 else highest - place.story_id
            self._newest = max(self._newest, story_id)
            self._told[place.item_id] = replace(items[place.item_id], story_id=story_id)
        return grouping

    def story(self, telling: Telling) -> int:
        """Return the id of the story that a telling is in now."""
        return self._told[telling.item.id].story_id or 0


def _together(stories: Sequence[Hashable]) -> set[tuple[int, int]]:
    members: dict[Hashable, list[int]] = {}
    for n, story in enumerate(stories):
        members.setdefault(story, []).append(n)
    return {pair for places in members.values() for pair in combinations(places, 2)}
