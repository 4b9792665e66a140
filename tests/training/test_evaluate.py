"""The shipped model, measured on the items that no training has seen: a floor under its quality."""

import math
from pathlib import Path

import pytest

from monitor.signals.classifier import Classifier
from monitor.training.dataset import DATA, Example, read_examples
from monitor.training.evaluate import Row, evaluate, main

PRECISION_FLOOR, RECALL_FLOOR, AVERAGE_FLOOR = 0.8, 0.6, 0.8


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], Row]:
    found = evaluate(Classifier.open(), read_examples(DATA / "held_out.jsonl"))
    return {(row[0], row[1]): row for row in found}


def test_there_is_a_row_per_topic_and_language(rows: dict[tuple[str, str], Row]) -> None:
    assert set(rows) == {(t, lang) for t in ("efficiency", "capex", "geopolitics") for lang in ("de", "en", "all")}
    assert rows["capex", "de"][2] + rows["capex", "en"][2] == rows["capex", "all"][2]


@pytest.mark.parametrize("topic", ["efficiency", "capex", "geopolitics"])
def test_the_shipped_model_keeps_its_floor(rows: dict[tuple[str, str], Row], topic: str) -> None:
    precision, recall, average = rows[topic, "all"][5], rows[topic, "all"][6], rows[topic, "all"][8]
    assert precision >= PRECISION_FLOOR
    assert recall >= RECALL_FLOOR
    assert average >= AVERAGE_FLOOR


def test_a_topic_without_positives_has_no_recall() -> None:
    (row, *_) = evaluate(Classifier.open(), [Example("Voice mode arrives", "", "en", frozenset(), "x")])
    assert row[:4] == ("efficiency", "en", 1, 0)
    assert math.isnan(row[6])


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"lang": "en", "title": "US tightens AI chip export controls", "labels": ["geopolitics"]}\n')
    assert main(["--file", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "mine.jsonl" in printed
    assert "geopolitics" in printed


@pytest.mark.parametrize("option", ["--file", "--model"])
def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert main([option, str(tmp_path / "none")]) == 5
    assert str(tmp_path) in capsys.readouterr().err
