"""How much a message may hold: what is beyond it is counted instead of listed. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Thing = TypeVar("Thing")


@dataclass(slots=True)
class Room:
    """What is left for lists, in bytes of HTML: mail programs on the web cut off what is beyond 102 kB."""

    left: int = 52_000

    def take(self, things: Iterable[Thing], size: Callable[[Thing], int]) -> tuple[Thing, ...]:
        """Return the first of the things, as many as there is room for."""
        taken: list[Thing] = []
        for thing in things:
            if (needed := size(thing)) > self.left:
                break
            self.left -= needed
            taken.append(thing)
        return tuple(taken)


def html_bytes(*texts: str | None) -> int:
    """Return how long texts are in HTML, where a sign such as & takes five bytes."""
    return sum(len(text.encode()) + 4 * sum(map(text.count, "&<>\"'")) for text in texts if text)
