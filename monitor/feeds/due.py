"""When a feed is asked again, and how it stands. Pure; docs/polling.md tells the same to users."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from monitor.feeds import pace, standing, wishes
from monitor.feeds.moves import address_after
from monitor.settings import Duration, Settings
from storage.feed_records import Entry, Feed, Fetched, Hints, NextPoll

JITTER = 0.1
"""Each poll is moved by up to this part of its pause: feeds added together should not be asked together for ever."""
ASKED_ONCE_MORE = timedelta(days=1)
"""When a feed that says it is gone is asked once more."""
_MOST_DOUBLINGS = 20
_SECOND = timedelta(seconds=1)


class PollSettings(Settings):
    """The block `poll:` of feeds.yaml."""

    every: Annotated[
        Duration | None,
        Field(
            ge=_SECOND,
            description="One interval for all feeds that name none of their own; by default each feed's own pace "
            "decides. Less than 15m is impolite to most sites.",
        ),
    ] = None
    fastest: Annotated[
        Duration, Field(ge=_SECOND, description="The shortest interval that a feed's own pace may lead to.")
    ] = timedelta(minutes=15)
    slowest: Annotated[
        Duration, Field(ge=_SECOND, description="The longest interval that a feed's own pace may lead to.")
    ] = timedelta(hours=24)
    concurrency: int = Field(32, ge=1, le=256, description="How many feeds are asked at the same time.")
    max_backoff: Annotated[Duration, Field(ge=_SECOND, description="The longest pause after repeated failures.")] = (
        timedelta(days=1)
    )
    stale_after: Annotated[
        Duration, Field(ge=_SECOND, description="A feed that answers, but has had no news for so long, is stale.")
    ] = timedelta(days=30)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fastest > self.slowest:
            raise ValueError("fastest must not be longer than slowest")
        return self


@dataclass(frozen=True, slots=True)
class Brought:
    """What a poll brought: its new entries, what the document says about asking for it, and its size.

    ``hints`` is None where the document was not read. ``entries`` counts all entries of the document, ``known`` those
    that were known; both are 0 where it was the same as last time.
    """

    fresh: tuple[Entry, ...] = ()
    hints: Hints | None = None
    known: int = 0
    entries: int = 0


def next_poll(feed: Feed, fetched: Fetched, brought: Brought, settings: PollSettings, now: datetime) -> NextPoll:
    """Say when a feed is due again and how it stands. ``fetched`` tells failures of reading as well as of fetching.

    After a success its interval counts, after failures ever longer pauses. What the site asks for is never undercut.
    """
    rate = _rate(feed, fetched, brought, now)
    every = _interval(feed, brought, rate, settings)
    state = standing.state_after(feed, fetched, news=bool(brought.fresh), stale_after=settings.stale_after, now=now)
    address, move = address_after(feed, fetched, now)
    return NextPoll(
        at=_at(feed, fetched, brought.hints or feed.hints, _pause(feed, fetched, every, settings), now),
        failures=0 if fetched.error is None else feed.failures + 1,
        every=every,
        rate=rate,
        state=state,
        state_since=standing.state_since(feed, state, settings.stale_after, now),
        address=address,
        move=move,
        closed_until=wishes.closed_until(fetched, now),
    )


def due_soon(feed: Feed, now: datetime) -> bool:
    """Tell whether a run from cron should poll a feed: a little early is better than a whole run late.

    A feed that failed is not asked early: its site may have asked for the pause.
    """
    early = max(timedelta(minutes=2), feed.every * JITTER + timedelta(minutes=1))
    return feed.next_poll <= (now if feed.failures else now + early)


def _rate(feed: Feed, fetched: Fetched, brought: Brought, now: datetime) -> float | None:
    if fetched.error is not None:
        return feed.rate
    if feed.first_ok is None and brought.fresh and not brought.known:
        return pace.first_rate(brought.fresh, now)
    return pace.next_rate(feed, brought.fresh, now)


def _interval(feed: Feed, brought: Brought, rate: float | None, settings: PollSettings) -> timedelta:
    if feed.fixed:
        return feed.every
    every = pace.interval(rate, settings.fastest, settings.slowest)
    return max(settings.fastest, every / 2) if _turned_over(feed, brought) else every


def _turned_over(feed: Feed, brought: Brought) -> bool:
    """Tell whether a document shows nothing of what was known: some entries may have come and gone unseen."""
    return feed.first_ok is not None and brought.entries > 0 and not brought.known


def _pause(feed: Feed, fetched: Fetched, every: timedelta, settings: PollSettings) -> timedelta:
    if fetched.error is None:
        return every
    # timedelta would overflow with the exponent of a feed that has failed for years.
    doubled = every * (1 << min(feed.failures, _MOST_DOUBLINGS))
    return min(doubled, max(settings.max_backoff, every))


def _at(feed: Feed, fetched: Fetched, hints: Hints, pause: timedelta, now: datetime) -> datetime | None:
    if standing.gone_for_good(feed, fetched, now):
        return None
    sway = _sway(feed.id, now)
    least = wishes.pause_asked(fetched)
    if fetched.trouble == "gone":
        least = max(least, ASKED_ONCE_MORE)
    if fetched.error is None and not feed.fixed:
        least = max(least, wishes.unchanged_for(fetched, hints))
    # What is asked for is moved later only: several feeds of a site that asked for a pause do not come back at once.
    at = now + max(pause * (1 + JITTER * sway), least * (1 + JITTER * (sway + 1) / 2))
    return at if feed.fixed else wishes.outside_skipped(at, hints)


def _sway(feed_id: int, now: datetime) -> float:
    """Return a number from -1 to 1 that looks random, and is the same for the same feed and time."""
    return zlib.crc32(b"%d %d" % (feed_id, int(now.timestamp()))) / 0xFFFFFFFF * 2 - 1
