"""Topics of the user's own: from a file of examples to a topic that finds more of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import ClassifierError, ConfigError
from monitor.signals.background import BACKGROUND, read_background
from monitor.signals.evaluation import Judged, average_precision, quality
from monitor.signals.headed import HeadedClassifier
from monitor.signals.logistic import Numbers
from monitor.signals.onnx_classifier import CARD, SHIPPED, Card, OnnxClassifier
from monitor.signals.own_topics import own_topics, read_examples
from monitor.signals.reading import Reading, Score
from monitor.signals.settings import TopicSettings
from monitor.signals.telling_apart import weights
from monitor.signals.text import model_text
from monitor.training.background import ITEMS, write_background
from monitor.training.dataset import Example

SAMPLES = Path(__file__).parent / "samples"
EXAMPLES = SAMPLES / "energy.jsonl"


def lines(count: int, **fields: object) -> list[str]:
    return [json.dumps({"title": f"Item number {n}", "summary": "", **fields}) for n in range(count)]


def written(folder: Path, content: Sequence[str]) -> Path:
    path = folder / "topic.jsonl"
    path.write_text("\n".join(content), encoding="utf-8")
    return path


class TestExamples:
    def test_texts_are_read_with_what_they_carry(self, tmp_path: Path) -> None:
        counter = json.dumps({"title": "Counter", "summary": "example", "carries": False})
        texts = read_examples(written(tmp_path, [*lines(10), "", counter]))
        assert sum(texts.values()) == 10
        assert texts["Counter. example"] is False

    def test_a_line_that_is_there_twice_counts_once(self, tmp_path: Path) -> None:
        assert len(read_examples(written(tmp_path, lines(10) * 2))) == 10

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            pytest.param("{nonsense", ":11: not JSON: ", id="no JSON"),
            pytest.param("[]", ":11: expected an object such as", id="no object"),
            pytest.param('{"title": 5}', ":11: title: expected text", id="a title that is no text"),
            pytest.param('{"title": "a", "summary": []}', ":11: summary: expected text", id="a summary that is none"),
            pytest.param('{"summary": " "}', ":11: title: is missing", id="an empty item"),
            pytest.param('{"title": "a", "carries": "no"}', ":11: carries: expected true or false", id="no yes or no"),
            pytest.param('{"title": "电力"}', ":11: title: the model reads Latin script only", id="another script"),
            pytest.param(
                '{"title": "Item number 3", "carries": false}', ":11: carries: an earlier line", id="both yes and no"
            ),
        ],
    )
    def test_a_bad_line_is_named_with_its_field(self, tmp_path: Path, line: str, complaint: str) -> None:
        path = written(tmp_path, [*lines(10), line])
        with pytest.raises(ConfigError) as error:
            read_examples(path)
        assert str(error.value).startswith(f"{path}{complaint}")

    def test_too_few_examples_say_how_many_to_give(self, tmp_path: Path) -> None:
        path = written(tmp_path, [*lines(9), *lines(20, title="Same")])
        path.write_text("\n".join([*lines(9), *lines(5, carries=False, summary="other")]))
        with pytest.raises(ConfigError, match=r"9 different examples .*; give about 30, at least 10"):
            read_examples(path)

    @pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["no file", "no text"])
    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "topic.jsonl"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match="cannot read the examples in"):
            read_examples(path)


class TestTellingApart:
    """In a made-up space: ordinary news lies everywhere, the topic in one direction."""

    rng = np.random.default_rng(7)
    background = rng.normal(size=(400, 12)) / 4

    def towards(self, direction: int, count: int) -> Numbers:
        return np.asarray(self.rng.normal(size=(count, 12)) / 8 + np.eye(12)[direction])

    @staticmethod
    def told(found: Sequence[float], places: Numbers) -> Numbers:
        return np.asarray(1 / (1 + np.exp(-(places @ np.array(found[:-2]) + found[-1]))))

    def test_new_items_of_the_topic_are_found_and_ordinary_news_is_not(self) -> None:
        found = weights(list(self.towards(0, 30)), [], self.background)
        assert (self.told(found, self.towards(0, 50)) > 0.5).mean() > 0.8
        assert (self.told(found, self.background) > 0.5).mean() < 0.05

    def test_news_that_carries_the_topic_without_a_label_does_not_hide_it(self) -> None:
        news = np.vstack([self.background, self.towards(0, 30)])
        found = weights(list(self.towards(0, 30)), [], news)
        assert (self.told(found, self.towards(0, 50)) > 0.5).mean() > 0.6

    def test_counter_examples_keep_what_is_near_apart(self) -> None:
        carrying, near = self.towards(0, 30), self.towards(0, 30) + np.eye(12)[1] / 2
        without = weights(list(carrying), [], self.background)
        with_counters = weights(list(carrying), list(near[:15]), self.background)
        assert self.told(with_counters, near[15:]).mean() < self.told(without, near[15:]).mean() - 0.2

    def test_examples_without_anything_in_common_find_nothing(self) -> None:
        found = weights(list(self.rng.normal(size=(30, 12)) / 4), [], self.background)
        assert (self.told(found, self.background) > 0.5).mean() < 0.02


class TestBackground:
    class Embedder:
        name = "small"
        topics: tuple[str, ...] = ()
        models: Mapping[str, str] = {}
        thresholds: Mapping[str, float] = {}

        def load(self) -> None:
            pass

        def read(self, texts: Sequence[str]) -> list[Reading]:
            return [Reading({}, np.array([len(text) / 90, 1 / 90, -2 / 90], np.float32)) for text in texts]

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        card = json.loads((SHIPPED / CARD).read_text())
        (tmp_path / CARD).write_text(json.dumps({**card, "name": "small"}))
        return tmp_path

    def examples(self, count: int) -> list[Example]:
        return [Example("t" * (n % 80 + 1), "", "en", frozenset(), f"event {n % count}") for n in range(count + 5)]

    def test_what_is_written_is_read_to_a_hundredth(self, folder: Path) -> None:
        write_background(self.Embedder(), self.examples(40), folder / BACKGROUND)
        read = read_background(folder / BACKGROUND, Card.read(folder / CARD))
        assert read.shape == (40, 3)
        assert read[:, 1] == pytest.approx(np.full(40, 1 / 90), abs=0.01)

    def test_it_is_limited_and_always_the_same(self, folder: Path) -> None:
        for name in ("a.npz", "b.npz"):
            write_background(self.Embedder(), self.examples(ITEMS + 100), folder / name)
        assert (folder / "a.npz").read_bytes() == (folder / "b.npz").read_bytes()
        assert len(read_background(folder / "a.npz", Card.read(folder / CARD))) == ITEMS

    def test_that_of_another_model_is_refused(self, folder: Path) -> None:
        write_background(self.Embedder(), self.examples(40), folder / BACKGROUND)
        with pytest.raises(ClassifierError, match=r"made with another model \(small\).*Rebuild it with"):
            read_background(folder / BACKGROUND, Card.read(SHIPPED / CARD))

    @pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken"], ids=["missing", "empty", "broken"])
    def test_a_damaged_file_is_named(self, folder: Path, content: bytes | None) -> None:
        if content is not None:
            (folder / BACKGROUND).write_bytes(content)
        with pytest.raises(ClassifierError, match=r"background\.npz, which is missing or damaged"):
            read_background(folder / BACKGROUND, Card.read(folder / CARD))

    def test_the_shipped_one_is_small_and_made_with_the_shipped_model(self) -> None:
        assert (SHIPPED / BACKGROUND).stat().st_size < 700_000
        assert len(read_background(SHIPPED / BACKGROUND, Card.read(SHIPPED / CARD))) == ITEMS


@pytest.fixture(scope="module")
def energy(classifier: OnnxClassifier) -> HeadedClassifier:
    """The shipped model with a fourth topic, as feeds.yaml would give it."""
    headed = HeadedClassifier(
        classifier, classifier, [], own_topics({"energy": TopicSettings(examples=EXAMPLES)}, SHIPPED)
    )
    headed.load()
    return headed


class TestEnergy:
    def test_it_stands_beside_the_models_own_topics(self, energy: HeadedClassifier, classifier: OnnxClassifier) -> None:
        assert energy.topics == (*classifier.topics, "energy")
        assert energy.models["capex"] == classifier.name
        assert energy.models["energy"].startswith("energy-")
        assert energy.thresholds["energy"] == 0.5

    def test_items_that_it_has_not_seen_are_told_apart(self, energy: HeadedClassifier) -> None:
        held = [json.loads(line) for line in (SAMPLES / "energy_held_out.jsonl").read_text("utf-8").splitlines()]
        readings = energy.read([model_text(one["title"], one["summary"]) for one in held])
        judged = [
            Judged(reading.scores["energy"].probability, one["carries"])
            for reading, one in zip(readings, held, strict=True)
        ]
        assert average_precision(judged) > 0.8
        assert quality(judged, 0.5).f1 > 0.65

    def test_what_the_model_says_of_its_own_topics_stays(
        self, energy: HeadedClassifier, classifier: OnnxClassifier
    ) -> None:
        text = "Utility signs contract for a gas plant beside the training cluster"
        (with_topic,), (alone,) = energy.read([text]), classifier.read([text])
        assert {t: s for t, s in with_topic.scores.items() if t != "energy"} == alone.scores

    def test_a_text_that_the_model_cannot_read_never_carries_it(self, energy: HeadedClassifier) -> None:
        (reading,) = energy.read(["电力需求因人工智能而上升"])
        assert reading.scores["energy"] == Score(0.0, energy.models["energy"])

    def test_nothing_is_fitted_before_it_is_loaded(self) -> None:
        (topic,) = own_topics({"energy": TopicSettings(examples=EXAMPLES)}, SHIPPED)
        reader = OnnxClassifier.open()
        assert HeadedClassifier(reader, reader, [], [topic]).models["energy"] == topic.model

    def test_other_examples_are_another_model_but_their_order_is_not(self, tmp_path: Path) -> None:
        content = EXAMPLES.read_text("utf-8").splitlines()
        names = []
        for changed in (content, content[::-1], content[1:]):
            settings = TopicSettings(examples=written(tmp_path, changed))
            names.append(own_topics({"energy": settings}, SHIPPED)[0].model)
        assert names[0] == names[1] != names[2]
