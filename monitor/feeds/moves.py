"""When a feed's move to another address is believed, and when it is not any more. Pure.

Redirects to a login, a parking page or a mirror come and go. A move counts that the site called permanent (HTTP 301 or
308), that led to a feed, and that was seen several times over several days, always to the same place.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from storage.feed_records import Feed, Fetched, Move

TIMES = 3
OVER = timedelta(days=3)
FAILURES = 3
"""After so many failures in a row at its new address, a feed is asked under its old one again."""


def address_after(feed: Feed, fetched: Fetched, now: datetime) -> tuple[str | None, Move | None]:
    """Return where to ask a feed that moved for good (None: where feeds.yaml says), and a move not yet believed."""
    if fetched.error is not None:
        return _after_failure(feed, fetched)
    to = fetched.moved_to
    if to is None or to == (feed.address or feed.url) or _drops_encryption(feed, to):
        return feed.address, None
    move = replace(feed.move, times=feed.move.times + 1) if feed.move and feed.move.to == to else Move(to, now)
    if move.times < TIMES or now - move.since < OVER:
        return feed.address, move
    return (None if to == feed.url else to), None


def _after_failure(feed: Feed, fetched: Fetched) -> tuple[str | None, Move | None]:
    given_up = feed.failures + 1 >= FAILURES or fetched.trouble == "gone"
    return (None, None) if feed.address and given_up else (feed.address, feed.move)


def _drops_encryption(feed: Feed, to: str) -> bool:
    return (feed.address or feed.url).lower().startswith("https:") and not to.lower().startswith("https:")
