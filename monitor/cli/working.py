"""Commands that work on the database: the daemon, and each of its steps by hand."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import click

from monitor import pipeline, wiring
from monitor.cli.jsonl import tag
from monitor.cli.options import DURATION, config_option, load_config
from monitor.cli.stopping import heed_signals
from monitor.config import Config
from monitor.daemon import Daemon
from monitor.errors import AlreadyRunning
from monitor.feeds.due import due_soon
from monitor.instance import only_instance
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.opening import open_classifier
from monitor.system import System
from storage.feed_records import Feed
from storage.store import Store

T = TypeVar("T")


def _work(config: Config, job: Callable[[System], Awaitable[T]], *, reloads: bool = False) -> T:
    """Do a job on a running system, as the only process that works on its database.

    ``reloads`` tells the others that this process reads feeds.yaml anew on SIGHUP.
    """

    async def session() -> T:
        async with wiring.running(config) as system:
            return await job(system)

    with only_instance(config.database, reloads=reloads):
        return asyncio.run(session())


def _ready(path: Path) -> Config:
    return load_config(path, need_secrets=True)


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Take every due feed through all steps once, then exit.")
@click.option("--all", "all_feeds", is_flag=True, help="With --once: poll every feed, due or not.")
def run(config_path: Path, once: bool, all_feeds: bool) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; SIGHUP re-reads the configuration."""
    config = _ready(config_path)
    if once:
        _work(config, lambda system: _once(system, all_feeds))
    else:
        _banner(config, config_path)
        _run_daemon(config, config_path)


def _run_daemon(config: Config, path: Path) -> None:
    heed_signals()  # until the daemon listens itself
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        _work(config, lambda system: Daemon(system, lambda: _ready(path)).run(), reloads=True)
    except KeyboardInterrupt:
        click.echo("stopped before it began", err=True)


async def _once(system: System, all_feeds: bool) -> None:
    new = await pipeline.once(system, await _feeds(system, all_feeds))
    click.echo(f"{new} new items; `monitor status` tells more", err=True)


async def _feeds(system: System, all_feeds: bool) -> list[Feed]:
    feeds, now = await system.store.all_feeds(), system.now()
    return feeds if all_feeds else [feed for feed in feeds if due_soon(feed, now)]


def _banner(config: Config, path: Path) -> None:
    channels = ", ".join(config.channels) or "none: nobody will be told"
    lines = (
        "AI market monitor: reads news feeds, tags each item as efficiency, capex or geopolitics,",
        "and alerts when a topic's flow really changes. Ctrl-C stops it.",
        "",
        f"  configuration  {path.absolute()}: {len(config.feed_specs())} feeds, {len(config.alerts)} alert rules",
        f"  alerts go to   {channels}",
        f"  database       {config.database}",
        "  page           not in this version yet; it will be at http://127.0.0.1:8001 (`monitor web`)",
        "  ask it         monitor status · monitor query --list · sqlite3 on the database",
        "",
    )
    click.echo("\n".join(lines), err=True)


@click.command()
@config_option
@click.option("--all", "all_feeds", is_flag=True, help="Poll every feed, due or not.")
def poll(config_path: Path, all_feeds: bool) -> None:
    """Fetch the feeds that are due and store what is new; classify nothing yet."""

    async def job(system: System) -> int:
        new: list[int] = []
        await pipeline.poll(system, await _feeds(system, all_feeds), lambda _poll, stored: new.append(stored))
        return sum(new)

    click.echo(f"{_work(_ready(config_path), job)} new items")


@click.command()
@config_option
@click.option("--failed", is_flag=True, help="Also try again what was given up.")
@click.option("--since", type=DURATION, default="7d", show_default=True, help="With --failed: how old alerts may be.")
def deliver(config_path: Path, failed: bool, since: timedelta) -> None:
    """Send the alerts that wait in the outbox."""
    config = _ready(config_path)
    if failed:
        click.echo(f"{asyncio.run(_requeue(config, since))} messages queued again")
    try:
        click.echo(f"{_work(config, pipeline.deliver)} messages sent")
    except AlreadyRunning:
        if not failed:
            raise
        click.echo("the running monitor sends them within seconds")


async def _requeue(config: Config, since: timedelta) -> int:
    """Needs no lock: it only changes what is due, and SQLite lets two processes take turns."""
    with Store(config.database) as store:
        return await store.requeue_failed(wiring.utc_now() - since, wiring.utc_now())


@click.command()
@config_option
@click.option("--jsonl", "lines", is_flag=True, help="Tag JSON lines from standard input; needs no database.")
def classify(config_path: Path, lines: bool) -> None:
    """Tag stored items that wait for it, and let the alert rules look at them.

    With --jsonl: read {"title", "summary", "lang"} lines and write
    {"probabilities": {...}, "topics": [...], "model": "..."} lines, in order. A line that cannot be read gives an
    {"error": "..."} line, and exit code 1 at the end.
    """
    if not lines:
        _work(_ready(config_path), pipeline.process)
    elif not _classify_lines(config_path):
        raise SystemExit(1)


def _classify_lines(config_path: Path) -> bool:
    config = load_config(config_path) if config_path.exists() else None
    classifier = open_classifier(config.classifier, config.topics) if config else OnnxClassifier.open()
    limits = wiring.thresholds(config, classifier) if config else classifier.thresholds
    well = True
    lines = (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
    for answer in tag(lines, classifier, limits):
        well = well and "error" not in answer
        click.echo(json.dumps(answer, ensure_ascii=False))
    return well
