"""The development set: labels without text, joined with the text by its hash."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ClassifierError
from monitor.training.dataset import Example
from monitor.training.real import add, coverage, entries, fingerprint, join, main, performance, texts_of
from storage.store import Store
from tests.builders import NOW, entry, feed_in, poll
from tests.fakes import FakeClassifier

ORDERS: dict[str, Any] = {
    "lang": "en",
    "title": "Capex rises",
    "summary": "By half.",
    "url": "https://wire.example/1",
    "source": "Wire",
    "labels": ["capex"],
    "second": ["capex"],
}
VOICE: dict[str, Any] = {**ORDERS, "title": "Neue Stimme", "lang": "de", "labels": [], "second": ["efficiency"]}
TEXTS = [(one["title"], one["summary"]) for one in (ORDERS, VOICE)]


def lines(path: Path, items: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items))
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A set of the two items."""
    path = tmp_path / "real.jsonl"
    add(path, lines(tmp_path / "labelled.jsonl", [ORDERS, VOICE]))
    return path


# what is kept


def test_only_hash_source_and_labels_are_kept(labels: Path) -> None:
    first = json.loads(labels.read_text().splitlines()[0])
    assert first == {
        "hash": fingerprint("Capex rises", "By half."),
        "url": "https://wire.example/1",
        "source": "Wire",
        "lang": "en",
        "labels": ["capex"],
        "second": ["capex"],
    }


def test_the_fingerprint_is_of_the_text_as_the_model_sees_it() -> None:
    assert fingerprint(" Capex\n rises ", "By  half.") == fingerprint("Capex rises. By half.", "")
    assert fingerprint("Capex rises", "") == "06e2ea32579271840b423c7bbeba5b2a4ecc706174888b15925937e38f60d6ad"


def test_more_items_are_added_behind(labels: Path, tmp_path: Path) -> None:
    assert add(labels, lines(tmp_path / "more.jsonl", [{**ORDERS, "title": "Third"}])) == 1
    assert [example.lang for example in entries(labels).values()] == ["en", "de", "en"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(ORDERS, "more.jsonl:2: “Capex rises” is in the set already; nothing was added", id="known"),
        pytest.param(
            {**ORDERS, "title": "Third"}, "more.jsonl:2: “Third” is in the set already", id="twice in the file"
        ),
        pytest.param({**VOICE, "title": "x", "url": ""}, "more.jsonl:2: url: is missing", id="no address"),
        pytest.param({**VOICE, "title": "x", "lang": None}, "more.jsonl:2: lang: is missing", id="no language"),
        pytest.param({"title": "x"}, "more.jsonl:2: an item needs a title", id="no labels"),
    ],
)
def test_a_wrong_line_adds_nothing(labels: Path, tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    before = labels.read_text()
    with pytest.raises(ClassifierError, match=message):
        add(labels, lines(tmp_path / "more.jsonl", [{**ORDERS, "title": "Third"}, wrong]))
    assert labels.read_text() == before


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param({"labels": []}, "real.jsonl:1: hash: expected the 64 hexadecimal digits", id="no hash"),
        pytest.param({"hash": "ab", "labels": []}, "real.jsonl:1: hash: expected the 64", id="half a hash"),
        pytest.param({"hash": "a" * 64}, "real.jsonl:1: an item needs", id="no labels"),
    ],
)
def test_a_wrong_line_of_the_set_is_named(tmp_path: Path, line: dict[str, Any], message: str) -> None:
    with pytest.raises(ClassifierError, match=message):
        entries(lines(tmp_path / "real.jsonl", [line]))


def test_a_line_that_stands_twice_in_the_set_is_named(labels: Path) -> None:
    labels.write_text(labels.read_text() * 2)
    with pytest.raises(ClassifierError, match=r"real\.jsonl:3: hash: the item is there already"):
        entries(labels)


# joining


def test_labels_are_joined_with_the_texts_at_hand(labels: Path) -> None:
    found = join(labels, [("Something else", ""), TEXTS[1], TEXTS[1]])
    assert found == (
        Example("Neue Stimme", "By half.", "de", frozenset(), "Neue Stimme", second=frozenset({"efficiency"})),
    )


def test_the_order_is_that_of_the_set(labels: Path) -> None:
    assert [example.title for example in join(labels, reversed(TEXTS))] == ["Capex rises", "Neue Stimme"]


def test_half_a_character_in_a_text_does_not_end_the_search(labels: Path) -> None:
    assert len(join(labels, [("\ud83d", ""), *TEXTS])) == 2


def test_texts_are_read_from_json_lines(tmp_path: Path) -> None:
    path = lines(tmp_path / "texts.jsonl", [{"title": "One", "summary": "Two", "labels": 7}, {"title": "Three"}])
    assert list(texts_of([path, path])) == [("One", "Two"), ("Three", "")] * 2


def test_a_text_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"texts\.jsonl:1: title and summary: expected text"):
        list(texts_of([lines(tmp_path / "texts.jsonl", [{"title": 1}])]))


async def test_texts_are_read_from_a_monitors_database(store: Store) -> None:
    await store.save_poll(poll(await feed_in(store), entry("One", summary="Two"), entry("Three")), NOW)
    assert sorted(texts_of([store.path])) == [("One", "Two"), ("Three", "")]


# figures


def test_coverage_counts_the_set_and_what_was_found_of_it(labels: Path) -> None:
    rows = coverage(list(entries(labels).values()), join(labels, TEXTS[:1])).rows
    assert [row[:4] for row in rows if row[0] == "en"] == [
        ("en", "(all)", 1, 1),
        ("en", "efficiency", 0, 0),
        ("en", "capex", 1, 1),
        ("en", "geopolitics", 0, 0),
    ]
    assert [row[:5] for row in rows if row[:2] == ("de", "(all)")] == [("de", "(all)", 1, 0, 1)]


def test_performance_measures_the_classifier_on_what_was_found(labels: Path) -> None:
    rows = {(row.topic, row.lang): row for row in performance(join(labels, TEXTS), FakeClassifier())}
    assert rows.keys() == {(topic, lang) for topic in ("efficiency", "capex") for lang in ("de", "en", "all")}
    capex = rows["capex", "all"]
    assert (capex.items, capex.positives, capex.precision, capex.recall) == (2, 1, 1.0, 1.0)
    assert rows["efficiency", "all"].positives == 0


# the command


def test_the_command_reports_how_much_is_there(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = lines(tmp_path / "texts.jsonl", [ORDERS])
    assert main(["--labels", str(labels), "--texts", str(texts)]) == 0
    printed = capsys.readouterr().out
    assert "in the set" in printed
    assert "precision" in printed


def test_without_any_text_the_command_says_so(labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = lines(tmp_path / "texts.jsonl", [{"title": "Else"}])
    assert main(["--labels", str(labels), "--texts", str(texts)]) == 0
    assert "None of the set's texts is there" in capsys.readouterr().out


def test_the_command_adds_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labelled, labels = lines(tmp_path / "labelled.jsonl", [ORDERS, VOICE]), tmp_path / "real.jsonl"
    assert main(["--labels", str(labels), "--add", str(labelled)]) == 0
    assert "Added 2 items" in capsys.readouterr().out
    assert "Capex" not in labels.read_text()


def test_what_is_missing_is_said_in_a_sentence(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--labels", str(labels), "--texts", str(tmp_path / "none")]) == 5
    assert capsys.readouterr().err.startswith("Cannot read the items of")
