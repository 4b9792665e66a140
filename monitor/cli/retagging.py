"""The command that has the present model read what an earlier one read."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import click

from monitor import pipeline, wiring
from monitor.cli.options import DURATION, config_option, load_config
from monitor.cli.stopping import alone
from monitor.cli.tables import show
from monitor.config import Config
from monitor.progress import Progress
from monitor.signals.classifier import Classifier
from monitor.signals.opening import open_classifier
from monitor.system import System
from storage.connection import open_reader
from storage.reading import Answer
from storage.store import Store

_COMPARED = "A running monitor would compare new tags with old ones, and could take the change for a surge."


@click.command()
@config_option
@click.option(
    "--since", type=DURATION, default="190d", show_default=True, help="Read items published since so long ago."
)
@click.option("--dry-run", is_flag=True, help="Only count what there is to read; read nothing.")
def reclassify(config_path: Path, since: timedelta, dry_run: bool) -> None:
    """Have the present model read stored items that it has not read yet, the newest first.

    Use it after a change of model, of own topics, or after `monitor train`. What earlier models said stays in the table
    classifications; signals and daily counts become the present model's, and your labels stand. No alert is raised.

    The monitor must be stopped meanwhile. Trends compare with half a year. Ctrl-C stops it at any time (exit code 130);
    run it again to go on.
    """
    config = load_config(config_path).model_copy(update={"channels": {}})  # nothing is sent: no secrets needed
    open_reader(config.database).close()  # says so when there is no database yet
    begin = wiring.utc_now() - since
    if dry_run:
        asyncio.run(_count(config, begin))
        return
    with alone(config.database, _COMPARED):
        asyncio.run(_work(config, begin))


async def _count(config: Config, begin: datetime) -> None:
    with Store(config.database) as store:
        classifier = open_classifier(config.classifier, config.topics, await store.heads())
        total = await store.unread_count(classifier.models, begin)
    click.echo(f"{_items(total)} published since {begin:%Y-%m-%d} to be read by {_names(classifier)}")


async def _work(config: Config, begin: datetime) -> None:
    async with wiring.running(config) as system:
        total = await system.store.unread_count(system.classifier.models, begin)
        if not total:
            click.echo(f"nothing to do: {_names(system.classifier)} has read everything since {begin:%Y-%m-%d}")
            return
        await asyncio.to_thread(system.classifier.load)
        before = await system.store.signal_counts(begin)
        await _read(system, begin, total)
        after = await system.store.signal_counts(begin)
        click.echo(f"{_items(total)} read by {_names(system.classifier)}; signals since {begin:%Y-%m-%d}:")
        show(_comparison(before, after), "table")


async def _read(system: System, begin: datetime, total: int) -> None:
    try:
        with Progress("reading items", total) as progress:
            await pipeline.reclassify(system, begin, progress.advance)
    except asyncio.CancelledError:  # Ctrl-C
        left = await system.store.unread_count(system.classifier.models, begin)
        click.echo(f"stopped; run `monitor reclassify` again to go on: {_items(left)} left", err=True)
        raise


def _comparison(before: Mapping[str, int], after: Mapping[str, int]) -> Answer:
    topics = sorted({*before, *after})
    return Answer(
        ("topic", "before", "after"), [(topic, before.get(topic, 0), after.get(topic, 0)) for topic in topics]
    )


def _names(classifier: Classifier) -> str:
    return ", ".join(dict.fromkeys(classifier.models.values()))


def _items(number: int) -> str:
    return "1 item" if number == 1 else f"{number:,} items"
