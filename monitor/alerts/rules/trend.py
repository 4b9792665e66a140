"""The rule `trend`: a topic is told of clearly more often than its own past allows. Pure."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.wording import counted, hours, level, moment_name, multiple, rarity, topic_name
from monitor.trends import chance_threshold
from storage.records import Finding, Trend

# A finding is kept and sent as a whole: it carries the strongest stories, and the ids of all.
STORIES_KEPT = 25
DEFAULT_BUDGET = 2.0


class TrendRule(RuleSettings):
    """Alert when a topic surges: once for each episode."""

    rule: Literal["trend"]
    topics: tuple[str, ...] = Field(default=(), description="Topics to watch; empty means all of them.")
    false_alarms_per_year: float = Field(
        default=DEFAULT_BUDGET,
        gt=0,
        le=366,
        description="How many alerts a year and topic you accept from chance alone. Less is quieter and slower.",
    )


def findings(settings: TrendRule, occasion: Occasion) -> list[Finding]:
    """Return one finding for each watched topic that surges beyond the budget of false alarms."""
    threshold = chance_threshold(settings.false_alarms_per_year)
    return [
        _finding(settings, trend, occasion)
        for trend in occasion.trends
        if trend.state == "surging" and trend.chance <= threshold and _watches(settings, trend.topic)
    ]


def budget(rules: Iterable[RuleSettings], topic: str) -> float:
    """Return the false alarms a year that the detector may allow itself: the largest budget of the topic's rules."""
    watching = [rule for rule in rules if isinstance(rule, TrendRule) and _watches(rule, topic)]
    return max((rule.false_alarms_per_year for rule in watching), default=DEFAULT_BUDGET)


def _watches(settings: TrendRule, topic: str) -> bool:
    return not settings.topics or topic in settings.topics


def _finding(settings: TrendRule, trend: Trend, occasion: Occasion) -> Finding:
    stories = occasion.stories.get(trend.topic, ())
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        # An episode keeps its beginning for as long as it lasts, so it alerts once; the database keeps whole seconds.
        key=f"{settings.name}:{trend.topic}:{trend.since.replace(microsecond=0).isoformat()}",
        severity=settings.severity,
        topic=trend.topic,
        headline=headline(trend),
        explanation=explanation(trend),
        send=settings.send,
        stories=stories[:STORIES_KEPT],
        days=occasion.days.get(trend.topic, ()),
        expected=trend.expected,
        observed=trend.observed,
        evidence=tuple(story.item_id for story in stories),
    )


def headline(trend: Trend) -> str:
    """Tell the surge in one line: how many times the expected, in how many hours, how many stories."""
    ratio = f" {multiple(trend.observed, trend.expected)}" if trend.expected >= 0.1 else ""  # noqa: PLR2004 - see level
    span = hours(trend.window_end - trend.window_start)
    stories = counted(trend.observed, "story", "stories")
    return f"{topic_name(trend.topic)} news{ratio} in {span} hours: {stories}, {level(trend.expected)} expected"


def explanation(trend: Trend) -> str:
    """Say with numbers what was compared with what, and how often chance alone does the same."""
    window = trend.window_end - trend.window_start
    return (
        f"{counted(trend.feeds, 'feed', 'feeds')} brought {counted(trend.observed, 'story', 'stories')} "
        f"in the {hours(window)} hours to {moment_name(trend.window_end)}; "
        f"{level(trend.expected)} expected of the same feeds for this time of the week. "
        f"By chance alone, {rarity(trend.chance, window)} brings as many."
    )
