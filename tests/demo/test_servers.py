"""The demo's servers serve, take what they are sent, and go without a trace."""

import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from monitor.demo.scenario import OUTLETS, feed_document, load
from monitor.demo.servers import DemoServers, serve

ROWS = load()
NOW = datetime(2026, 3, 12, 15, 30, tzinfo=UTC)


@pytest.fixture
def servers() -> Iterator[DemoServers]:
    with serve(ROWS, NOW) as running:
        yield running


def ask(url: str, body: bytes | None = None, have: str | None = None) -> tuple[int, str | None, bytes]:
    """Status, ETag and body of the answer; a body is posted, ``have`` is the ETag that the client has."""
    headers = {"If-None-Match": have} if have else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5) as answer:
            return answer.status, answer.headers["ETag"], answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers["ETag"], answer.read()


def test_every_outlet_has_a_feed(servers: DemoServers) -> None:
    assert set(servers.feed_urls) == set(OUTLETS)
    for name, url in servers.feed_urls.items():
        status, _, body = ask(url)
        assert (status, body) == (200, feed_document(name, ROWS, NOW, 0))


def test_a_client_that_has_the_document_gets_304_until_the_next_round(servers: DemoServers) -> None:
    url = servers.feed_urls["Lab Notes"]
    _, etag, backlog = ask(url)
    assert etag is not None
    assert ask(url, have=etag) == (304, etag, b"")
    servers.set_round(2)
    status, new_etag, body = ask(url, have=etag)
    assert status == 200
    assert new_etag != etag
    assert len(body) > len(backlog)


def test_a_path_that_leads_nowhere_is_404(servers: DemoServers) -> None:
    assert ask(servers.feed_urls["Lab Notes"] + "x")[0] == 404
    assert ask(servers.webhook_url + "x", b"{}")[0] == 404
    assert servers.posts == []


def test_the_webhook_keeps_what_it_is_sent_and_answers_ok(servers: DemoServers) -> None:
    message = {"text": "Überraschung", "blocks": [{"type": "divider"}]}
    assert ask(servers.webhook_url, json.dumps(message).encode())[::2] == (200, b"ok")
    assert ask(servers.webhook_url, b"no json")[::2] == (400, b"invalid_payload")
    assert servers.posts == [message]


def test_the_mail_server_keeps_the_raw_message(servers: DemoServers) -> None:
    with smtplib.SMTP("127.0.0.1", servers.smtp_port, timeout=5) as client:
        client.sendmail("monitor@demo.example", ["analyst@demo.example"], b"Subject: Surge\r\n\r\nLook.\r\n")
    assert servers.mails == [b"Subject: Surge\r\n\r\nLook.\r\n"]


def test_nothing_is_said_on_the_terminal(servers: DemoServers, capfd: pytest.CaptureFixture[str]) -> None:
    ask(servers.feed_urls["Morgenkurs"])
    ask(servers.webhook_url, b"no json")
    assert capfd.readouterr() == ("", "")


def test_the_ports_are_closed_afterwards_and_the_messages_remain() -> None:
    with serve(ROWS, NOW) as servers:
        ask(servers.webhook_url, b"{}")
    assert servers.posts == [{}]
    with pytest.raises(urllib.error.URLError):
        ask(servers.webhook_url, b"{}")
    with pytest.raises(OSError, match="refused"):
        smtplib.SMTP("127.0.0.1", servers.smtp_port, timeout=5)
