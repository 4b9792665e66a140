"""The linear model beside the network: what it counts, and that its sum is what its weights say."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.signals.ngrams import BUCKETS, Ngrams, pieces


def stored(**arrays: Any) -> BytesIO:
    file = BytesIO()
    np.savez_compressed(file, **arrays)
    file.seek(0)
    return file


def made(weight: int = 0, rarity: float = 1.0, bias: float = 0.0) -> Ngrams:
    return Ngrams(
        np.full((2, BUCKETS), weight, np.int8), 0.5, np.full(BUCKETS, rarity, np.float16), np.array([bias, -bias])
    )


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        pytest.param("Cheaper tokens", "cheaper TOKENS", 1.0, id="case does not matter"),
        pytest.param("cheaper, tokens!", "cheaper tokens", 1.0, id="nor does punctuation"),
        pytest.param("Exportkontrolle", "Exportkontrollen", 0.8, id="forms of a word share most pieces"),
        pytest.param("cheaper tokens", "tokens cheaper", 0.9, id="order shows in pairs of words"),
        pytest.param("export ban", "weather", 0.0, id="strangers share nothing"),
    ],
)
def test_texts_share_pieces(one: str, other: str, shared: float) -> None:
    first, second = pieces(one), pieces(other)
    share = (first & second).total() / (first | second).total()
    assert share == pytest.approx(shared, abs=0.11)
    assert (share == 1.0) == (shared == 1.0)


def test_a_logit_is_the_weighted_mean_of_the_pieces_plus_the_bias() -> None:
    text = "one two"
    count = len(pieces(text))
    assert made(weight=4, bias=0.25).logits(text) == pytest.approx([2 * count**0.5 + 0.25, 2 * count**0.5 - 0.25])


def test_pieces_that_training_met_too_seldom_say_nothing() -> None:
    assert made(weight=4, rarity=0.0, bias=0.25).logits("one two") == pytest.approx([0.25, -0.25])


def test_what_training_wrote_is_read_again() -> None:
    ours = made(weight=3, bias=1.0)
    file = stored(weights=ours.weights, scale=np.float64(ours.scale), rarity=ours.rarity, bias=ours.bias)
    assert Ngrams.read(file).logits("a text") == pytest.approx(ours.logits("a text"))


def test_each_word_knows_its_place_and_what_it_added() -> None:
    text = "Chips: chips!"
    evidence = made(weight=4).evidence(text)
    assert [text[start:end] for start, end, _ in evidence] == ["Chips", "chips"]
    first, second = (added for _, _, added in evidence)
    assert first == pytest.approx(second)
    pair = 1 / (len(pieces(text)) - 1)  # the pair of words weighs less than any piece, which comes twice
    assert (first + second)[0] == pytest.approx(made(weight=4).logits(text)[0], rel=pair)


@given(st.text())
def test_what_words_add_is_finite_and_never_more_than_everything(text: str) -> None:
    model = made(weight=1)
    total = sum(float(added[0]) for _, _, added in model.evidence(text))
    assert 0 <= total <= float(model.logits(text)[0]) + 1e-4


@given(st.text())
def test_any_text_has_finite_logits(text: str) -> None:
    assert np.isfinite(made(weight=1).logits(text)).all()
