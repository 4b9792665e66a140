"""Which items are one story: a table of pairs of headlines, then the batch as a whole."""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories import group, is_telling, spoken
from storage.records import Item, Story, StoryItem

NOON = datetime(2025, 3, 5, 12, tzinfo=UTC)
TITLE = "Vendor halves the price of its smallest model"


def item(
    number: int = 1, title: str = TITLE, *, after: float = 0.0, url: str | None = None, feed: str = "Gazette"
) -> Item:
    """Return an item published ``after`` hours after noon."""
    published = NOON + timedelta(hours=after)
    return Item(number, len(feed), feed, title, "", "en", url or f"https://a.test/{number}", published, published)


def same_story(first: Item, second: Item) -> bool:
    one, two = group([first, second], [])
    return one.key == two.key


def grouped(placed: list[StoryItem]) -> set[frozenset[int]]:
    """Return the item ids of each story."""
    keys = {member.key for member in placed}
    return {frozenset(member.item.id for member in placed if member.key == key) for key in keys}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (item(1), item(2, feed="Courier")),
        (item(1), item(2, TITLE.upper())),
        (item(1), item(2, "Vendor halves the price, of its smallest model!")),
        (item(1), item(2, "  Vendor halves  the price of its smallest\u00a0model ")),
        (item(1), item(2, TITLE + " - The Daily Gazette")),
        (item(1), item(2, TITLE + " | courier online")),
        (item(1), item(2, TITLE + " \u2013 courier.test")),
        (item(1, TITLE + " | Courier"), item(2, TITLE + " \u2014 Gazette")),
        (item(1), item(2, after=71)),
        (
            item(1, "Anbieter halbiert Preise f\u00fcr Rechenzeit"),
            item(2, "ANBIETER HALBIERT PREISE FU\u0308R RECHENZEIT"),
        ),
        (
            item(1, "\u516c\u53f8\u53d1\u5e03\u4e86\u65b0\u7684\u82af\u7247"),
            item(2, "\u516c\u53f8\u53d1\u5e03\u4e86\u65b0\u7684\u82af\u7247"),
        ),
        (item(1, "Weekly update", url="https://a.test/x"), item(2, "Weekly update", url="https://a.test/x#top")),
        (item(1, "Weekly update", url="https://a.test/x"), item(2, "Our weekly update", url="https://a.test/x/")),
    ],
    ids=[
        "another feed carries the same title",
        "upper case",
        "other punctuation",
        "other white space",
        "an outlet's name after a hyphen",
        "an outlet's name after a bar",
        "an outlet's domain after a dash",
        "two outlets' names",
        "almost three days later",
        "composed and decomposed umlauts",
        "Chinese needs no spaces between words",
        "a generic title at the same address",
        "two generic titles at the same address",
    ],
)
def test_one_story(first: Item, second: Item) -> None:
    assert same_story(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (item(1), item(2, TITLE.replace("halves", "doubles"))),
        (item(1, "Vendor cuts price by 20 percent"), item(2, "Vendor cuts price by 30 percent")),
        (item(1), item(2, after=73)),
        (item(1, "Weekly update"), item(2, "Weekly update")),
        (item(1, "Weekly update | Gazette"), item(2, "Weekly update | Gazette")),
        (item(1, "8-K - Current report"), item(2, "8-K - Current report")),
        (item(1, "8-K - Current report of a large company"), item(2, "8-K - Current report of a large company")),
        (item(1, "The week in chips - March 3"), item(2, "The week in chips - March 4")),
        (item(1, TITLE + " - and rivals follow"), item(2)),
        (item(1, "2025 2026 2027 2028"), item(2, "2025 2026 2027 2028")),
        (item(1, ""), item(2, "")),
    ],
    ids=[
        "one word differs",
        "one number differs",
        "more than three days later",
        "a generic title at another address",
        "an outlet's name does not make a generic title longer",
        "filings of one form",
        "filings are never told by their title alone",
        "a date at the end is no outlet",
        "a clause at the end is no outlet",
        "numbers alone tell nothing",
        "no title at all",
    ],
)
def test_two_stories(first: Item, second: Item) -> None:
    assert not same_story(first, second)


def test_generic_titles_without_an_address_are_stories_of_their_own() -> None:
    nowhere = [replace(item(n, "Weekly update"), url=None) for n in (1, 2)]

    assert not same_story(*nowhere)


def test_a_retelling_joins_the_stored_story() -> None:
    [opened] = group([item(1)], [])
    stored = Story(7, opened.key, NOON)

    [retold] = group([item(2, after=50)], [stored])

    assert (retold.story_id, retold.key) == (7, opened.key)


def test_a_late_item_published_before_the_stored_story_joins_it() -> None:
    [opened] = group([item(1)], [])

    [late] = group([item(2, after=-30)], [Story(7, opened.key, NOON)])

    assert late.story_id == 7


def test_the_same_title_weeks_later_opens_a_story_with_a_key_of_its_own() -> None:
    [opened] = group([item(1)], [])

    [again] = group([item(2, after=24 * 21)], [Story(7, opened.key, NOON)])

    assert again.story_id is None
    assert again.key != opened.key


def test_new_items_of_a_batch_share_the_key_of_the_story_they_open() -> None:
    placed = group([item(1), item(2, "Something else happened in the market"), item(3)], [])

    assert [member.story_id for member in placed] == [None, None, None]
    assert placed[0].key == placed[2].key != placed[1].key


def test_a_story_lives_on_while_it_is_retold() -> None:
    assert grouped(group([item(1), item(2, after=60), item(3, after=120)], [])) == {frozenset({1, 2, 3})}


def test_the_nearest_of_two_stored_stories_is_joined() -> None:
    first, second = group([item(1), item(2, after=24 * 5)], [])
    stored = [Story(7, first.key, NOON), Story(8, second.key, NOON + timedelta(days=5))]

    [between] = group([item(3, after=24 * 2.8)], stored)

    assert between.story_id == 8


def test_every_item_comes_back_once_and_in_order() -> None:
    items = [item(n, after=-n) for n in range(20)]

    assert [member.item for member in group(items, [])] == items


def test_nothing_in_nothing_out() -> None:
    assert group([], [Story(1, "00", NOON)]) == []


@given(
    st.lists(
        st.tuples(st.sampled_from([TITLE, TITLE + " | Courier", "Weekly update"]), st.integers(0, 400)), max_size=12
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_batch_does_not_matter(told: list[tuple[str, int]], chance: random.Random) -> None:
    items = [item(n, title, after=hours) for n, (title, hours) in enumerate(told)]
    shuffled = chance.sample(items, len(items))

    assert grouped(group(items, [])) == grouped(group(shuffled, []))


def test_ten_thousand_items_take_well_under_two_seconds() -> None:
    items = [item(n, f"{TITLE} for the {n // 3} time - Outlet", after=n % 40) for n in range(10_000)]
    begun = time.process_time()

    placed = group(items, [])

    assert len({member.key for member in placed}) == 3334
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("title", "telling"),
    [("Chip maker raises guidance", True), ("Model gets cheaper", False), ("10-Q - Quarterly report", False)],
    ids=["four words", "three words", "a form"],
)
def test_titles_of_four_words_identify_a_story(title: str, telling: bool) -> None:
    assert is_telling(title) is telling


def test_only_the_last_part_of_a_title_can_be_an_outlet() -> None:
    assert spoken("Vendor beats all estimates - Shares Rise - Gazette") == "Vendor beats all estimates - Shares Rise"
