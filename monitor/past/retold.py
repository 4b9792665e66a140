"""What an alert of the past would have listed: a topic's stories, and its days, as they were known then. Pure.

The same as `Store.story_lines` and `Store.day_counts`, from what a replay holds in memory.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from monitor.alerts.rules.occasion import CHART_DAYS, STORIES_KNOWN, Occasion
from monitor.detection.flow import Calendar
from monitor.past.known_world import Moment, Stories
from monitor.stories.grouping import WITHIN
from storage.alert_records import DayCount, StoryLine
from storage.past_records import Past, Told
from storage.records import Item, Signal

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Telling:
    """An item that carries a topic, and its signal."""

    told: Told
    item: Item
    signal: Signal


class StoriesThen:
    """Answers what was known of a topic's stories at any moment."""

    def __init__(self, past: Past, calendar: Calendar) -> None:
        self._past, self._calendar = past, calendar
        self._by_id = {item.id: item for item in past.items}
        self._tellings: dict[str, list[Telling]] = {}
        for told in past.items:
            for signal in past.signals.get(told.id, ()):
                if told.story is not None and told.counts:
                    telling = Telling(told, past.texts[told.id], signal)
                    self._tellings.setdefault(signal.topic, []).append(telling)

    def told(self, occasion: Occasion, moment: Moment, wanted: Mapping[str, datetime]) -> Occasion:
        """Return the occasion with the days of these topics, and their stories since then."""
        return replace(
            occasion,
            stories={topic: self.lines(topic, since, moment) for topic, since in wanted.items()},
            days={topic: self.days(topic, moment) for topic in wanted},
        )

    def lines(self, topic: str, since: datetime, moment: Moment) -> tuple[StoryLine, ...]:
        """Return a topic's stories first told after ``since``: most outlets first, then most probable, then newest."""
        stories = self._known(topic, since - WITHIN, moment)
        lines = [_line(tellings) for tellings in stories if tellings[0].item.published > since]
        lines.sort(key=lambda line: (line.outlets, line.probability, line.published), reverse=True)
        return tuple(lines[:STORIES_KNOWN])

    def days(self, topic: str, moment: Moment) -> tuple[DayCount, ...]:
        """Return the stories of each of the last CHART_DAYS local days, oldest first."""
        today = self._calendar.day(moment.now)
        chart = [today - n * _DAY for n in reversed(range(CHART_DAYS))]
        begin = self._calendar.midnight(chart[0])
        stories = self._known(topic, begin - WITHIN, moment)
        counted = Counter(self._calendar.day(tellings[0].item.published) for tellings in stories)
        return tuple(DayCount(day, counted[day]) for day in chart)

    def _known(self, topic: str, since: datetime, moment: Moment) -> list[list[Telling]]:
        """Return the known tellings published after ``since``, by story, each story's in order."""
        begin = since.timestamp()
        stories = self._merged(moment)
        found: dict[int, list[Telling]] = {}
        for telling in self._tellings.get(topic, ()):
            if telling.told.published > begin and moment.knows(telling.told):
                found.setdefault(stories.present(telling.told.story or 0), []).append(telling)
        return [sorted(each, key=lambda one: (one.told.published, one.told.id)) for each in found.values()]

    def _merged(self, moment: Moment) -> Stories:
        stories = Stories()
        for merge in self._past.merges:
            item = self._by_id.get(merge.item_id)
            if item is None or moment.knows(item):
                stories.merge(merge)
        return stories


def _line(tellings: Sequence[Telling]) -> StoryLine:
    """Put a story's tellings, the first one first, into a line; words are the most probable telling's that has any."""
    first = tellings[0].item
    strongest = min(tellings, key=lambda one: (not one.signal.words, -one.signal.probability, one.told.id))
    return StoryLine(
        item_id=first.id,
        title=first.title,
        url=first.url,
        feed=first.feed,
        outlets=len({one.told.feed_id for one in tellings}),
        published=first.published.astimezone(UTC),
        probability=max(one.signal.probability for one in tellings),
        words=strongest.signal.words,
    )
