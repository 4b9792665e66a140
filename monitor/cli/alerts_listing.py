"""The list of alerts, and what became of each."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import click

from monitor.alerts.wording import one_line
from monitor.cli.alerts_words import local, the_name
from monitor.cli.options import DURATION, config_option, load_config
from monitor.cli.tables import FORMATS, show
from monitor.config import Config
from monitor.wiring import utc_now
from storage import reading
from storage.alert_records import AlertState
from storage.reading import Answer
from storage.times import from_text, to_text

Row = Mapping[str, Any]

_TABLE = ("id", "time", "severity", "rule", "phase", "headline", "what became of it")
_LONGEST = 150
_LIST = """
SELECT a.id, a.created, a.severity, a.rule, a.kind, a.topic, a.phase, a.headline, a.state, a.why, a.held_until,
       a.told_in, a.thread, a.acked,
       (SELECT group_concat(channel || ': ' || state, ', ') FROM (
          SELECT channel, state FROM deliveries d WHERE d.alert_id = a.id ORDER BY channel)) AS deliveries
FROM alerts a
WHERE a.created >= :since AND (:rule IS NULL OR a.rule = :rule) AND (:topic IS NULL OR a.topic = :topic)
  AND (:states = '' OR instr(:states, '|' || a.state || '|'))
  AND (NOT :open OR a.id IN (SELECT alert_id FROM alerts_open))
ORDER BY a.id DESC LIMIT :limit
"""


@click.command("list")
@config_option
@click.option("--since", type=DURATION, help="How far back.  [default: 7d; all that lasts with --open]")
@click.option("--rule", help="Only alerts of this rule.")
@click.option("--topic", help="Only alerts of this topic.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(get_args(AlertState)),
    help="Only what became so (may be repeated).",
)
@click.option("--open", "lasting", is_flag=True, help="Only what still lasts: begun, and not over.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The newest so many.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
def list_(config_path: Path, since: timedelta | None, form: str, limit: int, **chosen: Any) -> None:
    """Show what was alerted, the newest first, and what became of each alert.

    \b
    told      messages of its own were sent, or wait for their channel
    held      waits: for the end of quiet hours, of the cooldown, or for the weekly budget
    carried   was told within another alert
    muted     is only recorded, because another alert tells the same
    silenced  is only recorded, because somebody wished so

    Times are those of `timezone:`; JSON and CSV hold the exact ones (UTC). `monitor alerts show ID` tells more.
    """  # noqa: D301 - click wants the backspace character itself
    config = load_config(config_path)
    rows = _found(config, since, limit + 1, **chosen)
    shown = rows[:limit]
    if form == "table":
        show(Answer(_TABLE, [_told(row, config.zone()) for row in shown]), form)
    else:
        columns = tuple(rows[0]) if rows else _TABLE
        show(Answer(columns, [tuple(row.values()) for row in shown]), form)
    if len(rows) > limit:
        click.echo(f"these are the newest {limit:,}; --limit shows more", err=True)


def _found(config: Config, since: timedelta | None, limit: int, **chosen: Any) -> list[Row]:
    """Return the rows that fit. Raises ConfigError for a rule that nobody knows, StorageError."""
    rule = chosen["rule"] and the_name(chosen["rule"], _rules(config), "rule", "feeds.yaml")
    period = since or (timedelta(days=3650) if chosen["lasting"] else timedelta(days=7))
    values = {
        "since": to_text(utc_now() - period),
        "rule": rule,
        "topic": chosen["topic"],
        "states": "".join(f"|{state}|" for state in chosen["states"]),
        "open": chosen["lasting"],
        "limit": limit,
    }
    answer = reading.ask(config.database, _LIST, values)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _rules(config: Config) -> list[str]:
    """Name the rules of feeds.yaml, and those that alerted and are gone from it."""
    known = [rule.name for rule in config.alerts]
    before = [str(name) for (name,) in reading.ask(config.database, "SELECT DISTINCT rule FROM alerts").rows]
    return [*known, *(name for name in before if name not in known)]


def _told(row: Row, zone: ZoneInfo) -> tuple[Any, ...]:
    phase = "" if row["phase"] == "once" else row["phase"]
    time = local(from_text(row["created"]), zone)
    headline = one_line(row["headline"], _LONGEST)
    return row["id"], time, row["severity"], row["rule"], phase, headline, became(row, zone)


def became(row: Row, zone: ZoneInfo) -> str:
    """Say what became of an alert: of its deliveries, or why it has none."""
    words = _became(row, zone)
    return f"{words}; acknowledged" if row["acked"] else words


def _became(row: Row, zone: ZoneInfo) -> str:
    if row["state"] == "held":
        until = f" until {local(from_text(row['held_until']), zone)}" if row["held_until"] else ""
        return f"held{until}: {row['why']}"
    if row["state"] == "carried":
        return f"told in {row['told_in']}"
    if row["state"] == "told":
        return row["deliveries"] or "no channel"
    return f"{row['state']}: {row['why']}" if row["why"] else str(row["state"])
