"""Asks the shipped transformer how likely an item carries each topic.

The only module outside training that touches transformers and onnxruntime; both are imported when the model is first
loaded, because that takes seconds. Nothing here reaches for the network. How the model was made: docs/model.md.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.errors import ClassifierError
from monitor.signals.text import readable

SHIPPED = Path(__file__).parent / "model"
_FILES = ("model.json", "model.onnx", "tokenizer.json", "tokenizer_config.json")
_LONGEST = 4_000  # characters; far more than ``max_length`` tokens, far less than what would stall the tokenizer
_AT_ONCE = 2  # texts in the network at the same time: one for each of two processor cores
_REINSTALL = "Reinstall the program, or rebuild the model as docs/model.md says."


@dataclass(frozen=True, slots=True)
class Card:
    """What model.json says of a model.

    ``prior`` is the share of items (0 to 1) that the model expects to carry a topic before it has read them;
    ``sha256`` is of model.onnx; ``max_length`` counts tokens.
    """

    name: str
    topics: tuple[str, ...]
    thresholds: Mapping[str, float]
    prior: float
    sha256: str
    max_length: int

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read model.json; raise ClassifierError when it is not what training writes."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            topics = tuple(map(str, fields["topics"]))
            thresholds = {topic: float(fields["thresholds"][topic]) for topic in topics}
            prior, longest = float(fields["prior"]), int(fields["max_length"])
            return cls(str(fields["name"]), topics, thresholds, prior, str(fields["sha256"]), longest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClassifierError(f"The model's description {path} is damaged ({error!r}). {_REINSTALL}") from error


class Classifier:
    """A model on disk, opened at once, loaded when first asked. Safe to share between threads.

    ``name`` is stored with every classification; ``thresholds`` are the model's own defaults (probability per topic).
    """

    def __init__(self, folder: Path, card: Card) -> None:
        self.name = card.name
        self.topics = card.topics
        self.thresholds = card.thresholds
        self._folder = folder
        self._card = card
        self._lock = threading.Lock()
        self._tokenizer: Any = None
        self._session: Any = None

    @classmethod
    def open(cls, folder: Path | None = None) -> "Classifier":
        """Open the model in ``folder`` (default: the shipped one) without loading it; raise ClassifierError."""
        folder = folder or SHIPPED
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:
            raise ClassifierError(f"The model in {folder} is incomplete: {', '.join(missing)} missing. {_REINSTALL}")
        return cls(folder, Card.read(folder / "model.json"))

    def load(self) -> None:
        """Load tokenizer and weights (seconds, about 150 MB); does nothing the second time. Raise ClassifierError."""
        with self._lock:
            if self._session is None:
                self._tokenizer = _tokenizer(self._folder)
                self._session = _session(self._folder / "model.onnx", self._card.sha256)

    def probabilities(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return for each text, in order, the probability of each topic (0 to 1). Raise ClassifierError.

        Each text is run by itself, two at a time: the 8-bit network scales its numbers by the largest one in a run, so
        that neighbours in one run would change a text's result, and gain no speed (docs/model.md has the measurement).

        A text without words, or in a script that the model cannot read, keeps the prior: nothing was learned of it.
        """
        self.load()
        with ThreadPoolExecutor(_AT_ONCE, "classify") as pool:
            return list(pool.map(self._one, texts))

    def _one(self, text: str) -> dict[str, float]:
        start = text[:_LONGEST].encode("utf-8", "replace").decode("utf-8")  # a lone surrogate becomes "?"
        if not readable(start):
            return dict.fromkeys(self.topics, self._card.prior)
        (rows,) = self._session.run(["probabilities"], self._tokens(start))
        return dict(zip(self.topics, map(float, rows[0]), strict=True))

    def _tokens(self, text: str) -> dict[str, Any]:
        with self._lock:  # a tokenizer remembers its truncation between calls: one thread at a time
            encoded = self._tokenizer(text, truncation=True, max_length=self._card.max_length, return_tensors="np")
        return {name: encoded[name] for name in ("input_ids", "attention_mask")}


def _tokenizer(folder: Path) -> Any:
    logger = logging.getLogger("transformers")
    logger.addFilter(_drop)  # on import it advises to install torch, which we do without
    try:
        from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - takes seconds

        logger.setLevel(logging.ERROR)
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClassifierError(f"The tokenizer in {folder} is damaged ({error}). {_REINSTALL}") from error
    finally:
        logger.removeFilter(_drop)


def _drop(_: logging.LogRecord) -> bool:
    return False


def _session(path: Path, sha256: str) -> Any:
    weights = path.read_bytes()
    if hashlib.sha256(weights).hexdigest() != sha256:
        raise ClassifierError(f"{path} is damaged: its SHA-256 is not the one in model.json. {_REINSTALL}")
    import onnxruntime  # noqa: PLC0415 - takes a second

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # no pool: its idle threads would spin
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
