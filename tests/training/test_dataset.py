"""The labelled items: known labels, no duplicates, retellings kept together."""

import random
from collections import Counter
from pathlib import Path

import pytest

from monitor.errors import ClassifierError
from monitor.signals.text import model_text
from monitor.training.dataset import DATA, TOPICS, read_examples, reading_order, split, training_examples

EXAMPLES = training_examples()
HELD_OUT = read_examples(DATA / "held_out.jsonl")


def test_the_training_set_has_its_size() -> None:
    assert Counter(example.lang for example in EXAMPLES) == {"en": 1992, "de": 1854}


def test_two_thirds_of_the_near_misses_carry_no_topic() -> None:
    near = read_examples(DATA / "near_misses.jsonl")
    assert 0.62 < sum(not example.topics for example in near) / len(near) < 0.72
    assert sum(len(example.topics) > 1 for example in near) / len(near) < 0.06


def test_no_item_occurs_twice() -> None:
    texts = Counter(model_text(example.title, example.summary).casefold() for example in EXAMPLES + HELD_OUT)
    assert [text for text, times in texts.items() if times > 1] == []


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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("{", "items.jsonl:2: not JSON", id="not JSON"),
        pytest.param("[]", "items.jsonl:2: expected an object", id="not an object"),
        pytest.param('{"labels": []}', "items.jsonl:2: an item needs a title", id="no title"),
        pytest.param('{"title": "a"}', "items.jsonl:2: an item needs a title", id="no labels"),
        pytest.param('{"title": "a", "labels": ["capx"]}', "items.jsonl:2: unknown label 'capx'", id="a typo"),
        pytest.param('{"title": "a", "labels": [["capex"]]}', "items.jsonl:2: unknown label", id="a label in a list"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text('{"title": "fine", "labels": []}\n' + line)
    with pytest.raises(ClassifierError, match=message):
        read_examples(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="Cannot read the labelled items of"):
        read_examples(tmp_path / "none.jsonl")
