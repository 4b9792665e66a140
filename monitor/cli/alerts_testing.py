"""Send a marked message through the real channels, and say exactly what fails."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import click
import structlog

from monitor import wiring
from monitor.alerts.trial import trial
from monitor.alerts.wording import counted, one_line
from monitor.cli.alerts_words import the_name
from monitor.cli.options import config_option, load_config
from monitor.cli.stopping import STOPPED
from monitor.config import Config, secret_reader
from monitor.errors import ChannelError, ConfigError
from storage.alert_records import Alert, Delivery

_REMEDIES = {
    r"not known|no address|name or service|nodename": "check the spelling of the host, and this machine's network",
    r"certificate": "the host must be the name that its certificate is for; a certificate of your own authority must "
    "be trusted by this machine (SSL_CERT_FILE)",
    r"\bTLS\b": "check port and security: starttls is usual on port 587, tls on 465",
    r"refuse[sd] connections?|connection refused": "check host and port; is the server running?",
    r"did not answer|no complete answer|timed out": "check host and port, and firewalls in between; for a slow server "
    "raise the channel's timeout:",
    r"unreachable|cannot be reached|cannot connect": "check this machine's network, and firewalls in between",
    r"did not accept user": "check user and password; many providers want an app password here",
}


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the message of one channel: why it failed, or who of several recipients will not get it."""

    seconds: float
    error: str = ""
    refused: str = ""


@click.command("test")
@config_option
@click.option("--rule", help="The channels of this rule.")
@click.argument("names", nargs=-1, metavar="[CHANNEL]...")
def test_(config_path: Path, rule: str | None, names: tuple[str, ...]) -> None:
    """Send a message marked as a test through every channel (or those named), all side by side.

    It goes out just as an alert does: same server, same login, same form. Nothing is stored, a running monitor is not
    disturbed, and nothing is tried twice. Exit code 1 when any channel failed.
    """
    config = load_config(config_path)
    channels = _chosen(config, str(config_path), rule, names)
    outcomes: dict[str, Outcome] = {}
    try:
        asyncio.run(_send_all(config, channels, outcomes))
    except KeyboardInterrupt:
        _report(channels, outcomes)
        click.echo(f"stopped after {len(outcomes)} of {counted(len(channels), 'channel', 'channels')}", err=True)
        raise SystemExit(STOPPED) from None
    if not _report(channels, outcomes):
        raise SystemExit(1)


def _chosen(config: Config, where: str, rule: str | None, names: Sequence[str]) -> list[str]:
    """Return the channels that are meant, in the order of feeds.yaml. Raises ConfigError."""
    known = list(config.channels)
    meant = {the_name(name, known, "channel", where) for name in names}
    if rule is not None:
        name = the_name(rule, [one.name for one in config.alerts], "rule", where)
        meant |= {channel for one in config.alerts if one.name == name for channel in one.send or known}
    if not known:
        raise ConfigError(f"{where}: channels: there is none; an alert would reach nobody")
    return [name for name in known if name in meant] if meant else known


async def _send_all(config: Config, channels: Sequence[str], outcomes: dict[str, Outcome]) -> None:
    async def one(name: str) -> None:
        alert = trial((name,), wiring.utc_now(), config.timezone)
        outcomes[name] = await _send(config, name, alert)

    async with asyncio.TaskGroup() as tasks:
        for name in channels:
            tasks.create_task(one(name))


async def _send(config: Config, name: str, alert: Alert) -> Outcome:
    """Build one channel and send through it: a secret that is missing fails it alone."""
    began = perf_counter()
    alone = config.model_copy(update={"channels": {name: config.channels[name]}})
    try:
        channel = wiring.channels(alone, secret_reader())[name]
        sent = await channel.send(Delivery(id=0, channel=name, attempts=0, alert=alert))
    except (ChannelError, ConfigError) as error:
        return Outcome(perf_counter() - began, error=str(error))
    except Exception as error:
        log.exception("delivery.fault", channel=name)
        return Outcome(perf_counter() - began, error=f"unexpected {type(error).__name__}; please report it")
    return Outcome(perf_counter() - began, refused=sent.refused)


def _report(channels: Sequence[str], outcomes: Mapping[str, Outcome]) -> bool:
    """Say what came of each message. Returns whether all is well."""
    for name in channels:
        if name in outcomes:
            _tell(name, outcomes[name])
    return all(name in outcomes and not outcomes[name].error for name in channels)


def _tell(name: str, outcome: Outcome) -> None:
    if not outcome.error:
        click.echo(f"{name}: taken in {outcome.seconds:.1f} s; look whether it has arrived")
        if outcome.refused:
            click.echo(f"  but not for everybody: {one_line(outcome.refused, 500)}")
        return
    click.echo(f"{name}: failed: {one_line(outcome.error, 500)}")
    if advice := remedy(outcome.error):
        click.echo(f"  {advice}")


def remedy(error: str) -> str:
    """Say what can be done about a failure; nothing where its sentence says so itself. Pure."""
    return next((advice for pattern, advice in _REMEDIES.items() if re.search(pattern, error, re.IGNORECASE)), "")
