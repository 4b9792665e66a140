"""`monitor replay` as a user types it: what it prints, and what it says when there is nothing to print."""

import asyncio
import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.instance import only_instance
from storage.store import Store
from tests.fakes import FakeClassifier
from tests.test_config import FEED
from tests.test_replay import BEGIN, archive, brought

DAY = timedelta(days=1)
ZONE = "timezone: Europe/Berlin\n"
MARCH = ("--since", "2026-04-20", "--until", "2026-04-30")
MATCH = "alerts: [{name: every, rule: match, topics: [efficiency], words: {none: [zzz]}}]\n"


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold an archive of sixty days from 2 March 2026 on, with a surge at its end; read by the fake classifier."""
    path = tmp_path_factory.mktemp("archived") / "signals.db"
    with Store(path) as store:
        asyncio.run(brought(store, archive(60, busy=(55, 56))))
    return path


@pytest.fixture
def home(tmp_path: Path, archived: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with that database and a feeds.yaml."""
    (tmp_path / "feeds.yaml").write_text(ZONE + FEED)
    (tmp_path / "signals.db").write_bytes(archived.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


def replay(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["replay", *arguments])


class TestAlerts:
    def test_json_lines_carry_everything(self, home: Path) -> None:
        result = replay(*MARCH, "--topic", "efficiency", "--format", "jsonl")
        assert result.exit_code == 0, result.output
        [alert] = map(json.loads, result.stdout.splitlines())
        assert alert["when"].startswith("2026-04-2")
        assert alert["when"].endswith(":00:00+02:00")
        assert alert["headline"].startswith("Efficiency ")
        assert alert["trend"]["state"] in {"rising", "surging"}
        assert alert["stories"][0]["title"].startswith("efficiency ")
        assert "1 alert at 0 looks of the monitor" in result.stderr

    def test_a_table_for_people_and_columns_for_spreadsheets(self, home: Path) -> None:
        table = replay(*MARCH, "--topic", "efficiency")
        assert re.search("surge +efficiency +surging", table.stdout)
        assert "expected of the same" in " ".join(table.stdout.split())
        rows = list(csv.reader(io.StringIO(replay(*MARCH, "--topic", "efficiency", "--format", "csv").stdout)))
        assert rows[0] == ["when", "rule", "topic", "state", "headline", "why", "stories"]
        assert len(rows) == 2

    def test_beside_a_running_monitor_and_nothing_is_written(self, home: Path) -> None:
        before = (home / "signals.db").read_bytes()
        with only_instance(home / "signals.db"):
            assert replay("--since", "2026-04-28", "--until", "2026-04-30").exit_code == 0
        assert (home / "signals.db").read_bytes() == before

    def test_rules_of_another_file(self, home: Path) -> None:
        (home / "other.yaml").write_text(MATCH)
        result = replay("--since", "2026-03-02", "--until", "2026-03-02", "--rules", "other.yaml", "--format", "jsonl")
        assert {json.loads(line)["rule"] for line in result.stdout.splitlines()} == {"every"}

    def test_rules_that_cannot_be_replayed_are_named(self, home: Path) -> None:
        (home / "other.yaml").write_text(MATCH.replace("]\n", ", {name: trouble, rule: feeds}]\n"))
        result = replay("--since", "2026-03-02", "--until", "2026-03-02", "--rules", "other.yaml")
        assert result.exit_code == 0
        assert "left out: trouble (feeds); only rules of kind trend, match, compound are replayed" in result.stderr

    def test_a_topic_that_is_learning_is_named_with_the_day_of_its_first_verdict(self, home: Path) -> None:
        result = replay("--since", "2026-03-05", "--until", "2026-03-10", "--topic", "capex")
        assert result.exit_code == 0
        assert "capex was learning all the time: it can be judged from 2026-04-" in result.stderr


class TestBudget:
    def test_it_finds_settings_that_keep_to_it(self, home: Path) -> None:
        (home / "feeds.yaml").write_text(f"{MATCH}{FEED}")
        result = replay(*MARCH, "--budget", "2/week", "--format", "jsonl")
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        assert found["now"] > 20
        assert (found["setting"], found["then"], found["limit"]) == ("min_probability: 0.93", 0, "2/week")
        assert "min_probability: 0.93" in replay(*MARCH, "--budget", "2/week").stdout


WRONG = {
    "no date": (("--since", "yesterday"), 2, "--since: 'yesterday' is no date; write 2025-01-27"),
    "the end before the beginning": (("--since", "2026-02-02", "--until", "2026-02-01"), 2, "must lie before --until"),
    "the future": (("--since", "2999-01-01"), 2, "must lie before --until"),
    "an unknown topic": (
        ("--since", "2026-04-01", "--topic", "sports"),
        2,
        "there is no topic 'sports'; topics: capex",
    ),
    "an odd budget": (("--budget", "few"), 2, "such as 3/week"),
    "before anything": (("--since", "2020-01-01", "--until", "2021-01-01"), 1, "the oldest item is of 2026-03-02"),
    "rules that are nowhere": (("--rules", "nowhere.yaml"), 2, "there is no nowhere.yaml"),
    "rules that are wrong": (("--rules", "wrong.yaml"), 2, "wrong.yaml:1:11: alerts.0.nme: unknown key; did you mean"),
    "a file without rules": (("--rules", "none.yaml"), 2, "none.yaml:1:1: alerts: is missing"),
    "no rule that could be replayed": (("--rules", "others.yaml"), 2, "there is no rule to replay"),
    "a list without rules": (("--rules", "empty.yaml"), 2, "alerts: there is no rule to replay"),
}


@pytest.mark.parametrize("situation", WRONG)
def test_what_is_wrong_is_said(home: Path, situation: str) -> None:
    arguments, code, message = WRONG[situation]
    (home / "wrong.yaml").write_text("alerts: [{nme: x, name: y, rule: trend}]\n")
    (home / "none.yaml").write_text("contact: a@b.example\n")
    (home / "empty.yaml").write_text("alerts: []\n")
    (home / "others.yaml").write_text("alerts: [{name: trouble, rule: feeds}]\n")
    result = replay(*arguments)
    assert (result.exit_code, message in result.output) == (code, True), result.output


def test_a_beginning_before_the_first_item_is_only_remarked(home: Path) -> None:
    result = replay("--since", "2026-02-01", "--until", "2026-03-03")
    assert result.exit_code == 0
    assert "nothing is stored from before 2026-01-31" in result.stderr


def test_without_a_database_it_says_what_makes_one(home: Path) -> None:
    (home / "signals.db").unlink()
    result = replay()
    assert (result.exit_code, "there is no database" in result.output) == (4, True)


def test_where_nothing_is_stored_it_says_so(home: Path) -> None:
    (home / "signals.db").unlink()
    with Store(home / "signals.db") as store:
        asyncio.run(store.save_thresholds(FakeClassifier.models, FakeClassifier.thresholds, BEGIN))
    result = replay()
    assert (result.exit_code, "nothing is stored yet" in result.output) == (1, True)
