"""Several alerts of one rule as one message. Pure.

What came at once, or waited, is told together: the most remarkable first, everything counted, nothing left out of the
evidence. Alerts of one thread are one thing to the reader, who is told how it stands now.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest
from itertools import chain
from zoneinfo import ZoneInfo

from monitor.alerts.wording import counted, day_since, one_line, weekday_time
from storage.alert_records import Alert, Cell, Chart, Finding, Phase, StoryLine, StoryList, Table

QUIET, COOLDOWN, BUDGET = "quiet hours", "cooldown", "weekly budget"
TOGETHER, FOLLOWS = "came at once", "follows its beginning"
"""Why an alert is not told at once: `Raised.why`. What follows a beginning that waits shares that one's reason."""

STORIES_KEPT, ROWS_KEPT, EVIDENCE_KEPT = 25, 20, 10_000
LISTS_KEPT, STORIES_LISTED, CHARTS_KEPT = 5, 3, 3
_HEADLINE, _ROW = 150, 300
_AT_ONCE = timedelta(minutes=2)
_SEVERITIES = ("info", "warning", "critical")
_REASONS = {
    TOGETHER: "came at once",
    QUIET: "came in quiet hours",
    COOLDOWN: "came soon after other messages of this rule",
    BUDGET: "went beyond the messages that are welcome in a week",
}


def summary(alerts: Sequence[Alert], now: datetime, zone: str) -> Finding:
    """Return the finding that carries these alerts, at least one: all of one rule and for the same channels.

    ``alerts`` come oldest first; ``zone`` is the time zone (an IANA name) in which times are told. The finding is like
    the newest alert where all are of one thread, and lists stories (of `match`) or headlines otherwise. Its strength
    and severity are the highest of all. Takes time in proportion to the number of alerts.
    """
    pile = _Pile(tuple(alerts), tuple(_latest(alerts)), now, ZoneInfo(zone))
    if len(pile.latest) == 1:
        return _thread(pile)
    if alerts[0].finding.kind == "match":
        return replace(_frame(pile, "story matches", "stories match"), stories=tuple(_stories(pile)))
    return replace(
        _frame(pile, "alert of", "alerts of"),
        tables=(_table(pile),),
        lists=tuple(_lists(pile)),
        charts=tuple(_charts(pile)),
    )


@dataclass(frozen=True, slots=True)
class _Pile:
    """Alerts to tell together, oldest first; ``latest`` has the last one of each thread."""

    alerts: tuple[Alert, ...]
    latest: tuple[Alert, ...]
    now: datetime
    zone: ZoneInfo

    def strongest(self, number: int) -> list[Alert]:
        return nlargest(number, self.latest, key=lambda one: one.finding.strength)


def _latest(alerts: Iterable[Alert]) -> Iterable[Alert]:
    return {one.finding.thread or one.finding.key: one for one in alerts}.values()


def _frame(pile: _Pile, one: str, many: str) -> Finding:
    """Return what every summary has: who it is from and for, its headline and reason, evidence and rank."""
    first = pile.alerts[0].finding
    since = day_since(pile.alerts[0].created, pile.now, pile.zone)
    at_once = all(alert.why in (TOGETHER, FOLLOWS) for alert in pile.alerts)
    when = "at once" if at_once and pile.now - pile.alerts[0].created < _AT_ONCE else f"since {since}"
    what = f"{counted(len(pile.latest), one, many)} '{one_line(first.rule, 60)}' {when}"
    return Finding(
        rule=first.rule,
        kind=first.kind,
        key=_key(pile),
        severity=_severity(pile),
        topic=Counter(alert.finding.topic for alert in pile.alerts).most_common(1)[0][0],
        headline=_naming_the_strongest(what, pile),
        explanation=f"{_why(pile, 'All of them')} They are told in one message, the strongest first.",
        send=first.send,
        evidence=_evidence(pile),
        zone=pile.zone.key,
        phase=_phase(pile),
        strength=max(alert.finding.strength for alert in pile.alerts),
        advice=next((alert.finding.advice for alert in pile.strongest(ROWS_KEPT) if alert.finding.advice), ""),
        carries=tuple(alert.id for alert in pile.alerts),
    )


def _naming_the_strongest(what: str, pile: _Pile) -> str:
    best = pile.strongest(1)[0].finding
    name = best.stories[0].title if best.kind == "match" and best.stories else best.headline
    begin = f"{what} (the strongest: "
    return f"{begin}{one_line(name, _HEADLINE - len(begin) - 1)})"


def _thread(pile: _Pile) -> Finding:
    """Tell how a single thing stands now, and what is new about that to the reader."""
    first, last = pile.alerts[0], pile.alerts[-1].finding
    before = f"{weekday_time(first.created, pile.zone)}, “{one_line(first.finding.headline, _HEADLINE)}”"
    return replace(
        last,
        key=_key(pile),
        severity=_severity(pile),
        explanation=f"{last.explanation} Told together with {before}. {_why(pile, 'Both' if _pair(pile) else 'All')}",
        evidence=_evidence(pile),
        strength=max(alert.finding.strength for alert in pile.alerts),
        carries=tuple(alert.id for alert in pile.alerts),
    )


def _pair(pile: _Pile) -> bool:
    return len(pile.alerts) == 2  # noqa: PLR2004 - both means two


def _key(pile: _Pile) -> str:
    return f"{pile.alerts[0].finding.rule}:summary:{pile.alerts[0].id}-{pile.alerts[-1].id}:{len(pile.alerts)}"


def _severity(pile: _Pile) -> str:
    return max((alert.finding.severity for alert in pile.alerts), key=_SEVERITIES.index)


def _phase(pile: _Pile) -> Phase:
    """Return `end` where all that is told of is over, so that the message reads, and counts, as an end."""
    return "end" if all(alert.finding.phase == "end" for alert in pile.latest) else "once"


def _why(pile: _Pile, everything: str) -> str:
    """Say why they come together, such as: 9 came at once, 5 came in quiet hours."""
    reasons = Counter(_REASONS.get(one.why, "waited") for one in pile.alerts if one.why != FOLLOWS)
    if len(reasons) < 2:  # noqa: PLR2004 - one reason is everybody's
        return f"{everything} {next(iter(reasons), 'waited')}."
    return f"{', '.join(f'{number:,} {reason}' for reason, number in reasons.most_common())}."


def _evidence(pile: _Pile) -> tuple[int, ...]:
    ranked = sorted(pile.alerts, key=lambda one: -one.finding.strength)
    return tuple(dict.fromkeys(chain.from_iterable(one.finding.evidence for one in ranked)))[:EVIDENCE_KEPT]


def _stories(pile: _Pile) -> list[StoryLine]:
    found = chain.from_iterable(alert.finding.stories for alert in pile.strongest(STORIES_KEPT))
    return list({story.item_id: story for story in found}.values())[:STORIES_KEPT]


def _table(pile: _Pile) -> Table:
    shown = sorted(pile.strongest(ROWS_KEPT), key=lambda alert: (alert.created, alert.id))
    rows = tuple(
        (Cell(weekday_time(alert.created, pile.zone)), Cell(one_line(alert.finding.headline, _ROW))) for alert in shown
    )
    return Table("What was found", ("Time", "Alert"), rows, len(pile.latest) - len(rows))


def _lists(pile: _Pile) -> list[StoryList]:
    with_stories = [one.finding for one in pile.strongest(ROWS_KEPT) if one.finding.stories][:LISTS_KEPT]
    return [
        StoryList(
            one_line(one.headline, _HEADLINE),
            one.stories[:STORIES_LISTED],
            max(one.observed or 0, len(one.stories)) - len(one.stories[:STORIES_LISTED]),
        )
        for one in with_stories
    ]


def _charts(pile: _Pile) -> list[Chart]:
    charts: dict[str, Chart] = {}
    for chart in chain.from_iterable(alert.finding.charts for alert in pile.strongest(ROWS_KEPT)):
        charts.setdefault(chart.topic, chart)
    return list(charts.values())[:CHARTS_KEPT]
