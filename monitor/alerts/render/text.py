"""An alert as plain text: the second half of a mail, and what the console shows. Pure."""

from monitor.alerts.render.content import content
from monitor.alerts.render.templates import render
from storage.alert_records import Alert


def text(alert: Alert) -> str:
    """Return the alert as text of at most 76 columns, links excepted."""
    return render("text.txt.j2", content(alert))
