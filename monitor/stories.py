"""Which items tell the same story? Feeds syndicate: one agency report arrives under one title from many outlets.

Two items tell one story when their titles say the same words and they were published within three days of each other.
Titles that say too little ("Weekly update", "8-K - Current report") count as equal only at the same address.

A story's key names its title and the UTC day on which it opened, so the same title months later is another story.
The items of a batch are taken in order of publication: the result does not depend on the order in which they came.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from storage.records import Item, Story, StoryItem

WITHIN = timedelta(days=3)
"""Tellings of one story lie at most this far from its latest telling so far."""
MIN_WORDS = 4
"""Shorter titles do not identify a story."""

_TITLE_HEX = 16
# Takes off "| heise online", "- Reuters" and "- golem.de"; leaves "- and rivals follow" and "- Part 2".
_OUTLET = re.compile(
    r"""(?: \s*[|·•]\s* | \s+[-\u2013\u2014]\s+(?=[A-Z0-9À-Þ]|\w+\.\w) )
        (?!.*(?:\b\d+\b|\s-\s)) [^|·•\u2013\u2014]{1,40}$""",
    re.VERBOSE,
)
_FILING = re.compile(r"^(?:\d{1,2}-[KQF]|S-\d|DEF 14A|SC 13[DG])(?:/A)?\b", re.IGNORECASE)
_CHINESE_OR_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SILENT = re.compile(r"[\W_]+")


@dataclass(slots=True)
class _Open:
    """A story that can still be told again."""

    key: str
    story_id: int | None
    last: datetime


def group(items: Sequence[Item], recent: Sequence[Story]) -> list[StoryItem]:
    """Place every item in a story, in the order given.

    ``recent`` are the stories whose keys begin with the fingerprint of one of the items. Items that open a story
    together share its key and have no story id.
    """
    stories: dict[str, list[_Open]] = {}
    for story in recent:
        stories.setdefault(story.key[:_TITLE_HEX], []).append(_Open(story.key, story.id, story.last))
    placed = {item.id: _place(item, stories) for item in sorted(items, key=lambda item: (item.published, item.id))}
    return [StoryItem(item, placed[item.id].key, placed[item.id].story_id) for item in items]


def _place(item: Item, stories: dict[str, list[_Open]]) -> _Open:
    """Find the story that an item tells, or open one; the story then lives on."""
    told = fingerprint(item)
    key = told + _day_hex(item.published.astimezone(UTC).date())
    same_title = stories.setdefault(told, [])
    story = _nearest(same_title, key, item.published)
    if story is None:
        story = _Open(key, None, item.published)
        same_title.append(story)
    story.last = max(story.last, item.published)
    return story


def _nearest(stories: Iterable[_Open], key: str, published: datetime) -> _Open | None:
    """Return the story told closest to ``published``, if close enough; one that opened on the same day always is."""
    near = [story for story in stories if story.key == key or abs(story.last - published) <= WITHIN]
    return min(near, key=lambda story: abs(story.last - published), default=None)


def _day_hex(day: date) -> str:
    return f"{day.toordinal():06x}"


def fingerprint(item: Item) -> str:
    """Return what retellings of an item share: the first 16 hex digits of the key of their story."""
    title = spoken(item.title)
    if is_telling(title):
        says = "title " + _SILENT.sub(" ", title.casefold()).strip()
    elif item.url:
        says = "url " + item.url.partition("#")[0].rstrip("/")
    else:
        says = f"item {item.id}"
    return hashlib.sha256(says.encode()).hexdigest()[:_TITLE_HEX]


def spoken(title: str) -> str:
    """Return a title as it would be read out: compatible characters unified, the outlet's name at the end dropped.

    The name stays when too few words would be left without it.
    """
    title = unicodedata.normalize("NFKC", title).strip()
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
