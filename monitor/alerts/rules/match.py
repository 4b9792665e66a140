"""The rule `match`: tell at once of an item with certain topics, words, feeds or languages. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from monitor.alerts.rules.occasion import Occasion, RuleSettings, Tagged
from monitor.alerts.wording import counted, moment_name, one_line, percent, topic_name
from monitor.settings import Duration, Settings
from storage.alert_records import Finding, StoryLine
from storage.records import Item

# More items than this on one occasion are one message that lists them: a burst must not flood a channel.
BURST = 10
STORIES_KEPT = 25
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
    """Alert on each new item that fulfils every condition given."""

    rule: Literal["match"]
    topics: tuple[str, ...] = Field(
        default=(), description="The item carries one of these topics; empty means any topic."
    )
    min_probability: float = Field(default=0.5, ge=0, le=1, description="The least probability of that topic.")
    words: Words = Field(default_factory=Words, description="Words that title and summary must or must not hold.")
    feeds: tuple[str, ...] = Field(default=(), description="Names of feeds; empty means all of them.")
    lang: tuple[str, ...] = Field(default=(), description="Language codes such as en or de; empty means all of them.")
    max_age: Duration = Field(
        default=timedelta(days=7),
        description="Items published longer than this before they were first seen are no news: sites re-publish.",
    )


@dataclass(frozen=True, slots=True)
class _Hit:
    """An item that matches: ``asked`` are the rule's own words that it holds, ``words`` those that decided."""

    item: Item
    topic: str
    probability: float
    asked: tuple[str, ...]
    words: tuple[str, ...]


def findings(settings: MatchRule, occasion: Occasion) -> list[Finding]:
    """Return one finding for each matching item, or a single one for all of them when they are more than ten."""
    hits = [hit for tagged in occasion.tagged if (hit := _hit(settings, tagged))]
    if len(hits) > BURST:
        return [_burst(settings, hits)]
    return [_single(settings, hit) for hit in hits]


def _hit(settings: MatchRule, tagged: Tagged) -> _Hit | None:
    item = tagged.item
    carried = {topic: p for topic, p in tagged.topics.items() if not settings.topics or topic in settings.topics}
    topic = max(carried, key=carried.__getitem__, default=None)
    if topic is None or carried[topic] < settings.min_probability or not _from(settings, item):
        return None
    asked = matching(settings.words, f"{item.title}\n{item.summary}")
    return None if asked is None else _Hit(item, topic, carried[topic], asked, tagged.words.get(topic, ()))


def _from(settings: MatchRule, item: Item) -> bool:
    language = (item.lang or "").lower().split("-")[0]
    spoken = not settings.lang or language in [code.lower().split("-")[0] for code in settings.lang]
    timely = item.seen - item.published <= settings.max_age
    return spoken and timely and (not settings.feeds or item.feed in settings.feeds)


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


def _single(settings: MatchRule, hit: _Hit) -> Finding:
    return _finding(
        settings,
        [hit],
        key=f"{settings.name}:item:{hit.item.id}",
        headline=f"{topic_name(hit.topic)}: {hit.item.title}",
        explanation=(
            f"Published by {one_line(hit.item.feed, 60)} at {moment_name(hit.item.published)}; "
            f"the model gives {hit.topic} {percent(hit.probability)}.{_holds(hit.asked)}"
        ),
    )


def _holds(words: tuple[str, ...]) -> str:
    return f" It holds {', '.join(f'“{word}”' for word in words)}." if words else ""


def _burst(settings: MatchRule, hits: list[_Hit]) -> Finding:
    feeds = len({hit.item.feed for hit in hits})
    return _finding(
        settings,
        hits,
        key=f"{settings.name}:items:{hits[0].item.id}:{len(hits)}",
        headline=f"{len(hits):,} new items match {settings.name}",
        explanation=(
            f"They came at once, from {counted(feeds, 'feed', 'feeds')}, and are told in one message; "
            "the strongest come first."
        ),
    )


def _finding(settings: MatchRule, hits: list[_Hit], *, key: str, headline: str, explanation: str) -> Finding:
    strongest = sorted(hits, key=lambda hit: -hit.probability)
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=key,
        severity=settings.severity,
        topic=Counter(hit.topic for hit in hits).most_common(1)[0][0],
        headline=one_line(headline, _HEADLINE),
        explanation=explanation,
        send=settings.send,
        stories=tuple(_line(hit) for hit in strongest[:STORIES_KEPT]),
        evidence=tuple(hit.item.id for hit in strongest),
    )


def _line(hit: _Hit) -> StoryLine:
    item = hit.item
    return StoryLine(item.id, item.title, item.url, item.feed, 1, item.published, hit.probability, hit.words)
