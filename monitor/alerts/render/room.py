"""How much a message may hold: what is beyond it is counted instead of listed. Pure.

Gmail cuts a mail off at 102 kB of HTML. What has no list (words, headings, styles) takes up to 22 kB of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Thing = TypeVar("Thing")

WHOLE = 76_000
"""Bytes of HTML for charts, tables and stories together."""


@dataclass(slots=True)
class Room:
    """What is left, in bytes of HTML."""

    left: int

    def half(self) -> "Room":
        """Return a room of half of what is left, to be filled first."""
        return Room(self.left // 2)

    def spend(self, size: int) -> None:
        """Make the room smaller by what takes its place anyway."""
        self.left -= size

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
