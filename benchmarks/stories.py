"""Do items about one event become one story? ``python -m benchmarks.stories`` (``--fit``: on the data learned from).

Groups ``stories_exam.jsonl`` as a running system does, 64 items at a time in order of publication, and prints B-cubed
precision, recall and F1 (Bagga & Baldwin 1998) over all items, and over those of events told in English only, in German
only, in both. Beside it, as measures: equal titles, as before; embeddings alone and TF-IDF alone, linked the same way,
each at the threshold that is best on these very items.
"""

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TypeAlias

import numpy as np

from monitor.stories.grouping import WITHIN
from monitor.stories.linkage import Linkage
from monitor.stories.names import stems
from monitor.stories.titles import fingerprint
from monitor.training.story_exam import Score, agreement, bcubed, in_batches
from monitor.training.story_pairs import Told, story_sets
from storage.records import Telling

Grouper: TypeAlias = Callable[[Sequence[Told]], list[int]]
Matrix: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Vector: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

BATCH = 64
THRESHOLDS = [step / 40 for step in range(2, 38)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stories", description="Measure story grouping.")
    parser.add_argument("--fit", action="store_true", help="on the items that the weights were learned from")
    name = "stories_fit.jsonl" if parser.parse_args(arguments).fit else "stories_exam.jsonl"
    sets = [sorted(told, key=lambda one: one.item.published) for told in story_sets(name).values()]
    events = sum(len({one.event for one in told}) for told in sets)
    print(f"{name}: {sum(map(len, sets))} items, {events} events\n")
    print(f"{'':34}{'all: P, R, F1':>20}{'English':>20}{'German':>20}{'both':>20}")
    for title, grouper in _systems(sets):
        print(f"{title:34}" + "".join(f"{_told(score):>20}" for score in _by_languages(sets, grouper)))
    print()
    for line in (*_relations(sets), *_arrivals(sets)):
        print(line)
    return 0


def ours(told: Sequence[Told], batch: int = BATCH) -> list[int]:
    """Group as the monitor does."""
    return in_batches([one.telling for one in told], batch)


def _systems(sets: Sequence[Sequence[Told]]) -> Iterator[tuple[str, Grouper]]:
    yield f"ours, batches of {BATCH}", ours
    yield "ours, batches of 8", lambda told: ours(told, 8)
    yield "ours, all at once", lambda told: ours(told, len(told))
    yield "equal titles", lambda told: _linked(_equal_titles(told), 0.5)
    yield _at_best("embeddings alone", sets, _cosines)
    yield _at_best("TF-IDF alone", sets, _tf_idf)


def _at_best(
    title: str, sets: Sequence[Sequence[Told]], likeness: Callable[[Sequence[Told]], Matrix]
) -> tuple[str, Grouper]:
    """Return linkage by one measure, at the threshold that is best on these sets."""
    matrices = {id(told): likeness(told) for told in sets}

    def grouper(least: float) -> Grouper:
        return lambda told: _linked(matrices[id(told)], least)

    best = max(THRESHOLDS, key=lambda least: _overall(sets, grouper(least)).f1)
    return f"{title}, from {best:.3f}", grouper(best)


def _by_languages(sets: Sequence[Sequence[Told]], grouper: Grouper) -> list[Score]:
    """Return the scores of all items, and by the languages in which their events were told."""
    stories, events, spoken = _grouped(sets, grouper)
    kinds = [None, "en", "de", "de en"]
    return [bcubed(stories, events, [n for n, told in enumerate(spoken) if kind in (None, told)]) for kind in kinds]


def _overall(sets: Sequence[Sequence[Told]], grouper: Grouper) -> Score:
    stories, events, _ = _grouped(sets, grouper)
    return bcubed(stories, events)


def _grouped(sets: Sequence[Sequence[Told]], grouper: Grouper) -> tuple[list[object], list[object], list[str]]:
    """Return of each item its story, its event, and the languages of its event; each set has stories of its own."""
    stories: list[object] = []
    events: list[object] = []
    spoken: list[str] = []
    for which, told in enumerate(sets):
        stories += [(which, story) for story in grouper(told)]
        events += [(which, one.event) for one in told]
        languages = {
            event: " ".join(sorted({str(o.item.lang) for o in told if o.event == event}))
            for event in {o.event for o in told}
        }
        spoken += [languages[one.event] for one in told]
    return stories, events, spoken


def _relations(sets: Sequence[Sequence[Told]]) -> Iterator[str]:
    """Tell which share of each kind of telling found a telling of its event, and of single items, a stranger."""
    stories, events, _ = _grouped(sets, ours)
    kinds = [one.relation for told in sets for one in told]
    both, size, told = Counter(zip(stories, events, strict=True)), Counter(stories), Counter(events)
    for kind in ("copy", "update", "retelling"):
        rows = [n for n, relation in enumerate(kinds) if relation == kind]
        found = sum(both[stories[n], events[n]] > 1 for n in rows)
        yield f"{kind + ' found:':34}{found / len(rows):20.3f}  of {len(rows)}"
    singles = [n for n, event in enumerate(events) if told[event] == 1]
    joined = sum(size[stories[n]] > 1 for n in singles)
    yield f"{'stranger joined:':34}{joined / len(singles):20.3f}  of {len(singles)}"


def _arrivals(sets: Sequence[Sequence[Told]]) -> Iterator[str]:
    """Tell how much the stories depend on the order of arrival: each item comes up to two days late."""
    in_order, _, _ = _grouped(sets, ours)
    for batch in (BATCH, 8):
        rows = [_grouped(sets, _late(batch, seed)) for seed in range(5)]
        agreed = [agreement(in_order, stories) for stories, _, _ in rows]
        scores = [bcubed(stories, events).f1 for stories, events, _ in rows]
        text = f"pairs agree {min(agreed):.3f} to {max(agreed):.3f}, F1 {min(scores):.3f} to {max(scores):.3f}"
        yield f"{f'random arrival, batches of {batch}:':34}  {text}"


def _late(batch: int, seed: int) -> Grouper:
    chance = random.Random(seed)

    def grouper(told: Sequence[Told]) -> list[int]:
        arrival = [one.item.published + timedelta(hours=chance.uniform(0, 48)) for one in told]
        order = sorted(range(len(told)), key=arrival.__getitem__)
        stories = dict(zip(order, ours([told[n] for n in order], batch), strict=True))
        return [stories[n] for n in range(len(told))]

    return grouper


def _linked(likeness: Matrix, least: float) -> list[int]:
    """Link by average likeness, as the monitor does."""
    members = {n: [n] for n in range(len(likeness))}

    def value(one: int, other: int) -> float | None:
        average = float(likeness[np.ix_(members[one], members[other])].mean())
        return average if average >= least else None

    def join(one: int, other: int) -> int:
        members[one] += members.pop(other)
        return one

    Linkage([(int(one), int(other)) for one, other in np.argwhere(np.triu(likeness >= least, 1))], value, join).run()
    stories = {n: story for story, rows in members.items() for n in rows}
    return [stories[n] for n in range(len(likeness))]


def _timed(told: Sequence[Told], likeness: Matrix) -> Matrix:
    """Take away what lies too far apart in time."""
    hours = np.array([one.item.published.timestamp() for one in told])
    return np.where(np.abs(hours[:, None] - hours) <= WITHIN.total_seconds(), likeness, 0.0)


def _equal_titles(told: Sequence[Told]) -> Matrix:
    prints = np.array([fingerprint(one.item) for one in told])
    return _timed(told, (prints[:, None] == prints).astype(float))


def _cosines(told: Sequence[Told]) -> Matrix:
    vectors = np.array([_vector(one.telling) for one in told])
    return _timed(told, vectors @ vectors.T)


def _vector(telling: Telling) -> Vector:
    if telling.embedding is None:
        raise AssertionError("all of the story data has embeddings")
    return np.frombuffer(telling.embedding.vector, "<f2").astype(float)


def _tf_idf(told: Sequence[Told]) -> Matrix:
    texts = [stems(f"{one.item.title} . {one.item.summary}") for one in told]
    counts = Counter(word for words in texts for word in words)
    place = {word: n for n, word in enumerate(sorted(counts))}
    rows = np.zeros((len(texts), len(place)))
    for row, words in zip(rows, texts, strict=True):
        for word in words:
            row[place[word]] = math.log(len(texts) / counts[word])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return _timed(told, rows @ rows.T)


def _told(score: Score) -> str:
    return f"{score.precision:.3f} {score.recall:.3f} {score.f1:.3f}"


if __name__ == "__main__":
    sys.exit(main())
