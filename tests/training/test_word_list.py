"""The German words for the vocabulary: every line is a word and its translation."""

from pathlib import Path

import pytest

from monitor.errors import ClassifierError
from monitor.training.word_list import PART, read_words


def test_the_shipped_list_has_words_and_tails_of_compounds_and_none_twice() -> None:
    words = [word for word, _ in read_words()]
    assert len(words) == len(set(words)) > 10_000
    assert sum(word.startswith(PART) for word in words) > 1_500
    assert [word for word in words if word != word.lower()] == []


@pytest.mark.parametrize(
    "line",
    ["haus", "haus\t", "haus\t  ", "\thouse", "das haus\thouse"],
    ids=["no translation", "an empty one", "a blank one", "no word", "two words"],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(f"und\tand\n{line}\n")
    with pytest.raises(ClassifierError, match=r"^words\.tsv:2: expected one German word, a tab"):
        read_words(path)
