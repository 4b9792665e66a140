"""The command that derives all counts anew."""

import asyncio
from pathlib import Path

import click

from monitor.cli.options import config_option, load_config
from monitor.cli.stopping import alone
from monitor.config import Config
from monitor.progress import Progress
from storage.connection import open_reader
from storage.recounting import Recounted
from storage.store import Store


@click.command()
@config_option
def recount(config_path: Path) -> None:
    """Derive all daily counts, covered hours and stories' numbers anew, and say whether any of them differed.

    They are kept as items come in, so that nothing should differ; days are those of `timezone` in feeds.yaml. Use it
    after you changed the database by hand, or to be sure. Numbers of polls older than the record of single polls stay.

    The monitor must be stopped meanwhile. Ctrl-C stops it at any time (exit code 130); what was derived by then stays.
    """
    config = load_config(config_path)
    open_reader(config.database).close()  # says so when there is no database yet
    with alone(config.database):
        done = asyncio.run(_work(config))
    click.echo(f"{_rows(done.rows)}, {done.differed:,} differed")


async def _work(config: Config) -> Recounted:
    with Store(config.database) as store:
        await store.count_in(config.timezone)
        with Progress("recounting days", await store.stored_days()) as progress:
            return await store.recount(progress.advance)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"
