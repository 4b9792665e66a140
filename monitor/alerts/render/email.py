"""An alert as a mail: HTML with an equal text part. Pure: the same delivery gives the same bytes every time."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from monitor.alerts.render.content import Content, content
from monitor.alerts.render.identity import mark
from monitor.alerts.render.templates import render
from monitor.alerts.render.text import text
from storage.alert_records import Alert, Delivery

_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_LONGEST_ID = 77  # Python folds a longer one as an encoded word, which names no mail
_REFERENCES = 20


def html(alert: Alert) -> str:
    """Return the alert as an HTML document for mail clients: tables, inline styles, nothing remote."""
    return render("email.html.j2", content(alert)).lstrip()


def message(delivery: Delivery, sender: Address, to: tuple[Address, ...]) -> EmailMessage:
    """Return the whole mail. Its Message-ID is the same for each attempt, so that servers and readers see one mail.

    It answers the earlier mails of the alert's thread, and those that told of it among other things, so that programs
    show them together (RFC 5322, 3.6.4).
    """
    words = content(delivery.alert)
    mail = EmailMessage()
    headers = _headers(delivery.alert, words, sender) | _threading((*delivery.carriers, *delivery.thread))
    for name, value in {"Message-ID": f"<{mark(delivery)}@{sender.domain}>", **headers}.items():
        mail[name] = value
    mail["From"] = sender
    mail["To"] = to
    mail.set_content(text(delivery.alert), cte="quoted-printable")
    mail.add_alternative(html(delivery.alert), subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{mark(delivery)}")
    return mail


def _headers(alert: Alert, words: Content, sender: Address) -> dict[str, str]:
    return {
        "Subject": words.headline,
        "Date": format_datetime(alert.until or alert.created),  # what waited is news when it comes
        "List-Id": f"AI market monitor <alerts.ai-market-monitor.{sender.domain}>",  # RFC 2919
        "Auto-Submitted": "auto-generated",  # RFC 3834: no vacation notice answers it
        "X-Auto-Response-Suppress": "All",  # the same for Exchange
        "X-Monitor-Rule": words.rule,
        "X-Monitor-Severity": words.severity,
    }


def _threading(thread: tuple[str, ...]) -> dict[str, str]:
    names = dict.fromkeys(thread)
    earlier = [name for name in names if _MESSAGE_ID.fullmatch(name) and len(name) <= _LONGEST_ID]
    if not earlier:
        return {}
    return {"In-Reply-To": earlier[-1], "References": " ".join(earlier[-_REFERENCES:])}
