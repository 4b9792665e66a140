"""From the tokens' shares to the phrases that a person reads."""

import re

import pytest

from monitor.signals.words import deciding, words


def told(text: str, **shares: float) -> tuple[str, ...]:
    """Ask which words decided, with a token for each run of letters or signs.

    ``shares`` give what each gave to the logit; spaces and points in a name are written as an underscore.
    """
    tokens = list(re.finditer(r"\w+|[^\w\s]", text))
    spans = [(0, 0), *(token.span() for token in tokens), (0, 0)]
    given = [0.0, *(shares.get(token[0], shares.get(f"_{token[0]}", 0.01)) for token in tokens), 0.0]
    return deciding(text, spans, given)


@pytest.mark.parametrize(
    ("text", "shares", "phrases"),
    [
        pytest.param(
            "Washington tightens its export controls again", {"export": 2.0, "controls": 3.0}, ("export controls",),
            id="neighbours become a phrase, in the text's order",
        ),
        pytest.param(
            "The ban on sales of chips is new", {"ban": 2.0, "sales": 2.0, "chips": 3.0, "on": 2.0, "of": 2.0},
            ("ban on sales of chips",), id="function words stand inside a phrase",
        ),
        pytest.param(
            "It is the ban that they wanted", {"the": 5.0, "ban": 2.0, "that": 5.0}, ("ban",),
            id="function words never begin or end one, nor decide",
        ),
        pytest.param(
            "Chips made somewhere become cheap", {"Chips": 2.0, "cheap": 2.0}, ("Chips", "cheap"),
            id="a word that did not decide parts them",
        ),
        pytest.param(
            "No more exports. Controls follow", {"exports": 2.0, "Controls": 2.0}, ("exports", "Controls"),
            id="a full stop parts them",
        ),
        pytest.param(
            'Joins the "Entity List" on Monday', {"Joins": 2.0, "Entity": 2.0, "List": 2.5}, ("Entity List", "Joins"),
            id="quotation marks part them, and are not told",
        ),
        pytest.param(
            "Serving gets 95 percent cheaper now", {"cheaper": 3.0, "percent": 2.0}, ("95 percent cheaper",),
            id="a figure keeps its unit",
        ),
        pytest.param(
            "Wird um 40 Milliarden Euro teurer", {"_40": 2.0}, ("40 Milliarden Euro",), id="a figure keeps all units",
        ),
        pytest.param("It spends $400 billion there", {"billion": 2.0}, ("$400 billion",), id="a sum keeps its sign"),
        pytest.param("Costs fell by 17%, they say", {"_17": 2.0}, ("17%",), id="a percent sign is part of the figure"),
        pytest.param("Ready by 2027 in Texas", {"_2027": 3.0, "Texas": 2.0}, ("Texas",), id="a bare number is no word"),
        pytest.param("An AI for everybody", {"AI": 3.0}, (), id="nor does a word that is everywhere"),
        pytest.param("Some AI chips abroad", {"AI": 3.0, "chips": 2.0}, ("AI chips",), id="it may stand in a phrase"),
        pytest.param(
            "ban two three four five six",
            {"ban": 3.0, "two": 3.0, "three": 3.0, "four": 3.0, "five": 2.9, "six": 2.9},
            ("ban two three four", "five six"), id="a long run is told as more than one phrase",
        ),
        pytest.param("Controls on chips", {"Controls": -1.0, "on": -1.0, "chips": -2.0}, (), id="all spoke against it"),
        pytest.param("", {}, (), id="nothing to read"),
        pytest.param("... – !", {}, (), id="no words"),
    ],
)  # fmt: skip
def test_what_is_told(text: str, shares: dict[str, float], phrases: tuple[str, ...]) -> None:
    filler = " Meanwhile somebody eats bread beside river boats" * 2  # ordinary words, so that what decides stands out
    assert told(text + "." + filler if phrases else text, **shares) == phrases


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        pytest.param("chip, bread, Chips", ("chip",), id="case and plural"),
        pytest.param("chips, bread, chip", ("chips",), id="the first spelling stays"),
        pytest.param("China's bread, China", ("China",), id="the possessive"),
        pytest.param("Chipfabrik, Brot, Chipfabriken", ("Chipfabrik",), id="a German ending"),
        pytest.param("chip, bread, chipmakers", ("chip", "chipmakers"), id="another word that begins so is another"),
    ],
)
def test_a_word_is_told_once(text: str, phrases: tuple[str, ...]) -> None:
    spoken = {word: 3.0 - n / 10 for n, word in enumerate(re.findall(r"[Cc]hi\w+", text))}
    assert told(f"{text}. Somebody eats bread beside river boats today", **spoken) == phrases


def test_the_strongest_comes_first_and_five_are_enough() -> None:
    text = "bans, tariffs, sanctions, quotas, licences, blacklists, bread, river, boats, cheese, apples, windows, doors"
    shares = {"bans": 3.0, "tariffs": 3.1, "sanctions": 3.2, "quotas": 3.3, "licences": 3.4, "blacklists": 3.5}
    assert told(text, **shares) == ("blacklists", "licences", "quotas", "sanctions", "tariffs")


def test_a_word_in_many_pieces_is_no_stronger_than_its_strongest_piece() -> None:
    text = "Rechenzentrumsbetreiber bans bread river boats cheese apples"
    pieces = [(n, n + 1) for n in range(23)]
    spans = [*pieces, *(m.span() for m in re.finditer(r"\w+", text) if m.start() > 20)]
    shares = [0.3] * 23 + [3.0, *[0.01] * 5]
    assert deciding(text, spans, shares) == ("bans",)


def test_what_the_model_has_not_read_is_never_told() -> None:
    text = "bans bread river boats " + "tail " * 500
    assert deciding(text, [(0, 4), (5, 10), (11, 16)], [2.0, 0.1, 0.1]) == ("bans",)


def test_no_phrase_can_be_taken_for_two_when_they_are_stored() -> None:
    text = "bans, tariffs, 1,200 licences, U.S. exports (again), Mrd. Euro"
    spans = [(m.start(), m.end()) for m in re.finditer(r"\S+", text)]
    assert all(", " not in phrase for phrase in deciding(text, spans, [3.0] * len(spans)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("U.S. export rules", ["U.S.", "export", "rules"], id="an abbreviation keeps its points"),
        pytest.param("(10 Mrd. Euro)", ["10 Mrd. Euro"], id="also in a figure"),
        pytest.param("2 GW, 5 percent", ["2 GW", "5 percent"], id="two figures"),
        pytest.param("5 20 percent", ["5", "20 percent"], id="a number before a figure"),
        pytest.param("„Backdoor“ – 3x", ["Backdoor", "3x"], id="quotation marks and dashes"),
    ],
)
def test_words_of_a_text(text: str, found: list[str]) -> None:
    assert [word.text for word in words(text)] == found
    assert all(text[word.start : word.end] == word.text for word in words(text))
