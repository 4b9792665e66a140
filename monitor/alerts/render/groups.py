"""Stories under a heading, in clean words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from monitor.alerts.render.room import Room, html_bytes
from monitor.alerts.wording import clock, counted, day_name, one_line, percent, safe_link
from storage.alert_records import Finding, StoryLine, StoryList

STORIES_SHOWN = 10
LISTS_SHOWN = 12
WORDS_SHOWN = 3
_WORD = 48  # characters; a phrase of four words is seldom longer
_MARKUP = 650  # bytes of HTML around a story


@dataclass(frozen=True, slots=True)
class Line:
    """A story of the list. ``url`` is None where the feed gave no link that is safe to follow.

    ``because`` names the words that decided, or is empty.
    """

    title: str
    url: str | None
    feed: str
    outlets: str
    time: str
    probability: str
    because: str


@dataclass(frozen=True, slots=True)
class Group:
    """Stories under a heading. ``left_out`` counts those that are not listed."""

    heading: str
    lines: tuple[Line, ...]
    left_out: int


def own_stories(finding: Finding, room: Room) -> tuple[Group, ...]:
    """Return the group of the finding's own stories; none without stories."""
    if not finding.stories:
        return ()
    total = max(len(finding.stories), len(finding.evidence), finding.observed or 0)
    lines = _lines(finding.stories, finding.zone, room)
    return (Group(_heading(total, len(lines)), lines, total - len(lines)),)


def story_lists(finding: Finding, room: Room) -> tuple[Group, ...]:
    """Return a group for each of the finding's lists that holds a story."""
    lists = [one for one in finding.lists if one.stories]
    return tuple(_listed(one, finding.zone, room) for one in lists[:LISTS_SHOWN])


def _listed(one: StoryList, zone: str, room: Room) -> Group:
    lines = _lines(one.stories, zone, room)
    return Group(one_line(one.title, 80), lines, len(one.stories) - len(lines) + one.left_out)


def _heading(total: int, shown: int) -> str:
    if total == 1:
        return "The story"
    return f"Top {shown} of {total:,} stories" if total > shown else f"The {total} stories"


def _lines(stories: Sequence[StoryLine], zone: str, room: Room) -> tuple[Line, ...]:
    told = (_line(story, ZoneInfo(zone)) for story in stories[:STORIES_SHOWN])
    return room.take(told, lambda line: _MARKUP + html_bytes(line.title, line.url, line.outlets, line.because))


def _line(story: StoryLine, zone: tzinfo) -> Line:
    feed = one_line(story.feed, 60)
    more = f" +{counted(story.outlets - 1, 'more outlet', 'more outlets')}" if story.outlets > 1 else ""
    return Line(
        title=one_line(story.title, 200) or "(no title)",
        url=safe_link(story.url),
        feed=feed,
        outlets=feed + more,
        time=f"{clock(story.published, zone)}, {day_name(story.published.astimezone(zone).date())}",
        probability=percent(story.probability),
        because=_because(story.words),
    )


def _because(words: tuple[str, ...]) -> str:
    named = [word for word in (one_line(word, _WORD) for word in words[:WORDS_SHOWN]) if word]
    return f"because: {' · '.join(named)}" if named else ""
