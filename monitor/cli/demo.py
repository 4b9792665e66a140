"""The bundled scenario."""

import asyncio
import shutil
import sys
from pathlib import Path

import click

from monitor import logs
from monitor.demo.play import Played, play
from storage import reading
from storage.reading import Answer

DEFAULT_FOLDER = Path("monitor-demo")


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where its database, mail and message are kept.",
)
def demo(folder: Path) -> None:
    """Play six weeks of invented news through the real program; needs no network, takes a minute."""
    logs.configure("warning")
    click.echo("AI market monitor, demonstration: invented news, the real program.")
    click.echo("Feeds, mail server and Slack webhook run on this machine, for this minute only.")
    played = asyncio.run(play(folder, click.echo))
    _close(played, folder / "signals.db")


def _close(played: Played, database: Path) -> None:
    click.echo("\nWhat was seen")
    for topic, items, stories, feeds in _ask(database, _SEEN).rows:
        click.echo(f"  {topic:12} {items:3} items, {stories:3} stories, from {feeds} feeds")
    click.echo("\nWhat fired")
    for headline, explanation in _ask(database, _FIRED).rows:
        click.echo(f"  {headline}\n  {explanation}")
    click.echo("\nWhat was sent")
    click.echo(f"  mail           {played.mail}   (open it with a mail program)")
    click.echo(f"  Slack message  {played.post}")
    click.echo("\nAsk the database yourself")
    for query in _TRY:
        click.echo(f"  {_this_program()} query {query} --config {played.config}")
    click.echo(f"  sqlite3 {database}   (then: .tables)")


def _this_program() -> str:
    """Return how this program was called, so that the lines above can be copied as they stand."""
    called = Path(sys.argv[0])
    on_path = shutil.which("monitor")
    if on_path and Path(on_path).resolve() == called.resolve():
        return "monitor"
    return str(called) if called.name == "monitor" else "python -m monitor"


def _ask(database: Path, sql: str) -> Answer:
    return reading.ask(database, sql)


_SEEN = """SELECT topic, sum(items), sum(stories), count(DISTINCT feed_id) FROM topic_counts
           GROUP BY topic ORDER BY sum(stories) DESC"""
_FIRED = "SELECT headline, explanation FROM alerts_history"
_TRY = ("top-stories --days 2 --limit 5", "topic-days --days 14", "alert-evidence --alert 1")
