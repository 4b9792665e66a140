"""A topic's flow at one moment, as arrays: stories and coverage by feed, by local day and, lately, by hour.

F is the number of feeds. The history is HISTORY_DAYS local days, then come RECENT_DAYS more that are looked at hour by
hour; the last of them is today. A local day that daylight saving makes longer or shorter has 24 hours here too: what
comes after the 24th counts for it.
"""

from bisect import bisect_right
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, TypeAlias

from monitor.detection.baseline import HOLIDAY
from storage.records import NEWS, Exposure, History, Occurrence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[np.float64]"
Classes: TypeAlias = "npt.NDArray[np.intp]"

HISTORY_DAYS = 182
RECENT_DAYS = 4
HOURS = 24
_HOUR = 3600.0
_SATURDAY = 5
_CHRISTMAS = ((12, 20), (1, 2))  # first and last day of the weeks in which little is published


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose days are counted: a time zone, and its public holidays."""

    zone: tzinfo
    holidays: Container[date] = ()

    def midnight(self, day: date) -> datetime:
        """Return when a local day begins, in UTC."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def day(self, now: datetime) -> date:
        """Return the local day of a moment."""
        return now.astimezone(self.zone).date()

    def kind(self, day: date) -> int:
        """Return the class of a day: its weekday (Monday is 0), or HOLIDAY for a weekday on which few work."""
        at_christmas = (day.month, day.day) >= _CHRISTMAS[0] or (day.month, day.day) <= _CHRISTMAS[1]
        return HOLIDAY if day.weekday() < _SATURDAY and (at_christmas or day in self.holidays) else day.weekday()


@dataclass(frozen=True, slots=True)
class Arrays:
    """The numbers of a flow; of many of them with a leading axis more.

    ``told``, ``total`` (F, HISTORY_DAYS) count the topic's stories and all stories, ``known`` (0 to 1) tells how much
    of the day the feed was covered, ``fresh`` how much of it as news, not as a backlog. ``hourly_*`` (F, RECENT_DAYS,
    24) are the same by hour, ``hourly_news`` those stories that were news when they came; hours to come are not
    covered. ``hours`` (24) counts the topic's stories of the history by hour of the day, ``kinds`` (HISTORY_DAYS +
    RECENT_DAYS) are the classes of the days.
    """

    told: Array
    total: Array
    known: Array
    fresh: Array
    hourly_told: Array
    hourly_news: Array
    hourly_total: Array
    hourly_known: Array
    hourly_fresh: Array
    hours: Array
    kinds: Classes


@dataclass(frozen=True, slots=True)
class Flow(Arrays):
    """What monitor.trends looks at: one topic at one moment, ``now``. ``today`` is when its local day began."""

    now: datetime
    today: datetime


def stack(flows: Sequence[Flow]) -> Arrays:
    """Put flows of equally many feeds into one."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    return Arrays(**{field.name: np.stack([getattr(flow, field.name) for flow in flows]) for field in fields(Arrays)})


def days_at(now: datetime, calendar: Calendar) -> list[date]:
    """Return the local days of a Flow at ``now``, oldest first."""
    today = calendar.day(now)
    count = HISTORY_DAYS + RECENT_DAYS
    return [today - timedelta(days=count - 1 - n) for n in range(count)]


def begins(now: datetime, calendar: Calendar) -> tuple[datetime, datetime]:
    """Return when a Flow's history begins, and when its recent days do (UTC)."""
    days = days_at(now, calendar)
    return calendar.midnight(days[0]), calendar.midnight(days[HISTORY_DAYS])


def flow_of(topic: str, history: History, now: datetime, calendar: Calendar) -> Flow:
    """Sort what is known of a topic into a Flow."""
    days = days_at(now, calendar)
    starts = [calendar.midnight(day).timestamp() for day in days]
    rows = {feed: row for row, feed in enumerate(sorted({exposure.feed_id for exposure in history.exposures}))}
    read_since = history.read_since.get(topic)
    known = _covered(history.exposures, rows, starts, now, lambda e: max(e.since, read_since or e.since))
    fresh = _covered(
        history.exposures, rows, starts, now, lambda e: max(e.opened - NEWS, e.since, read_since or e.since)
    )
    stories = history.told.get(topic, ())
    told, recent = _by_hour(stories, rows, starts), _by_hour(history.recent, rows, starts)
    news = _by_hour([one for one in stories if one.news], rows, starts)
    return Flow(
        now=now,
        today=calendar.midnight(days[-1]),
        told=told[:, :HISTORY_DAYS].sum(-1),
        total=_totals(history, rows, days),
        known=known[:, :HISTORY_DAYS].mean(-1),
        fresh=fresh[:, :HISTORY_DAYS].mean(-1),
        hourly_told=told[:, HISTORY_DAYS:],
        hourly_news=news[:, HISTORY_DAYS:],
        hourly_total=recent[:, HISTORY_DAYS:],
        hourly_known=known[:, HISTORY_DAYS:],
        hourly_fresh=fresh[:, HISTORY_DAYS:],
        hours=told[:, :HISTORY_DAYS].sum((0, 1)),
        kinds=kinds_of(days, calendar),
    )


def kinds_of(days: Sequence[date], calendar: Calendar) -> "Classes":
    """Return the classes of days."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    return np.array([calendar.kind(day) for day in days], dtype=np.intp)


def _by_hour(occurrences: Sequence[Occurrence], rows: dict[int, int], starts: Sequence[float]) -> "Array":
    """Count stories by feed, day and hour (F, days, 24); those of other days or feeds are left out."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    counts = np.zeros((len(rows), len(starts), HOURS))
    for told in occurrences:
        at = told.published.timestamp()
        day = bisect_right(starts, at) - 1
        if day >= 0 and told.feed_id in rows:
            counts[rows[told.feed_id], day, min(int((at - starts[day]) // _HOUR), HOURS - 1)] += 1
    return counts


def _totals(history: History, rows: dict[int, int], days: Sequence[date]) -> "Array":
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    columns = {day: column for column, day in enumerate(days[:HISTORY_DAYS])}
    counts = np.zeros((len(rows), HISTORY_DAYS))
    for total in history.totals:
        if total.feed_id in rows and total.day in columns:
            counts[rows[total.feed_id], columns[total.day]] = total.stories
    return counts


def _covered(
    exposures: Sequence[Exposure],
    rows: dict[int, int],
    starts: Sequence[float],
    now: datetime,
    begin: Callable[[Exposure], datetime],
) -> "Array":
    """Return which share of each hour each feed was covered (F, days, 24)."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    hours = (np.array(starts)[:, None] + _HOUR * np.arange(HOURS)).ravel()
    shares = np.zeros((len(rows), hours.size))
    for exposure in exposures:
        since, until = begin(exposure).timestamp(), min(exposure.until, now).timestamp()
        shares[rows[exposure.feed_id]] += ((np.minimum(until, hours + _HOUR) - np.maximum(since, hours)) / _HOUR).clip(
            0, 1
        )
    return shares.reshape(len(rows), len(starts), HOURS).clip(0, 1)
