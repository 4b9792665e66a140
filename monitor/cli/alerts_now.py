"""What a rule finds now, and what its message looks like when it finds nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from monitor import wiring
from monitor.alerts.attention import attend
from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.digest import DigestRule, Period
from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.rules.query import QueryRule
from monitor.alerts.rules.silence import SilenceRule
from monitor.alerts.rules.trend import TrendRule
from monitor.cli.alerts_words import local_zone
from monitor.config import Config
from monitor.judging import findings
from monitor.occasions import answer, attention, digest_of, gather
from monitor.settings import format_duration
from monitor.trends import FALLS, RISES
from storage.alert_records import Finding, QueryAnswer, Raised, StreamHealth
from storage.reading import Answer
from storage.records import Trend, TrendState, Way
from storage.store import Store

ROWS_SHOWN = 10
_ANY_BUDGET = 366.0  # every trend keeps to it


@dataclass(frozen=True, slots=True)
class Now:
    """What a rule finds now, and what would become of each finding, in words.

    ``seen`` shows what it looks at. ``sample`` is a message of it as if it had found something, of which ``of`` says
    what; None where there is no telling.
    """

    found: tuple[tuple[Finding, str], ...] = ()
    seen: Answer | None = None
    sample: Finding | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One rule of a configuration, at one moment, and the database that it looks at."""

    store: Store
    config: Config
    now: datetime

    def only(self, rule: RuleSettings) -> Config:
        """Return the configuration as if this were its only rule."""
        return self.config.model_copy(update={"alerts": (rule,)})

    async def occasion(self, rule: RuleSettings, **known: Any) -> Occasion:
        """Return what the rule looks at, as if it had told nothing so far."""
        calendar = wiring.calendar(self.config)
        occasion = await gather(self.store, self.only(rule), calendar, self.now, **known)
        return replace(occasion, told={})

    def judged(self, rule: RuleSettings, occasion: Occasion) -> list[Finding]:
        """Return what the rule finds on an occasion; not that something is over."""
        return [one for one in findings([rule], occasion, tuple(self.config.channels)) if one.phase != "end"]


async def look(config: Config, rule: RuleSettings, now: datetime) -> Now:
    """Let a rule look at the database as it is; nothing is stored or sent. Raises StorageError."""
    with Store(config.database) as store:
        view = View(store, config, now)
        seen = await _KINDS.get(rule.rule, _usual)(view, rule)
        return replace(seen, found=await _fates(view, [finding for finding, _ in seen.found]))


# one function for each kind of rule that needs more than the occasion


async def _usual(view: View, rule: RuleSettings) -> Now:
    occasion = await view.occasion(rule)
    return Now(_unknown(view.judged(rule, occasion)))


async def _trend(view: View, rule: TrendRule) -> Now:
    trends = _watched(rule.topics, await view.store.latest_trends())
    found = view.judged(rule, await view.occasion(rule, trends=trends))
    limits = {trend.topic: (rule.false_alarms_per_year, rule.false_falls_per_year) for trend in trends}
    seen = _states(trends, limits)
    if found or not trends:
        return Now(_unknown(found), seen)
    nearest = min(trends, key=lambda trend: (trend.state == "learning", trend.per_year))
    any_size = rule.model_copy(update=dict.fromkeys(("false_alarms_per_year", "false_falls_per_year"), _ANY_BUDGET))
    occasion = await view.occasion(any_size, trends=(_as_if(nearest, _direction(nearest), view.now),))
    sample = next(iter(view.judged(any_size, occasion)), None)
    return Now((), seen, sample, f"as if {nearest.topic} were unusual now")


async def _compound(view: View, rule: CompoundRule) -> Now:
    known = await view.store.latest_trends()
    trends = _watched(rule.topics, known) if rule.topics else list(known.values())
    found = view.judged(rule, await view.occasion(rule, trends=trends))
    if found:
        return Now(_unknown(found), _states(trends, {}))
    ways = {condition.name: condition.way for condition in rule.all if condition.way}
    invented = [_as_if(trend, ways.get(trend.topic) or _direction(trend), view.now) for trend in trends]
    occasion = await view.occasion(rule, trends=invented)
    occasion = replace(occasion, last=dict.fromkeys(rule.rules_named, view.now))
    sample = next(iter(view.judged(rule, occasion)), None)
    return Now((), _states(trends, {}), sample, "as if all of its conditions held now")


async def _query(view: View, rule: QueryRule) -> Now:
    rows: QueryAnswer = await asyncio.to_thread(answer, view.config.database, rule)
    occasion = await view.occasion(rule, answers={rule.name: rows})
    shown = None if rows.error else Answer(rows.columns, list(rows.rows[:ROWS_SHOWN]))
    return Now(_unknown(view.judged(rule, occasion)), shown)


async def _silence(view: View, rule: SilenceRule) -> Now:
    occasion = await view.occasion(rule)
    watched = _watched_of_stream(rule, occasion.stream, view) if occasion.stream else []
    return Now(_unknown(view.judged(rule, occasion)), Answer(("watched", "now", "limit"), watched))


def _watched_of_stream(rule: SilenceRule, stream: StreamHealth, view: View) -> list[tuple[str, str, str]]:
    """Return what a rule watches of the stream, how it is, and from where on it tells."""
    rows = []
    if rule.no_items:
        rows.append(("newest item", _seen(view, stream.last_item), format_duration(rule.no_items)))
    if rule.no_answer:
        rows.append(("last good answer of a feed", _seen(view, stream.last_ok), format_duration(rule.no_answer)))
    if rule.failing:
        rows.append(("feeds that fail", f"{stream.failing:,} of {stream.feeds:,}", f"{rule.failing}%"))
    for name, limit in rule.feeds.items():
        rows.append((f"news of {name}", _seen(view, stream.seen.get(name)), format_duration(limit)))
    if rule.channels:
        failing = ", ".join(channel.name for channel in stream.channels) or "none"
        rows.append(("channels that take no messages", failing, format_duration(rule.channels)))
    return rows


def _seen(view: View, moment: datetime | None) -> str:
    return "never" if moment is None else _local(view, moment)


async def _digest(view: View, rule: DigestRule) -> Now:
    last = (await view.store.last_raised([rule.name])).get(rule.name)
    usual = timedelta(days=7 if len(rule.days) == 1 else 1)
    period = Period(last or view.now - usual, view.now)
    data = await digest_of(view.store, rule, period, view.now)
    found = view.judged(rule, Occasion(view.now, view.config.timezone, digests={rule.name: data}))
    return Now((), None, next(iter(found), None), f"as if it were due now: since {_local(view, period.since)}")


async def _match(_view: View, _rule: RuleSettings) -> Now:
    """Return nothing: a match comes with a story, and between two stories there is nothing to see."""
    return Now()


_KINDS: Mapping[str, Callable[[View, Any], Awaitable[Now]]] = {
    "trend": _trend,
    "compound": _compound,
    "query": _query,
    "silence": _silence,
    "digest": _digest,
    "match": _match,
}


def _unknown(found: Sequence[Finding]) -> tuple[tuple[Finding, str], ...]:
    return tuple((finding, "") for finding in found)


def _local(view: View, moment: datetime) -> str:
    return local_zone(moment, view.config.zone())


# trends


def _watched(topics: Sequence[str], trends: Mapping[str, Trend]) -> list[Trend]:
    return [trend for topic, trend in trends.items() if not topics or topic in topics]


def _direction(trend: Trend) -> Way:
    if trend.state in (*RISES, *FALLS):
        return "rise" if trend.state in RISES else "fall"
    return "rise" if trend.observed >= trend.expected else "fall"


def _as_if(trend: Trend, way: Way, now: datetime) -> Trend:
    """Return the look as if the topic had just begun to rise or fall, with its true numbers."""
    states: tuple[TrendState, ...] = RISES if way == "rise" else FALLS
    state = trend.state if trend.state in states else states[0]
    return replace(trend, state=state, way=way, since=now, episode=now, alarmed=now)


def _states(trends: Sequence[Trend], limits: Mapping[str, tuple[float, float]]) -> Answer:
    """Show how each topic is, and how often a year chance alone brings that, beside what the budget allows."""
    columns = ("topic", "state", "stories", "expected", "chance brings it, times a year", "budget")
    rows = []
    for trend in trends:
        rises, falls = limits.get(trend.topic, (None, None))
        budget = rises if _direction(trend) == "rise" else falls
        per_year = None if trend.state == "learning" else trend.per_year
        rows.append((trend.topic, trend.state, trend.observed, trend.expected, per_year, budget))
    return Answer(columns if limits else columns[:-1], [row if limits else row[:-1] for row in rows])


# what would become of it


async def _fates(view: View, found: Sequence[Finding]) -> tuple[tuple[Finding, str], ...]:
    """Say of each finding whether it is known already, or would be told now, or held back."""
    known = await view.store.known_keys([one.key for one in found])
    new = [one for one in found if one.key not in known]
    known_now = await attention(view.store, view.config, new, view.now)
    raised = attend(new, {rule.name: rule for rule in view.config.alerts}, known_now, view.now) if new else []
    fates = {one.finding.key: _fate(view, one) for one in raised}
    return tuple((one, fates.get(one.key, "is known already, and not told again")) for one in found)


def _fate(view: View, raised: Raised) -> str:
    if raised.state == "told":
        return "would be told at once"
    if raised.state == "held":
        until = f" until {_local(view, raised.until)}" if raised.until else ""
        return f"would be held{until}: {raised.why}"
    return f"would only be recorded ({raised.state}): {raised.why}"
