"""How often a rule would have found something in the last day, week and month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import wiring
from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.match import MatchRule
from monitor.alerts.rules.occasion import RuleSettings
from monitor.alerts.rules.trend import TrendRule
from monitor.config import Config
from monitor.past.flows import SPAN
from monitor.past.known_world import Moment, moments
from monitor.past.replay import REPLAYED, WARM_UP, View, leading_up, see
from monitor.progress import Progress
from storage import past, reading
from storage.alert_records import Finding
from storage.past_records import Past
from storage.times import from_text, to_text

PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
_LONGEST = max(PERIODS.values())
_RAISED = "SELECT created FROM alerts WHERE rule = :rule AND created >= :since AND phase IN ('once', 'start')"


@dataclass(frozen=True, slots=True)
class Counts:
    """When a rule would have found something new in the last month, and the last of it.

    ``replayed`` is False where only the alerts that were raised can be counted.
    """

    times: tuple[datetime, ...]
    newest: Finding | None = None
    replayed: bool = True

    def within(self, period: timedelta, now: datetime) -> int:
        """Count those of the last ``period``."""
        return sum(now - period <= at <= now for at in self.times)


def count(config: Config, rule: RuleSettings, now: datetime) -> Counts:
    """Go through the stored history of the last month as the rule would have seen it; writes nothing.

    What a rule of another kind than `match`, `trend` and `compound` looks at is not kept: its alerts are counted.
    Raises StorageError.
    """
    if isinstance(rule, MatchRule):
        return _of_items(config, rule, now)
    if isinstance(rule, TrendRule | CompoundRule):
        return _of_trends(config, rule, now)
    answer = reading.ask(config.database, _RAISED, {"rule": rule.name, "since": to_text(now - _LONGEST)})
    return Counts(tuple(from_text(created) for (created,) in answer.rows), replayed=False)


def _of_items(config: Config, rule: MatchRule, now: datetime) -> Counts:
    begin = now - _LONGEST
    stored = past.read(config.database, begin, now)
    return _replayed(_view(config, ()), [rule], (stored, moments(stored, begin, now)), now)


def _of_trends(config: Config, rule: TrendRule | CompoundRule, now: datetime) -> Counts:
    begin = now - _LONGEST
    stored = past.read(config.database, begin - WARM_UP - timedelta(days=SPAN + 1), now)
    named = rule.rules_named if isinstance(rule, CompoundRule) else ()
    others = [one for one in config.alerts if one.name in named and one.rule in REPLAYED]
    all_topics = bool(others) or not rule.topics
    topics = tuple(topic for topic in stored.topics if all_topics or topic in rule.topics)
    return _replayed(_view(config, topics), [rule, *others], (stored, leading_up(stored, begin, now)), now)


def _view(config: Config, topics: tuple[str, ...]) -> View:
    return View(topics, wiring.calendar(config), config.timezone, {feed.name: feed.kind for feed in config.feeds})


def _replayed(view: View, rules: Sequence[RuleSettings], seen: tuple[Past, list[Moment]], now: datetime) -> Counts:
    """Count what the first of these rules would have found; it may wait for what the others find."""
    stored, found = seen
    with Progress("going through the last month", len(found)) as progress:
        lived = see(stored, found, now - _LONGEST, view, progress.advance)
    raised = [one for one in lived.alerts(rules) if one.finding.rule == rules[0].name]
    new = [one for one in raised if one.finding.phase in {"once", "start"}]
    return Counts(tuple(one.at for one in new), new[-1].finding if new else None)


def in_words(counts: Counts, now: datetime) -> str:
    """Say how often it would have been."""
    return ", ".join(f"{counts.within(length, now):,} in the last {name}" for name, length in PERIODS.items())
