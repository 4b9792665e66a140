"""The compound rule: when several things hold together, what is told of it, and that it is told once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.compound import STORIES_KEPT, CompoundRule, findings, topics_of_interest
from monitor.alerts.rules.occasion import Occasion
from storage.alert_records import Finding, ToldAlert
from storage.records import Trend
from tests.alerts.sample import NOW, TREND, days, stories

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OVERBUILD = [{"rises": "efficiency"}, {"falls": "capex"}]
RISE = replace(TREND, episode=NOW - DAY)
FALL = replace(
    TREND, topic="capex", state="falling", way="fall", observed=2, expected=5.0, per_year=0.8, surprise=2.0,
    episode=NOW - 2 * DAY, window_start=NOW - 2 * DAY,
)  # fmt: skip


def rule(*conditions: dict[str, Any], **settings: Any) -> CompoundRule:
    usual = {"rule": "compound", "name": "overbuild", "all": list(conditions) or OVERBUILD}
    return CompoundRule.model_validate({**usual, **settings})


def over(trend: Trend, ago: timedelta, **change: Any) -> Trend:
    """Return the topic as usual again; it was last unusual so long ago."""
    return replace(trend, state="normal", alarmed=NOW - ago, episode=NOW - ago - DAY, per_year=300.0, **change)


def found(
    settings: CompoundRule,
    *trends: Trend,
    now: datetime = NOW,
    last: Mapping[str, datetime] | None = None,
    told: Mapping[str, ToldAlert] | None = None,
) -> list[Finding]:
    return findings(settings, Occasion(now=now, trends=trends, last=last or {}, told=told or {}))


def as_told(*raised: Finding, at: datetime = NOW) -> dict[str, ToldAlert]:
    return {one.key: ToldAlert(one.key, one.rule, one.thread or one.key, one.phase, at) for one in raised}


@pytest.mark.parametrize(
    ("settings", "trends", "last", "holds"),
    [
        pytest.param({}, (RISE, FALL), {}, True, id="both at once"),
        pytest.param({}, (RISE, replace(FALL, state="quiet")), {}, True, id="a topic that is quiet falls too"),
        pytest.param({}, (RISE, over(FALL, 3 * DAY)), {}, True, id="the fall was over three days ago"),
        pytest.param({}, (RISE, over(FALL, 7 * DAY)), {}, True, id="the fall was over a week ago, to the second"),
        pytest.param({}, (RISE, over(FALL, 7 * DAY + HOUR)), {}, False, id="the fall was over more than a week ago"),
        pytest.param({"within": "1d"}, (RISE, over(FALL, 3 * DAY)), {}, False, id="the user's days are fewer"),
        pytest.param({}, (RISE, replace(FALL, way="rise", state="rising")), {}, False, id="both rise"),
        pytest.param({}, (RISE,), {}, False, id="nobody looked at the other topic"),
        pytest.param({}, (RISE, replace(FALL, way=None, episode=None, alarmed=None)), {}, False, id="never unusual"),
        pytest.param({}, (), {}, False, id="nobody looked"),
        pytest.param(
            {"all": [{"rises": "efficiency"}, {"alert": "chips"}]}, (RISE,), {"chips": NOW - DAY}, True,
            id="a rise, and another rule's alert",
        ),
        pytest.param(
            {"all": [{"rises": "efficiency"}, {"alert": "chips"}]}, (RISE,), {"chips": NOW - 8 * DAY}, False,
            id="the other rule's alert is too old",
        ),
        pytest.param(
            {"all": [{"rises": "efficiency"}, {"alert": "chips"}]}, (RISE,), {}, False, id="it never alerted"
        ),
        pytest.param(
            {"all": [*OVERBUILD, {"alert": "chips"}]}, (RISE, FALL), {"chips": NOW}, True, id="three conditions"
        ),
        pytest.param({"all": [*OVERBUILD, {"alert": "chips"}]}, (RISE, FALL), {}, False, id="two of three"),
    ],
)  # fmt: skip
def test_it_starts_when_all_hold(
    settings: dict[str, Any], trends: tuple[Trend, ...], last: dict[str, datetime], holds: bool
) -> None:
    assert [one.phase for one in found(rule(**settings), *trends, last=last)] == ["start"] * holds


def test_the_finding_names_the_coincidence_by_what_came_together() -> None:
    (one,) = found(rule(severity="critical", send=["desk"]), RISE, FALL)
    assert (
        one.key
        == one.thread
        == ("overbuild:efficiency:rise:2026-11-22T14:02:00+00:00:capex:fall:2026-11-21T14:02:00+00:00")
    )
    assert (one.rule, one.kind, one.severity, one.topic, one.send) == (
        "overbuild", "compound", "critical", "efficiency", ("desk",)
    )  # fmt: skip
    assert one.strength == pytest.approx(4.9 + 2.0)


def test_one_coincidence_is_told_once_however_its_parts_move() -> None:
    settings = rule(*OVERBUILD, {"alert": "chips"})
    told = as_told(*found(settings, RISE, FALL, last={"chips": NOW - DAY}))
    life = [
        ((RISE, FALL), NOW),
        ((replace(RISE, observed=40), replace(FALL, state="quiet")), NOW),
        ((RISE, over(FALL, DAY)), NOW - HOUR),
        ((replace(RISE, episode=NOW), FALL), NOW),  # a new rise, while everything holds all the time
    ]
    for trends, chips in life:
        (one,) = found(settings, *trends, last={"chips": chips}, told=told)
        assert one.key in told


def test_another_rules_alert_is_named_by_its_day() -> None:
    settings = rule({"alert": "chips"}, {"rises": "efficiency"})
    (one,) = found(settings, RISE, last={"chips": NOW})
    assert one.key == "overbuild:chips:alert:2026-11-23:efficiency:rise:2026-11-22T14:02:00+00:00"
    assert one.topic == "efficiency"
    assert found(rule({"alert": "chips"}, {"alert": "other"}), RISE, last={"chips": NOW, "other": NOW})[0].topic == ""


def test_it_ends_once_and_may_come_again() -> None:
    settings, start = rule(), found(rule(), RISE, FALL)[0]
    told = as_told(start)
    (end,) = found(settings, RISE, over(FALL, 9 * DAY), now=NOW + 5 * DAY, told=told)
    assert (end.key, end.thread, end.phase, end.severity) == (f"{start.key}:end", start.key, "end", "info")
    told |= as_told(end, at=NOW + 5 * DAY)
    assert found(settings, RISE, over(FALL, 9 * DAY), told=told) == []
    # The same two episodes go on: the start's own key is used up.
    later = NOW + 6 * DAY
    (again,) = found(settings, replace(RISE, alarmed=later), replace(FALL, alarmed=later), now=later, told=told)
    assert (again.key, again.phase) == (f"{start.key}:2026-11-29T14:02:00+00:00", "start")
    assert again.key == again.thread
    told |= as_told(again, at=later)
    moved = replace(RISE, alarmed=later + HOUR)
    assert found(settings, moved, replace(FALL, alarmed=later), now=later + HOUR, told=told)[0].key in told


@pytest.mark.parametrize(
    "trends",
    [
        pytest.param((), id="nobody looked"),
        pytest.param((RISE,), id="nobody looked at one of the topics"),
        pytest.param((RISE, replace(over(FALL, 9 * DAY), state="learning")), id="an outage: a topic cannot be judged"),
    ],
)
def test_it_does_not_end_while_nobody_can_say_so(trends: tuple[Trend, ...]) -> None:
    assert found(rule(), *trends, told=as_told(*found(rule(), RISE, FALL))) == []


@pytest.mark.parametrize(
    ("settings", "trends", "headline"),
    [
        pytest.param({}, (RISE, FALL), "Efficiency rises while capex falls: ×4.6 and ×0.4", id="at the same time"),
        pytest.param(
            {}, (replace(RISE, episode=NOW), over(FALL, 3 * DAY)), "Efficiency rises while capex fell within 3 days",
            id="one after the other",
        ),
        pytest.param(
            {}, (RISE, replace(FALL, observed=0)), "Efficiency rises while capex falls", id="a ratio of nothing"
        ),
        pytest.param(
            {"all": [*OVERBUILD, {"alert": "chips"}]}, (RISE, FALL),
            "Efficiency rises while capex falls and rule “chips” alerted", id="three conditions",
        ),
        pytest.param(
            {"all": [{"rises": "AI_chips"}, {"falls": "GPUs"}]},
            (replace(RISE, topic="AI_chips"), replace(FALL, topic="GPUs")),
            "AI chips rises while GPUs falls: ×4.6 and ×0.4", id="names in capitals",
        ),
        pytest.param(
            {"all": [{"alert": "chips"}, {"rises": "efficiency"}]}, (RISE,),
            "Rule “chips” alerted while efficiency rises", id="a rule first",
        ),
    ],
)  # fmt: skip
def test_the_headline(settings: dict[str, Any], trends: tuple[Trend, ...], headline: str) -> None:
    assert found(rule(**settings), *trends, last={"chips": NOW})[0].headline == headline


def test_the_explanation_gives_each_conditions_numbers_and_what_chance_would_do() -> None:
    assert found(rule(), RISE, FALL)[0].explanation == (
        "Efficiency rises since Sun 14:02: 23 stories since Sun 14:00, 5.0 expected; chance alone does this once in "
        "2.3 years. Capex falls since Sat 14:02: 2 stories since Sat 14:02, 5.0 expected; chance alone does this "
        "once in 1.2 years. Each alone may be chance; if they had nothing to do with each other, chance would bring "
        "them together within 7 days once in 76 years."
    )


def test_what_is_over_is_told_without_the_numbers_of_today() -> None:
    settings = rule(*OVERBUILD, {"alert": "chips"})
    (one,) = found(settings, RISE, over(FALL, 3 * DAY), last={"chips": NOW - HOUR})
    assert one.explanation.split("2.3 years. ")[1] == (
        "Capex fell from Thu 14:02 to Fri 14:02, and is usual again. Rule “chips” last alerted Mon 13:02. "
        "Each alone may be chance; this rule tells what comes together within 7 days."
    )


@pytest.mark.parametrize(
    ("trends", "headline", "explanation"),
    [
        pytest.param(
            (RISE, over(FALL, 8 * DAY)),
            "No longer together: efficiency rises and capex falls; it lasted 5 days",
            "Capex last fell 15 Nov, more than 7 days ago.",
            id="one is over for long",
        ),
        pytest.param(
            (replace(RISE, way="fall", state="falling"), over(FALL, 8 * DAY)),
            "No longer together: efficiency rises and capex falls; it lasted 5 days",
            "Efficiency rises no more. Capex last fell 15 Nov, more than 7 days ago.",
            id="one has turned round",
        ),
    ],
)
def test_the_end_says_what_is_over(trends: tuple[Trend, ...], headline: str, explanation: str) -> None:
    (one,) = found(rule(), *trends, told=as_told(found(rule(), RISE, FALL)[0], at=NOW - 5 * DAY))
    assert (one.headline, one.explanation) == (headline, explanation)


def test_the_message_shows_both_topics() -> None:
    known = {"efficiency": stories(), "capex": tuple(replace(one, item_id=one.item_id + 5) for one in stories()[:9])}
    bars = {"efficiency": days(), "capex": days()}
    occasion = Occasion(now=NOW, trends=(RISE, over(FALL, DAY)), stories=known, days=bars, zone="Asia/Tokyo")
    (one,) = findings(rule(), occasion)
    assert [(chart.topic, chart.expected, len(chart.days)) for chart in one.charts] == [
        ("efficiency", 5.0, 30), ("capex", None, 30),
    ]  # fmt: skip
    assert [(part.title, len(part.stories), part.left_out) for part in one.lists] == [
        ("Efficiency rises", STORIES_KEPT, 2), ("Capex fell", 9, 0),
    ]  # fmt: skip
    assert one.evidence == tuple(range(1, 15))  # each item once
    assert (one.zone, one.stories, one.observed) == ("Asia/Tokyo", (), None)
    assert "since Sun 23:02" in one.explanation


@pytest.mark.parametrize(
    ("settings", "trends", "topics"),
    [
        pytest.param({}, (RISE, FALL), {"efficiency": RISE.window_start, "capex": FALL.window_start}, id="both"),
        pytest.param(
            {}, (RISE, over(FALL, DAY)), {"efficiency": RISE.window_start, "capex": NOW - 2 * DAY},
            id="one is over: its whole episode",
        ),
        pytest.param({}, (RISE, over(FALL, 8 * DAY)), {}, id="one does not hold"),
        pytest.param(
            {"all": [{"rises": "efficiency"}, {"alert": "chips"}]}, (RISE,), {"efficiency": RISE.window_start},
            id="another rule's alert is not looked at",
        ),
        pytest.param({"all": [{"alert": "a"}, {"alert": "b"}]}, (RISE,), {}, id="no topic is named"),
    ],
)  # fmt: skip
def test_the_topics_whose_stories_are_shown(
    settings: dict[str, Any], trends: tuple[Trend, ...], topics: dict[str, datetime]
) -> None:
    assert topics_of_interest(rule(**settings), trends, NOW) == topics


def test_it_names_the_topics_and_rules_that_it_needs() -> None:
    settings = rule(*OVERBUILD, {"alert": "chips"})
    assert (settings.topics, settings.rules_named) == (("efficiency", "capex"), ("chips",))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({"all": [{"rises": "x"}]}, "at least 2", id="one condition"),
        pytest.param({"all": [{"rises": "x"}, {"rises": "x"}]}, "once", id="the same twice"),
        pytest.param({"all": [{"rises": "x"}, {"falls": "x"}]}, "same time", id="up and down at once"),
        pytest.param({"all": [{"rises": "x"}, {"alert": "overbuild"}]}, "its own alerts", id="itself"),
        pytest.param({"all": [{"rises": "x", "falls": "y"}, {"alert": "z"}]}, "exactly one", id="two in one"),
        pytest.param({"all": [{}, {"alert": "z"}]}, "exactly one", id="an empty condition"),
        pytest.param({"all": [{"rises": ""}, {"alert": "z"}]}, "exactly one", id="an empty name"),
        pytest.param({"all": [{"grows": "x"}, {"alert": "z"}]}, "grows", id="an unknown condition"),
        pytest.param({"within": "5m"}, "1 hour", id="too short a time"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        rule(**settings)


def test_settings_that_are_shown_can_be_read_again() -> None:
    assert CompoundRule.model_validate_json(rule().model_dump_json()) == rule()


def test_a_topic_and_a_rule_may_share_a_name() -> None:
    assert rule({"rises": "chips"}, {"alert": "chips"}).topics == ("chips",)
