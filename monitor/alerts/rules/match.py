"""The rule `match`: tell at once of a story with certain topics, words, feeds or languages. Pure.

A story matches when one of its tellings fulfils all conditions on an item; it is told once, with the new item that
completes what the rule asks for, such as a number of outlets.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from monitor.alerts.rules.occasion import Occasion, RuleSettings, Tagged
from monitor.alerts.wording import counted, moment_name, one_line, percent, topic_name
from monitor.settings import Duration, Settings
from storage.alert_records import Finding, StoryLine

_HEADLINE = 150


def _check_word(word: str) -> str:
    if "*" in word[:-1] or not any(char.isalnum() for char in word):
        raise ValueError("write a word or a phrase; a * may stand only at its end, for any ending")
    return word


Word = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_check_word),
]


class Words(Settings):
    """Words of title and summary: whole words in any case; `distil*` stands for every word that begins so."""

    any: tuple[Word, ...] = Field(default=(), description="At least one of these.")
    all: tuple[Word, ...] = Field(default=(), description="Every one of these.")
    none: tuple[Word, ...] = Field(default=(), description="Not one of these.")


class MatchRule(RuleSettings):
    """Alert on each story that has a telling which fulfils every condition given; once for each story."""

    rule: Literal["match"]
    topics: tuple[str, ...] = Field(
        default=(), description="The item carries one of these topics; empty means any topic."
    )
    min_probability: float = Field(default=0.5, ge=0, le=1, description="The least probability of that topic.")
    min_outlets: int = Field(
        default=1, ge=1, description="So many independent outlets must tell the story; copies do not count."
    )
    words: Words = Field(default_factory=Words, description="Words that title and summary must or must not hold.")
    feeds: tuple[str, ...] = Field(default=(), description="Names of feeds; empty means all of them.")
    kinds: tuple[str, ...] = Field(default=(), description="Kinds of feeds (`kind:` of a feed); empty means all.")
    lang: tuple[str, ...] = Field(default=(), description="Language codes such as en or de; empty means all of them.")
    max_age: Duration = Field(
        default=timedelta(days=7),
        description="Items published longer than this before they were first seen are no news: sites re-publish.",
    )


@dataclass(frozen=True, slots=True)
class _Hit:
    """A telling that matches: ``asked`` are the rule's own words that it holds."""

    telling: Tagged
    topic: str
    asked: tuple[str, ...]

    @property
    def probability(self) -> float:
        return self.telling.topics[self.topic]


def findings(settings: MatchRule, occasion: Occasion) -> list[Finding]:
    """Return one finding for each story that a new item tells and that matches."""
    found: dict[str, Finding] = {}
    for tagged in occasion.tagged:
        key = _key(settings, tagged)
        if key not in found and _is_news(settings, tagged) and (hits := _hits(settings, tagged)):
            found[key] = _finding(settings, tagged, hits, occasion.zone)
    return list(found.values())


def _is_news(settings: MatchRule, tagged: Tagged) -> bool:
    timely = tagged.item.seen - tagged.item.published <= settings.max_age
    return timely and tagged.outlets >= settings.min_outlets


def _hits(settings: MatchRule, tagged: Tagged) -> list[_Hit]:
    """Return the tellings of a story that match, the one that was published first first."""
    hits = [hit for telling in (tagged, *tagged.earlier) if (hit := _hit(settings, telling))]
    return sorted(hits, key=lambda hit: (hit.telling.item.published, hit.telling.item.id))


def _hit(settings: MatchRule, telling: Tagged) -> _Hit | None:
    carried = {topic: p for topic, p in telling.topics.items() if not settings.topics or topic in settings.topics}
    topic = max(carried, key=carried.__getitem__, default=None)
    if topic is None or carried[topic] < settings.min_probability or not _from(settings, telling):
        return None
    asked = matching(settings.words, f"{telling.item.title}\n{telling.item.summary}")
    return None if asked is None else _Hit(telling, topic, asked)


def _from(settings: MatchRule, telling: Tagged) -> bool:
    item = telling.item
    language = (item.lang or "").lower().split("-")[0]
    spoken = not settings.lang or language in [code.lower().split("-")[0] for code in settings.lang]
    of_kind = not settings.kinds or telling.kind in settings.kinds
    return spoken and of_kind and (not settings.feeds or item.feed in settings.feeds)


def matching(words: Words, text: str) -> tuple[str, ...] | None:
    """Return the words that decided (perhaps none, where none are asked for), or None when the text does not match."""
    folded = _fold(text)
    found = _found(words.any, folded)
    refused = (words.any and not found) or len(_found(words.all, folded)) < len(words.all)
    return None if refused or _found(words.none, folded) else (*found, *words.all)


def _found(words: Iterable[str], folded: str) -> tuple[str, ...]:
    return tuple(word for word in words if _pattern(word).search(folded))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=1024)
def _pattern(word: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in _fold(word.removesuffix("*")).split()]
    ending = "" if word.endswith("*") else r"(?!\w)"
    return re.compile(r"(?<!\w)" + r"\s+".join(parts) + ending)


def _key(settings: MatchRule, tagged: Tagged) -> str:
    if tagged.story_id is None:
        return f"{settings.name}:item:{tagged.item.id}"
    return f"{settings.name}:story:{tagged.story_id}"


def _finding(settings: MatchRule, tagged: Tagged, hits: Sequence[_Hit], zone: str) -> Finding:
    """Tell a story by the first of its tellings that match."""
    first, strongest = hits[0], max(hits, key=lambda hit: hit.probability)
    topic, item = strongest.topic, first.telling.item
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=_key(settings, tagged),
        severity=settings.severity,
        topic=topic,
        headline=one_line(f"{topic_name(topic)}: {item.title}", _HEADLINE),
        explanation=_explanation(tagged, first, strongest, zone),
        send=settings.send,
        stories=(_line(tagged, first, strongest),),
        evidence=(_first_of_topic(tagged, topic),),
        zone=zone,
        strength=strongest.probability * (1 - 0.5**tagged.outlets),
    )


def _first_of_topic(tagged: Tagged, topic: str) -> int:
    """Return the item by which an alert of the topic's trend would list this story, so that the trend mutes it."""
    tellings = [one.item for one in (tagged, *tagged.earlier) if topic in one.topics]
    return min(tellings, key=lambda item: (item.published, item.id)).id


def _explanation(tagged: Tagged, first: _Hit, strongest: _Hit, zone: str) -> str:
    """Say who published it, how many outlets tell it, how sure the model is, and which words it holds."""
    item = first.telling.item
    outlets = f"; {counted(tagged.outlets, 'outlet', 'outlets')} tell it" if tagged.outlets > 1 else ""
    return (
        f"Published by {one_line(item.feed, 60)} at {moment_name(item.published, ZoneInfo(zone))}{outlets}; "
        f"the model gives {strongest.topic} {percent(strongest.probability)}.{_holds(first.asked)}"
    )


def _holds(words: tuple[str, ...]) -> str:
    return f" It holds {', '.join(f'“{word}”' for word in words)}." if words else ""


def _line(tagged: Tagged, first: _Hit, strongest: _Hit) -> StoryLine:
    item, words = first.telling.item, strongest.telling.words.get(strongest.topic, ())
    outlets, likely = max(tagged.outlets, 1), strongest.probability
    return StoryLine(item.id, item.title, item.url, item.feed, outlets, item.published, likely, words)
