"""What people see: the same facts in mail, text and Slack, and nothing of a feed breaks out of any of them."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import TypeAdapter
from selectolax.lexbor import LexborHTMLParser

from monitor.alerts.render.content import content
from monitor.alerts.render.email import html, message
from monitor.alerts.render.slack import payload
from monitor.alerts.render.text import text
from storage.alert_records import Alert, Finding, StoryLine
from tests.alerts.nasty import LINKS, ODD_LINKS, TITLES
from tests.alerts.sample import HEADLINE, NOW, days, delivery, feeds_alert, match_alert, surge_alert

SENDER = Address("Monitor", addr_spec="monitor@example.org")
TO = (Address("Zoë", addr_spec="zoe@example.org"), Address(addr_spec="desk@example.org"))


def with_finding(**change: Any) -> Alert:
    raised = surge_alert()
    return replace(raised, finding=replace(raised.finding, **change))


def story(
    title: str = "Title", url: str | None = "https://news.example/1", feed: str = "Feed", words: tuple[str, ...] = ()
) -> StoryLine:
    return StoryLine(1, title, url, feed, 1, NOW, 0.9, words)


def everywhere(words: str) -> Alert:
    """Return an alert that carries ``words`` wherever a feed could put them."""
    stories = tuple(story(words, feed=words, words=("known", words, words)) for _ in range(12))
    return with_finding(headline=words, explanation=words, stories=stories, topic=words)


def mail(raised: Alert) -> EmailMessage:
    sent = message(delivery(raised), SENDER, TO).as_bytes(policy=policy.SMTP)
    return message_from_bytes(sent, policy=policy.default)


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
        "18 so far today · 5.0 expected",
        "Open-weight model from Lumen Lab matches the best closed ones at a twentieth of the training cost",
        "The Circuit Post +8 more outlets · 05:30 UTC, Mon 23 Nov · 98%",
        "because: twentieth of the training cost · Open-weight model · matches the best closed",
        "because: cuts prices by 75% · 6 cents · million tokens",
        "University retrains the model from scratch in nine days",
        "and 13 more",
        "monitor query signals-latest",
        "efficiency-surge",
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
    told = form(with_finding(stories=(), days=(), evidence=(), expected=None, observed=None))
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


def test_the_mail_is_made_for_machines_too() -> None:
    sent = mail(surge_alert())
    assert sent["Subject"] == HEADLINE
    assert sent["From"] == "Monitor <monitor@example.org>"
    assert [address.addr_spec for address in sent["To"].addresses] == ["zoe@example.org", "desk@example.org"]
    assert sent["Date"].datetime == NOW.replace(microsecond=0)
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["List-Id"] == "AI market monitor <alerts.ai-market-monitor.example.org>"
    assert (sent["X-Monitor-Rule"], sent["X-Monitor-Severity"]) == ("efficiency-surge", "warning")
    assert sent["MIME-Version"] == "1.0"
    assert [part.get_content_type() for part in sent.iter_parts()] == ["text/plain", "text/html"]


def test_a_mail_is_the_same_to_the_byte_each_time_it_is_sent() -> None:
    first, second = (message(delivery(surge_alert(), attempts=n), SENDER, TO).as_bytes() for n in (0, 5))
    assert first == second


def test_message_ids_differ_by_channel_and_by_alert_and_survive_a_new_database() -> None:
    raised = surge_alert()
    alerts = [raised, replace(raised, id=8), replace(raised, created=NOW.replace(minute=59))]
    deliveries = [*(delivery(one) for one in alerts), delivery(raised, channel="other")]
    ids = {message(one, SENDER, TO)["Message-ID"] for one in deliveries}
    assert len(ids) == 4
    assert all(re.fullmatch(r"<[0-9a-f]{32}@example\.org>", one) for one in ids)


def test_the_html_needs_nothing_from_the_network() -> None:
    tree = page(surge_alert())
    assert not tree.css("img, script, link, iframe, object, form, [src], [background]")
    assert "url(" not in html(surge_alert())
    assert {node.attributes["href"] for node in tree.css("[href]")} == {
        line.url for line in content(surge_alert()).lines
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
    assert content(with_finding(days=days(counts))).sparkline.replace("▅", "▄") == line
    html(with_finding(days=days(counts)))


def test_plain_text_fits_76_columns_but_for_links() -> None:
    lines = [line for line in text(surge_alert()).splitlines() if "://" not in line and "·" not in line]
    assert max(map(len, lines)) <= 76


# Nothing of a feed breaks out.


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_the_mail(title: str) -> None:
    sent, plain = mail(everywhere(title)), mail(surge_alert())
    assert sorted(sent.keys()) == sorted(plain.keys()), "no header came or went"
    assert not sent.defects
    assert len(" ".join(sent["Subject"].split())) <= 150
    assert len(sent.as_bytes()) < 100_000
    assert max(map(len, sent.as_bytes().split(b"\n"))) < 998  # RFC 5322, 2.1.1


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_the_html(title: str) -> None:
    def shape(raised: Alert) -> list[tuple[str | None, list[str]]]:
        return [(node.tag, sorted(node.attributes)) for node in page(raised).root.traverse()]  # type: ignore[union-attr]

    assert shape(everywhere(title)) == shape(everywhere("harmless"))


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_the_text(title: str) -> None:
    told = text(everywhere(title))
    assert not re.search(r"[^\n\x20-\x7e\u00a0-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]", told)
    assert told.count("\n    https://news.example/1\n") == 10
    assert len(told) < 20_000


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_no_title_breaks_out_of_slack(title: str) -> None:
    body = payload(everywhere(title))
    within_limits(body)
    told = [block["text"]["text"] for block in body["blocks"] if block["type"] == "section"]
    controls = re.findall(r"<[^>]*>|<|>", "\n".join([body["text"], *told]))
    assert [control.split("|")[0] for control in controls] == ["<https://news.example/1"] * 10
    for control in controls:
        assert control.count("|") == 1 + title[:200].count("|")
    for line in told:
        # Our own emphasis is one pair of stars around a story's title; the strip stands in one pair of backticks.
        assert line.count("*") in (0, 2)
        assert line.count("`") in (0, 2)
        assert "~" not in line


def within_limits(body: dict[str, Any]) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks."""
    assert len(body["blocks"]) <= 50
    for block in body["blocks"]:
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert 0 < len(block["text"]["text"].encode("utf-16-le")) / 2 <= 150
            assert not set(block["text"]["text"]) & set("<>\n")
        for part in [block["text"]] if block["type"] == "section" else block.get("elements", []):
            assert part["verbatim"] is True
            assert 0 < len(part["text"].encode("utf-16-le")) / 2 <= 3000
    assert len(body["text"]) < 4000
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)


@pytest.mark.parametrize("url", LINKS.values(), ids=LINKS.keys())
def test_a_bad_link_is_no_link_anywhere(url: str) -> None:
    raised = with_finding(stories=(story(url=url),))
    assert not page(raised).css("a")
    assert "http" not in text(raised)
    sections = [block["text"]["text"] for block in payload(raised)["blocks"] if block["type"] == "section"]
    assert "*Title*\nFeed · 14:02 UTC, Mon 23 Nov · 90%" in sections, "and no line for words that nobody knows"


@pytest.mark.parametrize("url", ODD_LINKS.values(), ids=ODD_LINKS.keys())
def test_an_odd_link_stays_one_link(url: str) -> None:
    raised = with_finding(stories=(story(url=url),))
    assert [node.text() for node in page(raised).css("a")] == ["Title"]
    assert page(raised).css("a")[0].attributes["href"] == content(raised).lines[0].url
    within_limits(payload(raised))


def test_a_slack_link_that_would_be_too_long_leaves_its_title() -> None:
    raised = with_finding(stories=(story(url=ODD_LINKS["two thousand ampersands"]),))
    assert "*Title*" in slack_words(raised)


def test_a_rule_of_many_words_and_signs_does_no_harm() -> None:
    raised = with_finding(rule="<b>*&\"'" * 40, kind="<x>")
    within_limits(payload(raised))
    assert page(raised).css("td p b")[0].text().startswith("<b>*&")
    assert str(mail(raised)["X-Monitor-Rule"]).startswith("<b>*&")
