"""Heads on a frozen model: what they compute, how they are learned, and how a classifier uses them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import ClassifierError
from monitor.signals import heads, logistic
from monitor.signals.headed import HeadedClassifier
from monitor.signals.learning import FEWEST, FOLDS, Labelled, Lesson, folds, learn
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.opening import open_classifier
from monitor.signals.reading import Reading, Score
from monitor.signals.settings import ClassifierSettings
from storage.records import Head

DIMENSIONS = 8
TRUSTING = (*[0.0] * DIMENSIONS, 1.0, 0.0)


def vector(*start: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    full = np.zeros(DIMENSIONS, np.float32)
    full[: len(start)] = start
    return full


def head(weights: Sequence[float] = TRUSTING, topic: str = "capex", base: str = "reader") -> Head:
    return Head(topic, f"{base}+labels-1", base, tuple(weights), 20)


@dataclass
class FakeReader:
    """Says the same of every text, and embeds it by its length; an empty text it cannot read."""

    name: str = "reader"
    topics: tuple[str, ...] = ("efficiency", "capex")
    loads: int = 0
    says: float = 0.3
    thresholds: dict[str, float] = field(default_factory=lambda: {"efficiency": 0.4, "capex": 0.6})

    @property
    def models(self) -> dict[str, str]:
        return dict.fromkeys(self.topics, self.name)

    def load(self) -> None:
        self.loads += 1

    def read(self, texts: Sequence[str]) -> list[Reading]:
        scores = {topic: Score(self.says, self.name, ("word",)) for topic in self.topics}
        return [Reading(scores, vector(1.0) if text else None) for text in texts]


class TestProbability:
    def test_a_head_that_only_trusts_says_what_the_model_says(self) -> None:
        assert heads.probability(head(), vector(1.0), 0.83) == pytest.approx(0.83)

    def test_an_embedding_in_the_direction_of_the_weights_makes_it_likelier(self) -> None:
        leaning = head((2.0, *[0.0] * (DIMENSIONS - 1), 0.0, 0.0))
        assert heads.probability(leaning, vector(1.0)) == pytest.approx(1 / (1 + np.exp(-2)))
        assert heads.probability(leaning, vector(-1.0)) < 0.5

    @pytest.mark.parametrize("sure", [0.0, 1.0], ids=["surely not", "surely"])
    def test_a_model_that_is_quite_sure_leaves_a_probability(self, sure: float) -> None:
        assert heads.probability(head(), vector(), sure) == pytest.approx(sure, abs=1e-5)


class TestLogisticRegression:
    def test_without_observations_the_prior_stands(self) -> None:
        prior = logistic.Prior(np.array([1.0, -2.0]), np.ones(2))
        nothing = logistic.Observed(np.zeros((0, 2)), np.zeros(0), np.zeros(0))
        assert logistic.fitted(nothing, prior).tolist() == [1.0, -2.0]

    def test_a_free_bias_becomes_the_log_odds_of_the_share(self) -> None:
        observed = logistic.Observed(np.ones((4, 1)), np.array([1.0, 0, 0, 0]), np.ones(4))
        (bias,) = logistic.fitted(observed, logistic.Prior(np.zeros(1), np.full(1, 1e-9)))
        assert bias == pytest.approx(np.log(1 / 3), abs=1e-4)

    def test_counting_a_row_twice_is_the_same_as_having_it_twice(self) -> None:
        rows, carries = np.array([[1.0, 0.2], [0.3, 1.0], [0.9, 0.8]]), np.array([1.0, 0.0, 1.0])
        prior = logistic.Prior(np.zeros(2), np.ones(2))
        once = logistic.Observed(rows[[0, 0, 1, 2]], carries[[0, 0, 1, 2]], np.ones(4))
        counted = logistic.Observed(rows, carries, np.array([2.0, 1, 1]))
        assert logistic.fitted(once, prior) == pytest.approx(logistic.fitted(counted, prior), abs=1e-6)

    def test_leaving_a_row_out_is_close_to_a_fit_without_it(self) -> None:
        rng = np.random.default_rng(3)
        rows = rng.normal(size=(60, 3))
        carries = (rows[:, 0] + rng.normal(size=60) > 0).astype(float)
        prior = logistic.Prior(np.zeros(3), np.ones(3))
        observed = logistic.Observed(rows, carries, np.ones(60))
        near = logistic.left_out(observed, prior, logistic.fitted(observed, prior))
        for row in (0, 17, 59):
            rest = np.arange(60) != row
            without = logistic.Observed(rows[rest], carries[rest], np.ones(59))
            assert near[row] == pytest.approx(rows[row] @ logistic.fitted(without, prior), abs=0.02)

    def test_classes_that_a_line_parts_do_not_drive_it_to_infinity(self) -> None:
        observed = logistic.Observed(np.array([[1.0], [-1.0]]), np.array([1.0, 0.0]), np.full(2, 1000.0))
        (weight,) = logistic.fitted(observed, logistic.Prior(np.zeros(1), np.full(1, 0.1)))
        assert 5 < weight < 20


def person(count: int, wrong_about_first: bool, seed: int = 1) -> list[Labelled]:
    """Label items of two kinds; the model is right about the second, and perhaps always wrong about the first."""
    rng = random.Random(seed)
    items = []
    for number in range(count):
        first, carries = number % 2 == 0, rng.random() < 0.5
        believed = carries != (first and wrong_about_first)
        says = rng.uniform(0.75, 0.95) if believed else rng.uniform(0.05, 0.25)
        place = vector(1.0, 1.0 if carries else -1.0) if first else vector(0, 0, 1.0)
        items.append(Labelled(place / np.linalg.norm(place), says, carries, f"story {number}"))
    return items


def taught(labelled: Sequence[Labelled]) -> Lesson:
    return learn("capex", labelled, 0.5, "reader")


class TestLearning:
    def test_a_model_that_is_wrong_about_a_kind_of_item_is_corrected(self) -> None:
        lesson = taught(person(60, wrong_about_first=True))
        assert lesson.head is not None
        assert lesson.before is not None
        assert lesson.after is not None
        assert lesson.after.f1 > lesson.before.f1
        assert lesson.after.loss < lesson.before.loss
        assert lesson.head.model.startswith("reader+labels-")
        assert (lesson.head.base, lesson.head.labels) == ("reader", 60)

    def test_the_correction_holds_for_new_items_and_leaves_the_others_alone(self) -> None:
        learned = taught(person(60, wrong_about_first=True)).head
        assert learned is not None
        up, elsewhere = vector(1.0, 1.0) / np.sqrt(np.float32(2)), vector(0, 0, 1.0)
        assert heads.probability(learned, up, 0.15) > 0.5
        assert heads.probability(learned, elsewhere, 0.9) > 0.5
        assert heads.probability(learned, elsewhere, 0.1) < 0.5

    def test_a_model_that_is_right_stays_as_it_is(self) -> None:
        labelled = [
            Labelled(one.embedding, 0.99 if one.carries else 0.01, one.carries, one.story) for one in person(60, False)
        ]
        lesson = taught(labelled)
        assert lesson.head is None
        assert "the model stays as it is" in lesson.verdict

    def test_labels_given_by_chance_teach_nothing(self) -> None:
        rng = np.random.default_rng(5)
        told = [
            Labelled(vector(*rng.normal(size=8)), float(rng.uniform(0.4, 0.6)), bool(n % 2), str(n)) for n in range(80)
        ]
        assert taught(told).head is None

    @pytest.mark.parametrize(
        ("carrying", "others", "verdict"),
        [
            pytest.param(0, 0, "give 20 more labels, 3 more that carry it, 3 more that do not", id="no label at all"),
            pytest.param(8, 8, "give 4 more labels", id="sixteen labels"),
            pytest.param(0, 30, "give 3 more that carry it", id="none carries the topic"),
            pytest.param(29, 1, "give 2 more that do not", id="nearly all carry the topic"),
        ],
    )
    def test_too_few_labels_say_how_many_are_missing(self, carrying: int, others: int, verdict: str) -> None:
        labelled = [Labelled(vector(1.0), 0.5, n < carrying, str(n)) for n in range(carrying + others)]
        lesson = taught(labelled)
        assert lesson.verdict == f"too few labels: {verdict}"
        assert (lesson.before, lesson.after, lesson.head) == (None, None, None)

    def test_the_same_labels_give_the_same_head(self) -> None:
        labelled = person(40, wrong_about_first=True)
        assert taught(labelled).head == taught(labelled).head

    def test_one_more_label_gives_another_name(self) -> None:
        before, after = (taught(person(count, wrong_about_first=True)).head for count in (60, 62))
        assert before is not None
        assert after is not None
        assert before.model != after.model


class TestFolds:
    def test_a_story_is_never_split(self) -> None:
        labelled = [Labelled(vector(1.0), 0.5, n % 3 == 0, f"story {n // 4}") for n in range(80)]
        places: dict[str, set[int]] = {}
        for one, fold in zip(labelled, folds(labelled), strict=True):
            places.setdefault(one.story, set()).add(fold)
        assert {len(found) for found in places.values()} == {1}

    def test_both_kinds_are_spread_evenly(self) -> None:
        labelled = [Labelled(vector(1.0), 0.5, n < FEWEST, str(n)) for n in range(5 * FEWEST)]
        dealt = folds(labelled)
        assert [dealt[:FEWEST].count(fold) for fold in range(FOLDS)] == [FEWEST // FOLDS] * FOLDS
        assert set(dealt) == set(range(FOLDS))


class TestHeadedClassifier:
    def test_a_head_replaces_what_the_model_says_under_its_own_name(self) -> None:
        headed = HeadedClassifier(reader := FakeReader(), reader, [head((*[0.0] * DIMENSIONS, 1.0, 3.0))])
        (reading,) = headed.read(["some news"])
        assert reading.scores["capex"].probability > 0.8
        assert reading.scores["capex"].model == "reader+labels-1"
        assert reading.scores["capex"].words == ("word",)
        assert reading.scores["efficiency"] == Score(0.3, "reader", ("word",))

    def test_it_names_each_topics_model_and_threshold(self) -> None:
        headed = HeadedClassifier(reader := FakeReader(), reader, [head()])
        assert headed.models == {"efficiency": "reader", "capex": "reader+labels-1"}
        assert headed.thresholds == {"efficiency": 0.4, "capex": 0.6}
        assert headed.topics == ("efficiency", "capex")

    def test_a_text_that_cannot_be_read_keeps_what_the_model_said(self) -> None:
        headed = HeadedClassifier(reader := FakeReader(), reader, [head((*[0.0] * DIMENSIONS, 1.0, 9.0))])
        (reading,) = headed.read([""])
        assert reading.scores["capex"] == Score(0.3, "reader+labels-1")

    def test_another_reader_is_asked_for_its_topics_and_ours_for_the_embedding(self) -> None:
        encoder, reader = FakeReader("encoder", says=0.9), FakeReader("other", says=0.2)
        (reading,) = HeadedClassifier(encoder, reader, []).read(["x"])
        assert {score.model for score in reading.scores.values()} == {"other"}
        assert reading.embedding is not None


class TestOpening:
    def test_the_shipped_model_is_opened_as_it_is(self) -> None:
        assert isinstance(open_classifier(ClassifierSettings(), {}), OnnxClassifier)

    def test_a_head_of_this_model_is_used(self) -> None:
        name = OnnxClassifier.open().name
        opened = open_classifier(ClassifierSettings(), {}, [head(base=name)])
        assert opened.models["capex"] == f"{name}+labels-1"
        assert opened.models["efficiency"] == name

    @pytest.mark.parametrize(
        "foreign",
        [head(base="minilm-l3-topics-0"), head(base=OnnxClassifier.open().name, topic="weather")],
        ids=["of another model", "for a topic that the model does not have"],
    )
    def test_a_head_that_does_not_fit_is_ignored(self, foreign: Head) -> None:
        assert isinstance(open_classifier(ClassifierSettings(), {}, [foreign]), OnnxClassifier)

    def test_a_folder_of_ours_is_opened_as_such(self, tmp_path: Path) -> None:
        (tmp_path / "model.json").write_text("{}")
        with pytest.raises(ClassifierError, match="incomplete"):
            open_classifier(ClassifierSettings(model=str(tmp_path)), {})
