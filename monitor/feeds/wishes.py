"""What a site asks for about when to ask it again. Pure.

Retry-After (RFC 9110, 10.2.3) and "too often" (429, RFC 6585) always count. Caching headers, an RSS channel's ttl and
its skipHours and skipDays (RSS 2.0) count for feeds whose interval the user did not choose.
"""

from datetime import datetime, timedelta

from storage.feed_records import Fetched, Hints

UNTOLD = timedelta(hours=1)
"""The pause after a 429 that does not say how long."""
LONGEST = timedelta(days=1)
"""No caching header and no ttl keeps a feed from being asked for longer."""
_TOO_MANY, _UNAVAILABLE = 429, 503
_HOURS, _DAYS = 24, 7


def pause_asked(fetched: Fetched) -> timedelta:
    """Return the pause that the site asked for, Retry-After or after a 429; zero where it asked for none."""
    if fetched.retry_after is not None:
        return fetched.retry_after
    return UNTOLD if fetched.status == _TOO_MANY else timedelta(0)


def closed_until(fetched: Fetched, now: datetime) -> datetime | None:
    """Say until when no feed of the same registered domain is asked: after 429, and after 503 with Retry-After."""
    pause = pause_asked(fetched)
    return now + pause if pause and fetched.status in (_TOO_MANY, _UNAVAILABLE) else None


def unchanged_for(fetched: Fetched, hints: Hints) -> timedelta:
    """Return for how long the site says that its document will not change; zero where it says nothing."""
    said = max(fetched.fresh_for or timedelta(0), hints.ttl or timedelta(0))
    return min(said, LONGEST)


def outside_skipped(moment: datetime, hints: Hints) -> datetime:
    """Return the first moment from then on that lies in none of the hours and days (UTC) when nobody should ask.

    A feed that skips every hour, or every day, means something else; it is then taken to skip none.
    """
    hours = () if len(set(hints.skip_hours)) >= _HOURS else hints.skip_hours
    days = () if len(set(hints.skip_days)) >= _DAYS else hints.skip_days
    for _ in range(_HOURS * _DAYS):
        if moment.hour not in hours and moment.weekday() not in days:
            break
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return moment
