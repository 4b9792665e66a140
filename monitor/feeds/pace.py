"""How often a feed has news, and how often it is worth asking. Pure.

The rate, in news a day, is an exponentially decayed average: each piece of news adds a fourteenth, and what was counted
fades with a time constant of fourteen days. Nothing else has to be remembered of the past.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.feed_records import RATE_MEMORY, Entry, Feed
from storage.records import NEWS

POLLS_PER_NEWS = 12
"""So many polls fit into the mean time between two news: news is then found after a twenty-fourth of it, on average."""
UNKNOWN = 4.0
"""The rate of a feed of which nothing is known: it is asked every half hour."""
_DAY = timedelta(days=1)


def first_rate(backlog: Sequence[Entry], now: datetime) -> float:
    """Estimate the news a day from the dates of a first answer; UNKNOWN where there are none.

    Counted are the last fourteen days, or as much of them as the document reaches back to: the date by which a tenth of
    its entries were out, because one pinned post must not claim years. One more day in the divisor keeps a document of
    a few minutes from looking like a wire.
    """
    dates = sorted(entry.published for entry in backlog if entry.published and entry.published <= now)
    if not dates:
        return UNKNOWN
    begin = max(now - RATE_MEMORY, dates[len(dates) // 10])
    return (len(dates) - bisect_left(dates, begin)) / ((now - begin) / _DAY + 1)


def next_rate(feed: Feed, fresh: Sequence[Entry], now: datetime) -> float:
    """Return the news a day after an answer that brought these new entries; old ones that came again are no news."""
    last = feed.last_ok or now
    news = sum(entry.published is None or entry.published >= last - NEWS for entry in fresh)
    before = UNKNOWN if feed.rate is None else feed.rate
    faded = before * math.exp(-max(now - last, timedelta(0)) / RATE_MEMORY)
    return faded + news / (RATE_MEMORY / _DAY)


def interval(rate: float | None, fastest: timedelta, slowest: timedelta) -> timedelta:
    """Return a twelfth of the mean time between two news, within these limits."""
    polls = POLLS_PER_NEWS * (UNKNOWN if rate is None else rate)
    if polls * (slowest / _DAY) <= 1:  # also: no news at all
        return slowest
    return max(fastest, _DAY / polls)
