"""What was new to the alert rules at a moment of the past, and what was known of its stories then. Pure.

The same as `Store.unjudged`, from what a replay holds in memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from monitor.alerts.rules.occasion import Tagged
from monitor.judging import AT_ONCE
from monitor.past.known_world import BEFORE, Moment, Stories, in_order, merges_by_item, phases, shown
from storage.past_records import Past, Told
from storage.records import Item, Merge

EARLIER = 20
"""So many earlier tellings of a story are known, as in storage.unjudged."""

Kinds = Mapping[str, str | None]
"""The kinds of feeds, by their names."""


def batches(past: Past, found: Sequence[Moment], kinds: Kinds) -> Iterator[list[tuple[Tagged, ...]]]:
    """Yield for each moment the new items, in the batches in which they were judged together: at least one."""
    texts = {item_id: _tagged(past, item_id, kinds) for item_id in past.signals}
    new = iter(shown(past, found))
    for phase in phases(found):
        stories = StoriesKnown(past, phase, texts)
        for moment in phase:
            yield stories.batches(moment, next(new))


def _tagged(past: Past, item_id: int, kinds: Kinds) -> Tagged:
    signals, item = past.signals[item_id], past.texts[item_id]
    return Tagged(
        replace(item, backlog=False),
        {signal.topic: signal.probability for signal in signals},
        {signal.topic: signal.words for signal in signals},
        kinds.get(item.feed),
    )


class StoriesKnown:
    """Which items tell which stories, as far as it was known in a phase; it goes from moment to moment.

    ``texts`` are the items that carry a topic, without their stories.
    """

    def __init__(self, past: Past, phase: Sequence[Moment], texts: Mapping[int, Tagged]) -> None:
        self._texts = texts
        self._items, self._learned = in_order(past, phase), 0
        self._places = {item.id: place for place, item in enumerate(self._items)}
        self._stories, self._merges = Stories(), merges_by_item(past)
        self._tellings: dict[int, list[Told]] = {}
        self._merge(self._merges.pop(BEFORE, ()))

    def batches(self, moment: Moment, new: Sequence[Told]) -> list[tuple[Tagged, ...]]:
        """Cut new items into batches; what came with a later one was not known yet."""
        cut = [new[n : n + AT_ONCE] for n in range(0, len(new), AT_ONCE)] or [[]]
        found = []
        for batch in cut:
            self._learn(moment, last=None if batch is cut[-1] else batch[-1].id)
            found.append(tuple(tagged for item in batch if (tagged := self._of(item))))
        return found

    def _learn(self, moment: Moment, last: int | None) -> None:
        """Learn of all items that were known at a moment; at a look, only of those up to an item, where given."""
        while self._learned < len(self._items) and moment.knows(item := self._items[self._learned]):
            if moment.look and last is not None and item.id > last:
                break
            if item.story is not None:
                self._tellings.setdefault(self._stories.present(item.story), []).append(item)
            self._merge(self._merges.get(item.id, ()))
            self._learned += 1

    def _merge(self, merges: Iterable[Merge]) -> None:
        for merge in merges:
            story, into = self._stories.merge(merge)
            if story != into:
                self._tellings.setdefault(into, []).extend(self._tellings.pop(story, ()))

    def _of(self, item: Told) -> Tagged | None:
        """Return an item with its story; None when neither the item nor an earlier telling carries a topic."""
        own = self._texts.get(item.id)
        if item.story is None:
            return own
        story = self._stories.present(item.story)
        tellings = self._tellings.get(story, [])
        earlier = self._earlier(item, tellings)
        if own is None and not earlier:
            return None
        outlets = len({telling.feed_id for telling in tellings if not telling.copy})
        return replace(own or _without_topic(item), story_id=story, outlets=outlets, earlier=earlier)

    def _earlier(self, item: Told, tellings: Iterable[Told]) -> tuple[Tagged, ...]:
        """Return the tellings that came before an item and carry a topic, newest first."""
        own = self._places[item.id]
        places = sorted((place for one in tellings if (place := self._places[one.id]) < own), reverse=True)
        known = (self._texts.get(self._items[place].id) for place in places[:EARLIER])
        return tuple(tagged for tagged in known if tagged)


def _without_topic(item: Told) -> Tagged:
    """Return an item whose text was not read: rules ask only when it came."""
    published, seen = (datetime.fromtimestamp(at, UTC) for at in (item.published, item.seen))
    return Tagged(Item(item.id, item.feed_id, "", "", "", None, None, published, seen), {})
