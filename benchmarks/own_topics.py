"""How well do a few examples make a topic of one's own? ``python -m benchmarks.own_topics``.

Fits the sample topic ``energy`` (electricity for AI) to 10 to 30 of its examples, drawn five times, and measures it on
60 other items: 20 that carry it, 20 near misses, 20 others. Prints the means over the draws.
"""

import json
import random
import sys
import tempfile
from pathlib import Path
from statistics import mean

from monitor.signals.evaluation import Judged, average_precision, quality
from monitor.signals.headed import OWN_THRESHOLD, HeadedClassifier
from monitor.signals.onnx_classifier import SHIPPED, OnnxClassifier
from monitor.signals.own_topics import own_topics
from monitor.signals.settings import TopicSettings
from monitor.signals.text import model_text

SAMPLES = Path(__file__).parents[1] / "tests" / "signals" / "samples"
DRAWS = 5


def main() -> int:
    """Measure and print; return the exit code."""
    lines = (SAMPLES / "energy.jsonl").read_text(encoding="utf-8").splitlines()
    classifier = OnnxClassifier.open()
    print("examples  average precision  precision  recall    F1")
    for count in (10, 15, 20, len(lines)):
        draws = [random.Random(draw).sample(lines, count) for draw in range(DRAWS if count < len(lines) else 1)]
        rows = [_measured(classifier, draw) for draw in draws]
        rank, precision, recall, f1 = (mean(column) for column in zip(*rows, strict=True))
        print(f"{count:8}  {rank:17.2f}  {precision:9.2f}  {recall:6.2f}  {f1:4.2f}")
    return 0


def _measured(classifier: OnnxClassifier, examples: list[str]) -> tuple[float, float, float, float]:
    held = [json.loads(line) for line in (SAMPLES / "energy_held_out.jsonl").read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "energy.jsonl"
        path.write_text("\n".join(examples), encoding="utf-8")
        own = own_topics({"energy": TopicSettings(examples=path)}, SHIPPED)
    headed = HeadedClassifier(classifier, classifier, [], own)
    readings = headed.read([model_text(one["title"], one["summary"]) for one in held])
    told = [reading.scores["energy"].probability for reading in readings]
    judged = [Judged(probability, one["carries"]) for probability, one in zip(told, held, strict=True)]
    found = quality(judged, OWN_THRESHOLD)
    return average_precision(judged), found.precision, found.recall, found.f1


if __name__ == "__main__":
    sys.exit(main())
