"""Which setting of a rule would have kept its alerts to a number a week, a day, a month or a year? Pure."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.alerts.rules.match import MatchRule
from monitor.alerts.rules.match import findings as matches
from monitor.alerts.rules.occasion import Occasion, RuleSettings, Tagged
from monitor.alerts.rules.trend import TrendRule
from monitor.past.replay import Replay, Seen

FALSE_ALARMS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0)
"""Values of false_alarms_per_year that are tried, the strictest first."""
PROBABILITIES = (0.99, 0.98, 0.97, 0.95, 0.93, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
"""Values of min_probability, likewise."""

_SPANS = {"day": 1, "week": 7, "month": 30, "year": 365}
_WRITTEN = re.compile(rf"(\d+)\s*/\s*({'|'.join(_SPANS)})")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many alerts in any time of this length."""

    alerts: int
    span: timedelta

    def __str__(self) -> str:
        name = next(name for name, days in _SPANS.items() if timedelta(days=days) == self.span)
        return f"{self.alerts}/{name}"

    def keeps(self, times: Sequence[datetime]) -> bool:
        """Tell whether alerts at these times, in order, never were too many."""
        return most_within(times, self.span) <= self.alerts


@dataclass(frozen=True, slots=True)
class Kept:
    """How many alerts a rule raises as it is, the setting that keeps to the limit, and how many it raises then.

    ``setting`` and ``then`` are None when no setting does.
    """

    rule: str
    now: int
    setting: str | None = None
    then: int | None = None


def parse_limit(text: str) -> Limit:
    """Read 3/week, 1/day, 10/month or 40/year. Raises ValueError."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or int(match[1]) < 1:
        raise ValueError("write a number of alerts and a time, such as 3/week, 1/day, 10/month or 40/year")
    return Limit(int(match[1]), timedelta(days=_SPANS[match[2]]))


def most_within(times: Sequence[datetime], span: timedelta) -> int:
    """Return the largest number of these times, in order, that lie within less than ``span``."""
    return max((bisect_right(times, at) - bisect_right(times, at - span) for at in times), default=0)


def kept(replay: Replay, rule: RuleSettings, limit: Limit) -> Kept:
    """Find the most generous setting of a rule, alone, up to which it would have kept to the limit."""
    narrowed = _narrowed(replay, rule)
    best = Kept(rule.name, len(narrowed.times([rule])))
    for setting, other in _settings(rule):
        times = narrowed.times([other])
        if not limit.keeps(times):
            break
        best = replace(best, setting=setting, then=len(times))
    return best


def _settings(rule: RuleSettings) -> Iterator[tuple[str, RuleSettings]]:
    """Yield the settings to try, as they are written in feeds.yaml, and the rule with each."""
    if isinstance(rule, MatchRule):
        for least in PROBABILITIES:
            yield f"min_probability: {least:g}", rule.model_copy(update={"min_probability": least})
    if isinstance(rule, TrendRule):
        for rises in FALSE_ALARMS:  # falls keep their proportion to rises
            falls = round(rule.false_falls_per_year * rises / rule.false_alarms_per_year, 3)
            changed = {"false_alarms_per_year": rises, "false_falls_per_year": falls}
            yield ", ".join(f"{name}: {rate:g}" for name, rate in changed.items()), rule.model_copy(update=changed)


def _narrowed(replay: Replay, rule: RuleSettings) -> Replay:
    """Leave out what a rule has no use for, so that it can be tried often."""
    if isinstance(rule, TrendRule):
        return replace(replay, seen=[replace(seen, batches=[()]) for seen in replay.seen])
    if not isinstance(rule, MatchRule):
        return replay
    open_to_all = rule.model_copy(update={"min_probability": 0.0})
    seen = [replace(each, looks={}, batches=_matching(open_to_all, each)) for each in replay.seen]
    return replace(replay, seen=[each for each in seen if any(each.batches)], view=replace(replay.view, topics=()))


def _matching(rule: MatchRule, seen: Seen) -> list[tuple[Tagged, ...]]:
    def hit(tagged: Tagged) -> bool:
        return bool(matches(rule, Occasion(seen.moment.now, tagged=(tagged,))))

    return [tuple(tagged for tagged in batch if hit(tagged)) for batch in seen.batches]
