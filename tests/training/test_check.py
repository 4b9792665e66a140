"""Each rule about the training data, on data small enough to see through; and the shipped data, on all rules."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.training.agreement import agreement, kappa
from monitor.training.check import (
    CUES,
    ENOUGH,
    Summaries,
    changed_retellings,
    check,
    cue_shares,
    cues,
    disagreements,
    main,
    repetitions,
    sizes,
    summaries,
    summary_balance,
    three_word_runs,
    topic_shares,
    unread,
)
from monitor.training.dataset import DATA, WRITTEN, Example

NONE: frozenset[str] = frozenset()
CAPEX = frozenset({"capex"})
BOTH = frozenset({"capex", "geopolitics"})


def item(
    title: str = "Something happens", topics: frozenset[str] = NONE, summary: str = "", lang: str = "en"
) -> Example:
    return Example(title, summary, lang, topics, title)


def test_the_shipped_data_keep_every_rule() -> None:
    assert check(DATA) == []


# sizes and shares


def test_a_language_with_too_few_items_is_named() -> None:
    enough = [item()] * ENOUGH["en"] + [item(lang="de")] * ENOUGH["de"]
    assert sizes(enough) == []
    assert sizes(enough[1:]) == ["en: 2999 items; at least 3000 are needed"]
    assert sizes(enough[:-1]) == ["de: 1499 items; at least 1500 are needed"]


@pytest.mark.parametrize(
    ("carried", "expected"),
    [
        pytest.param([NONE] * 60 + [CAPEX] * 34 + [BOTH] * 6, [], id="just enough and not too many"),
        pytest.param(
            [NONE] * 59 + [CAPEX] * 41, ["59.0% of the items carry no topic; at least 60% must"], id="too rich"
        ),
        pytest.param(
            [NONE] * 93 + [BOTH] * 7,
            ["7.0% of the items carry several topics; at most 6% may"],
            id="too many with several",
        ),
    ],
)
def test_most_items_carry_no_topic_and_few_carry_several(carried: list[frozenset[str]], expected: list[str]) -> None:
    assert topic_shares([item(topics=topics) for topics in carried]) == expected


# cues


@pytest.mark.parametrize(
    ("tagged", "plain", "off"),
    [
        pytest.param(14, 6, False, id="30 % without a topic"),
        pytest.param(15, 5, True, id="25 % without a topic"),
        pytest.param(19, 0, False, id="too rare to judge"),
    ],
)
def test_a_cue_must_not_give_a_topic_away(tagged: int, plain: int, off: bool) -> None:
    named = [item("Nvidia sells", CAPEX)] * tagged + [item("News", summary="Of Nvidia.")] * plain + [item("News")] * 99
    found = cue_shares(named)
    assert found == (["en: 25% of the 20 items that name “Nvidia” carry no topic; at least 30% must"] if off else [])


@pytest.mark.parametrize(
    ("lang", "text", "cue"),
    [
        pytest.param("en", "DEEPSEEK-V4 is out", "DeepSeek", id="capitals"),
        pytest.param("en", "Chinese labs", "China", id="an adjective"),
        pytest.param("de", "chinesische Labore", "China", id="a German adjective"),
        pytest.param("en", "a $34bn bet", "billion", id="an abbreviation"),
        pytest.param("de", "3,5 Mrd. Euro", "billion", id="a German abbreviation"),
        pytest.param("de", "eine Milliardenwette", "billion", id="part of a compound"),
        pytest.param("en", "data-center rules", "data centre", id="American, with a hyphen"),
        pytest.param("de", "KI-Rechenzentren", "data centre", id="a German plural"),
        pytest.param("de", "die Bundesregierung", "government", id="the end of a compound"),
        pytest.param("de", "Investitionsausgaben", "spending", id="the beginning of a compound"),
        pytest.param("de", "billiger als je", "cheaper", id="one of two words"),
    ],
)
def test_a_cue_is_found_in_its_forms(lang: str, text: str, cue: str) -> None:
    assert [name for name, (count, _) in cues(lang, [item(text)]).items() if count] == [cue]


@pytest.mark.parametrize("text", ["Machinaris 2", "a 70B model", "spendings", "Tokenisation"])
def test_a_cue_is_not_found_in_other_words(text: str) -> None:
    assert not any(count for count, _ in cues("en", [item(text)]).values())


def test_every_cue_is_known_in_both_languages() -> None:
    assert all(patterns.keys() == {"en", "de"} for patterns in CUES.values())


# summaries


def test_summaries_are_measured_without_those_that_lack() -> None:
    assert summaries([item(summary="one two"), item(summary="one two three four"), item()]) == Summaries(2 / 3, 3.0)


SELDOM = "en: 60% of the items with a topic have a summary, 40% of those without; at most 12 points may lie between"


@pytest.mark.parametrize(
    ("with_topic", "without", "said"),
    [
        pytest.param((60, 20), (50, 24), [], id="about as often and as long"),
        pytest.param(
            (60, 20),
            (40, 20),
            [SELDOM],
            id="seldom without a topic",
        ),
        pytest.param(
            (60, 20),
            (60, 14),
            ["en: summaries have 20.0 words with a topic, 14.0 without; at most 25% may lie between"],
            id="short without a topic",
        ),
    ],
)
def test_summaries_must_not_tell_the_topic(
    with_topic: tuple[int, int], without: tuple[int, int], said: list[str]
) -> None:
    def some(topics: frozenset[str], summarised: int, words: int) -> list[Example]:
        return [item("News", topics, "word " * words)] * summarised + [item("News", topics)] * (100 - summarised)

    assert summary_balance(some(CAPEX, *with_topic) + some(NONE, *without)) == said


# repetitions and retellings

LONG = "Amsterdam approves ten new halls for {} after a long debate about water and noise in the harbour of the city"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        pytest.param("Ban lifted", "ban lifted!", True, id="the same in other capitals"),
        pytest.param(LONG.format("servers"), LONG.format("servers") + " again", True, id="a word added at the end"),
        pytest.param(LONG.format("servers"), LONG.format("horses"), False, id="a word changed inside"),
        pytest.param("Ban lifted", "Ban imposed", False, id="a short text changed"),
    ],
)
def test_near_duplicates_are_found(one: str, other: str, alike: bool) -> None:
    found = repetitions([item(one), item("Something else entirely, in a few words"), item(other)])
    assert [line.startswith(f"en: “{one}” and “{other}” have ") for line in found] == [True] * alike


def test_a_title_with_the_summary_counts_as_one_text() -> None:
    assert repetitions([item("Ban lifted", summary="On Monday."), item("Ban lifted. On Monday")]) != []
    assert (
        repetitions([item("Ban lifted", summary="On Monday."), item("Ban lifted", summary="In 1912, by Taft.")]) == []
    )


def test_a_retelling_in_the_other_language_is_no_repetition() -> None:
    assert repetitions([item("DeepSeek V4-Lite"), item("DeepSeek V4-Lite", lang="de")]) == []


def test_a_text_shorter_than_a_run_is_a_run() -> None:
    assert three_word_runs("A b") == {("a", "b")}
    assert three_word_runs("A b, c: d") == {("a", "b", "c"), ("b", "c", "d")}


def test_a_retelling_keeps_the_labels_of_its_item() -> None:
    told = replace(item("Verbot", CAPEX, lang="de"), event="Ban")
    assert changed_retellings([item("Ban", CAPEX), told]) == []
    assert changed_retellings([item("Ban", NONE), told]) == [
        "de: “Verbot” and “Ban”, which it retells, have different labels"
    ]


# two readers


def read(first: frozenset[str], second: frozenset[str], lang: str = "en") -> Example:
    return replace(item(topics=first, lang=lang), second=second)


def test_an_item_that_was_read_once_is_named() -> None:
    assert unread([read(NONE, NONE), item("Once")]) == ["en: “Once” has no second reading"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param((20, 5, 10, 15), 0.4, id="the textbook's 0.4"),
        pytest.param((10, 0, 0, 90), 1.0, id="full agreement"),
        pytest.param((25, 25, 25, 25), 0.0, id="what chance gives"),
        pytest.param((0, 50, 50, 0), -1.0, id="always the opposite"),
    ],
)
def test_kappa(table: tuple[int, int, int, int], expected: float) -> None:
    kinds = [(True, True), (True, False), (False, True), (False, False)]
    pairs = [pair for pair, times in zip(kinds, table, strict=True) for _ in range(times)]
    assert kappa(pairs) == pytest.approx(expected)


@pytest.mark.parametrize("pairs", [[], [(False, False)] * 9], ids=["no items", "nobody ever sees the topic"])
def test_kappa_is_undefined_where_there_is_nothing_to_agree_on(pairs: list[tuple[bool, bool]]) -> None:
    assert math.isnan(kappa(pairs))


def test_agreement_uses_what_the_first_reader_said_before_it_was_overruled() -> None:
    overruled = replace(read(CAPEX, CAPEX), first=NONE)
    found = agreement([read(CAPEX, CAPEX), read(NONE, NONE), overruled, item("Once")])
    assert found.items == 3
    assert found.identical == pytest.approx(2 / 3)
    assert found.kappas["capex"] == pytest.approx(0.4)


def test_readers_who_agree_too_little_are_named_by_topic_and_language() -> None:
    agreed, apart = [read(CAPEX, CAPEX), read(NONE, NONE)] * 20, [read(CAPEX, NONE, "de"), read(CAPEX, CAPEX, "de")]
    assert disagreements(agreed) == []
    assert disagreements([*agreed, *apart, read(NONE, NONE, "de")]) == [
        "de: the readers agree on capex with a kappa of 0.40; at least 0.75 is needed"
    ]


# the command


def small(folder: Path) -> Path:
    for name in (*WRITTEN, "pairs.jsonl", "near_miss_pairs.jsonl"):
        (folder / name).write_text("")
    line = {"lang": "en", "title": "Ban lifted", "labels": ["capex"], "second": ["capex"]}
    (folder / "starter.jsonl").write_text(json.dumps(line))
    (folder / "held_out.jsonl").write_text(json.dumps({**line, "title": "Ban lifted!"}))
    return folder


def test_the_command_prints_figures_and_fails_naming_what_is_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(small(tmp_path))]) == 1
    printed = capsys.readouterr().out
    assert "kappa of capex" in printed
    assert "off: en: 1 items; at least 3000 are needed" in printed
    assert "off: en: “Ban lifted” and “Ban lifted!” have 100% of their three-word runs in common" in printed


def test_a_wrong_line_ends_the_command_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small(tmp_path) / "near_misses.jsonl").write_text("{")
    assert main(["--data", str(tmp_path)]) == 5
    assert capsys.readouterr().err.startswith("near_misses.jsonl:1: not JSON")
