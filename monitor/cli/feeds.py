"""The commands about feeds, each loaded only when it is called."""

import click

from monitor.cli.lazy import LazyGroup

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


class Feeds(LazyGroup):
    """The commands about feeds."""

    table = COMMANDS
    ending = "_"


@click.group(cls=Feeds)
def feeds() -> None:
    """List, add, remove, pause, check, import and export feeds.

    What changes feeds.yaml leaves every other line of it as it is, comments included, and a running monitor takes it
    over at once. Feeds are named by their names, in any case, or by how only one name begins.
    """
