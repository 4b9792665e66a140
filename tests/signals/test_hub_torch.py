"""Other models in torch: tiny random ones, read as transformers' own pipelines read them. Skipped without torch."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ClassifierError
from monitor.signals.hub import HubClassifier
from monitor.signals.label_choice import STATEMENTS
from monitor.signals.settings import ClassifierSettings

torch = pytest.importorskip("torch", reason="torch is not installed; other models need it")
transformers = pytest.importorskip("transformers")

TOPICS = ("efficiency", "capex", "geopolitics")
NLI = ("contradiction", "neutral", "entailment")
WORDS = ["ai", "chips", "cost", "less", "power", "data", "centre", "export", "controls", "state", "money", "the"]
TEXTS = [
    "AI chips cost less power",
    "",
    "The state controls the export " * 60,
    "Data centre",
    "... !!",
    "Money money money, less AI",
    "caf\ud800 \x00 Größe",
    *(f"the {'data ' * n}" for n in range(9)),
]

Build = Callable[..., Path]


def tokenizer_in(folder: Path) -> None:
    known = {word: place for place, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    tokenizer = transformers.BertTokenizer(vocab=known)
    assert tokenizer.tokenize("The chips") == ["the", "chips"]
    tokenizer.save_pretrained(folder)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Write a tiny random BERT to a folder called ``tiny``, with these labels."""

    def written(*labels: str, problem: str | None = None, headless: bool = False) -> Path:
        folder = tmp_path / "tiny"
        folder.mkdir(exist_ok=True)
        tokenizer_in(folder)
        torch.manual_seed(7)
        config = transformers.BertConfig(
            vocab_size=len(WORDS) + 5,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=40,
            id2label=dict(enumerate(labels)),
            label2id={label: place for place, label in enumerate(labels)},
            problem_type=problem,
            initializer_range=2.0,  # so that the answers differ
        )
        kind = transformers.BertModel if headless else transformers.BertForSequenceClassification
        kind(config).eval().save_pretrained(folder)
        return folder

    return written


def opened(folder: Path, **labels: str) -> HubClassifier:
    return HubClassifier.open(ClassifierSettings(model=str(folder), labels=labels), TOPICS)


def probabilities(classifier: HubClassifier, *texts: str) -> list[list[float]]:
    return [[reading.scores[topic].probability for topic in TOPICS] for reading in classifier.read(texts)]


def scores_of(pipeline: Any, text: str) -> dict[str, float]:
    (answers,) = pipeline([text], truncation=True, max_length=38)
    return {one["label"]: one["score"] for one in answers}


class TestSequenceClassification:
    @pytest.mark.parametrize("problem", ["multi_label_classification", "single_label_classification", None])
    def test_it_agrees_with_transformers_pipeline(self, build: Build, problem: str | None) -> None:
        folder = build("Capex", "none", "geopolitics", "speed", problem=problem)
        pipeline = transformers.pipeline("text-classification", str(folder), top_k=None)
        texts = [text for text in TEXTS if "a" in text and "\ud800" not in text]
        expected = [[scores_of(pipeline, t)[label] for label in ("speed", "Capex", "geopolitics")] for t in texts]
        found = probabilities(opened(folder, efficiency="speed"), *texts)
        assert found == [pytest.approx(row, abs=1e-5) for row in expected]

    def test_neighbours_and_order_do_not_change_an_answer(self, build: Build) -> None:
        classifier = opened(build(*TOPICS, problem="multi_label_classification"))
        alone = [probabilities(classifier, text)[0] for text in TEXTS]
        assert probabilities(classifier, *TEXTS) == [pytest.approx(row, abs=1e-5) for row in alone]
        assert len({tuple(row) for row in alone}) > 5

    def test_a_text_without_words_carries_nothing(self, build: Build) -> None:
        assert probabilities(opened(build(*TOPICS)), "", "... !!") == [[0.0] * 3, [0.0] * 3]
        assert opened(build(*TOPICS)).read([]) == []

    def test_results_bear_the_models_name_and_have_no_embedding(self, build: Build) -> None:
        (reading,) = opened(build(*TOPICS)).read(["AI chips"])
        assert {score.model for score in reading.scores.values()} == {"tiny"}
        assert {score.words for score in reading.scores.values()} == {()}
        assert reading.embedding is None

    def test_threads_may_share_it(self, build: Build) -> None:
        classifier = opened(build(*TOPICS))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: probabilities(classifier, *TEXTS), range(8)))
        assert all(answer == answers[0] for answer in answers)

    def test_labels_that_mean_no_topic_are_listed(self, build: Build) -> None:
        with pytest.raises(
            ClassifierError, match="no label for efficiency, capex, geopolitics; its labels are NEG, POS"
        ):
            opened(build("NEG", "POS")).load()

    def test_a_model_that_cannot_pad_reads_all_the_same(self, tmp_path: Path) -> None:
        folder = tmp_path / "gpt"
        folder.mkdir()
        tokenizer_in(folder)
        (folder / "special_tokens_map.json").unlink(missing_ok=True)
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        settings = {**settings, "pad_token": None, "eos_token": "[SEP]", "tokenizer_class": "PreTrainedTokenizerFast"}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        config = transformers.GPT2Config(vocab_size=len(WORDS) + 5, n_positions=40, n_embd=16, n_layer=1, n_head=2)
        config.id2label = dict(enumerate(TOPICS))
        transformers.GPT2ForSequenceClassification(config).save_pretrained(folder)
        classifier = opened(folder)
        alone = [probabilities(classifier, text)[0] for text in TEXTS]
        assert probabilities(classifier, *TEXTS) == [pytest.approx(row, abs=1e-5) for row in alone]


class TestZeroShot:
    def test_it_agrees_with_transformers_pipeline(self, build: Build) -> None:
        folder = build(*NLI)
        pipeline = transformers.pipeline("zero-shot-classification", str(folder))
        asked = dict(zip(("this is about the cost", "data centre", "the state"), TOPICS, strict=True))
        texts = ["AI chips cost less power", "Money, less AI", "data data data data"]
        answers = pipeline(texts, list(asked), hypothesis_template="{}", multi_label=True)
        expected = [dict(zip((asked[a] for a in each["labels"]), each["scores"], strict=True)) for each in answers]
        classifier = opened(folder, **{topic: statement for statement, topic in asked.items()})
        found = [{topic: score.probability for topic, score in r.scores.items()} for r in classifier.read(texts)]
        assert found == [pytest.approx(row, abs=1e-5) for row in expected]

    def test_without_labels_our_own_statements_are_judged(self, build: Build) -> None:
        folder = build("entailment", "not_entailment")
        text = "AI chips cost less power"
        assert probabilities(opened(folder), text) == probabilities(opened(folder, **STATEMENTS), text)

    def test_a_long_text_is_cut_and_the_statement_is_not(self, build: Build) -> None:
        classifier = opened(build(*NLI), efficiency="the cost", capex="data centre", geopolitics="the state")
        (row,) = probabilities(classifier, "AI chips " * 500)
        assert len({round(p, 6) for p in row}) == 3

    def test_neighbours_and_order_do_not_change_an_answer(self, build: Build) -> None:
        classifier = opened(build(*NLI), efficiency="the cost", capex="data centre", geopolitics="the state")
        alone = [probabilities(classifier, text)[0] for text in TEXTS]
        assert probabilities(classifier, *TEXTS) == [pytest.approx(row, abs=1e-5) for row in alone]


class TestWhatCannotBeLoaded:
    def refused(self, folder: Path) -> str:
        with pytest.raises(ClassifierError) as error:
            opened(folder).load()
        assert "\n" not in str(error.value)
        return str(error.value)

    def test_a_folder_without_a_model(self, tmp_path: Path) -> None:
        assert "is no Hugging Face model: there is no config.json" in self.refused(tmp_path)

    def test_a_model_that_was_never_trained_to_classify(self, build: Build) -> None:
        said = self.refused(build(*TOPICS, headless=True))
        assert "tiny is no classifier: its weights lack classifier.bias, classifier.weight" in said

    def test_weights_in_a_format_that_can_run_programs(self, build: Build) -> None:
        folder = build(*TOPICS)
        shutil.move(folder / "model.safetensors", folder / "pytorch_model.bin")
        assert "no weights in the safetensors format" in self.refused(folder)

    def test_a_damaged_configuration(self, build: Build) -> None:
        folder = build(*TOPICS)
        (folder / "config.json").write_text("{")
        assert "The model tiny in" in self.refused(folder)

    def test_damaged_weights(self, build: Build) -> None:
        folder = build(*TOPICS)
        weights = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
        assert "cannot be loaded" in self.refused(folder)

    def test_a_missing_tokenizer(self, build: Build) -> None:
        folder = build(*TOPICS)
        for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
            (folder / name).unlink(missing_ok=True)
        assert "has no tokenizer" in self.refused(folder)

    def test_program_code_of_the_models_own_is_not_run(self, build: Build) -> None:
        folder = build(*TOPICS)
        config = json.loads((folder / "config.json").read_text())
        own = {"auto_map": {"AutoConfig": "own.Config"}, "model_type": "own"}
        (folder / "config.json").write_text(json.dumps({**config, **own}))
        (folder / "own.py").write_text("raise SystemExit('it ran')")
        assert "cannot be loaded" in self.refused(folder)

    def test_weights_that_are_no_numbers(self, build: Build) -> None:
        folder = build(*TOPICS)
        model = transformers.BertForSequenceClassification.from_pretrained(folder)
        model.classifier.bias.data.fill_(float("nan"))
        model.save_pretrained(folder)
        with pytest.raises(ClassifierError, match="answers with numbers that are none"):
            opened(folder).read(["AI chips"])
