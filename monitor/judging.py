"""What the alert rules find on an occasion. Pure: the pipeline and a replay ask the same function."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.alerts.rules import RULES, compound, silence, trend
from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.wording import one_line
from storage.alert_records import Finding, ToldAlert
from storage.records import Trend

AT_ONCE = 64
"""So many items are judged together."""


Failed = Callable[[RuleSettings, Exception], None]
"""Hears of a rule whose code failed, while the failure is being handled."""


def findings(
    rules: Iterable[RuleSettings], occasion: Occasion, channels: Sequence[str], failed: Failed = lambda *_: None
) -> list[Finding]:
    """Return what the rules find, and what they repeat; a rule that names no channel tells all of them.

    A rule that fails costs only itself: ``failed`` hears of it, and an alert tells it once a day.
    """
    found = [finding for rule in rules for finding in _of_rule(rule, occasion, failed)]
    return [replace(finding, send=finding.send or silence.receivers(finding, occasion, channels)) for finding in found]


def _of_rule(rule: RuleSettings, occasion: Occasion, failed: Failed) -> list[Finding]:
    try:
        found = RULES[rule.rule].findings(rule, occasion)
        return [*found, *repeats(rule, found, occasion.told, occasion.now)]
    except Exception as error:  # noqa: BLE001 - whatever a rule stumbles over, the others go on
        failed(rule, error)
        return [_fault(rule, error, occasion)]


def _fault(rule: RuleSettings, error: Exception, occasion: Occasion) -> Finding:
    return Finding(
        rule=rule.name,
        kind=rule.rule,
        key=f"{rule.name}:error:{occasion.now.astimezone(UTC).date()}:fault",
        severity="warning",
        topic="",
        headline=one_line(f"Alert rule '{rule.name}' has failed", 150),
        explanation=(
            f"A fault in the program ({type(error).__name__}) kept it from looking at something: it may have missed "
            "what it should have told. Other rules are not concerned. Further failures of today are not told."
        ),
        send=rule.send,
        zone=occasion.zone,
        advice="Please report it; the log has the details, under alerts.rule_failed.",
    )


def topics_of_interest(
    rules: Sequence[RuleSettings], trends: Sequence[Trend], told: Mapping[str, ToldAlert], now: datetime
) -> Mapping[str, datetime]:
    """Return the topics whose stories and days the rules would list now, and since when the stories came."""
    found: dict[str, datetime] = {}
    for rule in rules:
        with suppress(Exception):  # what fails here fails in its findings, too, and is told there
            for topic, since in _of_interest(rule, trends, told, now).items():
                found[topic] = min(since, found.get(topic, since))
    return found


def _of_interest(
    rule: RuleSettings, trends: Sequence[Trend], told: Mapping[str, ToldAlert], now: datetime
) -> Mapping[str, datetime]:
    if isinstance(rule, CompoundRule):
        return compound.topics_of_interest(rule, trends, now)
    return trend.topics_of_interest([rule], trends, told, now)


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
    return not over and now - max(last.created, last.until or last.created) >= repeat


def _again(finding: Finding, key: str, thread: Sequence[ToldAlert]) -> Finding:
    number = 1 + sum(alert.key.startswith(f"{key}:repeat:") for alert in thread)
    headline = f"Still: {finding.headline}"
    return replace(finding, key=f"{key}:repeat:{number}", thread=key, phase="update", headline=headline)
