"""One loaded classifier for all tests of this folder: loading takes seconds."""

import pytest

from monitor.signals.onnx_classifier import OnnxClassifier


@pytest.fixture(scope="session")
def classifier() -> OnnxClassifier:
    opened = OnnxClassifier.open()
    opened.load()
    return opened
