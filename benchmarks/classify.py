"""Measure what classifying costs: `python -m benchmarks.classify [--torch-weights FILE]`.

Items a second, processor time and peak memory of the shipped model, by how many items come at a time and by their
length, with one thread and with two; and the seconds until a fresh process has classified its first item. With
`--torch-weights` (what `make model` leaves in build/model: a network's state dict) the same items run through the
transformers pipeline in torch, on the same weights, in turns with ours; that needs the extra `train`.

Each system is measured in fresh processes, and the best of the rounds counts: other work on the machine only slows.
The goals are six times the pipeline, 1.5 seconds and 350 MB.
"""

import argparse
import importlib.util
import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from logging import CRITICAL
from pathlib import Path
from typing import Any, TypeAlias

from monitor.signals.onnx_classifier import SHIPPED, OnnxClassifier
from monitor.signals.text import model_text
from monitor.training.dataset import training_examples

AT_A_TIME = (1, 8, 16, 64)
LENGTHS = (15, 60, 120)  # tokens
USUAL = 16  # at a time, when lengths are compared
MIX = "as they come"
OURS, PIPELINE = "ours", "pipeline"

Case: TypeAlias = tuple[str, int]
"""Which texts, and how many at a time."""
Reader: TypeAlias = Callable[[list[str]], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock and of the processor for one item."""

    clock: float
    processor: float


@dataclass(frozen=True, slots=True)
class Round:
    """What one process measured; ``peak`` is its memory in MB."""

    costs: dict[Case, Cost]
    peak: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure; ``weights`` are torch's."""

    model: Path
    weights: Path | None
    items: int
    rounds: int


def main() -> None:
    """Measure, and print the tables."""
    plan = _plan()
    texts = _texts(plan)
    systems = [OURS, PIPELINE] if _can_run_torch(plan) else [OURS]
    print(f"{plan.items} items a row, best of {plan.rounds} rounds; items a second (processor ms each)\n")
    rounds = _measured(plan, systems, texts)
    for threads in (2, 1):
        _print_table(threads, {system: rounds[system, threads] for system in systems})
    if PIPELINE in systems:
        _print_usual(rounds[OURS, 2], rounds[PIPELINE, 2])
    print("cold start to the first item: " + ", ".join(f"{_cold_start(plan.model):.2f} s" for _ in range(3)))


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classify", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a model's folder (default: the shipped one)")
    parser.add_argument("--torch-weights", type=Path, help="the same network's state dict, for the pipeline in torch")
    parser.add_argument("--items", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    return Plan(chosen.model, chosen.torch_weights, chosen.items, chosen.rounds)


def _can_run_torch(plan: Plan) -> bool:
    if plan.weights is None or not plan.weights.is_file():
        print("No pipeline to compare with: give the network's state dict with --torch-weights.")
        return False
    if importlib.util.find_spec("torch") is None:
        print("No pipeline to compare with: torch is not installed (extra `train`).")
        return False
    return True


def _texts(plan: Plan) -> dict[str, list[str]]:
    """Return the training items' texts: a mix as they come, and for each length those that come nearest to it."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - the measured processes load it themselves

    tokenizer = Tokenizer.from_file(str(plan.model / "tokenizer.json"))
    tokenizer.no_padding()
    texts = [model_text(example.title, example.summary) for example in training_examples()]
    count = {text: len(tokenizer.encode(text).ids) for text in texts}
    chosen = {MIX: texts[:: len(texts) // plan.items][: plan.items]}
    for length in LENGTHS:
        nearest = sorted(count, key=lambda text: abs(count[text] - length))[: plan.items]
        chosen[f"{length} tokens"] = nearest
    return chosen


def _measured(plan: Plan, systems: Sequence[str], texts: dict[str, list[str]]) -> dict[tuple[str, int], Round]:
    found: dict[tuple[str, int], list[Round]] = {}
    for _, threads, system in product(range(plan.rounds), (2, 1), systems):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
            found.setdefault((system, threads), []).append(
                fresh.submit(one_round, plan, system, threads, texts).result()
            )
    return {key: _best(rounds) for key, rounds in found.items()}


def _best(rounds: Sequence[Round]) -> Round:
    costs = {case: min((one.costs[case] for one in rounds), key=lambda cost: cost.clock) for case in rounds[0].costs}
    return Round(costs, max(one.peak for one in rounds))


def one_round(plan: Plan, system: str, threads: int, texts: dict[str, list[str]]) -> Round:
    """Measure one system; called in a process of its own."""
    make = _ours if system == OURS else _pipeline
    costs = {}
    for case, read in zip(cases(), make(plan, threads), strict=True):
        read(texts[case[0]][:4])
        costs[case] = _cost(read, texts[case[0]], case[1] if system == OURS else len(texts[case[0]]))
    return Round(costs, _peak_megabytes())


def cases() -> list[Case]:
    """Name what is measured, in order."""
    return [(MIX, size) for size in AT_A_TIME] + [(f"{length} tokens", USUAL) for length in LENGTHS]


def _cost(read: Reader, texts: list[str], at_a_time: int) -> Cost:
    clock, processor = time.perf_counter(), time.process_time()
    for start in range(0, len(texts), at_a_time):
        read(texts[start : start + at_a_time])
    return Cost((time.perf_counter() - clock) / len(texts), (time.process_time() - processor) / len(texts))


def _ours(plan: Plan, threads: int) -> Iterator[Reader]:
    classifier = OnnxClassifier.open(plan.model, threads)
    yield from (classifier.read for _ in cases())


def _pipeline(plan: Plan, threads: int) -> Iterator[Reader]:
    """Yield for each case the text-classification pipeline; it makes batches by itself."""
    import torch  # noqa: PLC0415 - an extra
    from transformers import PreTrainedTokenizerFast, pipeline  # noqa: PLC0415 - loads torch
    from transformers.utils import logging  # noqa: PLC0415 - loads torch

    logging.set_verbosity(CRITICAL)  # it does not know our network's name, and says so at length
    torch.set_num_threads(threads)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(plan.model, local_files_only=True)
    tagger = pipeline("text-classification", model=_network(plan), tokenizer=tokenizer, top_k=None, device="cpu")
    for _, size in cases():
        yield partial(tagger, batch_size=size, truncation=True, max_length=128)


def _network(plan: Plan) -> Any:
    """Return the network in the clothes that the pipeline asks for."""
    import torch  # noqa: PLC0415 - an extra
    from transformers import BertConfig, BertModel, BertPreTrainedModel  # noqa: PLC0415 - loads torch
    from transformers.modeling_outputs import SequenceClassifierOutput  # noqa: PLC0415 - loads torch

    from monitor.training.network import TopicNetwork  # noqa: PLC0415 - loads torch

    class Network(BertPreTrainedModel):  # type: ignore[misc, no-untyped-call, unused-ignore] # torch is absent here
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.inner = TopicNetwork(BertModel(config), config.num_labels)
            self.post_init()  # type: ignore[no-untyped-call, unused-ignore] # torch is absent here

        def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
            return SequenceClassifierOutput(logits=self.inner(input_ids, attention_mask)[0])

    config = BertConfig.from_pretrained(plan.model, num_labels=3, problem_type="multi_label_classification")
    network: Any = Network(config)
    assert plan.weights is not None
    network.inner.load_state_dict(torch.load(plan.weights, weights_only=True), strict=False)
    return network.eval()


def _print_table(threads: int, found: dict[str, Round]) -> None:
    print(f"{'threads: ' + str(threads):14} {'at a time':>9}" + "".join(f"{system:>18}" for system in found))
    for case in cases():
        costs = [one.costs[case] for one in found.values()]
        told = "".join(f"{1 / cost.clock:>8.0f} ({1000 * cost.processor:>6.1f})" for cost in costs)
        ratio = f"{costs[1].clock / costs[0].clock:>8.1f} times" if len(costs) > 1 else ""
        print(f"{case[0]:14} {case[1]:>9}{told}{ratio}")
    print(f"{'peak memory':24}" + "".join(f"{one.peak:>15.0f} MB" for one in found.values()) + "\n")


def _print_usual(ours: Round, pipeline: Round) -> None:
    """Compare both as they are called: the daemon reads 64 items at a time, the pipeline does one unless told."""
    times = pipeline.costs[MIX, 1].clock / ours.costs[MIX, 64].clock
    print(f"ours as the daemon calls it (64 at a time), the pipeline as it comes (1): {times:.1f} times")


def _cold_start(model: Path) -> float:
    """Return the seconds from the start of a process to its end, after one item."""
    code = (
        "import sys; from pathlib import Path; from monitor.signals.onnx_classifier import OnnxClassifier;"
        "OnnxClassifier.open(Path(sys.argv[1])).read(['A first item about chips.'])"
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(model)], check=True)
    return time.perf_counter() - start


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes on macOS, kilobytes on Linux


if __name__ == "__main__":
    main()
