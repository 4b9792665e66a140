"""The commands about feeds, each loaded only when it is called."""

from importlib import import_module

import click

COMMANDS = {
    "list": ("feeds_listing", "Show the feeds of feeds.yaml: state, interval, news a day, newest item."),
    "add": ("feeds_adding", "Add a feed by its address or its site's, after a look at what it brings."),
    "remove": ("feeds_switching", "Remove a feed from feeds.yaml; its items stay in the database."),
    "pause": ("feeds_switching", "Stop asking for a feed until it is resumed."),
    "resume": ("feeds_switching", "Ask for a paused feed again."),
    "check": ("feeds_checking", "Ask for all feeds once, and say what is wrong with which."),
    "import": ("feeds_exchange", "Add the feeds of another reader's OPML file."),
    "export": ("feeds_exchange", "Write the feeds as an OPML file for other readers."),
}


class Feeds(click.Group):
    """A group that reads its commands from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load the command's module, and only that."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"monitor.cli.{COMMANDS[name][0]}"), f"{name}_")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])


@click.group(cls=Feeds)
def feeds() -> None:
    """List, add, remove, pause, check, import and export feeds.

    What changes feeds.yaml leaves every other line of it as it is, comments included, and a running monitor takes it
    over at once. Feeds are named by their names, in any case, or by how only one name begins.
    """
