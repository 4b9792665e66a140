"""The records of alerts and their delivery: frozen, plain, without behaviour; times as in storage.records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from storage.records import Item, Signal, Trend

Phase = Literal["once", "start", "update", "end"]
"""What a finding is to its thread: a single occasion; or the beginning, a change or the end of something that lasts."""
AlertState = Literal["told", "held", "carried", "muted", "silenced"]
"""What became of an alert: `told` has deliveries of its own; `held` waits for a time; `carried` was told within another
alert; `muted` (another alert tells the same) and `silenced` (a person wished so) are only recorded."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """A story as an alert lists it. ``outlets`` counts the feeds that carry it; ``feed`` told it first.

    ``words`` decided about the topic in the story's most probable item, strongest first.
    """

    item_id: int
    title: str
    url: str | None
    feed: str
    outlets: int
    published: datetime
    probability: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DayCount:
    """Stories of one local day, for the bar strip of an alert."""

    day: date
    stories: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A topic's stories on consecutive local days, oldest first.

    ``expected`` is what was expected of the window that the alert is about, in stories; None where it is about none.
    """

    topic: str
    days: tuple[DayCount, ...]
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of a table: text of anybody's, and perhaps an address that it leads to."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that a message lists, such as the answer to a query, or the alerts that it carries.

    ``left_out`` counts the rows that are not listed. ``numbers`` names the columns that are set flush right.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryList:
    """Stories under a heading of their own, for messages about several topics."""

    title: str
    stories: tuple[StoryLine, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: everything a message needs, so that a delivery can be repeated word for word.

    ``key`` is unique per occasion: the same finding never becomes two alerts. ``thread`` is the key of the finding that
    began what this one goes on with (its own key when empty), and ``phase`` what it is to it. ``headline`` tells the
    story in one line (the mail's subject), ``explanation`` says in a sentence or two, with numbers, why it is unusual.
    ``strength`` compares findings of one rule with each other: larger is more remarkable. ``advice`` says what the
    reader can do. ``carries`` are the ids of alerts that this message tells, ``send`` names channels. ``zone`` is the
    time zone (an IANA name) in which times are told.
    """

    rule: str
    kind: str
    key: str
    severity: str
    topic: str
    headline: str
    explanation: str
    send: tuple[str, ...]
    stories: tuple[StoryLine, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    lists: tuple[StoryList, ...] = ()
    expected: float | None = None
    observed: int | None = None
    evidence: tuple[int, ...] = ()
    zone: str = "UTC"
    thread: str = ""
    phase: Phase = "once"
    strength: float = 0.0
    advice: str = ""
    carries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding, and what becomes of it: see AlertState. ``until`` is when a held one is looked at again.

    ``why`` says in a few words why it is not told at once: 'quiet hours', 'cooldown', 'weekly budget' ...
    """

    finding: Finding
    state: AlertState = "told"
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A finding that was raised. ``why`` says why it was not told at once; empty when it was."""

    id: int
    created: datetime
    finding: Finding
    state: AlertState = "told"
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Alerts that were held and may go out now.

    A single one (``summary`` None) is sent as it is; several are carried by the ``summary``, a finding of their rule.
    ``until`` instead holds them longer.
    """

    alert_ids: tuple[int, ...]
    summary: Finding | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """An earlier alert, as rules need to know it: told or not, it was raised.

    ``acked`` is when a person said that it needs no reminder; ``strength`` as in Finding. ``until`` is when one that is
    held is looked at again, and when one that was held was told.
    """

    key: str
    rule: str
    thread: str
    phase: Phase
    created: datetime
    state: AlertState = "told"
    acked: datetime | None = None
    strength: float = 0.0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert of the last week, as the decision about the next one of its rule needs to know it.

    ``summary`` marks a message that carried others.
    """

    rule: str
    topic: str
    created: datetime
    state: AlertState
    strength: float
    thread: str
    phase: Phase
    until: datetime | None = None
    summary: bool = False


@dataclass(frozen=True, slots=True)
class Inhibitor:
    """An alert that may mute others: what it rests on, and whether what it tells of still lasts."""

    rule: str
    kind: str
    topic: str
    headline: str
    created: datetime
    send: tuple[str, ...]
    evidence: frozenset[int]
    lasts: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """A person's wish not to be told of a rule (None: of any), or of one of its topics, for a time."""

    id: int
    rule: str | None
    topic: str | None
    since: datetime
    until: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert as lists of alerts show it."""

    id: int
    created: datetime
    rule: str
    kind: str
    severity: str
    topic: str
    headline: str
    phase: Phase
    state: AlertState
    why: str
    send: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way to one channel: a row of the outbox.

    ``thread`` holds what the channel's server called the earlier messages of the alert's thread, oldest first (a mail's
    Message-ID, Slack's channel and ts); ``carriers`` the same of messages that told some of them among others.
    ``reached`` are the recipients that took this message already. ``resends``
    counts how often a person asked to have it sent once more.
    """

    id: int
    channel: str
    attempts: int
    alert: Alert
    thread: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    resends: int = 0
    carriers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What a server said that took a message.

    ``receipt`` is its name there. ``refused`` says in a sentence which recipients will never get it; empty when none.
    """

    receipt: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """What to do with a delivery that failed: try again at ``at``, or give up (None).

    ``reached`` are the recipients that took it nevertheless. Until ``closed_until`` the server wants no message at all.
    """

    at: datetime | None
    error: str
    reached: tuple[str, ...] = ()
    closed_until: datetime | None = None


# What the rules look at


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An item that no alert rule has looked at yet.

    ``kind`` is its feed's. ``story_id`` and ``outlets`` (independent ones, with this item's) are of its story.
    ``earlier`` are the other items of the story that came before it, newest first, at most twenty.
    """

    item: Item
    signals: tuple[Signal, ...]
    kind: str | None = None
    story_id: int | None = None
    outlets: int = 1
    earlier: tuple["Unjudged", ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """A channel that does not take messages: since when, how many wait or were given up, and the last reason."""

    name: str
    since: datetime
    waiting: int
    given_up: int
    error: str


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """How the stream of news itself is.

    ``began`` is the first poll ever, ``last_item`` when the newest item was seen (never backlog), ``last_ok`` when a
    feed last answered well. ``feeds`` counts those of the configuration that are asked, ``failing`` those of them that
    failed, or were blocked, twice in a row or more. ``seen`` maps feed names to when each last brought news.
    ``channels`` are those in trouble.
    """

    began: datetime | None
    last_item: datetime | None
    last_ok: datetime | None
    feeds: int
    failing: int
    seen: Mapping[str, datetime]
    channels: tuple[ChannelHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What the SELECT of a rule found: all column names, at most a hundred rows; or why it failed."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | int | float | None, ...], ...] = ()
    total: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class TopicPeriod:
    """A topic in the period of a digest.

    ``expected`` is None while the topic is learning; ``trend`` is its newest look. ``days`` are the last thirty.
    ``share`` is its part of all stories of the period (None without any).
    """

    topic: str
    stories: int
    expected: float | None
    share: float | None
    trend: Trend | None
    days: tuple[DayCount, ...]
    top: tuple[StoryLine, ...]


@dataclass(frozen=True, slots=True)
class DigestData:
    """What a digest tells of (since, until]: topics, alerts raised in it, and those that are still held or unsaid."""

    since: datetime
    until: datetime
    items: int
    topics: tuple[TopicPeriod, ...]
    alerts: tuple[AlertLine, ...]
    held: tuple[AlertLine, ...]
