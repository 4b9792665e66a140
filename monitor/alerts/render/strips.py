"""A topic's days as a strip of bars, in words and shares of the highest. Pure."""

from dataclasses import dataclass
from datetime import date

from monitor.alerts.render.room import Room
from monitor.alerts.wording import counted, day_name, level, short_day, topic_name
from storage.alert_records import Chart, DayCount, Finding

STRIPS_SHOWN = 8
LARGE = 2
"""More strips than this are drawn small, one below the other."""
_DAYS_SHOWN = 31
_LARGE_BYTES, _SMALL_BYTES = 11_500, 4_300  # of HTML
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
    """A chart. ``today`` tells the newest count, ``expected`` that of the alert's window; both may be empty."""

    topic: str
    bars: tuple[Bar, ...]
    first_day: str
    last_day: str
    today: str
    expected: str
    zone: str

    @property
    def sparkline(self) -> str:
        """The strip in block characters, one a day."""
        return "".join(_BARS[round(bar.share * (len(_BARS) - 1))] for bar in self.bars)

    @property
    def caption(self) -> str:
        """What the bars are, with figures."""
        return " · ".join(filter(None, (f"{self.topic} stories a day ({self.zone})", self.today, self.expected)))

    @property
    def name(self) -> str:
        """The topic with its newest count, where a strip is small."""
        return f"{self.topic} · {self.today}" if self.today else self.topic

    @property
    def period(self) -> str:
        """The first day and the last."""
        return f"{self.first_day} to {self.last_day}"


def strips(finding: Finding, today: date, room: Room) -> tuple[Strip, ...]:
    """Return the strips of a finding's charts; a chart without days has none."""
    charts = [chart for chart in finding.charts if chart.days][:STRIPS_SHOWN]
    room.spend(len(charts) * (_SMALL_BYTES if len(charts) > LARGE else _LARGE_BYTES))
    return tuple(_strip(chart, finding, today) for chart in charts)


def _strip(chart: Chart, finding: Finding, today: date) -> Strip:
    days = chart.days[-_DAYS_SHOWN:]
    return Strip(
        topic=topic_name(chart.topic or finding.topic),
        bars=_bars(days, today),
        first_day=short_day(days[0].day),
        last_day=short_day(days[-1].day),
        today=next((f"{day.stories:,} so far today" for day in days if day.day == today), ""),
        expected="" if chart.expected is None else f"{level(chart.expected)} expected in the window",
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
