"""What becomes of each finding: told now, held for a time, or only recorded. Pure.

People keep alerts switched on that are few, rich and certain. `attend` looks at what is new, `release` at what was held
before: together they send at most three messages of a rule within its cooldown (three of things that end besides), and
drop nothing. What waits comes out in one message.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import TypeVar
from zoneinfo import ZoneInfo

from monitor.alerts.quiet import quiet_until
from monitor.alerts.rules.occasion import RuleSettings
from monitor.alerts.summaries import BUDGET, COOLDOWN, FOLLOWS, QUIET, TOGETHER, summary
from monitor.alerts.wording import moment_name
from storage.alert_records import Alert, Finding, Inhibitor, PastAlert, Raised, Release, Silence

BURST = 3
"""A rule sends so many messages within its cooldown."""
WEEK = timedelta(days=7)
"""A weekly budget, and what is remarkable by comparison, look so far back."""
REMEMBERED = 2 * WEEK
"""What is decided depends on alerts this old: one that was held for a week is a message of this week."""
MUTES_FOR = timedelta(hours=24)
"""So long an alert mutes those of rules that name it in ``muted_by``, and for as long as what it tells of lasts."""

_UNLIMITED = 1_000_000
_CLOCK_SLIPS = timedelta(minutes=1)  # so far a clock may be set back as a matter of course
_SPARE = 0.5  # while less of its budget is used, a rule tells everything
_TOLD = ("told", "carried")
_STANDING = {"silenced": 0, "muted": 0, "held": 1, "carried": 2, "told": 2}
_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Attention:
    """What the decision about new findings needs to know.

    ``past`` holds the alerts of the rules concerned since REMEMBERED ago, and those that began what still lasts;
    ``silences`` those in force; ``inhibitors`` alerts that were told. ``zone`` (an IANA name) and ``quiet`` (quiet
    hours, as monitor.alerts.quiet reads them) are those of feeds.yaml.
    """

    past: Sequence[PastAlert]
    silences: Sequence[Silence]
    inhibitors: Sequence[Inhibitor]
    zone: str
    quiet: tuple[str, ...]


@dataclass(frozen=True)
class _Moment:
    """One rule at one moment: its settings, its alerts of the last days, and what holds them back."""

    settings: RuleSettings
    known: Attention
    past: tuple[PastAlert, ...]
    now: datetime
    inhibitors: Sequence[Inhibitor] = ()

    @cached_property
    def quiet_until(self) -> datetime | None:
        own = self.settings.quiet
        return quiet_until(self.known.quiet if own is None else own, self.known.zone, self.now)

    @cached_property
    def messages(self) -> list[tuple[datetime, bool]]:
        """When each message was sent, oldest first, and whether it told of an end.

        Not what was told in a time to come, by a clock that was wrong: nothing would have a slot until then.
        """
        told = ((max(one.created, one.until or one.created), one) for one in self.past if one.state == "told")
        return sorted((sent, one.phase == "end") for sent, one in told if sent - self.now < _CLOCK_SLIPS)

    @cached_property
    def week(self) -> list[datetime]:
        return [sent for sent, _ in self.messages if self.now - sent < WEEK]

    @cached_property
    def strengths(self) -> list[float]:
        """How remarkable the rule's findings of the week were, told or not, the least one first."""
        recent = [one for one in self.past if self.now - one.created < WEEK]
        return sorted(one.strength for one in recent if one.phase != "end" and not one.summary)

    @cached_property
    def threads(self) -> dict[str, PastAlert]:
        """What says best how each thread stands: what was told comes before what waits, and that before the rest."""
        best: dict[str, PastAlert] = {}
        for one in self.past:
            if one.thread not in best or _STANDING[one.state] > _STANDING[best[one.thread].state]:
                best[one.thread] = one
        return best

    def is_told(self, finding: Finding) -> bool:
        """Whether the reader knows of what this finding goes on with."""
        known = self.threads.get(finding.thread)
        return finding.phase in ("update", "end") and known is not None and known.state in _TOLD

    def recent(self, *, ends: bool) -> list[datetime]:
        since = self.now - self.settings.cooldown
        return [sent for sent, is_end in self.messages if is_end is ends and sent > since]

    def slots(self, *, ends: bool) -> int:
        """Return how many messages may be sent now; those of ends have slots of their own."""
        return max(0, BURST - len(self.recent(ends=ends))) if self.settings.cooldown else _UNLIMITED

    def next_slot(self, *, ends: bool) -> datetime:
        """Return when there will be a slot again, if nothing else is sent until then."""
        recent = self.recent(ends=ends)
        return (recent[-BURST:] or [self.now])[0] + self.settings.cooldown

    def room(self, budget: int) -> datetime:
        """Return when the messages of the week will be fewer than the budget, or one fewer than now."""
        return self.week[-budget:][0] + WEEK

    def waiting(self, until: datetime, *, ends: bool) -> bool:
        """Whether something is held, and will be looked at by then."""
        held = (one.until for one in self.past if one.state == "held" and (one.phase == "end") is ends)
        return any(one is not None and one <= until for one in held)


def _moment(rule: str, kind: str, rules: Mapping[str, RuleSettings], known: Attention, now: datetime) -> _Moment:
    # A rule that is gone from feeds.yaml still has alerts that wait.
    settings = rules.get(rule) or RuleSettings.model_validate({"rule": kind, "name": rule})
    return _Moment(settings, known, tuple(one for one in known.past if one.rule == rule), now)


def _grouped(things: Iterable[_T], by: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    groups: dict[_K, list[_T]] = defaultdict(list)
    for thing in things:
        groups[by(thing)].append(thing)
    return groups


# What is new


def attend(
    found: Sequence[Finding], rules: Mapping[str, RuleSettings], known: Attention, now: datetime
) -> list[Raised]:
    """Decide what becomes of each new finding; ``rules`` maps names to settings. Returns one Raised for each.

    In this order: a person's silence; the fate of the thread that it goes on with; another alert that tells the same;
    quiet hours; the weekly budget; the cooldown. What is too much for the cooldown is held until now: the release that
    follows tells it in one message.
    """
    inhibitors, decided = list(known.inhibitors), dict[str, Raised]()
    groups = _grouped({one.key: one for one in found}.values(), by=lambda one: one.rule)
    # Rules that others may be muted by come first: what they tell now counts already.
    for name, findings in sorted(groups.items(), key=lambda one: _rank(one[1][0], rules)):
        moment = replace(_moment(name, findings[0].kind, rules, known, now), inhibitors=tuple(inhibitors))
        raised = _decide(findings, moment)
        inhibitors += [_inhibitor(one.finding, now) for one in raised if one.state == "told"]
        decided |= {one.finding.key: one for one in raised}
    return [decided[key] for key in dict.fromkeys(one.key for one in found)]


def _rank(finding: Finding, rules: Mapping[str, RuleSettings]) -> tuple[bool, bool]:
    settings = rules.get(finding.rule)
    return finding.kind == "match", bool(settings and settings.muted_by)


def _inhibitor(finding: Finding, now: datetime) -> Inhibitor:
    return Inhibitor(
        rule=finding.rule,
        kind=finding.kind,
        topic=finding.topic,
        headline=finding.headline,
        created=now,
        send=finding.send,
        evidence=frozenset(finding.evidence),
        lasts=finding.phase in ("start", "update"),
    )


def _decide(findings: Sequence[Finding], moment: _Moment) -> list[Raised]:
    """Decide about the new findings of one rule."""
    kept_back = {one.key: raised for one in findings if (raised := _kept_back(one, moment))}
    free = [one for one in findings if one.key not in kept_back]
    begun = [one for one in free if one.phase != "end"]
    ended = [one for one in free if one.phase == "end"]
    return [*kept_back.values(), *_paced(begun, moment, ends=False), *_paced(ended, moment, ends=True)]


def _kept_back(finding: Finding, moment: _Moment) -> Raised | None:
    steps = (_silenced, _like_its_thread, _muted, _in_quiet_hours, _beyond_budget)
    return next((raised for step in steps if (raised := step(finding, moment))), None)


def _silenced(finding: Finding, moment: _Moment) -> Raised | None:
    silence = _silence(finding, moment.known.silences, moment.now)
    if silence is None:
        return None
    until = moment_name(silence.until, ZoneInfo(moment.known.zone))
    reason = f": {silence.reason}" if silence.reason else ""
    return Raised(finding, "silenced", why=f"silenced until {until}{reason}")


def _silence(finding: Finding, silences: Iterable[Silence], now: datetime) -> Silence | None:
    """Return the silence that holds for a finding, the longest of several."""
    holding = (
        one
        for one in silences
        if one.since <= now < one.until and one.rule in (None, finding.rule) and one.topic in (None, finding.topic)
    )
    return max(holding, key=lambda one: one.until, default=None)


def _like_its_thread(finding: Finding, moment: _Moment) -> Raised | None:
    """Let what goes on with something untold share its fate, unless it brings news of its own.

    The end of what nobody was told is no news. A change may be: it is judged afresh once the silence is over, and does
    not wait for the weekly budget when it is remarkable enough for it.
    """
    thread = moment.threads.get(finding.thread) if finding.phase in ("update", "end") else None
    if thread is None or thread.state in _TOLD:
        return None
    if thread.state == "held":
        outgrown = finding.phase == "update" and moment.settings.weekly_budget and _is_remarkable(finding, moment)
        return None if outgrown else Raised(finding, "held", thread.until or moment.now, FOLLOWS)
    return Raised(finding, thread.state, why=f"its beginning was {thread.state}") if finding.phase == "end" else None


def _muted(finding: Finding, moment: _Moment) -> Raised | None:
    if finding.phase == "end" and moment.is_told(finding):
        return None  # who was told that it began is told that it is over
    by = next((one for one in moment.inhibitors if _tells(one, finding, moment)), None)
    return Raised(finding, "muted", why=f"told by '{by.rule}': {by.headline}") if by else None


def _tells(inhibitor: Inhibitor, finding: Finding, moment: _Moment) -> bool:
    """Whether an alert mutes a finding: its rule asks for that, or all its items are part of the alert's."""
    if inhibitor.rule == finding.rule:
        return False
    named = inhibitor.rule in moment.settings.muted_by and inhibitor.topic == finding.topic
    if named and (inhibitor.lasts or abs(moment.now - inhibitor.created) <= MUTES_FOR):
        return True
    may_hold = finding.kind == "match" and finding.severity != "critical" and inhibitor.kind in ("trend", "compound")
    holds = bool(finding.evidence) and inhibitor.evidence.issuperset(finding.evidence)
    return may_hold and holds and set(finding.send) <= set(inhibitor.send)


def _in_quiet_hours(finding: Finding, moment: _Moment) -> Raised | None:
    return Raised(finding, "held", moment.quiet_until, QUIET) if _rests(finding, moment) else None


def _rests(finding: Finding, moment: _Moment) -> bool:
    always = finding.severity == "critical" or finding.kind in ("digest", "delivery")
    return not always and moment.quiet_until is not None


def _beyond_budget(finding: Finding, moment: _Moment) -> Raised | None:
    budget = moment.settings.weekly_budget
    always = finding.severity == "critical" or finding.kind == "digest" or moment.is_told(finding)
    if not budget or always or _is_remarkable(finding, moment):
        return None
    return Raised(finding, "held", moment.room(budget), BUDGET)


def _is_remarkable(finding: Finding, moment: _Moment) -> bool:
    """Whether a finding passes the bar, which rises with the share of the budget that is used: also by what waits."""
    used = len(moment.week) + moment.waiting(moment.now + WEEK, ends=False)
    fill = used / (moment.settings.weekly_budget or _UNLIMITED)
    if fill < _SPARE or not moment.week or not moment.strengths:
        return True
    if fill >= 1:
        return finding.strength > moment.strengths[-1]
    return finding.strength >= moment.strengths[int(fill * len(moment.strengths))]


def _paced(findings: Sequence[Finding], moment: _Moment, *, ends: bool) -> list[Raised]:
    """Tell as many as there are slots for; of more, the strongest alone and the rest in one message."""
    free = _free(moment, ends=ends)
    if len(findings) <= free or (findings and findings[0].kind == "digest"):
        return [Raised(one) for one in findings]
    if not free and moment.slots(ends=ends):  # one message is about to tell what waits: it tells of these, too
        return [Raised(one, "held", moment.now, TOGETHER) for one in findings]
    if not free:
        return [Raised(one, "held", moment.next_slot(ends=ends), COOLDOWN) for one in findings]
    ranked = sorted(findings, key=lambda one: -one.strength)
    alone, together = ranked[: free - 1], ranked[free - 1 :]
    return [*map(Raised, alone), *(Raised(one, "held", moment.now, TOGETHER) for one in together)]


def _free(moment: _Moment, *, ends: bool) -> int:
    """Return the slots for what is new: one is left to what waited, and a weekly budget allows no more than it has."""
    free = moment.slots(ends=ends)
    if moment.settings.weekly_budget and not ends:
        free = min(free, max(1, moment.settings.weekly_budget - len(moment.week)))
    return max(0, free - moment.waiting(moment.now, ends=ends))


# What was held


def release(held: Sequence[Alert], rules: Mapping[str, RuleSettings], known: Attention, now: datetime) -> list[Release]:
    """Decide about alerts whose time has come, oldest first: to be sent, alone or in a summary, or held on.

    ``known`` includes what was raised at this look.
    """
    silences = {one.id: _silence(one.finding, known.silences, now) for one in held}
    silenced = _grouped((one for one in held if silences[one.id]), by=lambda one: silences[one.id])
    free = _grouped((one for one in held if not silences[one.id]), by=lambda one: one.finding.rule)
    longer = [_held_on(alerts, silence.until) for silence, alerts in silenced.items() if silence]
    moments = ((_moment(name, alerts[0].finding.kind, rules, known, now), alerts) for name, alerts in free.items())
    return [*longer, *chain.from_iterable(_released(alerts, moment) for moment, alerts in moments)]


def _released(alerts: Sequence[Alert], moment: _Moment) -> list[Release]:
    """Decide about the alerts of one rule: each set of channels gets one message, while there are slots."""
    resting = [one for one in alerts if _rests(one.finding, moment)]
    releases = [_held_on(resting, moment.quiet_until)] if resting else []
    awake = [one for one in alerts if not _rests(one.finding, moment)]
    for group in _grouped(awake, by=lambda one: one.finding.send).values():
        going, staying = _by_slots(group, moment)
        releases += staying
        if going:
            releases.append(_sent(going, moment))
            told = releases[-1].summary or going[0].finding
            moment = replace(moment, past=(*moment.past, _message(told, moment.now)))
    return releases


def _by_slots(group: Sequence[Alert], moment: _Moment) -> tuple[list[Alert], list[Release]]:
    """Return the alerts that one message may carry now, oldest first, and the releases that hold the others on."""
    if (until := _beyond_room(group, moment)) > moment.now:
        return [], [_held_on(group, until)]
    lasting, over = _parted(group)
    if lasting and moment.slots(ends=False):
        return list(group), []
    staying = [_held_on(lasting, moment.next_slot(ends=False))] if lasting else []
    if over and not moment.slots(ends=True):
        return [], [*staying, _held_on(over, moment.next_slot(ends=True))]
    return over, staying


def _beyond_room(group: Sequence[Alert], moment: _Moment) -> datetime:
    """Return until when the weekly budget holds them on, at most until they are a week old; now when it does not."""
    budget, reasons = moment.settings.weekly_budget, {one.why for one in group}
    if not budget or BUDGET not in reasons or reasons - {BUDGET, FOLLOWS} or len(moment.week) < budget:
        return moment.now
    return min(moment.room(budget), group[0].created + WEEK)


def _parted(group: Sequence[Alert]) -> tuple[list[Alert], list[Alert]]:
    """Part alerts whose thread goes on from those whose thread has ended: these have slots of their own."""
    phases = {one.finding.thread or one.finding.key: one.finding.phase for one in group}
    lasting, over = list[Alert](), list[Alert]()
    for one in group:
        (over if phases[one.finding.thread or one.finding.key] == "end" else lasting).append(one)
    return lasting, over


def _held_on(alerts: Iterable[Alert], until: datetime | None) -> Release:
    return Release(tuple(one.id for one in alerts), until=until)


def _sent(alerts: Sequence[Alert], moment: _Moment) -> Release:
    carrying = summary(alerts, moment.now, moment.known.zone) if len(alerts) > 1 else None
    return Release(tuple(one.id for one in alerts), carrying)


def _message(finding: Finding, now: datetime) -> PastAlert:
    thread = finding.thread or finding.key
    return PastAlert(finding.rule, finding.topic, now, "told", finding.strength, thread, finding.phase, summary=True)
