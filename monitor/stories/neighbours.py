"""Which tellings are worth comparing, and how near their embeddings are. Pure; numpy is imported when first used.

Exact cosines, by one matrix product for each model. Tellings without an embedding, or with one of another model, are
found by the rare words that they share.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from monitor.stories.names import Said, rarity, said
from storage.records import Telling

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Vectors: TypeAlias = "npt.NDArray[np.float32]"

NEAREST = 40
"""So many of the nearest tellings are compared with a new one."""
_DAY = 86_400
_AT_ONCE = 64  # fresh tellings in one matrix product
_RARE = 5.0  # tellings that share no word as rare as this are not worth comparing
_DISTANT = 0.2  # below this cosine, no two texts tell one event


class Neighbours:
    """The tellings of a batch. The first ``fresh`` of them look for neighbours among all, at most ``days`` away."""

    def __init__(self, tellings: Sequence[Telling], fresh: int, days: float) -> None:
        self._tellings, self._fresh, self._days = tellings, fresh, days
        self._times = [one.item.published.timestamp() for one in tellings]
        self._said: dict[int, Said] = {}
        self._rows: dict[int, tuple[str, int]] = {}
        self._owners: dict[str, list[int]] = {}
        self._vectors: dict[str, Vectors] = {}
        for model in sorted({one.embedding.model for one in tellings[:fresh] if one.embedding}):
            self._load(model)

    def said(self, which: int) -> Said:
        """Return what a telling says."""
        if which not in self._said:
            item = self._tellings[which].item
            self._said[which] = said(item.title, item.summary, item.lang)
        return self._said[which]

    def days(self, one: int, other: int) -> float:
        """Return how many days lie between two tellings."""
        return abs(self._times[one] - self._times[other]) / _DAY

    def cosine(self, one: int, other: int) -> float | None:
        """Return the cosine of two tellings' embeddings; None when they cannot be compared."""
        if not self._comparable(one, other):
            return None
        vectors = self._vectors[self._rows[one][0]]
        return float(vectors[self._rows[one][1]] @ vectors[self._rows[other][1]])

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Name the pairs of a fresh telling and another that are worth comparing."""
        for model in self._vectors:
            for begin in range(0, self._fresh, _AT_ONCE):
                yield from self._near(model, range(begin, min(begin + _AT_ONCE, self._fresh)))
        yield from self._sharing()

    def _load(self, model: str) -> None:
        import numpy as np  # noqa: PLC0415 - the command line must start without it

        found = [
            (n, one.embedding.vector)
            for n, one in enumerate(self._tellings)
            if one.embedding and one.embedding.model == model
        ]
        found = [(n, vector) for n, vector in found if len(vector) == len(found[0][1])]
        halves = np.frombuffer(b"".join(vector for _, vector in found), "<f2")
        self._vectors[model] = halves.astype(np.float32).reshape(len(found), -1)
        self._owners[model] = [n for n, _ in found]
        self._rows.update({n: (model, row) for row, (n, _) in enumerate(found)})

    def _model(self, which: int) -> str:
        return self._rows[which][0] if which in self._rows else ""

    def _comparable(self, one: int, other: int) -> bool:
        return self._model(one) == self._model(other) != ""

    def _near(self, model: str, fresh: range) -> Iterator[tuple[int, int]]:
        """Name the nearest tellings of some fresh ones by their embeddings."""
        import numpy as np  # noqa: PLC0415 - the command line must start without it

        owners = self._owners[model]
        ours = [n for n in fresh if self._model(n) == model]
        rows = [self._rows[n][1] for n in ours]
        times = np.array([self._times[n] for n in owners])
        cosines = self._vectors[model][rows] @ self._vectors[model].T
        cosines[np.abs(times[rows, None] - times) > self._days * _DAY] = -1
        nearest = np.argpartition(-cosines, min(NEAREST, len(owners) - 1), axis=1)[:, : NEAREST + 1]
        for n, row, columns in zip(ours, cosines, nearest, strict=True):
            yield from ((n, owners[column]) for column in columns if row[column] > _DISTANT and owners[column] != n)

    def _sharing(self) -> Iterator[tuple[int, int]]:
        """Name the tellings that share the most rare words, where embeddings cannot be compared."""
        says = self._saying(self._others())
        for n in range(self._fresh) if says else ():
            found = (other for word in self.said(n).words for other in says.get(word, ()))
            shared = Counter(other for other in found if other != n and not self._comparable(n, other))
            near = sorted((-count, other) for other, count in shared.items() if self.days(n, other) <= self._days)
            yield from ((n, other) for _, other in near[:NEAREST])

    def _others(self) -> Iterable[int]:
        """Name the tellings whose embeddings some fresh one cannot be compared with."""
        models = {self._model(n) for n in range(self._fresh)}
        everyone = range(len(self._tellings))
        return everyone if "" in models or len(models) > 1 else (n for n in everyone if self._model(n) not in models)

    def _saying(self, tellings: Iterable[int]) -> dict[str, list[int]]:
        says: dict[str, list[int]] = {}
        for n in tellings:
            for word in self.said(n).words:
                if rarity(word) >= _RARE:
                    says.setdefault(word, []).append(n)
        return says
