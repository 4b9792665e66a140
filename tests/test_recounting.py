"""`monitor recount` as a user types it: what it says, what it repairs, and that it waits for no running monitor."""

import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from monitor.cli.recounting import recount
from monitor.errors import AlreadyRunning
from monitor.instance import only_instance
from storage import reading
from storage.errors import DatabaseMissing
from storage.store import Store
from tests.builders import NOW, entry, feed_in, past_first_answer, poll, tag, tell
from tests.test_config import FEED


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """Make a folder with a feeds.yaml and a database with three items, two of them of one story."""
    (tmp_path / "feeds.yaml").write_text(FEED)
    with Store(tmp_path / "signals.db") as store:
        await store.count_in("UTC")
        feed = await past_first_answer(store, await feed_in(store))
        await store.save_poll(poll(feed, *(entry(f"Item {n}") for n in range(3))), NOW)
        await tag(store, capex=0.9)
        await tell(store, -1, -1, -2)
    return tmp_path


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(recount, ["--config", str(home / "feeds.yaml"), *arguments])


def test_what_was_kept_well_differs_nowhere(home: Path) -> None:
    result = run(home)
    assert (result.exit_code, result.output) == (0, "7 rows, 0 differed\n")


def test_what_was_changed_by_hand_is_repaired_and_told(home: Path) -> None:
    before = reading.ask(home / "signals.db", "SELECT * FROM topic_counts").rows
    with sqlite3.connect(home / "signals.db") as db:
        db.execute("UPDATE topic_counts SET stories = 99")
        db.execute("UPDATE stories SET outlets = 99")
    db.close()
    assert run(home).output == "7 rows, 3 differed\n"
    assert reading.ask(home / "signals.db", "SELECT * FROM topic_counts").rows == before
    assert run(home).output == "7 rows, 0 differed\n"


def test_days_are_those_of_the_configuration(home: Path) -> None:
    (home / "feeds.yaml").write_text(f"timezone: Pacific/Auckland\n{FEED}")
    assert run(home).exit_code == 0
    assert reading.ask(home / "signals.db", "SELECT DISTINCT day FROM topic_counts").rows == [("2026-11-24",)]


def test_beside_a_running_monitor_it_refuses(home: Path) -> None:
    with only_instance(home / "signals.db"):
        result = run(home)
    assert isinstance(result.exception, AlreadyRunning)
    assert "stop it first" in str(result.exception)


def test_without_a_database_it_says_what_makes_one(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(FEED)
    assert isinstance(run(tmp_path).exception, DatabaseMissing)
    assert not (tmp_path / "signals.db").exists()


def test_its_help_says_what_it_is_for() -> None:
    assert isinstance(recount, click.Command)
    assert "say whether any of them differed" in " ".join(CliRunner().invoke(recount, ["--help"]).output.split())
