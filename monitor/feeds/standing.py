"""How a feed stands after a poll: ok, failing, stale, blocked or gone, and since when. Pure."""

from datetime import datetime, timedelta

from storage.feed_records import Feed, FeedState, Fetched

GONE_AFTER = timedelta(hours=20)
"""A feed that says twice in a row, so long apart, that it is gone (HTTP 410) is believed: publishers err."""
_UNWELL = ("failing", "blocked")
_FAILURES = (*_UNWELL, "gone")


def state_after(feed: Feed, fetched: Fetched, *, news: bool, stale_after: timedelta, now: datetime) -> FeedState:
    """Return the state of a feed after a poll; ``news`` tells whether it brought anything new.

    It is stale when its last news, or its first answer where it never had any, is ``stale_after`` ago.
    """
    if fetched.trouble == "gone":
        return "gone"
    if fetched.error is not None:
        return "blocked" if fetched.trouble == "blocked" else "failing"
    return "stale" if not news and now - _last_sign(feed, now) >= stale_after else "ok"


def state_since(feed: Feed, state: FeedState, stale_after: timedelta, now: datetime) -> datetime:
    """Say when that state began.

    A feed that stays unwell does so since the first failure, though the site refuses one time and hangs another: else a
    trouble that changes its face would never be old enough to be told. It is stale since its last news became too old,
    whatever failed meanwhile.
    """
    lasts = state == feed.state or (state in _UNWELL and feed.state in _FAILURES)
    if lasts and feed.state_since:
        return feed.state_since
    return _last_sign(feed, now) + stale_after if state == "stale" else now


def _last_sign(feed: Feed, now: datetime) -> datetime:
    return feed.last_news or feed.first_ok or now


def gone_for_good(feed: Feed, fetched: Fetched, now: datetime) -> bool:
    """Tell whether this is the second 410 in a row, long enough after the first."""
    if fetched.trouble != "gone" or feed.state != "gone" or feed.state_since is None:
        return False
    return now - feed.state_since >= GONE_AFTER
