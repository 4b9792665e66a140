"""Walk through doubtful items in the terminal, and ask about each what it really is."""

import asyncio
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import click

from monitor.cli.statements import Misunderstood, Reply, from_answer, keys
from storage.labels import Known
from storage.store import Store

WIDEST, MOST_LINES = 100, 8
WORTH_A_REASON = 0.5
"""The share of its threshold from which on a topic's deciding words are shown."""

HELP = """\
  Type the letters (or names) of all topics that the item carries, separated by spaces: those and no others.
  n  it carries none          y  the model is right in every topic that is not labelled yet
  s  or Enter: skip it        u  undo the last answer, and ask again
  q  stop; what was answered is stored already"""

Words = Mapping[str, Sequence[str]]
"""For each topic the words that decided, strongest first."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An item to ask about, with the words that decided in each topic."""

    known: Known
    words: Words


@dataclass(frozen=True, slots=True)
class _Answered:
    place: int
    before: Mapping[str, bool]
    labels: int


def _line(prompt: str) -> str:
    """Read one line from standard input; its end, and Ctrl-C, mean that the person stops."""
    click.echo(prompt, nl=False)
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        line = ""
    if not line or not sys.stdin.isatty():
        click.echo(line.rstrip("\n"))  # so that a log of piped answers reads like a terminal
    return line or "q"


@dataclass
class Review:
    """One walk. ``thresholds`` holds, per topic, the probability from which on an item counts.

    ``ask`` shows a question and returns the answer. Every answer is stored when it is given; ``done`` are those that
    were not undone.
    """

    store: Store
    doubts: Sequence[Doubt]
    topics: Sequence[str]
    thresholds: Mapping[str, float]
    now: Callable[[], datetime]
    ask: Callable[[str], str] = _line
    done: list[_Answered] = field(default_factory=list)

    @property
    def labels(self) -> int:
        """Count the labels that were given."""
        return sum(answer.labels for answer in self.done)

    def walk(self) -> None:
        """Ask about one item after the other, until the last one or until the person stops. Raises StorageError."""
        place: int | None = 0
        while place is not None and place < len(self.doubts):
            click.echo(f"\n{self._page(place)}")
            place = self._after(self._reply(self.doubts[place]), place)

    def _after(self, reply: Reply, place: int) -> int | None:
        """Do what was said; return the place of the item to ask about next, None to stop."""
        if reply == "quit":
            return None
        if reply == "undo":
            return self._undo(place)
        if not isinstance(reply, str):
            self._keep(reply, place)
        return place + 1

    def _keep(self, said: Mapping[str, bool], place: int) -> None:
        known = self.doubts[place].known
        asyncio.run(self.store.save_labels(known.item.id, said, self.now()))
        self.done.append(_Answered(place, known.labels, len(said)))

    def _undo(self, place: int) -> int:
        if not self.done:
            click.echo("  There is nothing to undo.")
            return place
        last = self.done.pop()
        asyncio.run(self.store.replace_labels(self.doubts[last.place].known.item.id, last.before, self.now()))
        return last.place

    def _reply(self, doubt: Doubt) -> Reply:
        """Ask until the answer is understood."""
        while True:
            try:
                reply = from_answer(self.ask(self._prompt()), self.topics, self._model_says(doubt.known))
            except Misunderstood as error:
                click.echo(f"  {error}")
                continue
            if reply != "help":
                return reply
            click.echo(HELP)

    def _model_says(self, known: Known) -> dict[str, bool]:
        """Return the model's word on the topics without a label: "the model is right" is no word against a person's."""
        topics = [t for t in self.topics if t in known.probabilities and t in self.thresholds and t not in known.labels]
        return {topic: known.probabilities[topic] >= self.thresholds[topic] for topic in topics}

    def _prompt(self) -> str:
        letters = " ".join(keys(self.topics).values())
        return f"What is it? [{letters}, n none, y model is right, Enter skip, u undo, q quit, ? help] "

    def _page(self, place: int) -> str:
        known = self.doubts[place].known
        item = known.item
        head = f"{place + 1} of {len(self.doubts)} · {item.feed} · {item.published:%Y-%m-%d} · item {item.id}"
        lines = [click.style(head, dim=True), *_title(item.title), *_summary(item.summary)]
        lines += [f"  {item.url}"] if item.url else []
        return "\n".join([*lines, *(self._topic(topic, place) for topic in self.topics)])

    def _topic(self, topic: str, place: int) -> str:
        """Show a topic's key, probability, threshold, verdict, and what speaks for it."""
        known = self.doubts[place].known
        name = f"  [{keys(self.topics)[topic]}] {topic:{max(map(len, self.topics))}}"
        if topic not in known.probabilities or topic not in self.thresholds:
            return f"{name}  not read by the present model{_SAID[known.labels.get(topic)]}"
        likely, limit = known.probabilities[topic], self.thresholds[topic]
        verdict = f"{'yes' if likely >= limit else 'no'}{_SAID[known.labels.get(topic)]}"
        words = ", ".join(self.doubts[place].words.get(topic, ())) if likely >= limit * WORTH_A_REASON else ""
        return f"{name}  {likely:.2f} of {limit:.2f}: {verdict}{f', because: {words}' if words else ''}"


_SAID = {None: "", True: " (you said yes)", False: " (you said no)"}


def _title(text: str) -> list[str]:
    return [click.style(line, bold=True) for line in textwrap.wrap(text, _width())]


def _summary(text: str) -> list[str]:
    return textwrap.wrap(
        text, _width(), initial_indent="  ", subsequent_indent="  ", max_lines=MOST_LINES, placeholder=" …"
    )


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST)
