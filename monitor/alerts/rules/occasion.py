"""What every rule is given, and what every rule's settings share. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import Field

from monitor.settings import Settings
from storage.feed_records import FeedHealth
from storage.records import DayCount, Item, StoryLine, Trend

CHART_DAYS = 30
"""An alert shows so many local days."""
STORIES_KNOWN = 500
"""Rules are given a trend's strongest stories, up to so many."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """An item that no rule has looked at yet, with the probability of each topic it carries.

    ``words`` are those that decided about a topic, strongest first; a topic may be left out.
    """

    item: Item
    topics: Mapping[str, float]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The world as a rule sees it.

    ``stories`` holds, per topic, the stories of the trend window, strongest first; ``days`` the last thirty local days,
    oldest first, today included. ``tagged`` never holds backlog. ``feeds`` are those in trouble, and those that have
    been well again for less than a week; ``told`` the keys of all alerts that were raised about feeds. ``zone`` is the
    time zone (an IANA name) in which messages tell times.
    """

    now: datetime
    zone: str = "UTC"
    trends: tuple[Trend, ...] = ()
    tagged: tuple[Tagged, ...] = ()
    stories: Mapping[str, tuple[StoryLine, ...]] = field(default_factory=dict)
    days: Mapping[str, tuple[DayCount, ...]] = field(default_factory=dict)
    feeds: tuple[FeedHealth, ...] = ()
    told: frozenset[str] = frozenset()


class RuleSettings(Settings):
    """What every alert rule has: its kind (a row of the RULES table), a name, where to send, how urgent."""

    rule: str
    name: str = Field(min_length=1, max_length=80, description="Shown in the alert; unique.")
    send: tuple[str, ...] = Field((), description="Names of channels; empty means all of them.")
    severity: Literal["info", "warning", "critical"] = "warning"
