"""The commands about alerts, each loaded only when it is called."""

import click

from monitor.cli.lazy import LazyGroup

COMMANDS = {
    "list": ("alerts_listing", "Show what was alerted, the newest first, and what became of it."),
    "show": ("alerts_showing", "Show one alert: its message, why, and what became of each delivery."),
    "test": ("alerts_testing", "Send a marked message through the channels, and say what fails."),
    "preview": ("alerts_preview", "Show what a rule would send now, and how often it would have."),
    "ack": ("alerts_answering", "Say that an alert is known: no more reminders of it."),
    "resend": ("alerts_answering", "Send an alert once more."),
    "silence": ("alerts_silencing", "Be told nothing of a rule for a time; it is recorded all the same."),
    "unsilence": ("alerts_silencing", "Be told again."),
    "silences": ("alerts_silencing", "Show the silences in force."),
}


class Alerts(LazyGroup):
    """The commands about alerts."""

    table = COMMANDS
    ending = "_"


@click.group(cls=Alerts)
def alerts() -> None:
    """List, show, test, preview, acknowledge, resend and silence alerts.

    All of it works while the monitor runs, and none of it needs the secrets of the channels, except `test`. Rules are
    named by their names in feeds.yaml, in any case.
    """
