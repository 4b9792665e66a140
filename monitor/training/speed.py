"""Measures what the shipped model costs: ``python -m monitor.training.speed [--model DIR]``.

Prints the seconds until a fresh process has classified its first item, the process's peak memory, and items per second,
both by the clock and by processor time (which other work on the machine disturbs less). Then it runs the same texts
through the network in batches, to show what batches would bring and what they would change.
"""

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.signals.classifier import SHIPPED, Classifier
from monitor.signals.text import model_text
from monitor.training.dataset import training_examples

ITEMS = 400
NOTABLE = 0.05  # change of a probability


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m monitor.training.speed", description="Measure a model's cost.")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="a model's folder (default: the shipped one)")
    folder = parser.parse_args(arguments).model
    start = time.perf_counter()
    classifier = Classifier.open(folder)
    classifier.probabilities(["A first item."])
    print(f"first item after {time.perf_counter() - start:.1f} s, peak memory {_peak_megabytes():.0f} MB")
    texts = [model_text(example.title, example.summary) for example in training_examples()[-ITEMS:]]
    _print_rate(classifier, texts)
    _print_batches(folder, texts)
    return 0


def _print_rate(classifier: Classifier, texts: Sequence[str]) -> None:
    clock, processor = time.perf_counter(), time.process_time()
    classifier.probabilities(texts)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(
        f"{len(texts) / clock:.0f} items a second, {1000 * processor / len(texts):.1f} ms of processor time each "
        f"({statistics.mean(map(len, texts)):.0f} characters on average), peak memory {_peak_megabytes():.0f} MB"
    )


def _print_batches(folder: Path, texts: Sequence[str]) -> None:
    import numpy as np  # noqa: PLC0415 - only here, and slow
    import onnxruntime  # noqa: PLC0415 - only here, and slow
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - only here, and slow

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(folder / "model.onnx", options)
    by_length = sorted(texts, key=len)
    results: list[Any] = []
    for size in (1, 4, 16):
        start = time.perf_counter()
        results.append(np.concatenate([_run(session, tokenizer, batch) for batch in _batches(by_length, size)]))
        rate, change = len(texts) / (time.perf_counter() - start), abs(results[-1] - results[0]).max(axis=1)
        print(
            f"in batches of {size}: {rate:.0f} items a second; a probability changes by up to {change.max():.2f}, "
            f"by more than {NOTABLE} for {np.mean(change > NOTABLE):.1%} of the items"
        )


def _batches(texts: Sequence[str], size: int) -> list[Sequence[str]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def _run(session: Any, tokenizer: Any, texts: Sequence[str]) -> Any:
    encoded = tokenizer(list(texts), padding=True, truncation=True, max_length=128, return_tensors="np")
    return session.run(None, {name: encoded[name] for name in ("input_ids", "attention_mask")})[0]


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes on macOS, kilobytes on Linux


if __name__ == "__main__":
    sys.exit(main())
