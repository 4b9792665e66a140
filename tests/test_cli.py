"""The commands as a user types them: what they print, and their exit codes."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import COMMANDS, main
from monitor.cli.health import verdict
from monitor.config import load
from monitor.wiring import utc_now
from storage.alert_records import Raised, Retry
from storage.store import Store
from tests.builders import entry, feed_in, finding, poll, tag
from tests.test_config import FEED, TOPICS
from tests.world import SURE

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a feeds.yaml."""
    (tmp_path / "feeds.yaml").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 100


def test_the_program_can_be_run_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "monitor", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("monitor, version ")


class TestCheck:
    def test_a_good_file_is_called_good(self, home: Path) -> None:
        result = run("check")
        assert (result.exit_code, result.output) == (0, "feeds.yaml: good: 1 feeds, 1 alert rules, 1 channels\n")

    def test_mistakes_are_listed_and_the_exit_code_is_2(self, home: Path) -> None:
        Path("feeds.yaml").write_text("feeds:\n  - {nme: a}\nx: 1\n")
        result = run("check")
        assert result.exit_code == 2
        assert [line.split(" ")[0] for line in result.output.splitlines()] == [
            "feeds.yaml:2:5:",
            "feeds.yaml:2:5:",
            "feeds.yaml:2:6:",
            "feeds.yaml:3:1:",
        ]

    def test_it_advises_a_contact_for_the_regulators_feeds(self, home: Path) -> None:
        Path("feeds.yaml").write_text("feeds:\n  - {name: a, url: 'https://www.sec.gov/feed'}\n")
        assert "set `contact:`" in run("check").output


class TestInit:
    def test_it_writes_a_file_that_is_good(self, home: Path) -> None:
        Path("feeds.yaml").unlink()
        assert run("init").exit_code == 0
        assert run("check").exit_code == 0

    def test_it_never_overwrites(self, home: Path) -> None:
        result = run("init")
        assert result.exit_code == 2
        assert "exists already" in result.output
        assert Path("feeds.yaml").read_text() == FEED


class TestClassifyLines:
    def test_each_line_gets_its_answer_in_order(self, home: Path) -> None:
        lines = [{"title": SURE, "summary": "", "lang": "en"}, {"title": "A recipe for apple cake"}]
        result = run("classify", "--jsonl", stdin="\n".join(map(json.dumps, lines)))
        first, second = map(json.loads, result.output.splitlines())
        assert result.exit_code == 0
        assert set(first) == {"probabilities", "topics", "words", "model"}
        assert first["topics"] == ["efficiency"]
        assert set(first["probabilities"]) == set(TOPICS)
        assert second["topics"] == []

    def test_a_bad_line_is_named_and_the_others_are_answered(self, home: Path) -> None:
        stdin = '{"title": "x"}\nnonsense\n[]\n{"title": 5}\n{}\n\n{"title": "y", "summary": null}\n'
        result = run("classify", "--jsonl", stdin=stdin)
        answers = [json.loads(line) for line in result.output.splitlines()]
        assert result.exit_code == 1
        assert [answer.get("error", "")[:30] for answer in answers] == [
            "",
            "standard input:2: not JSON: Ex",
            "standard input:3: expected a J",
            "standard input:4: title: expec",
            "standard input:5: title: is mi",
            "",
        ]

    def test_bytes_that_are_no_text_do_not_stop_it(self, home: Path) -> None:
        result = run("classify", "--jsonl", stdin=b'{"title": "caf\xe9 \\ud800"}\n')
        assert result.exit_code == 0


class TestQuestions:
    @pytest.fixture(autouse=True)
    async def database(self, home: Path) -> None:
        with Store(home / "signals.db") as store:
            await store.save_poll(poll(await feed_in(store), entry('Big, "new" thing', utc_now())), utc_now())
            await tag(store, capex=0.9)

    def test_a_canned_query_takes_parameters(self) -> None:
        assert "Big" in run("query", "signals-latest", "--topic", "capex").output
        assert "Big" not in run("query", "signals-latest", "--topic=efficiency").output

    def test_the_formats_are_what_other_programs_read(self) -> None:
        sql = "SELECT topic, title FROM signals_latest"
        assert json.loads(run("sql", sql, "--format", "json").output) == [
            {"topic": "capex", "title": 'Big, "new" thing'}
        ]
        assert run("sql", sql, "--format", "csv").output == 'topic,title\ncapex,"Big, ""new"" thing"\n'

    def test_the_list_names_every_question_and_its_parameters(self) -> None:
        listed = run("query", "--list").output
        assert "top-stories" in listed
        assert "--days 7" in listed

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (("query", "nonsense"), "there is no query 'nonsense'"),
            (("query", "top-stories", "--day", "3"), "this query's parameters: --topic, --days, --limit"),
            (("query", "top-stories", "--days"), "cannot read '--days'"),
            (("query", "top-stories", "--days", "abc"), "takes a whole number, not 'abc'"),
            (("sql", "SELECT '\udcff'"), "bytes that are no text"),
            (("sql", "DROP TABLE items"), "only reading is allowed"),
            (("sql", "SELECT * FROM nowhere"), "no such table: nowhere"),
        ],
    )
    def test_a_mistake_is_explained_with_exit_code_2(self, arguments: tuple[str, ...], complaint: str) -> None:
        result = run(*arguments)
        assert result.exit_code == 2
        assert complaint in result.output

    def test_plain_sqlite3_reads_it_too(self, home: Path) -> None:
        connection = sqlite3.connect(home / "signals.db")
        assert connection.execute("SELECT topic, feed FROM signals_latest").fetchall() == [("capex", "Wire")]
        connection.close()


class TestStatus:
    def test_without_a_database_it_says_how_to_make_one(self, home: Path) -> None:
        result = run("status")
        assert result.exit_code == 4
        assert "monitor run" in result.output

    async def test_it_shows_trouble(self, home: Path) -> None:
        with Store(home / "signals.db") as store:
            await store.save_poll(poll(await feed_in(store), error="HTTP 500 Server Error"), utc_now())
            await store.save_judgement([], [Raised(finding())], [], 0, utc_now())
            delivery = (await store.due_deliveries("desk", utc_now()))[0]
            await store.mark_failed(delivery, Retry(None, "no such webhook"), utc_now())
        shown = run("status").output
        for part in ("1 feeds: 0 ok, 1 failing", "HTTP 500 Server Error", "no such webhook", "deliver --failed"):
            assert part in shown


class TestHealth:
    async def verdict_after(self, home: Path, *, answered: bool, age: timedelta, waiting: bool = False) -> str | None:
        then = utc_now() - age
        with Store(home / "signals.db") as store:
            entries = [entry("One", then)] if waiting else []
            await store.save_poll(poll(await feed_in(store), *entries, error=None if answered else "HTTP 500"), then)
        return verdict(load(home / "feeds.yaml", TOPICS), timedelta(hours=2), utc_now())

    async def test_a_recent_answer_is_health(self, home: Path) -> None:
        assert await self.verdict_after(home, answered=True, age=timedelta(minutes=1)) is None

    async def test_silence_is_not(self, home: Path) -> None:
        complaint = await self.verdict_after(home, answered=True, age=timedelta(hours=3))
        assert "no feed has answered since" in str(complaint)
        assert "more than 2h ago" in str(complaint)

    async def test_nor_is_failure_from_the_start(self, home: Path) -> None:
        assert await self.verdict_after(home, answered=False, age=timedelta(0)) == "no feed has answered yet"

    async def test_nor_are_items_that_wait_for_hours(self, home: Path) -> None:
        complaint = await self.verdict_after(home, answered=True, age=timedelta(minutes=90), waiting=True)
        assert "wait for classification" in str(complaint)

    def test_without_a_database_it_is_unhealthy(self, home: Path) -> None:
        result = run("healthcheck")
        assert (result.exit_code, "there is no database" in result.output) == (1, True)

    async def test_the_command_exits_with_the_verdict(self, home: Path) -> None:
        await self.verdict_after(home, answered=True, age=timedelta(hours=3))
        assert run("healthcheck").exit_code == 1
        assert run("healthcheck", "--max-age", "1d").exit_code == 0
        assert run("healthcheck", "--max-age", "soon").exit_code == 2
