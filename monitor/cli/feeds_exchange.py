"""Take feeds over from other readers, and give them to others: OPML both ways."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import ValidationError

from monitor.alerts.wording import counted
from monitor.cli.feeds_switching import draft, land
from monitor.cli.options import config_option, load_config
from monitor.cli.tables import show
from monitor.config import FeedSettings
from monitor.errors import ConfigError
from monitor.feeds.opml import MAX_BYTES, NotOpml, Outline, read_opml, write_opml
from monitor.yaml_editing import Entry, FeedsFile
from storage.reading import Answer

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
_LONGEST_NAME = 80


@dataclass(slots=True)
class Plan:
    """What an import would do: the feeds to add, and a line for each that is left out, with why.

    ``known`` counts those that are there already, ``refused`` those that cannot be feeds.
    """

    entries: list[Entry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    known: int = 0
    refused: int = 0


@click.command("import")
@config_option
@click.option("--dry-run", is_flag=True, help="Only show what would be added.")
@click.argument("file", type=FILE)
def import_(config_path: Path, dry_run: bool, file: Path) -> None:
    """Add the feeds of another reader's OPML file; - is standard input.

    A group becomes the `kind` of its feeds, a title the name. What is in feeds.yaml already, or cannot be a feed, is
    named by line and left out. The exit code is 1 only when no line could be used.
    """
    outlines = _read(file)
    feeds_file = FeedsFile.read(config_path)
    plan = plan_import(outlines, feeds_file.feeds, "standard input" if str(file) == "-" else str(file))
    for line in plan.left_out:
        click.echo(line, err=True)
    if plan.entries:
        _add(feeds_file.with_feeds(plan.entries), plan, dry_run=dry_run)
    else:
        click.echo(_summary(plan, "nothing to add"))
    if plan.refused and not plan.entries and not plan.known:
        raise SystemExit(1)


def _add(file: FeedsFile, plan: Plan, *, dry_run: bool) -> None:
    if not dry_run:
        many = counted(len(plan.entries), "feed", "feeds")
        land(file, _summary(plan, f"added {many} to {file.path}"))
        return
    draft(file)
    columns = ("name", "kind", "lang", "url")
    show(Answer(columns, [tuple(entry.get(name) for name in columns) for entry in plan.entries]), "table")
    click.echo(_summary(plan, f"{counted(len(plan.entries), 'feed', 'feeds')} would be added; nothing was written"))


def _read(file: Path) -> tuple[Outline, ...]:
    try:
        document = sys.stdin.buffer.read(MAX_BYTES + 1) if str(file) == "-" else file.read_bytes()
        return read_opml(document)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    except NotOpml as error:
        raise ConfigError(f"{file}: {error}; export your feeds as OPML and try again") from None


def plan_import(outlines: Iterable[Outline], feeds: Sequence[Entry], source: str) -> Plan:
    """Decide for each outline whether it is added to these feeds, and under which name."""
    plan = Plan()
    addresses = {same_address(str(feed.get("url"))): str(feed.get("name")) for feed in feeds}
    names = {str(feed.get("name")).casefold() for feed in feeds}
    for outline in outlines:
        where = f"{source}:{outline.line}: {outline.name or outline.url!r}"
        address = same_address(outline.url)
        if address in addresses:
            plan.left_out.append(f"{where}: its address is there already, as {addresses[address]!r}")
            plan.known += 1
            continue
        entry = _entry(outline, names)
        if why := _mistake(entry):
            plan.left_out.append(f"{where}: {why}")
            plan.refused += 1
            continue
        plan.entries.append(entry)
        addresses[address] = entry["name"]
        names.add(entry["name"].casefold())
    return plan


def same_address(url: str) -> str:
    """Bring an address to the form under which two are the same feed: http is https, and a last slash is nothing."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}?{parts.query}"


def _entry(outline: Outline, taken: set[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": _unique(outline.name or _host(outline.url), taken), "url": outline.url}
    if outline.lang:
        entry["lang"] = outline.lang
    if outline.kind:
        entry["kind"] = outline.kind
    return {**entry, "enabled": False} if outline.paused else entry


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "feed")[:_LONGEST_NAME]
    except ValueError:
        return "feed"


def _unique(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found.casefold() in taken:
        number += 1
        ending = f" ({number})"
        found = name[: _LONGEST_NAME - len(ending)].rstrip() + ending
    return found


def _mistake(entry: Entry) -> str | None:
    try:
        FeedSettings.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
    return None


def _summary(plan: Plan, done: str) -> str:
    left = [f"{plan.known} there already"] if plan.known else []
    left += [f"{plan.refused} refused"] if plan.refused else []
    return f"{done} ({', '.join(left)})" if left else done


@click.command("export")
@config_option
@click.argument("file", type=NEW_FILE, default="-")
def export_(config_path: Path, file: Path) -> None:
    """Write the feeds as OPML 2.0, grouped by kind, to FILE or to standard output.

    A paused feed is marked isComment="true", and comes back paused. Intervals (`every`) have no place in OPML.
    """
    from monitor.wiring import utc_now  # noqa: PLC0415 - loads everything there is

    config = load_config(config_path)
    outlines = [Outline(feed.url, feed.name, feed.kind, feed.lang, not feed.enabled) for feed in config.feeds]
    text = write_opml(outlines, "Feeds of AI market monitor", utc_now())
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error}") from None
    click.echo(f"wrote {counted(len(outlines), 'feed', 'feeds')} to {file}")
