"""A topic's days as a strip of bars, in words and shares of the highest. Pure."""

from dataclasses import dataclass
from datetime import date

from monitor.alerts.wording import counted, day_name, level, short_day, topic_name
from storage.alert_records import Chart, DayCount, Finding

STRIPS_SHOWN = 12
LARGE = 2
"""More strips than this are drawn small, one below the other."""
_DAYS_SHOWN = 31
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the strip. ``share`` is its height, 0 to 1 of the highest; ``today`` is still growing."""

    label: str
    stories: int
    share: float
    today: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """A chart. ``figures`` tells today's count, and what was expected of the alert's window; it may be empty."""

    topic: str
    bars: tuple[Bar, ...]
    first_day: str
    last_day: str
    figures: str
    zone: str

    @property
    def sparkline(self) -> str:
        """The strip in block characters, one a day."""
        return "".join(_BARS[round(bar.share * (len(_BARS) - 1))] for bar in self.bars)

    @property
    def caption(self) -> str:
        """What the bars are."""
        told = f"{self.topic} stories a day ({self.zone})"
        return f"{told} · {self.figures}" if self.figures else told


def strips(finding: Finding, today: date) -> tuple[Strip, ...]:
    """Return the strips of a finding's charts; a chart without days has none."""
    charts = [chart for chart in finding.charts if chart.days]
    return tuple(_strip(chart, finding, today) for chart in charts[:STRIPS_SHOWN])


def _strip(chart: Chart, finding: Finding, today: date) -> Strip:
    days = chart.days[-_DAYS_SHOWN:]
    return Strip(
        topic=topic_name(chart.topic or finding.topic),
        bars=_bars(days, today),
        first_day=short_day(days[0].day),
        last_day=short_day(days[-1].day),
        figures=_figures(days, chart.expected, today),
        zone=finding.zone,
    )


def _bars(days: tuple[DayCount, ...], today: date) -> tuple[Bar, ...]:
    highest = max(day.stories for day in days) or 1
    return tuple(
        Bar(
            label=f"{day_name(day.day)}: {counted(day.stories, 'story', 'stories')}",
            stories=day.stories,
            share=day.stories / highest,
            today=day.day == today,
        )
        for day in days
    )


def _figures(days: tuple[DayCount, ...], expected: float | None, today: date) -> str:
    figures = [f"{day.stories:,} so far today" for day in days if day.day == today]
    figures += [] if expected is None else [f"{level(expected)} expected"]
    return " · ".join(figures)
