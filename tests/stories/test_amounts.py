"""Amounts in texts of both languages: what is one, what it is worth, what two texts share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.amounts import Amount, amounts, contradicting, shared


def found(text: str, lang: str = "en") -> set[tuple[str, float]]:
    return {(one.kind, one.value) for one in amounts(text, lang)}


@pytest.mark.parametrize(
    ("text", "lang", "kind", "value"),
    [
        ("Oracle plans $38 billion of debt", "en", "money", 38e9),
        ("a $38bn loan", "en", "money", 38e9),
        ("US$250 billion", "en", "money", 250e9),
        ("EUR600 million for a packaging line", "en", "money", 600e6),
        ("80 Milliarden Dollar", "de", "money", 80e9),
        ("80 Mrd. Dollar", "de", "money", 80e9),
        ("eighty billion dollars", "en", "money", 80e9),
        ("half a billion euros", "en", "money", 0.5e9),
        ("eine halbe Milliarde Euro", "de", "money", 0.5e9),
        ("2,40 Yuan je Million", "de", "money", 2.4),
        ("55 cents per million", "en", "money", 0.55),
        ("90'000 Franken", "de", "money", 90e3),
        ("1,100 jobs", "en", "people", 1100),
        ("1.100 Arbeitsplätze", "de", "people", 1100),
        ("100,000 GPUs", "en", "chips", 100e3),
        ("Eine Billion Parameter", "de", "parameters", 1e12),
        ("a one-trillion-parameter model", "en", "parameters", 1e12),
        ("a 70B model", "en", "number", 70e9),
        ("1.25 gigawatts", "en", "power", 1250),
        ("40-megawatt site", "en", "power", 40),
        ("up 7.5%", "en", "percent", 7.5),
        ("um 60 Prozent", "de", "percent", 60),
        ("three quarters off", "en", "percent", 75),
        ("um ein Drittel billiger", "de", "percent", 33.3),
        ("DeepSeek halves its price", "en", "percent", 50),
        ("11x faster", "en", "times", 11),
        ("1,234,567 downloads", "en", "number", 1234567),
    ],
)
def test_an_amount(text: str, lang: str, kind: str, value: float) -> None:
    [one] = amounts(text, lang)

    assert one.kind == kind
    assert one.value == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "GPT-5 and the H200",
        "Llama-3.1 on the RTX-5090",
        "by 2030, as in 1999",
        "at 16:30 sharp",
        "effective March 15",
        "am 1. Dezember",
        "seit dem 3.12. verboten",
        "one of the chips",
        "no figures here",
        "",
    ],
)
def test_no_amount(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(
    ("ours", "theirs", "alike"),
    [
        ("$38 billion", "38 Milliarden Dollar", 0.8),
        ("$23.25 billion", "23 Milliarden Dollar", 0.4),
        ("600 jobs", "600 Menschen", 0.35 * 0.7),
        ("$38 billion", "$38 million", 0.0),
        ("38 percent", "$38", 0.0),
        ("669 jobs and $38bn", "38 Mrd. Dollar, 669 Stellen", 1.8),
        ("up 5", "fell 5", 0.4 * 0.35),
    ],
    ids=["two languages", "rounded", "no unit", "another scale", "another kind", "two amounts", "a small number"],
)
def test_shared_amounts(ours: str, theirs: str, alike: float) -> None:
    assert shared(amounts(ours, "en"), amounts(theirs, "de")) == pytest.approx(alike)


def test_an_amount_is_shared_once() -> None:
    ours, theirs = amounts("$38 billion and 38 billion", "en"), amounts("$38 billion", "en")

    assert shared(ours, theirs) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("ours", "theirs", "kinds"),
    [
        ("$38 billion", "$27 billion", 1),
        ("$38 billion and 200 MW", "$27 billion and 90 MW", 2),
        ("$38 billion and $27 billion", "$27 billion", 0),
        ("23 companies", "25 companies", 0),
        ("$38 billion", "200 MW", 0),
    ],
    ids=["other money", "other money and power", "one of two", "mere numbers", "other kinds"],
)
def test_contradictions(ours: str, theirs: str, kinds: int) -> None:
    assert contradicting(amounts(ours, "en"), amounts(theirs, "en")) == kinds


@given(st.text(), st.sampled_from(["en", "de", None]))
def test_any_text_has_amounts_with_a_value_and_a_weight(text: str, lang: str | None) -> None:
    assert all(one.value >= 0 and 0 < one.weight <= 1 for one in amounts(text, lang))


@given(st.frozensets(st.builds(Amount, st.sampled_from(["money", "number"]), st.floats(0.01, 1e12)), max_size=4))
def test_a_text_shares_its_amounts_with_itself(ours: frozenset[Amount]) -> None:
    assert shared(ours, ours) >= max((one.weight for one in ours), default=0)
    assert contradicting(ours, ours) == 0
