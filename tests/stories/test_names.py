"""The words of a text: stems that forms of one word share, and how rare they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.names import UNSEEN, rarity, said, stems
from monitor.training.story_words import TABLE, table


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nvidia's", "NVIDIA"),
        ("subsidies", "subsidy"),
        ("Zürich", "ZURICH"),
        ("Chips", "Chip"),
        ("Fabriken", "Fabrik"),
        ("Ｈ200", "h200"),  # noqa: RUF001 - a full-width letter
        ("café", "cafe\u0301"),
    ],
)
def test_forms_of_one_word(one: str, other: str) -> None:
    assert stems(one) == stems(other) != frozenset()


@pytest.mark.parametrize("text", ["the of and", "der die das", "2025 10,000 3.5", "x", "公司发布了新的芯片", "", "—…!"])
def test_nothing_said(text: str) -> None:
    assert stems(text) == frozenset()


def test_codes_are_words() -> None:
    assert stems("B30A and v1.2.3") == {"b30a", "v1.2.3"}


def test_what_the_news_say_every_day_is_common() -> None:
    [nvidia], [place] = stems("Nvidia"), stems("Rockdale")

    assert rarity(nvidia) < 4 < rarity(place) == UNSEEN


def test_title_and_summary_count_alike() -> None:
    assert said("Rockdale welcomes Altman", "", "en").words == said("", "Rockdale welcomes Altman", "en").words


def test_the_table_of_common_words_is_what_the_training_items_give() -> None:
    assert TABLE.read_text(encoding="utf-8") == table()


@given(st.text())
def test_any_text_has_words_with_a_rarity(text: str) -> None:
    assert all(0 < rarity(word) <= UNSEEN for word in stems(text))
