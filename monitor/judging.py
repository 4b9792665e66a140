"""What the alert rules find on an occasion. Pure: the pipeline and a replay ask the same function."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.alerts.rules import RULES, compound, silence, trend
from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.occasion import Occasion, RuleSettings
from storage.alert_records import Finding, ToldAlert
from storage.records import Trend

AT_ONCE = 64
"""So many items are judged together."""


def findings(rules: Iterable[RuleSettings], occasion: Occasion, channels: Sequence[str]) -> list[Finding]:
    """Return what the rules find, and what they repeat; a rule that names no channel tells all of them."""
    found = [finding for rule in rules for finding in _of_rule(rule, occasion)]
    return [replace(finding, send=finding.send or silence.receivers(finding, occasion, channels)) for finding in found]


def _of_rule(rule: RuleSettings, occasion: Occasion) -> list[Finding]:
    found = RULES[rule.rule].findings(rule, occasion)
    return [*found, *repeats(rule, found, occasion.told, occasion.now)]


def topics_of_interest(
    rules: Sequence[RuleSettings], trends: Sequence[Trend], told: Mapping[str, ToldAlert], now: datetime
) -> Mapping[str, datetime]:
    """Return the topics whose stories and days the rules would list now, and since when the stories came."""
    several = (compound.topics_of_interest(rule, trends, now) for rule in rules if isinstance(rule, CompoundRule))
    found: dict[str, datetime] = {}
    for wanted in (trend.topics_of_interest(rules, trends, told, now), *several):
        for topic, since in wanted.items():
            found[topic] = min(since, found.get(topic, since))
    return found


def repeats(
    rule: RuleSettings, found: Iterable[Finding], told: Mapping[str, ToldAlert], now: datetime
) -> list[Finding]:
    """Return what is to be told again: what still lasts, ``repeat`` after it was last told.

    Not what somebody has acknowledged, nor what waits to be told. What was muted or silenced is found again, so that it
    is told when that is over.
    """
    if rule.repeat is None:
        return []
    threads, due = _threads(rule, told), {}
    for finding in found:
        key = finding.thread or finding.key
        lasts = finding.phase in {"start", "update"} and finding.key in told
        if lasts and _is_due(threads[key], rule.repeat, now):
            due[key] = _again(finding, key, threads[key])
    return list(due.values())


def _threads(rule: RuleSettings, told: Mapping[str, ToldAlert]) -> dict[str, list[ToldAlert]]:
    """Return a rule's alerts by thread, each thread's in the order in which they were raised."""
    found: dict[str, list[ToldAlert]] = {}
    for alert in sorted((one for one in told.values() if one.rule == rule.name), key=lambda one: one.created):
        found.setdefault(alert.thread, []).append(alert)
    return found


def _is_due(thread: Sequence[ToldAlert], repeat: timedelta, now: datetime) -> bool:
    """Tell whether a thread lasts, none of its alerts waits, it was long quiet, and nobody wants no reminder of it."""
    last = thread[-1]
    over = last.phase == "end" or any(alert.acked or alert.state == "held" for alert in thread)
    return not over and now - last.created >= repeat


def _again(finding: Finding, key: str, thread: Sequence[ToldAlert]) -> Finding:
    number = 1 + sum(alert.key.startswith(f"{key}:repeat:") for alert in thread)
    headline = f"Still: {finding.headline}"
    return replace(finding, key=f"{key}:repeat:{number}", thread=key, phase="update", headline=headline)
