"""What a replay reads of the past: frozen records, apart from storage.records because nothing else needs them.

Times that are only compared and counted are whole seconds since 1970, UTC: there are many of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from storage.records import Exposure, Item, Merge, Signal

FIRST_ANSWER, IMPORTED = 1, 2
"""Values of items.backlog."""


@dataclass(frozen=True, slots=True)
class Told:
    """A stored item, as a replay moves it: its times (s), whether it was backlog, the story it was put into at first.

    ``story`` is None while it waits for its place. ``look`` is the look at which the alert rules saw it. ``counts`` is
    False for an item that came too late to count. ``copy`` is True for one that took over another's words.
    """

    id: int
    feed_id: int
    published: int
    seen: int
    backlog: int
    story: int | None
    look: int | None
    counts: bool
    copy: bool = False


@dataclass(frozen=True, slots=True)
class PastLook:
    """A moment at which trends and rules looked; ``last_item`` is the newest item (by id) that was there."""

    id: int
    at: datetime
    last_item: int


@dataclass(frozen=True, slots=True)
class PastExposure:
    """An interval of a feed's known flow; ``imported`` when an archive tells of it."""

    exposure: Exposure
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """All that a replay reads.

    ``topics`` are those in use. ``items`` come by id; ``texts`` and ``signals`` are of those that carry a topic, by
    item. ``fetched`` holds, by feed, when polls that worked ended (s), in order. ``first_look``, and ``oldest`` (when
    the first item was published), are of the whole database. ``read_since``: see storage.records.History.
    """

    topics: tuple[str, ...] = ()
    items: tuple[Told, ...] = ()
    texts: Mapping[int, Item] = field(default_factory=dict)
    signals: Mapping[int, tuple[Signal, ...]] = field(default_factory=dict)
    merges: tuple[Merge, ...] = ()
    exposures: tuple[PastExposure, ...] = ()
    fetched: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    looks: tuple[PastLook, ...] = ()
    first_look: datetime | None = None
    oldest: datetime | None = None
    read_since: Mapping[str, datetime] = field(default_factory=dict)
