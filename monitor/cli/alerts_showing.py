"""One alert: its message, why it was raised, and what became of it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from monitor.alerts.wording import counted, one_line
from monitor.cli.alerts_forms import form_options, tell
from monitor.cli.alerts_listing import Row, became
from monitor.cli.alerts_words import local
from monitor.cli.options import config_option, load_config
from monitor.cli.tables import show
from monitor.errors import MonitorError
from storage import reading
from storage.alert_records import Alert
from storage.reading import Answer
from storage.store import Store
from storage.times import from_text

_ABOUT = """
SELECT a.*, NULL AS deliveries, (SELECT count(*) FROM alert_items e WHERE e.alert_id = a.id) AS evidence,
       (SELECT count(*) FROM alerts c WHERE c.told_in = a.id) AS carried
FROM alerts a WHERE a.id = :id
"""
_DELIVERIES = """
SELECT channel, state, attempts, sent, next_try, coalesce(error, nullif(refused, '')) AS error
FROM deliveries WHERE alert_id = :id ORDER BY channel
"""
_THREAD = """
SELECT id, created, phase, headline FROM alerts
WHERE thread = (SELECT thread FROM alerts WHERE id = :id) AND id <> :id ORDER BY id
"""
_CARRIED = "SELECT id, created, phase, headline FROM alerts WHERE told_in = :id ORDER BY id LIMIT 20"


@click.command("show")
@config_option
@form_options
@click.argument("number", type=int, metavar="ID")
def show_(config_path: Path, number: int, html_file: Path | None, slack: bool) -> None:
    """Show the alert ID: its message, why it was raised, and what became of each of its deliveries.

    `monitor alerts list` shows the ids.
    """
    config = load_config(config_path)
    alert = stored(config.database, number)
    tell(alert, html_file, slack)
    if not slack:
        _circumstances(config.database, number, config.zone())


def stored(database: Path, number: int) -> Alert:
    """Return an alert. Raises MonitorError when there is none with this id, StorageError."""
    reading.ask(database, "SELECT 1")  # says so when there is no database yet, instead of making one

    async def look() -> Alert | None:
        with Store(database) as store:
            return await store.alert(number)

    found = asyncio.run(look())
    if found is None:
        raise MonitorError(f"there is no alert {number}; `monitor alerts list` shows what was alerted, with the ids")
    return found


def _circumstances(database: Path, number: int, zone: ZoneInfo) -> None:
    [about] = _rows(database, _ABOUT, number)
    click.echo("")
    for name, value in _facts(about, zone):
        click.echo(f"{name:14}{value}")
    if deliveries := _rows(database, _DELIVERIES, number):
        click.echo("\nDeliveries (`monitor alerts resend` sends again)")
        columns = tuple(deliveries[0])
        show(Answer(columns, [tuple(_local(name, row[name], zone) for name in columns) for row in deliveries]), "table")
    _listed("Of the same thread", _rows(database, _THREAD, number), zone)
    _listed("Told in this message", _rows(database, _CARRIED, number), zone)


def _rows(database: Path, sql: str, number: int) -> list[Row]:
    answer = reading.ask(database, sql, {"id": number})
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _facts(about: Row, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield what is known beside the message, by name."""
    yield "Raised", f"{local(from_text(about['created']), zone)} by the rule {about['rule']!r} ({about['kind']})"
    if about["state"] != "told":
        yield "State", became({**about, "acked": None}, zone)
    elif about["why"]:
        until = f"held until {local(from_text(about['held_until']), zone)}: " if about["held_until"] else ""
        yield "Told late", f"{until}{about['why']}"
    if about["acked"]:
        note = f": {one_line(about['ack_note'], 300)}" if about["ack_note"] else ""
        yield "Acknowledged", f"{local(from_text(about['acked']), zone)}{note}"
    if about["evidence"]:
        items = counted(about["evidence"], "item", "items")
        yield "Evidence", f"{items}: monitor query alert-evidence --alert {about['id']}"
    if about["carried"]:
        yield "Carries", counted(about["carried"], "alert", "alerts")


def _local(name: str, value: Any, zone: ZoneInfo) -> Any:
    return local(from_text(value), zone) if value and name in {"sent", "next_try"} else value


def _listed(title: str, rows: list[Row], zone: ZoneInfo) -> None:
    if rows:
        click.echo(f"\n{title}")
    for row in rows:
        phase = f"{row['phase']}: " if row["phase"] != "once" else ""
        time = local(from_text(row["created"]), zone)
        click.echo(f"  {row['id']:>6}  {time}  {phase}{one_line(row['headline'], 150)}")
