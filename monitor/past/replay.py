"""Replay: what the alert rules would have found at each moment of the past, knowing only what was known then. Pure.

The same functions as in monitor.pipeline look, judge and apply the rules; here they do so with a ``now`` that moves.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.alerts.rules.occasion import Occasion, RuleSettings, Tagged
from monitor.alerts.rules.trend import budgets
from monitor.detection.flow import Calendar
from monitor.detection.looks import Look
from monitor.judging import AT_ONCE, findings
from monitor.past.flows import SPAN, Exposed, all_looks
from monitor.past.known_world import Moment, moments, shown
from monitor.past.retold import StoriesThen
from monitor.trends import judge
from storage.alert_records import Finding
from storage.past_records import Past, Told
from storage.records import Trend

WARM_UP = timedelta(days=21)
"""A replay begins so much earlier than what it shows: an episode may be under way at the beginning."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that would have been raised; ``trend`` is what the detector said of its topic at that moment."""

    at: datetime
    finding: Finding
    trend: Trend | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at a moment: a look at each topic, and the new items in the batches in which they were judged."""

    moment: Moment
    looks: Mapping[str, Look]
    batches: Sequence[tuple[Tagged, ...]]


@dataclass(frozen=True, slots=True)
class View:
    """Which topics are looked at, whose days are counted, and the name of the time zone that messages tell times in."""

    topics: Sequence[str]
    calendar: Calendar
    zone: str


@dataclass(frozen=True, slots=True)
class Replay:
    """A period as it was seen; rules can be applied to it again and again.

    What is before ``since`` only leads up to it.
    """

    past: Past
    since: datetime
    seen: Sequence[Seen]
    view: View

    def alerts(self, rules: Sequence[RuleSettings]) -> list[Raised]:
        """Return what these rules would have raised, complete with stories."""
        then = StoriesThen(self.past, self.view.calendar)
        return [found for found in self._found(rules, then) if found.at >= self.since]

    def times(self, rules: Sequence[RuleSettings]) -> list[datetime]:
        """Return only when these rules would have raised an alert: much faster."""
        return [found.at for found in self._found(rules, None) if found.at >= self.since]

    def _found(self, rules: Sequence[RuleSettings], then: StoriesThen | None) -> Iterator[Raised]:
        """Yield each finding once: an alert whose key is known is none."""
        known: set[str] = set()
        for moment, occasion in self._occasions(rules):
            new = _new(rules, occasion, known)
            if then and any(not found.stories for found in new):  # seldom, and looking stories up is slow
                new = _new(rules, then.told(occasion, moment, {found.topic for found in new}), known)
            known |= {found.key for found in new}
            of = {trend.topic: trend for trend in occasion.trends}
            yield from (Raised(moment.now, found, of.get(found.topic)) for found in new)

    def _occasions(self, rules: Sequence[RuleSettings]) -> Iterator[tuple[Moment, Occasion]]:
        """Yield what the rules looked at; trends come with the last batch of a moment, when nothing waits any more."""
        for seen, trends in self.judged(rules):
            *early, last = seen.batches
            for batch in early:
                yield seen.moment, Occasion(seen.moment.now, self.view.zone, (), batch)
            yield seen.moment, Occasion(seen.moment.now, self.view.zone, tuple(trends.values()), last)

    def judged(self, rules: Sequence[RuleSettings]) -> Iterator[tuple[Seen, dict[str, Trend]]]:
        """Yield each moment with its trends. Where the daemon began to live, it knew of no earlier trend."""
        allowed = {topic: budgets(rules, topic) for topic in self.view.topics}
        before: dict[str, Trend] = {}
        alone = True
        for seen in self.seen:
            if alone and seen.moment.look:
                before, alone = {}, False
            before = {t: judge(t, look, before.get(t), allowed[t], ()) for t, look in seen.looks.items()}
            yield seen, before

    def learning(self, rules: Sequence[RuleSettings]) -> dict[str, datetime | None]:
        """Return the topics that could not be judged in the whole period, with when they can be; None: not in sight."""
        left = set(self.view.topics)
        for seen, trends in self.judged(rules):
            if seen.moment.now >= self.since:
                left -= {topic for topic, trend in trends.items() if trend.state != "learning"}
            if not left:
                return {}
        last = self.seen[-1]
        exposures = Exposed(self.past).at(last.moment, last.moment.now - timedelta(days=SPAN))
        return {t: judge(t, last.looks[t], None, budgets(rules, t), exposures).ready for t in sorted(left)}


def _new(rules: Sequence[RuleSettings], occasion: Occasion, known: Container[str]) -> list[Finding]:
    """Return what the rules find and did not find before."""
    found = {finding.key: finding for finding in findings(rules, occasion, ()) if finding.key not in known}
    return list(found.values())


def leading_up(past: Past, since: datetime, until: datetime) -> list[Moment]:
    """Return the moments of a period, and those of the WARM_UP before it."""
    return moments(past, since - WARM_UP, until)


def see(past: Past, found: Sequence[Moment], since: datetime, view: View, advance: Callable[[int], None]) -> Replay:
    """Look at everything as it was at these moments; ``advance`` hears of moments done."""
    looks = all_looks(past, found, view.topics, view.calendar, advance)
    batches = (_batches(past, items) for items in shown(past, found))
    return Replay(past, since, [Seen(*each) for each in zip(found, looks, batches, strict=True)], view)


def _batches(past: Past, items: Sequence[Told]) -> list[tuple[Tagged, ...]]:
    """Cut new items into the batches that were judged together; an item without a topic takes its place in them."""
    cut = [items[n : n + AT_ONCE] for n in range(0, len(items), AT_ONCE)] or [[]]
    return [tuple(_tagged(past, item) for item in batch if item.id in past.signals) for batch in cut]


def _tagged(past: Past, item: Told) -> Tagged:
    signals = past.signals[item.id]
    return Tagged(
        replace(past.texts[item.id], backlog=False),
        {signal.topic: signal.probability for signal in signals},
        {signal.topic: signal.words for signal in signals},
    )
