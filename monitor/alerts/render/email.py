"""An alert as a mail: HTML with an equal text part. Pure: the same delivery gives the same bytes every time."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from monitor.alerts.render.content import Content, content
from monitor.alerts.render.templates import render
from monitor.alerts.render.text import text
from storage.alert_records import Alert, Delivery


def html(alert: Alert) -> str:
    """Return the alert as an HTML document for mail clients: tables, inline styles, nothing remote."""
    return render("email.html.j2", content(alert))


def message(delivery: Delivery, sender: Address, to: tuple[Address, ...]) -> EmailMessage:
    """Return the whole mail. Its Message-ID is the same for each attempt, so that servers and readers see one mail."""
    words = content(delivery.alert)
    mark = _mark(delivery)
    mail = EmailMessage()
    for name, value in _headers(delivery.alert, words, mark, sender).items():
        mail[name] = value
    mail["From"] = sender
    mail["To"] = to
    mail.set_content(text(delivery.alert), cte="quoted-printable")
    mail.add_alternative(html(delivery.alert), subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{mark}")
    return mail


def _headers(alert: Alert, words: Content, mark: str, sender: Address) -> dict[str, str]:
    return {
        "Subject": words.headline,
        "Date": format_datetime(alert.created),
        "Message-ID": f"<{mark}@{sender.domain}>",
        "List-Id": f"AI market monitor <alerts.ai-market-monitor.{sender.domain}>",  # RFC 2919
        "Auto-Submitted": "auto-generated",  # RFC 3834: no vacation notice answers it
        "X-Auto-Response-Suppress": "All",  # the same for Exchange
        "X-Monitor-Rule": words.rule,
        "X-Monitor-Severity": words.severity,
    }


def _mark(delivery: Delivery) -> str:
    """Name this alert on this channel. The time of creation keeps a database that starts anew from repeating itself."""
    alert = delivery.alert
    facts = (str(alert.id), alert.created.isoformat(), alert.finding.key, delivery.channel)
    return sha256("\0".join(facts).encode("utf-8", "replace")).hexdigest()[:32]
