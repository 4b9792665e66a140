"""What a rule would send now, and how often it would have."""

import asyncio
from datetime import datetime
from pathlib import Path

import click

from monitor.alerts.rules.occasion import RuleSettings
from monitor.alerts.wording import counted, one_line
from monitor.cli import alerts_counting
from monitor.cli.alerts_forms import form_options, tell
from monitor.cli.alerts_now import Now, look
from monitor.cli.alerts_words import the_name
from monitor.cli.options import config_option, load_config
from monitor.cli.tables import show
from monitor.config import Config
from monitor.wiring import utc_now
from storage import reading
from storage.alert_records import Alert, Finding

SHOWN = 10
"""So many findings are listed by their headlines."""


@click.command("preview")
@config_option
@form_options
@click.argument("rule")
def preview_(config_path: Path, rule: str, html_file: Path | None, slack: bool) -> None:
    """Show what RULE would send now, what would become of it, and how often it would have found something.

    The rules `match`, `trend` and `compound` are tried on the stored history of the last month, before quiet hours,
    cooldown and budget; of the others, the alerts that they raised are counted. Where a rule finds nothing now, a
    message is shown as if it did. Nothing is stored or sent.
    """
    config = load_config(config_path)
    name = the_name(rule, [one.name for one in config.alerts], "rule", str(config_path))
    chosen = next(one for one in config.alerts if one.name == name)
    reading.ask(config.database, "SELECT 1")  # says so when there is no database yet, instead of making one
    now = utc_now()
    seen = asyncio.run(look(config, chosen, now))
    counts = alerts_counting.count(config, chosen, now)
    _describe(config, chosen, seen, aside=slack)
    _say(_often(counts, now), aside=slack)
    message, of = _message(seen, counts)
    if message is None:
        _say("\nthere is no message to show: it found nothing", aside=slack)
        return
    _say(f"\nThe message, {of}:\n", aside=slack)
    tell(Alert(0, now, message), html_file, slack)


def _say(text: str, *, aside: bool) -> None:
    """Print a line; on standard error where standard output is for a program."""
    click.echo(text, err=aside)


def _describe(config: Config, rule: RuleSettings, seen: Now, *, aside: bool) -> None:
    channels = ", ".join(rule.send or config.channels) or "no channel"
    _say(f"{rule.name}: a rule of the kind {rule.rule}, severity {rule.severity}, to {channels}", aside=aside)
    if seen.seen is not None and not aside:
        click.echo("")
        show(seen.seen, "table")
    for finding, fate in seen.found[:SHOWN]:
        _say(f"now: {one_line(finding.headline, 150)}\n     {fate}", aside=aside)
    if (more := len(seen.found) - SHOWN) > 0:
        _say(f"and {more:,} more", aside=aside)
    if not seen.found and rule.rule not in {"match", "digest"}:
        _say("now: nothing", aside=aside)


def _often(counts: alerts_counting.Counts, now: datetime) -> str:
    words = alerts_counting.in_words(counts, now)
    return f"it would have found: {words}" if counts.replayed else f"alerts it raised: {words}"


def _message(seen: Now, counts: alerts_counting.Counts) -> tuple[Finding | None, str]:
    """Choose what to show: what is found now, else the sample, else what was found last."""
    if seen.found:
        others = len(seen.found) - 1
        return seen.found[0][0], f"the first of {counted(others + 1, 'finding', 'findings')}" if others else "as of now"
    if seen.sample is not None:
        return seen.sample, seen.of
    return counts.newest, "of what it would have found last"
