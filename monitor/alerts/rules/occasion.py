"""What every rule is given, and what every rule's settings share. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from monitor.alerts.quiet import QuietHours
from monitor.settings import Duration, Settings
from storage.alert_records import DayCount, DigestData, QueryAnswer, StoryLine, StreamHealth, ToldAlert
from storage.feed_records import FeedHealth
from storage.records import Item, Trend

CHART_DAYS = 30
"""An alert shows so many local days."""
STORIES_KNOWN = 500
"""Rules are given a trend's strongest stories, up to so many."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """An item that no rule has looked at yet, with the probability of each topic it carries.

    ``words`` are those that decided about a topic, strongest first; a topic may be left out. ``kind`` is its feed's.
    ``story_id`` and ``outlets`` (independent ones) are of its story, ``earlier`` the story's other items that came
    before, newest first.
    """

    item: Item
    topics: Mapping[str, float]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kind: str | None = None
    story_id: int | None = None
    outlets: int = 1
    earlier: tuple["Tagged", ...] = ()


@dataclass(frozen=True, slots=True)
class Occasion:
    """The world as a rule sees it.

    ``zone`` is the time zone (an IANA name) in which messages tell times. ``trends`` are fresh looks; empty when nobody
    looked. ``stories`` holds, per topic, the stories of the trend window (once an episode is over: of the episode),
    strongest first; ``days`` the last thirty local days, oldest first, today included. ``tagged`` never holds backlog.
    ``feeds`` are those in trouble, and those that have been well again for less than a week. ``told`` holds earlier
    alerts by key: of rules whose findings last (not of `match`), but for what ended long ago. ``last`` says when each
    rule last raised an alert. ``stream`` is how the stream of news itself is. ``answers`` holds, by rule, what its
    query found, if it was asked on this occasion; ``digests``, by rule, what a digest that is due now tells.
    """

    now: datetime
    zone: str = "UTC"
    trends: tuple[Trend, ...] = ()
    tagged: tuple[Tagged, ...] = ()
    stories: Mapping[str, tuple[StoryLine, ...]] = field(default_factory=dict)
    days: Mapping[str, tuple[DayCount, ...]] = field(default_factory=dict)
    feeds: tuple[FeedHealth, ...] = ()
    told: Mapping[str, ToldAlert] = field(default_factory=dict)
    last: Mapping[str, datetime] = field(default_factory=dict)
    stream: StreamHealth | None = None
    answers: Mapping[str, QueryAnswer] = field(default_factory=dict)
    digests: Mapping[str, DigestData] = field(default_factory=dict)


class RuleSettings(Settings):
    """What every alert rule has: its kind (a row of the RULES table), a name, where to send, when to hold back."""

    rule: str
    name: str = Field(min_length=1, max_length=80, description="Shown in the alert; unique.")
    send: tuple[str, ...] = Field((), description="Names of channels; empty means all of them.")
    severity: Literal["info", "warning", "critical"] = "warning"
    cooldown: Duration = Field(
        timedelta(minutes=10),
        ge=timedelta(0),
        description="Within this time a rule sends at most three messages; what it finds beyond is told afterwards, "
        "in one.",
    )
    repeat: Duration | None = Field(
        None,
        ge=timedelta(minutes=10),
        description="Tell again after this time what still lasts, until somebody acknowledges it.",
    )
    weekly_budget: int | None = Field(
        None,
        ge=1,
        description="About how many messages a week are welcome: the more were sent, the more remarkable the next one "
        "must be; the others are told together later.",
    )
    quiet: QuietHours | None = Field(
        None, description="Quiet hours of this rule, instead of those of the whole file; [] for none."
    )
    muted_by: tuple[str, ...] = Field(
        (), description="Names of rules: while one of them has told of the same topic, this one is only recorded."
    )
