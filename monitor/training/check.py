"""Checks that the training data are fit to learn from: ``python -m monitor.training.check``.

A model learns whatever tells tagged items from others. If all items that name a company carry a topic, the name becomes
the topic; if items without a topic have no summary, its absence becomes the lack of one. So each rule here keeps one
such shortcut closed. Exits 1 when a rule is broken, after saying which and where.
"""

import argparse
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from rich.console import Console
from rich.table import Table

from monitor.errors import MonitorError
from monitor.signals.text import model_text
from monitor.training.agreement import agreement
from monitor.training.dataset import DATA, TOPICS, Example, read_examples, training_examples, written_examples

ENOUGH = {"en": 3000, "de": 1500}
"""Items that each language needs."""
WITHOUT_TOPIC = 0.60
"""At least this share of all items carries no topic."""
SEVERAL_TOPICS = 0.06
"""At most this share of all items carries more than one."""
CUE_WITHOUT_TOPIC = 0.30
"""At least this share of the items that name a cue carries no topic."""
CUE_ITEMS = 20
"""A cue that fewer items of a language name is too rare to judge."""
SUMMARY_POINTS = 0.12
"""By how much the shares of items with a summary may differ between items with a topic and without."""
SUMMARY_LENGTH = 0.25
"""By how much the mean length of these summaries may differ, as a share of that of items with a topic."""
ALIKE = 0.8
"""From this share of common three-word runs on, two texts are the same."""
KAPPA = 0.75
"""The least agreement of the two readers on a topic, beyond chance (Landis & Koch 1977: 0.61 to 0.80 substantial)."""

CUES: Mapping[str, Mapping[str, str]] = {
    "DeepSeek": {"en": r"\bdeepseek", "de": r"\bdeepseek"},
    "Nvidia": {"en": r"\bnvidia", "de": r"\bnvidia"},
    "China": {"en": r"\bchin(a|ese)\b", "de": r"\bchin(a|es)"},
    "billion": {"en": r"\bbillions?\b|\dbn\b", "de": r"milliarde|\bmrd\b"},
    "parameter": {"en": r"parameters?\b", "de": r"parameter"},
    "data centre": {"en": r"\bdata[ -]?cent(er|re)", "de": r"rechenzentr"},
    "chip": {"en": r"chip", "de": r"chip"},
    "export": {"en": r"\bexport", "de": r"export"},
    "cheaper": {"en": r"\bcheaper\b", "de": r"günstiger|billiger"},
    "faster": {"en": r"\bfaster\b", "de": r"schneller"},
    "token": {"en": r"\btokens?\b", "de": r"\btokens?\b"},
    "GPU": {"en": r"\bgpus?\b", "de": r"\bgpus?\b"},
    "government": {"en": r"\bgovernment", "de": r"regierung"},
    "military": {"en": r"\bmilitary\b", "de": r"militär"},
    "spending": {"en": r"\bspending\b", "de": r"investition"},
}
"""What a topic's items often name, as patterns per language; German ones also find parts of compounds."""


@dataclass(frozen=True, slots=True)
class Summaries:
    """Of some items, the share that has a summary, and the mean number of words of those summaries."""

    share: float
    words: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures and what is off; return the exit code."""
    options = _options().parse_args(arguments)
    try:
        problems = check(options.data)
        Console().print(_table(training_examples(options.data), written_examples(options.data)))
    except MonitorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(f"off: {problem}" for problem in problems) or "The training data keep every rule.")
    return 1 if problems else 0


def check(folder: Path = DATA) -> list[str]:
    """Return what is off with the data of a folder, one sentence each. Raises ClassifierError for a line it can't read.

    Items of ``held_out.jsonl`` count only as such that no training item may repeat.
    """
    examples, written = training_examples(folder), written_examples(folder)
    repeated = repetitions([*examples, *read_examples(folder / "held_out.jsonl")])
    rules = (sizes, topic_shares, cue_shares, summary_balance, changed_retellings)
    return [p for rule in rules for p in rule(examples)] + repeated + unread(written) + disagreements(written)


def sizes(examples: Sequence[Example]) -> list[str]:
    """Name languages with too few items."""
    counts = Counter(example.lang for example in examples)
    return [f"{lang}: {counts[lang]} items; at least {n} are needed" for lang, n in ENOUGH.items() if counts[lang] < n]


def topic_shares(examples: Sequence[Example]) -> list[str]:
    """Say whether too few items carry no topic, or too many several."""
    without, several = _share(examples, lambda e: not e.topics), _share(examples, lambda e: len(e.topics) > 1)
    few = f"{without:.1%} of the items carry no topic; at least {WITHOUT_TOPIC:.0%} must"
    many = f"{several:.1%} of the items carry several topics; at most {SEVERAL_TOPICS:.0%} may"
    return [few] * (without < WITHOUT_TOPIC) + [many] * (several > SEVERAL_TOPICS)


def cue_shares(examples: Sequence[Example]) -> list[str]:
    """Name cues that give a topic away, because too few of the items that name them carry none."""
    return [
        f"{lang}: {without:.0%} of the {named} items that name “{cue}” carry no topic; "
        f"at least {CUE_WITHOUT_TOPIC:.0%} must"
        for lang, items in by_language(examples).items()
        for cue, (named, without) in cues(lang, items).items()
        if named >= CUE_ITEMS and without < CUE_WITHOUT_TOPIC
    ]


def cues(lang: str, examples: Sequence[Example]) -> dict[str, tuple[int, float]]:
    """Return for each cue how many of a language's items name it, and the share of these that carries no topic."""
    return {cue: _cue(patterns[lang], examples) for cue, patterns in CUES.items() if lang in patterns}


def summary_balance(examples: Sequence[Example]) -> list[str]:
    """Name languages whose summaries tell items with a topic from those without, by being there or by length."""
    found = []
    for lang, items in by_language(examples).items():
        with_topic, without = (summaries([e for e in items if bool(e.topics) is carries]) for carries in (True, False))
        if abs(with_topic.share - without.share) > SUMMARY_POINTS:
            found.append(
                f"{lang}: {with_topic.share:.0%} of the items with a topic have a summary, "
                f"{without.share:.0%} of those without; at most {SUMMARY_POINTS * 100:.0f} points may lie between"
            )
        if abs(without.words - with_topic.words) > SUMMARY_LENGTH * with_topic.words:
            found.append(
                f"{lang}: summaries have {with_topic.words:.1f} words with a topic, {without.words:.1f} without; "
                f"at most {SUMMARY_LENGTH:.0%} may lie between"
            )
    return found


def summaries(examples: Sequence[Example]) -> Summaries:
    """Measure the summaries of some items."""
    lengths = [len(example.summary.split()) for example in examples if example.summary.strip()]
    return Summaries(_ratio(len(lengths), len(examples)), _ratio(sum(lengths), len(lengths)))


def changed_retellings(examples: Sequence[Example]) -> list[str]:
    """Name retellings whose labels are not those of the item that they retell."""
    topics = {example.title: example.topics for example in examples if example.event == example.title}
    return [
        f"{e.lang}: “{e.title}” and “{e.event}”, which it retells, have different labels"
        for e in examples
        if topics.get(e.event, e.topics) != e.topics
    ]


def repetitions(examples: Sequence[Example]) -> list[str]:
    """Name items that say the same in nearly the same words; an item and its retelling differ in language."""
    return [
        f"{lang}: “{items[one].title}” and “{items[other].title}” have {alike:.0%} of their three-word runs in common"
        for lang, items in by_language(examples).items()
        for one, other, alike in _alike([three_word_runs(model_text(e.title, e.summary)) for e in items])
    ]


def three_word_runs(text: str) -> frozenset[tuple[str, ...]]:
    """Return all runs of three words (Broder 1997's shingles), in small letters; a shorter text is one run."""
    words = re.findall(r"\w+", text.casefold())
    return frozenset(tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2)))


def unread(written: Sequence[Example]) -> list[str]:
    """Name items without a second reading."""
    return [f"{e.lang}: “{e.title}” has no second reading" for e in written if e.second is None]


def disagreements(written: Sequence[Example]) -> list[str]:
    """Name topics on which the two readers agree too little."""
    return [
        f"{lang}: the readers agree on {topic} with a kappa of {kappa:.2f}; at least {KAPPA} is needed"
        for lang, items in by_language(written).items()
        for topic, kappa in agreement(items).kappas.items()
        if kappa < KAPPA
    ]


def by_language(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """Sort examples into languages."""
    found: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        found[example.lang].append(example)
    return dict(sorted(found.items()))


def _cue(pattern: str, examples: Sequence[Example]) -> tuple[int, float]:
    compiled = re.compile(pattern, re.IGNORECASE)
    naming = [e for e in examples if compiled.search(e.title) or compiled.search(e.summary)]
    return len(naming), _share(naming, lambda e: not e.topics)


def _alike(texts: Sequence[frozenset[tuple[str, ...]]]) -> Iterator[tuple[int, int, float]]:
    """Yield the places of texts whose Jaccard similarity reaches ALIKE, found by the runs that they share."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, runs in enumerate(texts):
        for run in runs:
            places[run].append(place)
    shared = Counter(pair for holders in places.values() for pair in combinations(holders, 2))
    for (one, other), common in sorted(shared.items()):
        alike = common / (len(texts[one]) + len(texts[other]) - common)
        if alike >= ALIKE:
            yield one, other, alike


def _table(examples: Sequence[Example], written: Sequence[Example]) -> Table:
    read = by_language(written)
    columns = {lang: _figures(lang, items, read.get(lang, [])) for lang, items in by_language(examples).items()}
    table = Table("", *columns, title="The training data", box=None)
    for name in next(iter(columns.values()), {}):
        table.add_row(name, *(figures[name] for figures in columns.values()))
    return table


def _figures(lang: str, examples: Sequence[Example], written: Sequence[Example]) -> dict[str, str]:
    readers = agreement(written)
    return {
        "items": str(len(examples)),
        "… without a topic": _percent(_share(examples, lambda e: not e.topics)),
        "… with several": _percent(_share(examples, lambda e: len(e.topics) > 1)),
        **{f"… with {topic}": _percent(_carrying(topic, examples)) for topic in TOPICS},
        "with a topic: have a summary, of words": _described([e for e in examples if e.topics]),
        "without: have a summary, of words": _described([e for e in examples if not e.topics]),
        **{f"name “{c}”, of them without a topic": f"{n}, {_percent(s)}" for c, (n, s) in cues(lang, examples).items()},
        "items with two readings": str(readers.items),
        **{f"kappa of {topic}": f"{kappa:.2f}" for topic, kappa in readers.kappas.items()},
        "same labels from both readers": _percent(readers.identical),
    }


def _described(examples: Sequence[Example]) -> str:
    found = summaries(examples)
    return f"{_percent(found.share)}, {found.words:.1f}"


def _carrying(topic: str, examples: Sequence[Example]) -> float:
    return _share(examples, lambda example: topic in example.topics)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _share(examples: Sequence[Example], counts: Callable[[Example], bool]) -> float:
    return _ratio(sum(map(counts, examples)), len(examples))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitor.training.check", description="Check the training data.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data (default: the shipped ones)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
