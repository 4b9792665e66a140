"""Runs a Hugging Face model in place of the shipped one: a sequence classifier, or a zero-shot model.

A zero-shot model was trained to tell whether a statement follows from a text (natural language inference, NLI); each
topic is a statement, judged by itself (Yin, Hay & Roth 2019, "Benchmarking Zero-shot Text Classification").
torch is the user's own to install. A model that is not on this machine yet is downloaded once, when it is first loaded;
that is the only request. Nothing that a model brings is run as a program: no remote code, no pickled weights.
"""

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from monitor.errors import ClassifierError, ConfigError
from monitor.signals.label_choice import independent, is_zero_shot, places, statements, verdicts
from monitor.signals.reading import Reading, Score
from monitor.signals.settings import ClassifierSettings

THRESHOLD = 0.5
_LONGEST = 8_000  # characters; more than any model's tokens, far less than what would stall a tokenizer
_MOST_TOKENS = 512  # title and summary; a model that can read books is not given room for one
_AT_ONCE = 8  # sequences in one run of the network
_THREADS = 2
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
_FILES = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors"]
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
_SUBFOLDERS = ["*/*"]  # the same weights in other formats
_INSTALL = (
    "Install its CPU build beside this program: `pip install torch --index-url https://download.pytorch.org/whl/cpu`, "
    "or with uv: `uv pip install torch --torch-backend cpu`."
)


class _Judge(Protocol):
    """Turns a few texts into a probability for each topic."""

    @property
    def at_once(self) -> int: ...

    def probabilities(self, texts: Sequence[str]) -> list[list[float]]: ...


class HubClassifier:
    """A Hugging Face model, opened at once, loaded when first asked. Safe to share between threads.

    ``labels`` says for a topic which of the model's labels means it, or which statement a zero-shot model shall judge.
    ``find`` returns the folder of the model's files, downloading them if need be. It gives no words and no embedding.
    """

    def __init__(self, name: str, topics: tuple[str, ...], labels: Mapping[str, str], find: Callable[[], Path]) -> None:
        self.name, self.topics = name, topics
        self.models = dict.fromkeys(topics, name)
        self.thresholds = dict.fromkeys(topics, THRESHOLD)
        self._labels, self._find = labels, find
        self._lock = threading.Lock()
        self._judge: _Judge | None = None

    @classmethod
    def open(cls, settings: ClassifierSettings, topics: tuple[str, ...]) -> "HubClassifier":
        """Take note of the settings' model for these topics; load nothing, ask nobody.

        Raises ClassifierError when the model's name cannot be one, ConfigError when a label is for no topic of these.
        """
        model = settings.model or ""
        if strangers := ", ".join(sorted(settings.labels.keys() - set(topics))):
            raise ConfigError(f"classifier.labels: there is no topic {strangers}; topics: {', '.join(topics)}")
        folder = Path(model).expanduser()
        if folder.is_dir():
            return cls(folder.resolve().name, topics, settings.labels, lambda: folder)
        if not _NAME.fullmatch(model):
            raise ClassifierError(
                f"classifier.model: there is no folder {model}, and that is no name of a Hugging Face model (org/name)."
            )
        return cls(model, topics, settings.labels, lambda: download(model))

    def load(self) -> None:
        """Load the model (from seconds to minutes, by size); do nothing the second time. Raises ClassifierError."""
        with self._lock:
            self._loaded()

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return a reading of each text, in order; one without words carries nothing. Raises ClassifierError."""
        starts = [text[:_LONGEST].encode("utf-8", "replace").decode("utf-8") for text in texts]
        by_length = sorted((n for n, text in enumerate(starts) if _has_words(text)), key=lambda n: len(starts[n]))
        found = [[0.0] * len(self.topics)] * len(starts)
        with self._lock:  # a tokenizer remembers its padding between calls; the network keeps the cores busy by itself
            judge = self._loaded()
            for begin in range(0, len(by_length), judge.at_once):
                batch = by_length[begin : begin + judge.at_once]
                for n, probabilities in zip(batch, self._judged(judge, [starts[n] for n in batch]), strict=True):
                    found[n] = probabilities
        return [self._reading(probabilities) for probabilities in found]

    def _reading(self, probabilities: Sequence[float]) -> Reading:
        return Reading({t: Score(p, self.name) for t, p in zip(self.topics, probabilities, strict=True)})

    def _judged(self, judge: _Judge, texts: Sequence[str]) -> list[list[float]]:
        try:
            found = judge.probabilities(texts)
        except (RuntimeError, IndexError, ValueError) as error:
            raise ClassifierError(f"The model {self.name} failed on a text: {_one_line(error)}") from error
        if not all(isfinite(probability) for each in found for probability in each):
            raise ClassifierError(f"The model {self.name} answers with numbers that are none (NaN); choose another.")
        return found

    def _loaded(self) -> _Judge:
        if self._judge is None:
            _require_torch(self.name)
            folder = self._find()
            try:
                self._judge = _open_judge(folder, self.name, self.topics, self._labels)
            except ClassifierError:
                raise
            except Exception as error:
                raise ClassifierError(
                    f"The model {self.name} in {folder} cannot be loaded: {_one_line(error)}"
                ) from error
        return self._judge


def download(name: str, cache: Path | None = None, endpoint: str | None = None) -> Path:
    """Return the folder of a Hugging Face model's files; download them when they are not all in the cache yet.

    By default the user's own Hugging Face cache, and huggingface.co. Raises ClassifierError.
    """
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import
    from huggingface_hub.errors import RepositoryNotFoundError  # noqa: PLC0415 - as above

    def snapshot(*, local: bool) -> Path:
        return Path(
            snapshot_download(
                name,
                cache_dir=cache,
                endpoint=endpoint,
                local_files_only=local,
                allow_patterns=_FILES,
                ignore_patterns=_SUBFOLDERS,
            )
        )

    try:
        if _weights(cached := snapshot(local=True)):
            return cached
    except OSError:  # not there, or not all of it
        pass
    try:
        return snapshot(local=False)
    except RepositoryNotFoundError as error:
        raise ClassifierError(
            f"There is no folder {name}, and Hugging Face has no model of that name that you may read; check the "
            "spelling of `classifier: model:` (for a gated model: accept its terms on its page, then `hf auth login`)."
        ) from error
    except Exception as error:
        raise ClassifierError(
            f"The model {name} is not on this machine and cannot be downloaded ({_one_line(error)}); "
            "connect to the network and try again, or give the path of a folder that holds it."
        ) from error


def _weights(folder: Path) -> list[Path]:
    return list(folder.glob("*.safetensors"))


def _require_torch(model: str) -> None:
    try:
        import torch  # noqa: PLC0415 - only this classifier needs it, and it takes seconds
    except (ImportError, OSError) as error:
        raise ClassifierError(
            f"The model {model} needs torch, which cannot be imported ({_one_line(error)}). {_INSTALL}"
        ) from error
    torch.set_num_threads(min(_THREADS, os.cpu_count() or 1))


def _open_judge(folder: Path, name: str, topics: Sequence[str], labels: Mapping[str, str]) -> _Judge:
    """Load a model; what its configuration lacks is said before the weights are read."""
    from transformers import AutoConfig  # noqa: PLC0415 - takes seconds
    from transformers.utils import logging  # noqa: PLC0415 - as above

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    _check_files(folder, name)
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    known = [str(label) for _, label in sorted(config.id2label.items())]
    if is_zero_shot(known):
        against, entailed = verdicts(name, known)
        return _Statements(_Network.load(folder, name), statements(topics, labels), against, entailed)
    chosen, one_by_one = places(name, known, topics, labels), independent(name, known, config.problem_type)
    return _Labels(_Network.load(folder, name), chosen, one_by_one)


def _check_files(folder: Path, name: str) -> None:
    if not (folder / "config.json").is_file():
        raise ClassifierError(f"{name} is no Hugging Face model: there is no config.json in {folder}.")
    if not _weights(folder):
        raise ClassifierError(
            f"The model {name} has no weights in the safetensors format in {folder}, and no other is read, "
            "because it could run a program; choose another model, or save it with save_pretrained()."
        )
    if not any(list(folder.glob(pattern)) for pattern in _TOKENIZERS):  # transformers would make up an empty one
        raise ClassifierError(
            f"The model {name} has no tokenizer in {folder} ({', '.join(_TOKENIZERS)}); save it there as well."
        )


@dataclass(frozen=True, slots=True)
class _Network:
    """Tokenizer and weights; ``longest`` counts tokens."""

    tokenizer: Any
    model: Any
    longest: int

    @classmethod
    def load(cls, folder: Path, name: str) -> "_Network":
        """Load both in 32-bit numbers; raise ClassifierError when the weights lack the output layer."""
        import torch  # noqa: PLC0415 - takes seconds
        from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415 - as above

        safe = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **safe
        )
        if absent := sorted(report["missing_keys"]):
            raise ClassifierError(
                f"The model {name} is no classifier: its weights lack {', '.join(absent[:3])}; "
                "choose one that was trained for sequence classification or NLI."
            )
        if tokenizer.pad_token_id is None:  # written for one text at a time; what comes after the end is not looked at
            tokenizer.pad_token = tokenizer.eos_token
            model.config.pad_token_id = tokenizer.pad_token_id
        return cls(tokenizer, model.eval(), _room(tokenizer, model))

    def logits(self, texts: Sequence[str], statements: Sequence[str] | None = None) -> Any:
        """Return a row of outputs for each text, or for each pair of text and statement (which is never cut)."""
        import torch  # noqa: PLC0415 - loaded by now

        cut = True if statements is None else "only_first"
        inputs = self.tokenizer(
            list(texts),
            statements,
            truncation=cut,
            max_length=self.longest,
            padding=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            return self.model(**inputs).logits.float()


def _room(tokenizer: Any, model: Any) -> int:
    """Return how many tokens fit; two positions are kept free, because some models count from two."""
    positions = getattr(model.config, "max_position_embeddings", None) or _MOST_TOKENS + 2
    return int(min(_MOST_TOKENS, tokenizer.model_max_length, positions - 2))


@dataclass(frozen=True, slots=True)
class _Labels:
    """A sequence classifier: ``places`` says which output stands for each topic."""

    network: _Network
    places: tuple[int, ...]
    one_by_one: bool

    @property
    def at_once(self) -> int:
        return _AT_ONCE

    def probabilities(self, texts: Sequence[str]) -> list[list[float]]:
        logits = self.network.logits(texts)
        chances = logits.sigmoid() if self.one_by_one else logits.softmax(-1)
        found: list[list[float]] = chances[:, list(self.places)].tolist()
        return found


@dataclass(frozen=True, slots=True)
class _Statements:
    """An NLI model: judges a statement for each topic; ``against`` and ``entailed`` are places of outputs."""

    network: _Network
    statements: tuple[str, ...]
    against: int
    entailed: int

    @property
    def at_once(self) -> int:
        return max(1, _AT_ONCE // len(self.statements))

    def probabilities(self, texts: Sequence[str]) -> list[list[float]]:
        each = [(text, statement) for text in texts for statement in self.statements]
        logits = self.network.logits([text for text, _ in each], [statement for _, statement in each])
        chances = logits[:, [self.against, self.entailed]].softmax(-1)[:, 1]
        found: list[list[float]] = chances.reshape(len(texts), -1).tolist()
        return found


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _one_line(error: Exception, most: int = 300) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= most else f"{text[:most]}…"
