"""The rule `trend`: a topic is told of clearly more, or clearly less, than its own past allows. Pure.

An episode of a topic is a thread of alerts: its start, an update when it grows a class, its end when the topic has been
normal for a day; and where it goes on after that, an update and another end.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.occasion import STORIES_KNOWN, Occasion, RuleSettings
from monitor.alerts.wording import (
    counted,
    day_since,
    frequency,
    hours,
    level,
    multiple,
    percent,
    span,
    topic_name,
    weekday_time,
)
from monitor.trends import FALLS, RISES, Budgets
from storage.alert_records import Chart, Finding, Phase, StoryLine, ToldAlert
from storage.records import Trend, TrendState

# A finding is kept and sent as a whole: it carries the strongest stories, and the ids of all.
STORIES_KEPT = 25
END_AFTER = timedelta(hours=24)
"""An episode is told to be over once its topic has been normal for so long."""
DEFAULT_RISES, DEFAULT_FALLS = 2.0, 1.0
_LARGER: tuple[TrendState, ...] = ("surging", "quiet")
_LEAD = timedelta(days=1)  # the stories that began an episode are from before it was noticed
_SHOWN_RATIO = 0.1  # a ratio to less than this would be boasting: see wording.level
_RAREST = 1e-9  # a year: less is not told apart


class TrendRule(RuleSettings):
    """Alert when a topic surges or falls silent, when it grows a class, and when it is back to normal."""

    rule: Literal["trend"]
    topics: tuple[str, ...] = Field(default=(), description="Topics to watch; empty means all of them.")
    false_alarms_per_year: float = Field(
        default=DEFAULT_RISES,
        gt=0,
        le=366,
        description="How many alerts of a rise you accept from chance alone, a year and topic. "
        "Less is quieter and slower.",
    )
    false_falls_per_year: float = Field(
        default=DEFAULT_FALLS,
        ge=0,
        le=366,
        description="The same for alerts that a topic falls silent; 0 turns these off.",
    )


@dataclass(frozen=True, slots=True)
class _Thread:
    """An episode as this rule's alerts told it so far.

    ``opened`` is when they last said that it is under way, ``strength`` how remarkable it was at most.
    """

    key: str
    opened: datetime
    strength: float
    told: frozenset[str]
    ends: int
    over: bool


@dataclass(frozen=True, slots=True)
class _News:
    """What there is to tell of a topic: with the stories published in (since, until]."""

    key: str
    thread: str
    phase: Phase
    trend: Trend
    headline: str
    explanation: str
    since: datetime
    until: datetime


def findings(settings: TrendRule, occasion: Occasion) -> list[Finding]:
    """Return what each topic's look tells: an episode's start (as long as it lasts), what has changed, its end."""
    return [_finding(settings, news, occasion) for news in _news(settings, occasion)]


def topics_of_interest(
    rules: Iterable[RuleSettings], trends: Sequence[Trend], told: Mapping[str, ToldAlert], now: datetime
) -> Mapping[str, datetime]:
    """Return the topics of which trend rules have something to tell, and since when its stories were published."""
    found: dict[str, datetime] = {}
    for rule in rules:
        if isinstance(rule, TrendRule):
            for news in _news(rule, Occasion(now=now, trends=tuple(trends), told=told)):
                if rule.repeat or news.key not in told:
                    topic = news.trend.topic
                    found[topic] = min(found.get(topic, news.since), news.since)
    return found


def budgets(rules: Sequence[RuleSettings], topic: str) -> Budgets:
    """Return the false alarms that the detector may allow itself: the largest budgets of the topic's rules.

    A rule of kind `compound` that waits for the topic has the usual one.
    """
    watching = [rule for rule in rules if isinstance(rule, TrendRule) and _watches(rule, topic)]
    ways = {one.way for rule in rules if isinstance(rule, CompoundRule) for one in rule.all if one.name == topic}
    rises, falls = (DEFAULT_RISES,) * ("rise" in ways), (DEFAULT_FALLS,) * ("fall" in ways)
    return Budgets(
        max((*rises, *(rule.false_alarms_per_year for rule in watching)), default=DEFAULT_RISES),
        max((*falls, *(rule.false_falls_per_year for rule in watching)), default=DEFAULT_FALLS),
    )


def _watches(settings: TrendRule, topic: str) -> bool:
    return not settings.topics or topic in settings.topics


# what there is to tell


def _news(settings: TrendRule, occasion: Occasion) -> Iterator[_News]:
    threads = _threads(settings, occasion.told) if occasion.trends else {}
    for trend in occasion.trends:
        key = _key(settings, trend)
        if trend.state in (*RISES, *FALLS):
            yield from _under_way(settings, trend, key, threads.get(key), occasion)
        for thread in threads.values():
            if _is_of(settings, thread, trend) and _has_ended(thread, trend, key, occasion.now):
                yield _ended(thread, trend, superseded=thread.key != key, occasion=occasion)


def _key(settings: TrendRule, trend: Trend) -> str:
    """Name an episode: it keeps its beginning for as long as it lasts."""
    return f"{settings.name}:{trend.topic}:{trend.way}:{_whole(trend.episode or trend.since).isoformat()}"


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)  # the database keeps whole seconds


def _is_of(settings: TrendRule, thread: _Thread, trend: Trend) -> bool:
    return thread.key.startswith((f"{settings.name}:{trend.topic}:rise:", f"{settings.name}:{trend.topic}:fall:"))


def _threads(settings: TrendRule, told: Mapping[str, ToldAlert]) -> dict[str, _Thread]:
    """Return the episodes that this rule has told of, by the key of their start."""
    found: dict[str, list[ToldAlert]] = {}
    for alert in told.values():
        if alert.rule == settings.name:
            found.setdefault(alert.thread, []).append(alert)
    return {
        key: _thread(key, alerts)
        for key, alerts in found.items()
        if any(alert.phase == "start" for alert in alerts)  # before threads were known, alerts had no end
    }


def _thread(key: str, alerts: Sequence[ToldAlert]) -> _Thread:
    opening = [alert for alert in alerts if alert.phase == "start" or alert.key.startswith(f"{key}:again:")]
    ends = sum(alert.phase == "end" for alert in alerts)
    return _Thread(
        key=key,
        opened=max(alert.created for alert in opening),
        strength=max(alert.strength for alert in alerts),
        told=frozenset(alert.key for alert in alerts),
        ends=ends,
        over=ends >= len(opening),
    )


def _under_way(
    settings: TrendRule, trend: Trend, key: str, thread: _Thread | None, occasion: Occasion
) -> Iterator[_News]:
    """Tell of an episode that lasts: that it began (again and again: the key is the same), grew, goes on after all."""
    rare, zone = _watches(settings, trend.topic) and trend.per_year <= _allowed(settings, trend), occasion.zone
    why = explanation(trend, zone)
    if thread and thread.over:
        if rare:
            yield _update(trend, f"{key}:again:{_whole(trend.since).isoformat()}", key, _again(trend, zone), why)
        return
    if rare or thread:
        yield _update(trend, key, key, headline(trend, zone), why, phase="start")
    grown = f"{key}:{trend.state}"
    if rare and thread and _has_grown(thread, trend) and grown not in thread.told:
        since = day_since(thread.opened, occasion.now, ZoneInfo(zone))
        yield _update(trend, grown, key, _grown(trend, zone), f"It has grown since the first alert ({since}). {why}")


def _update(  # noqa: PLR0913, PLR0917 - a record of many fields is put together here
    trend: Trend, key: str, thread: str, head: str, why: str, phase: Phase = "update"
) -> _News:
    return _News(key, thread, phase, trend, head, why, trend.window_start, trend.window_end)


def _allowed(settings: TrendRule, trend: Trend) -> float:
    """Return how often a year chance may bring a state that alerts."""
    return settings.false_alarms_per_year if trend.state in RISES else settings.false_falls_per_year


def _has_grown(thread: _Thread, trend: Trend) -> bool:
    """Tell whether it is of the larger class, and was not: one that fades may seem to grow in a shorter window."""
    later = trend.state in _LARGER and _whole(trend.since) > thread.opened
    return later and _strength(trend) > thread.strength


def _strength(trend: Trend) -> float:
    return -math.log10(max(trend.per_year, _RAREST))


def _has_ended(thread: _Thread, trend: Trend, key: str, now: datetime) -> bool:
    """Tell whether an episode is over and nobody has said so: the topic is normal for long, or in another episode."""
    if thread.over:
        return False
    another = trend.episode is not None and thread.key != key
    return another or (trend.state == "normal" and now - trend.since >= END_AFTER)


def _ended(thread: _Thread, trend: Trend, *, superseded: bool, occasion: Occasion) -> _News:
    until = trend.episode if superseded and trend.episode else trend.since
    suffix = f":{_whole(until).isoformat()}" if thread.ends else ""
    return _News(
        key=f"{thread.key}:end{suffix}",
        thread=thread.key,
        phase="end",
        trend=trend,
        headline=_over(thread, trend) if superseded else f"{topic_name(trend.topic)} news back to normal",
        explanation=_lasted(thread, trend, until, superseded=superseded, occasion=occasion),
        since=thread.opened - _LEAD,
        until=until,
    )


def _finding(settings: TrendRule, news: _News, occasion: Occasion) -> Finding:
    trend, ends = news.trend, news.phase == "end"
    topic, days = trend.topic, occasion.days.get(trend.topic, ())
    stories = [s for s in occasion.stories.get(topic, ()) if news.since < s.published <= news.until]
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=news.key,
        severity="info" if ends else settings.severity,
        topic=topic,
        headline=f"{news.headline}: {_in_all(stories, news)}" if ends else news.headline,
        explanation=news.explanation,
        send=settings.send,
        stories=tuple(stories[:STORIES_KEPT]),
        charts=(Chart(topic, days, None if ends else trend.expected),) if days else (),
        expected=None if ends else trend.expected,
        observed=len(stories) if ends else trend.observed,
        evidence=tuple(story.item_id for story in stories),
        zone=occasion.zone,
        thread=news.thread,
        phase=news.phase,
        strength=_strength(trend),
    )


# in words


def headline(trend: Trend, zone: str = "UTC") -> str:
    """Tell the change in one line: how many times the expected, since when, how many stories."""
    return f"{topic_name(trend.topic)} {'falls' if trend.state in FALLS else 'news'} {_figures(trend, zone)}"


def _grown(trend: Trend, zone: str) -> str:
    state = "falls quiet" if trend.state in FALLS else "news now a surge"
    return f"{topic_name(trend.topic)} {state}: {_figures(trend, zone)}"


def _again(trend: Trend, zone: str) -> str:
    return f"{topic_name(trend.topic)} {'falls' if trend.state in FALLS else 'rises'} again: {_figures(trend, zone)}"


def _figures(trend: Trend, zone: str) -> str:
    ratio = f"{multiple(trend.observed, trend.expected)} " if trend.expected >= _SHOWN_RATIO and trend.observed else ""
    stories = counted(trend.observed, "story", "stories") if trend.observed else "no story"
    begin = weekday_time(trend.window_start, ZoneInfo(zone))
    return f"{ratio}since {begin}: {stories}, {level(trend.expected)} expected"


def _over(thread: _Thread, trend: Trend) -> str:
    return f"{topic_name(trend.topic)} news: the {_way(thread)} is over"


def _way(thread: _Thread) -> str:
    return "fall" if ":fall:" in thread.key else "rise"


def _in_all(stories: Sequence[StoryLine], news: _News) -> str:
    """Say how many stories an episode had in all: '61 stories in 4 days'."""
    number = counted(len(stories), "story", "stories") if stories else "no story"
    most = "at least " if len(stories) >= STORIES_KNOWN else ""
    return f"{most}{number} in {span(news.until - news.since)}"


def _lasted(thread: _Thread, trend: Trend, until: datetime, *, superseded: bool, occasion: Occasion) -> str:
    """Say how long an episode lasted, and how the topic is now."""
    zone = ZoneInfo(occasion.zone)
    begin, end = day_since(thread.opened, occasion.now, zone), day_since(until, occasion.now, zone)
    lasted = f"The {_way(thread)} lasted {span(until - thread.opened)}, from {begin} to {end}."
    if superseded:
        return f"{lasted} What the topic does now is told apart."
    stories = counted(trend.observed, "story", "stories") if trend.observed else "no story"
    return (
        f"{lasted} The last {hours(trend.window_end - trend.window_start)} hours brought {stories}; "
        f"{level(trend.expected)} expected of {counted(trend.feeds, 'feed', 'feeds')}."
    )


def explanation(trend: Trend, zone: str = "UTC") -> str:
    """Say with numbers what was compared with what, and how often chance alone does the same."""
    stories = counted(trend.observed, "story", "stories") if trend.observed else "No story"
    outlets = (
        f", first told by {counted(trend.outlets, 'outlet', 'outlets')}," if trend.observed and trend.outlets else ""
    )
    return (
        f"{stories}{outlets} since {weekday_time(trend.window_start, ZoneInfo(zone))} "
        f"({hours(trend.window_end - trend.window_start)} hours); {level(trend.expected)} expected of the same "
        f"{counted(trend.feeds, 'feed', 'feeds')} for these days ({trend.low} to {trend.high} would be usual). "
        f"{_share(trend)}Chance alone does this {frequency(trend.per_year)}."
    )


def _share(trend: Trend) -> str:
    if trend.share is None or trend.usual_share is None:
        return ""
    return f"That is {percent(trend.share)} of all stories, usually {percent(trend.usual_share)}. "
