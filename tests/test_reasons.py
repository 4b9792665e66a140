"""Which words decided: what `monitor explain` shows, and how they reach SQL and alerts."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor import pipeline
from monitor.cli import main
from monitor.signals.explanation import TopicReason, reason
from monitor.signals.occlusion import deciding_words, falls, without
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.reading import Reading, Score
from monitor.signals.words import words
from storage import reading
from storage.errors import DatabaseMissing, QueryError
from storage.explained import item_with_verdicts, learned_heads
from storage.records import Classification, Head, Signal, Verdict
from storage.store import Store
from tests.builders import MODEL, NOW, entry, feed_in, past_first_answer, poll, tell
from tests.fakes import FakeClassifier, system
from tests.test_config import FEED
from tests.world import SURE

DAY = timedelta(days=1)
EXAMPLES = Path(__file__).parent / "signals" / "samples" / "energy.jsonl"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a feeds.yaml."""
    (tmp_path / "feeds.yaml").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


async def stored(store: Store, title: str, *signals: tuple[str, float, tuple[str, ...]], **said: float) -> int:
    """Store an item with what the model said of it, and its signals (topic, probability, words). Returns its id."""
    feed = await past_first_answer(store, await feed_in(store))
    await store.save_poll(poll(feed, entry(title)), NOW)
    (item,) = await store.pending("classify", 9)
    found = [Classification(item.id, topic, MODEL, p) for topic, p in said.items()]
    await store.save_classified(found, [Signal(item.id, t, p, MODEL, w) for t, p, w in signals], [], NOW)
    return item.id


# A text of one's own


def test_a_text_gets_a_verdict_for_each_topic_and_the_deciding_words_marked(home: Path) -> None:
    result = run("--text", SURE)
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.output.splitlines() if not line.startswith(" ")] == [
        "efficiency",
        "capex",
        "geopolitics",
    ]
    assert "efficiency: yes, " in result.output
    assert "  because: " in result.output
    assert "(without these words: " in result.output
    assert "**" in result.output


def test_a_text_needs_neither_configuration_nor_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    assert "efficiency: yes" in run("--text", SURE, "--summary", "It needs no new chips.").output
    assert list(tmp_path.iterdir()) == []


def test_json_holds_the_words_as_the_text_writes_them(home: Path) -> None:
    told = json.loads(run("--text", SURE, "--format", "json").output)
    assert (told["item"], told["text"], told["readable"]) == (None, SURE, True)
    efficiency = told["topics"][0]
    assert (efficiency["topic"], efficiency["carries"], efficiency["stored"]) == ("efficiency", True, None)
    assert efficiency["words"]
    assert all(word in SURE for word in efficiency["words"])
    assert efficiency["probability_without"] < efficiency["probability"]


def test_a_text_of_another_script_is_said_to_be_unread(home: Path) -> None:
    assert "cannot read this text" in run("--text", "人工智能芯片出口管制").output
    told = json.loads(run("--text", "人工智能芯片出口管制", "--format", "json").output)
    assert (told["readable"], told["topics"]) == (False, [])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param((), "give either the ID of an item, or a text", id="nothing to explain"),
        pytest.param(("1", "--text", "x"), "give either the ID of an item, or a text", id="two things to explain"),
        pytest.param(("1", "--summary", "x"), "--summary goes with --text", id="a summary for a stored item"),
        pytest.param(("--text", " "), "--text is empty", id="an empty text"),
        pytest.param(("soon",), "'soon' is not a valid integer", id="no number"),
    ],
)
def test_a_wrong_call_is_explained(home: Path, arguments: tuple[str, ...], complaint: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


async def test_what_was_learned_from_labels_has_its_say(home: Path) -> None:
    sure = Head("capex", "m+labels", OnnxClassifier.open().name, (0.0,) * 385 + (5.0,), 30)
    with Store(home / "signals.db") as store:
        await store.save_heads([sure], NOW)
    capex = json.loads(run("--text", SURE, "--format", "json").output)["topics"][1]
    assert (capex["topic"], capex["model"], capex["carries"]) == ("capex", "m+labels", True)


def test_an_own_topic_is_explained_by_leaving_words_out(home: Path) -> None:
    copyfile(EXAMPLES, home / "energy.jsonl")
    (home / "feeds.yaml").write_text(FEED + "topics: {energy: {examples: energy.jsonl}}\n")
    text = "Grid operator needs ten new power plants for data centres, and electricity prices rise"
    energy = json.loads(run("--text", text, "--format", "json").output)["topics"][-1]
    assert (energy["topic"], energy["carries"]) == ("energy", True)
    assert energy["words"]
    assert energy["probability_without"] < energy["probability"]


# An item of the database


async def test_an_item_is_shown_with_where_it_comes_from_and_what_was_stored(home: Path) -> None:
    with Store(home / "signals.db") as store:
        number = await stored(store, SURE, efficiency=0.2, capex=0.01)
        await store.save_labels(number, {"capex": True}, NOW)
    told = run(str(number)).output
    assert told.startswith(f"{SURE}\nWire · 2026-11-23 14:00 UTC · item {number}\nhttps://example.org/")
    assert "efficiency: yes" in told
    assert f"stored: {MODEL} said 20%; it does not count" in told
    assert f"stored: {MODEL} said 1%; it counts; a person says yes" in told
    assert "geopolitics: no" in told


async def test_json_of_an_item_holds_its_id_and_what_was_stored(home: Path) -> None:
    with Store(home / "signals.db") as store:
        number = await stored(store, SURE, efficiency=0.2)
    told = json.loads(run(str(number), "--format", "json").output)
    assert (told["item"]["id"], told["item"]["feed"], told["item"]["published"]) == (
        number,
        "Wire",
        "2026-11-23T14:00:00Z",
    )
    assert told["topics"][0]["stored"] == {"model": MODEL, "probability": 0.2, "signal": False, "label": None}
    assert told["topics"][1]["stored"] is None


async def test_an_unknown_item_is_named_with_a_way_to_find_others(home: Path) -> None:
    with Store(home / "signals.db"):
        pass
    result = run("999")
    assert result.exit_code == 2
    assert "there is no item 999" in result.output
    assert "monitor sql" in result.output


def test_without_a_database_an_item_cannot_be_explained(home: Path) -> None:
    result = run("1")
    assert result.exit_code == 4
    assert "there is no database" in result.output
    assert not (home / "signals.db").exists(), "asking creates nothing"


class TestStoredVerdicts:
    async def test_each_topic_has_the_model_behind_its_signal(self, store: Store) -> None:
        number = await stored(store, "One", ("capex", 0.9, ("orders",)), capex=0.9, efficiency=0.1)
        item, verdicts = item_with_verdicts(store.path, number)
        assert item.title == "One"
        assert verdicts == {"capex": Verdict(MODEL, 0.9, True), "efficiency": Verdict(MODEL, 0.1, False)}

    async def test_after_reclassification_it_is_the_newer_model(self, store: Store) -> None:
        number = await stored(store, "One", ("capex", 0.9, ()), capex=0.9)
        await store.save_reclassified([Classification(number, "capex", "newer", 0.3)], [], NOW + DAY)
        assert item_with_verdicts(store.path, number)[1] == {"capex": Verdict("newer", 0.3, False)}

    async def test_a_person_who_removed_a_signal_or_gave_one_is_told(self, store: Store) -> None:
        number = await stored(store, "One", ("capex", 0.9, ()), capex=0.9)
        await store.save_labels(number, {"capex": False, "energy": True}, NOW)
        assert item_with_verdicts(store.path, number)[1] == {
            "capex": Verdict(MODEL, 0.9, False, label=False),
            "energy": Verdict(None, None, True, label=True),
        }

    def test_no_such_item(self, store: Store) -> None:
        with pytest.raises(QueryError, match="there is no item 7"):
            item_with_verdicts(store.path, 7)

    def test_no_database(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseMissing):
            item_with_verdicts(tmp_path / "none.db", 7)
        assert learned_heads(tmp_path / "none.db") == []

    async def test_learned_heads_are_read_beside_the_daemon(self, store: Store) -> None:
        head = Head("capex", "base+labels", "base", (0.5, 1.0, 0.0), 30)
        await store.save_heads([head], NOW)
        assert learned_heads(store.path) == [head]


# When is what was stored worth telling?


@pytest.mark.parametrize(
    ("before", "told"),
    [
        pytest.param(Verdict("m", 0.9, True), False, id="the same word"),
        pytest.param(Verdict("m", 0.9004, True), False, id="the same but for rounding"),
        pytest.param(Verdict("m", 0.7, True), True, id="another probability"),
        pytest.param(Verdict("m-1", 0.9, True), True, id="another model"),
        pytest.param(Verdict("m", 0.9, False), True, id="it did not count"),
        pytest.param(Verdict("m", 0.9, True, label=True), True, id="a person's word"),
        pytest.param(Verdict(None, None, True), True, id="no model's word"),
    ],
)
def test_what_was_stored_is_told_when_it_is_another_word(before: Verdict, told: bool) -> None:
    assert (reason("capex", Score(0.9, "m"), 0.5, stored=before).stored == before) is told


@pytest.mark.parametrize(
    ("probability", "told"),
    [(0.9, True), (0.31, True), (0.3, True), (0.29, False)],
    ids=["over the threshold", "just over half of it", "at half of it", "under half of it"],
)
def test_words_are_told_from_half_the_threshold_on(probability: float, told: bool) -> None:
    found = reason("capex", Score(probability, "m", ("orders",)), 0.6, without=0.1)
    assert found == TopicReason(
        "capex", "m", probability, 0.6, ("orders",) if told else (), 0.1 if told else None, None
    )


# Leaving words out


class BySize(FakeClassifier):
    """Takes a text for capex the more, the larger the sums it names."""

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [Reading({"capex": Score(0.9 if "billion" in t else 0.6 if "orders" in t else 0.1, "m")}) for t in texts]


def test_the_words_that_decided_are_found_by_leaving_each_out() -> None:
    assert deciding_words(BySize(), "A river and $4 billion for orders of chips", "capex") == ("$4 billion",)
    assert deciding_words(BySize(), "A river and some orders of chips", "capex") == ("orders",)
    assert deciding_words(BySize(), "A river and some chips", "capex") == ()


def test_a_word_that_changes_nothing_falls_by_nothing() -> None:
    text = "Rivers and orders"
    assert [round(fall, 2) for fall in falls(BySize(), text, "capex", words(text))] == [0.0, 0.0, 2.6]


@pytest.mark.parametrize(
    ("phrases", "left"),
    [
        pytest.param(("chips",), "AI firms order and chipmakers", id="every occurrence, and whole words only"),
        pytest.param(("AI", "AI firms"), "order chips and chipmakers chips", id="the longer phrase first"),
        pytest.param((), "AI firms order chips and chipmakers chips", id="nothing"),
    ],
)
def test_a_text_without_phrases(phrases: tuple[str, ...], left: str) -> None:
    assert without("AI firms order chips and chipmakers chips", phrases) == left


# From storage to alerts and SQL


async def _story(store: Store, *tellings: tuple[float, tuple[str, ...]]) -> None:
    """Store one story, told once by each feed with this probability and these words."""
    for number, (probability, told) in enumerate(tellings):
        feed = await past_first_answer(store, await feed_in(store, f"Feed{number}"))
        await store.save_poll(poll(feed, entry(f"Telling {number}")), NOW)
        (item,) = await store.pending("classify", 9)
        signal = Signal(item.id, "capex", probability, MODEL, told)
        await store.save_classified([Classification(item.id, "capex", MODEL, probability)], [signal], [], NOW)
    await tell(store, *(-1 for _ in tellings))


@pytest.mark.parametrize(
    ("tellings", "told"),
    [
        pytest.param([(0.7, ("orders",)), (0.9, ("$4 billion", "chips"))], ("$4 billion", "chips"), id="most probable"),
        pytest.param([(0.7, ("orders",)), (1.0, ())], ("orders",), id="a person's signal has no words"),
        pytest.param([(0.7, ())], (), id="nobody knows"),
    ],
)
async def test_a_story_line_has_the_words_of_its_most_probable_item(
    store: Store, tellings: list[tuple[float, tuple[str, ...]]], told: tuple[str, ...]
) -> None:
    await _story(store, *tellings)
    (line,) = await store.story_lines("capex", NOW - DAY, DAY, 9)
    assert (line.outlets, line.words) == (len(tellings), told)
    assert line.probability == max(probability for probability, _ in tellings)


async def test_sql_reads_the_words(store: Store) -> None:
    await _story(store, (0.7, ("orders",)), (0.9, ("$4 billion", "chips")))
    ask: Any = reading.ask
    assert ask(store.path, "SELECT words FROM signals_latest ORDER BY words").rows == [
        ("$4 billion, chips",),
        ("orders",),
    ]
    assert ask(store.path, "SELECT words FROM stories_latest").rows == [("$4 billion, chips",)]


async def test_a_match_alert_names_the_words(store: Store) -> None:
    words_told = ("export controls", "Entity List")
    await stored(store, "All about efficiency", ("efficiency", 0.9, words_told), efficiency=0.9)
    await tell(store)
    await pipeline.judge(system(store))
    (delivery,) = await store.due_deliveries("screen", NOW + DAY)
    assert delivery.alert.finding.stories[0].words == words_told
