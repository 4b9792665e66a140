"""The list of feeds: what feeds.yaml says of each, and how the database knows it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from monitor.cli.feeds_words import ago, ahead, interval
from monitor.cli.options import config_option, load_config
from monitor.cli.tables import FORMATS, show
from monitor.config import Config, FeedSettings
from monitor.settings import format_duration
from storage import reading
from storage.reading import Answer
from storage.times import from_text

Row = Mapping[str, Any]

COLUMNS = ("name", "kind", "state", "every", "news_a_day", "newest", "next_poll", "url")
_FURTHER = ("fixed", "lang", "items", "last_ok", "trouble", "error")
_ARCHIVE = "archive:"

# Also of an older version's database, which lacks some columns until the monitor is started.
_KNOWN = """SELECT f.*, (SELECT max(published) FROM items i WHERE i.feed_id = f.id) AS newest,
                   (SELECT count(*) FROM items i WHERE i.feed_id = f.id) AS items FROM feeds f ORDER BY f.name"""


@click.command("list")
@config_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Also what is not in feeds.yaml (any more): items stay.")
def list_(config_path: Path, form: str, everything: bool) -> None:
    """Show the feeds of feeds.yaml, in its order.

    `state` is new (not asked yet), ok, failing, stale (no news for long), blocked, gone, or paused; with --all also
    removed (no longer in feeds.yaml) and archive (imported). `every` is the interval now, with a * where you chose it
    (`fixed`). JSON and CSV hold the exact times, and why a feed fails.
    """
    config = load_config(config_path)
    rows = list(_rows(config, _known(config.database), everything=everything))
    if form == "table":
        _table(rows, _now())
    else:
        columns = (*COLUMNS, *_FURTHER)
        show(Answer(columns, [tuple(row[name] for name in columns) for row in rows]), form)


def _now() -> datetime:
    from monitor.wiring import utc_now  # noqa: PLC0415 - loads everything there is, and only a table needs it

    return utc_now()


def _known(database: Path) -> list[Row]:
    """Return the feeds of the database; none where nothing has been stored yet. Raises StorageError."""
    if not database.exists() or database.stat().st_size == 0:
        click.echo(f"nothing has been polled yet: {database} is made by `monitor run`", err=True)
        return []
    answer = reading.ask(database, _KNOWN)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _rows(config: Config, known: list[Row], *, everything: bool) -> Iterator[Row]:
    by_url = {row["url"]: row for row in known}
    by_name = {row["name"]: row for row in known}
    shown = set()
    for feed in config.feeds:
        row = by_url.get(feed.url) or by_name.get(feed.name) or {}
        shown.add(row.get("id"))
        yield _row(row) | _configured(feed, config, row)
    for row in known if everything else ():
        if row["id"] not in shown:
            archive = str(row["url"]).startswith(_ARCHIVE)
            yield _row(row) | {"state": "archive" if archive else "removed", "every": None, "next_poll": None}


def _row(row: Row) -> dict[str, Any]:
    every = row.get("every")
    return {
        **{name: row.get(name) for name in (*COLUMNS, *_FURTHER)},
        "state": row.get("state") or "new",
        "every": every and interval(timedelta(seconds=every)),
        "fixed": bool(row.get("fixed")),
        "news_a_day": row.get("rate"),
    }


def _configured(feed: FeedSettings, config: Config, row: Row) -> dict[str, Any]:
    said: dict[str, Any] = {"name": feed.name, "kind": feed.kind, "lang": feed.lang, "url": feed.url}
    if every := feed.every or config.poll.every:
        said |= {"every": format_duration(every), "fixed": True}
    if not feed.enabled:
        said |= {"state": "paused", "next_poll": None}
    elif not row.get("active"):
        said |= {"state": "new", "next_poll": None}
    return said


def _table(rows: list[Row], now: datetime) -> None:
    columns = tuple(name.replace("_", " ") for name in COLUMNS)
    told = [_told(row, now) for row in rows]
    show(Answer(columns, [tuple(row[name] for name in COLUMNS) for row in told]), "table")


def _told(row: Row, now: datetime) -> Row:
    rate, due = row["news_a_day"], ahead(_time(row["next_poll"]), now)
    return {
        **row,
        "every": f"{row['every']} *" if row["every"] and row["fixed"] else row["every"],
        "news_a_day": None if rate is None else float(f"{rate:.2g}"),
        "newest": ago(_time(row["newest"]), now),
        "next_poll": "never" if row["state"] == "gone" else due,
    }


def _time(text: Any) -> datetime | None:
    return from_text(text) if isinstance(text, str) else None
