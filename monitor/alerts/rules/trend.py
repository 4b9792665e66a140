"""The rule `trend`: a topic is told of clearly more, or clearly less, than its own past allows. Pure."""

from collections.abc import Iterable
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.wording import counted, frequency, hours, level, multiple, percent, topic_name, weekday_time
from monitor.trends import FALLS, RISES, Budgets
from storage.alert_records import Finding
from storage.records import Trend

# A finding is kept and sent as a whole: it carries the strongest stories, and the ids of all.
STORIES_KEPT = 25
DEFAULT_RISES, DEFAULT_FALLS = 2.0, 1.0
_SHOWN_RATIO = 0.1  # a ratio to less than this would be boasting: see wording.level


class TrendRule(RuleSettings):
    """Alert when a topic surges or falls silent: once for each episode."""

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


def findings(settings: TrendRule, occasion: Occasion) -> list[Finding]:
    """Return one finding for each watched topic that rises or falls beyond the budget of false alarms."""
    return [
        _finding(settings, trend, occasion)
        for trend in occasion.trends
        if _watches(settings, trend.topic) and trend.per_year <= _allowed(settings, trend)
    ]


def _allowed(settings: TrendRule, trend: Trend) -> float:
    """Return how often a year chance may bring a state that alerts; never, if the state is an ordinary one."""
    if trend.state in RISES:
        return settings.false_alarms_per_year
    return settings.false_falls_per_year if trend.state in FALLS else -1.0


def budgets(rules: Iterable[RuleSettings], topic: str) -> Budgets:
    """Return the false alarms that the detector may allow itself: the largest budgets of the topic's rules."""
    watching = [rule for rule in rules if isinstance(rule, TrendRule) and _watches(rule, topic)]
    return Budgets(
        max((rule.false_alarms_per_year for rule in watching), default=DEFAULT_RISES),
        max((rule.false_falls_per_year for rule in watching), default=DEFAULT_FALLS),
    )


def _watches(settings: TrendRule, topic: str) -> bool:
    return not settings.topics or topic in settings.topics


def _finding(settings: TrendRule, trend: Trend, occasion: Occasion) -> Finding:
    stories = occasion.stories.get(trend.topic, ())
    began = (trend.episode or trend.since).replace(microsecond=0)  # the database keeps whole seconds
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        # An episode keeps its beginning for as long as it lasts, so it alerts once.
        key=f"{settings.name}:{trend.topic}:{trend.way}:{began.isoformat()}",
        severity=settings.severity,
        topic=trend.topic,
        headline=headline(trend, occasion.zone),
        explanation=explanation(trend, occasion.zone),
        send=settings.send,
        stories=stories[:STORIES_KEPT],
        days=occasion.days.get(trend.topic, ()),
        expected=trend.expected,
        observed=trend.observed,
        evidence=tuple(story.item_id for story in stories),
        zone=occasion.zone,
    )


def headline(trend: Trend, zone: str = "UTC") -> str:
    """Tell the change in one line: how many times the expected, since when, how many stories."""
    ratio = f" {multiple(trend.observed, trend.expected)}" if trend.expected >= _SHOWN_RATIO and trend.observed else ""
    stories = counted(trend.observed, "story", "stories") if trend.observed else "no story"
    begin = weekday_time(trend.window_start, ZoneInfo(zone))
    verb = "falls" if trend.state in FALLS else "news"
    return f"{topic_name(trend.topic)} {verb}{ratio} since {begin}: {stories}, {level(trend.expected)} expected"


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
