"""The trend rule: who is told what, when a topic surges."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules import RULES
from monitor.alerts.rules.match import MatchRule
from monitor.alerts.rules.occasion import Occasion
from monitor.alerts.rules.trend import TrendRule, budgets, explanation, findings, headline, topics_of_interest
from monitor.trends import Budgets
from storage.alert_records import Finding, ToldAlert
from storage.records import Trend, TrendState
from tests.alerts.sample import HEADLINE, NOW, TREND, days, stories, surge_occasion

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NORMAL = replace(TREND, state="normal", since=NOW - 9 * DAY, episode=None, way=None)
START = f"surge:efficiency:rise:{NOW.isoformat()}"


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
    assert (len(found.stories), found.evidence) == (12, tuple(range(1, 13)))
    [chart] = found.charts
    assert (chart.topic, len(chart.days), chart.expected) == ("efficiency", 30, 5.0)
    assert (found.thread, found.phase) == (found.key, "start")


def test_a_topic_without_known_stories_still_alerts() -> None:
    found = findings(rule(), Occasion(now=NOW, trends=(TREND,)))[0]
    assert (found.stories, found.charts, found.evidence) == ((), (), ())


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


# Episodes


@dataclass
class Story:
    """An episode as it is lived through, look by look; what is found is raised, and remembered as the store does."""

    settings: TrendRule
    now: datetime = NOW
    trend: Trend = NORMAL
    told: dict[str, ToldAlert] = field(default_factory=dict)
    raised: list[Finding] = field(default_factory=list)

    def look(self, state: TrendState, **change: Any) -> list[str]:
        """Look once more; return what is new: how each key goes on after its episode's."""
        since = self.trend.since if self.trend.state == state else self.now
        looked = {"state": state, "since": since, "evaluated": self.now, "window_end": self.now}
        begin = self.now.replace(minute=0) - DAY
        usual = {"per_year": {"rising": 0.9, "surging": 0.4, "falling": 0.9, "quiet": 0.4}.get(state, 200.0)}
        self.trend = replace(self.trend, **{**looked, **usual, "window_start": begin, **change})
        found = findings(self.settings, Occasion(now=self.now, trends=(self.trend,), told=self.told))
        new = [one for one in found if one.key not in self.told]
        for one in new:
            self.told[one.key] = remembered(one, self.now)
        self.raised += new
        return [one.key.removeprefix(one.thread) or "start" for one in new]

    def rise(self, state: TrendState = "rising", **change: Any) -> list[str]:
        """Begin an episode now."""
        return self.look(state, way="rise", episode=self.now, alarmed=self.now, **change)

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def hourly(self, state: TrendState, hours: int, **change: Any) -> list[str]:
        """Look every hour; return what was new."""
        found = []
        for _ in range(hours):
            self.later(hours=1)
            found += self.look(state, **change)
        return found


def remembered(one: Finding, now: datetime) -> ToldAlert:
    whole = now.replace(microsecond=0)
    return ToldAlert(one.key, one.rule, one.thread, one.phase, whole, strength=one.strength)


def story(**settings: Any) -> Story:
    return Story(rule(**settings))


class TestAnEpisode:
    def test_is_told_when_it_begins_when_it_grows_and_when_it_is_over(self) -> None:
        one = story(severity="critical")
        assert one.rise() == ["start"]
        assert one.hourly("rising", 5) == []
        assert one.hourly("surging", 5) == [":surging"]
        assert one.hourly("rising", 3) == []
        assert one.hourly("surging", 3) == []
        assert one.hourly("normal", 40) == [":end"]
        assert [(found.phase, found.severity) for found in one.raised] == [
            ("start", "critical"),
            ("update", "critical"),
            ("end", "info"),
        ]
        assert {found.thread for found in one.raised} == {START}

    def test_that_began_as_a_surge_never_grows(self) -> None:
        one = story()
        assert one.rise("surging") == ["start"]
        assert one.hourly("surging", 30) == []

    def test_that_began_as_a_surge_and_fades_does_not_grow_where_a_shorter_window_shows_it_best(self) -> None:
        one = story()
        assert one.rise("surging") == ["start"]
        assert one.hourly("rising", 5) == []
        assert one.hourly("surging", 5, per_year=0.6) == []

    def test_that_grows_while_it_is_not_rare_is_told_to_have_grown_once_it_is(self) -> None:
        one = story()
        one.rise()
        assert one.hourly("surging", 3, per_year=9.0) == []
        assert one.hourly("surging", 3) == [":surging"]

    def test_that_grew_before_a_stricter_rule_told_it_is_told_once(self) -> None:
        one = story(false_alarms_per_year=0.1)
        assert one.rise() == []
        assert one.hourly("surging", 5) == []
        assert one.hourly("surging", 5, per_year=0.05) == ["start"]

    def test_lasts_while_it_is_normal_for_less_than_a_day(self) -> None:
        one = story()
        one.rise()
        assert one.hourly("normal", 24) == []
        assert one.hourly("rising", 2) == []
        assert one.hourly("normal", 25) == [":end"]

    def test_is_not_over_because_nobody_can_judge_it(self) -> None:
        one = story()
        one.rise()
        assert one.hourly("learning", 60) == []
        assert one.hourly("normal", 24) == []
        assert one.hourly("normal", 1) == [":end"]

    def test_that_goes_on_after_its_end_is_told_again_and_ends_again(self) -> None:
        one = story()
        one.rise()
        assert one.hourly("normal", 30) == [":end"]
        [again] = one.hourly("rising", 30)
        assert again.startswith(":again:2026-11-")
        [end] = one.hourly("normal", 30)
        assert end.startswith(":end:2026-11-")
        [again] = one.hourly("surging", 3)
        [end] = one.hourly("normal", 30)
        assert [found.phase for found in one.raised] == ["start", "end", "update", "end", "update", "end"]

    def test_that_goes_on_less_rarely_than_the_budget_allows_stays_over(self) -> None:
        one = story()
        one.rise()
        one.hourly("normal", 30)
        assert one.hourly("rising", 3, per_year=9.0) == []

    def test_that_goes_on_as_a_surge_is_one_update_not_two(self) -> None:
        one = story()
        one.rise()
        one.hourly("normal", 30)
        assert len(one.hourly("surging", 5)) == 1

    def test_that_turns_into_a_fall_is_over_at_once(self) -> None:
        one = story()
        one.rise()
        one.later(hours=30)
        found = one.look("falling", way="fall", episode=one.now, alarmed=one.now)
        assert found == ["start", ":end"]
        assert one.raised[-1].headline == "Efficiency news: the rise is over: no story in 2 days"
        assert one.hourly("quiet", 3) == [":quiet"]

    def test_of_a_topic_that_is_not_watched_any_more_still_ends(self) -> None:
        one = story()
        one.rise()
        one.settings = rule(topics=["capex"])
        assert one.hourly("surging", 3) == []
        assert one.hourly("normal", 30) == [":end"]

    def test_of_another_topic_or_rule_is_left_alone(self) -> None:
        one = story()
        one.rise()
        other = replace(one.trend, topic="capex", state="normal", since=one.now, episode=None)
        for settings, trend in ((rule(), other), (rule(name="other"), replace(other, topic="efficiency"))):
            occasion = Occasion(now=one.now + 3 * DAY, trends=(trend,), told=one.told)
            assert findings(settings, occasion) == []

    def test_from_before_alerts_had_ends_gets_none(self) -> None:
        one = story()
        one.told[START] = ToldAlert(START, "surge", START, "once", NOW)
        assert one.rise() == []
        assert one.hourly("normal", 30) == []

    def test_is_found_as_long_as_it_lasts_so_that_it_can_be_repeated(self) -> None:
        one = story()
        one.rise()
        one.hourly("rising", 3, per_year=9.0)
        [found] = findings(one.settings, Occasion(now=one.now, trends=(one.trend,), told=one.told))
        assert (found.key, found.phase) == (START, "start")


def over(settings: TrendRule, **change: Any) -> Finding:
    """Return the end of an episode that began three days ago and was normal again yesterday."""
    began = NOW - 3 * DAY
    key = f"surge:efficiency:rise:{began.isoformat()}"
    trend = replace(TREND, state="normal", since=NOW - DAY, episode=began, observed=4, per_year=200.0)
    usual = Occasion(
        now=NOW,
        trends=(trend,),
        told={key: ToldAlert(key, "surge", key, "start", began)},
        days={"efficiency": days()},
    )
    [found] = findings(settings, replace(usual, **change))
    return found


def test_the_end_tells_how_long_it_lasted_and_all_its_stories() -> None:
    spread = [replace(line, published=NOW - n * 8 * HOUR) for n, line in enumerate(stories())]
    found = over(rule(send=["desk"]), stories={"efficiency": tuple(spread)})
    assert found.headline == "Efficiency news back to normal: 9 stories in 3 days"
    assert found.explanation == (
        "The rise lasted 2 days, from Fri 14:02 to Sun 14:02. "
        "The last 24 hours brought 4 stories; 5.0 expected of 12 feeds."
    )
    assert (found.observed, found.expected, found.evidence, found.send) == (9, None, tuple(range(4, 13)), ("desk",))
    assert [chart.expected for chart in found.charts] == [None]


def test_an_end_without_stories_and_one_with_more_than_are_known() -> None:
    assert over(rule()).headline == "Efficiency news back to normal: no story in 3 days"
    many = tuple(replace(stories()[0], item_id=n, published=NOW - 2 * DAY) for n in range(500))
    found = over(rule(), stories={"efficiency": many})
    assert found.headline == "Efficiency news back to normal: at least 500 stories in 3 days"
    assert (len(found.stories), len(found.evidence)) == (25, 500)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        pytest.param(
            ("rising", "surging"),
            "Efficiency news now a surge: ×4.6 since Sun 15:00: 23 stories, 5.0 expected",
            id="a surge",
        ),
        pytest.param(
            ("falling", "quiet"),
            "Efficiency falls quiet: ×4.6 since Sun 15:00: 23 stories, 5.0 expected",
            id="silence",
        ),
    ],
)
def test_the_headline_of_an_episode_that_grows(states: Sequence[TrendState], told: str) -> None:
    one = story()
    way = "rise" if states[0] == "rising" else "fall"
    one.look(states[0], way=way, episode=NOW, alarmed=NOW)
    one.hourly(states[1], 1)
    assert one.raised[-1].headline == told
    assert one.raised[-1].explanation.startswith("It has grown since the first alert (Mon 14:02). 23 stories")


@pytest.mark.parametrize(("state", "way", "verb"), [("rising", "rise", "rises"), ("quiet", "fall", "falls")])
def test_the_headline_of_an_episode_that_goes_on(state: TrendState, way: str, verb: str) -> None:
    one = story()
    one.look(state, way=way, episode=NOW, alarmed=NOW)
    one.hourly("normal", 30)
    one.hourly(state, 1)
    figures = "×4.6 since Mon 21:00: 23 stories, 5.0 expected"
    assert one.raised[-1].headline == f"Efficiency {verb} again: {figures}"


def test_a_rarer_rise_is_stronger() -> None:
    rare, rarer = (
        findings(rule(), Occasion(now=NOW, trends=(replace(TREND, per_year=each),)))[0].strength for each in (1.0, 0.0)
    )
    assert 0 == rare < rarer


class TestTopicsOfInterest:
    def interest(self, one: Story, *settings: TrendRule) -> dict[str, datetime]:
        rules = settings or (one.settings,)
        return dict(topics_of_interest(rules, (one.trend,), one.told, one.now))

    def test_are_those_with_something_to_tell_since_their_window_began(self) -> None:
        one = story()
        one.rise()
        told, one.told = one.told, {}
        assert self.interest(one) == {"efficiency": one.trend.window_start}
        one.told = told
        assert self.interest(one) == {}

    def test_are_also_those_that_are_told_again(self) -> None:
        one = story(repeat="6h")
        one.rise()
        assert self.interest(one) == {"efficiency": one.trend.window_start}

    def test_of_an_end_reach_back_to_the_day_before_the_episode(self) -> None:
        one = story()
        one.rise()
        one.now += 3 * DAY
        one.trend = replace(one.trend, state="normal", since=one.now - DAY)
        assert self.interest(one) == {"efficiency": NOW - DAY}

    def test_of_two_rules_reach_back_as_far_as_one_of_them_needs(self) -> None:
        one = story()
        one.rise()
        one.later(days=2)
        one.trend = replace(one.trend, way="fall", state="falling", episode=one.now, window_start=one.now - DAY)
        assert self.interest(one, rule(), rule(name="other")) == {"efficiency": NOW - DAY}

    def test_are_none_where_nothing_is_unusual(self) -> None:
        one = story()
        one.hourly("normal", 2)
        assert self.interest(one) == {}


NEEDED: dict[str, dict[str, Any]] = {
    "compound": {"all": [{"rises": "efficiency"}, {"falls": "capex"}]},
    "query": {"sql": "SELECT 1"},
    "silence": {"no_items": "12h"},
    "digest": {"at": "08:00"},
}
"""What a rule of a kind must say, beside its name."""


@pytest.mark.parametrize("name", RULES)
def test_the_table_names_every_rule_as_feeds_yaml_does(name: str) -> None:
    kind = RULES[name]
    settings = kind.settings.model_validate({"rule": name, "name": "n", **NEEDED.get(name, {})})
    assert kind.findings(settings, Occasion(now=NOW)) == []
