"""Understand what a person types about an item: `--capex --not-efficiency`, or an answer in a review. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

Command = Literal["skip", "undo", "quit", "help"]
Reply: TypeAlias = "Mapping[str, bool] | Command"
"""Labels (topic: carries it or not), or what to do instead."""

COMMANDS: Mapping[str, Command] = {"": "skip", "s": "skip", "u": "undo", "q": "quit", "?": "help"}
NONE, RIGHT = "n", "y"
_TAKEN = {*COMMANDS, NONE, RIGHT}


class Misunderstood(ValueError):
    """What was typed makes no sense; the text says why, and what can be typed."""


def from_flags(flags: Sequence[str], topics: Sequence[str]) -> dict[str, bool]:
    """Read `--TOPIC`, `--not-TOPIC` and `--none` as labels. Raises Misunderstood."""
    said: dict[str, bool] = {}
    for flag in flags:
        for topic, carries in _meaning(flag.removeprefix("--"), topics).items():
            if said.setdefault(topic, carries) != carries:
                raise Misunderstood(f"{flag} contradicts what stands before it: choose --{topic} or --not-{topic}")
    if not said:
        raise Misunderstood(f"say what the item is: {_choices(topics)}")
    return said


def _meaning(name: str, topics: Sequence[str]) -> dict[str, bool]:
    if name in topics:
        return {name: True}
    if name == "none":
        return dict.fromkeys(topics, False)
    denied = name.removeprefix("not-")
    if denied in topics:
        return {denied: False}
    raise Misunderstood(f"there is no topic {denied!r}; say {_choices(topics)}")


def _choices(topics: Sequence[str]) -> str:
    return f"--TOPIC or --not-TOPIC, or --none (topics: {', '.join(topics)})"


def keys(topics: Sequence[str]) -> dict[str, str]:
    """Return for each topic the key that stands for it in a review: as few of its first letters as are still free."""
    chosen: dict[str, str] = {}
    for topic in topics:
        starts = [topic[:length].lower() for length in range(1, len(topic) + 1)]
        chosen[topic] = next((start for start in starts if start not in {*_TAKEN, *chosen.values()}), topic)
    return chosen


def from_answer(line: str, topics: Sequence[str], model_says: Mapping[str, bool]) -> Reply:
    """Read an answer in a review: keys or names of all topics that the item carries, or a command.

    ``model_says`` is what "the model is right" means. Raises Misunderstood.
    """
    words = line.lower().replace(",", " ").split()
    typed = " ".join(words)
    if typed in COMMANDS:
        return COMMANDS[typed]
    if typed == RIGHT:
        return model_says
    return dict.fromkeys(topics, False) if typed == NONE else _carried(words, topics)


def _carried(words: Sequence[str], topics: Sequence[str]) -> dict[str, bool]:
    meant = {name: topic for topic, key in keys(topics).items() for name in (topic.lower(), key)}
    if unknown := [word for word in words if word not in meant]:
        known = ", ".join(f"{key} {topic}" for topic, key in keys(topics).items())
        raise Misunderstood(f"I do not know {unknown[0]!r}; type {known}, or ? for help")
    return {topic: topic in {meant[word] for word in words} for topic in topics}
