"""The German words that the model's vocabulary is given, with their English translations. Written for this project."""

from pathlib import Path

from monitor.errors import ClassifierError
from monitor.training.dataset import DATA

WORDS = DATA / "words-de-en.tsv"
PART = "##"
"""Begins a word that is the later part of a compound, as in WordPiece vocabularies."""


def read_words(path: Path = WORDS) -> tuple[tuple[str, str], ...]:
    """Return (German word, English translation) of every line; raise ClassifierError naming the line that is wrong."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        word, tab, meaning = line.partition("\t")
        if not (word and tab and meaning.strip()) or " " in word:
            raise ClassifierError(f"{path.name}:{number}: expected one German word, a tab, its English translation")
        rows.append((word, meaning.strip()))
    return tuple(rows)
