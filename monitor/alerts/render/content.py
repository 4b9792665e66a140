"""What every form of an alert says, in clean words, before it becomes HTML, text or blocks. Pure."""

from dataclasses import dataclass
from datetime import date, tzinfo
from zoneinfo import ZoneInfo

from monitor.alerts.wording import (
    clock,
    counted,
    day_name,
    level,
    one_line,
    percent,
    safe_link,
    short_day,
    topic_name,
)
from storage.alert_records import Alert, DayCount, Finding, StoryLine

STORIES_SHOWN = 10
WORDS_SHOWN = 3
_WORD = 48  # characters; a phrase of four words is seldom longer
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the strip. ``share`` is its height, 0 to 1 of the highest; ``today`` is still growing."""

    label: str
    stories: int
    share: float
    today: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A story of the list. ``url`` is None where the feed gave no link that is safe to follow.

    ``because`` names the words that decided, or is empty.
    """

    title: str
    url: str | None
    outlets: str
    time: str
    probability: str
    because: str


@dataclass(frozen=True, slots=True)
class Content:
    """An alert in words. ``left_out`` counts the stories that are not listed."""

    headline: str
    explanation: str
    severity: str
    topic: str
    raised: str
    rule: str
    kind: str
    heading: str
    lines: tuple[Line, ...]
    left_out: int
    bars: tuple[Bar, ...]
    first_day: str
    last_day: str
    caption: str

    @property
    def sparkline(self) -> str:
        """The strip in block characters, one a day."""
        return "".join(_BARS[round(bar.share * (len(_BARS) - 1))] for bar in self.bars)

    @property
    def note(self) -> str:
        """What the figures and words beside the stories are; empty without stories."""
        if not self.lines:
            return ""
        percentages = "Percentages are the model’s probability that the story is about the topic"
        named = "; after “because” stand the words that decided" if any(line.because for line in self.lines) else ""
        return f"{percentages}{named}."


def content(alert: Alert) -> Content:
    """Put an alert into words."""
    finding = alert.finding
    total = max(len(finding.stories), len(finding.evidence), finding.observed or 0)
    zone = ZoneInfo(finding.zone)
    today = alert.created.astimezone(zone).date()
    shown = finding.stories[:STORIES_SHOWN]
    return Content(
        headline=one_line(finding.headline, 150) or "Alert",
        explanation=one_line(finding.explanation, 1000),
        severity=one_line(finding.severity, 20),
        topic=topic_name(finding.topic or finding.kind),  # an alert about feeds has no topic
        raised=f"{day_name(today)} {today.year}, {clock(alert.created, zone)}",
        rule=one_line(finding.rule, 80),
        kind=one_line(finding.kind, 40),
        heading=_heading(total),
        lines=tuple(_line(story, zone) for story in shown),
        left_out=total - len(shown),
        bars=_bars(finding.days, today),
        first_day=short_day(finding.days[0].day) if finding.days else "",
        last_day=short_day(finding.days[-1].day) if finding.days else "",
        caption=_caption(finding, today),
    )


def _heading(total: int) -> str:
    if total == 1:
        return "The story"
    return f"Top {STORIES_SHOWN} of {total:,} stories" if total > STORIES_SHOWN else f"The {total} stories"


def _line(story: StoryLine, zone: tzinfo) -> Line:
    more = f" +{counted(story.outlets - 1, 'more outlet', 'more outlets')}" if story.outlets > 1 else ""
    return Line(
        title=one_line(story.title, 200) or "(no title)",
        url=safe_link(story.url),
        outlets=one_line(story.feed, 60) + more,
        time=f"{clock(story.published, zone)}, {day_name(story.published.astimezone(zone).date())}",
        probability=percent(story.probability),
        because=_because(story.words),
    )


def _because(words: tuple[str, ...]) -> str:
    named = [word for word in (one_line(word, _WORD) for word in words[:WORDS_SHOWN]) if word]
    return f"because: {' · '.join(named)}" if named else ""


def _bars(days: tuple[DayCount, ...], today: date) -> tuple[Bar, ...]:
    highest = max((day.stories for day in days), default=0) or 1
    return tuple(
        Bar(
            label=f"{day_name(day.day)}: {counted(day.stories, 'story', 'stories')}",
            stories=day.stories,
            share=day.stories / highest,
            today=day.day == today,
        )
        for day in days
    )


def _caption(finding: Finding, today: date) -> str:
    so_far = next((f"{day.stories:,} so far today" for day in finding.days if day.day == today), None)
    expected = None if finding.expected is None else f"{level(finding.expected)} expected"
    facts = [f"{topic_name(finding.topic)} stories a day ({finding.zone})", so_far, expected]
    return " · ".join(fact for fact in facts if fact)
