"""The rule `silence`: the stream of news itself fails: no items, no answers, failing feeds, a channel. Pure.

It never tells of a topic: a topic that goes quiet while its feeds bring news is the rule `trend`'s. Each trouble is a
thread of its own, with a start and an end, and named by what fails and since when: the same silence is told once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.rules.threads import open_threads
from monitor.alerts.wording import counted, day_since, one_line, span
from monitor.settings import Duration, format_duration
from storage.alert_records import ChannelHealth, Finding, StreamHealth

FEWEST_FEEDS = 3
"""Of fewer feeds no share is told: one of them would be half."""
_STILL_FAILING = 0.8  # a failing share lasts until it is clearly below the limit, so that it does not come and go
_SHORTEST = timedelta(minutes=10)  # feeds are not asked more often, as a rule
_NAME, _REASON, _HEADLINE = 80, 300, 150
_MARK = len(":2026-11-23T14:02:00+00:00")  # how a thread's key ends: since when

_ABOUT = "This is about the stream of news itself, not about a topic"
_PAUSED = f"{_ABOUT}; trends leave out what feeds that fail do not cover."
_LOOK = "Run `monitor status`: it says of each feed what is wrong."
_NETWORK = f"Look at this machine’s network first (DNS, proxy, firewall). {_LOOK}"


def _long_enough(limit: timedelta) -> timedelta:
    if limit < _SHORTEST:
        raise ValueError(f"write at least {format_duration(_SHORTEST)}")
    return limit


Limit = Annotated[Duration, AfterValidator(_long_enough)]


class SilenceRule(RuleSettings):
    """Alert when the stream of news itself fails, and when it flows again."""

    rule: Literal["silence"]
    no_items: Limit | None = Field(None, description="Nothing new from any feed for so long.")
    no_answer: Limit | None = Field(None, description="No feed has answered well for so long.")
    failing: int | None = Field(
        None, ge=1, le=100, description="So many percent of the feeds fail or are blocked (of three or more)."
    )
    feeds: dict[str, Limit] = Field({}, description="Feeds that must bring news: by name, within which time.")
    channels: Limit | None = Field(
        None, description="A channel has not taken a message for so long; told as critical, by the other channels."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.no_items or self.no_answer or self.failing or self.feeds or self.channels):
            raise ValueError("name at least one of no_items:, no_answer:, failing:, feeds: and channels:")
        return self


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Something that fails now: ``what`` within the rule, since when, and the words for it."""

    what: str
    since: datetime
    headline: str
    explanation: str
    advice: str
    channel: bool = False


def findings(settings: SilenceRule, occasion: Occasion) -> list[Finding]:
    """Return the start of each trouble there is, and the end of each one that was told and is over.

    Nothing while nobody knows how the stream is.
    """
    if occasion.stream is None:
        return []
    begun = {thread: _what(settings, thread) for thread in open_threads(occasion.told, settings.name)}
    view = _View(settings, occasion, occasion.stream, {what: thread for thread, what in begun.items()})
    troubles = [trouble for check in _CHECKS for trouble in check(view)]
    lasting = {trouble.what for trouble in troubles}
    ended = [_end(view, thread) for thread, what in begun.items() if what not in lasting]
    return [*(_start(view, trouble) for trouble in troubles), *ended]


def receivers(finding: Finding, occasion: Occasion, channels: Sequence[str]) -> tuple[str, ...]:
    """Return who is told a finding that names no channel: all, but of a channel's trouble those that work.

    All of them too when none works.
    """
    if not (finding.kind == "silence" and finding.key.startswith(f"{finding.rule}:channels:")):
        return tuple(channels)
    return _working(channels, occasion.stream) or tuple(channels)


def _working(channels: Sequence[str], stream: StreamHealth | None) -> tuple[str, ...]:
    failing = {channel.name for channel in stream.channels} if stream else set()
    return tuple(name for name in channels if name not in failing)


@dataclass(frozen=True, slots=True)
class _View:
    """What the checks look at: the rule, the world, and the rule's open threads by what they are about."""

    settings: SilenceRule
    occasion: Occasion
    stream: StreamHealth
    begun: dict[str, str]

    @property
    def now(self) -> datetime:
        return self.occasion.now

    def when(self, moment: datetime) -> str:
        """Write a moment as it is said after 'since'."""
        return day_since(moment, self.now, ZoneInfo(self.occasion.zone))

    def too_long(self, what: str, since: datetime, limit: timedelta) -> bool:
        """Tell whether a silence is too long; one that was told lasts until it ends, even if the limit was raised."""
        return self.now - since >= limit or self.begun.get(what) == _thread(self.settings, what, since)

    def lasted(self, moment: datetime) -> str:
        return span(max(self.now - moment, timedelta(0)))


# the checks


def _no_items(view: _View) -> Iterator[_Trouble]:
    limit, stream = view.settings.no_items, view.stream
    if limit is None or stream.began is None:
        return
    since = max(stream.last_item or stream.began, stream.began)
    if view.too_long("no_items", since, limit):
        headline = f"No news for {view.lasted(since)}: nothing new from any feed since {view.when(since)}"
        cause, advice = _cause(view, since)
        yield _Trouble("no_items", since, headline, f"{cause} {_PAUSED}", advice)


def _cause(view: _View, since: datetime) -> tuple[str, str]:
    """Say why nothing new comes, as far as the feeds' answers tell, and what to do about it."""
    stream = view.stream
    if stream.last_ok is None or stream.last_ok <= since:
        return _no_answers(view), _NETWORK
    if stream.failing:
        return f"{_share(stream)}; the others answer, but bring nothing new.", _LOOK
    answering = f"All {stream.feeds:,} feeds answer" if stream.feeds > 1 else "The feed answers"
    quiet = "If that is usual for them, as on a holiday, raise no_items: in feeds.yaml."
    return f"{answering}, but bring nothing new.", f"Open a feed’s address in a browser. {quiet}"


def _no_answers(view: _View) -> str:
    last = view.stream.last_ok
    return f"No feed has answered well since {view.when(last)}." if last else "No feed has ever answered well."


def _share(stream: StreamHealth) -> str:
    return (
        f"{stream.failing:,} of {counted(stream.feeds, 'feed', 'feeds')} {'fails' if stream.failing == 1 else 'fail'}"
    )


def _no_answer(view: _View) -> Iterator[_Trouble]:
    limit, stream = view.settings.no_answer, view.stream
    if limit is None or stream.began is None or not stream.feeds:
        return
    since = max(stream.last_ok or stream.began, stream.began)
    if view.too_long("no_answer", since, limit):
        headline = f"No feed has answered for {view.lasted(since)}"
        yield _Trouble("no_answer", since, headline, f"{_no_answers(view)} {_share(stream)}. {_PAUSED}", _NETWORK)


def _failing(view: _View) -> Iterator[_Trouble]:
    limit, stream = view.settings.failing, view.stream
    if limit is None or stream.feeds < FEWEST_FEEDS:
        return
    percent = 100 * stream.failing / stream.feeds
    if percent >= (limit * _STILL_FAILING if "failing" in view.begun else limit):
        headline = f"{percent:.0f}% of the feeds fail: {stream.failing:,} of {stream.feeds:,}"
        explanation = f"They fail or are blocked; the limit of this rule is {limit}%. {_PAUSED}"
        yield _Trouble("failing", view.now, headline, explanation, _NETWORK)


def _feeds(view: _View) -> Iterator[_Trouble]:
    for name, limit in view.settings.feeds.items():
        since = view.stream.seen.get(name)
        if since is not None and view.too_long(f"feeds:{name}", since, limit):
            headline = f"Feed “{one_line(name, _NAME)}” has brought nothing new since {view.when(since)}"
            explanation = f"It must bring news within {span(limit)}, says this rule. {_ABOUT}."
            advice = f"{_LOOK} Then open the feed’s address in a browser; its publisher may have moved or stopped."
            yield _Trouble(f"feeds:{name}", since, headline, explanation, advice)


def _channels(view: _View) -> Iterator[_Trouble]:
    limit = view.settings.channels
    for channel in view.stream.channels:
        if limit and view.too_long(f"channels:{channel.name}", channel.since, limit):
            yield _of_channel(view, channel)


def _of_channel(view: _View, channel: ChannelHealth) -> _Trouble:
    name, reason = one_line(channel.name, _NAME), one_line(channel.error, _REASON).rstrip(".")
    waiting = f"{counted(channel.waiting, 'message waits', 'messages wait')} for it"
    given_up = f", {counted(channel.given_up, 'was', 'were')} given up" if channel.given_up else ""
    return _Trouble(
        what=f"channels:{channel.name}",
        since=channel.since,
        headline=f"Channel “{name}” has taken no message for {view.lasted(channel.since)}",
        explanation=f"{reason + '. ' if reason else ''}Since {view.when(channel.since)}; {waiting}{given_up}.",
        advice=f"Run `monitor alerts test {quote(name)}`: it sends a message and says what fails.",
        channel=True,
    )


_CHECKS: tuple[Callable[[_View], Iterator[_Trouble]], ...] = (_no_items, _no_answer, _failing, _feeds, _channels)

_MISSED = "What feeds published meanwhile and show no more is missing."
_WELL = {
    "no_items": ("News flows again, after {lasted}", f"Nothing new had come from any feed. {_MISSED}"),
    "no_answer": ("Feeds answer again, after {lasted}", f"{{share}}. {_MISSED}"),
    "failing": ("Fewer feeds fail again, after {lasted}: {share}", f"Trends count them again. {_MISSED}"),
    "feeds": ("Feed “{name}” brings news again, after {lasted}", f"{_ABOUT}."),
    "channels": (
        "Channel “{name}” takes messages again, after {lasted}",
        "What waited for it goes out now; what was given up is sent by `monitor deliver --failed`.",
    ),
}
"""Headline and explanation of an end, by the setting that asked for the check."""


# what is told


def _start(view: _View, trouble: _Trouble) -> Finding:
    settings = view.settings
    thread = view.begun.get(trouble.what) or _thread(settings, trouble.what, trouble.since)
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=thread,
        severity="critical" if trouble.channel else settings.severity,
        topic="",
        headline=one_line(trouble.headline, _HEADLINE),
        explanation=trouble.explanation,
        send=_working(settings.send, view.stream) if trouble.channel else settings.send,
        zone=view.occasion.zone,
        thread=thread,
        phase="start",
        advice=trouble.advice,
    )


def _end(view: _View, thread: str) -> Finding:
    headline, explanation = _ended(view, thread)
    return Finding(
        rule=view.settings.name,
        kind=view.settings.rule,
        key=f"{thread}:end",
        severity="info",
        topic="",
        headline=one_line(headline, _HEADLINE),
        explanation=explanation,
        send=view.settings.send,
        zone=view.occasion.zone,
        thread=thread,
        phase="end",
    )


def _ended(view: _View, thread: str) -> tuple[str, str]:
    """Return headline and explanation of an end; what is no longer checked has not become well by that."""
    kind, _, name = _what(view.settings, thread).partition(":")
    checked = getattr(view.settings, kind, None)
    if not checked or (kind == "feeds" and name not in checked):
        return f"No longer watched: {one_line(f'{kind} {name}', _NAME)}", "This rule has changed in feeds.yaml."
    words = {
        "name": one_line(name, _NAME),
        "lasted": view.lasted(datetime.fromisoformat(thread[1 - _MARK :])),
        "share": _share(view.stream),
    }
    headline, explanation = _WELL[kind]
    return headline.format(**words), explanation.format(**words)


def _thread(settings: SilenceRule, what: str, since: datetime) -> str:
    return f"{settings.name}:{what}:{since.astimezone(UTC).replace(microsecond=0).isoformat()}"


def _what(settings: SilenceRule, thread: str) -> str:
    """Read back from a thread's key what it is about."""
    return thread.removeprefix(f"{settings.name}:")[:-_MARK]
