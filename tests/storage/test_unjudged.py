"""Items for the alert rules, with their story as it is known."""

from collections.abc import Sequence

import pytest

from storage.alert_records import Unjudged
from storage.feed_records import FeedSpec
from storage.store import Store
from tests.builders import NOW, entry, feed_now, past_first_answer, poll, tag, tell


async def feeds(store: Store) -> None:
    await store.sync_feeds([FeedSpec(name, f"https://{name}.example", kind=name) for name in ("lab", "press")], NOW)
    for name in ("lab", "press"):
        await past_first_answer(store, await feed_now(store, name))


async def brought(store: Store, name: str, *titles: str) -> None:
    """Let a feed bring items that carry a topic."""
    await store.save_poll(poll(await feed_now(store, name), *map(entry, titles)), NOW)
    await tag(store, efficiency=0.9, capex=0.2)


def titles(some: Sequence[Unjudged]) -> list[str]:
    return [one.item.title for one in some]


async def test_an_item_comes_with_its_topics_the_kind_of_its_feed_and_its_story(store: Store) -> None:
    await feeds(store)
    await brought(store, "lab", "One")
    (story,) = await tell(store)
    (one,) = await store.unjudged(9)
    assert [(signal.topic, signal.probability) for signal in one.signals] == [("efficiency", 0.9)]
    assert (one.item.title, one.kind, one.story_id, one.outlets, one.earlier) == ("One", "lab", story, 1, ())


async def test_the_other_tellings_that_came_before_it_come_newest_first(store: Store) -> None:
    await feeds(store)
    await brought(store, "lab", "One")
    (story,) = await tell(store)
    await brought(store, "press", "Two", "Three")
    await tell(store, story, story)
    one, two, three = await store.unjudged(9)
    assert [titles(each.earlier) for each in (one, two, three)] == [[], ["One"], ["Two", "One"]]
    assert [each.outlets for each in (one, two, three)] == [2, 2, 2]
    (before,) = two.earlier
    assert (before.kind, before.story_id, before.signals, before.earlier) == ("lab", story, one.signals, ())


async def test_the_words_that_decided_are_known(store: Store) -> None:
    await feeds(store)
    await brought(store, "lab", "One")
    store._db.execute("UPDATE signals SET words = 'sparse, cheaper'")
    await tell(store)
    (one,) = await store.unjudged(9)
    assert [signal.words for signal in one.signals] == [("sparse", "cheaper")]


@pytest.mark.parametrize(("known", "told"), [(5, 4), (20, 19), (30, 20)])
async def test_of_a_long_story_the_last_twenty_tellings_are_known(store: Store, known: int, told: int) -> None:
    await feeds(store)
    await brought(store, "lab", *(f"Telling {n}" for n in range(known)))
    await tell(store, *[-1] * known)
    newest = (await store.unjudged(99))[-1]
    assert titles(newest.earlier) == [f"Telling {known - 2 - n}" for n in range(told)]


async def test_at_most_so_many_come_and_an_item_in_no_topic_comes_too(store: Store) -> None:
    await feeds(store)
    await store.save_poll(poll(await feed_now(store, "lab"), *map(entry, ("One", "Two", "Three"))), NOW)
    await tag(store, efficiency=0.1)
    await tell(store)
    found = await store.unjudged(2)
    assert [(one.item.title, one.signals) for one in found] == [("One", ()), ("Two", ())]
