"""What every form of an alert says, in clean words, before it becomes HTML, text or blocks. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta
from shlex import quote
from zoneinfo import ZoneInfo

from monitor.alerts.render.grids import Grid, grids
from monitor.alerts.render.groups import Group, own_stories, story_lists
from monitor.alerts.render.room import WHOLE, Room
from monitor.alerts.render.strips import LARGE, Strip, strips
from monitor.alerts.wording import clock, day_name, kind_name, one_line, topic_name, weekday_time
from storage.alert_records import Alert, Finding

TEST = "test"
"""The kind of a message that only tries a channel."""
TEST_MARK = "[Test]"
_NO_RULE = (TEST, "delivery")  # kinds that no rule of feeds.yaml raises
_PHASES = {"update": "update", "end": "over"}
_FATES = {"muted": "not told", "silenced": "not told", "carried": "told together with others"}
_AT_ONCE = timedelta(minutes=1)
_COMMAND = re.compile("`(monitor [^`]+)`")


@dataclass(frozen=True, slots=True)
class Command:
    """What a reader can do in a shell, word for word: ``purpose`` says what for."""

    purpose: str
    line: str


@dataclass(frozen=True, slots=True)
class Content:
    """An alert in words.

    ``label`` says what it is about, how severe, and whether it is an update or the end of something; ``accent`` names
    its colour. ``held`` says when and why it was not told at once (else it is empty). ``leading`` and ``trailing`` are
    the tables before charts and stories, and after them. ``alert_id`` is 0 for what is stored nowhere.
    ``evidence`` counts the items that it rests on.
    """

    headline: str
    explanation: str
    advice: str
    held: str
    label: str
    severity: str
    accent: str
    raised: str
    rule: str
    kind: str
    leading: tuple[Grid, ...]
    strips: tuple[Strip, ...]
    groups: tuple[Group, ...]
    trailing: tuple[Grid, ...]
    alert_id: int
    evidence: int
    commands: tuple[Command, ...]
    has_rule: bool

    @property
    def small_strips(self) -> bool:
        """Whether there are so many strips that they are drawn small."""
        return len(self.strips) > LARGE

    @property
    def more(self) -> str:
        """The command that lists all its stories; empty where there is none."""
        listed = self.alert_id and self.evidence > 0
        return f"monitor query alert-evidence --alert {self.alert_id}" if listed else ""

    @property
    def whole(self) -> str:
        """The command that shows what a small message leaves out; empty where there is none."""
        return f"monitor alerts show {self.alert_id}" if self.alert_id else ""

    @property
    def note(self) -> str:
        """What the figures and words beside the stories are; empty without stories."""
        lines = [line for group in self.groups for line in group.lines]
        if not lines:
            return ""
        percentages = "Percentages are the model’s probability that the story is about the topic"
        named = "; after “because” stand the words that decided" if any(line.because for line in lines) else ""
        return f"{percentages}{named}."


def content(alert: Alert) -> Content:
    """Put an alert into words."""
    finding = alert.finding
    zone = ZoneInfo(finding.zone)
    today = alert.created.astimezone(zone).date()
    room = Room(WHOLE)
    charts = strips(finding, today, room)
    tables = grids(finding, room)
    severity = one_line(finding.severity, 20)
    return Content(
        headline=_headline(finding),
        explanation=one_line(finding.explanation, 1000),
        advice=one_line(finding.advice, 500),
        held=_held(alert, zone),
        label=_label(finding, severity),
        severity=severity,
        accent="over" if finding.phase == "end" else severity,
        raised=f"{day_name(today)} {today.year}, {clock(alert.created, zone)}",
        rule=one_line(finding.rule, 80),
        kind=one_line(finding.kind, 40),
        leading=tables[:1],
        strips=charts,
        groups=(*own_stories(finding, room), *story_lists(finding, room)),
        trailing=tables[1:],
        alert_id=alert.id,
        evidence=len(finding.evidence),
        commands=_commands(alert),
        has_rule=finding.kind not in _NO_RULE,
    )


def commands(text: str) -> list[tuple[str, bool]]:
    """Cut a text where a command of ours stands in backticks: parts, and whether each is a command (then without)."""
    parts = _COMMAND.split(text)
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]


def _headline(finding: Finding) -> str:
    marked = finding.kind == TEST and not finding.headline.startswith(TEST_MARK)
    return one_line(f"{TEST_MARK} {finding.headline}" if marked else finding.headline, 150) or "Alert"


def _label(finding: Finding, severity: str) -> str:
    subject = topic_name(finding.topic) if finding.topic else kind_name(finding.kind)
    return " · ".join(word for word in (subject, severity, _PHASES.get(finding.phase)) if word)


def _held(alert: Alert, zone: ZoneInfo) -> str:
    """Say when and why it was not told at once; nothing where it hardly waited."""
    why = one_line(alert.why, 300)
    if not why or (alert.until and alert.until - alert.created < _AT_ONCE):
        return ""
    return f"Raised {weekday_time(alert.created, zone)}, {_FATES.get(alert.state) or _waited(alert, zone)}: {why}"


def _waited(alert: Alert, zone: ZoneInfo) -> str:
    if alert.until is None:
        return "held at first"
    near = alert.until - alert.created < timedelta(days=1)
    return f"held until {clock(alert.until, zone) if near else weekday_time(alert.until, zone)}"


def _commands(alert: Alert) -> tuple[Command, ...]:
    finding = alert.finding
    if finding.kind in _NO_RULE:
        return ()
    silence = Command("silence it", f"monitor alerts silence {quote(one_line(finding.rule, 80))} --for 8h")
    if not alert.id or finding.phase not in ("start", "update"):
        return (silence,)
    return (silence, Command("stop its reminders", f"monitor alerts ack {alert.id}"))
