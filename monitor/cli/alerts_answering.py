"""What a person does about one alert: acknowledge it, or have it sent once more."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from monitor.alerts.wording import counted, one_line
from monitor.cli.alerts_showing import stored
from monitor.cli.alerts_words import the_name
from monitor.cli.options import config_option, load_config
from monitor.config import Config
from monitor.errors import MonitorError
from monitor.instance import running_process
from monitor.settings import format_duration
from monitor.wiring import utc_now
from storage.alert_records import Alert
from storage.store import Store


@click.command("ack")
@config_option
@click.option("--note", default="", help="Why, or by whom; `monitor alerts show` shows it.")
@click.argument("number", type=int, metavar="ID")
def ack_(config_path: Path, number: int, note: str) -> None:
    """Acknowledge the alert ID: no more reminders (`repeat:`) of what it tells.

    That it grows, or is over, is told all the same. What is told once only needs no acknowledgement.
    """
    config = load_config(config_path)
    alert = stored(config.database, number)

    async def acknowledge() -> None:
        with Store(config.database) as store:
            await store.acknowledge(number, note, utc_now())

    asyncio.run(acknowledge())
    click.echo(f"acknowledged: {one_line(alert.finding.headline, 150)}")
    click.echo(_meaning(config, alert))


def _meaning(config: Config, alert: Alert) -> str:
    """Say what an acknowledgement of this alert changes."""
    if alert.finding.phase == "once":
        return "it tells of a single occasion, of which no reminder would have come"
    if alert.finding.phase == "end":
        return "it tells that something is over, of which no reminder would have come"
    repeat = next((rule.repeat for rule in config.alerts if rule.name == alert.finding.rule), None)
    if repeat is None:
        return f"the rule {alert.finding.rule!r} sends no reminders (it has no `repeat:`); its end is told all the same"
    return f"no more reminders of it come (every {format_duration(repeat)} so far); its end is told all the same"


@click.command("resend")
@config_option
@click.argument("number", type=int, metavar="ID")
@click.argument("names", nargs=-1, metavar="[CHANNEL]...")
def resend_(config_path: Path, number: int, names: tuple[str, ...]) -> None:
    """Send the alert ID once more: through all its channels, or through those named, also new ones.

    One that is held, muted or silenced is told by that. The running monitor sends it within seconds.
    """
    config = load_config(config_path)
    stored(config.database, number)
    known = list(config.channels)
    channels = [the_name(name, known, "channel", str(config_path)) for name in names]
    queued = asyncio.run(_resend(config, number, channels))
    if not queued:
        advice = f"name a channel: `monitor alerts resend {number} CHANNEL` (channels: {', '.join(known)})"
        raise MonitorError(f"alert {number} has no message that could be sent again; {advice}")
    click.echo(f"{counted(queued, 'message', 'messages')} queued; {_sender(config)}")


async def _resend(config: Config, number: int, channels: Sequence[str]) -> int:
    with Store(config.database) as store:
        return await store.resend(number, channels or None, utc_now())


def _sender(config: Config) -> str:
    if running_process(config.database) is None:
        return "the monitor sends them within seconds; where none runs, `monitor deliver` does"
    return "the running monitor sends them within seconds"
