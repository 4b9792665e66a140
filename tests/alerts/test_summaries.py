"""Several alerts as one message: what it says, and that nothing is left out."""

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from monitor.alerts.summaries import BUDGET, COOLDOWN, EVIDENCE_KEPT, FOLLOWS, QUIET, STORIES_KEPT, TOGETHER, summary
from storage.alert_records import Alert, Cell, Chart, DayCount, Finding, StoryLine
from tests.alerts.nasty import TITLES
from tests.alerts.sample import stories
from tests.builders import NOW

HOUR = timedelta(hours=1)


def story(number: int, title: str = "") -> StoryLine:
    return StoryLine(number, title or f"Story {number}", None, "The Ledger", 1, NOW, 0.9)


def match(number: int, why: str = QUIET, **fields: Any) -> Alert:
    """Return an alert on a story, raised an hour before the one of the next number."""
    one = Finding(
        *("export controls", "match", f"m:{number}", "info", "geopolitics", f"Geopolitics: Story {number}", "Because."),
        send=("desk",),
        stories=(story(number),),
        evidence=(number, number + 1000),
        strength=number / 100,
    )
    return Alert(number, NOW - (20 - number) * HOUR, replace(one, **fields), "held", NOW, why)


def trend(number: int, why: str = QUIET, topic: str = "capex", **fields: Any) -> Alert:
    chart = Chart(topic, (DayCount(date(2026, 11, 23), number),), 5.0)
    one = Finding("surge", "trend", f"s:{number}", "warning", topic, f"{number}. {topic}", "Rare.", ("desk",))
    usual = replace(one, stories=stories(), charts=(chart,), observed=23, strength=float(number), phase="start")
    return Alert(number, NOW - (20 - number) * HOUR, replace(usual, **fields), "held", NOW, why)


def of(*alerts: Alert, zone: str = "UTC") -> Finding:
    return summary(alerts, NOW, zone)


def test_stories_of_a_match_rule_are_told_as_one_list_the_strongest_first() -> None:
    found = of(*(match(number) for number in range(14)))
    assert found.headline == ("14 stories match 'export controls' since Sun 18:00 (the strongest: Story 13)")
    assert found.explanation == ("All of them came in quiet hours. They are told in one message, the strongest first.")
    assert [line.title for line in found.stories][:3] == ["Story 13", "Story 12", "Story 11"]
    assert (len(found.stories), found.tables, found.lists) == (14, (), ())
    assert (found.rule, found.kind, found.topic, found.send) == ("export controls", "match", "geopolitics", ("desk",))
    assert (found.key, found.thread, found.phase) == ("export controls:summary:0-13:14", "", "once")
    assert (found.carries, found.strength) == (tuple(range(14)), 0.13)
    assert set(found.evidence) == {*range(14), *range(1000, 1014)}


def test_a_story_that_two_alerts_tell_is_listed_once() -> None:
    found = of(match(1), match(2, stories=(story(1), story(2))))
    assert [line.item_id for line in found.stories] == [1, 2]


def test_findings_of_other_rules_are_told_as_a_table_with_the_stories_of_the_strongest() -> None:
    found = of(trend(1), trend(2, topic="efficiency"), trend(3))
    assert found.headline == "3 alerts of 'surge' since Sun 19:00 (the strongest: 3. capex)"
    (table,) = found.tables
    assert (table.columns, table.left_out) == (("Time", "Alert"), 0)
    assert table.rows[0] == (Cell("Sun 19:00"), Cell("1. capex"))
    assert [row[1].text for row in table.rows] == ["1. capex", "2. efficiency", "3. capex"]
    assert [(one.title, len(one.stories), one.left_out) for one in found.lists] == [
        ("3. capex", 3, 20),
        ("2. efficiency", 3, 20),
        ("1. capex", 3, 20),
    ]
    assert [chart.topic for chart in found.charts] == ["capex", "efficiency"]
    assert (found.topic, found.severity, found.strength) == ("capex", "warning", 3.0)


def test_a_long_table_names_the_strongest_in_order_of_time_and_counts_the_others() -> None:
    found = of(*(trend(number) for number in range(30)))
    texts = [row[1].text for row in found.tables[0].rows]
    assert (texts[0], texts[-1], len(texts), found.tables[0].left_out) == ("10. capex", "29. capex", 20, 10)
    assert (len(found.lists), len(found.charts)) == (5, 1)


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        pytest.param([QUIET, QUIET], "All of them came in quiet hours.", id="quiet hours"),
        pytest.param([COOLDOWN] * 2, "All of them came soon after other messages of this rule.", id="cooldown"),
        pytest.param([BUDGET] * 2, "All of them went beyond the messages that are welcome in a week.", id="budget"),
        pytest.param([TOGETHER] * 2, "All of them came at once.", id="at once"),
        pytest.param([QUIET, TOGETHER, QUIET], "2 came in quiet hours, 1 came at once.", id="several reasons"),
        pytest.param([QUIET, FOLLOWS], "All of them came in quiet hours.", id="what follows shares the reason"),
        pytest.param([FOLLOWS, FOLLOWS], "All of them waited.", id="only what follows"),
        pytest.param(["", "a reason of old"], "All of them waited.", id="a reason that nobody knows any more"),
    ],
)
def test_it_says_why_they_come_together(reasons: list[str], told: str) -> None:
    found = of(*(match(number, why) for number, why in enumerate(reasons)))
    assert found.explanation == f"{told} They are told in one message, the strongest first."


def test_what_came_at_once_is_not_told_to_be_since_then() -> None:
    found = of(*(replace(match(number, TOGETHER), created=NOW) for number in range(3)))
    assert found.headline.startswith("3 stories match 'export controls' at once (")


def test_times_are_told_in_the_zone_of_the_file() -> None:
    found = of(trend(1), trend(2), zone="Asia/Tokyo")
    assert ("since Mon 04:00" in found.headline, found.tables[0].rows[0][0].text) == (True, "Mon 04:00")
    assert found.zone == "Asia/Tokyo"


def test_the_severity_is_the_highest_and_advice_that_of_the_strongest() -> None:
    alerts = (trend(1, severity="critical", advice="look"), trend(2, severity="info", advice="act"), trend(3))
    assert (of(*alerts).severity, of(*alerts).advice) == ("critical", "act")


def test_one_thread_is_told_as_it_stands_now() -> None:
    began = trend(1, thread="", headline="Capex rises", evidence=(1, 2))
    grew = trend(2, FOLLOWS, key="s:1:surging", thread="s:1", phase="update", headline="Capex surges", evidence=(2, 3))
    over = trend(3, FOLLOWS, key="s:1:end", thread="s:1", phase="end", headline="Capex normal", severity="info")
    found = of(began, grew, over)
    assert (found.headline, found.phase, found.thread, found.severity) == ("Capex normal", "end", "s:1", "warning")
    assert found.explanation == "Rare. Told together with Sun 19:00, “Capex rises”. All came in quiet hours."
    assert (found.carries, found.key) == ((1, 2, 3), "surge:summary:1-3:3")
    assert (set(found.evidence), found.stories) == ({1, 2, 3}, over.finding.stories)
    assert of(began, grew).explanation.endswith("Both came in quiet hours.")


def test_of_each_thread_the_last_is_told_and_counted_once() -> None:
    first = (trend(1), trend(2, key="s:1:end", thread="s:1", phase="end", headline="1. is over"))
    found = of(*first, trend(3), trend(4, key="s:3:end", thread="s:3", phase="end", headline="3. is over"))
    assert found.headline.startswith("2 alerts of 'surge'")
    assert [row[1].text for row in found.tables[0].rows] == ["1. is over", "3. is over"]
    assert (found.phase, found.carries) == ("end", (1, 2, 3, 4))


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_it_is_short_and_one_line_whatever_the_titles(title: str) -> None:
    alerts = [match(number, headline=title, stories=(story(number, title),), rule=title) for number in range(3)]
    threads = [trend(1, headline=title), trend(2, headline=title, thread="s:1", phase="end")]
    for found in (of(*alerts), of(trend(1, headline=title), trend(2, headline=title))):
        assert len(found.headline) <= 150
        assert found.headline.endswith(")")
        assert len(found.headline.splitlines()) == 1
        assert "\n" not in found.explanation
    assert len(of(*threads).explanation) < 400


def test_a_flood_is_one_small_message_made_in_little_time() -> None:
    began = time.perf_counter()
    found = of(*(match(number, evidence=(number, -number)) for number in range(10_000)))
    assert time.perf_counter() - began < 1
    assert (len(found.stories), len(found.evidence)) == (STORIES_KEPT, EVIDENCE_KEPT)
    assert (len(found.carries), found.evidence[:2]) == (10_000, (9_999, -9_999))
