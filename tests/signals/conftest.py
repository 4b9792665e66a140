"""One loaded classifier for all tests of this folder: loading takes seconds."""

import pytest

from monitor.signals.classifier import Classifier


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    opened = Classifier.open()
    opened.load()
    return opened
