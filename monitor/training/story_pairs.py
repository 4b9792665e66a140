"""Fits what monitor.stories.likeness weighs: ``python -m monitor.training.story_pairs`` writes stories/weights.py.

Logistic regression on pairs of items that were published within a few days of each other: those that tell one event
against all others. ``stories_fit.jsonl`` holds two sets with times of publication; ``retellings.jsonl`` has none, and
is given some. So are some of the classifier's training items, each an event of its own: strangers as a busy day brings
them. ``stories_exam.jsonl`` is for ``python -m benchmarks.stories``: nothing learns from it.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np

from monitor.signals.logistic import Numbers, Observed, Prior, fitted
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.text import model_text
from monitor.stories.grouping import WITHIN
from monitor.stories.likeness import FEATURES, features
from monitor.stories.neighbours import Neighbours
from monitor.training.dataset import DATA, json_lines, written_examples
from storage.records import Embedding, Item, Telling

WEIGHTS = Path(__file__).parents[1] / "stories" / "weights.py"
START = datetime(2026, 1, 5, tzinfo=UTC)
_HOURS = 336.0  # of the timelines
_STRANGERS, _FEEDS = 800, 60
_APART = 3.5  # days between the items of a pair to learn from, at most
_PRECISION = 5.0  # of the prior, for features of unit variance
_HEAD = '''"""What each kind of evidence weighs when two items may tell one event: see monitor.stories.likeness.

Natural logits. Written by ``python -m monitor.training.story_pairs``; not to be edited.
"""
'''


@dataclass(frozen=True, slots=True)
class Told:
    """An item of the story data with the event that it tells; ``relation`` is what its writer said it is."""

    telling: Telling
    event: str
    relation: str

    @property
    def item(self) -> Item:
        """Return the item."""
        return self.telling.item


def main() -> int:
    """Fit and write the weights; return the exit code."""
    sets = [*story_sets("stories_fit.jsonl").values(), untimed("retellings.jsonl"), strangers()]
    WEIGHTS.write_text(source(sets), encoding="utf-8")
    print(f"{WEIGHTS.name} written")
    return 0


def story_sets(name: str) -> dict[str, list[Told]]:
    """Read story data with times: each set of items shares a timeline. Raises ClassifierError."""
    sets: dict[str, list[Mapping[str, object]]] = {}
    for _, fields in json_lines(DATA / name):
        sets.setdefault(str(fields["set"]), []).append(fields)
    return {key: _told(lines, [float(str(line["hours"])) for line in lines]) for key, lines in sets.items()}


def untimed(name: str, seed: int = 1) -> list[Told]:
    """Read story data without times, and have each event told at some time of two weeks, mostly within a day."""
    lines = [fields for _, fields in json_lines(DATA / name)]
    chance = random.Random(seed)  # noqa: S311 - a simulation, no secret
    begins = {event: chance.uniform(0, _HOURS) for event in dict.fromkeys(str(line["event"]) for line in lines)}
    return _told(lines, [begins[str(line["event"])] + chance.expovariate(1 / 12) for line in lines])


def strangers(seed: int = 3) -> list[Told]:
    """Draw training items, each an event of its own, published at some time. Raises ClassifierError.

    As with companies' own feeds, each feed keeps to its subject: that of one of the first items.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation, no secret
    drawn = chance.sample(written_examples(), _STRANGERS)
    lines = [
        {"event": str(n), "title": one.title, "summary": one.summary, "lang": one.lang} for n, one in enumerate(drawn)
    ]
    told = _told(lines, [chance.uniform(0, _HOURS) for _ in lines])
    vectors = _vectors(told)
    subjects = (vectors @ vectors[:_FEEDS].T).argmax(axis=1)
    return [
        replace(one, telling=_in_feed(one.telling, int(feed) + 1)) for one, feed in zip(told, subjects, strict=True)
    ]


def _in_feed(telling: Telling, feed_id: int) -> Telling:
    return replace(telling, item=replace(telling.item, feed_id=feed_id))


def source(sets: Sequence[Sequence[Told]]) -> str:
    """Return the source of monitor/stories/weights.py."""
    rows, same = pairs(sets)
    lines = [_HEAD]
    for name, kept, names in (
        ("READ", rows, ("cosine", *FEATURES)),
        ("UNREAD", rows[:, 1:], FEATURES),
    ):
        found = zip(weights(kept, same), ("bias", *names), strict=True)
        lines += [f"{name} = (", *(f"    {weight:.3f},  # {what}" for weight, what in found), ")"]
    return "\n".join([*lines, ""])


def pairs(sets: Sequence[Sequence[Told]]) -> tuple[Numbers, Numbers]:
    """Return cosine and features of every pair, and 1 for each that tells one event, else 0."""
    rows, same = [], []
    for told in sets:
        near = Neighbours([one.telling for one in told], len(told), WITHIN / timedelta(days=1))
        for one, other in combinations(range(len(told)), 2):
            cosine, days = near.cosine(one, other), near.days(one, other)
            if cosine is not None and days <= _APART:
                same_feed = told[one].item.feed_id == told[other].item.feed_id
                rows.append((cosine, *features(near.said(one), near.said(other), days, same_feed=same_feed)))
                same.append(float(told[one].event == told[other].event))
    return np.array(rows), np.array(same)


def _vectors(told: Sequence[Told]) -> Numbers:
    return np.array(
        [np.frombuffer(one.telling.embedding.vector, "<f2") for one in told if one.telling.embedding], float
    )


def weights(rows: Numbers, same: Numbers) -> Numbers:
    """Return the bias and the weight of each column."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scaled = np.column_stack([np.ones(len(rows)), (rows - mean) / spread])
    prior = Prior(np.zeros(scaled.shape[1]), np.array([1e-6, *[_PRECISION] * rows.shape[1]]))
    found = fitted(Observed(scaled, same, np.ones(len(rows))), prior)
    slopes = found[1:] / spread
    return np.array([found[0] - float(slopes @ mean), *slopes])


def _told(lines: Sequence[Mapping[str, object]], hours: Sequence[float]) -> list[Told]:
    classifier = OnnxClassifier.open()
    readings = classifier.read([model_text(str(line["title"]), str(line["summary"])) for line in lines])
    feeds: dict[str, int] = {}
    told = []
    for number, (line, hour, reading) in enumerate(zip(lines, hours, readings, strict=True), start=1):
        feed = str(line.get("source", number))
        published = START + timedelta(hours=hour)
        item = Item(
            id=number,
            feed_id=feeds.setdefault(feed, len(feeds) + 1),
            feed=feed,
            title=str(line["title"]),
            summary=str(line["summary"]),
            lang=str(line["lang"]),
            url=f"https://news.example/{number}",
            published=published,
            seen=published,
        )
        if reading.embedding is None:
            raise AssertionError("all of the story data is in Latin letters")
        embedding = Embedding(number, classifier.name, reading.embedding.astype("<f2").tobytes())
        told.append(Told(Telling(item, embedding), str(line["event"]), str(line.get("relation", ""))))
    return told


if __name__ == "__main__":
    sys.exit(main())
