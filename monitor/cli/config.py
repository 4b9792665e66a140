"""The commands about the configuration as it is in force, each loaded only when it is called."""

import click

from monitor.cli.lazy import LazyGroup

COMMANDS = {
    "show": ("config_showing", "Show the configuration with all its defaults, and without secrets."),
}


class Configured(LazyGroup):
    """The commands about the configuration."""

    table = COMMANDS
    ending = "_"


@click.group(cls=Configured)
def config() -> None:
    """Show the configuration that is in force. `monitor check` looks for mistakes in it, `monitor init` writes one."""
