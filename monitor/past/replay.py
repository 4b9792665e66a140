"""Replay: what the alert rules would have found at each moment of the past, knowing only what was known then. Pure.

The same functions as in monitor.pipeline look, judge and apply the rules; here they do so with a ``now`` that moves.
Rules about news are replayed (REPLAYED). How feeds, channels and the stream were at each moment is not remembered, nor
what a query would have answered; and a digest tells what others found.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.alerts.rules.occasion import Occasion, RuleSettings, Tagged
from monitor.alerts.rules.trend import budgets
from monitor.detection.flow import Calendar
from monitor.detection.looks import Look
from monitor.judging import findings, topics_of_interest
from monitor.past.flows import SPAN, Exposed, all_looks
from monitor.past.known_world import Moment, moments
from monitor.past.new_then import Kinds, batches
from monitor.past.retold import StoriesThen
from monitor.trends import judge
from storage.alert_records import Finding, ToldAlert
from storage.past_records import Past
from storage.records import Trend

REPLAYED = ("trend", "match", "compound")
"""The kinds of rules that a replay applies."""
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
    """Which topics are looked at, whose days are counted, and the name of the time zone that messages tell times in.

    ``kinds`` are those of feeds, by their names.
    """

    topics: Sequence[str]
    calendar: Calendar
    zone: str
    kinds: Kinds = field(default_factory=dict)


@dataclass
class _Memory:
    """What was found so far: all keys, and as rules are told of it; ``last`` says when each rule last began to tell."""

    known: set[str] = field(default_factory=set)
    told: dict[str, ToldAlert] = field(default_factory=dict)
    last: dict[str, datetime] = field(default_factory=dict)

    def remember(self, found: Sequence[Finding], now: datetime) -> None:
        self.known |= {finding.key for finding in found}
        self.last |= {finding.rule: now for finding in found if finding.phase != "end"}
        self.told |= {finding.key: _told(finding, now) for finding in found if finding.kind != "match"}


def _told(finding: Finding, now: datetime) -> ToldAlert:
    thread, strength = finding.thread or finding.key, finding.strength
    return ToldAlert(finding.key, finding.rule, thread, finding.phase, now, strength=strength)


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
        """Return only when these rules would have found something new (not how it went on): much faster."""
        found = (one for one in self._found(rules, None) if one.finding.phase in {"once", "start"})
        return [one.at for one in found if one.at >= self.since]

    def _found(self, rules: Sequence[RuleSettings], then: StoriesThen | None) -> Iterator[Raised]:
        """Yield each finding once: an alert whose key is known is none."""
        rules = [rule for rule in rules if rule.rule in REPLAYED]
        memory = _Memory()
        for moment, occasion in self._occasions(rules, memory):
            new = _new(rules, occasion, memory)
            if then and any(not found.stories for found in new):  # seldom, and looking stories up is slow
                wanted = topics_of_interest(rules, occasion.trends, occasion.told, occasion.now)
                new = _new(rules, then.told(occasion, moment, wanted), memory)
            memory.remember(new, moment.now)
            of = {trend.topic: trend for trend in occasion.trends}
            yield from (Raised(moment.now, found, of.get(found.topic)) for found in new)

    def _occasions(self, rules: Sequence[RuleSettings], memory: _Memory) -> Iterator[tuple[Moment, Occasion]]:
        """Yield what the rules looked at; trends come with the last batch of a moment, when nothing waits any more."""
        for seen, trends in self.judged(rules):
            now, told, last = seen.moment.now, memory.told, memory.last
            *early, newest = seen.batches
            for batch in early:
                yield seen.moment, Occasion(now, self.view.zone, (), batch, told=told, last=last)
            yield seen.moment, Occasion(now, self.view.zone, tuple(trends.values()), newest, told=told, last=last)

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


def _new(rules: Sequence[RuleSettings], occasion: Occasion, memory: _Memory) -> list[Finding]:
    """Return what the rules find and did not find before."""
    found = {finding.key: finding for finding in findings(rules, occasion, ()) if finding.key not in memory.known}
    return list(found.values())


def leading_up(past: Past, since: datetime, until: datetime) -> list[Moment]:
    """Return the moments of a period, and those of the WARM_UP before it."""
    return moments(past, since - WARM_UP, until)


def see(past: Past, found: Sequence[Moment], since: datetime, view: View, advance: Callable[[int], None]) -> Replay:
    """Look at everything as it was at these moments; ``advance`` hears of moments done."""
    looks = all_looks(past, found, view.topics, view.calendar, advance)
    new = batches(past, found, view.kinds)
    return Replay(past, since, [Seen(*each) for each in zip(found, looks, new, strict=True)], view)
