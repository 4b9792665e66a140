"""The rule `compound`: several things hold within some days of each other, such as a rise here and a fall there. Pure.

A topic's condition holds while its last rise (or fall) was rare enough for the budget of false alarms within `within`;
another rule's while it last alerted within that time. What holds together is one thread of alerts, with a start and an
end, however its parts come and go meanwhile.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.rules.threads import open_threads
from monitor.alerts.wording import counted, day_since, frequency, level, multiple, one_line, span, topic_name
from monitor.settings import Duration, Settings
from monitor.trends import FALLS, RISES
from storage.alert_records import Chart, Finding, StoryList, ToldAlert
from storage.records import Trend, Way

STORIES_KEPT = 10
"""So many stories of each topic are kept with an alert."""
_SHOWN_RATIO = 0.1  # a ratio to less than this would be boasting: see wording.level
_TOGETHER = timedelta(hours=1)  # topics are looked at hourly: what is closer is at the same time
_YEAR = timedelta(days=365.25)
_HEADLINE = 150


class Condition(Settings):
    """One condition: a topic rises, a topic falls, or another rule has alerted."""

    rises: str | None = Field(None, description="A topic that rises.")
    falls: str | None = Field(None, description="A topic that falls.")
    alert: str | None = Field(None, description="The name of another rule that has alerted.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in (self.rises, self.falls, self.alert) if name is not None]
        if len(given) != 1 or not self.name:
            raise ValueError("write exactly one of rises: TOPIC, falls: TOPIC and alert: NAME OF A RULE")
        return self

    @property
    def name(self) -> str:
        """The topic, or the rule."""
        return self.rises or self.falls or self.alert or ""

    @property
    def way(self) -> Way | None:
        """Which way the topic goes; None for another rule."""
        if self.alert:
            return None
        return "rise" if self.rises else "fall"


class CompoundRule(RuleSettings):
    """Alert when several things hold within some days of each other: once for as long as they do."""

    rule: Literal["compound"]
    within: Duration = Field(
        timedelta(days=7), ge=timedelta(hours=1), description="How far apart they may be, at most, to count as one."
    )
    all: tuple[Condition, ...] = Field(
        min_length=2, description="What must hold: two or more of rises: TOPIC, falls: TOPIC and alert: RULE."
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        named = [(condition.way is None, condition.name) for condition in self.all]
        if len(named) > len(set(named)):
            raise ValueError("name each topic and each rule once; a topic cannot rise and fall at the same time")
        if (True, self.name) in named:
            raise ValueError("a rule cannot wait for its own alerts; name another one")
        return self

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that its conditions name."""
        return tuple(condition.name for condition in self.all if condition.way)

    @property
    def rules_named(self) -> tuple[str, ...]:
        """The other rules that its conditions name."""
        return tuple(condition.name for condition in self.all if condition.way is None)


@dataclass(frozen=True, slots=True)
class _Held:
    """A condition that holds: from when to when it was seen, and for a topic its newest look."""

    condition: Condition
    began: datetime
    until: datetime
    trend: Trend | None = None

    @property
    def current(self) -> Trend | None:
        """The look, if the topic still goes that way: only then do its numbers tell of it."""
        return self.trend if self.trend and self.trend.state in (*RISES, *FALLS) else None


def findings(settings: CompoundRule, occasion: Occasion) -> list[Finding]:
    """Return the start while all conditions hold, and the end once they no longer do; nothing when nobody looked."""
    if not occasion.trends:
        return []
    trends = {trend.topic: trend for trend in occasion.trends}
    held = [_held(condition, trends, occasion.last, occasion.now - settings.within) for condition in settings.all]
    begun = open_threads(occasion.told, settings.name)
    all_held = [one for one in held if one]
    if len(all_held) == len(settings.all):
        return [_start(settings, all_held, next(iter(begun), None), occasion)]
    if any(topic not in trends or trends[topic].state == "learning" for topic in settings.topics):
        return []  # an outage, perhaps: nobody can say that it is over
    return [_end(settings, alert, held, occasion) for alert in begun.values()]


def topics_of_interest(settings: CompoundRule, trends: Iterable[Trend], now: datetime) -> Mapping[str, datetime]:
    """Return the topics whose stories and days an alert of the rule would show now, each with the stories' beginning.

    Empty unless all topics of the rule go the way that it names. What other rules did is not looked at.
    """
    known = {trend.topic: trend for trend in trends}
    held = [_held(condition, known, {}, now - settings.within) for condition in settings.all if condition.way]
    if not all(held):
        return {}
    return {one.condition.name: one.current.window_start if one.current else one.began for one in held if one}


def _held(
    condition: Condition, trends: Mapping[str, Trend], last: Mapping[str, datetime], since: datetime
) -> _Held | None:
    if condition.way is None:
        alerted = last.get(condition.name)
        return _Held(condition, alerted, alerted) if alerted and alerted >= since else None
    trend = trends.get(condition.name)
    if trend is None or trend.way != condition.way or trend.alarmed is None or trend.alarmed < since:
        return None
    return _Held(condition, trend.episode or trend.alarmed, trend.alarmed, trend)


# what is told


def _start(settings: CompoundRule, held: Sequence[_Held], open_thread: str | None, occasion: Occasion) -> Finding:
    key = open_thread or _key(settings, held, occasion.told)
    topics = [one for one in held if one.trend]
    known = {one.condition.name: occasion.stories.get(one.condition.name, ()) for one in topics}
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=key,
        severity=settings.severity,
        topic=next(iter(settings.topics), ""),
        headline=one_line(_headline(held), _HEADLINE),
        explanation=_explanation(settings, held, occasion),
        send=settings.send,
        charts=tuple(_chart(one, occasion) for one in topics if occasion.days.get(one.condition.name)),
        lists=tuple(
            StoryList(_sentence(_clause(one)), known[name][:STORIES_KEPT], max(len(known[name]) - STORIES_KEPT, 0))
            for one in topics
            if known[name := one.condition.name]
        ),
        evidence=tuple(dict.fromkeys(story.item_id for stories in known.values() for story in stories)),
        zone=occasion.zone,
        thread=key,
        phase="start",
        strength=sum(one.current.surprise for one in topics if one.current),
    )


def _key(settings: CompoundRule, held: Sequence[_Held], told: Mapping[str, ToldAlert]) -> str:
    """Name a coincidence by what came together.

    Where the same came together before, and was over in between, the newest alarm tells it from then.
    """
    key = ":".join([settings.name, *map(_part, held)])
    return f"{key}:{_whole(max(one.until for one in held)).isoformat()}" if key in told else key


def _part(held: _Held) -> str:
    if held.condition.way is None:
        return f"{held.condition.name}:alert:{held.until.date()}"
    return f"{held.condition.name}:{held.condition.way}:{_whole(held.began).isoformat()}"


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)  # the database keeps whole seconds


def _chart(held: _Held, occasion: Occasion) -> Chart:
    topic = held.condition.name
    return Chart(topic, occasion.days[topic], held.current.expected if held.current else None)


def _headline(held: Sequence[_Held]) -> str:
    """Tell it in one line: 'Efficiency rises while capex falls: ×4.6 and ×0.4'."""
    first, *others = map(_clause, held)
    ratios = [_ratio(one) for one in held]
    return f"{_sentence(first)} while {_joined(others)}{f': {_joined(ratios)}' if all(ratios) else ''}{_apart(held)}"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _subject(condition: Condition) -> str:
    """Name what a condition is about, for the middle of a sentence: 'efficiency', 'rule “cheap-models”'."""
    if condition.way is None:
        return f"rule “{one_line(condition.name, 40)}”"
    name = topic_name(condition.name)
    return name if condition.name[:1].isupper() else f"{name[:1].lower()}{name[1:]}"


def _clause(held: _Held) -> str:
    """Say what a condition found: 'efficiency rises', 'capex fell', 'rule “cheap-models” alerted'."""
    return f"{_subject(held.condition)} {_verb(held.condition, past=held.current is None)}"


def _verb(condition: Condition, *, past: bool) -> str:
    present, perfect = {"rise": ("rises", "rose"), "fall": ("falls", "fell"), None: ("alerts", "alerted")}[
        condition.way
    ]
    return perfect if past else present


def _ratio(held: _Held) -> str:
    look = held.current
    return multiple(look.observed, look.expected) if look and look.observed and look.expected >= _SHOWN_RATIO else ""


def _apart(held: Sequence[_Held]) -> str:
    """Say how long it took to come together; nothing for what was there at the same time."""
    gap = max(one.began for one in held) - min(one.until for one in held)
    return f" within {span(gap)}" if gap > _TOGETHER else ""


def _explanation(settings: CompoundRule, held: Sequence[_Held], occasion: Occasion) -> str:
    facts = " ".join(_fact(one, occasion) for one in held)
    return f"{facts} {_meaning(settings, held)}"


def _fact(held: _Held, occasion: Occasion) -> str:
    """Give a condition's numbers in a sentence."""
    zone = ZoneInfo(occasion.zone)
    clause, began = _sentence(_clause(held)), day_since(held.began, occasion.now, zone)
    if held.trend is None:
        return f"{_sentence(_subject(held.condition))} last alerted {began}."
    if held.current is None:
        return f"{clause} from {began} to {day_since(held.until, occasion.now, zone)}, and is usual again."
    return f"{clause} since {began}: {_numbers(held.current, occasion.now, zone)}."


def _numbers(look: Trend, now: datetime, zone: ZoneInfo) -> str:
    stories = counted(look.observed, "story", "stories") if look.observed else "no story"
    return (
        f"{stories} since {day_since(look.window_start, now, zone)}, {level(look.expected)} expected; "
        f"chance alone does this {frequency(look.per_year)}"
    )


def _meaning(settings: CompoundRule, held: Sequence[_Held]) -> str:
    """Say what it means that all of it comes together, with a number where every part has one."""
    within = span(settings.within)
    looks = [one.current for one in held]
    rates = [look.per_year for look in looks if look]
    if len(rates) < len(held):
        return f"Each alone may be chance; this rule tells what comes together within {within}."
    often = frequency(_together(rates, settings.within))
    return (
        f"Each alone may be chance; if they had nothing to do with each other, "
        f"chance would bring them together within {within} {often}."
    )


def _together(per_year: Sequence[float], within: timedelta) -> float:
    """Return how often a year independent events come within a time of each other: each may be the last of them."""
    waiting = [-math.expm1(-rate * (within / _YEAR)) for rate in per_year]
    return sum(rate * math.prod(waiting[:number] + waiting[number + 1 :]) for number, rate in enumerate(per_year))


def _end(settings: CompoundRule, begun: ToldAlert, held: Sequence[_Held | None], occasion: Occasion) -> Finding:
    lasted = span(max(occasion.now - begun.created, timedelta(0)))
    names = _joined([f"{_subject(one)} {_verb(one, past=False)}" for one in settings.all])
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=f"{begun.thread}:end",
        severity="info",
        topic=next(iter(settings.topics), ""),
        headline=one_line(f"No longer together: {names}; it lasted {lasted}", _HEADLINE),
        explanation=" ".join(_reasons(settings, held, occasion)),
        send=settings.send,
        zone=occasion.zone,
        thread=begun.thread,
        phase="end",
    )


def _reasons(settings: CompoundRule, held: Sequence[_Held | None], occasion: Occasion) -> Iterator[str]:
    """Yield a sentence for each condition that holds no more."""
    trends, zone = {trend.topic: trend for trend in occasion.trends}, ZoneInfo(occasion.zone)
    for condition in (one for one, holds in zip(settings.all, held, strict=True) if not holds):
        subject = _sentence(_subject(condition))
        if last := _last(condition, trends.get(condition.name), occasion.last):
            when = f"{day_since(last, occasion.now, zone)}, more than {span(settings.within)} ago"
            yield f"{subject} last {_verb(condition, past=True)} {when}."
        else:
            yield f"{subject} {_verb(condition, past=False)} no more."


def _last(condition: Condition, trend: Trend | None, last: Mapping[str, datetime]) -> datetime | None:
    if condition.way is None:
        return last.get(condition.name)
    return trend.alarmed if trend and trend.way == condition.way else None
