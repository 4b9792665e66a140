"""What commands share: the --config option, and the configuration it leads to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor import logs
from monitor.config import Config, default_path, load
from monitor.signals.classifier import Classifier

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """Add --config FILE; the command gets ``config_path``."""
    option = click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        default=default_path,
        show_default="$MONITOR_CONFIG, else feeds.yaml",
        help="The configuration file.",
    )
    return option(command)


def load_config(path: Path, *, need_secrets: bool = False) -> Config:
    """Read the configuration and set up logging as it says. Raises ConfigError."""
    config = load(path, Classifier.open().topics, need_secrets=need_secrets)
    logs.configure(config.log.level, config.log.format)
    return config
