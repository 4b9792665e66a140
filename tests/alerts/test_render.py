"""What people see: the same facts in mail, text and Slack."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from selectolax.lexbor import LexborHTMLParser

from monitor.alerts.render.content import content
from monitor.alerts.render.email import html
from monitor.alerts.render.slack import payload
from monitor.alerts.render.text import text
from monitor.alerts.trial import trial
from storage.alert_records import Alert, Cell, Chart, Finding, StoryLine, StoryList, Table
from tests.alerts.gallery import ALERTS
from tests.alerts.sample import HEADLINE, NOW, days, feeds_alert, match_alert, stories, surge_alert


def with_finding(**change: Any) -> Alert:
    raised = surge_alert()
    return replace(raised, finding=replace(raised.finding, **change))


def story(
    title: str = "Title", url: str | None = "https://news.example/1", feed: str = "Feed", words: tuple[str, ...] = ()
) -> StoryLine:
    return StoryLine(1, title, url, feed, 1, NOW, 0.9, words)


def everywhere(words: str) -> Alert:
    """Return an alert that carries ``words`` wherever a feed, or a person's configuration, could put them."""
    stories = tuple(story(words, feed=words, words=("known", words, words)) for _ in range(12))
    row = (Cell(words, "https://news.example/1"), Cell(words), Cell("7"))
    raised = with_finding(
        rule=words,
        headline=words,
        explanation=words,
        advice=words,
        topic=words,
        stories=stories,
        charts=(Chart(words, days(), 5.0),),
        tables=tuple(Table(words, (words, words, "Number"), (row, row), numbers=("Number",)) for _ in range(2)),
        lists=(StoryList(words, stories[:2]),),
    )
    return replace(raised, why=words)


def page(raised: Alert) -> LexborHTMLParser:
    return LexborHTMLParser(html(raised))


def slack_words(raised: Alert) -> str:
    return json.dumps(payload(raised), ensure_ascii=False)


def unslacked(raised: Alert) -> str:
    return slack_words(raised).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


FINDING = TypeAdapter(Finding)
"""How storage writes and reads findings."""

FORMS: dict[str, Callable[[Alert], str]] = {
    "text": lambda raised: " ".join(text(raised).split()),
    "html": lambda raised: " ".join((page(raised).body or page(raised).root).text(separator=" ").split()),  # type: ignore[union-attr]
    "slack": unslacked,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_tells_the_same_facts(form: Callable[[Alert], str]) -> None:
    told = form(surge_alert())
    for fact in (
        HEADLINE,
        "23 stories, first told by 9 outlets, since Sun 14:00 (24 hours)",
        "25 Oct",
        "23 Nov",
        "18 so far today · 5.0 expected in the window",
        "Open-weight model from Lumen Lab matches the best closed ones at a twentieth of the training cost",
        "The Circuit Post +8 more outlets · 05:30 UTC, Mon 23 Nov · 98%",
        "because: twentieth of the training cost · Open-weight model · matches the best closed",
        "because: cuts prices by 75% · 6 cents · million tokens",
        "University retrains the model from scratch in nine days",
        "and 13 more",
        "monitor query alert-evidence --alert 7",
        "monitor alerts silence efficiency-surge --for 8h",
        "monitor alerts ack 7",
        "alerts:",
        "feeds.yaml",
    ):
        assert fact in told
    assert "Distillation, explained" not in told, "only ten stories are listed"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_an_alert_of_one_item_has_no_strip_and_leaves_nothing_out(form: Callable[[Alert], str]) -> None:
    told = form(match_alert())
    assert "Efficiency: Open-weight model from Lumen Lab" in told
    assert "because: twentieth of the training cost · Open-weight model · matches the best closed" in told
    assert "more:" not in told
    assert "▁" not in told


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("words", [(), ("\u202e", " ")], ids=["none", "nothing that can be shown"])
def test_a_story_without_deciding_words_says_nothing_of_them(
    form: Callable[[Alert], str], words: tuple[str, ...]
) -> None:
    assert "because" not in form(with_finding(stories=(story(words=words),)))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_finding_stored_before_there_were_words_is_still_told(form: Callable[[Alert], str]) -> None:
    stored = json.loads(FINDING.dump_json(surge_alert().finding))
    for line in stored["stories"]:
        del line["words"]
    told = form(replace(surge_alert(), finding=FINDING.validate_json(json.dumps(stored))))
    assert "Open-weight model from Lumen Lab" in told
    assert "because" not in told


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_deciding_words_are_few_and_short(form: Callable[[Alert], str]) -> None:
    told = form(with_finding(stories=(story(words=("w" * 300, "two", "three", "four")),)))
    assert f"because: {'w' * 47}… · two · three" in told
    assert "four" not in told


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_an_alert_with_nothing_but_words_is_still_a_message(form: Callable[[Alert], str]) -> None:
    told = form(with_finding(stories=(), charts=(), evidence=(), expected=None, observed=None))
    assert "Efficiency news" in told
    assert "None" not in told


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_an_alert_about_a_feed_speaks_of_no_topic_and_no_story(form: Callable[[Alert], str]) -> None:
    told = form(feeds_alert())
    for fact in (
        "Feed “Lab Notes 0” has failed since Sat 14:02",
        "HTTP 404 Not Found: there is no feed at this address.",
        "monitor feeds remove 'Lab Notes 0'",
        "feed-trouble",
        "(feeds",
    ):
        assert fact in told
    for stranger in ("ercentages", "stories", "because", "None", "more:"):
        assert stranger not in told


@pytest.mark.parametrize("form", [html, slack_words], ids=["html", "slack"])
def test_an_alert_about_a_feed_is_filed_under_feeds(form: Callable[[Alert], str]) -> None:
    assert "Feeds · warning" in form(feeds_alert())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_an_alert_about_very_many_feeds_keeps_its_advice(form: Callable[[Alert], str]) -> None:
    told = form(feeds_alert(5000))
    assert "5,000 feeds are in trouble" in told
    assert "monitor status says why, and what to do." in told
    assert "Lab Notes 7 and 4,992 more." in told


def test_the_html_needs_nothing_from_the_network() -> None:
    tree = page(surge_alert())
    assert not tree.css("img, script, link, iframe, object, form, [src], [background]")
    assert "url(" not in html(surge_alert())
    assert {node.attributes["href"] for node in tree.css("[href]")} == {
        line.url for line in content(surge_alert()).groups[0].lines
    }


def test_the_html_fits_600_pixels_and_both_colour_schemes() -> None:
    source = html(surge_alert())
    assert "max-width:600px" in source
    assert '<meta name="color-scheme" content="light dark">' in source
    assert "@media (prefers-color-scheme: dark)" in source


def test_the_strip_has_a_bar_for_each_day_and_marks_today() -> None:
    cells = page(surge_alert()).css("table[role=img] td")
    heights = [int(re.findall(r"height:(\d+)px", cell.css("div")[0].attributes["style"] or "")[0]) for cell in cells]
    assert len(cells) == 30
    assert max(heights) == heights[-1] == 68
    assert heights[-1] > heights[-2] > min(heights) >= 2
    assert [cell.text(strip=True).strip("\xa0") for cell in cells] == [""] * 29 + ["18"]
    assert cells[-2].attributes["title"] == "Sun 22 Nov: 12 stories"


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        pytest.param((0, 0, 0), "▁▁▁", id="nothing at all"),
        pytest.param((0, 7, 14), "▁▄█", id="half is half"),
        pytest.param((1,), "█", id="a single day"),
    ],
)
def test_sparkline(counts: tuple[int, ...], line: str) -> None:
    raised = with_finding(charts=(Chart("efficiency", days(counts)),))
    assert content(raised).strips[0].sparkline.replace("▅", "▄") == line
    html(raised)


@pytest.mark.parametrize("name", ALERTS)
def test_plain_text_fits_76_columns_but_for_links(name: str) -> None:
    lines = [line for line in text(ALERTS[name]()).splitlines() if "://" not in line and "▁" not in line]
    assert max(map(len, lines)) <= 76


# Every kind of alert, in every form.


def words_of(told: str) -> str:
    """Reduce text to its letters and figures: how a form breaks lines and marks commands is its own matter."""
    return "".join(re.findall(r"\w+", told))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("name", ALERTS)
def test_every_kind_of_alert_tells_all_it_holds(name: str, form: Callable[[Alert], str]) -> None:
    raised = ALERTS[name]()
    told = words_of(form(raised))
    finding = raised.finding
    lines = [line for group in content(raised).groups for line in group.lines]
    assert len(lines) == min(len(finding.stories), 10) + sum(len(one.stories) for one in finding.lists)
    cells = [cell.text for table in finding.tables for row in table.rows for cell in row]
    facts = [finding.headline, finding.explanation, finding.advice, *cells]
    facts += [fact for line in lines for fact in (line.title, line.outlets, line.time, line.because)]
    assert [fact for fact in facts if words_of(fact) not in told] == []


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize(
    ("name", "label"),
    [
        pytest.param("trend-start", "Efficiency · warning", id="a beginning"),
        pytest.param("trend-update", "Efficiency · warning · update", id="an update"),
        pytest.param("trend-end", "Efficiency · info · over", id="an end"),
        pytest.param("silence", "Stream of news · critical", id="the stream itself"),
        pytest.param("digest", "Digest · info", id="a digest"),
    ],
)
def test_what_a_message_is_to_its_thread(name: str, label: str, form: Callable[[Alert], str]) -> None:
    assert label in form(ALERTS[name]())


@pytest.mark.parametrize("severity", ["info", "warning", "critical"])
def test_the_end_of_something_is_calm_whatever_it_was(severity: str) -> None:
    green = "#1a7248"
    assert green in html(with_finding(severity=severity, phase="end"))
    assert green not in html(with_finding(severity=severity, phase="update"))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"until": NOW + timedelta(hours=8), "why": "quiet hours"},
                     "Raised Mon 14:02, held until 22:02 UTC: quiet hours", id="held for a night"),
        pytest.param({"until": NOW + timedelta(days=3), "why": "weekly budget"},
                     "Raised Mon 14:02, held until Thu 14:02: weekly budget", id="held for days"),
        pytest.param({"why": "cooldown"}, "Raised Mon 14:02, held at first: cooldown", id="until nobody knows when"),
        pytest.param({"state": "muted", "why": "told by 'surge'"}, "Raised Mon 14:02, not told: told by 'surge'",
                     id="muted"),
        pytest.param({"state": "carried", "until": NOW + timedelta(hours=1), "why": "cooldown"},
                     "Raised Mon 14:02, told together with others: cooldown", id="carried by another message"),
    ],
)  # fmt: skip
def test_why_it_was_not_told_at_once(change: dict[str, Any], told: str, form: Callable[[Alert], str]) -> None:
    assert told in form(replace(surge_alert(), **change))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize(
    "change", [{}, {"until": NOW, "why": "came at once"}], ids=["told at once", "waited for a moment"]
)
def test_what_hardly_waited_says_nothing_of_it(change: dict[str, Any], form: Callable[[Alert], str]) -> None:
    assert "held" not in form(replace(surge_alert(), **change))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize(
    ("rule", "command"),
    [
        pytest.param("surge", "monitor alerts silence surge --for 8h", id="a plain name"),
        pytest.param("export controls", "monitor alerts silence 'export controls' --for 8h", id="a space"),
        pytest.param("x; rm -rf $HOME", "monitor alerts silence 'x; rm -rf $HOME' --for 8h", id="signs of the shell"),
    ],
)
def test_a_rule_is_silenced_by_a_command_to_copy(rule: str, command: str, form: Callable[[Alert], str]) -> None:
    assert command in form(with_finding(rule=rule))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize(
    ("name", "silence", "acknowledge"),
    [
        pytest.param("trend-start", True, True, id="what lasts"),
        pytest.param("trend-end", True, False, id="what is over"),
        pytest.param("match", True, False, id="a single occasion"),
        pytest.param("delivery", False, False, id="a notice of no rule"),
        pytest.param("test", False, False, id="a test"),
    ],
)
def test_only_what_works_is_offered(name: str, silence: bool, acknowledge: bool, form: Callable[[Alert], str]) -> None:
    told = form(ALERTS[name]())
    assert ("monitor alerts silence" in told) is silence
    assert ("monitor alerts ack" in told) is acknowledge
    assert ("feeds.yaml" in told) is silence


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_message_that_only_tries_a_channel_says_so_first(form: Callable[[Alert], str]) -> None:
    raised = trial(("desk",), NOW, "Europe/Berlin")
    assert raised.id == 0
    assert raised.finding.headline.startswith("[Test] ")
    told = form(raised)
    assert "This is only a test" in told
    assert "15:02 CET" in told
    assert "None" not in told
    assert "evidence" not in told
    assert "[Test] Efficiency" in form(with_finding(kind="test")), "whoever made it"
    assert {story.url and story.url[:20] for story in raised.finding.stories} == {"https://example.org/"}


# Tables and charts.


NUMBERS = Table(
    "Topics",
    ("Topic", "Stories"),
    ((Cell("Efficiency"), Cell("1,023")), (Cell("芯片 供应"), Cell("7"))),
    left_out=3,
    numbers=("Stories",),
)


def test_numbers_stand_below_each_other() -> None:
    told = text(with_finding(tables=(NUMBERS,)))
    assert "\n\nTOPICS\n\nTopic       Stories\nEfficiency    1,023\n芯片 供应         7\nand 3 more\n\n" in told
    assert (
        "Topic       Stories\nEfficiency    1,023"
        in payload(with_finding(tables=(NUMBERS,)))["blocks"][5]["text"]["text"]
    )
    cells = page(with_finding(tables=(NUMBERS,))).css("table.figures td")
    aligned = ["text-align:right" in (cell.attributes["style"] or "") for cell in cells]
    assert aligned == [False, True, False, True]


def test_a_table_that_is_too_wide_or_leads_somewhere_becomes_lines() -> None:
    wide = replace(NUMBERS, rows=((Cell("long " * 15), Cell("1")),))
    assert f"\nTopic · Stories\n- {' '.join(['long'] * 15)}\n  · 1\nand 3 more\n" in text(with_finding(tables=(wide,)))
    linked = replace(NUMBERS, rows=((Cell("Title", "https://news.example/1"), Cell("1")),), left_out=0)
    assert "\n- Title · 1\n  https://news.example/1\n\n" in text(with_finding(tables=(linked,)))
    assert "• <https://news.example/1|Title> · 1" in slack_words(with_finding(tables=(linked,)))


def test_rows_that_are_shorter_or_longer_than_the_head_do_no_harm() -> None:
    odd = Table("", ("A", "B"), ((Cell("1"),), (Cell("1"), Cell("2"), Cell("3"))))
    assert [len(row) for row in content(with_finding(tables=(odd,))).leading[0].rows] == [2, 2]
    assert "\nA  B\n1\n1  2\n" in text(with_finding(tables=(odd,)))


def test_empty_tables_lists_and_charts_leave_no_trace() -> None:
    bare = with_finding(tables=(), lists=(), charts=())
    empty = with_finding(
        tables=(Table("T", ("A",), ()), Table("T", (), ((Cell("1"),),))),
        lists=(StoryList("L", ()),),
        charts=(Chart("c", ()),),
    )
    assert content(empty) == content(bare)


def test_the_first_table_leads_and_the_others_follow_the_stories() -> None:
    told = text(ALERTS["digest"]())
    marks = ["TOPICS", "stories a day (UTC)", "EFFICIENCY", "WHAT WAS ALERTED", "WHAT WAS HELD BACK"]
    assert sorted(marks, key=told.index) == marks


def test_many_charts_are_drawn_small() -> None:
    charts = tuple(Chart(topic, days()) for topic in ("efficiency", "capex", "power"))
    raised = with_finding(charts=charts)
    assert len(page(raised).css("table[role=img]")) == 3
    assert "height:68px" not in html(raised)
    assert text(raised).count("█  ") == 3
    assert "█`  Capex · 18 so far today" in slack_words(raised)


# Slack.


def test_buttons_lead_to_the_first_stories() -> None:
    actions = [block for block in payload(surge_alert())["blocks"] if block["type"] == "actions"]
    assert [button["text"]["text"] for button in actions[0]["elements"]] == [
        "Open-weight model from…",
        "Lumen Lab cuts prices b…",
        "What 4-bit training cha…",
    ]
    assert [button["url"] for button in actions[0]["elements"]] == [story.url for story in stories()[:3]]


def test_what_leads_nowhere_is_no_button() -> None:
    lines = (story(url="javascript:alert(1)"), story("Second"))
    actions = [block for block in payload(with_finding(stories=lines))["blocks"] if block["type"] == "actions"]
    assert [button["text"]["text"] for button in actions[0]["elements"]] == ["Second"]
    assert "actions" not in slack_words(with_finding(stories=(story(url=None),)))
