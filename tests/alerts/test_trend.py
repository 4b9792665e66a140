"""The trend rule: who is told what, when a topic surges."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules import RULES
from monitor.alerts.rules.match import MatchRule
from monitor.alerts.rules.occasion import Occasion
from monitor.alerts.rules.trend import TrendRule, budgets, explanation, findings, headline
from monitor.trends import Budgets
from tests.alerts.sample import HEADLINE, NOW, TREND, surge_occasion


def rule(**settings: Any) -> TrendRule:
    return TrendRule.model_validate({"rule": "trend", "name": "surge", **settings})


@pytest.mark.parametrize(
    ("change", "settings", "fires"),
    [
        pytest.param({}, {}, True, id="a rare surge fires"),
        pytest.param({"state": "rising"}, {}, True, id="so does a rise"),
        pytest.param({"state": "normal"}, {}, False, id="what is normal does not, however rare"),
        pytest.param({"state": "learning"}, {}, False, id="a topic that still learns does not"),
        pytest.param({"per_year": 9.0}, {}, False, id="a surge that chance brings nine times a year does not"),
        pytest.param({"per_year": 9.0}, {"false_alarms_per_year": 12}, True, id="a larger budget fires earlier"),
        pytest.param({}, {"false_alarms_per_year": 0.2}, False, id="a small budget fires later"),
        pytest.param({"state": "quiet", "way": "fall"}, {}, True, id="silence fires"),
        pytest.param({"state": "falling", "way": "fall", "per_year": 1.5}, {}, False, id="falls have their own budget"),
        pytest.param({"state": "quiet", "way": "fall"}, {"false_falls_per_year": 0}, False, id="falls turned off"),
        pytest.param({}, {"topics": ["capex"]}, False, id="another topic's rule stays silent"),
        pytest.param({}, {"topics": ["capex", "efficiency"]}, True, id="the topic is one of several"),
    ],
)
def test_it_fires_when(change: dict[str, Any], settings: dict[str, Any], fires: bool) -> None:
    occasion = Occasion(now=NOW, trends=(replace(TREND, **change),))
    assert bool(findings(rule(**settings), occasion)) is fires


def test_an_episode_keeps_its_key_and_a_new_one_gets_another() -> None:
    later = replace(TREND, window_end=NOW + timedelta(hours=3), observed=40, chance=1e-9)
    again = replace(later, episode=NOW + timedelta(days=9))
    keys = [findings(rule(), Occasion(now=NOW, trends=(trend,)))[0].key for trend in (TREND, later, again)]
    began = NOW + timedelta(days=9)
    assert keys == [f"surge:efficiency:rise:{NOW.isoformat()}", keys[0], f"surge:efficiency:rise:{began.isoformat()}"]


def test_the_finding_carries_all_that_a_message_needs() -> None:
    found = findings(rule(severity="critical", send=["desk"]), surge_occasion())[0]
    assert (found.rule, found.kind, found.topic, found.severity) == ("surge", "trend", "efficiency", "critical")
    assert (found.send, found.observed, found.expected) == (("desk",), 23, 5.0)
    assert (len(found.stories), len(found.days), found.evidence) == (12, 30, tuple(range(1, 13)))


def test_a_topic_without_known_stories_still_alerts() -> None:
    found = findings(rule(), Occasion(now=NOW, trends=(TREND,)))[0]
    assert (found.stories, found.days, found.evidence) == ((), (), ())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({}, HEADLINE, id="plain"),
        pytest.param(
            {"observed": 300, "expected": 21.4},
            "Efficiency news \N{MULTIPLICATION SIGN}14 since Sun 14:00: 300 stories, 21 expected",
            id="large",
        ),
        pytest.param(
            {"observed": 1, "expected": 0.01},
            "Efficiency news since Sun 14:00: 1 story, less than 0.1 expected",
            id="a ratio to almost nothing would be boasting",
        ),
        pytest.param(
            {"topic": "chip_supply", "expected": 9.97},
            "Chip supply news \N{MULTIPLICATION SIGN}2.3 since Sun 14:00: 23 stories, 10 expected",
            id="a topic of two words",
        ),
        pytest.param(
            {"observed": 3, "expected": 15.2, "state": "quiet"},
            "Efficiency falls \N{MULTIPLICATION SIGN}0.2 since Sun 14:00: 3 stories, 15 expected",
            id="a fall",
        ),
        pytest.param(
            {"observed": 0, "expected": 9.0, "state": "quiet"},
            "Efficiency falls since Sun 14:00: no story, 9.0 expected",
            id="silence",
        ),
    ],
)  # fmt: skip
def test_headline(change: dict[str, Any], told: str) -> None:
    assert headline(replace(TREND, **change)) == told


def test_the_explanation_says_what_was_compared_and_how_rare_it_is() -> None:
    assert explanation(TREND) == (
        "23 stories, first told by 9 outlets, since Sun 14:00 (24 hours); "
        "5.0 expected of the same 12 feeds for these days (2 to 9 would be usual). "
        "That is 31% of all stories, usually 9%. Chance alone does this once in 2.3 years."
    )


def test_times_are_told_in_the_time_zone_of_the_configuration() -> None:
    found = findings(rule(), replace(surge_occasion(), zone="Asia/Tokyo"))[0]
    assert ("since Sun 23:00" in found.headline, "since Sun 23:00" in found.explanation, found.zone) == (
        True,
        True,
        "Asia/Tokyo",
    )


@pytest.mark.parametrize("value", [0, -1, "often"], ids=["zero", "negative", "no number"])
def test_a_budget_that_means_nothing_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        rule(false_alarms_per_year=value)


def test_the_detector_may_use_the_largest_budget_of_the_rules_that_watch_the_topic() -> None:
    rules = [
        rule(false_alarms_per_year=1),
        rule(false_alarms_per_year=4, topics=["efficiency"]),
        MatchRule(rule="match", name="m", send=()),
    ]
    assert [budgets(rules, topic).rises for topic in ("efficiency", "capex")] == [4, 1]
    assert budgets([], "capex") == Budgets(2, 1)


def test_the_table_names_every_rule_as_feeds_yaml_does() -> None:
    for name, kind in RULES.items():
        settings = kind.settings.model_validate({"rule": name, "name": "n"})
        assert kind.findings(settings, Occasion(now=NOW)) == []
