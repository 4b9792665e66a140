"""The records everybody speaks in: frozen, plain, without behaviour.

Times are timezone-aware UTC datetimes; the database holds them as ISO 8601 text. Durations are timedeltas.
Ids are SQLite row ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

TrendState = Literal["learning", "normal", "surging"]


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """A feed as the configuration names it."""

    name: str
    url: str
    lang: str | None = None
    kind: str | None = None
    every: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as the database knows it: what to ask for, with which validators, and when.

    ``etag`` and ``modified`` are the server's validators byte for byte, decoded as latin-1. ``body_hash`` is the
    SHA-256 of the last body that was parsed. ``first_ok`` is None until the feed has answered once; the entries of
    that first answer are its backlog. ``failures`` counts the failures since the last success.
    """

    id: int
    name: str
    url: str
    lang: str | None
    kind: str | None
    every: timedelta
    next_poll: datetime
    etag: str | None = None
    modified: str | None = None
    body_hash: str | None = None
    failures: int = 0
    first_ok: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one request for a feed brought back.

    ``body`` is the decoded document, or None when there is nothing to parse: not modified (304) or failed.
    ``error`` is None on success, else one sentence for the user. ``wire_bytes`` counts what came over the wire.
    ``retry_after`` is the server's own wish, if it voiced one. ``refused`` marks an address that we did not ask.
    """

    started: datetime
    seconds: float
    status: int | None = None
    wire_bytes: int = 0
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    etag: str | None = None
    modified: str | None = None
    error: str | None = None
    retry_after: timedelta | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed document, cleaned, not yet stored. Text is plain and on one line; ``url`` is absolute."""

    guid: str | None
    url: str | None
    title: str
    summary: str = ""
    lang: str | None = None
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class NextPoll:
    """When a feed is due again, and how many failures lie behind it."""

    at: datetime
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """Everything one poll of a feed changes, stored in one transaction. ``fresh`` are the entries not seen before.

    ``keys`` holds for each fresh entry the key hashes under which it will be recognised (see monitor.feeds.fresh),
    ``identities`` its identity hash. ``entries`` counts all entries of the document, ``known`` the stored ones that
    share a key with them.
    """

    feed: Feed
    fetched: Fetched
    next: NextPoll
    body_hash: str | None = None
    entries: int = 0
    fresh: tuple[Entry, ...] = ()
    identities: tuple[str, ...] = ()
    keys: tuple[tuple[int, ...], ...] = ()
    known: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A stored entry. ``published`` is never later than ``seen`` and falls back to it.

    ``backlog`` marks entries of a feed's first answer: they teach the baseline and raise no alert.
    """

    id: int
    feed_id: int
    feed: str
    title: str
    summary: str
    lang: str | None
    url: str | None
    published: datetime
    seen: datetime
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class Classification:
    """How likely a model thinks it that an item carries a topic (0 to 1)."""

    item_id: int
    topic: str
    model: str
    probability: float


@dataclass(frozen=True, slots=True)
class Signal:
    """An item that carries a topic: its probability reached the topic's threshold.

    ``words`` are those that decided, strongest first.
    """

    item_id: int
    topic: str
    probability: float
    model: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is stored of an item and a topic: a model's word, whether the item counts, and what a person said.

    ``model`` and ``probability`` (0 to 1) are of the model behind the signal, else of the one that read it last; None
    when no model did. ``label`` is None where no person judged.
    """

    model: str | None
    probability: float | None
    signal: bool
    label: bool | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """One topic's output layer, learned from people's labels: see monitor.signals.heads.

    ``model`` is the name under which its results are stored, ``base`` the model whose embeddings it reads, ``labels``
    the number of labels that it learned from.
    """

    topic: str
    model: str
    base: str
    weights: tuple[float, ...]
    labels: int


@dataclass(frozen=True, slots=True)
class Story:
    """One event, told by one or more items. ``key`` is what retellings share (see monitor.stories)."""

    id: int
    key: str
    last: datetime


@dataclass(frozen=True, slots=True)
class StoryItem:
    """An item's place in a story: an existing ``story_id``, or None for the new story that ``key`` opens."""

    item: Item
    key: str
    story_id: int | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Since when a feed's flow is known, and when it last answered.

    ``since`` reaches back to the oldest entry of the feed's first answer: from there on nothing is missing.
    """

    feed_id: int
    since: datetime
    last_ok: datetime


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A story's first telling within a topic: when, in which feed, and whether it is old news (see Item.backlog)."""

    feed_id: int
    published: datetime
    backlog: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """A topic's flow in the window (window_start, window_end] against what was expected of the same feeds.

    ``observed`` and ``expected`` count stories. ``chance`` is the probability of so many or more by chance (0 to 1);
    ``surprise`` is -log10 of it. ``since`` is when the present state began. ``feeds`` counts the feeds compared.
    ``ready`` tells, while learning, when a baseline will be there.
    """

    topic: str
    evaluated: datetime
    window_start: datetime
    window_end: datetime
    observed: int
    expected: float
    chance: float
    surprise: float
    state: TrendState
    since: datetime
    feeds: int
    ready: datetime | None = None


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
    """Stories of one UTC day, for the bar strip of an alert."""

    day: date
    stories: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: everything a message needs, so that a delivery can be repeated word for word.

    ``key`` is unique per occasion: the same finding never becomes two alerts. ``headline`` tells the story in one
    line (the mail's subject), ``explanation`` says in a sentence or two, with numbers, why it is unusual.
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
    days: tuple[DayCount, ...] = ()
    expected: float | None = None
    observed: int | None = None
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """A finding that was raised."""

    id: int
    created: datetime
    finding: Finding


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way to one channel: a row of the outbox."""

    id: int
    channel: str
    attempts: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class Retry:
    """What to do with a delivery that failed: try again at ``at``, or give up (None)."""

    at: datetime | None
    error: str
