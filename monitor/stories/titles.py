"""What a title says by itself: as it would be read out, whether it names a story, and what equal titles share. Pure."""

import hashlib
import re
import unicodedata
from functools import lru_cache

from storage.records import Item

MIN_WORDS = 4
"""Shorter titles do not identify a story."""

_HEX = 16
# Takes off "| heise online", "- Reuters" and "- golem.de"; leaves "- and rivals follow" and "- Part 2".
_OUTLET = re.compile(
    r"""(?: \s*[|·•]\s* | \s+[-\u2013\u2014]\s+(?=[A-Z0-9À-Þ]|\w+\.\w) )
        (?!.*(?:\b\d+\b|\s-\s)) [^|·•\u2013\u2014]{1,40}$""",
    re.VERBOSE,
)
_PARTS = re.compile(r"[,;|] +")
_LEADING_SIGNS = re.compile(r"^\W+")
_FEWEST_PARTS = 3
_FILING = re.compile(r"^(?:\d{1,2}-[KQF]|S-\d|DEF 14A|SC 13[DG])(?:/A)?\b", re.IGNORECASE)
_CHINESE_OR_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_ANY_WORD = re.compile(r"[^\W_]+")
_SAME_TITLE, _SAME_SUMMARY = 0.75, 0.8  # of the words; of those of the shorter one
_FEWEST_WORDS = 8  # of a summary that can be compared
_SILENT = re.compile(r"[\W_]+")


def fingerprint(item: Item) -> str:
    """Return what items share whose titles say the same; titles that say too little share their address.

    An item with neither shares nothing.
    """
    told = _told(item.title)
    if told:
        return told
    return "url " + item.url.partition("#")[0].rstrip("/") if item.url else f"item {item.id}"


@lru_cache(maxsize=65_536)  # a title is looked at again with every batch of the next days
def _told(title: str) -> str | None:
    title = spoken(title)
    if not is_telling(title):
        return None
    says = "title " + _SILENT.sub(" ", title.casefold()).strip()
    return hashlib.sha256(says.encode()).hexdigest()[:_HEX]


def comparable(item: Item) -> bool:
    """Tell whether an item says enough to be compared, and of one event.

    Filings of one form say the same of all companies; a round-up names many events.
    """
    if _FILING.match(item.title.strip()) or is_round_up(item.title):
        return False
    return is_telling(f"{item.title} {item.summary}")


def is_round_up(title: str) -> bool:
    """Tell whether a title lists headlines: three or more parts of two words or more, each begun with a capital."""
    parts = [_LEADING_SIGNS.sub("", part) for part in _PARTS.split(title)]
    return len(parts) >= _FEWEST_PARTS and all(" " in part and not part[0].islower() for part in parts if part)


def copied(item: Item, earlier: Item) -> bool:
    """Tell whether an item takes over another's words: its title, or most of its summary, perhaps shortened."""
    ours, theirs = _words(spoken(item.title)), _words(spoken(earlier.title))
    if 2 * len(ours & theirs) >= _SAME_TITLE * (len(ours) + len(theirs)) > 0:
        return True
    ours, theirs = _words(item.summary), _words(earlier.summary)
    shorter = min(len(ours), len(theirs))
    return shorter >= _FEWEST_WORDS and len(ours & theirs) >= _SAME_SUMMARY * shorter


@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    return frozenset(_ANY_WORD.findall(text.casefold()))


def spoken(title: str) -> str:
    """Return a title as it would be read out: compatible characters unified, the outlet's name at the end dropped.

    The name stays when too few words would be left without it.
    """
    title = (title if title.isascii() else unicodedata.normalize("NFKC", title)).strip()
    outlet = _OUTLET.search(title)
    without = title[: outlet.start()] if outlet else title
    return without if is_telling(without) else title


def is_telling(title: str) -> bool:
    """Tell whether a title says enough to identify a story; two Chinese or Japanese characters count as a word."""
    if _FILING.match(title):
        return False
    characters = len(_CHINESE_OR_JAPANESE.findall(title))
    words = len(_WORD.findall(_CHINESE_OR_JAPANESE.sub(" ", title)))
    return words + characters // 2 >= MIN_WORDS
