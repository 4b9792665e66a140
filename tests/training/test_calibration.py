"""Calibrating on real items, as far as that goes without their text; platt itself has tests of its own."""

import json
from pathlib import Path

import pytest

from monitor.errors import ClassifierError
from monitor.signals.onnx_classifier import CARD, SHIPPED, Card
from monitor.training.calibration import main
from monitor.training.dataset import TOPICS


def test_without_the_text_of_real_items_nothing_is_calibrated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CARD).write_text((SHIPPED / CARD).read_text())
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"title": "A text that nobody published", "summary": ""}))
    assert main(["--texts", str(texts), "--model", str(tmp_path)]) == ClassifierError.exit_code
    assert capsys.readouterr().err == "Only 0 of the real items are in these texts; calibration needs 200.\n"
    assert (tmp_path / CARD).read_text() == (SHIPPED / CARD).read_text()


def test_the_shipped_card_is_calibrated_and_trusts_both_models() -> None:
    card = Card.read(SHIPPED / CARD)
    assert card.topics == TOPICS
    for topic in TOPICS:
        assert card.calibration[topic].network > 0.1
        assert card.calibration[topic].ngrams > 0.1
        assert 0.5 <= card.thresholds[topic] < 0.85
