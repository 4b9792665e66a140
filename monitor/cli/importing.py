"""The command that takes archives in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from monitor import pipeline, wiring
from monitor.cli.options import config_option, load_config
from monitor.cli.stopping import alone
from monitor.config import Config
from monitor.errors import ChannelError
from monitor.past.archive import Reading
from monitor.past.importing import Spool, Stored, by_declaration, count_lines, cover, read_files, store_items
from monitor.progress import Progress
from storage.alert_records import Delivery, Sent

SHOWN = 100
"""So many refused lines are shown one by one."""

FILES = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command("import")
@config_option
@click.option(
    "--classify/--no-classify", default=True, help="Tag and group the items at once, or leave it to the daemon."
)
@click.argument("files", nargs=-1, required=True, type=FILES)
def import_(config_path: Path, classify: bool, files: tuple[Path, ...]) -> None:
    """Read past items from files, so that trends start with a history.

    FILES hold one JSON object a line: {"published", "title", "summary", "url", "source", "lang"}; only published and
    title must be there. Files that end in .gz are unpacked; - is standard input. A source with the name of a feed is
    that feed. Running it again adds nothing twice. docs/replay.md tells more.

    A line that makes no sense is named and left out. The exit code is 1 only when no line could be used. The monitor
    must be stopped meanwhile. Ctrl-C stops it at any time (exit code 130); run it again to go on.
    """
    config = load_config(config_path)
    with alone(config.database, "Start it again after the import."):
        try:
            well = _import(config, files, classify)
        except KeyboardInterrupt:
            click.echo("stopped; run the same command again to go on: what is stored is known by then", err=True)
            raise
    if not well:
        raise SystemExit(1)


globals()["import"] = import_  # commands are found by their name, and this one is a keyword


@dataclass
class _Refusals:
    """Shows the first refused lines, and counts them all."""

    count: int = 0

    def __call__(self, line: str) -> None:
        self.count += 1
        if self.count <= SHOWN:
            click.echo(line, err=True)

    def rest(self) -> None:
        if self.count > SHOWN:
            click.echo(f"... and {self.count - SHOWN:,} more lines like these", err=True)


def _import(config: Config, files: Sequence[Path], classify: bool) -> bool:
    """Import and say what came of it. Returns whether any line could be used."""
    languages = {spec.name.casefold(): spec.lang for spec in config.feed_specs()}
    refusals = _Refusals()
    with Spool() as spool:
        reading = Reading(config.zone(), wiring.utc_now(), "", by_declaration(languages))
        with Progress("reading lines", count_lines(files)) as progress:
            for pieces in read_files(files, reading, spool, refusals):
                progress.advance(pieces)
        refusals.rest()
        asyncio.run(_store(config, spool, refusals.count, classify))
        return bool(len(spool) or not refusals.count)


async def _store(config: Config, spool: Spool, refused: int, classify: bool) -> None:
    async with wiring.running(config.model_copy(update={"channels": {}})) as bare:  # nothing is sent: no secrets needed
        system = replace(bare, config=config, channels=dict.fromkeys(config.channels, _Daemon()))
        with Progress("storing items", len(spool)) as progress:
            stored = await store_items(system.store, spool, system.now(), progress.advance)
        await cover(system.store, stored.feeds, config.zone(), system.now())
        click.echo(_summary(stored, len(spool), refused))
        if classify:
            await pipeline.process(system)


class _Daemon:
    """Stands for a channel: what the newest items may raise is sent by the daemon, once it runs."""

    async def send(self, delivery: Delivery) -> Sent:  # noqa: ARG002 - the signature of a channel
        """Send nothing."""
        raise ChannelError("the daemon sends it")


def _summary(stored: Stored, lines: int, refused: int) -> str:
    items = _counted(stored.imported, "item")
    known = f"{lines - stored.imported:,} known already"
    return (
        f"imported {items} from {_counted(len(stored.feeds), 'source')} ({_counted(refused, 'line')} refused, {known})"
    )


def _counted(number: int, thing: str) -> str:
    return f"1 {thing}" if number == 1 else f"{number:,} {thing}s"
