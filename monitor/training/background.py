"""Writes what topics of the user's own are told apart from: ``python -m monitor.training.background [--model DIR]``.

Must be run whenever a model's weights change; building a model runs it. See monitor.signals.background.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monitor.errors import MonitorError
from monitor.signals.background import BACKGROUND
from monitor.signals.classifier import Classifier
from monitor.signals.onnx_classifier import CARD, SHIPPED, Card, OnnxClassifier
from monitor.signals.text import model_text
from monitor.training.dataset import Example, training_examples

ITEMS = 1_500


def write_background(encoder: Classifier, examples: Sequence[Example], path: Path) -> None:
    """Write the embeddings of ITEMS of the examples to ``path``, which lies in the encoder's folder, beside its card.

    The same examples and model give the same file. Raises ClassifierError.
    """
    card = Card.read(path.parent / CARD)
    readings = encoder.read([model_text(one.title, one.summary) for one in _chosen(examples)])
    vectors = np.stack([reading.embedding for reading in readings if reading.embedding is not None])
    scales = np.abs(vectors).max(axis=1) / 127
    whole = np.rint(vectors / scales[:, None]).astype(np.int8)
    np.savez_compressed(
        path,
        vectors=whole,
        scales=scales.astype(np.float32),
        model=np.array(card.name),
        sha256=np.array(card.sha256),
    )


def _chosen(examples: Sequence[Example]) -> list[Example]:
    """Choose at random, always the same; of an event and its retellings only one."""
    first = list({example.event: example for example in reversed(examples)}.values())
    random.Random(0).shuffle(first)  # noqa: S311 - a repeatable shuffle, not a secret
    return first[:ITEMS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file into a model's folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m monitor.training.background", description="Write background.npz.")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a model's folder (default: the shipped one)")
    folder = parser.parse_args(arguments).model
    try:
        write_background(OnnxClassifier.open(folder), training_examples(), folder / BACKGROUND)
    except MonitorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"Wrote {folder / BACKGROUND}, {(folder / BACKGROUND).stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
