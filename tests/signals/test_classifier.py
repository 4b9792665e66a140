"""The shipped model loads without network, tags what is clear, and takes any text."""

import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.errors import ClassifierError
from monitor.signals.onnx_classifier import SHIPPED, OnnxClassifier, like_lengths
from monitor.signals.reading import Reading
from monitor.signals.tags import signals
from monitor.signals.text import model_text

E, C, G = "efficiency", "capex", "geopolitics"

CLEAR = [
    ("Lab halves the price of its model API", "Tokens now cost 50 percent less thanks to cheaper inference.", {E}),
    ("Tiny model matches GPT-4 class rival at a tenth of the training cost", "", {E}),
    ("New quantization method runs 70B model on one consumer GPU", "Memory use falls by 75 percent.", {E}),
    ("DeepSeek says it trained its model for under $6 million", "That is a fraction of what rivals spend.", {E}),
    ("Neues Verfahren senkt Inferenzkosten um 80 Prozent", "Das Modell braucht deutlich weniger Speicher.", {E}),
    ("Kleines Modell erreicht Leistung des großen bei einem Zehntel der Kosten", "", {E}),
    ("Microsoft to spend $80 billion on AI data centers this year", "Capital expenditure rises by half.", {C}),
    ("Meta raises capex guidance on AI infrastructure", "Spending on servers and data centers will grow.", {C}),
    ("Utility signs 2 GW power deal for hyperscale data center campus", "", {C}),
    ("Analysts warn of an AI data center bubble", "Revenue does not cover the spending on GPUs.", {C}),
    ("Rechenzentrum in Frankfurt gestoppt: Netzanschluss fehlt", "Der Betreiber verschiebt den Bau.", {C}),
    ("Amazon investiert 10 Milliarden Euro in Rechenzentren", "Die Investitionsausgaben steigen erneut.", {C}),
    ("US tightens export controls on AI chips to China", "The rules cover more countries.", {G}),
    ("Australia bans Chinese AI app on government devices", "Officials cite national security.", {G}),
    ("Pentagon awards contract for military AI", "The defence department wants autonomous drones.", {G}),
    ("USA verschärfen Exportkontrollen für KI-Chips", "Peking kündigt Gegenmaßnahmen an.", {G}),
    ("Bundesregierung verbietet chinesische KI-App auf Dienstgeräten", "Sicherheitsbehörden hatten gewarnt.", {G}),
    (
        "Saudi fund and government to build $10bn AI data center with US chips",
        "Washington licensed the export.",
        {C, G},
    ),
    ("Startup launches chatbot for travel bookings", "The app suggests hotels and restaurants.", set()),
    ("Authors sue AI company over copyright", "They say their books were used without permission.", set()),
    ("How to write better prompts", "Ten tips for daily work with a chatbot.", set()),
    ("New voice feature comes to the assistant app", "", set()),
    ("Start-up sammelt 20 Millionen Euro ein", "Das Geld fließt in Vertrieb und Personal.", set()),
    ("Chatbot hilft im Kundendienst", "Die Bank will Fragen schneller beantworten.", set()),
]


def probabilities(readings: list[Reading]) -> list[dict[str, float]]:
    return [{topic: score.probability for topic, score in reading.scores.items()} for reading in readings]


@pytest.mark.parametrize(("title", "summary", "topics"), CLEAR, ids=[title for title, _, _ in CLEAR])
def test_a_clear_item_gets_its_topics(classifier: OnnxClassifier, title: str, summary: str, topics: set[str]) -> None:
    (told,) = classifier.read([model_text(title, summary)])
    assert {signal.topic for signal in signals(1, told.scores, classifier.thresholds)} == topics


def test_an_item_gets_the_same_reading_alone_and_among_others(classifier: OnnxClassifier) -> None:
    texts = [model_text(title, summary) for title, summary, _ in CLEAR]
    together = classifier.read([*texts, "word " * 500, "", "chips"])
    for text, one in zip(texts, together, strict=False):
        (alone,) = classifier.read([text])
        for topic, score in alone.scores.items():
            assert one.scores[topic].probability == pytest.approx(score.probability, abs=1e-4)
            assert one.scores[topic].words == score.words
        assert one.embedding == pytest.approx(alone.embedding, abs=1e-4)


def test_an_embedding_has_unit_length(classifier: OnnxClassifier) -> None:
    (told,) = classifier.read(["A chip maker builds a plant"])
    assert told.embedding is not None
    assert float(told.embedding @ told.embedding) == pytest.approx(1.0, abs=1e-4)


def test_one_thread_reads_as_two_do(classifier: OnnxClassifier) -> None:
    texts = [title for title, _, _ in CLEAR]
    alone = OnnxClassifier.open(threads=1).read(texts)
    assert probabilities(alone) == [pytest.approx(one, abs=1e-6) for one in probabilities(classifier.read(texts))]


def test_logits_come_in_the_order_of_the_texts(classifier: OnnxClassifier) -> None:
    texts = [model_text(title, summary) for title, summary, _ in CLEAR]
    for text, told in zip(texts, classifier.logits(texts), strict=True):
        assert told == [pytest.approx(one, abs=1e-3) for one in classifier.logits([text])[0]]
    assert classifier.logits([]) == []


@pytest.mark.parametrize(
    ("lengths", "batches"),
    [
        pytest.param([], [], id="no texts"),
        pytest.param([7], [[0]], id="one"),
        pytest.param([10, 50, 12, 48], [[1, 3], [2, 0]], id="short and long ones apart"),
        pytest.param([20, 16, 15], [[0, 1], [2]], id="up to four tokens of padding"),
        pytest.param([9] * 11, [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10]], id="more than a batch holds"),
    ],
)
def test_texts_of_like_length_run_together_the_longest_first(lengths: list[int], batches: list[list[int]]) -> None:
    assert like_lengths(lengths) == batches


def test_threads_share_a_classifier(classifier: OnnxClassifier) -> None:
    texts = [title for title, _, _ in CLEAR]
    expected = probabilities(classifier.read(texts))
    with ThreadPoolExecutor(4) as pool:
        for told in pool.map(classifier.read, [texts] * 4):
            assert probabilities(told) == [pytest.approx(one, abs=1e-6) for one in expected]


def test_no_texts_give_no_readings(classifier: OnnxClassifier) -> None:
    assert classifier.read([]) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n\t", id="blank"),
        pytest.param("\x00\x07\u200b\u202e", id="control characters"),
        pytest.param("\ud800 chips \udfff", id="lone surrogates"),
        pytest.param("x" * 1_000_000, id="a megabyte without a blank"),
        pytest.param("chip " * 200_000, id="a megabyte of words"),
        pytest.param("人工智能芯片出口管制" * 100, id="Chinese"),
        pytest.param("🚀🤖" * 1000, id="emoji"),
        pytest.param("e" + "\u0301" * 5000, id="a tower of accents"),
        pytest.param("[MASK] [CLS] [SEP] [PAD]", id="the tokenizer's own words"),
    ],
)
def test_any_text_has_probabilities(classifier: OnnxClassifier, text: str) -> None:
    (told,) = probabilities(classifier.read([text]))
    assert tuple(told) == classifier.topics
    assert all(0.0 <= probability <= 1.0 for probability in told.values())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("2031: +7 % 🚀", id="no words"),
        pytest.param("研究人员介绍新的天气预报方法和 AI 模型", id="Chinese"),
        pytest.param("Правительство вводит новые правила для чипов NVIDIA", id="Russian"),
    ],
)
def test_what_the_model_cannot_read_keeps_the_prior_and_carries_no_topic(classifier: OnnxClassifier, text: str) -> None:
    (told,) = classifier.read([text])
    assert {score.probability for score in told.scores.values()} == {0.13}
    assert told.embedding is None
    assert signals(1, told.scores, classifier.thresholds) == ()


def test_the_card_describes_the_shipped_model() -> None:
    opened = OnnxClassifier.open()
    assert opened.topics == (E, C, G)
    assert set(opened.thresholds) == set(opened.topics)
    assert all(0.0 < threshold < 1.0 for threshold in opened.thresholds.values())
    assert opened.name.startswith("minilm-l6-topics-")


def test_the_shipped_weights_are_the_described_ones_and_small_enough() -> None:
    weights = (SHIPPED / "model.onnx").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == json.loads((SHIPPED / "model.json").read_text())["sha256"]
    assert len(weights) < 30_000_000


def test_the_model_ships_with_licence_notice_and_card() -> None:
    for name in ("LICENSE", "NOTICE", "README.md"):
        assert (SHIPPED / name).stat().st_size > 100


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(SHIPPED, tmp_path / "model")


@pytest.mark.parametrize("name", ["model.json", "model.onnx", "ngrams.npz", "tokenizer.json", "tokenizer_config.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ClassifierError, match=f"incomplete: {name} missing"):
        OnnxClassifier.open(copy)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"model\.json, model\.onnx, ngrams\.npz, tokenizer\.json"):
        OnnxClassifier.open(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="not JSON"),
        pytest.param("[]", id="not an object"),
        pytest.param(
            '{"name": "m", "topics": ["capex"], "prior": 0.1, "sha256": "", "max_length": 9}', id="no thresholds"
        ),
        pytest.param(
            '{"name": "m", "topics": ["capex"], "thresholds": {}, "prior": 0.1, "sha256": "", "max_length": 9}',
            id="a topic without threshold",
        ),
    ],
)
def test_a_damaged_description_is_named(copy: Path, text: str) -> None:
    (copy / "model.json").write_text(text)
    with pytest.raises(ClassifierError, match=r"model\.json is damaged"):
        OnnxClassifier.open(copy)


@pytest.mark.parametrize("name", ["model.onnx", "ngrams.npz"])
def test_truncated_weights_are_named_when_loaded(copy: Path, name: str) -> None:
    weights = (copy / name).read_bytes()
    (copy / name).write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ClassifierError, match=rf"{name} is damaged"):
        OnnxClassifier.open(copy).load()


@pytest.mark.parametrize("text", [pytest.param("{", id="not JSON"), pytest.param("{}", id="not a tokenizer")])
def test_a_damaged_tokenizer_is_named(copy: Path, text: str) -> None:
    (copy / "tokenizer.json").write_text(text)
    with pytest.raises(ClassifierError, match="tokenizer"):
        OnnxClassifier.open(copy).load()


def test_loading_says_nothing_and_opening_loads_nothing() -> None:
    code = (
        "import sys; from monitor.signals.onnx_classifier import OnnxClassifier; c = OnnxClassifier.open();"
        "assert not {'tokenizers', 'onnxruntime', 'numpy'} & set(sys.modules), 'opening must stay light';"
        "c.load(); c.load(); c.read(['chips ' * 9000]);"
        "assert not {'torch', 'transformers'} & set(sys.modules), 'they take longer than all the rest'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_errors_say_what_to_do(copy: Path) -> None:
    (copy / "model.onnx").write_bytes(b"")
    with pytest.raises(ClassifierError, match=r"Reinstall the program, or rebuild the model as docs/model\.md says"):
        OnnxClassifier.open(copy).load()
