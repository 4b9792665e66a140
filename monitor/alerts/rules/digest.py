"""The rule `digest`: daily or weekly, what came against what was expected, what was alerted and held back. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator

from monitor.alerts.rules.digest_words import explanation, headline, in_order, tables
from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.summaries import BUDGET
from monitor.alerts.wording import topic_name
from monitor.settings import time_zone
from storage.alert_records import AlertLine, Chart, DigestData, Finding, StoryList, TopicPeriod

LONGEST = timedelta(days=31)
"""After a long outage a digest reaches back at most so far."""
HELD_SHOWN = 12
"""So many alerts that were held back are listed, and only these count as told; a message has limited room."""
_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_SEVERITIES = ("critical", "warning", "info")

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[DayName, ...] = get_args(DayName)


def _clock(value: object) -> object:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value.strip()):
        raise ValueError('write a time of day from "00:00" to "23:59", such as "08:00"')
    return value.strip().zfill(len("00:00"))


ClockTime = Annotated[
    str, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$"})
]


class DigestRule(RuleSettings):
    """Tell at a fixed local time what the period brought; it waits for nothing and is never held back."""

    rule: Literal["digest"]
    severity: Literal["info", "warning", "critical"] = "info"
    at: ClockTime = Field("08:00", description="Local time; where clocks skip it, the first one after.")
    days: tuple[DayName, ...] = Field(_DAYS, min_length=1, description="Days on which it comes; one makes it weekly.")
    zone: Annotated[str, AfterValidator(time_zone)] | None = Field(
        None, description="Time zone of `at` and `days`, instead of that of the whole file."
    )
    topics: tuple[str, ...] = Field((), description="Topics to tell of; empty means all of them.")
    stories: int = Field(5, ge=1, le=10, description="So many of each topic's strongest stories are listed.")

    @field_validator("cooldown", "repeat", "weekly_budget", "quiet", "muted_by")
    @classmethod
    def _holds_nothing_back(cls, _value: object) -> object:
        raise ValueError("a digest comes at its own time, whatever else is sent; leave this out")


@dataclass(frozen=True, slots=True)
class Period:
    """What a digest is about: (since, until]."""

    since: datetime
    until: datetime


# When a digest is due


def due(settings: DigestRule, zone: str, told: Iterable[str], began: datetime | None, now: datetime) -> Period | None:
    """Return the period of the digest that is to be told now; None when there is none.

    ``zone`` is that of feeds.yaml, ``told`` are the keys of earlier alerts, ``began`` is the first poll ever. Of the
    digests that were missed only the newest is told; it reaches back to the last one that was told. One that was told
    while the clock was wrong, of a time to come, counts for nothing.
    """
    clocks = ZoneInfo(settings.zone or zone)
    slot = _newest_slot(settings, clocks, now)
    last = max((earlier for earlier in _told_slots(settings, told) if earlier <= now), default=None)
    if began is None or began >= slot or (last is not None and last >= slot):
        return None
    previous = _newest_slot(settings, clocks, slot - timedelta(seconds=1))
    return Period(max(min(previous, last or previous), slot - LONGEST), slot)


def _newest_slot(settings: DigestRule, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the last moment up to ``now`` at which a digest comes, in UTC."""
    today, at = now.astimezone(zone).date(), time.fromisoformat(settings.at)
    days = (today - timedelta(days=n) for n in range(len(_DAYS) + 2))  # one more where a whole day is skipped
    slots = (_moment(day, at, zone) for day in days if _DAYS[day.weekday()] in settings.days)
    return next(slot for slot in slots if slot <= now)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return a local time in UTC: the first of two where clocks go back, the next that there is where they jump."""
    local = datetime.combine(day, at, zone)
    while (found := local.astimezone(UTC)).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        local += timedelta(minutes=1)
    return found


def _told_slots(settings: DigestRule, told: Iterable[str]) -> list[datetime]:
    start = f"{settings.name}:{settings.rule}:"
    found = (_slot(key.removeprefix(start)) for key in told if key.startswith(start))
    return [slot for slot in found if slot]


def _slot(text: str) -> datetime | None:
    """Read a slot as `findings` writes it; None for the key of a rule whose name begins like this one's key."""
    try:
        slot = datetime.fromisoformat(text)
    except ValueError:
        return None
    return slot if slot.tzinfo else None


# What it tells


def findings(settings: DigestRule, occasion: Occasion) -> list[Finding]:
    """Return the digest, if one is due on this occasion."""
    data = occasion.digests.get(settings.name)
    return [] if data is None else [_finding(settings, data, occasion)]


def _finding(settings: DigestRule, data: DigestData, occasion: Occasion) -> Finding:
    own, zone = ZoneInfo(settings.zone or occasion.zone), ZoneInfo(occasion.zone)
    topics, held = in_order(data), _listed(settings, data.held)
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=f"{settings.name}:{settings.rule}:{data.until.isoformat()}",
        severity=settings.severity,
        topic="",
        headline=headline(topics, data, own),
        explanation=explanation(topics, data, occasion.now, zone),
        send=settings.send,
        charts=tuple(Chart(one.topic, one.days, one.expected) for one in topics),
        tables=tables(topics, data, held, occasion.now, zone),
        lists=tuple(_stories(one) for one in topics if one.top),
        zone=occasion.zone,
        carries=tuple(line.id for line in held if _is_told_by(settings, line)),
    )


def _stories(one: TopicPeriod) -> StoryList:
    return StoryList(topic_name(one.topic), one.top, max(one.stories - len(one.top), 0))


def _listed(settings: DigestRule, held: Sequence[AlertLine]) -> list[AlertLine]:
    """Return the alerts to list: first those that nothing else tells, of these the most severe, then the newest."""
    newest = sorted(held, key=lambda line: (line.created, line.id), reverse=True)
    ranked = sorted(newest, key=lambda line: (not _is_told_by(settings, line), _SEVERITIES.index(line.severity)))
    return ranked[:HELD_SHOWN]


def _is_told_by(settings: DigestRule, line: AlertLine) -> bool:
    """Tell whether a digest tells what was held back, so that nothing else has to.

    What waits for a time (quiet hours, a cooldown) comes out by itself. All who would have got it get this digest.
    """
    waits = line.state == "held" and line.why != BUDGET
    return not waits and (not settings.send or set(line.send) <= set(settings.send))
