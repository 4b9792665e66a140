"""Nothing of a feed breaks out of a mail, a text or a message of Slack, and nothing makes them too long."""

import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.alerts.render.content import content
from monitor.alerts.render.email import html
from monitor.alerts.render.mrkdwn import units
from monitor.alerts.render.slack import payload
from monitor.alerts.render.text import text
from storage.alert_records import Alert, Cell, Chart, StoryList, Table
from tests.alerts.gallery import ALERTS
from tests.alerts.nasty import LINKS, ODD_LINKS, TITLES
from tests.alerts.sample import days, surge_alert
from tests.alerts.test_mail import mail
from tests.alerts.test_render import everywhere, page, slack_words, story, with_finding

GMAIL = 100_000
"""Gmail shows a mail up to 102 kB of HTML, and a link to the rest."""
BLANK = TITLES["nothing but white space"]


def shape(tree: LexborHTMLParser) -> list[tuple[str | None, list[str]]]:
    return [(node.tag, sorted(node.attributes)) for node in tree.root.traverse()]  # type: ignore[union-attr]


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_the_mail(title: str) -> None:
    sent, plain = mail(everywhere(title)), mail(surge_alert())
    assert sorted(sent.keys()) == sorted(plain.keys()), "no header came or went"
    assert not sent.defects
    assert len(" ".join(sent["Subject"].split())) <= 150
    assert len(sent.as_bytes()) < 3 * GMAIL  # quoted-printable writes a byte of an emoji as three
    assert max(map(len, sent.as_bytes().split(b"\n"))) < 998  # RFC 5322, 2.1.1


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_the_html(title: str) -> None:
    told, harmless = shape(page(everywhere(title))), shape(page(everywhere("harmless")))
    if title == BLANK:  # a heading without words is left out
        assert {str(part) for part in told} <= {str(part) for part in harmless} | {"('span', ['class', 'style'])"}
    else:
        assert told == harmless
    assert len(html(everywhere(title)).encode()) < GMAIL


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_the_text(title: str) -> None:
    told = text(everywhere(title))
    assert not re.search(r"[^\n\x20-\x7e\u00a0-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]", told)
    assert told.count("\n    https://news.example/1\n") == 12
    assert len(told) < 30_000


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_slack(title: str) -> None:
    body = payload(everywhere(title))
    within_limits(body)
    told = [part["text"] for block in body["blocks"] for part in texts(block)]
    controls = re.findall(r"<[^>]*>|<|>", "\n".join([body["text"], *told]))
    assert [control.split("|")[0] for control in controls] == ["<https://news.example/1"] * 16
    for control in controls:
        assert control.count("|") == 1 + title[:200].count("|")
    for line in re.sub("`monitor [^`]+`", "", "\n".join(told)).splitlines():
        # Our own emphasis is one pair of stars around a title; strips and names of files stand in pairs of backticks.
        assert line.count("*") in (0, 2)
        assert line.count("`") in (0, 2, 4)
        assert "~" not in line


def texts(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the block's texts in mrkdwn."""
    if block["type"] == "section":
        return [block["text"]]
    return list(block["elements"]) if block["type"] == "context" else []


def within_limits(body: dict[str, Any]) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks."""
    assert len(body["blocks"]) <= 50
    for block in body["blocks"]:
        assert block["type"] in ("header", "section", "context", "divider", "actions")
        for part in texts(block):
            assert part["verbatim"] is True
            assert 0 < units(part["text"]) <= 3000
        if block["type"] == "header":
            plain_words(block["text"], 150)
        if block["type"] == "actions":
            assert 0 < len(block["elements"]) <= 25
            for button in block["elements"]:
                plain_words(button["text"], 75)
                assert button["url"].startswith("https://")
                assert len(button["url"]) <= 3000
    assert len(body["text"]) < 4000
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)
    assert len(json.dumps(body, ensure_ascii=False)) < 40_000


def plain_words(words: dict[str, Any], limit: int) -> None:
    assert words["type"] == "plain_text"
    assert 0 < units(words["text"]) <= limit
    assert not set(words["text"]) & set("<>\n")


@pytest.mark.parametrize("url", LINKS.values(), ids=LINKS.keys())
def test_a_bad_link_is_no_link_anywhere(url: str) -> None:
    table = Table("Rows", ("Title",), ((Cell("Row", url),),))
    raised = with_finding(stories=(story(url=url),), tables=(table,), lists=(StoryList("List", (story(url=url),)),))
    assert not page(raised).css("a")
    assert "http" not in text(raised)
    assert "actions" not in slack_words(raised)
    sections = [block["text"]["text"] for block in payload(raised)["blocks"] if block["type"] == "section"]
    assert "*Title*\nFeed · 14:02 UTC, Mon 23 Nov · 90%" in sections, "and no line for words that nobody knows"


@pytest.mark.parametrize("url", ODD_LINKS.values(), ids=ODD_LINKS.keys())
def test_an_odd_link_stays_one_link(url: str) -> None:
    raised = with_finding(stories=(story(url=url),), tables=(Table("Rows", ("Title",), ((Cell("Row", url),),)),))
    assert [node.text() for node in page(raised).css("a")] == ["Row", "Title"]
    assert {node.attributes["href"] for node in page(raised).css("a")} == {content(raised).groups[0].lines[0].url}
    within_limits(payload(raised))


def test_a_slack_link_that_would_be_too_long_leaves_its_title() -> None:
    raised = with_finding(stories=(story(url=ODD_LINKS["two thousand ampersands"]),))
    assert "*Title*" in slack_words(raised)


def test_a_rule_of_many_words_and_signs_does_no_harm() -> None:
    raised = with_finding(rule="<b>*&\"'" * 40, kind="<x>")
    within_limits(payload(raised))
    assert page(raised).css("td p b")[0].text().startswith("<b>*&")
    assert str(mail(raised)["X-Monitor-Rule"]).startswith("<b>*&")


# However much there is.


def enormous(title: str = "word " * 50, url: str = ODD_LINKS["two thousand ampersands"]) -> Alert:
    """Return an alert with more of everything than anybody could read."""
    lines = tuple(story(title, url, feed=title, words=(title,) * 9) for _ in range(400))
    row = tuple(Cell(title, url) for _ in range(30))
    return with_finding(
        headline=title,
        explanation=title,
        advice=title,
        stories=lines,
        charts=tuple(Chart(f"topic {number}", days(tuple(range(400)))) for number in range(100)),
        tables=tuple(Table(title, (title,) * 30, (row,) * 500) for _ in range(20)),
        lists=tuple(StoryList(title, lines) for _ in range(50)),
        evidence=tuple(range(10_000)),
    )


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_the_largest_alert_is_small_and_quick(title: str) -> None:
    raised = enormous(title)
    began = time.perf_counter()
    told, plain, body = html(raised), text(raised), payload(raised)
    assert time.perf_counter() - began < 2
    assert len(told.encode()) < GMAIL
    assert len(plain) < GMAIL
    within_limits(body)


def test_what_is_left_out_is_counted() -> None:
    raised = enormous("Title", "https://news.example/1")
    words = content(raised)
    assert (len(words.groups[0].lines), words.groups[0].left_out) == (10, 9_990)
    assert all(len(group.lines) + group.left_out == 400 for group in words.groups[1:])
    grids = (*words.leading, *words.trailing)
    assert len(grids) == 5
    assert all(len(grid.rows) + grid.left_out == 500 for grid in grids)
    assert "monitor alerts show 7" in slack_words(raised), "for what has no room in Slack"


def test_tables_leave_room_for_stories() -> None:
    assert content(enormous("Title")).groups[0].lines


@pytest.mark.parametrize("name", ALERTS)
def test_every_kind_of_alert_is_within_limits(name: str) -> None:
    raised = ALERTS[name]()
    within_limits(payload(raised))
    assert len(html(raised).encode()) < GMAIL / 2
    assert not page(raised).css("img, script, link, iframe, object, form, [src], [background]")


@pytest.mark.parametrize("severity", ["", "fatal", "</style><script>"], ids=["none", "unknown", "a script"])
def test_a_severity_that_nobody_knows_is_shown_as_it_is(severity: str) -> None:
    raised = with_finding(severity=severity)
    assert shape(page(raised)) == shape(page(with_finding(severity="info")))
    within_limits(payload(replace(raised, why="quiet hours")))
