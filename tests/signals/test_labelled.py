"""Files of labelled items: what is read, and that every mistake is named by file, line and field."""

from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.signals.labelled import LabelledText, read_labelled

TOPICS = ("capex", "energy")


def read(tmp_path: Path, text: str) -> list[LabelledText]:
    (tmp_path / "mine.jsonl").write_text(text, encoding="utf-8")
    return read_labelled(tmp_path / "mine.jsonl", TOPICS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            '{"lang": "de", "title": "T", "summary": "S", "labels": ["capex", "energy"]}',
            LabelledText("T", "S", "de", frozenset(TOPICS)),
            id="everything is there",
        ),
        pytest.param('{"title": "T", "labels": []}', LabelledText("T", "", "?", frozenset()), id="the least"),
        pytest.param(
            '{"title": null, "summary": "S", "lang": null, "labels": []}',
            LabelledText("", "S", "?", frozenset()),
            id="a summary without a title",
        ),
        pytest.param(
            '\ufeff{"title": "a\u2028b\u0085c", "labels": []}\r\n\n',
            LabelledText("a\u2028b\u0085c", "", "?", frozenset()),
            id="odd line ends and a byte order mark",
        ),
    ],
)
def test_a_line_is_an_item(tmp_path: Path, line: str, expected: LabelledText) -> None:
    assert read(tmp_path, line) == [expected]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param('\n{"title": "T", "labels": []}\nx', ":3: not JSON: Expecting value", id="not JSON"),
        pytest.param("[1]", ":1: expected a JSON object", id="another kind of JSON"),
        pytest.param('{"title": 5, "labels": []}', ":1: title: expected text", id="a number as title"),
        pytest.param(
            '{"title": "T", "lang": ["de"], "labels": []}', ":1: lang: expected text", id="a list as language"
        ),
        pytest.param('{"labels": []}', ":1: title: is missing", id="no text at all"),
        pytest.param('{"title": "T"}', ":1: labels: expected a list of topics", id="no labels"),
        pytest.param('{"title": "T", "labels": "capex"}', ":1: labels: expected a list", id="one label without a list"),
        pytest.param(
            '{"title": "T", "labels": ["capx"]}',
            ":1: labels: there is no topic 'capx'; topics: capex, energy",
            id="a misspelt topic",
        ),
        pytest.param(
            '{"title": "T", "labels": [{}]}', ":1: labels: there is no topic {}", id="a label that is no text"
        ),
        pytest.param("\n\n", "holds no items", id="an empty file"),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert f"mine.jsonl{complaint}" in str(caught.value).replace("mine.jsonl: ", "mine.jsonl")


def test_of_many_mistakes_the_first_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "x\n" * 25)
    assert len(caught.value.problems) == 11
    assert caught.value.problems[-1] == "and 15 more mistakes"


@pytest.mark.parametrize("name", ["none.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        read_labelled(tmp_path / name, TOPICS)
