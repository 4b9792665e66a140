"""Teaching the monitor: from labels to a correction that is used, and from examples to a topic of one's own."""

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.opening import open_classifier
from monitor.signals.settings import ClassifierSettings
from monitor.wiring import utc_now
from storage import reading
from storage.heads import LabelledItem, TaggedItem, labelled, tagged
from storage.records import Classification, Head, Item, Signal
from storage.store import Store
from tests.builders import MODEL, NOW, entry, feed_in, past_first_answer, poll

EXAMPLES = Path(__file__).parent / "signals" / "samples" / "energy.jsonl"
FEEDS = "feeds:\n  - {name: Wire, url: 'https://wire.example/feed'}\n"
CAKES = [f"How to bake {cake} with {fruit}" for cake in ("a cake", "muffins", "bread", "a tart", "cookies")
         for fruit in ("apples", "cherries", "plums", "pears")]  # fmt: skip
CHIPS = [f"{maker} unveils {chip}" for maker in ("Nvidia", "AMD", "Intel", "Qualcomm", "Cerebras")
         for chip in ("a faster accelerator", "a laptop chip", "a new compiler", "a router for servers")]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a feeds.yaml."""
    (tmp_path / "feeds.yaml").write_text(FEEDS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


async def stored(store: Store, titles: Sequence[str]) -> list[Item]:
    """Store items that came as news, not as backlog."""
    feed = await past_first_answer(store, await feed_in(store))
    await store.save_poll(poll(feed, *(entry(title, utc_now()) for title in titles)), utc_now())
    return await store.pending("classify", 1000)


async def label(folder: Path, topic: str, carrying: Sequence[str], others: Sequence[str]) -> None:
    with Store(folder / "signals.db") as store:
        for item in await stored(store, [*carrying, *others]):
            await store.save_labels(item.id, {topic: item.title in carrying}, utc_now())


def heads(folder: Path) -> list[Head]:
    async def read() -> list[Head]:
        with Store(folder / "signals.db") as store:
            return await store.heads()

    return asyncio.run(read())


def keep(folder: Path, *learned: Head) -> None:
    async def save() -> None:
        with Store(folder / "signals.db") as store:
            await store.save_heads(learned, NOW)

    asyncio.run(save())


def foreign(base: str) -> Head:
    return Head("capex", f"{base}+labels-1", base, (0.0, 1.0, 0.0), 20)


class TestTrain:
    def test_labels_that_the_model_contradicts_become_a_correction_that_is_used(self, home: Path) -> None:
        asyncio.run(label(home, "capex", CAKES, CHIPS))
        result = run("train")
        assert result.exit_code == 0, result.output
        assert "the correction wins: it is used" in result.output
        assert "SIGHUP" in result.output
        (learned,) = heads(home)
        assert (learned.topic, learned.labels) == ("capex", 40)
        opened = open_classifier(ClassifierSettings(), {}, [learned])
        assert opened.models["capex"] == learned.model
        cake, chip = opened.read(["How to bake scones with raspberries", "Arm unveils a faster accelerator"])
        assert cake.scores["capex"].probability > 0.5 > chip.scores["capex"].probability

    def test_the_table_tells_both_figures_of_every_topic(self, home: Path) -> None:
        asyncio.run(label(home, "capex", CAKES, CHIPS))
        output = run("train").output
        assert all(column in output for column in ("model_f1", "model_loss", "own_f1", "own_loss"))
        assert output.count("give 20 more labels") == 2

    def test_training_again_on_the_same_labels_changes_nothing(self, home: Path) -> None:
        asyncio.run(label(home, "capex", CAKES, CHIPS))
        run("train")
        before = heads(home)
        assert "Nothing changes." in run("train").output
        assert heads(home) == before

    def test_without_labels_it_says_where_to_begin(self, home: Path) -> None:
        asyncio.run(label(home, "capex", [], []))
        result = run("train")
        assert result.exit_code == 0
        assert "There are no labels yet: `monitor label --review`" in result.output

    def test_a_correction_that_no_longer_wins_goes(self, home: Path) -> None:
        asyncio.run(label(home, "capex", CAKES[:3], CHIPS[:3]))
        keep(home, foreign(OnnxClassifier.open().name))
        assert "capex: the earlier correction no longer wins and is gone." in run("train").output
        assert heads(home) == []

    def test_a_correction_of_another_model_is_named_and_goes(self, home: Path) -> None:
        asyncio.run(label(home, "capex", [], []))
        keep(home, foreign("minilm-l3-topics-0"))
        output = run("train").output
        assert "capex: the correction of minilm-l3-topics-0 was not in use with" in output
        assert heads(home) == []

    def test_labels_of_a_topic_that_the_model_does_not_have_are_pointed_to_its_examples(self, home: Path) -> None:
        asyncio.run(label(home, "energy", CAKES[:2], []))
        assert "Labels of energy teach nothing here" in run("train").output

    def test_it_needs_a_database(self, home: Path) -> None:
        result = run("train")
        assert result.exit_code == 4
        assert "there is no database" in result.output
        assert not (home / "signals.db").exists()

    def test_a_model_of_others_cannot_be_taught(self, home: Path) -> None:
        (home / "feeds.yaml").write_text("classifier: {model: some/model}\n" + FEEDS)
        result = run("train")
        assert result.exit_code == 2
        assert "labels can teach only a model of this program" in result.output


class TestTrainFull:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            pytest.param(["--full"], "--full needs --base", id="full without a base"),
            pytest.param(["--out", "model"], "--base and --out go with --full", id="a folder without full"),
        ],
    )
    def test_options_that_do_not_go_together(self, home: Path, arguments: list[str], complaint: str) -> None:
        result = run("train", *arguments)
        assert result.exit_code == 2
        assert complaint in result.output

    @pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed here")
    def test_without_torch_it_says_how_to_install_it(self, home: Path) -> None:
        result = run("train", "--full", "--base", "somewhere")
        assert result.exit_code == 5
        assert "Training needs torch" in result.output


class TestLabelsInStorage:
    @pytest.fixture
    async def item(self, store: Store) -> Item:
        """An item that a model calls efficiency and capex, and a person not efficiency but geopolitics."""
        (item,) = await stored(store, ["Some news"])
        topics = ("efficiency", "capex")
        said = [Classification(item.id, topic, MODEL, 0.9) for topic in topics]
        await store.save_classified(said, [Signal(item.id, topic, 0.9, MODEL) for topic in topics], [], NOW)
        await store.save_labels(item.id, {"efficiency": False, "geopolitics": True}, NOW)
        return item

    async def test_labels_come_by_topic_with_the_items_text(self, store: Store, item: Item) -> None:
        story = f"item {item.id}"
        assert labelled(store.path) == [
            LabelledItem(item.id, "efficiency", False, story, "Some news", ""),
            LabelledItem(item.id, "geopolitics", True, story, "Some news", ""),
        ]

    async def test_where_a_person_is_silent_the_models_word_stands(self, store: Store, item: Item) -> None:
        topics = ("efficiency", "capex", "geopolitics")
        wanted = TaggedItem("Some news", "", "en", f"item {item.id}", frozenset({"capex", "geopolitics"}))
        assert tagged(store.path, topics) == [wanted]

    async def test_labels_of_other_topics_only_do_not_make_an_item_count(self, store: Store, item: Item) -> None:
        assert tagged(store.path, ("capex", "weather")) == []

    async def test_heads_come_back_as_they_were_saved(self, store: Store) -> None:
        await store.save_heads([foreign("one")], NOW)
        await store.save_heads([foreign("two")], NOW)
        assert await store.heads() == [foreign("two")]


class TestOwnTopic:
    """A topic of the user's own, all the way: feeds.yaml, signals, counts, trends, SQL, alerts."""

    @pytest.fixture
    def with_energy(self, home: Path) -> Path:
        (home / "feeds.yaml").write_text(
            "topics: {energy: {examples: energy.jsonl, threshold: 0.4}}\n"
            "alerts:\n  - {name: power, rule: match, topics: [energy]}\n  - {name: surge, rule: trend}\n" + FEEDS
        )
        (home / "energy.jsonl").write_bytes(EXAMPLES.read_bytes())
        return home

    def test_check_accepts_an_alert_rule_for_it(self, with_energy: Path) -> None:
        assert run("check").exit_code == 0

    def test_its_items_are_signals_counts_trends_and_alerts(self, with_energy: Path) -> None:
        news = "Utilities race to build gas plants and power lines for AI data centres' electricity demand"

        async def fill() -> None:
            with Store(with_energy / "signals.db") as store:
                await stored(store, [news, *CHIPS[:3]])

        asyncio.run(fill())
        result = run("classify")
        assert result.exit_code == 0, result.output
        asked = run("query", "signals-latest", "--topic", "energy", "--format", "csv").output
        assert news in asked
        assert not any(chip in asked for chip in CHIPS)
        database = with_energy / "signals.db"
        assert reading.ask(database, "SELECT sum(items) FROM topic_counts WHERE topic = 'energy'").rows == [(1,)]
        assert reading.ask(database, "SELECT DISTINCT topic FROM trends WHERE topic = 'energy'").rows == [("energy",)]
        assert reading.ask(database, "SELECT rule FROM alerts WHERE topic = 'energy'").rows == [("power",)]
        ((model, threshold),) = reading.ask(
            database, "SELECT model, threshold FROM thresholds WHERE topic = 'energy'"
        ).rows
        assert model.startswith("energy-")
        assert threshold == 0.4

    def test_a_bad_line_in_its_examples_is_named_when_it_starts(self, with_energy: Path) -> None:
        with (with_energy / "energy.jsonl").open("a") as file:
            file.write('{"title": 7}\n')
        result = run("classify")
        assert result.exit_code == 2
        assert "energy.jsonl:31: title: expected text" in result.output
