"""The command line: one file per group of commands, loaded only when called, so that `monitor --help` is instant."""

from typing import Any

import click

from monitor.cli.lazy import LazyGroup
from monitor.errors import MonitorError
from storage.errors import StorageError

COMMANDS = {
    "run": ("working", "Run the daemon: poll feeds, tag, detect trends, alert. --once does one round."),
    "poll": ("working", "Fetch the feeds that are due and store what is new."),
    "classify": ("working", "Tag stored items with topics, or items from standard input (--jsonl)."),
    "feeds": ("feeds", "List, add, remove, pause, check, import and export feeds."),
    "import": ("importing", "Read past items from JSON Lines, so that trends start with a history."),
    "replay": ("replaying", "Show what the alert rules would have found in the past, when and why."),
    "recount": ("recounting", "Make stories' numbers and the daily counts anew, and say what differed."),
    "reclassify": ("retagging", "Have the present model read stored items that it has not read yet."),
    "explain": ("reasons", "Show which words decided about an item, or about a text of yours."),
    "label": ("labelling", "Say what an item really is; --review walks through the doubtful ones."),
    "evaluate": ("labelling", "Measure the model on the labels, or on a file of labelled items."),
    "train": ("learning", "Learn from the labels: fit a correction in seconds, or the whole network (--full)."),
    "alerts": ("alerts", "List, show, test, acknowledge, silence, resend and preview alerts."),
    "deliver": ("working", "Send the alerts that wait in the outbox."),
    "status": ("health", "Show feeds, pending work, trends and undelivered alerts."),
    "healthcheck": ("health", "Exit 0 when the monitor is alive and up to date, else 1 (for Docker and cron)."),
    "query": ("asking", "Answer a canned question; --list shows them."),
    "sql": ("asking", "Run a SELECT on the database (read-only)."),
    "check": ("configuration", "Check feeds.yaml and name every mistake."),
    "config": ("config", "Show the configuration in effect, without secrets."),
    "init": ("configuration", "Write a commented feeds.yaml to start from."),
    "demo": ("demo", "Play a bundled scenario through the real program, without a network."),
}


class Commands(LazyGroup):
    """All commands; one of our errors becomes its line and its exit code."""

    table = COMMANDS

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (MonitorError, StorageError) as error:
            click.echo(f"monitor: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ai-market-monitor", prog_name="monitor")
def main() -> None:
    """Watch AI-industry news feeds; tag, count, and alert when a topic's flow really changes.

    \b
    Start with:  monitor run          (with feeds.yaml; `monitor init` writes one)
    Look at it:  monitor status, monitor query --list
    Try it out:  monitor demo

    Exit codes: 0 done, 1 failed or unhealthy, 2 bad configuration, query or usage, 3 already running,
    4 database trouble, 5 classifier trouble, 130 stopped by Ctrl-C.
    """  # noqa: D301 - click wants the backspace character itself
