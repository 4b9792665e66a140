"""The rule `feeds`: a feed is in trouble, or well again. Pure.

It tells of the feed, never of a topic: a topic that goes quiet is the rule `trend`'s. A trouble that was told alone is
a thread of alerts: what else befalls the feed before it is well is an update, and its recovery is the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from shlex import quote
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.rules.threads import open_threads
from monitor.alerts.wording import day_since, one_line, span
from monitor.settings import Duration
from storage.alert_records import Finding, Phase, ToldAlert
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
    """Return a finding for each feed whose trouble or recovery is not told yet; more than five become one.

    A trouble that was told alone is found as long as it lasts, under the same key, and ends alone.
    """
    begun, told = _begun(settings, occasion.told), _marks(settings, occasion.told)
    due = [one for one in occasion.feeds if _is_due(settings, one, one.feed_id in begun, occasion.now)]
    fresh = [one for one in due if one.feed_id not in begun and _mark(one) not in told]
    known = {one.feed_id for one in occasion.feeds}
    return [
        *(_finding(settings, [one], occasion, begun[one.feed_id]) for one in due if one.feed_id in begun),
        *_findings(settings, [one for one in fresh if one.state != "ok"], occasion),
        *_findings(settings, [one for one in fresh if one.state == "ok"], occasion),
        *(_left(settings, thread, occasion) for feed_id, thread in begun.items() if feed_id not in known),
    ]


def _mark(health: FeedHealth) -> str:
    """Name a trouble, or its end, within the rule: a feed, and since when."""
    return f"{health.feed_id}:{round(health.since.timestamp())}"


def _key(settings: FeedsRule, told: Iterable[FeedHealth]) -> str:
    return f"{settings.name}:{'+'.join(map(_mark, told))}"


def _marks(settings: FeedsRule, keys: Iterable[str]) -> set[str]:
    """Read back from the keys of earlier alerts which troubles they told."""
    start = f"{settings.name}:"
    return {mark for key in keys if key.startswith(start) for mark in key.removeprefix(start).split("+")}


def _begun(settings: FeedsRule, told: Mapping[str, ToldAlert]) -> dict[int, ToldAlert]:
    """Return the alerts of troubles that were told alone and have no end, by feed."""
    threads = open_threads(told, settings.name)
    return {int(key.removeprefix(f"{settings.name}:").split(":")[0]): start for key, start in threads.items()}


def _is_due(settings: FeedsRule, health: FeedHealth, begun: bool, now: datetime) -> bool:
    if begun and health.state == "ok":
        return True
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
        return [_finding(settings, told, occasion)]
    return [_finding(settings, [one], occasion) for one in told]


def _finding(
    settings: FeedsRule, told: Sequence[FeedHealth], occasion: Occasion, begun: ToldAlert | None = None
) -> Finding:
    """Tell of one feed, or of several; ``begun`` is the thread that it goes on with."""
    headline, explanation = _several(told) if len(told) > 1 else _single(told[0], occasion)
    key, well = _key(settings, told), told[0].state == "ok"
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=key,
        severity="info" if well else settings.severity,
        topic="",
        headline=headline,
        explanation=explanation,
        send=settings.send,
        zone=occasion.zone,
        thread=begun.thread if begun else key,
        phase=_continued(key, begun, well=well) if begun else _first(settings, told),
    )


def _first(settings: FeedsRule, told: Sequence[FeedHealth]) -> Phase:
    """Return what an alert is that goes on with none: a start where its end will be told, too."""
    return "start" if len(told) == 1 and told[0].state != "ok" and settings.recovered else "once"


def _continued(key: str, begun: ToldAlert, *, well: bool) -> Phase:
    if well:
        return "end"
    return "start" if key == begun.thread else "update"


def _left(settings: FeedsRule, begun: ToldAlert, occasion: Occasion) -> Finding:
    """End the thread of a feed that is not looked at any more: nobody would learn that it is well."""
    since = day_since(begun.created, occasion.now, ZoneInfo(occasion.zone))
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=f"{begun.thread}:end",
        severity="info",
        topic="",
        headline=f"A trouble that was told {since} is over",
        explanation="The feed was removed, switched off or given another address in feeds.yaml, or has long been well.",
        send=settings.send,
        zone=occasion.zone,
        thread=begun.thread,
        phase="end",
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
