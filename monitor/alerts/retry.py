"""When a delivery that failed is tried again. Pure."""

from datetime import datetime, timedelta

from monitor.errors import ChannelError
from storage.alert_records import Delivery, Retry

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
LONGEST_WISH = timedelta(days=1)
# 10 s, 30 s, 90 s, 4.5 min, 13.5 min, 40.5 min, and then hourly: the 77th attempt comes three days after the first.
MAX_ATTEMPTS = 77


def after_failure(delivery: Delivery, error: ChannelError, now: datetime) -> Retry:
    """Decide what becomes of a delivery whose attempt just failed with ``error``.

    ``delivery.attempts`` counts the attempts before this one. The delay triples from 10 seconds up to an hour and is
    never shorter than the server's own wish (of which at most a day is honoured). Given up at once when sending again
    cannot help, and after about three days otherwise; ``monitor deliver --failed`` then sends it again by hand.
    """
    made, reached = delivery.attempts + 1, tuple(dict.fromkeys((*delivery.reached, *error.reached)))
    if not error.retry or made >= MAX_ATTEMPTS:
        return Retry(at=None, error=str(error), reached=reached)
    wish = min(error.retry_after or timedelta(0), LONGEST_WISH)
    closed_until = now + wish if wish else None
    return Retry(at=now + max(_delay(made), wish), error=str(error), reached=reached, closed_until=closed_until)


def _delay(made: int) -> timedelta:
    # The exponent is bounded: beyond it the delay is the longest one anyway, and timedelta would overflow.
    return min(FIRST_DELAY * int(3 ** min(made - 1, 10)), LONGEST_DELAY)
