"""The records everybody speaks in: frozen, plain, without behaviour.

Those of polling are in storage.feed_records, those of alerts in storage.alert_records.
Times are timezone-aware UTC datetimes; the database holds them as ISO 8601 text. Durations are timedeltas.
Ids are SQLite row ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

TrendState = Literal["learning", "normal", "rising", "surging", "falling", "quiet"]
Way = Literal["rise", "fall"]

NEWS = timedelta(days=1)
"""What is seen within this time after its publication is news; older entries were caught up with."""
Relation = Literal["first", "copy", "update", "retelling"]


@dataclass(frozen=True, slots=True)
class Item:
    """A stored entry. ``published`` is never later than ``seen`` and falls back to it.

    ``backlog`` marks entries of a feed's first answer, and of an imported archive: they teach the baseline and raise no
    alert. ``imported`` tells the latter, for which ``seen`` is ``published``.
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
    imported: bool = False


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
class Embedding:
    """What an item means, as a model's network puts it: half-precision floats, little-endian, of unit length."""

    item_id: int
    model: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Telling:
    """An item as story grouping sees it: with its embedding, if it has one, and the story it already has a place in."""

    item: Item
    embedding: Embedding | None = None
    story_id: int | None = None


@dataclass(frozen=True, slots=True)
class StoryItem:
    """An item's place in a story: a stored one, or (``story_id`` negative) one that this grouping opens.

    ``relation`` says what it is to the tellings before it: the first; a copy of one's words; an update by an outlet
    that told it already; or a retelling.
    """

    item_id: int
    story_id: int
    relation: Relation = "first"


@dataclass(frozen=True, slots=True)
class Merge:
    """Two stories turn out to be one: ``item_id`` connects them, and ``story_id`` becomes part of the older one."""

    story_id: int
    into_id: int
    item_id: int


@dataclass(frozen=True, slots=True)
class Grouping:
    """What grouping decided about a batch: merges come first, and no place names a story that was merged away."""

    placed: tuple[StoryItem, ...] = ()
    merges: tuple[Merge, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """From ``since`` to ``until`` nothing that a feed published is missing.

    ``opened`` is when that became known: what was published more than NEWS before came as a backlog.
    """

    feed_id: int
    since: datetime
    until: datetime
    opened: datetime


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A story's first telling, within a topic or at all; ``news`` is False for backlog, and for what was seen late."""

    feed_id: int
    published: datetime
    news: bool = True


@dataclass(frozen=True, slots=True)
class FeedDay:
    """How many stories a feed was the first to tell on a local day."""

    day: date
    feed_id: int
    stories: int


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the flow at one moment.

    ``told`` holds each topic's stories since the history began, ``recent`` all stories (whatever their topics) of the
    last days, ``totals`` all stories per feed and day before those. ``read_since``: from when on each topic was tagged
    by the model in use; a topic that was always tagged by it is left out.
    """

    exposures: tuple[Exposure, ...]
    told: Mapping[str, tuple[Occurrence, ...]]
    recent: tuple[Occurrence, ...] = ()
    totals: tuple[FeedDay, ...] = ()
    read_since: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trend:
    """A topic's flow in the window (window_start, window_end] against what was expected of the same feeds.

    The window is the last 24 hours; during an episode, the days up to now that show it best. ``observed`` and
    ``expected`` count stories; nine of ten windows lie between ``low`` and ``high``. ``chance`` is the probability (0
    to 1) of so many or more, or so few or fewer where the topic falls; ``surprise`` is -log10 of it. ``score`` is the
    log odds of a surge or a drop, and ``per_year`` how often a year chance brings such a score: a budget's yardstick.
    ``since`` is when the present state began; ``way``, ``episode`` and ``alarmed`` are of the present or the last
    episode: a rise or a fall, when it began, and when it was last within the budget. ``feeds`` counts the feeds
    compared, ``outlets`` those that told the stories. ``share`` is the topic's share of all stories of the window
    (None without any), ``usual_share`` the expected one. ``ready`` says, while learning, when it can be judged.
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
    low: int = 0
    high: int = 0
    score: float = 0.0
    per_year: float = 365.0
    outlets: int = 0
    share: float | None = None
    usual_share: float | None = None
    way: Way | None = None
    episode: datetime | None = None
    alarmed: datetime | None = None
