"""A second opinion beside the network: a linear model over hashed pieces of words and pairs of words.

It knows no meaning and is hard to fool where the network is easy to fool, so that the sum of both logits ranks items
better than either (docs/model.md has the figures). Pieces are hashed into a fixed number of weights (Weinberger et al.
2009, Feature Hashing). Pure (numpy).
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING, BinaryIO
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUCKETS = 1 << 18
_LENGTHS = (3, 4, 5)
_LONGEST_REMEMBERED = 40  # letters; a hostile text must not fill the memory with its words
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Ngrams:
    """The linear model: ``weights`` (topics, BUCKETS) times ``scale``, ``rarity`` (BUCKETS), ``bias`` (topics)."""

    weights: "NDArray[np.int8]"
    scale: float
    rarity: "NDArray[np.float16]"
    bias: "NDArray[np.float32]"

    @classmethod
    def read(cls, stored: BinaryIO) -> "Ngrams":
        """Read what training wrote."""
        import numpy as np  # noqa: PLC0415 - slow, and not needed to read a card

        with np.load(stored, allow_pickle=False) as arrays:
            return cls(arrays["weights"], float(arrays["scale"]), arrays["rarity"], arrays["bias"])

    def logits(self, text: str) -> "NDArray[np.float32]":
        """Return a logit per topic, shape (topics,)."""
        import numpy as np  # noqa: PLC0415 - as above

        places, values = self._values(pieces(text))
        return np.asarray(self._weighted(places, values).sum(axis=1) + self.bias, np.float32)

    def evidence(self, text: str) -> "list[tuple[int, int, NDArray[np.float32]]]":
        """Return for each word its place in the text (start, end) and what it adds to each topic's logit (topics,).

        A word adds what its own pieces add; pairs of words are left out.
        """
        import numpy as np  # noqa: PLC0415 - as above

        counts = pieces(text)
        places, values = self._values(counts)
        each = self._weighted(places, values) / np.fromiter(counts.values(), np.float32, len(counts))
        added = dict(zip(places.tolist(), each.T, strict=True))
        return [
            (word.start(), word.end(), np.sum([added[bucket] for bucket in _of_word(word[0].lower())], axis=0))
            for word in _WORD.finditer(text)
        ]

    def _values(self, counts: Counter[int]) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
        import numpy as np  # noqa: PLC0415 - as above

        places = np.fromiter(counts.keys(), np.int64, len(counts))
        values = np.fromiter((1 + math.log(n) for n in counts.values()), np.float32, len(counts))
        values *= self.rarity[places].astype(np.float32)
        return places, values / (float(np.linalg.norm(values)) or 1.0)

    def _weighted(self, places: "NDArray[np.int64]", values: "NDArray[np.float32]") -> "NDArray[np.float32]":
        import numpy as np  # noqa: PLC0415 - as above

        return np.asarray(self.weights[:, places].astype(np.float32) * (values * self.scale), np.float32)


def pieces(text: str) -> Counter[int]:
    """Count the buckets of a text's words, pairs of neighbouring words, and pieces of 3 to 5 letters of words."""
    words = [word.lower() for word in _WORD.findall(text)]
    found = Counter(chain.from_iterable(map(_of_word, words)))
    found.update(_bucket(f"p:{one} {two}") for one, two in pairwise(words))
    return found


def _bucket(piece: str) -> int:
    return crc32(piece.encode("utf-8", "replace")) % BUCKETS


def _of_word(word: str) -> tuple[int, ...]:
    return _remembered(word) if len(word) <= _LONGEST_REMEMBERED else _hashed(word)


@lru_cache(maxsize=8192)  # most words come again and again, and hashing their pieces is what takes the time
def _remembered(word: str) -> tuple[int, ...]:
    return _hashed(word)


def _hashed(word: str) -> tuple[int, ...]:
    padded = f" {word} "
    starts = [(length, start) for length in _LENGTHS for start in range(max(1, len(padded) - length + 1))]
    return (_bucket(f"w:{word}"), *(_bucket(padded[start : start + length]) for length, start in starts))
