"""Where everything stands in a YAML text, character by character, so that one place can be changed and no other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML text, and its place: from ``start`` to before ``end``, in characters of the text.

    ``value`` is a scalar's text (empty for other nodes), ``children`` what a list holds, or a mapping's keys and values
    in turn. ``flow`` is True for what is written in brackets or braces. ``column`` counts from 0.
    """

    start: int
    end: int
    column: int
    value: str = ""
    children: tuple["Node", ...] = ()
    flow: bool = False

    def pairs(self) -> list[tuple["Node", "Node"]]:
        """Return a mapping's keys, each with its value."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    def get(self, name: str) -> "tuple[Node, Node] | None":
        """Return the key of that name with its value, or None."""
        return next((pair for pair in self.pairs() if pair[0].value == name), None)


def outline(text: str) -> Node:
    """Return the root of a YAML text that holds one mapping. Raises ruamel's YAMLError for what is no YAML."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and `monitor --help` needs no YAML

    events = iter(YAML(typ="safe", pure=True).parse(text))
    next(events)  # the stream begins
    next(events)  # the document begins
    root = _next(text, events, 0)
    return root if isinstance(root, Node) else Node(0, 0, 0)


def _next(text: str, events: Iterator[Any], before: int) -> Node | int:
    """Read one node, or where the list or mapping that is being read ends.

    ``before`` is where the node before it ends, which is also where an empty node stands.
    """
    event = next(events)
    start, end = event.start_mark.index, event.end_mark.index
    kind = type(event).__name__
    if kind in {"MappingEndEvent", "SequenceEndEvent"}:
        return int(end)
    if kind in {"MappingStartEvent", "SequenceStartEvent"}:
        return _collection(text, events, event)
    if start == end:  # the parser names the place of whatever comes next
        return Node(before, before, event.start_mark.column)
    end = len(text[:end].rstrip())  # without the blank lines that a text of several lines includes
    return Node(start, end, event.start_mark.column, str(getattr(event, "value", "")))


def _collection(text: str, events: Iterator[Any], begun: Any) -> Node:
    start, flow = begun.start_mark.index, bool(begun.flow_style)
    children: list[Node] = []
    end = start
    while isinstance(child := _next(text, events, end), Node):
        children.append(child)
        end = child.end
    # A block ends with what is in it; its own end would include the comments behind it.
    return Node(start, child if flow else end, begun.start_mark.column, "", tuple(children), flow)
