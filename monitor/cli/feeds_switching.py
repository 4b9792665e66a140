"""Remove, pause and resume feeds; and how every change of feeds.yaml lands."""

import os
import signal
from pathlib import Path

import click

from monitor.cli.feeds_words import the_name
from monitor.cli.options import config_option, load_config
from monitor.config import Config
from monitor.instance import running_process
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.yaml_editing import FeedsFile


def land(file: FeedsFile, done: str) -> None:
    """Write an edited feeds.yaml, say what was done, and have the running monitor take it over. Raises ConfigError."""
    config = file.save(OnnxClassifier.open().topics)
    click.echo(done)
    click.echo(_tell(config))


def draft(file: FeedsFile) -> Config:
    """Return the configuration that an edited feeds.yaml would be. Raises ConfigError."""
    return file.check(OnnxClassifier.open().topics)


def _tell(config: Config) -> str:
    process = running_process(config.database)
    if process is None:
        return "no monitor is running here; the next one to start reads it"
    try:
        os.kill(process, signal.SIGHUP)
    except ProcessLookupError:
        return "the monitor has just stopped; the next one to start reads it"
    except PermissionError:
        return f"the running monitor belongs to another user; have it read the file: kill -HUP {process}"
    return f"the running monitor (process {process}) takes it over"


def _named(path: Path, typed: str) -> tuple[FeedsFile, str]:
    """Return the file, and the name of the feed that a person means."""
    config = load_config(path)
    return FeedsFile.read(path), the_name(typed, [feed.name for feed in config.feeds], str(path))


@click.command("remove")
@config_option
@click.argument("name")
def remove_(config_path: Path, name: str) -> None:
    """Remove the feed NAME from feeds.yaml. What it has brought so far stays in the database."""
    file, found = _named(config_path, name)
    land(file.without(found), f"removed {found!r} from {config_path}; its items stay in the database")


@click.command("pause")
@config_option
@click.argument("name")
def pause_(config_path: Path, name: str) -> None:
    """Stop asking for the feed NAME: writes `enabled: false` beside it. Its items stay."""
    _switch(config_path, name, enabled=False)


@click.command("resume")
@config_option
@click.argument("name")
def resume_(config_path: Path, name: str) -> None:
    """Ask for the paused feed NAME again.

    It goes on as after an outage: of what it published meanwhile, only what is recent can raise alerts.
    """
    _switch(config_path, name, enabled=True)


def _switch(path: Path, typed: str, *, enabled: bool) -> None:
    file, name = _named(path, typed)
    now = next(feed.get("enabled", True) for feed in file.feeds if feed["name"] == name)
    if now is enabled:
        click.echo(f"{name!r} is {'not paused' if enabled else 'paused already'}")
        return
    land(file.switched(name, enabled=enabled), f"{'resumed' if enabled else 'paused'} {name!r} in {path}")
