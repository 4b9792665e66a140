"""The records of polling: a feed, what one request for it brought, and what that changes. Frozen and plain.

Times are timezone-aware UTC datetimes; durations are timedeltas. The other records are in storage.records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

FeedState = Literal["new", "ok", "failing", "stale", "blocked", "gone"]
"""``new``: not asked yet; ``stale``: answers, but has had no news for long; ``blocked``: the site refuses this program;
``gone``: the site says that there is no such feed any more (HTTP 410)."""

RATE_MEMORY = timedelta(days=14)
"""The time constant of a feed's average of news a day."""

Trouble = Literal[
    "network",  # the name, the connection or the host
    "timeout",
    "size",  # larger than permitted, on the wire or unpacked
    "damaged",  # cut short, or not what its headers say
    "status",  # an HTTP status without a document
    "blocked",  # the site refuses this program: a login, a challenge, 401, 403, 429, 451
    "gone",  # HTTP 410
    "redirect",  # in a circle, too often, or to nowhere
    "address",  # one that we never ask
    "content",  # no feed
    "cost",  # too much to read
    "flood",  # more new entries in a day than any feed has
    "fault",  # our own
]
"""Why a poll failed, in one word; the sentence beside it tells the rest."""


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """A feed as the configuration names it. ``every`` is None where the feed's own pace decides."""

    name: str
    url: str
    lang: str | None = None
    kind: str | None = None
    every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """What a document says about asking for it.

    ``ttl``: how long it stays fresh; ``skip_hours`` (0 to 23, UTC) and ``skip_days`` (Monday is 0): when not to ask;
    ``hub`` pushes what is new under the address ``topic`` (WebSub).
    """

    ttl: timedelta | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Where a feed's address leads for good (HTTP 301, 308), how often that was seen, and since when."""

    to: str
    since: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as the database knows it: what to ask for, with which validators, and when.

    ``address`` is where it is asked when it moved for good, ``move`` a move that is not believed yet. ``etag`` and
    ``modified`` are the server's validators byte for byte, decoded as latin-1. ``body_hash`` is the SHA-256 of the last
    body that was read. ``first_ok`` is None until the feed has answered once; the entries of that first answer are its
    backlog. ``failures`` counts the failures since the last success. ``every`` is its present interval, ``fixed`` when
    the user chose it; ``rate`` its news a day (None before it is known), as of ``last_ok``. ``last_news`` is when it
    last brought something new. ``domain`` is its registered domain, whose feeds wait together when one is asked too
    often. ``blocks`` are the hashes of its last document's entries, 8 bytes each (see monitor.feeds.slices).
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
    fixed: bool = False
    rate: float | None = None
    state: FeedState = "new"
    state_since: datetime | None = None
    last_poll: datetime | None = None
    last_ok: datetime | None = None
    last_news: datetime | None = None
    address: str | None = None
    move: Move | None = None
    hints: Hints = Hints()
    domain: str = ""
    blocks: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one request for a feed brought back.

    ``body`` is the decoded document, or None when there is nothing to parse: not modified (304) or failed.
    ``error`` is None on success, else one sentence for the user, and ``trouble`` the same in one word. ``wire_bytes``
    counts what came over the wire. ``retry_after`` is the server's own wish, ``fresh_for`` how long its caching headers
    say that the document will not change. ``url`` is where the document came from in the end, ``moved_to`` the same
    when every redirect on the way was permanent. ``headers`` have names in lower case.
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
    trouble: Trouble | None = None
    retry_after: timedelta | None = None
    fresh_for: timedelta | None = None
    moved_to: str | None = None


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
    """How a feed stands after a poll: when it is due again (None: never, it is gone), and what is known of its pace.

    ``state_since`` is when its state began. ``address`` and ``move`` are as in Feed. ``closed_until``: until then no
    feed of the same registered domain is asked.
    """

    at: datetime | None
    failures: int = 0
    every: timedelta = timedelta(minutes=30)
    rate: float | None = None
    state: FeedState = "ok"
    state_since: datetime | None = None
    address: str | None = None
    move: Move | None = None
    closed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """Everything one poll of a feed changes, stored in one transaction. ``fresh`` are the entries not seen before.

    ``keys`` holds for each fresh entry the key hashes under which it will be recognised (see monitor.feeds.fresh),
    ``identities`` its identity hash. ``entries`` counts all entries of the document, ``known`` those of them that were
    known. ``blocks`` are the hashes of the document's entries as bytes (see monitor.feeds.slices). ``domain`` is the
    registered domain of a new address. ``blocks``, ``hints`` and ``domain`` leave what is stored where they are None.
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
    blocks: bytes | None = None
    hints: Hints | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """How a feed is, for the alert rules. ``before`` is its state before ``since``, which began at ``before_since``.

    ``reason`` is why it fails (empty when it does not).
    """

    feed_id: int
    name: str
    state: FeedState
    since: datetime
    before: FeedState | None = None
    before_since: datetime | None = None
    reason: str = ""
    last_news: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed's subscription at its hub (WebSub). ``token`` is the last part of our callback address.

    ``state``: ``asked`` (the hub has not verified yet), ``active`` until ``lease_until``, or ``refused``. ``next_try``
    is when to ask the hub again.
    """

    feed_id: int
    hub: str
    topic: str
    token: str
    secret: str = field(repr=False)
    state: Literal["asked", "active", "refused"] = "asked"
    lease_until: datetime | None = None
    next_try: datetime | None = None
    error: str | None = None
