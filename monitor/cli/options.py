"""What commands share: the --config option, and the configuration it leads to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor import logs
from monitor.config import Config, default_path, load
from monitor.settings import parse_duration
from monitor.signals.onnx_classifier import OnnxClassifier


class _Duration(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """A duration on the command line, written as in feeds.yaml."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read 90s, 30m, 2h or 1d as a timedelta."""
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = _Duration()

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
    config = load(path, OnnxClassifier.open().topics, need_secrets=need_secrets)
    logs.configure(config.log.level, config.log.format)
    return config
