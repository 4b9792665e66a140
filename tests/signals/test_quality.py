"""The gate that a new model must pass: floors under its figures on items that no training has seen, pinned by hash."""

from hashlib import sha256
from itertools import combinations
from statistics import mean

import numpy as np
import pytest

from monitor.signals.evaluation import macro_f1
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.text import model_text
from monitor.training.dataset import DATA, json_lines, labelled_example
from monitor.training.real import performance

HELD_OUT = ("held_out.jsonl", "3096677f4493d7b2af8eeb7f02b02cb54f58b5091bbe1b1622633a870acf3d91")
RETELLINGS = ("retellings.jsonl", "510c10442b9dc69c132c5f6860f4bfb6a5b91a6e92ae56399e520ef10ccc58d1")


def pinned(name: str, digest: str) -> list[dict[str, object]]:
    """Read a set of items; it must be the one under which the floors were set."""
    assert sha256((DATA / name).read_bytes()).hexdigest() == digest, f"{name} changed: measure anew, set new floors"
    return [fields for _, fields in json_lines(DATA / name)]


@pytest.mark.parametrize(
    ("source", "f1", "precision", "error"),
    [
        pytest.param(HELD_OUT, 0.88, 0.90, 0.08, id="held-out items"),
        pytest.param(RETELLINGS, 0.80, 0.90, 0.12, id="retellings"),
    ],
)
def test_the_model_keeps_its_floors(
    classifier: OnnxClassifier, source: tuple[str, str], f1: float, precision: float, error: float
) -> None:
    rows = performance([labelled_example(fields, source[0]) for fields in pinned(*source)], classifier)
    assert min(macro_f1(rows).values()) >= f1
    overall = [row for row in rows if row.lang == "all"]
    assert min(row.precision for row in overall) >= precision
    assert max(row.calibration_error for row in overall) <= error


def test_retellings_are_nearer_than_strangers_on_the_same_topic(classifier: OnnxClassifier) -> None:
    lines = pinned(*RETELLINGS)
    items = [labelled_example(fields, "retellings.jsonl") for fields in lines]
    readings = classifier.read([model_text(item.title, item.summary) for item in items])
    vectors = np.stack([reading.embedding for reading in readings if reading.embedding is not None])
    cosines = vectors @ vectors.T
    retold, strangers = [], []
    for one, other in combinations(range(len(items)), 2):
        cosine = float(cosines[one, other])
        if lines[one]["event"] == lines[other]["event"]:
            retold.append(cosine)
        elif items[one].topics == items[other].topics:
            strangers.append(cosine)
    median = sorted(retold)[len(retold) // 2]
    assert mean(stranger < median for stranger in strangers) > 0.85
