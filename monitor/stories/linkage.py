"""Joins clusters by average linkage, the nearest two first, as long as two are near enough. Pure.

Agglomerative clustering (Sokal & Michener 1958, A statistical method for evaluating systematic relationships) that
starts from clusters that are there already, and never splits one. Clusters are known by ints.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import TypeAlias

Pair: TypeAlias = tuple[int, int]


class Linkage:
    """Clusters that may be joined.

    ``pairs`` are neighbours; when two are joined, the neighbours of either become those of both. ``value`` says how
    near two clusters are now, or None when they are not near enough. ``join`` makes two one and returns its name, which
    is one of the two.
    """

    def __init__(
        self, pairs: Iterable[Pair], value: Callable[[int, int], float | None], join: Callable[[int, int], int]
    ) -> None:
        self._value, self._join = value, join
        self._near: dict[int, set[int]] = {}
        self._grown: dict[int, int] = {}
        self._heap: list[tuple[float, Pair, Pair]] = []
        for pair in sorted({(min(pair), max(pair)) for pair in pairs}):
            self._meet(pair)

    def run(self) -> None:
        """Join until no two clusters are near enough."""
        while self._heap:
            _, pair, grown = heappop(self._heap)
            if self._as_grown(pair) == grown:  # else one of them is no more what it was
                self._unite(pair)

    def _unite(self, pair: Pair) -> None:
        kept = self._join(*pair)
        gone = pair[0] if kept == pair[1] else pair[1]
        self._grown[kept] = self._grown.get(kept, 0) + 1
        self._grown[gone] = -1
        around = (self._near[kept] | self._near.pop(gone)) - {kept, gone}
        self._near[kept] = set()
        for other in sorted(around):
            self._near[other].discard(gone)
            self._meet((min(kept, other), max(kept, other)))

    def _meet(self, pair: Pair) -> None:
        for one, other in (pair, pair[::-1]):
            self._near.setdefault(one, set()).add(other)
        value = self._value(*pair)
        if value is not None:
            heappush(self._heap, (-value, pair, self._as_grown(pair)))

    def _as_grown(self, pair: Pair) -> Pair:
        return self._grown.get(pair[0], 0), self._grown.get(pair[1], 0)
