"""The command that replays the past."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from pydantic import ValidationError

from monitor import wiring
from monitor.alerts.rules.occasion import RuleSettings
from monitor.alerts.wording import counted
from monitor.cli.options import config_option, load_config
from monitor.cli.tables import show
from monitor.config import Config, field_names
from monitor.errors import ConfigError, MonitorError
from monitor.past.flows import SPAN
from monitor.past.keeping_to import Limit, kept, parse_limit
from monitor.past.known_world import Moment
from monitor.past.replay import REPLAYED, WARM_UP, Raised, Replay, View, leading_up, see
from monitor.progress import Progress
from monitor.settings import parse_duration
from monitor.yaml_file import Problem, YamlFile
from storage import past
from storage.past_records import Past
from storage.reading import Answer

FORMATS = ("table", "jsonl", "csv")
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_STORIES = 3


class _Limit(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read 3/week."""
        try:
            return value if isinstance(value, Limit) else parse_limit(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@config_option
@click.option("--since", default="30d", show_default=True, help="A date, a time (ISO 8601), or how long ago: 30d.")
@click.option("--until", default=None, help="The same; a date means its end.  [default: now]")
@click.option(
    "--rules", type=click.Path(path_type=Path), help="Take the rules from the `alerts:` of this file instead."
)
@click.option("--topic", "topics", multiple=True, help="Only this topic; may be given several times.")
@click.option("--budget", type=_Limit(), help="Find the setting that keeps each rule to so many alerts: 3/week.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
def replay(config_path: Path, since: str, until: str | None, **options: Any) -> None:
    """Show what the alert rules would have found in the past, when and why.

    The stored history goes through the same steps again, with a clock that moves from --since to --until: at every look
    that the daemon took, and at every full hour before it began to run. At each moment only what was known then counts;
    of an imported archive, what was published by then. Nothing is sent and nothing is written. It runs beside the
    daemon.

    --budget 3/week prints instead, for each rule, the most generous setting with which no week would have had more than
    3 alerts. docs/replay.md tells more.
    """
    config = load_config(config_path)
    begin, end = _period(since, until, config.zone(), wiring.utc_now())
    rules = _rules(config, config_path, options["rules"])
    stored = past.read(config.database, begin - WARM_UP - timedelta(days=SPAN + 1), end)
    found = leading_up(stored, begin, end)
    _complain(stored, found, begin, end)
    kinds = {feed.name: feed.kind for feed in config.feeds}
    view = View(_topics(options["topics"], stored), wiring.calendar(config), config.timezone, kinds)
    with Progress("replaying", len(found)) as progress:
        replayed = see(stored, found, begin, view, progress.advance)
    if options["budget"]:
        _show_budget(replayed, rules, options["budget"], options["form"])
        return
    alerts = [one for one in replayed.alerts(rules) if one.finding.topic in view.topics]
    _SHOW[options["form"]](alerts, config.zone())
    _remark(replayed, rules, alerts)


def _period(since: str, until: str | None, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    begin = max(_moment("--since", since, zone, now, end=False), _FIRST)
    end = min(_moment("--until", until, zone, now, end=True), now) if until else now
    if begin >= end:
        raise click.UsageError(
            f"--since ({begin:%Y-%m-%d %H:%M} UTC) must lie before --until ({end:%Y-%m-%d %H:%M} UTC)"
        )
    return begin, end


def _moment(option: str, text: str, zone: ZoneInfo, now: datetime, *, end: bool) -> datetime:
    """Read a duration before now, a local day (its end, where ``end``) or a time; without a zone it is local."""
    with suppress(ValueError, OverflowError):
        if isinstance(ago := parse_duration(text), timedelta):
            return now - ago
    with suppress(ValueError, OverflowError):
        day = date.fromisoformat(text) + timedelta(days=end)
        return datetime.combine(day, time(), zone).astimezone(UTC)
    with suppress(ValueError, OverflowError):
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    raise click.UsageError(f"{option}: {text!r} is no date; write 2025-01-27, 2025-01-27T14:30 or 30d (days ago)")


def _rules(config: Config, config_path: Path, path: Path | None) -> Sequence[RuleSettings]:
    """Return the rules that can be replayed; say which cannot."""
    rules = config.alerts if path is None else _rules_of(path)
    left_out = [rule for rule in rules if rule.rule not in REPLAYED]
    if left_out:
        names = ", ".join(f"{rule.name} ({rule.rule})" for rule in left_out)
        click.echo(f"left out: {names}; only rules of kind {', '.join(REPLAYED)} are replayed", err=True)
    if len(left_out) == len(rules):
        raise ConfigError(
            f"{path or config_path}: alerts: there is no rule to replay; write one, or choose --rules FILE"
        )
    return [rule for rule in rules if rule.rule in REPLAYED]


def _rules_of(path: Path) -> Sequence[RuleSettings]:
    """Read the `alerts:` of a file; all else in it is ignored. Raises ConfigError as `monitor check` does."""
    file = YamlFile.read(path)
    if "alerts" not in file.data:
        raise ConfigError(file.explain(Problem(("alerts",), "is missing; write rules as in feeds.yaml")))
    try:
        return Config.model_validate({"feeds": (), "alerts": file.data["alerts"]}).alerts
    except ValidationError as error:
        raise ConfigError(*file.explain_all(error, field_names())) from None


def _complain(stored: Past, found: Sequence[Moment], begin: datetime, end: datetime) -> None:
    """Say what is missing for a replay of this period. Raises MonitorError when it is all of it."""
    if stored.oldest is None:
        raise MonitorError("nothing is stored yet: `monitor run` collects news, `monitor import` reads an archive")
    oldest = f"the oldest item is of {stored.oldest:%Y-%m-%d}; `monitor import` reads older ones from an archive"
    if stored.oldest >= end:
        raise MonitorError(f"nothing is stored from before {end:%Y-%m-%d %H:%M} UTC: {oldest}")
    if stored.oldest > begin:
        click.echo(f"nothing is stored from before {begin:%Y-%m-%d}: {oldest}", err=True)
    if not any(moment.now >= begin for moment in found):
        raise MonitorError(
            f"the monitor did not run between {begin:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC: nothing to replay"
        )


def _topics(chosen: Sequence[str], stored: Past) -> tuple[str, ...]:
    for topic in chosen:
        if topic not in stored.topics:
            known = ", ".join(stored.topics) or "none yet"
            raise click.UsageError(f"--topic: there is no topic {topic!r}; topics: {known}")
    return tuple(chosen) or stored.topics


# Alerts


def _show_table(alerts: Sequence[Raised], zone: ZoneInfo) -> None:
    rows = [
        (*_head(one, zone), "\n".join((one.finding.headline, one.finding.explanation, *_stories(one), "")))
        for one in alerts
    ]
    show(Answer(("when", "rule", "topic", "state", "what, why, and the strongest stories"), rows), "table")


def _show_csv(alerts: Sequence[Raised], zone: ZoneInfo) -> None:
    names = ("when", "rule", "topic", "state", "headline", "why", "stories")
    rows = [
        (*_head(one, zone), one.finding.headline, one.finding.explanation, " | ".join(_stories(one))) for one in alerts
    ]
    show(Answer(names, rows), "csv")


def _show_jsonl(alerts: Sequence[Raised], zone: ZoneInfo) -> None:
    for one in alerts:
        fields = {"when": one.at.astimezone(zone), **asdict(one.finding), "trend": one.trend and asdict(one.trend)}
        click.echo(json.dumps(fields, ensure_ascii=False, default=lambda value: value.isoformat()))


_SHOW = {"table": _show_table, "csv": _show_csv, "jsonl": _show_jsonl}


def _head(one: Raised, zone: ZoneInfo) -> tuple[str, ...]:
    state = one.trend.state if one.trend and one.finding.kind == "trend" else ""
    return (f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}", one.finding.rule, one.finding.topic, state)


def _stories(one: Raised) -> list[str]:
    return [f"· {story.title} ({story.feed})" for story in one.finding.stories[:_STORIES]]


def _remark(replayed: Replay, rules: Sequence[RuleSettings], alerts: Sequence[Raised]) -> None:
    looks = sum(seen.moment.look is not None for seen in replayed.seen if seen.moment.now >= replayed.since)
    hours = sum(seen.moment.look is None for seen in replayed.seen if seen.moment.now >= replayed.since)
    found = counted(len(alerts), "alert", "alerts")
    seen = f"{counted(looks, 'look', 'looks')} of the monitor and {counted(hours, 'full hour', 'full hours')}"
    click.echo(f"{found} at {seen} before them", err=True)
    for topic, ready in replayed.learning(rules).items():
        when = f"it can be judged from {ready:%Y-%m-%d} on" if ready else "no feed of it answers"
        click.echo(f"{topic} was learning all the time: {when}", err=True)


# Settings that keep to a limit


def _show_budget(replayed: Replay, rules: Sequence[RuleSettings], limit: Limit, form: str) -> None:
    with Progress("trying settings", len(rules)) as progress:
        found = []
        for rule in rules:
            found.append(kept(replayed, rule, limit))
            progress.advance()
    rows = [(one.rule, one.now, one.setting or "none does", one.then) for one in found]
    answer = Answer(("rule", "alerts now", f"setting that keeps {limit}", "alerts then"), rows)
    if form == "jsonl":
        for one in found:
            click.echo(json.dumps({**asdict(one), "limit": str(limit)}, ensure_ascii=False))
    else:
        show(answer, form)
