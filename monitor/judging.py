"""What the alert rules find on an occasion. Pure: the pipeline and a replay ask the same function."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from monitor.alerts.rules import RULES
from monitor.alerts.rules.occasion import Occasion, RuleSettings
from storage.alert_records import Finding

AT_ONCE = 64
"""So many items are judged together: more than ten matching ones become one alert."""


def findings(rules: Iterable[RuleSettings], occasion: Occasion, channels: Sequence[str]) -> list[Finding]:
    """Return what the rules find; a rule that names no channel tells all of them."""
    found = [finding for rule in rules for finding in RULES[rule.rule].findings(rule, occasion)]
    return [replace(finding, send=finding.send or tuple(channels)) for finding in found]
