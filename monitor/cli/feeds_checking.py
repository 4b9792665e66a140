"""Ask for all feeds once, and say what is wrong with which."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from pydantic import ValidationError

from monitor import wiring
from monitor.alerts.wording import counted
from monitor.cli.feeds_asking import Visit, as_feed, visiting
from monitor.cli.feeds_words import advice, ago, newest, the_name
from monitor.cli.options import DURATION, config_option, load_config
from monitor.cli.stopping import STOPPED
from monitor.cli.tables import FORMATS, show
from monitor.config import Config, FeedSettings
from monitor.feeds.limits import FetchSettings
from monitor.feeds.reach import offline
from monitor.progress import Progress
from storage.reading import Answer
from storage.times import to_text

COLUMNS = ("feed", "status", "entries", "newest", "seconds", "advice")

OFFLINE = (
    "none of {feeds} could be reached: this machine seems to be offline; nothing can be said of the feeds. "
    "`monitor demo` shows the whole program without a network"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a visit says of a feed. ``advice`` is empty where all is well."""

    visit: Visit
    newest: datetime | None
    advice: str

    @property
    def error(self) -> str | None:
        """Say why the feed failed; None when it did not."""
        return self.visit.fetched.error


@click.command("check")
@config_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--timeout", type=DURATION, help="How long one feed may take; by default fetch.timeout.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def check_(config_path: Path, form: str, timeout: timedelta | None, names: tuple[str, ...]) -> None:
    """Ask for every feed once (or for those named), as the monitor would, and say what is wrong with which.

    Nothing is stored, and a running monitor is not disturbed. `newest` is the age of the newest dated entry. Exit code
    1 when any feed failed. Ctrl-C stops it and shows what came so far (exit code 130).
    """
    config = load_config(config_path)
    config = config.model_copy(update={"fetch": _with_timeout(config.fetch, timeout)})
    feeds = _chosen(config, names, str(config_path))
    visits: dict[str, Visit] = {}
    began = perf_counter()
    try:
        asyncio.run(_visit_all(config, feeds, visits))
    except KeyboardInterrupt:
        click.echo(f"stopped after {len(visits)} of {counted(len(feeds), 'feed', 'feeds')}", err=True)
        _report(config, feeds, visits, form, perf_counter() - began)
        raise SystemExit(STOPPED) from None
    if not _report(config, feeds, visits, form, perf_counter() - began):
        raise SystemExit(1)


def _with_timeout(settings: FetchSettings, timeout: timedelta | None) -> FetchSettings:
    try:
        return FetchSettings.model_validate(settings.model_dump() | ({"timeout": timeout} if timeout else {}))
    except ValidationError:
        raise click.UsageError("--timeout: write a duration from 0.1s to 10m") from None


def _chosen(config: Config, names: Sequence[str], where: str) -> list[FeedSettings]:
    if not names:
        return [feed for feed in config.feeds if feed.enabled]
    known = [feed.name for feed in config.feeds]
    meant = {the_name(name, known, where) for name in names}
    return [feed for feed in config.feeds if feed.name in meant]


async def _visit_all(config: Config, feeds: Sequence[FeedSettings], visits: dict[str, Visit]) -> None:
    async with visiting(config) as visitor:
        with Progress("asking for feeds", len(feeds)) as progress:

            async def one(feed: FeedSettings) -> None:
                visit = await visitor.visit(as_feed(feed.name, feed.url, feed.lang))
                visits[feed.name] = replace(visit, fetched=replace(visit.fetched, body=None))
                progress.advance()

            async with asyncio.TaskGroup() as tasks:
                for feed in feeds:
                    tasks.create_task(one(feed))


def _report(
    config: Config, feeds: Sequence[FeedSettings], visits: Mapping[str, Visit], form: str, seconds: float
) -> bool:
    """Show what was found. Returns whether all is well."""
    now = wiring.utc_now()
    verdicts = [_verdict(visits[feed.name], config, now) for feed in feeds if feed.name in visits]
    if form == "table":
        if offline([one.visit.fetched for one in verdicts]) and len(verdicts) > 1:
            click.echo(OFFLINE.format(feeds=counted(len(verdicts), "feed", "feeds")), err=True)
            return False
        show(Answer(COLUMNS, [_row(one, now) for one in verdicts]), form)
    else:
        rows = [_record(one) for one in verdicts]
        show(Answer(tuple(rows[0]) if rows else COLUMNS, [tuple(row.values()) for row in rows]), form)
    click.echo(_summary(verdicts, seconds), err=form != "table")
    return not any(one.error for one in verdicts)


def _verdict(visit: Visit, config: Config, now: datetime) -> Verdict:
    entries = visit.document.entries
    return Verdict(visit, newest(entries), advice(visit.feed, visit.fetched, entries, config.poll.stale_after, now))


def _row(one: Verdict, now: datetime) -> tuple[Any, ...]:
    fetched = one.visit.fetched
    told = "; ".join(filter(None, (one.error, one.advice)))
    entries = None if one.error else one.visit.document.found
    return one.visit.feed.name, _status(one), entries, ago(one.newest, now), round(fetched.seconds, 2), told


def _status(one: Verdict) -> str:
    fetched = one.visit.fetched
    if fetched.trouble in {"status", "blocked", "gone"} and fetched.status:
        return str(fetched.status)
    return fetched.trouble or "failed" if one.error else "ok"


def _record(one: Verdict) -> dict[str, Any]:
    visit = one.visit
    return {
        "feed": visit.feed.name,
        "url": visit.feed.url,
        "ok": not one.error,
        "status": visit.fetched.status,
        "trouble": visit.fetched.trouble,
        "error": one.error,
        "entries": visit.document.found,
        "newest": one.newest and to_text(one.newest),
        "seconds": round(visit.fetched.seconds, 3),
        "moved_to": visit.fetched.moved_to,
        "advice": one.advice or None,
    }


def _summary(verdicts: Sequence[Verdict], seconds: float) -> str:
    troubles = Counter(_status(one) for one in verdicts if one.error)
    failed = troubles.total()
    advised = sum(bool(one.advice) for one in verdicts if not one.error)
    parts = [f"{len(verdicts) - failed} ok" + (f" ({advised} with advice)" if advised else "")]
    if failed:
        parts.append(f"{failed} failed ({', '.join(f'{many} {trouble}' for trouble, many in troubles.most_common())})")
    return f"{counted(len(verdicts), 'feed', 'feeds')}: {', '.join(parts)}; {seconds:.1f} s"
