"""Calibrates a model on real items: ``python -m monitor.training.calibration --texts FILE_OR_DB ... [--model DIR]``.

Fits each topic's probability and threshold to the items of ``data/real.jsonl`` whose text is at hand, writes them to
the model's card, and prints the model's figures on these items. For the figures every item is judged by a calibration
that was fitted without it (five folds); the thresholds were chosen on all of them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias

from monitor.cli import figures
from monitor.errors import ClassifierError, MonitorError
from monitor.signals.evaluation import Case, Judged, measured
from monitor.signals.onnx_classifier import CARD, SHIPPED, OnnxClassifier
from monitor.signals.text import model_text
from monitor.training.dataset import TOPICS, Example, split
from monitor.training.platt import platt, threshold_for
from monitor.training.real import REAL, join, texts_of

PRECISION_GOAL = 0.75
"""Which every threshold must reach where the model's prior share of items carries the topic."""
FOLDS = 5
FEWEST = 200
"""Real items without which nothing is calibrated."""

Logits: TypeAlias = list[tuple[float, float]]
"""Of one topic, for each item: the network's and the n-grams'."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m monitor.training.calibration", description="Calibrate a model.")
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="databases or JSON lines with real items")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a model's folder (default: the shipped one)")
    options = parser.parse_args(arguments)
    try:
        calibrate(options.model, options.texts)
    except MonitorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def calibrate(folder: Path, texts: Sequence[Path]) -> None:
    """Fit, write and print. Raises ClassifierError when the texts hold too few of the real items."""
    found = join(REAL, texts_of(texts))
    if len(found) < FEWEST:
        raise ClassifierError(f"Only {len(found)} of the real items are in these texts; calibration needs {FEWEST}.")
    told = OnnxClassifier.open(folder).logits([model_text(one.title, one.summary) for one in found])
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    cases: list[Case] = []
    tagged: set[int] = set()
    for place, topic in enumerate(TOPICS):
        logits, positives = [row[place] for row in told], [topic in one.topics for one in found]
        card["calibration"][topic] = asdict(platt(logits, positives))
        judged = _judged(logits, positives, found)
        card["thresholds"][topic] = threshold_for(judged, PRECISION_GOAL, card["prior"])
        cases += [Case(topic, one.lang, told) for one, told in zip(found, judged, strict=True)]
        tagged |= {i for i, one in enumerate(judged) if one.probability >= card["thresholds"][topic]}
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(figures.table(measured(cases, card["thresholds"]), dict.fromkeys(TOPICS, card["name"])))
    bare = [i for i, one in enumerate(found) if not one.topics]
    print(f"{len(tagged.intersection(bare)) / len(bare):.1%} of the {len(bare)} items without a topic are tagged")


def _judged(logits: Logits, positives: Sequence[bool], found: Sequence[Example]) -> list[Judged]:
    """Judge every item by a calibration fitted to the other folds."""
    judged: dict[int, Judged] = {}
    for held in split(found, FOLDS):
        rest = sorted(set(range(len(found))) - set(held))
        fitted = platt([logits[place] for place in rest], [positives[place] for place in rest])
        judged |= {place: Judged(fitted.probability(*logits[place]), positives[place]) for place in held}
    return [judged[place] for place in range(len(found))]


if __name__ == "__main__":
    sys.exit(main())
