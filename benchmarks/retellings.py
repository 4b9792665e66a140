"""Do embeddings tell retellings of one event from strangers on the same topic? ``python -m benchmarks.retellings``.

Pairs of items of ``monitor/training/data/retellings.jsonl`` (nothing learns from it): retellings of one event against
items that carry the same topics and tell other events. Prints for each kind of pair the area under the ROC curve (the
chance that a retelling is nearer than a stranger; 0.5 is guessing, 1 is perfect) and the mean cosine of either, for the
shipped model's embeddings and for shared title words. With ``--base DIR`` (needs torch) also for the model from which
training began.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean

import numpy as np

from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.text import model_text
from monitor.training.dataset import DATA, Example, json_lines, labelled_example

Pair = tuple[int, int]
Nearness = Callable[[int, int], float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retellings", description="Measure the embeddings.")
    parser.add_argument("--base", type=Path, help="folder of all-MiniLM-L6-v2, to compare with (needs torch)")
    base = parser.parse_args(arguments).base
    lines = [fields for _, fields in json_lines(DATA / "retellings.jsonl")]
    items = [labelled_example(fields, "retellings.jsonl") for fields in lines]
    events = [str(fields["event"]) for fields in lines]
    print(f"{len(items)} items, {len(set(events))} events; AUC, and mean cosine of retellings and of strangers")
    for name, nearness in _systems(items, base):
        print(f"{name:22}", "   ".join(_row(kind, pairs, nearness) for kind, pairs in _kinds(items, events).items()))
    return 0


def _systems(items: Sequence[Example], base: Path | None) -> list[tuple[str, Nearness]]:
    texts = [model_text(item.title, item.summary) for item in items]
    readings = OnnxClassifier.open().read(texts)
    systems = [("shipped embeddings", _cosine([reading.embedding for reading in readings]))]
    systems.append(("shared title words", _shared_words(items)))
    if base is not None:
        from transformers import AutoModel  # noqa: PLC0415 - needs torch

        from monitor.training.distil import embeddings  # noqa: PLC0415 - needs torch

        systems.append(("before training", _cosine(embeddings(AutoModel.from_pretrained(base), base, texts).numpy())))
    return systems


def _cosine(vectors: object) -> Nearness:
    rows = np.asarray(vectors, np.float32)
    cosines = rows @ rows.T
    return lambda one, other: float(cosines[one, other])


def _shared_words(items: Sequence[Example]) -> Nearness:
    words = [set(item.title.lower().split()) for item in items]
    return lambda one, other: len(words[one] & words[other]) / len(words[one] | words[other])


def _kinds(items: Sequence[Example], events: Sequence[str]) -> dict[str, tuple[list[Pair], list[Pair]]]:
    """Return by languages the pairs that retell one event, and the pairs of strangers with the same topics."""
    kinds: dict[str, tuple[list[Pair], list[Pair]]] = {"en-en": ([], []), "de-de": ([], []), "de-en": ([], [])}
    for one, other in combinations(range(len(items)), 2):
        retold, strangers = kinds["-".join(sorted((items[one].lang, items[other].lang)))]
        if events[one] == events[other]:
            retold.append((one, other))
        elif items[one].topics == items[other].topics:
            strangers.append((one, other))
    return kinds


def _row(kind: str, pairs: tuple[list[Pair], list[Pair]], nearness: Nearness) -> str:
    retold, strangers = ([nearness(*pair) for pair in group] for group in pairs)
    return f"{kind}: {_auc(retold, strangers):.3f} ({mean(retold):.2f}, {mean(strangers):.2f})"


def _auc(higher: Sequence[float], lower: Sequence[float]) -> float:
    ranked = np.sort(np.asarray(lower))
    below = np.searchsorted(ranked, higher, "left") + np.searchsorted(ranked, higher, "right")
    return float(np.mean(below) / 2 / len(ranked))


if __name__ == "__main__":
    sys.exit(main())
