"""`monitor reclassify` as a user types it: what it prints, what it leaves alone, and that it can be stopped."""

import asyncio
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.instance import only_instance
from monitor.wiring import utc_now
from storage import reading
from storage.store import Store
from tests.builders import MODEL, entry, feed_in, poll, tag
from tests.test_config import FEED
from tests.world import SURE, until

HOOK = "channels: {team: {type: slack, webhook_env: NOT_SET_IN_THIS_TEST}}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Make a folder with a feeds.yaml whose channel's secret is not set."""
    (tmp_path / "feeds.yaml").write_text(FEED + HOOK)
    return tmp_path


def stored(home: Path, *titles: str, days_ago: float = 1) -> None:
    """Store items that an earlier model took for capex."""
    published = utc_now() - timedelta(days=days_ago)

    async def store_and_tag() -> None:
        with Store(home / "signals.db") as store:
            await store.save_poll(poll(await feed_in(store), *(entry(title, published) for title in titles)), utc_now())
            while await tag(store, capex=0.9):
                pass

    asyncio.run(store_and_tag())


def reclassify(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["reclassify", "--config", str(home / "feeds.yaml"), *arguments])


def ask(home: Path, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(home / "signals.db", sql).rows


def test_it_reads_what_the_model_has_not_read_and_tells_what_changed(home: Path) -> None:
    stored(home, SURE, "A recipe for apple cake")
    result = reclassify(home)
    assert result.exit_code == 0
    assert re.search(r"^2 items read by \S+; signals since \d{4}-\d\d-\d\d:", result.output)
    assert re.findall(r"(capex|efficiency) +(\d+) +(\d+)", result.output) == [
        ("capex", "2", "0"),
        ("efficiency", "0", "1"),
    ]
    assert ask(home, f"SELECT count(*) FROM classifications WHERE model = '{MODEL}'") == [(2,)]
    assert ask(home, "SELECT count(*) FROM alerts") == [(0,)]
    again = reclassify(home)
    assert (again.exit_code, again.output.split(":")[0]) == (0, "nothing to do")


def test_a_dry_run_counts_and_changes_nothing(home: Path) -> None:
    stored(home, "One", "Two")
    with only_instance(home / "signals.db"):  # also beside a running monitor
        result = reclassify(home, "--dry-run")
    assert result.exit_code == 0
    assert result.output.startswith("2 items published since ")
    assert ask(home, "SELECT DISTINCT model FROM classifications") == [(MODEL,)]


@pytest.mark.parametrize(("since", "found"), [("30d", "1 item "), ("90d", "2 items "), ("1h", "0 items ")])
def test_older_items_are_left_alone(home: Path, since: str, found: str) -> None:
    stored(home, "Of late", days_ago=2)
    stored(home, "Long ago", days_ago=80)
    assert reclassify(home, "--dry-run", "--since", since).output.startswith(found)


def test_beside_a_running_monitor_it_refuses_and_says_why(home: Path) -> None:
    stored(home, "One")
    with only_instance(home / "signals.db"):
        result = reclassify(home)
    assert result.exit_code == 3
    assert "stop it first" in result.output
    assert "could take the change for a surge" in result.output


def test_without_a_database_it_says_what_makes_one(home: Path) -> None:
    result = reclassify(home)
    assert result.exit_code == 4
    assert "there is no database" in result.output
    assert not (home / "signals.db").exists()


def test_ctrl_c_stops_it_between_two_batches_and_the_next_run_goes_on(home: Path) -> None:
    stored(home, *(f"{SURE}, says laboratory number {number}" for number in range(3000)))
    command = [sys.executable, "-m", "monitor", "reclassify", "--config", str(home / "feeds.yaml")]
    read = "SELECT count(DISTINCT item_id) FROM classifications WHERE model <> 'test-model'"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: process.poll() is not None or ask(home, read) != [(0,)], "the first batch")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    (done,) = ask(home, read)[0]
    assert isinstance(done, int)
    assert 0 < done < 3000
    assert said.strip().splitlines()[-1].endswith(f"to go on: {3000 - done:,} items left")
    assert reclassify(home, "--dry-run").output.startswith(f"{3000 - done:,} items published")
