"""The match rule: which stories are told at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.match import MatchRule, Words, findings, matching
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


def test_times_are_told_in_the_users_zone() -> None:
    occasion = Occasion(now=NOW, zone="Asia/Tokyo", tagged=(Tagged(item(1, "GPU orders fall"), {"capex": 0.9}),))
    (one,) = findings(rule(), occasion)
    assert "at 22:42 JST on Mon 23 Nov" in one.explanation
    assert one.zone == "Asia/Tokyo"


# Stories


def telling(number: int, title: str = "GPU orders fall", minutes: int = 20, **fields: Any) -> Tagged:
    """Return a telling of story 5, published so many minutes ago; it carries capex unless said otherwise."""
    told = {name: fields.pop(name) for name in ("feed", "summary", "lang") if name in fields}
    one = replace(item(number, title, **told), published=NOW - timedelta(minutes=minutes))
    return Tagged(one, **{"topics": {"capex": 0.6}, "story_id": 5, **fields})


RUMOUR = telling(1, "Rumour: GPU orders fall", 90, feed="Blog", kind="blog", lang="de", topics={"capex": 0.9})


@pytest.mark.parametrize(
    ("settings", "new", "fires"),
    [
        pytest.param({"min_outlets": 2}, telling(2, outlets=2), True, id="as many outlets as asked"),
        pytest.param({"min_outlets": 3}, telling(2, outlets=2), False, id="too few outlets"),
        pytest.param({"min_outlets": 2}, telling(2, story_id=None), False, id="no story: one outlet"),
        pytest.param({"words": {"any": ["rumour"]}}, telling(2), True, id="an earlier telling holds the word"),
        pytest.param({"words": {"none": ["rumour"]}}, telling(2), True, id="the new telling lacks the refused word"),
        pytest.param({"words": {"all": ["rumour", "tpu"]}}, telling(2), False, id="no telling holds both words"),
        pytest.param({"min_probability": 0.8}, telling(2), True, id="an earlier telling is probable enough"),
        pytest.param({"min_probability": 0.95}, telling(2), False, id="no telling is probable enough"),
        pytest.param({"min_probability": 0.8}, telling(2, topics={}), True, id="the new telling carries no topic"),
        pytest.param({"feeds": ["Blog"]}, telling(2), True, id="an earlier telling is of the feed"),
        pytest.param({"feeds": ["The Ledger"]}, telling(2), True, id="the new telling is of the feed"),
        pytest.param({"feeds": ["Market Wire"]}, telling(2), False, id="no telling is of the feed"),
        pytest.param({"kinds": ["blog", "lab"]}, telling(2), True, id="an earlier telling is of that kind of feed"),
        pytest.param({"kinds": ["press"]}, telling(2, kind="press"), True, id="the new telling is of that kind"),
        pytest.param({"kinds": ["press"]}, telling(2), False, id="a feed without a kind is of no kind"),
        pytest.param({"lang": ["de"]}, telling(2), True, id="an earlier telling is in that language"),
        pytest.param(
            {"lang": ["de"], "words": {"any": ["orders"]}, "kinds": ["press"]},
            telling(2, kind="press"),
            False,
            id="one telling alone must fulfil all conditions",
        ),
        pytest.param({"max_age": "1h"}, telling(2, minutes=50), True, id="only the new telling must be news"),
        pytest.param({"max_age": "30m"}, telling(2, minutes=50), False, id="the new telling is old"),
    ],
)
def test_a_story_of_which_a_rumour_is_known_matches_when(settings: dict[str, Any], new: Tagged, fires: bool) -> None:
    earlier = () if new.story_id is None else (RUMOUR,)
    assert bool(found(rule(**settings), replace(new, earlier=earlier))) is fires


def test_a_story_is_one_finding_however_many_new_items_tell_it() -> None:
    first, other = telling(1, "Orders fall"), telling(9, "Another story", story_id=6)
    keys = [one.key for one in found(rule(), first, telling(2, earlier=(first,)), other, telling(3, earlier=(first,)))]
    assert keys == ["watch:story:5", "watch:story:6"]


def test_a_story_that_becomes_large_enough_with_the_second_new_item_is_told() -> None:
    old = replace(telling(1), item=replace(telling(1).item, published=NOW - timedelta(days=30)))
    (one,) = found(rule(), old, telling(2, "GPU orders fall again", earlier=(old,)))
    assert one.headline == "Capex: GPU orders fall"


def test_the_finding_tells_the_story_by_the_first_telling_that_matches() -> None:
    early = telling(7, "Chips: what we know", 200, feed="Wire", topics={"capex": 0.55})
    best = telling(8, "GPU orders collapse", 60, feed="Desk", topics={"capex": 0.97}, words={"capex": ("collapse",)})
    late = telling(9, "Why GPU orders fell", 10, outlets=3, earlier=(best, early))
    (one,) = found(rule(words={"any": ["gpu"]}), late)
    assert one.headline == "Capex: GPU orders collapse"
    assert one.explanation == (
        "Published by Desk at 13:02 UTC on Mon 23 Nov; 3 outlets tell it; the model gives capex 97%. It holds “gpu”."
    )
    (line,) = one.stories
    assert (line.item_id, line.feed, line.outlets, line.probability, line.words) == (8, "Desk", 3, 0.97, ("collapse",))
    assert one.phase == "once"


def test_its_evidence_is_the_item_by_which_a_trend_lists_the_story() -> None:
    weather = telling(6, "Storm ahead", 300, topics={"weather": 0.9})
    first = telling(7, "Chips", 200, topics={"capex": 0.55})
    (one,) = found(rule(words={"any": ["gpu"]}), telling(9, earlier=(first, weather)))
    assert one.evidence == (7,)


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        pytest.param(telling(1), telling(1, topics={"capex": 0.9}), id="a surer model"),
        pytest.param(telling(1), telling(1, outlets=2), id="more outlets"),
        pytest.param(telling(1, topics={"capex": 0.85}), telling(1, outlets=2), id="a second outlet counts for much"),
    ],
)
def test_what_is_more_remarkable(weaker: Tagged, stronger: Tagged) -> None:
    one, other = (found(rule(), tagged)[0].strength for tagged in (weaker, stronger))
    assert 0 < one < other < 1


def test_a_flood_of_stories_is_one_finding_each() -> None:
    flood = [Tagged(item(number, "x"), {"capex": 0.9}, story_id=number % 500) for number in range(1000)]
    assert len(found(rule(), *flood)) == 500


@pytest.mark.parametrize("settings", [{"min_outlets": 0}, {"min_probability": 1.1}], ids=str)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**settings)


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_a_headline_is_one_short_line_whatever_the_title(title: str) -> None:
    headline = found(rule(), Tagged(item(1, title), {"capex": 0.9}))[0].headline
    assert len(headline) <= 150
    assert headline.startswith("Capex:")
    assert len(headline.splitlines()) == 1
