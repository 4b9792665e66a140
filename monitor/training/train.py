"""Makes the shipped model: ``python -m monitor.training.train --base DIR [--texts FILE ...]`` (or ``make model``).

1. words: give the base model's vocabulary German words (monitor.training.vocabulary);
2. distil: teach it to read German as its English twin (monitor.training.distil);
3. fit: fit it to the labelled items, once per seed, and average the weights (monitor.training.fit);
4. export to ONNX with 8-bit weights (monitor.training.export);
5. calibrate on real items, where their text is at hand (``--texts``); else with the shipped model's own calibration.

Every step leaves its result in the work folder and is not repeated when it is there: a run that was stopped goes on.
Needs the extra ``train`` (docs/model.md says how to install it without gigabytes of GPU libraries) and about two hours
of a processor core. The same command on the same machine makes the same model.
"""

import argparse
import hashlib
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.errors import ClassifierError, MonitorError
from monitor.signals.background import BACKGROUND
from monitor.signals.onnx_classifier import CARD, NETWORK, NGRAMS, SHIPPED, OnnxClassifier
from monitor.signals.text import model_text
from monitor.training.background import write_background
from monitor.training.dataset import TOPICS, Example, parallel_texts, training_examples
from monitor.training.progress import steps
from monitor.training.word_list import read_words

if TYPE_CHECKING:
    from monitor.training.fit import Recipe
    from monitor.training.network import TopicNetwork

NAME = "minilm-l6-topics-2"
PRIOR = 0.13  # the share of real items that carry a given topic
MAX_LENGTH = 128
SAMPLES = 128
"""Training items that the export takes its scales from."""
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WORK = Path("build/model")
_NEEDED = ("torch", "onnx", "sklearn")
_INSTALL = "uv pip install --torch-backend cpu -e '.[train]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or say why not; return the exit code."""
    options = _options().parse_args(arguments)
    try:
        require_torch()
        _check_base(options.base)
        if options.fit:
            fit_seed(options.base, options.work, training_examples(), options.fit)
        else:
            train(options.base, options.out, work=options.work, seeds=options.seeds, texts=options.texts)
    except MonitorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def require_torch() -> None:
    """Raise ClassifierError when a package of the extra ``train`` is missing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ClassifierError(f"Training needs {', '.join(missing)}. Install the CPU build: {_INSTALL}")


def train(  # noqa: PLR0913 - each is a choice of its own, and all but two have a usual value
    base: Path,
    out: Path,
    extra: Sequence[Example] = (),
    *,
    work: Path = WORK,
    seeds: int = 2,
    texts: Sequence[Path] = (),
    name: str = NAME,
) -> None:
    """Write a model folder to ``out``, trained on the project's items and ``extra`` ones. Raises ClassifierError."""
    from monitor.training.network import averaged  # noqa: PLC0415 - torch may be missing

    examples = (*training_examples(), *extra)
    networks = [fit_seed(base, work, examples, seed) for seed in range(1, seeds + 1)]
    networks[0].load_state_dict(averaged([one.state_dict() for one in networks]))
    write_model(networks[0], work / "reader", examples, out, name)
    write_background(OnnxClassifier.open(out), training_examples(), out / BACKGROUND)
    if texts:
        from monitor.training.calibration import calibrate  # noqa: PLC0415 - reads databases, which training does not

        calibrate(out, texts)


def reader_of_german(base: Path, work: Path) -> Path:
    """Return the folder of the base model once it knows German words and reads German as its English twin."""
    from monitor.training.distil import Lessons, distilled  # noqa: PLC0415 - torch may be missing
    from monitor.training.network import tokenizer_of  # noqa: PLC0415 - torch may be missing
    from monitor.training.vocabulary import with_german  # noqa: PLC0415 - torch may be missing

    reader, words = work / "reader", work / "words"
    if not (reader / "model.safetensors").exists():
        print(f"{with_german(base, read_words(), words)} German words added to the vocabulary")
        pairs, lessons = parallel_texts(), Lessons()
        with steps("reading German", lessons.steps(len(pairs))) as tick:
            encoder = distilled(base, words, pairs, lessons, tick)
        tokenizer_of(words).save_pretrained(reader)
        encoder.save_pretrained(reader)
    return reader


def fit_seed(base: Path, work: Path, examples: Sequence[Example], seed: int) -> "TopicNetwork":
    """Return the network fitted with that seed."""
    import torch  # noqa: PLC0415 - may be missing

    from monitor.training.fit import Recipe, fitted  # noqa: PLC0415 - torch may be missing
    from monitor.training.network import fresh_network  # noqa: PLC0415 - torch may be missing

    recipe = Recipe(reader_of_german(base, work))
    path = work / f"seed-{seed}-{_fingerprint(examples, recipe)}.pt"
    if path.exists():
        network = fresh_network(recipe.base, len(TOPICS))
        network.load_state_dict(torch.load(path, weights_only=True))
        network.eval()
        return network
    with steps(f"seed {seed}", recipe.steps(len(examples))) as tick:
        network = fitted(recipe, examples, seed, tick)
    torch.save(network.state_dict(), path)
    return network


def _fingerprint(examples: Sequence[Example], recipe: "Recipe") -> str:
    told = [(e.title, e.summary, sorted(e.topics)) for e in examples]
    return hashlib.sha256(repr((told, recipe)).encode()).hexdigest()[:12]


def write_model(network: "TopicNetwork", reader: Path, examples: Sequence[Example], out: Path, name: str) -> None:
    """Export a network, fit its n-grams, and describe both with the shipped model's calibration."""
    from monitor.training.export import export_quantised  # noqa: PLC0415 - torch may be missing
    from monitor.training.network import token_ids, tokenizer_of  # noqa: PLC0415 - torch may be missing
    from monitor.training.ngram_fit import write_ngrams  # noqa: PLC0415 - scikit-learn may be missing

    out.mkdir(parents=True, exist_ok=True)
    usual = [model_text(one.title, one.summary) for one in examples[:: -(-len(examples) // SAMPLES)]]
    export_quantised(network, out / NETWORK, [token_ids(reader, text, MAX_LENGTH) for text in usual])
    write_ngrams(examples, out / NGRAMS)
    tokenizer_of(reader).save_pretrained(out)
    network.encoder.config.save_pretrained(out)
    (out / CARD).write_text(json.dumps(_card(out, name), indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {out}")


def _card(out: Path, name: str) -> dict[str, Any]:
    usual = json.loads((SHIPPED / CARD).read_text(encoding="utf-8"))
    return {
        "name": name,
        "topics": TOPICS,
        "calibration": usual["calibration"],
        "thresholds": usual["thresholds"],
        "prior": PRIOR,
        "sha256": hashlib.sha256((out / NETWORK).read_bytes()).hexdigest(),
        "ngrams_sha256": hashlib.sha256((out / NGRAMS).read_bytes()).hexdigest(),
        "max_length": MAX_LENGTH,
    }


def _check_base(base: Path) -> None:
    weights = base / "model.safetensors"
    if not weights.is_file():
        raise ClassifierError(f"{weights} is missing; docs/model.md says how to get the base model.")
    if hashlib.sha256(weights.read_bytes()).hexdigest() != BASE_SHA256:
        raise ClassifierError(f"{weights} is not the published all-MiniLM-L6-v2: its SHA-256 differs.")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitor.training.train", description="Make the shipped model.")
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2 (model.safetensors, …)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where to write (default: the shipped model)")
    parser.add_argument("--work", type=Path, default=WORK, help=f"where steps leave their results (default {WORK})")
    parser.add_argument("--seeds", type=int, default=2, help="networks to average (default 2)")
    parser.add_argument("--fit", type=int, metavar="SEED", help="only fit this seed, to fit several side by side")
    parser.add_argument("--texts", type=Path, nargs="*", default=(), help="databases or JSON Lines with real items")
    return parser


if __name__ == "__main__":
    sys.exit(main())
