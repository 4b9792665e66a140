"""The labelled items: what is read from which file, and how they are dealt and ordered for training."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ClassifierError
from monitor.training.dataset import (
    DATA,
    TOPICS,
    parallel_texts,
    read_examples,
    reading_order,
    split,
    training_examples,
    written_examples,
)

EXAMPLES = training_examples()
HELD_OUT = read_examples(DATA / "held_out.jsonl")


def test_no_held_out_event_is_trained_on() -> None:
    assert not {example.event for example in HELD_OUT} & {example.event for example in EXAMPLES}


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("lang", ["de", "en"])
def test_every_topic_has_items_in_both_languages(topic: str, lang: str) -> None:
    carrying = [example for example in EXAMPLES if topic in example.topics and example.lang == lang]
    assert 200 < len(carrying) < len(EXAMPLES) / 4


def test_every_item_says_something() -> None:
    assert all(example.title.strip() and example.topics <= set(TOPICS) for example in EXAMPLES + HELD_OUT)


def test_folds_part_the_items_and_keep_retellings_together() -> None:
    folds = split(EXAMPLES, 4)
    assert sorted(index for fold in folds for index in fold) == list(range(len(EXAMPLES)))
    events = [{EXAMPLES[index].event for index in fold} for fold in folds]
    assert not any(events[i] & events[j] for i in range(4) for j in range(i))
    assert folds == split(EXAMPLES, 4)
    assert max(map(len, folds)) < 1.15 * min(map(len, folds))


def test_an_epoch_reads_every_item_once_with_like_lengths_together() -> None:
    rng = random.Random(3)
    lengths = [rng.randint(5, 120) for _ in range(1000)]
    batches = reading_order(lengths, 32, random.Random(1))
    assert sorted(index for batch in batches for index in batch) == list(range(1000))
    assert batches == reading_order(lengths, 32, random.Random(1))
    assert batches != reading_order(lengths, 32, random.Random(2))
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert padded < 1.15 * sum(lengths)


NONE: frozenset[str] = frozenset()
CAPEX, GEOPOLITICS = frozenset({"capex"}), frozenset({"geopolitics"})
ITEMS: dict[str, list[dict[str, Any]]] = {
    "starter.jsonl": [
        {"lang": "en", "title": "Meta orders chips", "labels": ["capex"], "second": ["capex"]},
        {"lang": "de", "title": "Beirat tagt", "labels": [], "first": ["geopolitics"], "second": []},
    ],
    "near_misses.jsonl": [
        {"lang": "en", "title": "New voice mode", "summary": "It sings.", "labels": [], "second": ["efficiency"]},
        {"lang": "en", "title": "Ban on exports", "summary": "", "labels": ["geopolitics"]},
    ],
    "more_near_misses.jsonl": [{"lang": "de", "title": "Ein Chip im All", "labels": []}],
    "pairs.jsonl": [
        {
            "labels": ["capex"],
            "en": {"title": "Meta orders chips", "summary": "Many."},
            "de": {"title": "Meta bestellt Chips", "summary": "Viele."},
        }
    ],
    "near_miss_pairs.jsonl": [{"en": "Ban on exports", "title": "Ausfuhrverbot", "summary": "Ab Mai."}],
    "headlines.jsonl": [],
}


def written(folder: Path, **other: list[dict[str, Any]]) -> Path:
    """Write small data files into a folder; ``other`` replaces some of them by name, without the ending."""
    for name, lines in {**ITEMS, **{f"{stem}.jsonl": lines for stem, lines in other.items()}}.items():
        (folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def test_training_reads_all_items_and_the_german_retellings(tmp_path: Path) -> None:
    assert [(e.lang, e.title, e.event) for e in training_examples(written(tmp_path))] == [
        ("en", "Meta orders chips", "Meta orders chips"),
        ("de", "Beirat tagt", "Beirat tagt"),
        ("en", "New voice mode", "New voice mode"),
        ("en", "Ban on exports", "Ban on exports"),
        ("de", "Ein Chip im All", "Ein Chip im All"),
        ("de", "Meta bestellt Chips", "Meta orders chips"),
        ("de", "Ausfuhrverbot", "Ban on exports"),
    ]


def test_a_retelling_has_the_labels_of_its_item_but_not_its_readings(tmp_path: Path) -> None:
    *_, pair, near = training_examples(written(tmp_path))
    assert (pair.topics, near.topics) == (CAPEX, GEOPOLITICS)
    assert pair.readings is near.readings is None


def test_the_first_reading_is_the_label_unless_it_was_overruled(tmp_path: Path) -> None:
    meta, council, voice, ban, _ = written_examples(written(tmp_path))
    assert meta.readings == (CAPEX, CAPEX)
    assert council.readings == (GEOPOLITICS, NONE)
    assert voice.readings == (NONE, frozenset({"efficiency"}))
    assert ban.readings is None


def test_parallel_texts_are_the_retold_items(tmp_path: Path) -> None:
    assert parallel_texts(written(tmp_path)) == [
        ("Meta bestellt Chips. Viele.", "Meta orders chips. Many."),
        ("Ausfuhrverbot. Ab Mai.", "Ban on exports"),
    ]


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text('{"title": "one\u2028two", "labels": []}\r\n\n', encoding="utf-8")
    assert [example.title for example in read_examples(path)] == ["one\u2028two"]


@pytest.mark.parametrize(
    ("stem", "line", "message"),
    [
        pytest.param(
            "near_miss_pairs",
            {"en": "Who?", "title": "Wer?"},
            "near_miss_pairs.jsonl:1: en: no English item of near_misses.jsonl is titled 'Who\\?'",
            id="a retelling of an unknown item",
        ),
        pytest.param(
            "near_miss_pairs",
            {"en": ["Ban on exports"], "title": "Ausfuhrverbot"},
            "near_miss_pairs.jsonl:1: en: no English item",
            id="a retelling of a list",
        ),
        pytest.param(
            "pairs",
            {"labels": [], "de": {"title": "Allein"}},
            "pairs.jsonl:1: en: expected an object with title and summary",
            id="a pair without its English side",
        ),
    ],
)
def test_a_wrong_pair_is_named(tmp_path: Path, stem: str, line: dict[str, Any], message: str) -> None:
    with pytest.raises(ClassifierError, match=message):
        parallel_texts(written(tmp_path, **{stem: [line]}))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("{", "items.jsonl:2: not JSON", id="not JSON"),
        pytest.param("[]", "items.jsonl:2: expected an object", id="not an object"),
        pytest.param('{"labels": []}', "items.jsonl:2: an item needs a title", id="no title"),
        pytest.param('{"title": "a"}', "items.jsonl:2: an item needs a title", id="no labels"),
        pytest.param('{"title": "a", "labels": ["capx"]}', "items.jsonl:2: unknown label 'capx'", id="a typo"),
        pytest.param('{"title": "a", "labels": [["capex"]]}', "items.jsonl:2: unknown label", id="a label in a list"),
        pytest.param('{"title": "a", "labels": [], "summary": 7}', "items.jsonl:2: summary: expected", id="a number"),
        pytest.param(
            '{"title": "a", "labels": [], "second": "capex"}', "items.jsonl:2: second: expected", id="no list"
        ),
        pytest.param(
            '{"title": "a", "labels": [], "first": ["x"]}', "items.jsonl:2: unknown label 'x'", id="a reading"
        ),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text('{"title": "fine", "labels": []}\n' + line)
    with pytest.raises(ClassifierError, match=message):
        read_examples(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="Cannot read the items of"):
        read_examples(tmp_path / "none.jsonl")
