"""An alert in the forms that people get: as text, as the mail's HTML, as Slack's JSON."""

import json
from pathlib import Path

import click

from monitor.alerts.render.email import html
from monitor.alerts.render.slack import payload
from monitor.alerts.render.text import text
from monitor.cli.options import F
from monitor.errors import MonitorError
from storage.alert_records import Alert


def form_options(command: F) -> F:
    """Add --html FILE and --slack; the command gets ``html_file`` and ``slack``."""
    command = click.option("--slack", is_flag=True, help="Print what Slack gets (JSON) instead of the text.")(command)
    return click.option(
        "--html",
        "html_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Also write what mail programs show to this file, for a browser.",
    )(command)


def tell(alert: Alert, html_file: Path | None, slack: bool) -> None:
    """Print an alert's text, or what Slack gets, and write its HTML. Raises MonitorError when the file cannot be."""
    click.echo(json.dumps(payload(alert), ensure_ascii=False, indent=1) if slack else text(alert).strip("\n"))
    if html_file is not None:
        try:
            html_file.write_text(html(alert), encoding="utf-8")
        except OSError as error:
            raise MonitorError(f"cannot write {html_file}: {error.strerror or error}") from None
        click.echo(f"wrote {html_file}", err=True)
