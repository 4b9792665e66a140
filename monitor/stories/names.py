"""What a text says that another text on the same event would say too: its words, and the amounts it names. Pure.

Words are cut to stems, without accents and inflections, so that the forms of both languages meet: names of companies,
people and places are mostly the same in English and German, and the rarest words of a text are names.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from monitor.signals.stopwords import EVERYWHERE, STOPWORDS
from monitor.stories.amounts import Amount, amounts
from monitor.stories.common_words import COMMON, ITEMS

UNSEEN = 9.0
"""The rarity of a word that the project's own items hardly ever use."""

_TOKEN = re.compile(r"[^\W_]+(?:[.,]\d+)*(?:['\u2019][^\W\d_]+)?")
_POSSESSIVE = re.compile(r"['\u2019]\w*$")
_NAMING = re.compile(r"(?=.*[^\d.,])[\da-z\u00df-\u024f.,]{2,}")
_ENDINGS = ("ies", "ing", "ed", "es", "s", "en", "er", "e", "n")
_SHORTEST, _LONGEST = 4, 7  # of a stem


@dataclass(frozen=True, slots=True)
class Said:
    """The stems and amounts of a text."""

    words: frozenset[str]
    amounts: frozenset[Amount]


@lru_cache(maxsize=8192)  # a text is compared with many
def said(title: str, summary: str, lang: str | None) -> Said:
    """Return what title and summary say."""
    text = f"{title} . {summary}"
    return Said(stems(text), amounts(text, lang))


def stems(text: str) -> frozenset[str]:
    """Return the stems of a text's content words in Latin letters; figures alone are none, "h200" is one."""
    plain = (_POSSESSIVE.sub("", _plain(token)) for token in _TOKEN.findall(unicodedata.normalize("NFKC", text)))
    return frozenset(_stem(word) for word in plain if _NAMING.fullmatch(word) and word not in _SILENT)


def rarity(stem: str) -> float:
    """Return the natural logarithm of one over the share of items that say this word; UNSEEN at most."""
    return _RARITY.get(stem, UNSEEN)


def _plain(word: str) -> str:
    if word.isascii():
        return word.casefold()
    return "".join(c for c in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(c))


def _stem(word: str) -> str:
    if any(map(str.isdigit, word)):
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            return (word[: -len(ending)] + ("y" if ending == "ies" else ""))[:_LONGEST]
    return word[:_LONGEST]


_SILENT = frozenset(map(_plain, STOPWORDS | EVERYWHERE))
_RARITY = {
    stem: math.log(ITEMS / (band * math.sqrt(2))) for band, together in COMMON.items() for stem in together.split()
}
