"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store on a new database."""
    with Store(tmp_path / "signals.db") as opened:
        yield opened
