"""What trend detection would have been given at each moment of the past: many flows, made cheaply. Pure.

A flow is what monitor.detection.flow.flow_of makes of a History. Here it comes out of a World that moves on, and what
is older than the last days is made anew only when it changed.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from monitor.detection.flow import HISTORY_DAYS, HOURS, RECENT_DAYS, Calendar, Flow
from monitor.detection.looks import Look, look_all
from monitor.past.known_world import Days, Moment, Tally, World, in_order, phases
from storage.past_records import IMPORTED, Past, PastExposure
from storage.records import NEWS, Exposure

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[np.float64]"
Classes: TypeAlias = "npt.NDArray[np.intp]"

SPAN = HISTORY_DAYS + RECENT_DAYS
_HOUR = 3600
_AT_ONCE, _CELLS_AT_ONCE = 256, 12_000  # moments; moments times topics times feeds: some 200 MB


class Exposed:
    """Which intervals of the feeds' flow were known at a moment, and how far each reached then."""

    def __init__(self, past: Past) -> None:
        self._rows, self._fetched = past.exposures, past.fetched
        imported: dict[int, list[int]] = {}
        for item in past.items:
            if item.backlog == IMPORTED:
                imported.setdefault(item.feed_id, []).append(item.published)
        self._imported = {feed: sorted(times) for feed, times in imported.items()}

    def at(self, moment: Moment, after: datetime) -> tuple[Exposure, ...]:
        """Return the intervals known at a moment that ended after ``after``, by feed and time."""
        found = (self._known(row, moment) for row in self._rows)
        return tuple(one for one in found if one is not None and one.until > after)

    def _known(self, row: PastExposure, moment: Moment) -> Exposure | None:
        one, now = row.exposure, moment.now
        if moment.look is None and row.imported:
            return Exposure(one.feed_id, one.since, min(one.until, now), one.since) if one.since <= now else None
        if one.opened > now:
            return None
        return Exposure(one.feed_id, one.since, min(one.until, self._reached(row, now)), one.opened)

    def _reached(self, row: PastExposure, now: datetime) -> datetime:
        """Say how far an interval reached: to the last poll that worked; an archive's at least to its last item.

        Where polls are no longer remembered, they are taken to have worked all the time.
        """
        one, at = row.exposure, now.timestamp()
        fetched = self._fetched.get(one.feed_id, ())
        polls = bisect_right(fetched, at)
        polled = datetime.fromtimestamp(fetched[polls - 1], UTC) if polls else None
        if row.imported:
            told = self._imported.get(one.feed_id, [])
            place = bisect_right(told, one.until.timestamp())
            last = datetime.fromtimestamp(told[place - 1], UTC) if place else one.until
            return max(last, polled or last)
        return max(polled, one.opened) if polled else now


@dataclass
class _Old:
    """The part of a flow that is older than the last days, and what it was made from."""

    made_from: tuple[object, ...] = ()
    parts: tuple[Array, ...] = ()


@dataclass
class FlowMaker:
    """Makes flows of a world; ``feeds`` gives each feed's row in its counts."""

    past: Past
    world: World
    feeds: Mapping[int, int]
    days: Days
    calendar: Calendar
    _old: dict[object, _Old] = field(default_factory=dict)

    def flows(self, exposures: Sequence[Exposure], now: datetime) -> dict[str, Flow]:
        """Return the topics' flows, of the feeds that these exposures are of."""
        import numpy as np  # noqa: PLC0415 - the command line must start without it

        today, _ = self.days.place(int(now.timestamp()))
        first = today - SPAN + 1
        rows = tuple(self.feeds[feed] for feed in sorted({one.feed_id for one in exposures}))
        total, _, hourly_total = self._counts(None, self.world.every, rows, first)
        kinds = np.array(self.days.kinds[first : today + 1], dtype=np.intp)
        begins = {topic: self.past.read_since.get(topic) for topic in self.world.topics}
        coverage = {begin: self._coverage(exposures, first, begin) for begin in set(begins.values())}
        found = {}
        for topic, tally in self.world.topics.items():
            told, hours, hourly_told = self._counts(topic, tally, rows, first)
            recent = slice(first + HISTORY_DAYS, first + SPAN)
            known, fresh, hourly_known, hourly_fresh = coverage[begins[topic]]
            found[topic] = Flow(
                now=now,
                today=datetime.fromtimestamp(self.days.starts[today], UTC),
                told=told,
                total=total,
                known=known,
                fresh=fresh,
                hourly_told=hourly_told,
                hourly_news=tally.news_by_hour[list(rows), recent].astype(float),
                hourly_total=hourly_total,
                hourly_known=hourly_known,
                hourly_fresh=hourly_fresh,
                hours=hours,
                kinds=kinds,
            )
        return found

    def _counts(self, topic: str | None, tally: Tally, rows: tuple[int, ...], first: int) -> tuple[Array, Array, Array]:
        """Return stories by day (F, HISTORY_DAYS) and by hour of the day (24), and the recent ones (F, days, 24)."""
        recent = first + HISTORY_DAYS
        old = self._old.setdefault(("counts", topic), _Old())
        if old.made_from != (rows, first) or tally.changed_from < recent:
            before = slice(first, recent)
            by_hour = tally.by_hour[list(rows), before].sum((0, 1)).astype(float)
            old.made_from, old.parts = (rows, first), (tally.by_day[list(rows), before].astype(float), by_hour)
            tally.changed_from = recent
        told, hours = old.parts
        return told, hours, tally.by_hour[list(rows), recent : recent + RECENT_DAYS].astype(float)

    def _coverage(
        self, exposures: Sequence[Exposure], first: int, read_since: datetime | None
    ) -> tuple[Array, Array, Array, Array]:
        """Return the share covered, and covered as news: by day (F, HISTORY_DAYS), and recently (F, days, 24)."""
        recent = self.days.starts[first + HISTORY_DAYS]
        spans = [_span(one, read_since) for one in exposures]
        made_from = (first, *((span.feed_id, span.since, span.opened, min(span.until, recent)) for span in spans))
        old = self._old.setdefault(("coverage", read_since), _Old())
        if old.made_from != made_from:
            days = covered_twice(spans, self.days.starts[first : first + HISTORY_DAYS])
            old.made_from, old.parts = made_from, tuple(shares.mean(-1) for shares in days)
        known, fresh = old.parts
        begun = self.days.starts[first + HISTORY_DAYS : first + SPAN]
        return (known, fresh, *covered_twice(spans, begun))


@dataclass(frozen=True, slots=True)
class Span:
    """An exposure in seconds since 1970, as far as a topic can use it."""

    feed_id: int
    since: int
    opened: int
    until: int


def _span(one: Exposure, read_since: datetime | None) -> Span:
    since = max(one.since, read_since or one.since)
    opened = max(since, one.opened - NEWS)
    return Span(one.feed_id, *(int(at.timestamp()) for at in (since, opened, one.until)))


def covered_twice(spans: Sequence[Span], starts: Sequence[int]) -> tuple[Array, Array]:
    """Return which share of each hour of these days each feed was covered, and covered as news (both F, days, 24).

    ``spans`` come by feed.
    """
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    if not spans:
        return (np.zeros((0, len(starts), HOURS)),) * 2
    feeds = np.array([span.feed_id for span in spans])
    _, heads = np.unique(feeds, return_index=True)
    hours = (np.array(starts)[:, None] + _HOUR * np.arange(HOURS)).ravel()
    until = np.minimum(np.array([[span.until] for span in spans]), hours + _HOUR)

    def shares(begins: list[list[int]]) -> Array:
        parts = ((until - np.maximum(np.array(begins), hours)) / _HOUR).clip(0, 1)
        by_feed: Array = np.add.reduceat(parts, heads, axis=0).clip(0, 1)
        return by_feed.reshape(len(heads), -1, HOURS)

    return shares([[span.since] for span in spans]), shares([[span.opened] for span in spans])


def all_looks(
    past: Past, found: Sequence[Moment], topics: Sequence[str], calendar: Calendar, advance: Callable[[int], None]
) -> list[dict[str, Look]]:
    """Look at these topics at each moment, with what was known then; ``advance`` hears of moments done."""
    looks: list[dict[str, Look]] = []
    for phase in phases(found):
        for chunk in _chunks(flows_at(past, phase, topics, calendar)):
            seen = iter(look_all([flow for flows in chunk for flow in flows.values()]) if topics else ())
            looks += [{topic: next(seen) for topic in flows} for flows in chunk]
            advance(len(chunk))
    return looks


def flows_at(
    past: Past, phase: Sequence[Moment], topics: Sequence[str], calendar: Calendar
) -> Iterator[dict[str, Flow]]:
    """Yield the topics' flows at each moment of a phase (see monitor.past.known_world.phases)."""
    days = days_of(phase, calendar)
    feeds = {feed: row for row, feed in enumerate(sorted({i.feed_id for i in past.items} | _exposed_feeds(past)))}
    world = World(past, topics, feeds, days, lived=phase[0].look is not None)
    maker, exposed = FlowMaker(past, world, feeds, days, calendar), Exposed(past)
    items = in_order(past, phase)
    learned = 0
    for moment in phase:
        while learned < len(items) and moment.knows(items[learned]):
            world.learn(items[learned])
            learned += 1
        today, _ = days.place(int(moment.now.timestamp()))
        exposures = exposed.at(moment, datetime.fromtimestamp(days.starts[today - SPAN + 1], UTC))
        yield maker.flows(exposures, moment.now)


def _exposed_feeds(past: Past) -> set[int]:
    return {row.exposure.feed_id for row in past.exposures}


def days_of(found: Sequence[Moment], calendar: Calendar) -> Days:
    """Return the days of all flows at these moments."""
    first, last = calendar.day(found[0].now), calendar.day(found[-1].now)
    return Days(first - timedelta(days=SPAN - 1), last, calendar)


def _chunks(flows: Iterator[dict[str, Flow]]) -> Iterator[list[dict[str, Flow]]]:
    """Put moments together that can be looked at at once: those of equally many feeds, and not too many of them."""
    chunk: list[dict[str, Flow]] = []
    for each in flows:
        if chunk and (_feeds(chunk[0]) != _feeds(each) or len(chunk) >= _limit(each)):
            yield chunk
            chunk = []
        chunk.append(each)
    if chunk:
        yield chunk


def _feeds(flows: dict[str, Flow]) -> int:
    return next((flow.told.shape[0] for flow in flows.values()), 0)


def _limit(flows: dict[str, Flow]) -> int:
    return max(8, min(_AT_ONCE, _CELLS_AT_ONCE // max(_feeds(flows) * len(flows), 1)))
