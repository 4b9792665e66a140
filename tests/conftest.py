"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from storage.store import Store

# How long an example takes depends on the machine; a deadline would fail a busy one.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store on a new database."""
    with Store(tmp_path / "signals.db") as opened:
        yield opened
