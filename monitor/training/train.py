"""Makes the shipped model: ``python -m monitor.training.train --base DIR [--out DIR] [--folds N] [--seeds N]``.

1. Cross-validation: fit on all events but a fold's, judge that fold; choose each topic's threshold on these judgements.
2. Fit on everything; with several seeds, once per seed, and average the weights.
3. Move the output bias to the topics' real share, export to ONNX, quantise, describe it in model.json.

Needs the extra ``train`` (docs/model.md says how to install it without gigabytes of GPU libraries) and an hour of one
processor core. The same command on the same machine makes the same model.
"""

import argparse
import hashlib
import importlib.util
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import ClassifierError, MonitorError
from monitor.training.calibrate import Judged, average_precision, prior_shift, quality, sigmoid, threshold_for
from monitor.training.dataset import TOPICS, Example, split, training_examples
from monitor.training.progress import steps

if TYPE_CHECKING:
    from monitor.training.fit import Recipe
    from monitor.training.network import TopicNetwork

NAME = "minilm-l6-topics-1"
REAL_SHARE = 0.13  # of the items of AI feeds carry a given topic
PRECISION_GOAL = 0.8
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SHIPPED = Path(__file__).parent.parent / "signals" / "model"
_NEEDED = ("torch", "onnx", "onnxscript")
_INSTALL = "uv pip install --torch-backend cpu -e '.[train]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or say why not; return the exit code."""
    options = _options().parse_args(arguments)
    try:
        require_torch()
        _check_base(options.base)
        train(options.base, options.out, options.folds, options.seeds)
    except MonitorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def require_torch() -> None:
    """Raise ClassifierError when a package of the extra ``train`` is missing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ClassifierError(f"Training needs {', '.join(missing)}. Install the CPU build: {_INSTALL}")


def train(base: Path, out: Path, folds: int, seeds: int) -> None:
    """Write model.onnx, model.json, config and tokenizer to ``out``."""
    from monitor.training.fit import Recipe  # noqa: PLC0415 - torch may be missing

    recipe, examples = Recipe(base), training_examples()
    judged = cross_validate(recipe, examples, folds)
    thresholds = {topic: threshold_for(judged[topic], PRECISION_GOAL, REAL_SHARE) for topic in TOPICS}
    _report(judged, thresholds)
    write_model(recipe, _final(recipe, examples, seeds), thresholds, out)


def shares(examples: Sequence[Example]) -> list[float]:
    """Return the share of the examples that carries each topic."""
    return [sum(topic in example.topics for example in examples) / len(examples) for topic in TOPICS]


def cross_validate(recipe: "Recipe", examples: Sequence[Example], folds: int) -> dict[str, list[Judged]]:
    """Judge every example by a network that has not seen its event, at the real share of topics."""
    judged: dict[str, list[Judged]] = {topic: [] for topic in TOPICS}
    for number, held in enumerate(split(examples, folds), start=1):
        rows = _fold(recipe, examples, held, f"fold {number} of {folds}")
        for index, row in zip(held, rows, strict=True):
            for topic, probability in zip(TOPICS, row, strict=True):
                judged[topic].append(Judged(probability, topic in examples[index].topics))
    return judged


def _fold(recipe: "Recipe", examples: Sequence[Example], held: Sequence[int], label: str) -> list[list[float]]:
    from monitor.training.fit import fitted, logits  # noqa: PLC0415 - torch may be missing

    out = set(held)
    learned = [example for i, example in enumerate(examples) if i not in out]
    with steps(label, recipe.steps(len(learned))) as tick:
        network = fitted(recipe, learned, seed=1, tick=tick)
    shifts = [prior_shift(share, REAL_SHARE) for share in shares(learned)]
    rows = logits(recipe, network, [examples[i] for i in held])
    return [[sigmoid(logit + shift) for logit, shift in zip(row, shifts, strict=True)] for row in rows]


def _final(recipe: "Recipe", examples: Sequence[Example], seeds: int) -> "TopicNetwork":
    from monitor.training.export import shift_bias  # noqa: PLC0415 - torch may be missing
    from monitor.training.fit import fitted  # noqa: PLC0415 - torch may be missing
    from monitor.training.network import averaged  # noqa: PLC0415 - torch may be missing

    networks = []
    for seed in range(1, seeds + 1):
        with steps(f"seed {seed} of {seeds}", recipe.steps(len(examples))) as tick:
            networks.append(fitted(recipe, examples, seed, tick))
    network = networks[0]
    network.load_state_dict(averaged([one.state_dict() for one in networks]))
    shift_bias(network, [prior_shift(share, REAL_SHARE) for share in shares(examples)])
    return network


def write_model(recipe: "Recipe", network: "TopicNetwork", thresholds: dict[str, float], out: Path) -> None:
    """Export, quantise and describe a network whose bias is final."""
    from monitor.training.export import export_onnx, quantise  # noqa: PLC0415 - torch may be missing
    from monitor.training.fit import tokenizer_of  # noqa: PLC0415 - torch may be missing

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(network, Path(folder) / "float.onnx")
        quantise(Path(folder) / "float.onnx", out / "model.onnx")
    tokenizer_of(recipe.base).save_pretrained(out)
    network.encoder.config.save_pretrained(out)
    sha256 = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    card = {
        "name": NAME,
        "topics": TOPICS,
        "thresholds": thresholds,
        "prior": REAL_SHARE,
        "sha256": sha256,
        "max_length": recipe.max_length,
    }
    (out / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {out / 'model.onnx'}, SHA-256 {sha256}")


def _report(judged: dict[str, list[Judged]], thresholds: dict[str, float]) -> None:
    for topic, threshold in thresholds.items():
        found, rank = quality(judged[topic], threshold, REAL_SHARE), average_precision(judged[topic])
        print(
            f"{topic}: threshold {threshold:.2f}, at a share of {REAL_SHARE:.0%} precision {found.precision:.2f} and "
            f"recall {found.recall:.2f}; average precision on the training mix {rank:.2f}"
        )


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
    parser.add_argument("--folds", type=int, default=3, help="cross-validation folds (default 3)")
    parser.add_argument("--seeds", type=int, default=1, help="networks to average (default 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
