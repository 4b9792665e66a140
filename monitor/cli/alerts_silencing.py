"""Silences: a person's wish to be told nothing of a rule for a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import TypeVar
from zoneinfo import ZoneInfo

import click

from monitor.alerts.wording import counted
from monitor.cli.alerts_words import local_zone, the_name
from monitor.cli.options import DURATION, config_option, load_config
from monitor.cli.tables import FORMATS, show
from monitor.config import Config
from monitor.errors import MonitorError
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.wiring import utc_now
from storage import reading
from storage.reading import Answer
from storage.store import Store
from storage.times import from_text, to_text

T = TypeVar("T")

LONGEST = timedelta(days=366)
"""A silence that lasts longer is a rule to be removed."""
_IN_FORCE = "SELECT id, rule, topic, since, until, reason FROM silences WHERE until > :now ORDER BY until, id"


@click.command("silence")
@config_option
@click.option("--for", "length", type=DURATION, help="For how long: 90m, 2h, 3d.")
@click.option("--until", "end", help="Until when, in local time: 2026-12-01T08:00, or 2026-12-01 (its beginning).")
@click.option("--topic", help="Only what it finds of this topic.")
@click.option("--reason", default="", help="Why; it is shown wherever the silence is.")
@click.option("--all", "everything", is_flag=True, help="Every rule, instead of one.")
@click.argument("rule", required=False)
def silence_(  # noqa: PLR0913, PLR0917 - one parameter for each option
    config_path: Path,
    length: timedelta | None,
    end: str | None,
    topic: str | None,
    reason: str,
    everything: bool,
    rule: str | None,
) -> None:
    """Send nothing of RULE for a time.

    What it finds is recorded all the same, with the state `silenced`, and shown in the next digest. The running monitor
    heeds it at once.
    """
    config = load_config(config_path)
    now = utc_now()
    chosen = _rule(config, config_path, rule, everything)
    about = None if topic is None else the_name(topic, _topics(config), "topic", "use")
    until = _until(length, end, config.zone(), now)
    _change(config.database, lambda store: store.add_silence(chosen, about, until, reason, now))
    click.echo(f"{_what(chosen, about)} is silent until {local_zone(until, config.zone())}")
    told = ", and told in the digest" if any(one.rule == "digest" for one in config.alerts) else ""
    click.echo(f"what is found meanwhile is recorded (`monitor alerts list --state silenced`){told}")
    click.echo(f"to end it: monitor alerts unsilence {'--all' if chosen is None else quote(chosen)}")


@click.command("unsilence")
@config_option
@click.option("--all", "everything", is_flag=True, help="End every silence, of whatever rule.")
@click.argument("rule", required=False)
def unsilence_(config_path: Path, everything: bool, rule: str | None) -> None:
    """End the silences of RULE. What was found meanwhile stays recorded and is not sent."""
    config = load_config(config_path)
    if (rule is None) != everything:
        raise click.UsageError("name a rule, or write --all to end every silence")
    named = [str(row[1]) for row in in_force(config.database, utc_now()).rows if row[1] is not None]
    chosen = None
    if rule is not None:
        known = [one.name for one in config.alerts]
        chosen = the_name(rule, [*known, *(name for name in named if name not in known)], "rule", str(config_path))
    ended = _change(config.database, lambda store: store.end_silences(chosen, utc_now()))
    if not ended:
        raise MonitorError("no such silence is in force; `monitor alerts silences` shows those that are")
    click.echo(f"{counted(ended, 'silence', 'silences')} ended; what was found meanwhile stays recorded")


@click.command("silences")
@config_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
def silences_(config_path: Path, form: str) -> None:
    """Show the silences in force, the next one to end first."""
    config = load_config(config_path)
    answer = in_force(config.database, utc_now())
    show(answer if form != "table" else in_words(answer, config.zone()), form)


def in_force(database: Path, now: datetime) -> Answer:
    """Return the silences in force: id, rule, topic, since, until, reason. Raises StorageError."""
    return reading.ask(database, _IN_FORCE, {"now": to_text(now)})


def in_words(answer: Answer, zone: ZoneInfo) -> Answer:
    """Return silences as tables show them."""
    rows = [
        (rule or "every rule", topic or "every topic", local_zone(from_text(until), zone), reason)
        for _, rule, topic, _, until, reason in answer.rows
    ]
    return Answer(("rule", "topic", "until", "reason"), rows)


def _change(database: Path, wish: Callable[[Store], Awaitable[T]]) -> T:
    """Change what the running monitor heeds; needs no lock, because SQLite lets two processes take turns."""
    reading.ask(database, "SELECT 1")  # says so when there is no database yet, instead of making one

    async def change() -> T:
        with Store(database) as store:
            return await wish(store)

    return asyncio.run(change())


def _rule(config: Config, path: Path, typed: str | None, everything: bool) -> str | None:
    """Return the rule's name, or None for all of them. Raises ConfigError, UsageError."""
    if (typed is None) != everything:
        raise click.UsageError("name a rule, or write --all to silence every rule")
    return None if typed is None else the_name(typed, [rule.name for rule in config.alerts], "rule", str(path))


def _topics(config: Config) -> list[str]:
    return [*OnnxClassifier.open().topics, *config.own_topics()]


def _until(length: timedelta | None, end: str | None, zone: ZoneInfo, now: datetime) -> datetime:
    if (length is None) == (end is None):
        raise click.UsageError("say how long: either --for 2h, or --until 2026-12-01T08:00")
    until = now + length if length is not None else _moment(end or "", zone)
    if not now < until <= now + LONGEST:
        raise click.UsageError(
            f"a silence ends in the future, and within {LONGEST.days} days; this one would end at "
            f"{local_zone(until, zone)}. To be rid of a rule, remove it from feeds.yaml"
        )
    return until


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a local date or time."""
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise click.UsageError(f"--until: {text!r} is no time; write 2026-12-01T08:00 or 2026-12-01") from None


def _what(rule: str | None, topic: str | None) -> str:
    whole = "every rule" if rule is None else f"the rule {rule!r}"
    return whole if topic is None else f"what {whole} finds of {topic}"
