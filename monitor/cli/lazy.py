"""A group of commands that are loaded when they are called, so that help is instant."""

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """Reads its commands from a table: their names, the modules that hold them, and what help says of them.

    A command is a function of its name and ``ending``, for names that mean something else in Python.
    """

    table: ClassVar[Mapping[str, tuple[str, str]]]
    ending: ClassVar[str] = ""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name all commands."""
        return list(self.table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load the command's module, and only that."""
        if name not in self.table:
            return None
        module = import_module(f"monitor.cli.{self.table[name][0]}")
        command: click.Command = getattr(module, f"{name}{self.ending}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in self.table.items()])
