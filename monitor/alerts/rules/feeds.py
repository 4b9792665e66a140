"""The rule `feeds`: a feed is in trouble, or well again. Pure.

It tells of the feed, never of a topic: a topic that goes quiet is the rule `trend`'s.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from shlex import quote
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.wording import day_since, one_line, span
from monitor.settings import Duration
from storage.alert_records import Finding
from storage.feed_records import FeedHealth, FeedState

TroubleState = Literal["failing", "blocked", "gone", "stale"]
BURST = 5
"""More feeds than this that are told at once are one message that lists them."""
RECOVERED_WITHIN = timedelta(days=7)
"""A feed that has been well again for longer is not told of."""
AT_ONCE: tuple[FeedState, ...] = ("gone", "stale")  # waiting longer would show nothing more
_NAMES_SHOWN = 8
_TITLES = {"failing": "Failing", "blocked": "Blocked", "gone": "Gone", "stale": "Without news"}


class FeedsRule(RuleSettings):
    """Alert when a feed is in trouble: once for each trouble."""

    rule: Literal["feeds"]
    states: tuple[TroubleState, ...] = Field(
        default=("failing", "blocked", "gone", "stale"), description="The troubles to tell of."
    )
    after: Duration = Field(
        default=timedelta(days=1),
        ge=timedelta(0),
        description="How long a feed must fail or be blocked before it is told; gone and stale are told at once.",
    )
    recovered: bool = Field(default=True, description="Tell also when a feed is well again after such a trouble.")
    feeds: tuple[str, ...] = Field(default=(), description="Names of feeds; empty means all of them.")

    @field_validator("states")
    @classmethod
    def _some(cls, value: tuple[TroubleState, ...]) -> tuple[TroubleState, ...]:
        if not value:
            raise ValueError("name at least one, or leave it out for all of them")
        return value


def findings(settings: FeedsRule, occasion: Occasion) -> list[Finding]:
    """Return one finding for each feed whose trouble, or recovery, is not told yet; more than five become one."""
    told = _told(settings, occasion.told)
    due = [one for one in occasion.feeds if _is_due(settings, one, occasion.now) and _mark(one) not in told]
    troubled = [one for one in due if one.state != "ok"]
    well = [one for one in due if one.state == "ok"]
    return [*_findings(settings, troubled, occasion), *_findings(settings, well, occasion)]


def _mark(health: FeedHealth) -> str:
    """Name a trouble, or its end, within the rule: a feed, and since when."""
    return f"{health.feed_id}:{round(health.since.timestamp())}"


def _key(settings: FeedsRule, told: Iterable[FeedHealth]) -> str:
    return f"{settings.name}:{'+'.join(map(_mark, told))}"


def _told(settings: FeedsRule, keys: Iterable[str]) -> set[str]:
    """Read back from the keys of earlier alerts which troubles they told."""
    start = f"{settings.name}:"
    return {mark for key in keys if key.startswith(start) for mark in key.removeprefix(start).split("+")}


def _is_due(settings: FeedsRule, health: FeedHealth, now: datetime) -> bool:
    if settings.feeds and health.name not in settings.feeds:
        return False
    if health.state == "ok":
        return _recovered(settings, health, now)
    return _matters(settings, health.state, now - health.since)


def _matters(settings: FeedsRule, state: FeedState, lasted: timedelta) -> bool:
    return state in settings.states and (state in AT_ONCE or lasted >= settings.after)


def _recovered(settings: FeedsRule, health: FeedHealth, now: datetime) -> bool:
    """Tell whether a trouble that mattered has ended lately."""
    if not settings.recovered or health.before is None or now - health.since > RECOVERED_WITHIN:
        return False
    return _matters(settings, health.before, health.since - (health.before_since or health.since))


def _findings(settings: FeedsRule, told: Sequence[FeedHealth], occasion: Occasion) -> list[Finding]:
    if len(told) > BURST:
        return [_finding(settings, told, _several(told), occasion.zone)]
    return [_finding(settings, [one], _single(one, occasion), occasion.zone) for one in told]


def _finding(settings: FeedsRule, told: Sequence[FeedHealth], words: tuple[str, str], zone: str) -> Finding:
    headline, explanation = words
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=_key(settings, told),
        severity="info" if told[0].state == "ok" else settings.severity,
        topic="",
        headline=headline,
        explanation=explanation,
        send=settings.send,
        zone=zone,
    )


def _several(told: Sequence[FeedHealth]) -> tuple[str, str]:
    """Tell of many feeds in one message: their names, by trouble."""
    if told[0].state == "ok":
        return f"{len(told):,} feeds are well again", f"{_names(told)}. Details: monitor status."
    advice = "monitor status says why, and what to do. Where many fail at once, look at this machine’s network first."
    by_state = sorted(told, key=lambda one: tuple(_TITLES).index(one.state))
    groups = [(state, list(feeds)) for state, feeds in groupby(by_state, key=lambda one: one.state)]
    lists = " ".join(f"{_TITLES[state]} ({len(feeds):,}): {_names(feeds)}." for state, feeds in groups)
    return f"{len(told):,} feeds are in trouble", f"{advice} {lists}"


def _names(told: Sequence[FeedHealth]) -> str:
    shown = ", ".join(one_line(one.name, 40) for one in told[:_NAMES_SHOWN])
    more = len(told) - _NAMES_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _single(health: FeedHealth, occasion: Occasion) -> tuple[str, str]:
    """Return headline and explanation: what happened, since when, and what to do."""
    name, zone = one_line(health.name, 80), ZoneInfo(occasion.zone)
    since = day_since(health.since, occasion.now, zone)
    news = "" if health.last_news is None else day_since(health.last_news, occasion.now, zone)
    if health.state == "ok":
        return _well(health, name, since)
    if health.state == "stale":
        return _stale(name, news)
    if health.state == "gone":
        return _gone(health, name, since)
    return _unwell(health, name, since)


def _unwell(health: FeedHealth, name: str, since: str) -> tuple[str, str]:
    if health.state == "blocked":
        headline = f"Feed “{name}”: the site has refused this program since {since}"
        advice = "Set contact: in feeds.yaml, ask less often (every:), or send another User-Agent (fetch: hosts:)."
    else:
        headline = f"Feed “{name}” has failed since {since}"
        advice = f"Open its address in a browser; correct it in feeds.yaml, or run: {_removal(name)}."
    again = "It keeps being asked, and trends leave it out meanwhile."
    return headline, f"{_sentence(health.reason)}{again} {advice}"


def _gone(health: FeedHealth, name: str, since: str) -> tuple[str, str]:
    advice = f"Look for its new address and put it into feeds.yaml, or run: {_removal(name)}."
    again = "It is asked once more after a day and then no more; its items stay."
    return f"Feed “{name}” is gone, its site said {since}", f"{_sentence(health.reason)}{again} {advice}"


def _stale(name: str, news: str) -> tuple[str, str]:
    advice = (
        f"It answers as it should. Its publisher may have stopped or moved: look at the site, correct the address in "
        f"feeds.yaml, or run: {_removal(name)}. A publisher that is only slow: raise poll: stale_after:."
    )
    if news:
        return f"Feed “{name}” has brought nothing new since {news}", advice
    return f"Feed “{name}” has never brought anything new", advice


def _well(health: FeedHealth, name: str, since: str) -> tuple[str, str]:
    lasted = span(health.since - (health.before_since or health.since))
    if health.before == "stale":
        return f"Feed “{name}” has news again", f"Since {since}. It had been reported as stale for {lasted}."
    lost = "What it published meanwhile and shows no more is missing; trends allow for that."
    return f"Feed “{name}” works again", f"Since {since}, after {lasted}. {lost}"


def _sentence(reason: str) -> str:
    """Return a reason as the beginning of a text."""
    words = one_line(reason, 300).rstrip(".")
    return f"{words[:1].upper()}{words[1:]}. " if words else ""


def _removal(name: str) -> str:
    return f"monitor feeds remove {quote(name)}"
