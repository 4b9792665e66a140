"""Which words decided: from the tokens' shares in a logit to the phrases that a person reads. Pure.

A topic's logit is a sum over the tokens (Zhou et al. 2016, Class Activation Mapping). A word counts as much as its
strongest token: a sum would favour whatever the tokenizer cuts into many pieces, and removing the words chosen so would
lower the logit less (docs/alerts.md has the figures). Neighbouring words that decided are told as one phrase.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from monitor.signals.stopwords import EVERYWHERE, STOPWORDS

MOST = 5
LONGEST = 4
"""Words of a phrase, function words not counted; a figure and its unit count as one."""
_LEAST = 0.25  # of the way from an ordinary word's share to the strongest one's
_BRIDGE = 2  # function words that a phrase may span: "chips made in China"

_EDGES = ".,:;!?…\"'()[]{}<>«»„“”‚‘’|–—-*/\\"  # noqa: RUF001 - quotation marks of both languages
_ABBREVIATION = re.compile(r"(?:\w\.){2,}|(?:Mrd|Mio|Inc|Corp|Co|Nr|No|vs|St|Dr)\.")
_POSSESSIVE = re.compile(r"['’]s?$")
_BARE_NUMBER = re.compile(r"[\d.,:/–-]+")
_FIGURE = re.compile(r"[$€£¥]?\d[\d.,]*(?:-\d+)?")
_UNIT = re.compile(
    r"%|percent|prozent|(?:mi|bi|tri)llion(?:s|en)?|milliarden?|mrd\.|mio\.|mn|bn|dollars?|euros?|yuan|yen|pounds?|pfund|"
    r"cents?|[kmgt]wh?|(?:kilo|mega|giga|tera)?watt(?:s|stunden?)?|[kmgt]b|gigabytes?|bits?|nm|tokens?|parameters?|"
    r"parametern?|gpus?|times|mal|hours?|stunden|minutes?|minuten",
    re.IGNORECASE,
)
_INFLECTIONS = ("", "s", "es", "e", "en", "er", "em", "n", "ed", "d", "ing")
_SHORTEST_STEM = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A word without the punctuation around it, and its place in the text; a figure and its unit are one.

    ``joined``: nothing but a blank lies between it and the word before. ``function``: it joins other words and says
    nothing by itself. ``tells``: it says something by itself; a bare number does neither.
    """

    text: str
    start: int
    end: int
    joined: bool
    function: bool
    tells: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """Neighbouring words that decided, as the text writes them, from ``start`` to ``end``, with their summed share."""

    text: str
    start: int
    end: int
    share: float


def deciding(text: str, spans: Sequence[tuple[int, int]], shares: Sequence[float], most: int = MOST) -> tuple[str, ...]:
    """Return up to ``most`` different phrases that gave most to the logit, strongest first, as the text writes them.

    ``spans`` are the tokens' places in the text (start, end; empty for tokens that stand for no text); ``shares`` are
    in logit units. Empty when nothing spoke for the topic. No phrase holds a comma and a blank after it.
    """
    told: list[str] = []
    for phrase in phrases(text, spans, shares):
        if len(told) < most and not any(_repeats(phrase.text, other) for other in told):
            told.append(phrase.text)
    return tuple(told)


def phrases(text: str, spans: Sequence[tuple[int, int]], shares: Sequence[float]) -> list[Phrase]:
    """Return the phrases that spoke for the topic, strongest first, repetitions included."""
    all_words = words(text)
    gave = _shares(all_words, spans, shares)
    floor = _floor([share for word, share in zip(all_words, gave, strict=True) if not word.function])
    spoke = {n for n, share in enumerate(gave) if share >= floor and not all_words[n].function}
    found: list[Phrase] = []
    for seed in sorted(spoke, key=lambda place: -gave[place]):
        if seed in spoke and all_words[seed].tells:
            first, last = _grown(all_words, gave, spoke, seed)
            members = spoke & set(range(first, last + 1))
            found.append(_phrase(text, all_words[first : last + 1], sum(gave[place] for place in members)))
            spoke -= members
    return sorted(found, key=lambda phrase: -phrase.share)


def _floor(shares: Sequence[float]) -> float:
    """Return the least share that decides, measured from an ordinary word's: each word may have been given a little."""
    strongest = max(shares, default=0.0)
    if strongest <= 0:
        return float("inf")
    ordinary = max(median(shares), 0.0)
    return ordinary + _LEAST * (strongest - ordinary)


def _shares(words: Sequence[Word], spans: Sequence[tuple[int, int]], shares: Sequence[float]) -> list[float]:
    """Return the largest share of each word's tokens; nothing for a word that the model has not seen."""
    strongest = [float("-inf")] * len(words)
    which = 0
    for (start, end), share in zip(spans, shares, strict=True):
        while which < len(words) and words[which].end <= start:
            which += 1
        if which < len(words) and words[which].start < end and share > strongest[which]:
            strongest[which] = share
    return strongest


def _grown(words: Sequence[Word], gave: Sequence[float], spoke: set[int], seed: int) -> tuple[int, int]:
    """Extend a phrase from its strongest word to neighbours that decided too, the stronger side first."""
    first = last = seed
    for _ in range(LONGEST - 1):
        sides = [place for place in (_next(words, spoke, first, -1), _next(words, spoke, last, 1)) if place is not None]
        if not sides:
            break
        place = max(sides, key=lambda side: gave[side])
        first, last = min(first, place), max(last, place)
    return first, last


def _next(words: Sequence[Word], spoke: set[int], edge: int, step: int) -> int | None:
    """Return the next word on one side that decided; function words may lie between two words that tell something."""
    for place in range(edge + step, edge + step * (_BRIDGE + 2), step):
        # Each word knows how it is joined to the one before it: going back, that is the right-hand one's to say.
        if not 0 <= place < len(words) or not words[place if step > 0 else place + 1].joined:
            return None
        if place in spoke:
            bridged = place != edge + step
            return None if bridged and not (words[edge].tells and words[place].tells) else place
        if not words[place].function:
            return None
    return None


def _phrase(text: str, words: Sequence[Word], share: float) -> Phrase:
    written = _POSSESSIVE.sub("", text[words[0].start : words[-1].end])
    return Phrase(written, words[0].start, words[0].start + len(written), share)


@lru_cache(maxsize=16)  # asked once for each topic
def words(text: str) -> tuple[Word, ...]:
    """Return the words of the text in order; punctuation parts its neighbours."""
    return tuple(_with_units(_split(text)))


def _split(text: str) -> Iterator[Word]:
    joined = False
    for match in re.finditer(r"\S+", text):
        raw = match[0]
        opened = raw.lstrip(_EDGES)
        kept = opened if _ABBREVIATION.fullmatch(opened) else opened.rstrip(_EDGES)
        if kept:
            start = match.end() - len(opened)
            yield Word(kept, start, start + len(kept), joined and opened == raw, *_kind(kept))
        joined = bool(kept) and kept == opened


def _with_units(words: Iterator[Word]) -> Iterator[Word]:
    """Make one word of a figure and the units that follow it: "$10 billion", "2 GW", "40 Milliarden Euro"."""
    figure: Word | None = None
    for word in words:
        if figure and word.joined and _UNIT.fullmatch(word.text):
            figure = Word(f"{figure.text} {word.text}", figure.start, word.end, figure.joined, False, True)
            continue
        if figure:
            yield figure
        figure = word if _FIGURE.fullmatch(word.text) else None
        if not figure:
            yield word
    if figure:
        yield figure


@lru_cache(maxsize=4096)
def _kind(word: str) -> tuple[bool, bool]:
    """Return whether the word is a function word, and whether it tells something (see Word)."""
    folded = word.casefold()
    function = folded in STOPWORDS or not any(map(str.isalnum, folded))
    return function, not (function or folded in EVERYWHERE or _BARE_NUMBER.fullmatch(folded))


def _repeats(phrase: str, other: str) -> bool:
    """Tell whether all words of the shorter phrase stand in the longer one, whatever their case and ending."""
    shorter, longer = sorted((_stems(phrase), _stems(other)), key=len)
    return all(any(_alike(word, another) for another in longer) for word in shorter)


def _stems(phrase: str) -> list[str]:
    return [_POSSESSIVE.sub("", word.text.casefold()) for word in _split(phrase) if not word.function]


def _alike(word: str, other: str) -> bool:
    stem, longer = sorted((word, other), key=len)
    if stem == longer:
        return True
    return len(stem) >= _SHORTEST_STEM and longer.startswith(stem) and longer[len(stem) :] in _INFLECTIONS
