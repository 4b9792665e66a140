"""Which items are one story: pairs by name, then batches, late items, merges, and chains."""

import math
import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.stories.grouping import LONGEST, WITHIN, group, spans
from monitor.training.story_exam import Shelf, agreement, bcubed, in_batches
from storage.records import Embedding, Grouping, Item, Merge, Telling

NOON = datetime(2025, 3, 5, 12, tzinfo=UTC)
TITLE = "Vendor halves the price of its smallest model"
OTHER = "Ministry promises grants for a factory in Dresden"


def telling(
    number: int,
    title: str = TITLE,
    summary: str = "",
    *,
    after: float = 0.0,
    feed: int | None = None,
    means: float | None = None,
    model: str = "m",
    story: int | None = None,
    url: str | None = None,
) -> Telling:
    """Return an item published ``after`` hours after noon.

    ``means`` is an angle in degrees: items whose angles differ by d have embeddings with the cosine of d. The feed is
    the item's own unless given.
    """
    published = NOON + timedelta(hours=after)
    address = url or f"https://a.test/{number}"
    item = Item(number, feed or number, f"feed {feed or number}", title, summary, "en", address, published, published)
    return Telling(item, None if means is None else embedding(number, means, model), story)


def embedding(number: int, means: float, model: str) -> Embedding:
    angle = math.radians(means)
    vector = np.zeros(8)
    vector[:2] = math.cos(angle), math.sin(angle)
    return Embedding(number, model, vector.astype("<f2").tobytes())


def stories(grouping: Grouping) -> set[frozenset[int]]:
    """Return the item ids of each story."""
    return {frozenset(p.item_id for p in grouping.placed if p.story_id == s.story_id) for s in grouping.placed}


def same_story(one: Telling, other: Telling) -> bool:
    return len(stories(group([one, other], []))) == 1


ROCKDALE = "Altman and Abbott break ground in Rockdale"
DEBT = "Banks line up $38.5 billion loan for Vantage campuses leased by Oracle"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (telling(1), telling(2, TITLE + " - Courier")),
        (telling(1), telling(2, after=71)),
        (telling(1, feed=7), telling(2, feed=7)),
        (telling(1, means=0), telling(2, means=90)),
        (telling(1, "Weekly update", url="https://a.test/x"), telling(2, "Weekly update", url="https://a.test/x#top")),
        (telling(1, ROCKDALE, means=0), telling(2, "Rockdale: an old aluminum town gets Stargate", means=50)),
        (telling(1, DEBT, means=0), telling(2, "38,5 Milliarden Dollar auf Pump für Oracle und Vantage", means=50)),
        (telling(1, DEBT), telling(2, "Vantage: 38.5 billion dollars for two campuses")),
        (telling(1, DEBT, means=0), telling(2, "Vantage: 38.5 billion dollars for two campuses", model="n", means=0)),
    ],
    ids=[
        "the same title in another feed",
        "the same title almost three days later",
        "the same title again in one feed",
        "the same title, whatever the embeddings",
        "a generic title at the same address",
        "the same rare name",
        "the same amount in another language",
        "no embeddings",
        "embeddings of two models",
    ],
)
def test_one_story(first: Telling, second: Telling) -> None:
    assert same_story(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (telling(1), telling(2, OTHER)),
        (telling(1, means=0), telling(2, OTHER, means=60)),
        (telling(1), telling(2, after=73)),
        (telling(1, "Weekly update"), telling(2, "Weekly update")),
        (telling(1, "8-K - Current report", means=0), telling(2, "8-K - Current report", means=60)),
        (telling(1, ROCKDALE, means=0), telling(2, "Rockdale school wins a prize", means=80)),
        (telling(1, DEBT, means=0), telling(2, "Oracle rival borrows $12 billion for a campus", means=50)),
        (telling(1, ROCKDALE, means=0), telling(2, "Rockdale: an old town gets Stargate", means=50, after=80)),
        (telling(1, ROCKDALE, means=0, feed=7), telling(2, "Rockdale: old town, new jobs", means=50, feed=7)),
        (telling(1, "公司发布了新的芯片20日"), telling(2, "今日20日天气晴朗气温上升")),
        (telling(1, "v1.2.3"), telling(2, "v1.2.4")),
    ],
    ids=[
        "other words",
        "other words on one topic",
        "the same title more than three days later",
        "a generic title",
        "filings of one form",
        "the same name, another subject",
        "another amount",
        "days apart",
        "one feed's next item on its subject",
        "Chinese texts that share a day",
        "two versions",
    ],
)
def test_two_stories(first: Telling, second: Telling) -> None:
    assert not same_story(first, second)


def test_a_retelling_joins_the_told_story() -> None:
    grouping = group([telling(2, after=50)], [telling(1, story=7)])

    assert [(place.story_id, place.relation) for place in grouping.placed] == [(7, "copy")]


def test_a_late_item_published_before_the_told_story_joins_it_as_its_first() -> None:
    [late] = group([telling(2, after=-30)], [telling(1, story=7)]).placed

    assert (late.story_id, late.relation) == (7, "first")


def test_new_stories_get_negative_ids_in_order_of_publication() -> None:
    grouping = group([telling(3, OTHER, after=2), telling(1, after=1), telling(2, after=3)], [])

    assert [(place.item_id, place.story_id) for place in grouping.placed] == [(1, -1), (3, -2), (2, -1)]


@pytest.mark.parametrize(
    ("later", "relation"),
    [
        (telling(2, TITLE + " | Courier"), "copy"),
        (telling(2, "Rockdale ground broken by Altman, says Abbott", feed=1, means=10), "update"),
        (telling(2, "Rockdale: an old aluminum town gets Stargate", means=30), "retelling"),
    ],
    ids=["another outlet, the same words", "the same outlet again", "another outlet, other words"],
)
def test_relations(later: Telling, relation: str) -> None:
    later = replace(later, item=replace(later.item, published=NOON + timedelta(hours=1)))
    told = telling(1, TITLE if relation == "copy" else ROCKDALE, means=0, story=7)

    [place] = group([later], [told]).placed

    assert (place.story_id, place.relation) == (7, relation)


def test_a_new_item_merges_two_told_stories_into_the_older_one() -> None:
    told = [telling(1, ROCKDALE, means=0, story=4), telling(2, "Rockdale gets Stargate campus", means=30, story=9)]

    grouping = group([telling(3, "Altman breaks ground for Stargate in Rockdale", means=15, after=1)], told)

    assert grouping.merges == (Merge(9, 4, 3),)
    assert [place.story_id for place in grouping.placed] == [4]


def test_a_new_item_like_two_stories_that_are_unlike_each_other_merges_nothing() -> None:
    told = [
        telling(1, "Rockdale smelter site sold to OpenAI", means=0, story=4),
        telling(2, "Borlänge mill rented by Mistral", means=80, story=9),
    ]

    grouping = group([telling(3, "Rockdale and Borlänge: sites for OpenAI and Mistral", means=40)], told)

    assert grouping.merges == ()


def test_told_stories_alone_are_never_merged() -> None:
    told = [telling(1, ROCKDALE, means=0, story=4), telling(2, ROCKDALE, means=0, story=9)]

    assert group([telling(3, OTHER, means=90)], told).merges == ()


def test_the_nearest_of_two_told_stories_with_one_title_is_joined() -> None:
    told = [telling(1, after=-70, story=7), telling(2, after=-8 * 24, story=7), telling(3, after=24, story=8)]

    assert [place.story_id for place in group([telling(4)], told).placed] == [8]


def test_a_daily_title_becomes_a_new_story_every_week() -> None:
    days = [telling(n, after=24 * n) for n in range(1, 15)]

    found = in_batches(days, 1)

    assert [found.count(story) for story in sorted(set(found))] == [8, 6]


@pytest.mark.parametrize("size", [1, 4, 10])
def test_a_chain_of_follow_ups_over_ten_days_does_not_become_one_story(size: int) -> None:
    chain = [telling(n, f"Rockdale affair, part {n}: Abbott and Altman", means=n, after=24 * n) for n in range(1, 11)]

    found = in_batches(chain, size)

    assert 2 <= len(set(found)) <= 5


@pytest.mark.parametrize("size", [1, 4, 10])
def test_a_chain_whose_ends_are_unlike_does_not_become_one_story(size: int) -> None:
    names = [
        "Rockdale",
        "Borlänge",
        "Lübbenau",
        "Hyperion",
        "Magdeburg",
        "Shackelford",
        "Castroville",
        "Abilene",
        "Milam",
    ]
    chain = [
        telling(n, f"{one} site and {other} site compared", means=40 * n, after=n)
        for n, (one, other) in enumerate(pairwise(names), start=1)
    ]

    assert len(set(in_batches(chain, size))) >= 2


def test_every_new_item_is_placed_once() -> None:
    tellings = [telling(n, after=-n) for n in range(1, 20)]

    grouping = group(tellings, tellings[:5])

    assert sorted(place.item_id for place in grouping.placed) == list(range(1, 20))


def test_nothing_in_nothing_out() -> None:
    assert group([], [telling(1, story=1)]) == Grouping()


def test_an_embedding_of_another_length_is_not_compared() -> None:
    short = replace(telling(2, OTHER), embedding=Embedding(2, "m", b"\x00\x3c"))

    assert not same_story(telling(1, means=0), short)


TITLES = [TITLE, TITLE + " | Courier", "Weekly update", ROCKDALE, "Rockdale gets Stargate campus", DEBT, "", "芯片"]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(TITLES), st.integers(0, 200), st.sampled_from([None, 0, 20, 50, 90])), max_size=14
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_batch_does_not_matter(told: list[tuple[str, int, int | None]], chance: random.Random) -> None:
    new = [telling(n, title, after=hours, means=means) for n, (title, hours, means) in enumerate(told, start=1)]
    shuffled = chance.sample(new, len(new))

    assert group(shuffled, []) == group(new, [])
    assert group(shuffled[:4], shuffled[4:]).placed == group(shuffled[:4], shuffled[:3:-1]).placed or not shuffled


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(TITLES), st.integers(0, 400)), max_size=14), st.integers(1, 5))
def test_stories_stay_within_a_week_and_merges_name_stories_that_exist(told: list[tuple[str, int]], size: int) -> None:
    tellings = [telling(n, title, after=hours) for n, (title, hours) in enumerate(told, start=1)]
    shelf, known = Shelf(), set[int]()
    for begin in range(0, len(tellings), size):
        grouping = shelf.add(tellings[begin : begin + size])
        gone = {merge.story_id for merge in grouping.merges}
        assert all(merge.into_id < merge.story_id in known and merge.into_id in known for merge in grouping.merges)
        assert not gone & {place.story_id for place in grouping.placed}
        known |= {shelf.story(one) for one in tellings[: begin + size]}
    found = [shelf.story(one) for one in tellings]
    for story in set(found):
        times = [one.item.published for one, its in zip(tellings, found, strict=True) if its == story]
        assert max(times) - min(times) <= LONGEST


def test_spans_reach_as_far_as_a_story_and_do_not_overlap() -> None:
    new, reach = [telling(1), telling(2, after=24), telling(3, after=24 * 60)], WITHIN + LONGEST

    assert spans(new) == [
        (NOON - reach, NOON + timedelta(hours=24) + reach),
        (NOON + timedelta(days=60) - reach, NOON + timedelta(days=60) + reach),
    ]
    assert spans([]) == []


def test_a_batch_against_five_thousand_told_items_takes_well_under_a_second() -> None:
    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(5064, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tellings = [
        Telling(
            telling(n, f"Company{n % 900} says thing{n} about place{n % 700} today", after=n % 70).item,
            Embedding(n, "m", vector.astype("<f2").tobytes()),
            n,
        )
        for n, vector in enumerate(vectors, start=1)
    ]
    begun = time.process_time()

    grouping = group(tellings[:64], tellings[64:])

    assert len(grouping.placed) == 64
    assert time.process_time() - begun < 2


def test_scores_of_a_grouping() -> None:
    events = ["a", "a", "b", "c"]

    perfect, merged, split = (bcubed(found, events) for found in ([1, 1, 2, 3], [1, 1, 1, 3], [1, 2, 3, 4]))

    assert (perfect.precision, perfect.recall, perfect.f1) == (1, 1, 1)
    assert merged.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert split.recall == pytest.approx(0.75)
    assert merged.recall == split.precision == 1
    assert agreement([1, 1, 2], [5, 5, 5]) == pytest.approx(1 / 3)
    assert agreement([1, 2, 3], [3, 2, 1]) == 1
