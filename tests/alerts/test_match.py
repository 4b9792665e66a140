"""The match rule: which items are told at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.match import BURST, MatchRule, Words, findings, matching
from monitor.alerts.rules.occasion import Occasion, Tagged
from storage.alert_records import Finding
from tests.alerts.nasty import TITLES
from tests.alerts.sample import NOW, item


def rule(**settings: Any) -> MatchRule:
    return MatchRule.model_validate({"rule": "match", "name": "watch", **settings})


def found(settings: MatchRule, *tagged: Tagged) -> list[Finding]:
    return findings(settings, Occasion(now=NOW, tagged=tagged))


@pytest.mark.parametrize(
    ("settings", "fires"),
    [
        pytest.param({}, True, id="no condition: any signal"),
        pytest.param({"topics": ["capex"]}, True, id="a topic that it carries"),
        pytest.param({"topics": ["geopolitics"]}, False, id="a topic that it lacks"),
        pytest.param({"topics": ["capex"], "min_probability": 0.7}, False, id="its probability is too low"),
        pytest.param({"min_probability": 0.7}, True, id="any topic may reach the probability"),
        pytest.param({"feeds": ["The Ledger"]}, True, id="its feed"),
        pytest.param({"feeds": ["Market Wire"]}, False, id="another feed"),
        pytest.param({"lang": ["DE", "en"]}, True, id="its language among others"),
        pytest.param({"lang": ["de"]}, False, id="another language"),
        pytest.param({"words": {"any": ["gpu", "tpu"]}}, True, id="one of the words"),
        pytest.param({"words": {"any": ["cpu", "tpu"]}}, False, id="none of the words"),
        pytest.param({"words": {"all": ["GPU", "cheaper"]}}, True, id="all words, over title and summary"),
        pytest.param({"words": {"all": ["gpu", "dearer"]}}, False, id="not all words"),
        pytest.param({"words": {"any": ["gpu"], "none": ["rumour*"]}}, False, id="a word that must not be there"),
        pytest.param({"topics": ["efficiency"], "lang": ["en"], "words": {"none": ["cpu"]}}, True, id="all hold"),
    ],
)
def test_an_item_matches_when(settings: dict[str, Any], fires: bool) -> None:
    one = item(1, "GPU orders fall", summary="Rumours say cheaper models did it", lang="en-GB")
    assert bool(found(rule(**settings), Tagged(one, {"efficiency": 0.8, "capex": 0.6}))) is fires


def test_an_item_without_a_topic_never_matches() -> None:
    assert found(rule(min_probability=0), Tagged(item(1, "x"), {})) == []


@pytest.mark.parametrize(("days", "fires"), [(6, True), (8, False)], ids=["within a week", "over a week ago"])
def test_what_was_published_long_before_it_was_seen_is_no_news(days: int, fires: bool) -> None:
    old = item(1, "x")
    old = replace(old, published=old.seen - timedelta(days=days))
    assert bool(found(rule(), Tagged(old, {"capex": 0.9}))) is fires


def test_an_item_of_unknown_language_matches_no_language() -> None:
    assert found(rule(lang=["en"]), Tagged(item(1, "x", lang=None), {"capex": 0.9})) == []


@pytest.mark.parametrize(
    ("word", "text", "matches"),
    [
        pytest.param("chip", "a Chip.", True, id="in any case, beside punctuation"),
        pytest.param("chip", "chips", False, id="a longer word is another word"),
        pytest.param("chip*", "Chipfabrik", True, id="a star stands for any ending"),
        pytest.param("chip*", "chip", True, id="also for none"),
        pytest.param("fabrik", "Chipfabrik", False, id="the second half of a compound is no word"),
        pytest.param("fabrik*", "Chipfabriken", False, id="a star is no beginning"),
        pytest.param("Straße", "STRASSE", True, id="sharp s folds to ss"),
        pytest.param("börse", "Bo\u0308rse", True, id="composed and decomposed letters are equal"),
        pytest.param("data centre", "data\n  centre", True, id="a phrase may run over a line break"),
        pytest.param("$100bn", "costs $100bn today", True, id="a sign is part of the word"),
        pytest.param("c++", "in C++, of course", True, id="signs are no pattern"),
        pytest.param("a.i", "ai", False, id="a dot is a dot"),
        pytest.param("芯片", "中国 芯片 出口", True, id="Chinese between spaces"),
    ],
)
def test_a_word_is_a_whole_word(word: str, text: str, matches: bool) -> None:
    assert (matching(Words(any=(word,)), text) is not None) is matches


@pytest.mark.parametrize("word", ["", "*", "*chip", "ch*ip", "--"])
def test_a_word_that_could_not_work_is_refused(word: str) -> None:
    with pytest.raises(ValidationError):
        Words(any=(word,))


def test_the_finding_tells_the_item_and_the_words_that_decided() -> None:
    settings = rule(words={"any": ["gpu", "tpu"], "all": ["order*"]}, severity="info")
    one = found(settings, Tagged(item(42, "GPU orders fall"), {"capex": 0.834}))[0]
    assert (one.key, one.topic, one.severity, one.evidence) == ("watch:item:42", "capex", "info", (42,))
    assert one.headline == "Capex: GPU orders fall"
    assert one.explanation == (
        "Published by The Ledger at 13:42 UTC on Mon 23 Nov; the model gives capex 83%. It holds “gpu”, “order*”."
    )
    assert [(line.title, line.url, line.outlets) for line in one.stories] == [
        ("GPU orders fall", "https://news.example/42", 1)
    ]


def test_ten_items_are_ten_findings_and_eleven_are_one_that_lists_them() -> None:
    tagged = [Tagged(item(number, f"Story {number}"), {"capex": number / 20}) for number in range(1, BURST + 2)]
    assert len(found(rule(min_probability=0), *tagged[:BURST])) == BURST
    burst = found(rule(min_probability=0), *tagged)
    assert [(one.key, one.headline) for one in burst] == [("watch:items:1:11", "11 new items match watch")]
    assert [line.title for line in burst[0].stories][:2] == ["Story 11", "Story 10"]
    assert len(burst[0].evidence) == BURST + 1


def test_a_flood_stays_one_small_finding_that_counts_all() -> None:
    burst = found(rule(), *[Tagged(item(number, "x"), {"capex": 0.9}) for number in range(10_000)])
    assert (len(burst), len(burst[0].stories), len(burst[0].evidence)) == (1, 25, 10_000)


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_a_headline_is_one_short_line_whatever_the_title(title: str) -> None:
    headline = found(rule(), Tagged(item(1, title), {"capex": 0.9}))[0].headline
    assert len(headline) <= 150
    assert headline.startswith("Capex:")
    assert len(headline.splitlines()) == 1
