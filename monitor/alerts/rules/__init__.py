"""The rules of `alerts:`, one file each. A new kind of rule is its file and one line in this table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitor.alerts.rules import compound, digest, feeds, match, query, silence, trend
from monitor.alerts.rules.occasion import Occasion, RuleSettings
from storage.alert_records import Finding


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A row of the RULES table: the settings a rule reads from feeds.yaml, and what it finds on an occasion."""

    settings: type[RuleSettings]
    findings: Callable[[Any, Occasion], list[Finding]]


RULES: dict[str, RuleKind] = {
    "trend": RuleKind(trend.TrendRule, trend.findings),
    "match": RuleKind(match.MatchRule, match.findings),
    "compound": RuleKind(compound.CompoundRule, compound.findings),
    "query": RuleKind(query.QueryRule, query.findings),
    "silence": RuleKind(silence.SilenceRule, silence.findings),
    "digest": RuleKind(digest.DigestRule, digest.findings),
    "feeds": RuleKind(feeds.FeedsRule, feeds.findings),
}
