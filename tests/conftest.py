"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from hypothesis import settings

from storage.store import Store

# How long an example takes depends on the machine; a deadline would fail a busy one.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database without feeds once: each test begins with a copy, which takes a tenth of the time."""
    path = tmp_path_factory.mktemp("new") / "signals.db"
    Store(path).close()
    return path


@pytest.fixture
def store(tmp_path: Path, new_database: Path) -> Iterator[Store]:
    """Open a store on a new database."""
    copyfile(new_database, tmp_path / "signals.db")
    with Store(tmp_path / "signals.db") as opened:
        yield opened
