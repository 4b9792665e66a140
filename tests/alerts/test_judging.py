"""What the rules find together: channels filled in, what lasts told again, which stories the messages need."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.feeds import FeedsRule
from monitor.alerts.rules.match import MatchRule
from monitor.alerts.rules.occasion import Occasion, Tagged
from monitor.alerts.rules.trend import TrendRule
from monitor.judging import findings, repeats, topics_of_interest
from storage.alert_records import Finding, Phase, ToldAlert
from storage.feed_records import FeedHealth
from tests.alerts.sample import NOW, TREND, item

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SURGE = TrendRule(name="surge", rule="trend", repeat=6 * HOUR)
START = f"surge:efficiency:rise:{NOW.isoformat()}"


def told(key: str, phase: Phase, ago: timedelta, **fields: Any) -> ToldAlert:
    """Return an alert of the surge's thread, raised so long before ``LATER``."""
    return ToldAlert(START + key, "surge", START, phase, LATER - ago, **fields)


LATER = NOW + 9 * DAY
BEGAN = told("", "start", 7 * HOUR)


def looked(*alerts: ToldAlert, settings: TrendRule = SURGE, **change: Any) -> list[Finding]:
    """Return what is found at a look nine days after the surge began, less what is known."""
    trend = replace(TREND, **{"since": NOW, **change})
    known = {alert.key: alert for alert in alerts}
    found = findings([settings], Occasion(now=LATER, trends=(trend,), told=known), ("desk",))
    return [one for one in found if one.key not in known]


@pytest.mark.parametrize(
    ("alerts", "repeated"),
    [
        pytest.param((), [], id="it just began"),
        pytest.param((told("", "start", 5 * HOUR),), [], id="it was told a little while ago"),
        pytest.param((told("", "start", 6 * HOUR),), [":repeat:1"], id="it was told long ago"),
        pytest.param((BEGAN, told(":surging", "update", HOUR)), [], id="it grew a little while ago"),
        pytest.param((BEGAN, told(":repeat:1", "update", HOUR)), [], id="it was repeated a little while ago"),
        pytest.param(
            (told("", "start", 13 * HOUR), told(":repeat:1", "update", 7 * HOUR)),
            [":repeat:2"],
            id="it was repeated long ago",
        ),
        pytest.param((replace(BEGAN, acked=LATER - HOUR),), [], id="somebody acknowledged it"),
        pytest.param(
            (told("", "start", 13 * HOUR, acked=LATER - DAY), told(":repeat:1", "update", 7 * HOUR)),
            [],
            id="somebody acknowledged it before it was told once more",
        ),
        pytest.param((replace(BEGAN, state="held"),), [], id="it waits to be told"),
        pytest.param(
            (told("", "start", 13 * HOUR), told(":repeat:1", "update", 7 * HOUR, state="held")),
            [],
            id="its last reminder waits to be told",
        ),
        pytest.param((replace(BEGAN, until=LATER - HOUR),), [], id="it waited, and was told a little while ago"),
        pytest.param((replace(BEGAN, state="carried"),), [":repeat:1"], id="another message carried it"),
        pytest.param((replace(BEGAN, state="silenced"),), [":repeat:1"], id="it was silenced: perhaps no more"),
        pytest.param((BEGAN, told(":end", "end", 7 * HOUR)), [":again:2026-11-23T14:02:00+00:00"], id="it was over"),
    ],
)
def test_what_lasts_is_told_again(alerts: tuple[ToldAlert, ...], repeated: list[str]) -> None:
    found = looked(*alerts)
    assert [one.key.removeprefix(START) for one in found if alerts] == repeated


def test_a_reminder_is_an_update_with_the_present_numbers() -> None:
    [one] = looked(BEGAN, observed=61, per_year=9.0)
    assert one.headline == "Still: Efficiency news \N{MULTIPLICATION SIGN}12 since Sun 14:00: 61 stories, 5.0 expected"
    assert (one.thread, one.phase, one.send, one.observed) == (START, "update", ("desk",), 61)


@pytest.mark.parametrize("state", ["normal", "learning"])
def test_what_does_not_last_is_not_repeated(state: str) -> None:
    assert looked(BEGAN, state=state, since=LATER - HOUR) == []


def test_without_repeat_nothing_is() -> None:
    assert looked(BEGAN, settings=TrendRule(name="surge", rule="trend")) == []


def test_a_thread_of_two_findings_is_repeated_once_by_the_later_one() -> None:
    one = Finding("surge", "trend", START, "warning", "efficiency", "It began", "", (), phase="start")
    other = replace(one, key=f"{START}:grown", thread=START, phase="update", headline="It grew")
    known = (BEGAN, told(":grown", "update", 7 * HOUR))
    [found] = repeats(SURGE, [one, other], {alert.key: alert for alert in known}, LATER)
    assert (found.key, found.headline) == (f"{START}:repeat:1", "Still: It grew")


def test_a_feeds_trouble_is_repeated_too() -> None:
    rule = FeedsRule(name="trouble", rule="feeds", repeat=DAY)
    down = FeedHealth(3, "Lab Notes", "failing", NOW - 3 * DAY)
    [first] = findings([rule], Occasion(now=NOW, feeds=(down,)), ())
    known = {first.key: ToldAlert(first.key, "trouble", first.thread, first.phase, NOW)}
    found = findings([rule], Occasion(now=NOW + DAY, feeds=(down,), told=known), ())
    assert [one.key for one in found] == [first.key, f"{first.key}:repeat:1"]


def test_a_rule_that_names_no_channel_tells_all_of_them() -> None:
    rules = [TrendRule(name=name, rule="trend", send=send) for name, send in (("a", ("desk",)), ("b", ()))]
    found = findings(rules, Occasion(now=NOW, trends=(TREND,)), ("desk", "screen"))
    assert [one.send for one in found] == [("desk",), ("desk", "screen")]


def test_the_stories_that_messages_need_begin_as_early_as_one_of_them_needs() -> None:
    began = NOW - 2 * DAY
    capex = replace(TREND, topic="capex", way="fall", state="normal", alarmed=NOW - DAY, episode=began)
    rules = (
        MatchRule(name="m", rule="match"),
        TrendRule(name="surge", rule="trend"),
        CompoundRule.model_validate(
            {"name": "c", "rule": "compound", "all": [{"rises": "efficiency"}, {"falls": "capex"}]}
        ),
    )
    found: dict[str, datetime] = dict(topics_of_interest(rules, (TREND, capex), {}, NOW))
    assert found == {"efficiency": TREND.window_start, "capex": began}


def test_a_match_is_found_once_whatever_was_told() -> None:
    rule = MatchRule(name="m", rule="match", repeat=HOUR)
    occasion = Occasion(now=NOW, tagged=(Tagged(item(1, "x"), {"capex": 0.9}),))
    assert [one.key for one in findings([rule], occasion, ())] == ["m:item:1"]


class TestARuleThatFails:
    """Odd data may meet a fault in one rule: it costs only that rule."""

    surge = TrendRule(name="surge", rule="trend")
    odd = FeedsRule(name="odd", rule="feeds", send=("screen",))
    occasion = Occasion(now=NOW, trends=(TREND,), feeds=(cast("FeedHealth", "no record of a feed"),))

    def test_the_others_go_on_and_an_alert_tells_it(self) -> None:
        failed: list[tuple[str, type[Exception]]] = []
        fault, surge = findings(
            [self.odd, self.surge],
            self.occasion,
            ("desk",),
            lambda rule, error: failed.append((rule.name, type(error))),
        )
        assert (surge.rule, surge.phase) == ("surge", "start")
        assert (fault.headline, fault.send, fault.phase) == ("Alert rule 'odd' has failed", ("screen",), "once")
        assert failed == [("odd", AttributeError)]

    def test_it_is_told_once_a_day(self) -> None:
        hours = (replace(self.occasion, now=NOW.replace(hour=0) + n * HOUR) for n in (0, 23, 24))
        first, same, next_day = (findings([self.odd], one, ())[0].key for one in hours)
        assert first == same != next_day

    def test_stories_are_looked_up_for_the_others(self) -> None:
        odd = TrendRule(name="odd", rule="trend")
        told_oddly = (told(f":{n}", "start", HOUR, strength=cast("float", n)) for n in (None, "odd"))
        known = {alert.key: replace(alert, rule="odd") for alert in told_oddly}
        assert set(topics_of_interest([odd, self.surge], (TREND,), known, NOW)) == {"efficiency"}
