"""Few, rich, certain: what is told at once, what waits, what is only recorded, and that nothing is dropped."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.attention import BURST, MUTES_FOR, REMEMBERED, Attention, attend, release
from monitor.alerts.rules.occasion import RuleSettings
from storage.alert_records import Alert, AlertState, Finding, Inhibitor, PastAlert, Phase, Raised, Release, Silence
from tests.builders import NOW

MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=7)
COOLDOWN = timedelta(minutes=10)
NIGHT = ("13:00-15:00",)  # it is 14:00
DESK, BOTH = ("desk",), ("desk", "slack")
NOTHING = Attention((), (), (), "UTC", ())


def rule(name: str = "watch", **fields: Any) -> RuleSettings:
    return RuleSettings.model_validate({"rule": "match", "name": name, **fields})


def found(key: str = "watch:1", **fields: Any) -> Finding:
    usual = Finding("watch", "match", key, "warning", "capex", f"News of {key}", "Because.", DESK, strength=1.0)
    return replace(usual, **fields)


def several(number: int, **fields: Any) -> list[Finding]:
    return [found(f"watch:{n}", strength=float(n), evidence=(n,), **fields) for n in range(number)]


def past(state: AlertState = "told", ago: timedelta = DAY, **fields: Any) -> PastAlert:
    return replace(PastAlert("watch", "capex", NOW - ago, state, 1.0, "watch:0", "once"), **fields)


def surge(**fields: Any) -> Inhibitor:
    usual = Inhibitor("surge", "trend", "capex", "Capex news ×4", NOW - HOUR, BOTH, frozenset({1, 2, 3}), lasts=True)
    return replace(usual, **fields)


def silence(**fields: Any) -> Silence:
    return replace(Silence(1, "watch", None, NOW - HOUR, NOW + HOUR), **fields)


def decided(one: Finding, given_rule: RuleSettings | None = None, **known: Any) -> Raised:
    own = given_rule or rule()
    (raised,) = attend([one], {own.name: own}, replace(NOTHING, **known), NOW)
    assert raised.finding is one
    return raised


def states(raised: Iterable[Raised]) -> list[tuple[str, str]]:
    return [(one.state, one.why) for one in raised]


def test_a_finding_that_nothing_speaks_against_is_told_at_once() -> None:
    assert decided(found()) == Raised(found(), "told", None, "")


# 1. A person's silence


@pytest.mark.parametrize(
    ("wish", "state"),
    [
        pytest.param({}, "silenced", id="its rule"),
        pytest.param({"rule": None}, "silenced", id="any rule"),
        pytest.param({"topic": "capex"}, "silenced", id="its rule and topic"),
        pytest.param({"rule": None, "topic": "capex"}, "silenced", id="its topic in any rule"),
        pytest.param({"rule": "surge"}, "told", id="another rule"),
        pytest.param({"topic": "efficiency"}, "told", id="another topic"),
        pytest.param({"until": NOW}, "told", id="it is over"),
        pytest.param({"since": NOW + MINUTE}, "told", id="it did not begin yet"),
    ],
)
def test_a_silence_is_kept(wish: dict[str, Any], state: str) -> None:
    assert decided(found(), silences=(silence(**wish),)).state == state


def test_a_silence_is_kept_for_critical_findings_and_digests_too() -> None:
    for one in (found(severity="critical"), found(kind="digest")):
        assert decided(one, silences=(silence(rule=None),)).state == "silenced"


def test_the_longest_of_several_silences_is_named_with_its_reason() -> None:
    wishes = (silence(reason="lunch"), silence(until=NOW + DAY, reason="earnings"), silence(until=NOW + MINUTE))
    known = replace(NOTHING, silences=wishes, zone="Europe/Berlin")
    assert attend([found()], {}, known, NOW)[0].why == "silenced until 15:00 CET on Tue 24 Nov: earnings"


# 2. What goes on with something


@pytest.mark.parametrize(
    ("before", "phase", "outcome"),
    [
        pytest.param([], "update", ("told", ""), id="a change of what was never raised is told"),
        pytest.param([], "end", ("told", ""), id="and so is its end"),
        pytest.param(["told"], "update", ("told", ""), id="a change of what was told"),
        pytest.param(["told"], "end", ("told", ""), id="the end of what was told"),
        pytest.param(["carried"], "end", ("told", ""), id="the end of what a summary told"),
        pytest.param(
            ["silenced"], "end", ("silenced", "its beginning was silenced"), id="the end of what was silenced"
        ),
        pytest.param(["muted"], "end", ("muted", "its beginning was muted"), id="the end of what was muted"),
        pytest.param(["held"], "update", ("held", "follows its beginning"), id="a change of what waits"),
        pytest.param(["held"], "end", ("held", "follows its beginning"), id="the end of what waits"),
        pytest.param(["silenced"], "update", ("told", ""), id="a change is news once the silence is over"),
        pytest.param(["silenced", "told"], "end", ("told", ""), id="who was told of the change hears of the end"),
        pytest.param(["told", "silenced"], "end", ("told", ""), id="and who was told of the beginning"),
        pytest.param(["told", "held"], "end", ("told", ""), id="even while a change of it waits"),
    ],
)
def test_a_finding_shares_the_fate_of_its_thread(
    before: list[AlertState], phase: Phase, outcome: tuple[str, str]
) -> None:
    earlier = tuple(past(state, ago=DAY - n * HOUR, thread="T", until=NOW + HOUR) for n, state in enumerate(before))
    one = found("T:2", thread="T", phase=phase)
    raised = decided(one, past=tuple(replace(each, created=NOW - DAY) for each in earlier))
    assert (raised.state, raised.why) == outcome
    assert raised.until == (NOW + HOUR if raised.state == "held" else None)


def test_the_threads_of_other_rules_do_not_count() -> None:
    assert (
        decided(found("T:2", thread="T", phase="end"), past=(past("held", thread="T", rule="other"),)).state == "told"
    )


@pytest.mark.parametrize(
    ("strength", "state"),
    [pytest.param(5.0, "told", id="more remarkable than all"), pytest.param(0.5, "held", id="not remarkable enough")],
)
def test_a_change_that_is_remarkable_does_not_wait_for_the_weekly_budget_with_its_beginning(
    strength: float, state: str
) -> None:
    before = (past("told", thread="other", strength=2.0), past("held", thread="T", until=NOW + DAY, phase="start"))
    one = found("T:2", thread="T", phase="update", strength=strength)
    assert decided(one, rule(weekly_budget=1), past=before).state == state


# 3. Another alert tells the same


@pytest.mark.parametrize(
    ("inhibitor", "muted"),
    [
        pytest.param({}, True, id="it lasts"),
        pytest.param({"lasts": False}, True, id="it is over, but of today"),
        pytest.param({"lasts": False, "created": NOW - MUTES_FOR - MINUTE}, False, id="it is over, and of yesterday"),
        pytest.param({"created": NOW - WEEK}, True, id="it is a week old, and lasts"),
        pytest.param({"lasts": False, "created": NOW + WEEK}, False, id="it is over, and of a time to come"),
        pytest.param({"topic": "efficiency"}, False, id="another topic"),
        pytest.param({"rule": "overbuild"}, False, id="a rule that is not named"),
        pytest.param({"send": ("elsewhere",)}, True, id="who named the rule knows where it goes"),
    ],
)
@pytest.mark.parametrize("severity", ["warning", "critical"])
def test_a_rule_is_muted_by_those_it_names(inhibitor: dict[str, Any], muted: bool, severity: str) -> None:
    raised = decided(found(severity=severity), rule(muted_by=["surge"]), inhibitors=(surge(**inhibitor),))
    assert (raised.state, raised.why) == (("muted", "told by 'surge': Capex news ×4") if muted else ("told", ""))


@pytest.mark.parametrize(
    ("finding", "inhibitor", "muted"),
    [
        pytest.param({}, {}, True, id="its item is part of a surge that was told"),
        pytest.param({"evidence": (1, 3)}, {}, True, id="all its items are"),
        pytest.param({"evidence": (1, 4)}, {}, False, id="one item is new"),
        pytest.param({"evidence": ()}, {}, False, id="it rests on no item"),
        pytest.param({"send": ("desk", "file")}, {}, False, id="it goes to a channel that the surge did not reach"),
        pytest.param({"severity": "critical"}, {}, False, id="it is critical"),
        pytest.param({"kind": "query"}, {}, False, id="only stories are muted unasked"),
        pytest.param({}, {"kind": "compound"}, True, id="a compound told it"),
        pytest.param({}, {"kind": "query"}, False, id="a query mutes nothing unasked"),
        pytest.param({}, {"rule": "watch"}, False, id="a rule never mutes itself"),
        pytest.param({"topic": "efficiency"}, {}, True, id="the item is the same, whatever its topic"),
    ],
)
def test_a_trend_mutes_its_own_stories(finding: dict[str, Any], inhibitor: dict[str, Any], muted: bool) -> None:
    raised = decided(found(**{"evidence": (2,), **finding}), inhibitors=(surge(**inhibitor),))
    assert raised.state == ("muted" if muted else "told")


def test_a_surge_of_this_very_occasion_mutes_its_stories_and_the_others_are_told() -> None:
    rising = found("surge:1", rule="surge", kind="trend", evidence=(1, 2), send=BOTH, phase="start")
    occasion = [found("watch:1", evidence=(1,)), found("watch:9", evidence=(9,)), rising]
    raised = attend(occasion, {"watch": rule(), "surge": rule("surge")}, NOTHING, NOW)
    assert [(one.finding.key, one.state) for one in raised] == [
        ("watch:1", "muted"),
        ("watch:9", "told"),
        ("surge:1", "told"),
    ]


def test_a_surge_that_is_not_told_itself_mutes_nothing() -> None:
    rising = found("surge:1", rule="surge", kind="trend", evidence=(1, 2), send=BOTH, phase="start")
    rules = {"watch": rule(quiet=[]), "surge": rule("surge", quiet=NIGHT)}
    assert states(attend([rising, found(evidence=(1,))], rules, NOTHING, NOW)) == [
        ("held", "quiet hours"),
        ("told", ""),
    ]


def test_the_end_of_what_was_told_is_told_whatever_else_tells_of_the_topic() -> None:
    one = found("T:end", thread="T", phase="end")
    raised = decided(one, rule(muted_by=["surge"]), past=(past(thread="T"),), inhibitors=(surge(),))
    assert raised.state == "told"


# 4. Quiet hours


@pytest.mark.parametrize(
    ("finding", "own", "state"),
    [
        pytest.param({}, None, "held", id="those of the file"),
        pytest.param({}, [], "told", id="a rule without any"),
        pytest.param({}, ["02:00-03:00"], "told", id="a rule with others"),
        pytest.param({"severity": "critical"}, None, "told", id="critical findings are told"),
        pytest.param({"kind": "digest"}, None, "told", id="digests have a time of their own"),
        pytest.param({"kind": "delivery"}, None, "told", id="so are failed deliveries"),
        pytest.param({"severity": "info", "phase": "end"}, None, "held", id="an end can wait"),
    ],
)
def test_quiet_hours_are_kept(finding: dict[str, Any], own: list[str] | None, state: str) -> None:
    raised = decided(found(**finding), rule(quiet=own), quiet=NIGHT)
    assert (raised.state, raised.until) == (state, NOW + HOUR if state == "held" else None)


# 5. The weekly budget


def week(told: int, *strengths: float, held: tuple[float, ...] = ()) -> tuple[PastAlert, ...]:
    """Return messages of the last days, the oldest six days ago, and findings that were not told."""
    sent = [past(ago=6 * DAY - n * HOUR, strength=strengths[n % len(strengths)]) for n in range(told)]
    return (*sent, *(past("held", strength=one, until=NOW + DAY) for one in held))


USED_UP = (*week(9, 1.0), past(thread="T"))


@pytest.mark.parametrize(
    ("before", "finding", "passes"),
    [
        pytest.param((), {"strength": 0.0}, True, id="nothing was told yet"),
        pytest.param(week(0, held=(9.0,) * 9), {"strength": 0.0}, True, id="nothing was told yet, though much waits"),
        pytest.param(week(1, 9.0), {"strength": 0.0}, True, id="less than half is used: everything passes"),
        pytest.param(week(2, 1.0, 2.0), {"strength": 0.5}, False, id="half is used: the weaker half waits"),
        pytest.param(week(2, 1.0, 2.0), {"strength": 2.0}, True, id="and the stronger half passes"),
        pytest.param(week(3, 1.0, 2.0, 3.0), {"strength": 2.5}, False, id="three quarters: only the strongest quarter"),
        pytest.param(week(3, 1.0, 2.0, 3.0), {"strength": 3.0}, True, id="which this one is in"),
        pytest.param(
            week(2, 1.0, held=(3.0, 4.0)), {"strength": 2.0}, False, id="what was not told counts for the bar"
        ),
        pytest.param(week(4, 1.0, 2.0), {"strength": 2.0}, False, id="used up: as remarkable as the strongest waits"),
        pytest.param(week(4, 1.0, 2.0), {"strength": 2.1}, True, id="used up: more remarkable than all passes"),
        pytest.param(week(9, 1.0), {"severity": "critical"}, True, id="critical findings pass"),
        pytest.param(week(9, 1.0), {"kind": "digest"}, True, id="digests pass"),
        pytest.param(USED_UP, {"phase": "end", "thread": "T"}, True, id="the end of what was told passes"),
        pytest.param(USED_UP, {"phase": "update", "thread": "T"}, True, id="and so do its changes"),
        pytest.param(USED_UP, {"phase": "update", "thread": "U"}, False, id="but not those of what was not told"),
        pytest.param(tuple(past(ago=WEEK + MINUTE) for _ in range(9)), {"strength": 0.0}, True, id="last week is over"),
    ],
)
def test_the_more_was_told_the_more_remarkable_the_next_must_be(
    before: tuple[PastAlert, ...], finding: dict[str, Any], passes: bool
) -> None:
    raised = decided(found(**finding), rule(weekly_budget=4), past=before)
    assert (raised.state, raised.why) == (("told", "") if passes else ("held", "weekly budget"))


def test_what_the_budget_holds_waits_until_the_oldest_message_is_a_week_old() -> None:
    raised = decided(found(strength=0.0), rule(weekly_budget=2), past=week(2, 1.0))
    assert raised.until == NOW + DAY


def test_what_was_held_long_is_a_message_of_the_day_it_was_sent() -> None:
    late = past(ago=WEEK + DAY, until=NOW - HOUR)
    assert decided(found(strength=1.0), rule(weekly_budget=1), past=(late,)).state == "told"  # nothing to compare with
    assert decided(found(strength=0.5), rule(weekly_budget=1), past=(late, past("muted"))).until == NOW - HOUR + WEEK


def test_a_burst_takes_no_more_of_the_budget_than_is_left() -> None:
    own = rule(weekly_budget=4, cooldown="0s")
    raised = attend(several(9), {"watch": own}, replace(NOTHING, past=week(1, 1.0)), NOW)
    assert Counter(states(raised)) == {("told", ""): 2, ("held", "came at once"): 7}


# 6. The cooldown


@pytest.mark.parametrize(
    ("sent", "new", "outcome"),
    [
        pytest.param(0, 1, {"told": 1}, id="one"),
        pytest.param(0, 3, {"told": 3}, id="as many as there are slots"),
        pytest.param(0, 4, {"told": 2, "came at once": 2}, id="one too many: two alone, two together"),
        pytest.param(0, 64, {"told": 2, "came at once": 62}, id="many"),
        pytest.param(1, 3, {"told": 1, "came at once": 2}, id="one message was sent before"),
        pytest.param(2, 1, {"told": 1}, id="the last slot"),
        pytest.param(2, 9, {"came at once": 9}, id="the last slot for all together"),
        pytest.param(3, 1, {"cooldown": 1}, id="no slot"),
        pytest.param(3, 64, {"cooldown": 64}, id="no slot for many"),
    ],
)
def test_a_rule_sends_three_messages_within_its_cooldown(sent: int, new: int, outcome: dict[str, int]) -> None:
    before = tuple(past(ago=(n + 1) * MINUTE) for n in range(sent))
    raised = attend(several(new), {"watch": rule()}, replace(NOTHING, past=before), NOW)
    assert Counter(one.why or one.state for one in raised) == outcome
    for one in raised:
        assert one.until == {"came at once": NOW, "cooldown": NOW - 3 * MINUTE + COOLDOWN, "": None}[one.why]


def test_the_strongest_are_told_alone() -> None:
    raised = attend(several(9), {"watch": rule()}, NOTHING, NOW)
    assert [one.finding.strength for one in raised if one.state == "told"] == [7.0, 8.0]


@pytest.mark.parametrize(
    ("before", "state"),
    [
        pytest.param({"ago": COOLDOWN}, "told", id="the messages have left the cooldown"),
        pytest.param({"ago": COOLDOWN - MINUTE}, "held", id="they have not"),
        pytest.param({"ago": MINUTE, "state": "carried"}, "told", id="what was carried was no message"),
        pytest.param({"ago": MINUTE, "state": "muted"}, "told", id="nor what was muted"),
        pytest.param({"ago": MINUTE, "rule": "other"}, "told", id="other rules have slots of their own"),
        pytest.param({"ago": MINUTE, "phase": "end"}, "told", id="ends have slots of their own"),
        pytest.param({"ago": DAY, "until": NOW - MINUTE}, "held", id="they waited, and were sent a minute ago"),
        pytest.param({"ago": -MINUTE / 2}, "held", id="the clock was set back by seconds"),
        pytest.param({"ago": -99 * DAY}, "told", id="the clock was ahead, and they are of a time to come"),
    ],
)
def test_messages_of_the_rule_take_slots(before: dict[str, Any], state: str) -> None:
    assert decided(found(), past=(past(**before),) * BURST).state == state


def test_an_end_needs_no_slot_of_what_begins_and_many_ends_are_one_message() -> None:
    threads = tuple(past(ago=MINUTE, thread=f"T{n}", phase="start") for n in range(9))
    ends = [found(f"T{n}:end", thread=f"T{n}", phase="end") for n in range(9)]
    known = replace(NOTHING, past=threads)
    assert states(attend(ends[:3], {}, known, NOW)) == [("told", "")] * 3
    assert Counter(states(attend(ends, {}, known, NOW))) == {("told", ""): 2, ("held", "came at once"): 7}


def test_a_cooldown_of_nothing_turns_this_off() -> None:
    assert states(attend(several(64), {"watch": rule(cooldown="0s")}, NOTHING, NOW)) == [("told", "")] * 64


def test_digests_have_no_cooldown() -> None:
    assert decided(found(kind="digest"), past=(past(ago=MINUTE),) * BURST).state == "told"


def test_what_is_new_comes_in_the_message_that_what_waited_is_about_to_get() -> None:
    due = past("held", ago=HOUR, until=NOW)
    before = (past(ago=MINUTE), past(ago=2 * MINUTE), due)
    assert decided(found(), past=before) == Raised(found(), "held", NOW, "came at once")
    assert decided(found(), past=(*before, past(ago=3 * MINUTE))).until == NOW - 3 * MINUTE + COOLDOWN


# The order of the steps


def test_each_step_comes_before_the_next() -> None:
    own = rule(muted_by=["surge"], weekly_budget=1)
    one = found("T:end", thread="T", phase="end", strength=0.0)
    known = Attention(
        past=(*(past(ago=MINUTE),) * BURST, past("held", thread="T", until=NOW + DAY)),
        silences=(silence(),),
        inhibitors=(surge(),),
        zone="UTC",
        quiet=NIGHT,
    )
    reasons = [decided(one, own, **vars_of(known)).why]
    known = replace(known, silences=())
    reasons += [decided(one, own, **vars_of(known)).why]
    known = replace(known, past=known.past[:BURST])
    reasons += [decided(one, own, **vars_of(known)).why]
    known = replace(known, inhibitors=())
    reasons += [decided(one, own, **vars_of(known)).why]
    known = replace(known, quiet=())
    reasons += [decided(one, own, **vars_of(known)).why]
    reasons += [decided(replace(one, phase="once"), rule(), **vars_of(known)).why]
    assert reasons == [
        "silenced until 15:00 UTC on Mon 23 Nov",
        "follows its beginning",
        "told by 'surge': Capex news ×4",
        "quiet hours",
        "weekly budget",
        "cooldown",
    ]


def vars_of(known: Attention) -> dict[str, Any]:
    return {name: getattr(known, name) for name in ("past", "silences", "inhibitors", "zone", "quiet")}


def test_the_same_key_twice_is_decided_once_and_the_order_is_kept() -> None:
    occasion = [found("b"), found("a", rule="other"), found("b")]
    assert [one.finding.key for one in attend(occasion, {}, NOTHING, NOW)] == ["b", "a"]


# What was held


def held(number: int, **fields: Any) -> Alert:
    alert = {name: fields.pop(name) for name in ("created", "why", "until") if name in fields}
    usual = Alert(number, NOW - HOUR, found(f"watch:{number}", **fields), "held", NOW, "quiet hours")
    return replace(usual, **alert)


def released(alerts: Sequence[Alert], *rules: RuleSettings, **known: Any) -> list[Release]:
    return release(alerts, {one.name: one for one in rules}, replace(NOTHING, **known), NOW)


def outcome(releases: Iterable[Release]) -> str:
    words = [("wait" if one.until else "in one" if one.summary else "alone", one.alert_ids) for one in releases]
    return ", ".join(f"{'+'.join(map(str, ids))} {word}" for word, ids in words)


THREE_SENT = (past(ago=MINUTE), past(ago=2 * MINUTE), past(ago=3 * MINUTE))
TWO_SENT = THREE_SENT[1:]
THREE_ENDS = tuple(replace(one, phase="end") for one in THREE_SENT)
CRITICAL = held(2, severity="critical")
BEGAN_AND_ENDED = [held(1, phase="start", thread="T"), held(2, phase="end", thread="T")]
ABOUT_X = silence(topic="x")


@pytest.mark.parametrize(
    ("alerts", "known", "expected"),
    [
        pytest.param([], {}, "", id="nothing waited"),
        pytest.param([held(1)], {}, "1 alone", id="one goes as it is"),
        pytest.param([held(1), held(2)], {}, "1+2 in one", id="two go together"),
        pytest.param([held(1), held(2, rule="b")], {}, "1 alone, 2 alone", id="each rule for itself"),
        pytest.param([held(1), held(2, send=BOTH)], {}, "1 alone, 2 alone", id="and each set of channels"),
        pytest.param([held(1), held(2)], {"quiet": NIGHT}, "1+2 wait", id="still quiet"),
        pytest.param([held(1), CRITICAL], {"quiet": NIGHT}, "1 wait, 2 alone", id="not for critical ones"),
        pytest.param([held(1), held(2)], {"past": THREE_SENT}, "1+2 wait", id="no slot"),
        pytest.param([held(1), held(2)], {"past": TWO_SENT}, "1+2 in one", id="the last slot"),
        pytest.param([held(1), held(2, send=BOTH)], {"past": TWO_SENT}, "1 alone, 2 wait", id="the last slot of two"),
        pytest.param([held(1, phase="end")], {"past": THREE_SENT}, "1 alone", id="an end has slots of its own"),
        pytest.param([held(1, phase="end")], {"past": THREE_ENDS}, "1 wait", id="unless those are used up"),
        pytest.param([held(1, phase="end"), held(2)], {"past": THREE_SENT}, "2 wait, 1 alone", id="an end goes ahead"),
        pytest.param([held(1, phase="end"), held(2)], {"past": THREE_ENDS}, "1+2 in one", id="or with the others"),
        pytest.param(BEGAN_AND_ENDED, {"past": THREE_SENT}, "1+2 in one", id="what began and is over is an end"),
        pytest.param([held(1), held(2)], {"silences": (silence(),)}, "1+2 wait", id="silenced meanwhile"),
        pytest.param(
            [held(1), held(2, topic="x")], {"silences": (ABOUT_X,)}, "2 wait, 1 alone", id="one topic is silenced"
        ),
    ],
)
def test_what_waited_comes_out(alerts: list[Alert], known: dict[str, Any], expected: str) -> None:
    assert outcome(released(alerts, rule(), **known)) == expected


def test_it_waits_on_until_what_holds_it_is_over() -> None:
    assert released([held(1)], quiet=NIGHT)[0].until == NOW + HOUR
    assert released([held(1)], past=THREE_SENT)[0].until == NOW - 3 * MINUTE + COOLDOWN
    assert released([held(1)], silences=(silence(), silence(until=NOW + DAY)))[0].until == NOW + DAY


@pytest.mark.parametrize(
    ("age", "until"),
    [
        pytest.param(DAY, NOW - 2 * DAY + WEEK, id="until there is room"),
        pytest.param(6 * DAY, NOW + DAY, id="until it is a week old"),
        pytest.param(WEEK, None, id="no longer: it is a week old"),
    ],
)
def test_a_weekly_budget_that_is_used_up_holds_nothing_for_more_than_a_week(
    age: timedelta, until: datetime | None
) -> None:
    alerts = [replace(one, created=NOW - age) for one in (held(1, why="weekly budget"), held(2, why="weekly budget"))]
    (one,) = released(alerts, rule(weekly_budget=2), past=(past(ago=DAY), past(ago=2 * DAY)))
    assert (one.alert_ids, one.until, one.summary is None) == ((1, 2), until, until is not None)


def test_a_rule_that_is_gone_from_the_file_still_tells_what_waited() -> None:
    assert outcome(released([held(1, rule="gone"), held(2, rule="gone")])) == "1+2 in one"


def test_alerts_of_one_thread_come_out_as_the_last_of_them() -> None:
    phases: tuple[Phase, ...] = ("start", "update", "end")
    alerts = [held(n, phase=phase, thread="T", headline=f"{n}. {phase}") for n, phase in enumerate(phases)]
    summary = released(alerts)[0].summary
    assert summary is not None
    assert (summary.headline, summary.thread, summary.phase, summary.carries) == ("2. end", "T", "end", (0, 1, 2))


# Time passes: the outbox in miniature, as the pipeline and the store treat it


@dataclass
class Outbox:
    """Keeps alerts as the store does, and looks at them as the pipeline does."""

    rules: Mapping[str, RuleSettings] = field(default_factory=dict)
    quiet: tuple[str, ...] = ()
    silences: tuple[Silence, ...] = ()
    now: datetime = NOW
    alerts: list[Alert] = field(default_factory=list)
    past: list[PastAlert] = field(default_factory=list)
    messages: list[tuple[datetime, Finding]] = field(default_factory=list)

    def look(self, *new: Finding) -> None:
        if new:
            for one in attend(new, self.rules, self._known(), self.now):
                self._raise(one)
        due = [one for one in self.alerts if one.state == "held" and one.until and one.until <= self.now]
        for decision in release(due, self.rules, self._known(), self.now):
            self._release(decision)

    def forward(self, duration: timedelta, step: timedelta) -> None:
        for _ in range(duration // step):
            self.now += step
            self.look()

    def settle(self, looks: int) -> None:
        """Look again whenever something is due, so often at most."""
        for _ in range(looks):
            waiting = [one.until for one in self.alerts if one.state == "held" and one.until]
            self.now = max(self.now, min(waiting, default=self.now))
            self.look()

    def count(self, state: str) -> int:
        return sum(one.state == state for one in self.alerts)

    def _known(self) -> Attention:
        in_force = tuple(one for one in self.silences if one.since <= self.now < one.until)
        remembered = [one for one in self.past if one.created >= self.now - REMEMBERED]
        return Attention(remembered, in_force, (), "UTC", self.quiet)

    def _raise(self, one: Raised) -> None:
        f = one.finding
        thread, summary = f.thread or f.key, bool(f.carries)
        self.alerts.append(Alert(len(self.alerts), self.now, f, one.state, one.until, one.why))
        self.past.append(
            PastAlert(f.rule, f.topic, self.now, one.state, f.strength, thread, f.phase, one.until, summary)
        )
        if one.state == "told":
            self.messages.append((self.now, one.finding))

    def _release(self, decision: Release) -> None:
        for number in decision.alert_ids:
            one = self.alerts[number]
            assert one.state == "held"
            if decision.until:
                assert decision.until > self.now
                self._set(number, "held", decision.until)
            elif decision.summary:
                self._set(number, "carried", self.now)
            else:
                self._set(number, "told", self.now)
                self.messages.append((self.now, one.finding))
        if decision.summary:
            assert decision.summary.carries == decision.alert_ids
            self._raise(Raised(decision.summary))

    def _set(self, number: int, state: AlertState, until: datetime) -> None:
        self.alerts[number] = replace(self.alerts[number], state=state, until=until)
        self.past[number] = replace(self.past[number], state=state, until=until)


def test_ten_thousand_findings_in_a_minute_end_in_a_handful_of_messages() -> None:
    outbox, began = Outbox({"watch": rule()}), time.perf_counter()
    flood = several(10_000)
    for first in range(0, len(flood), 64):
        outbox.now = NOW + first * MINUTE / len(flood)
        outbox.look(*flood[first : first + 64])
    outbox.forward(HOUR, MINUTE)
    assert len(outbox.messages) == 4
    assert (outbox.messages[-1][0] - NOW) <= COOLDOWN + MINUTE
    assert (
        outbox.messages[-1][1].headline
        == "9,936 stories match 'watch' since Mon 14:00 (the strongest: News of watch:9999)"
    )
    assert (outbox.count("told"), outbox.count("carried"), outbox.count("held")) == (4, 9_998, 0)
    assert time.perf_counter() - began < 10


def test_all_findings_on_one_occasion_take_little_time() -> None:
    outbox, began = Outbox({"watch": rule()}, quiet=NIGHT), time.perf_counter()
    outbox.look(*several(10_000))
    assert outbox.messages == []
    outbox.forward(HOUR, HOUR)
    assert [len(one.carries) for _, one in outbox.messages] == [10_000]
    assert time.perf_counter() - began < 3


def test_a_steady_flood_never_starves_what_waits() -> None:
    outbox = Outbox({"watch": rule()})
    for minute in range(180):
        outbox.look(*(found(f"watch:{minute}:{n}") for n in range(20)))
        outbox.forward(MINUTE, MINUTE)
        waiting = [one for one in outbox.alerts if one.state == "held"]
        assert all(outbox.now - one.created <= 2 * COOLDOWN for one in waiting)
    assert len(outbox.messages) <= BURST * (180 / 10 + 1)


def test_a_weekly_budget_is_about_the_number_of_messages() -> None:
    outbox = Outbox({"watch": rule(weekly_budget=5)})
    for number in range(8 * 28 - 1):
        outbox.look(found(f"watch:{number}", strength=float(number * 7919 % 101)))
        outbox.forward(3 * HOUR, 3 * HOUR)
    weeks = Counter((sent - NOW) // WEEK for sent, _ in outbox.messages)
    assert [weeks[number] for number in range(4)] == [9, 5, 5, 5]  # the first week has little to compare with
    assert all(outbox.now - one.created <= WEEK for one in outbox.alerts if one.state == "held")


def test_a_silence_lets_what_began_in_it_be_told_when_it_grows_afterwards() -> None:
    outbox = Outbox({"watch": rule()}, silences=(silence(),))
    outbox.look(found("T", thread="T", phase="start"))
    outbox.forward(DAY, HOUR)
    outbox.look(found("T:surging", thread="T", phase="update"))
    outbox.look(found("T:end", thread="T", phase="end"))
    assert [one.state for one in outbox.alerts] == ["silenced", "told", "told"]


FINDINGS = st.builds(
    lambda name, severity, topic, strength, send: found(
        rule=name, severity=severity, topic=topic, strength=strength, send=send
    ),
    st.sampled_from(["watch", "calm", "gone"]),
    st.sampled_from(["info", "warning", "critical"]),
    st.sampled_from(["capex", "efficiency"]),
    st.floats(0, 5),
    st.sampled_from([DESK, BOTH]),
)
PHASES = st.sampled_from(["once", "once", "start", "update", "end"])
STEPS = st.lists(
    st.tuples(st.integers(0, 200), st.lists(st.tuples(FINDINGS, PHASES, st.integers(0, 3)), max_size=9)), max_size=12
)
QUIET = st.sampled_from([(), ("22:00-07:00",), ("Sat,Sun 00:00-24:00", "18:00-09:00"), ("00:00-24:00",)])
SILENCES = st.lists(
    st.builds(
        lambda name, topic, begin, hours: Silence(1, name, topic, NOW + begin * HOUR, NOW + (begin + hours) * HOUR),
        st.sampled_from([None, "watch"]),
        st.sampled_from([None, "capex"]),
        st.integers(-1, 24),
        st.integers(1, 48),
    ),
    max_size=2,
)
RULES = {"watch": rule(), "calm": rule("calm", weekly_budget=2, cooldown="1h")}


def named(finding: Finding, phase: Phase, thread: int, number: int) -> Finding:
    """Give a finding a key, and a place in one of its rule's threads."""
    key = f"{finding.rule}:{thread}:{number}"
    return replace(finding, key=key, phase=phase, thread="" if phase == "once" else f"{finding.rule}:{thread}")


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, quiet=QUIET, silences=SILENCES)
def test_every_alert_ends_up_told_or_recorded_and_never_too_many_at_once(
    steps: list[tuple[int, list[tuple[Finding, Phase, int]]]], quiet: tuple[str, ...], silences: list[Silence]
) -> None:
    outbox = Outbox(RULES, quiet, tuple(silences))
    for turn, (minutes, new) in enumerate(steps):
        outbox.forward(minutes * MINUTE, max(minutes, 1) * MINUTE)
        outbox.look(*(named(*one, turn * 100 + n) for n, one in enumerate(new)))
    outbox.settle(60)
    assert outbox.count("held") == 0
    told_of = [number for _, one in outbox.messages for number in one.carries]
    assert sorted(told_of) == [one.id for one in outbox.alerts if one.state == "carried"]
    assert outbox.count("told") == len(outbox.messages)
    for name, cooldown in (("watch", COOLDOWN), ("calm", HOUR), ("gone", COOLDOWN)):
        sent = [(at, one.phase == "end") for at, one in outbox.messages if one.rule == name]
        assert at_most(BURST, cooldown, [at for at, is_end in sent if is_end])
        assert at_most(BURST, cooldown, [at for at, is_end in sent if not is_end])


def at_most(number: int, within: timedelta, moments: Sequence[datetime]) -> bool:
    return all(later - first >= within for first, later in zip(moments, moments[number:], strict=False))
