"""`monitor label` and `monitor evaluate` as a user types them."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.cli.figures import table
from monitor.cli.review import Doubt, Review
from monitor.cli.statements import Misunderstood, Reply, from_answer, from_flags, keys
from monitor.instance import only_instance
from monitor.signals.evaluation import Case, Judged, measured
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.training.dataset import DATA
from monitor.wiring import utc_now
from storage import reading
from storage.records import Classification, Signal
from storage.store import Store
from tests.builders import NOW, entry, feed_in, poll, tell
from tests.test_config import FEED

MODELS = OnnxClassifier.open().models
TOPICS = tuple(MODELS)
LIKELY = {"efficiency": 0.55, "capex": 0.9, "geopolitics": 0.1}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a feeds.yaml."""
    (tmp_path / "feeds.yaml").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


async def filled(store: Store, *titles: str) -> None:
    """Store items of today, each read by the shipped model with the same result."""
    now = utc_now()
    await store.save_thresholds(MODELS, dict.fromkeys(MODELS, 0.5), now)
    await store.save_poll(poll(await feed_in(store), *(entry(title, now) for title in titles)), now)
    items = await store.pending("classify", 99)
    await store.save_classified(
        [Classification(item.id, topic, MODELS[topic], p) for item in items for topic, p in LIKELY.items()],
        [Signal(item.id, t, p, MODELS[t], ("big", "money")) for item in items for t, p in LIKELY.items() if p >= 0.5],
        [],
        now,
    )
    await tell(store)


@pytest.fixture
async def database(home: Path) -> Path:
    """Hold three items with the ids 1 to 3."""
    with Store(home / "signals.db") as store:
        await filled(store, "One", "Two", "Three")
    return home / "signals.db"


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    return reading.ask(database, sql).rows


LABELS = "SELECT topic, carries FROM labels WHERE item_id = 2 ORDER BY topic"
SIGNALS = "SELECT topic FROM signals WHERE item_id = 2 ORDER BY topic"


class TestLabel:
    def test_several_topics_at_once(self, database: Path) -> None:
        result = run("label", "2", "--geopolitics", "--not-efficiency")
        assert result.exit_code == 0
        assert result.output.splitlines() == [
            "item 2: Two",
            "  counts as: capex (model 0.90), geopolitics (you said so; model 0.10)",
            "  you said it is not: efficiency",
        ]
        assert rows(database, LABELS) == [("efficiency", 0), ("geopolitics", 1)]
        assert rows(database, SIGNALS) == [("capex",), ("geopolitics",)]

    def test_no_topic_at_all_and_the_id_behind_the_flag(self, database: Path) -> None:
        assert "counts as: no topic" in run("label", "--none", "2").output
        assert rows(database, LABELS) == [("capex", 0), ("efficiency", 0), ("geopolitics", 0)]
        assert rows(database, "SELECT sum(stories) FROM topic_counts WHERE topic = 'capex'") == [(2,)]

    def test_clear_forgets(self, database: Path) -> None:
        run("label", "2", "--none")
        assert run("label", "2", "--clear").output.startswith("labels forgotten: 3\n")
        assert rows(database, LABELS) == []
        assert rows(database, SIGNALS) == [("capex",), ("efficiency",)]

    def test_it_works_beside_a_running_monitor(self, database: Path) -> None:
        with only_instance(database), Store(database):
            assert run("label", "2", "--capex").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            pytest.param(("2",), "say what the item is: --TOPIC or --not-TOPIC, or --none", id="nothing said"),
            pytest.param(("2",), f"(topics: {', '.join(TOPICS)})", id="nothing said: the topics are named"),
            pytest.param(("--capex",), "name one item by its id", id="no item"),
            pytest.param(("2", "3", "--capex"), "name one item by its id", id="two items"),
            pytest.param(("two", "--capex"), "whole number, not 'two'", id="an id that is no number"),
            pytest.param(("99", "--capex"), "there is no item 99", id="an id that nobody has"),
            pytest.param(("9" * 30, "--capex"), "there is no item", id="an id that no database can have"),
            pytest.param(("2", "--cpex"), "there is no topic 'cpex'", id="an unknown topic"),
            pytest.param(("2", "--not-cpex"), "there is no topic 'cpex'", id="an unknown topic denied"),
            pytest.param(("2", "--capex", "--not-capex"), "--not-capex contradicts", id="yes and no"),
            pytest.param(("2", "--none", "--capex"), "--capex contradicts", id="nothing and something"),
            pytest.param(("2", "--clear", "--capex"), "give it no topics", id="forget and say"),
            pytest.param(("2", "--topic", "capex"), "write --capex", id="--topic without a review"),
            pytest.param(("--review", "2"), "leave out 2", id="a review of one item"),
            pytest.param(("--review", "--topic", "x"), "there is no topic 'x'", id="a review of an unknown topic"),
        ],
    )
    def test_a_mistake_is_explained_and_nothing_is_stored(
        self, database: Path, arguments: tuple[str, ...], complaint: str
    ) -> None:
        result = run("label", *arguments)
        assert (result.exit_code, complaint in " ".join(result.output.split())) == (2, True)
        assert rows(database, "SELECT count(*) FROM labels") == [(0,)]

    @pytest.mark.parametrize("arguments", [("1", "--capex"), ("--review",)])
    def test_without_a_database_it_makes_none(self, home: Path, arguments: tuple[str, ...]) -> None:
        result = run("label", *arguments)
        assert (result.exit_code, "there is no database" in result.output) == (4, True)
        assert not (home / "signals.db").exists()

    def test_a_topic_of_ones_own_can_be_said(self, home: Path, database: Path) -> None:
        (home / "energy.jsonl").write_text('{"title": "x"}\n')
        (home / "feeds.yaml").write_text(FEED + "topics: {energy: {examples: energy.jsonl}}\n")
        assert "energy (you said so)" in run("label", "2", "--energy").output


class TestStatements:
    def test_a_topic_whose_name_begins_like_a_denial_is_a_topic(self) -> None:
        assert from_flags(["--not-for-profit"], ["not-for-profit"]) == {"not-for-profit": True}
        assert from_flags(["--not-not-for-profit"], ["not-for-profit"]) == {"not-for-profit": False}

    @pytest.mark.parametrize(
        ("topics", "expected"),
        [
            pytest.param(["efficiency", "capex"], ["e", "c"], id="first letters"),
            pytest.param(["efficiency", "energy"], ["e", "en"], id="a letter that is taken"),
            pytest.param(["nuclear", "quantum", "stocks"], ["nu", "qu", "st"], id="letters that mean something else"),
            pytest.param(["Energy", "e"], ["e", "e"], id="no letters left: the name"),
        ],
    )
    def test_each_topic_has_a_key(self, topics: list[str], expected: list[str]) -> None:
        assert list(keys(topics).values()) == expected

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            pytest.param("e\n", {"efficiency": True, "capex": False, "energy": False}, id="a letter"),
            pytest.param(" EN, capex ", {"efficiency": False, "capex": True, "energy": True}, id="a key and a name"),
            pytest.param("n", {"efficiency": False, "capex": False, "energy": False}, id="none"),
            pytest.param("y", {"capex": True}, id="the model is right"),
            pytest.param("\n", "skip", id="Enter"),
            pytest.param("s", "skip", id="skip"),
            pytest.param("U", "undo", id="undo"),
            pytest.param("q", "quit", id="quit"),
            pytest.param("?", "help", id="help"),
        ],
    )
    def test_an_answer_is_understood(self, line: str, expected: Reply) -> None:
        assert from_answer(line, ["efficiency", "capex", "energy"], {"capex": True}) == expected

    @pytest.mark.parametrize("line", ["x", "e x", "e n", "y e", "ec"])
    def test_what_makes_no_sense_is_not_guessed(self, line: str) -> None:
        with pytest.raises(Misunderstood, match="type e efficiency, c capex"):
            from_answer(line, ["efficiency", "capex"], {})


class Asked:
    """Answers a review from a list, and stops at its end."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    def __call__(self, _prompt: str) -> str:
        return self.answers.pop(0) if self.answers else "q"


class TestReview:
    def walked(self, store: Store, *answers: str) -> Review:
        asyncio.run(filled(store, "One", "Two", "Three"))
        return self.again(store, *answers)

    def again(self, store: Store, *answers: str, topics: Sequence[str] = TOPICS) -> Review:
        found = asyncio.run(store.doubtful(utc_now().replace(year=2000), None, 9))
        doubts = [Doubt(known, {"capex": ("money",), "geopolitics": ("China",)}) for known in found]
        walk = Review(store, doubts, topics, dict.fromkeys(MODELS, 0.5), lambda: NOW, Asked(*answers))
        walk.walk()
        return walk

    def labels(self, store: Store) -> dict[int, str]:
        """Return for each item the topics that it carries by label."""
        sql = "SELECT item_id, group_concat(topic, ' ') FILTER (WHERE carries) FROM labels GROUP BY item_id"
        return {item: topics or "" for item, topics in rows(store.path, sql)}

    def test_each_answer_is_stored_with_all_topics(self, store: Store) -> None:
        walk = self.walked(store, "g", "n", "y")
        assert sorted(self.labels(store).values()) == ["", "capex efficiency", "geopolitics"]
        assert (walk.labels, len(walk.done)) == (9, 3)

    def test_what_is_skipped_stays_open_and_what_is_answered_is_not_asked_again(self, store: Store) -> None:
        self.walked(store, "s", "n", "")
        assert len(self.labels(store)) == 1
        assert len(self.again(store).doubts) == 2

    def test_undo_asks_again_and_leaves_no_trace(self, store: Store) -> None:
        walk = self.walked(store, "n", "s", "u", "u", "q")
        assert (self.labels(store), walk.labels) == ({}, 0)
        assert rows(store.path, "SELECT count(*) FROM signals") == [(6,)]

    def test_an_undone_answer_can_be_given_anew(self, store: Store) -> None:
        assert self.walked(store, "n", "u", "g", "q").labels == 3
        assert list(self.labels(store).values()) == ["geopolitics"]

    def test_undo_brings_back_what_was_said_before_the_review(self, store: Store) -> None:
        asyncio.run(filled(store, "One", "Two"))
        for item in (1, 2):
            asyncio.run(store.save_labels(item, {"capex": False}, NOW))
        self.again(store, "c", "u", "q")
        assert rows(store.path, "SELECT topic, carries FROM labels") == [("capex", 0)] * 2

    def test_that_the_model_is_right_is_no_word_against_a_person(self, store: Store) -> None:
        asyncio.run(filled(store, "One"))
        asyncio.run(store.save_labels(1, {"capex": False}, NOW))
        assert self.again(store, "y").labels == 2
        assert self.labels(store) == {1: "efficiency"}

    def test_a_page_shows_what_is_needed_to_decide(self, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
        asyncio.run(filled(store, "One"))
        asyncio.run(store.save_labels(1, {"efficiency": False}, NOW))
        self.again(store, topics=(*TOPICS, "energy"))
        page = capsys.readouterr().out.splitlines()
        assert page[1].startswith("1 of 1 · Wire · ")
        assert page[1].endswith(" · item 1")
        assert page[2] == "One"
        assert page[-4:] == [
            "  [e] efficiency   0.55 of 0.50: yes (you said no)",
            "  [c] capex        0.90 of 0.50: yes, because: money",
            "  [g] geopolitics  0.10 of 0.50: no",
            "  [en] energy       not read by the present model",
        ]

    def test_it_asks_until_it_understands(self, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
        walk = self.walked(store, "u", "?", "nonsense", "n")
        printed = capsys.readouterr().out
        for part in ("nothing to undo", "u  undo the last answer", "I do not know 'nonsense'"):
            assert part in printed
        assert len(walk.done) == 1

    def test_the_command_takes_answers_from_a_pipe_and_stops_at_its_end(self, database: Path) -> None:
        result = run("label", "--review", "--limit", "2", "--topic", "efficiency", stdin="e\n?\n")
        assert result.exit_code == 0
        assert "2 of 2" in result.output
        assert "because: big, money" in result.output
        assert result.output.endswith(
            "Labels given: 3; items: 1. Next: `monitor evaluate` measures the model, `monitor train` teaches it.\n"
        )

    @pytest.mark.parametrize(
        ("topics", "reason"),
        [
            pytest.param({}, "run `monitor run --once`", id="no classifier has ever worked on the database"),
            pytest.param({"capex": "a model"}, "Nothing to ask", id="there are no items"),
        ],
    )
    def test_with_nothing_doubtful_it_says_why(self, home: Path, topics: dict[str, str], reason: str) -> None:
        with Store(home / "signals.db") as store:
            asyncio.run(store.save_thresholds(topics, dict.fromkeys(topics, 0.5), NOW))
        result = run("label", "--review")
        assert (result.exit_code, reason in result.output) == (0, True)


class TestEvaluateLabels:
    def figures(self, *arguments: str) -> dict[str, Any]:
        result = run("evaluate", "--format", "json", *arguments)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def test_what_the_model_said_is_measured_against_the_labels(self, database: Path) -> None:
        run("label", "1", "--capex", "--not-efficiency")
        run("label", "2", "--not-capex")
        found = self.figures()
        row = next(row for row in found["figures"] if (row["topic"], row["lang"]) == ("capex", "all"))
        assert (row["items"], row["positives"], row["precision"], row["recall"]) == (2, 1, 0.5, 1.0)
        assert (row["low"], row["high"]) == (0.0945, 0.9055)
        assert row["calibration_error"] == pytest.approx(0.4)
        assert [r["lang"] for r in found["figures"] if r["topic"] == "efficiency"] == ["en", "all"]
        assert "geopolitics" not in {row["topic"] for row in found["figures"]}
        assert found["models"]["capex"] == MODELS["capex"]
        assert any("Too few labels" in note and "capex (2)" in note for note in found["notes"])

    def test_an_item_that_the_model_has_not_read_is_read_now(self, database: Path) -> None:
        async def say() -> None:
            with Store(database) as store:
                await store.save_poll(poll(await feed_in(store), entry("New", utc_now())), utc_now())
                for item in (1, 4):
                    await store.save_labels(item, {"capex": item == 1}, utc_now())

        asyncio.run(say())
        result = run("evaluate")
        assert [line.split()[:4] for line in result.output.splitlines() if line.startswith("capex")] == [
            ["capex", "en", "2", "1"],
            ["capex", "all", "2", "1"],
        ]

    def test_labels_of_topics_that_are_not_in_use_are_left_out_and_named(self, database: Path) -> None:
        run("label", "1", "--capex")

        async def say() -> None:
            with Store(database) as store:
                await store.save_labels(1, {"gone": True}, NOW)

        asyncio.run(say())
        found = self.figures()
        assert {row["topic"] for row in found["figures"]} == {"capex"}
        assert any("not in use: gone" in note for note in found["notes"])

    def test_without_labels_it_says_how_to_give_some(self, database: Path) -> None:
        result = run("evaluate")
        assert (result.exit_code, "monitor label --review" in result.output) == (1, True)

    def test_without_a_database_it_makes_none(self, home: Path) -> None:
        assert run("evaluate").exit_code == 4
        assert not (home / "signals.db").exists()


PRECISION_FLOOR, RECALL_FLOOR, AVERAGE_FLOOR = 0.8, 0.6, 0.8


class TestEvaluateFile:
    def test_the_shipped_model_keeps_its_floor_on_what_no_training_has_seen(self, home: Path) -> None:
        (home / "feeds.yaml").unlink()
        result = run("evaluate", str(DATA / "held_out.jsonl"), "--format", "json")
        found = json.loads(result.stdout)
        rows = {(row["topic"], row["lang"]): row for row in found["figures"]}
        assert set(rows) == {(topic, lang) for topic in TOPICS for lang in ("de", "en", "all")}
        assert set(found["macro_f1"]) == {"de", "en", "all"}
        for topic in TOPICS:
            row = rows[topic, "all"]
            assert row["items"] == rows[topic, "de"]["items"] + rows[topic, "en"]["items"]
            assert row["precision"] >= PRECISION_FLOOR
            assert row["recall"] >= RECALL_FLOOR
            assert row["average_precision"] >= AVERAGE_FLOOR

    def test_a_bad_line_is_named(self, home: Path) -> None:
        (home / "mine.jsonl").write_text('{"title": "T", "labels": []}\n{"title": "T", "labels": ["capx"]}\n')
        result = run("evaluate", "mine.jsonl")
        assert result.exit_code == 2
        assert "mine.jsonl:2: labels: there is no topic 'capx'" in result.output

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param(("none.jsonl",), id="no such file"),
            pytest.param(("--model", "nowhere"), id="no such model"),
        ],
    )
    def test_what_is_missing_is_said(self, home: Path, arguments: tuple[str, ...]) -> None:
        result = run("evaluate", *arguments)
        assert (result.exit_code, f"'{arguments[-1]}' does not exist" in result.output) == (2, True)


def test_the_table_fits_a_terminal_and_leaves_out_what_is_undefined() -> None:
    cases = [Case(topic, "en", Judged(p, p > 0.3)) for topic in TOPICS for p in (0.1, 0.2, 0.9)]
    shown = table(measured([*cases, Case("capex", "de", Judged(0.1, False))], dict.fromkeys(TOPICS, 0.5)), MODELS)
    assert max(map(len, shown.splitlines()[1:])) <= 100
    (german,) = (line.split() for line in shown.splitlines() if line.startswith("capex") and " de " in line)
    assert german == ["capex", "de", "1", "0", "0.50", "-", "-", "-", "-", "0.10"]
    assert "macro-F1: de -, en 1.00, all 1.00" in shown
