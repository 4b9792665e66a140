"""Runs a model folder of ours: the shipped one, or one that a user trained.

One pass of the transformer through onnxruntime gives the topics' logits, each token's share in them, and the embedding;
a linear model over n-grams gives a second opinion (monitor.signals.ngrams). onnxruntime is imported when the model
is first loaded. The tokenizer is the one inside transformers, asked directly: importing all of transformers takes twice
as long as everything else together. Nothing here reaches for the network. How the model was made: docs/model.md.
"""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, compress
from pathlib import Path
from typing import Any, NamedTuple

from monitor.errors import ClassifierError
from monitor.signals.ngrams import Ngrams
from monitor.signals.odds import sigmoid
from monitor.signals.reading import Reading, Score
from monitor.signals.text import readable
from monitor.signals.words import deciding

SHIPPED = Path(__file__).parent / "model"
CARD = "model.json"
NETWORK = "model.onnx"
NGRAMS = "ngrams.npz"
_FILES = (CARD, NETWORK, NGRAMS, "tokenizer.json", "tokenizer_config.json")
_LONGEST = 4_000  # characters; far more than ``max_length`` tokens, far less than what would stall the tokenizer
_BATCH = 8  # texts in one run; more bring nothing
_PADDING = 4  # tokens that a text may be padded by; computing them costs about what a run of its own would
_WORTH_WORDS = 0.05  # a probability below which no one asks for the words, whose search takes a tenth of the time
_OUTPUTS = ("logits", "shares", "sentence_embedding")
_REINSTALL = "Reinstall the program, or rebuild the model as docs/model.md says."


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the logits of network and n-grams into a probability that holds in the wild (Platt scaling, 1999)."""

    network: float
    ngrams: float
    shift: float

    def probability(self, network: float, ngrams: float) -> float:
        """Return the probability that two logits make."""
        return sigmoid(self.network * network + self.ngrams * ngrams + self.shift)


@dataclass(frozen=True, slots=True)
class Card:
    """What model.json says of a model.

    ``calibration`` and ``thresholds`` (probabilities) are per topic; ``prior`` is the share of items (0 to 1) that the
    model expects to carry a topic before it has read them; ``sha256`` is of model.onnx, ``ngrams_sha256`` of
    ngrams.npz; ``max_length`` counts tokens.
    """

    name: str
    topics: tuple[str, ...]
    calibration: Mapping[str, Calibration]
    thresholds: Mapping[str, float]
    prior: float
    sha256: str
    ngrams_sha256: str
    max_length: int

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read model.json; raise ClassifierError when it is not what training writes."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            topics = tuple(map(str, fields["topics"]))
            return cls(
                name=str(fields["name"]),
                topics=topics,
                calibration={topic: Calibration(**fields["calibration"][topic]) for topic in topics},
                thresholds={topic: float(fields["thresholds"][topic]) for topic in topics},
                prior=float(fields["prior"]),
                sha256=str(fields["sha256"]),
                ngrams_sha256=str(fields["ngrams_sha256"]),
                max_length=int(fields["max_length"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClassifierError(f"The model's description {path} is damaged ({error!r}). {_REINSTALL}") from error


class OnnxClassifier:
    """A model on disk, opened at once, loaded when first asked. Safe to share between threads."""

    def __init__(self, folder: Path, card: Card, threads: int = 2) -> None:
        self.name = card.name
        self.topics = card.topics
        self.models = dict.fromkeys(card.topics, card.name)
        self.thresholds = card.thresholds
        self._folder = folder
        self._card = card
        self._threads = threads
        self._lock = threading.Lock()
        self._tokenizer: Any = None
        self._session: Any = None
        self._ngrams: Any = None

    @classmethod
    def open(cls, folder: Path | None = None, threads: int = 2) -> "OnnxClassifier":
        """Open the model in ``folder`` (default: the shipped one) without loading it; raise ClassifierError.

        ``threads`` is how many batches of texts are in the network at the same time, each on a processor core.
        """
        folder = folder or SHIPPED
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:
            raise ClassifierError(f"The model in {folder} is incomplete: {', '.join(missing)} missing. {_REINSTALL}")
        return cls(folder, Card.read(folder / CARD), threads)

    def load(self) -> None:
        """Load tokenizer and weights (half a second, 100 MB); do nothing the second time. Raise ClassifierError."""
        with self._lock:
            if self._session is None:
                self._tokenizer = _tokenizer(self._folder / "tokenizer.json", self._card.max_length)
                self._ngrams = Ngrams.read(BytesIO(_whole(self._folder / NGRAMS, self._card.ngrams_sha256)))
                self._session = _session(self._folder / NETWORK, self._card.sha256)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return a reading of each text, in order; it does not depend on the text's neighbours. Raise ClassifierError.

        A text without words, or in a script that the model cannot read, keeps the prior: nothing was learned of it.
        """
        starts = [_start(text) for text in texts]
        legible = [readable(start) for start in starts]
        answers = iter(self._answers(list(compress(starts, legible))))
        return [
            self._reading(start, next(answers)) if can_read else self._unread()
            for start, can_read in zip(starts, legible, strict=True)
        ]

    def logits(self, texts: Sequence[str]) -> list[list[tuple[float, float]]]:
        """Return of each text, in order, each topic's logits (network, n-grams) before calibration.

        Raises ClassifierError.
        """
        return [
            [(float(network), float(ngrams)) for network, ngrams in zip(answer.logits, answer.ngrams, strict=True)]
            for answer in self._answers([_start(text) for text in texts])
        ]

    def _answers(self, texts: Sequence[str]) -> list["_Answer"]:
        if not texts:
            return []
        self.load()
        tokens = [self._tokenizer.encode(text) for text in texts]
        batches = like_lengths([len(one.ids) for one in tokens])
        with ThreadPoolExecutor(self._threads, "classify") as pool:
            told = pool.map(lambda batch: self._batch([(texts[place], tokens[place]) for place in batch]), batches)
            answers = dict(zip(chain(*batches), chain(*told), strict=True))
        return [answers[place] for place in range(len(texts))]

    def _batch(self, texts: Sequence[tuple[str, Any]]) -> list["_Answer"]:
        """Answer texts that come with their tokens. The n-grams' share of it runs beside another batch's network."""
        outputs = self._session.run(_OUTPUTS, _padded([tokens.ids for _, tokens in texts]))
        return [
            _Answer(tokens, self._ngrams.logits(text), *answer)
            for (text, tokens), *answer in zip(texts, *outputs, strict=True)
        ]

    def _unread(self) -> Reading:
        return Reading({topic: Score(self._card.prior, self.name) for topic in self.topics})

    def _reading(self, text: str, answer: "_Answer") -> Reading:
        told = zip(self.topics, answer.logits, answer.ngrams, strict=True)
        sure = [self._card.calibration[topic].probability(float(one), float(other)) for topic, one, other in told]
        scores = {topic: self._score(text, sure[place], place, answer) for place, topic in enumerate(self.topics)}
        return Reading(scores, answer.embedding)

    def _score(self, text: str, probability: float, place: int, answer: "_Answer") -> Score:
        if probability < _WORTH_WORDS:
            return Score(probability, self.name)
        return Score(probability, self.name, deciding(text, answer.tokens.offsets, self._shares(text, place, answer)))

    def _shares(self, text: str, place: int, answer: "_Answer") -> list[float]:
        """Return what each token gave to a topic's log-odds: its share in the network's, and what its word gave."""
        both = self._card.calibration[self.topics[place]]
        given = [(start, end, both.ngrams * float(added[place])) for start, end, added in self._ngrams.evidence(text)]
        return [
            both.network * float(share) + sum(added for first, last, added in given if first <= start < last)
            for (start, _), share in zip(answer.tokens.offsets, answer.shares[:, place], strict=False)
        ]


def like_lengths(lengths: Sequence[int]) -> list[list[int]]:
    """Deal texts of these lengths (tokens) into batches: places in ``lengths``, longest first, with little padding."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        full = not batches or len(batches[-1]) == _BATCH
        if full or lengths[batches[-1][0]] - lengths[place] > _PADDING:
            batches.append([])
        batches[-1].append(place)
    return batches


class _Answer(NamedTuple):
    """What both models say of one text: its tokens, logits, and the network's other outputs.

    ``shares`` has rows for padding too.
    """

    tokens: Any
    ngrams: Any
    logits: Any
    shares: Any
    embedding: Any


def _start(text: str) -> str:
    return text[:_LONGEST].encode("utf-8", "replace").decode("utf-8")  # a lone surrogate becomes "?"


def _padded(rows: Sequence[Sequence[int]]) -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415 - opening a classifier must stay light

    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def _tokenizer(path: Path, longest: int) -> Any:
    """Return the tokenizer; threads may share it, because it is told its length once."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - opening a classifier must stay light

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more exact
        raise ClassifierError(f"The tokenizer {path} is damaged ({error}). {_REINSTALL}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def _whole(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ClassifierError(f"{path} is damaged: its SHA-256 is not the one in model.json. {_REINSTALL}")
    return content


def _session(path: Path, sha256: str) -> Any:
    weights = _whole(path, sha256)
    import onnxruntime  # noqa: PLC0415 - takes a second

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # no pool: its idle threads would spin
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # written as it is to be run
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
