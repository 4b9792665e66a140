"""Measure whether the words that are told really decided: `python -m benchmarks.reasons`.

The deletion test (DeYoung et al. 2020, ERASER: comprehensiveness): take the told words out of items that the model
tags, and see how far the topic falls; against as many words taken at random, and against as many of those without
which, each left out alone, the topic falls most (occlusion). Uses items that the model was trained on: the question is
what the model looks at, not whether it is right.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from monitor.signals.occlusion import falls, without
from monitor.signals.odds import log_odds
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.text import model_text
from monitor.signals.words import Word, words
from monitor.training.dataset import training_examples

ITEMS = 150
FEWEST_WORDS = 8
POSITIVE = 0.12
"""The share of real items near a topic, for what occlusion would cost."""


@dataclass(frozen=True, slots=True)
class Case:
    """A text that the model tags with a topic, the probability, and the phrases it names."""

    text: str
    topic: str
    probability: float
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fall:
    """How far the topic falls without some words: in log-odds, in probability, and whether below its threshold."""

    log_odds: float
    probability: float
    below: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """One case: how many of how many words were taken out, and the fall for each way of choosing them."""

    taken: int
    of: int
    falls: dict[str, Fall]


def cases(classifier: OnnxClassifier, seed: int) -> Iterator[Case]:
    """Yield tagged items of the training data in a random order, with the first of their topics."""
    examples = [example for example in training_examples() if example.topics]
    random.Random(seed).shuffle(examples)
    for example in examples:
        text, topic = model_text(example.title, example.summary), min(example.topics)
        score = classifier.read([text])[0].scores[topic]
        if score.probability >= classifier.thresholds[topic] and len(_content(text)) >= FEWEST_WORDS:
            yield Case(text, topic, score.probability, score.words)


def trial(classifier: OnnxClassifier, case: Case, rng: random.Random) -> Trial:
    """Take out the told words, as many at random, and as many by occlusion."""
    content = _content(case.text)
    remaining = without(case.text, case.told)
    taken = len(content) - len(_content(remaining))
    fallen = falls(classifier, case.text, case.topic, content)
    by_fall = [word for _, word in sorted(zip(fallen, content, strict=True), key=lambda pair: -pair[0])]
    texts = {
        "told": remaining,
        "random": _cut(case.text, rng.sample(content, taken)),
        "occlusion": _cut(case.text, by_fall[:taken]),
    }
    readings = classifier.read(list(texts.values()))
    after = (reading.scores[case.topic].probability for reading in readings)
    limit = classifier.thresholds[case.topic]
    return Trial(taken, len(content), {way: _fall(case, p, limit) for way, p in zip(texts, after, strict=True)})


def _content(text: str) -> list[Word]:
    return [word for word in words(text) if not word.function]


def _cut(text: str, gone: Sequence[Word]) -> str:
    for word in sorted(gone, key=lambda word: -word.start):
        text = f"{text[: word.start]} {text[word.end :]}"
    return " ".join(text.split())


def _fall(case: Case, probability: float, limit: float) -> Fall:
    return Fall(log_odds(case.probability) - log_odds(probability), case.probability - probability, probability < limit)


def report(trials: Sequence[Trial], silent: int, seconds: float) -> None:
    """Print the three ways side by side, and what occlusion would cost in the pipeline."""
    taken, of = statistics.mean(t.taken for t in trials), statistics.mean(t.of for t in trials)
    print(
        f"{len(trials)} tagged items; {taken:.1f} of {of:.1f} words taken out of each ({silent} without any word told)"
    )
    print(f"{'words taken out':16}{'log-odds fall by':>18}{'probability by':>16}{'no longer tagged':>18}")
    for way in trials[0].falls:
        results = [t.falls[way] for t in trials]
        logit, chance = (statistics.mean(getattr(r, name) for r in results) for name in ("log_odds", "probability"))
        print(f"{way:16}{logit:18.2f}{chance:16.2f}{statistics.mean(r.below for r in results):18.0%}")
    slower = 1 / (1 + POSITIVE * of)
    print(f"Occlusion of every word, for {POSITIVE:.0%} of the items, would leave {slower:.0%} of the throughput.")
    print(f"{seconds:.0f} s")


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reasons", description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS, help=f"tagged items (default {ITEMS})")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun, rng, classifier = time.perf_counter(), random.Random(options.seed), OnnxClassifier.open()
    found = list(islice(cases(classifier, options.seed), options.items))
    trials = [trial(classifier, case, rng) for case in found if case.told]
    report(trials, len(found) - len(trials), time.perf_counter() - begun)


if __name__ == "__main__":
    main()
