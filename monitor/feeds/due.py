"""When a feed is asked again. Pure."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from monitor.settings import Duration, Settings
from storage.feed_records import Feed, Fetched, NextPoll

# Feeds that were added together should not be asked together for ever.
JITTER = 0.1
_GONE = 410
_MOST_DOUBLINGS = 20


class PollSettings(Settings):
    """The block `poll:` of feeds.yaml."""

    every: Annotated[
        Duration,
        Field(
            ge=timedelta(seconds=1),
            description="How often a feed is asked, unless it says otherwise. Less than 15m is impolite to most sites.",
        ),
    ] = timedelta(minutes=30)
    concurrency: int = Field(8, ge=1, le=256, description="How many feeds are asked at the same time.")
    max_backoff: Annotated[
        Duration, Field(ge=timedelta(seconds=1), description="The longest pause after repeated failures.")
    ] = timedelta(days=1)


def next_poll(feed: Feed, fetched: Fetched, error: str | None, settings: PollSettings, now: datetime) -> NextPoll:
    """Say when a feed is due again: after its interval, or after ever longer pauses while it fails.

    ``error`` is why this poll failed, in fetching or in parsing; None for success. The site's own Retry-After is
    never undercut, and a feed that is gone (HTTP 410) is asked only at the longest pause.
    """
    swayed = feed.every * (1 + JITTER * _sway(feed.id, now))
    if error is None:
        pause, failures = swayed, 0
    else:
        pause, failures = _backoff(swayed, feed, fetched, settings), feed.failures + 1
    return NextPoll(now + max(pause, fetched.retry_after or timedelta(0)), failures)


def due_soon(feed: Feed, now: datetime) -> bool:
    """Tell whether a run from cron should poll a feed: a little early is better than a whole run late."""
    return feed.next_poll <= now + max(timedelta(minutes=2), feed.every * JITTER + timedelta(minutes=1))


def _backoff(pause: timedelta, feed: Feed, fetched: Fetched, settings: PollSettings) -> timedelta:
    longest = max(settings.max_backoff, feed.every)
    if fetched.status == _GONE:
        return longest
    # timedelta would overflow with the exponent of a feed that has failed for years.
    return min(pause * (1 << min(feed.failures, _MOST_DOUBLINGS)), longest)


def _sway(feed_id: int, now: datetime) -> float:
    """Return a number from -1 to 1 that looks random, and is the same for the same feed and time."""
    digest = hashlib.sha256(f"{feed_id} {now.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 0xFFFFFFFF * 2 - 1
