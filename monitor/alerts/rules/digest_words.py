"""A digest in words and tables: what is unusual comes first. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from monitor.alerts.wording import counted, day_since, level, multiple, one_line, short_day, span, topic_name
from monitor.trends import FALLS, RISES
from storage.alert_records import AlertLine, Cell, DigestData, Table, TopicPeriod

ALERTS_SHOWN = 10
"""So many of the period's alerts are listed, the newest first."""
_HEADLINE = 150
_NAMED = 6  # unusual topics in the explanation
_ONE_DAY = timedelta(hours=26)  # where clocks go back it has 25 hours
_LITTLE = 0.1  # stories expected: less is not divided by
_NONE = "–"
_STATES = {
    "normal": "as usual",
    "learning": "still learning",
    "rising": "rising",
    "surging": "surging",
    "falling": "falling",
    "quiet": "gone quiet",
}


def in_order(data: DigestData) -> list[TopicPeriod]:
    """Return the topics as they are told: the unusual first, then those with most stories."""
    return sorted(data.topics, key=lambda one: (not _unusual(one, data), -one.stories, one.topic))


def _unusual(one: TopicPeriod, data: DigestData) -> bool:
    """Tell whether a topic rises or falls, or did so within the period."""
    if one.trend is None:
        return False
    alarmed = one.trend.alarmed
    return _is_moving(one) or (alarmed is not None and data.since < alarmed <= data.until)


def _is_moving(one: TopicPeriod) -> bool:
    return one.trend is not None and one.trend.state in (*RISES, *FALLS)


def _is_known(one: TopicPeriod) -> bool:
    """Tell whether it is known what is usual for a topic."""
    return one.trend is not None and one.trend.state != "learning"


# In words


def headline(topics: Sequence[TopicPeriod], data: DigestData, zone: tzinfo) -> str:
    """Tell the period in one line: what is unusual first; as many topics as have room."""
    name = f"{_name(data, zone)}{_mood(topics, data)}"
    for shown in range(len(topics), 0, -1):
        more = f" and {len(topics) - shown} more" if shown < len(topics) else ""
        line = f"{name}: {_told(topics[:shown], data)}{more}"
        if len(line) <= _HEADLINE:
            return line
    return f"{name}: {counted(data.items, 'new item', 'new items')}"


def _name(data: DigestData, zone: tzinfo) -> str:
    lasted = data.until - data.since
    return f"{data.until.astimezone(zone):%A}’s digest" if lasted <= _ONE_DAY else f"Digest of {span(lasted)}"


def _mood(topics: Sequence[TopicPeriod], data: DigestData) -> str:
    if any(_unusual(one, data) for one in topics) or not any(map(_is_known, topics)):
        return ""
    return ", all as usual" if all(map(_is_known, topics)) else ", nothing unusual"


def _told(topics: Sequence[TopicPeriod], data: DigestData) -> str:
    unusual = [_in_full(one) for one in topics if _unusual(one, data)]
    others = [one for one in topics if not _unusual(one, data)]
    if not unusual:
        return ", ".join([f"{_plain(others[0])} {_count(others[0])}", *map(_short, others[1:])])
    usual = [_short(one) for one in others if _is_known(one)]
    new = [_short(one) for one in others if not _is_known(one)]
    groups = (("", unusual), ("as usual: ", usual), ("no norm yet: ", new))
    return "; ".join(f"{label}{', '.join(names)}" for label, names in groups if names)


def _plain(one: TopicPeriod) -> str:
    return one_line(one.topic, 60).replace("_", " ").replace("-", " ")


def _count(one: TopicPeriod) -> str:
    return counted(one.stories, "story", "stories") if one.stories else "no story"


def _short(one: TopicPeriod) -> str:
    return f"{_plain(one)} {one.stories:,}"


def _in_full(one: TopicPeriod) -> str:
    """Say how a topic moves, and how many times the expected came."""
    how = f" {_STATES[one.trend.state]} with" if one.trend and _is_moving(one) else ""
    ratio = _times(one) or (f"{level(one.expected)} expected" if one.expected is not None else "")
    return f"{_plain(one)}{how} {_count(one)}{f' ({ratio})' if ratio else ''}"


def _times(one: TopicPeriod) -> str:
    """Write how many times the expected came; empty where that says nothing."""
    if one.expected is None or one.expected < _LITTLE or not one.stories:
        return ""
    return multiple(one.stories, one.expected)


def explanation(topics: Sequence[TopicPeriod], data: DigestData, now: datetime, zone: tzinfo) -> str:
    """Say what was read, what is unusual, and how much was alerted."""
    begin, end = day_since(data.since, now, zone), day_since(data.until, now, zone)
    raised = (
        counted(len(data.alerts), "alert was raised", "alerts were raised") if data.alerts else "No alert was raised"
    )
    held = f", {counted(len(data.held), 'was', 'were')} held back" if data.held else ""
    items = counted(data.items, "new item", "new items")
    return f"{items} from {begin} to {end}. {_judgement(topics, data)} {raised}{held}."


def _judgement(topics: Sequence[TopicPeriod], data: DigestData) -> str:
    unusual = [one for one in topics if _unusual(one, data)]
    if unusual:
        more = f" and {len(unusual) - _NAMED} more" if len(unusual) > _NAMED else ""
        return f"Unusual: {', '.join(map(_against, unusual[:_NAMED]))}{more}."
    return "Nothing is unusual." if any(map(_is_known, topics)) else "What is usual is still being learned."


def _against(one: TopicPeriod) -> str:
    expected = "" if one.expected is None else f", {level(one.expected)} expected"
    return f"{_plain(one)} ({_count(one)}{expected})"


# In tables


def tables(
    topics: Sequence[TopicPeriod], data: DigestData, held: Sequence[AlertLine], now: datetime, zone: tzinfo
) -> tuple[Table, ...]:
    """Return the topics' numbers, and the alerts that were raised and held back; no table is empty."""

    def begun(line: AlertLine) -> tuple[str, ...]:
        return day_since(line.created, now, zone), line.rule, line.headline

    shown = data.alerts[:ALERTS_SHOWN]
    tables = (
        Table(
            "Topics",
            ("Topic", "Stories", "Expected", "Times", "Share", "State"),
            _rows(_numbers(one, data, now, zone) for one in topics),
            numbers=("Stories", "Expected", "Times", "Share"),
        ),
        Table("What was alerted", ("Time", "Rule", "Alert"), _rows(map(begun, shown)), len(data.alerts) - len(shown)),
        Table(
            "What was held back",
            ("Time", "Rule", "Alert", "Why"),
            _rows((*begun(line), line.why or line.state) for line in held),
            len(data.held) - len(held),
        ),
    )
    return tuple(table for table in tables if table.rows)


def _rows(rows: Iterable[tuple[str, ...]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(map(Cell, row)) for row in rows)


def _numbers(one: TopicPeriod, data: DigestData, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    expected = _NONE if one.expected is None else level(one.expected)
    share = _NONE if one.share is None else f"{one.share:.0%}"
    name, state = topic_name(one.topic), _state(one, data, now, zone)
    return name, f"{one.stories:,}", expected, _times(one) or _NONE, share, state


def _state(one: TopicPeriod, data: DigestData, now: datetime, zone: tzinfo) -> str:
    """Say in words how a topic stands now."""
    if one.trend is None:
        return "not judged yet"
    words = _STATES[one.trend.state]
    if _is_moving(one):
        return f"{words} since {day_since(one.trend.episode or one.trend.since, now, zone)}"
    if one.trend.state == "learning":
        ready = one.trend.ready
        return f"{words}, until about {short_day(ready.astimezone(zone).date())}" if ready else words
    return f"{words} again" if _unusual(one, data) else words
