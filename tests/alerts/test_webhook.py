"""The webhook channel: the event, its signature as the standard's own library checks it, and what answers mean."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from monitor.alerts.channels.event import TYPE
from monitor.alerts.channels.webhook import WebhookSettings
from monitor.errors import ConfigError
from storage.alert_records import Alert, Cell, Delivery, Table
from tests.alerts.nasty import LINKS, TITLES
from tests.alerts.sample import HEADLINE, delivery, surge_alert
from tests.alerts.servers import Web, http, web
from tests.alerts.test_channels import SECRET, build, failure, webhook
from tests.alerts.test_render import everywhere, with_finding

KEY = "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode()


async def received(sent: Delivery) -> tuple[dict[str, str], dict[str, Any]]:
    """Send to a server, and return the headers and the event that came there."""
    async with web(http(204)) as server:
        await webhook(server.port).send(sent)
    return headers(server), json.loads(server.bodies[0])


def headers(server: Web) -> dict[str, str]:
    lines = server.requests[0][0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


async def data(raised: Alert) -> dict[str, Any]:
    found = (await received(delivery(raised)))[1]["data"]
    assert isinstance(found, dict)
    return found


async def test_the_event_is_a_cloud_event() -> None:
    head, event = await received(delivery(surge_alert(), channel="trading desk"))
    assert head["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert head["webhook-id"] == event["id"]
    assert {name: event[name] for name in event if name not in ("id", "data")} == {
        "specversion": "1.0",
        "source": "urn:ai-market-monitor:trading%20desk",
        "type": TYPE,
        "time": "2026-11-23T14:02:00Z",
        "subject": "efficiency-surge/efficiency",
        "datacontenttype": "application/json",
    }


async def test_its_data_says_what_the_alert_says() -> None:
    said = await data(surge_alert())
    assert (said["headline"], said["alert_id"], said["severity"]) == (HEADLINE, 7, "warning")
    assert (said["observed"], said["expected"]) == (23, 5.0)
    assert said["thread"] == surge_alert().finding.key
    assert len(said["stories"]) == 12
    assert said["stories"][0]["outlets"] == 9
    assert said["stories"][0]["words"][0] == "twentieth of the training cost"
    assert said["charts"][0]["days"][-1] == {"day": "2026-11-23", "stories": 18}


async def test_a_table_is_told_with_what_it_leaves_out() -> None:
    rows = tuple((Cell(f"a\n{n}", "https://a.example/"), Cell("b", "javascript:x")) for n in range(130))
    table = (await data(with_finding(tables=(Table("T", ("x", "y"), rows, left_out=5),))))["tables"][0]
    assert table["columns"] == ["x", "y"]
    assert table["rows"][1] == [{"text": "a 1", "url": "https://a.example/"}, {"text": "b", "url": None}]
    assert (len(table["rows"]), table["left_out"]) == (100, 35)


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
async def test_titles_come_clean_and_short(title: str) -> None:
    said = json.dumps(await data(everywhere(title)), ensure_ascii=False)
    assert all(char.isprintable() or char in "\u200c\u200d" for char in said)
    assert len(said) < 100_000


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
async def test_a_link_that_is_not_safe_is_left_out(link: str) -> None:
    stories = (replace(surge_alert().finding.stories[0], url=link),)
    assert (await data(with_finding(stories=stories)))["stories"][0]["url"] is None


@pytest.mark.parametrize(
    ("secret", "key"),
    [(KEY, KEY), (KEY.rstrip("="), KEY), ("plain words", b"plain words")],
    ids=["as the standard writes it", "without padding", "any text"],
)
async def test_the_signature_is_what_the_standards_own_library_expects(secret: str, key: str | bytes) -> None:
    async with web(http(200)) as server:
        secrets = {"HOOK": f"http://127.0.0.1:{server.port}/", "HOOK_KEY": secret}
        await build("webhook", secrets).send(delivery(surge_alert()))
    assert Webhook(key).verify(server.bodies[0], headers(server))["data"]["headline"] == HEADLINE
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(server.bodies[0] + b" ", headers(server))


async def test_without_a_secret_nothing_is_signed() -> None:
    async with web(http(200)) as server:
        address = f"http://127.0.0.1:{server.port}/hook"
        await build("webhook", url=address, url_env=None, secret_env=None).send(delivery(surge_alert()))
    assert headers(server).keys() & {"webhook-id", "webhook-signature"} == {"webhook-id"}


@pytest.mark.parametrize(
    ("answer", "told", "retry"),
    [
        pytest.param(http(404, b"who?"), "answered 404 who?: there is nothing at this address", False, id="nothing"),
        pytest.param(http(410), "it is gone for good", False, id="gone"),
        pytest.param(http(401), "check the address and the secret", False, id="a login"),
        pytest.param(http(418), "it was refused", False, id="refused"),
        pytest.param(http(301, b"", Location="/x"), "points elsewhere, which is not followed", False, id="redirect"),
        pytest.param(http(408), "answered 408: not taken", True, id="a timeout"),
        pytest.param(http(425), "not taken", True, id="too early"),
        pytest.param(http(500, b"oops"), "answered 500 oops: not taken", True, id="server error"),
        pytest.param(http(404, f"no /hooks/{SECRET}".encode()), "404 no …:", False, id="an echo of the address"),
    ],
)
async def test_an_answer_means(answer: bytes, told: str, retry: bool) -> None:
    async with web(answer) as server:
        error = await failure(webhook(server.port))
    assert told in str(error)
    assert error.retry is retry
    assert retry or "address in HOOK" in str(error)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_says_when_to_come_back(status: int) -> None:
    async with web(http(status, Retry_After="30")) as server:
        error = await failure(webhook(server.port))
    assert (error.retry, error.retry_after) == (True, timedelta(seconds=30))


async def test_a_server_that_breaks_off_behind_its_status_has_taken_the_message() -> None:
    async with web(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf") as server:
        await webhook(server.port).send(delivery(surge_alert()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({}, "give either url, or url_env", id="no address"),
        pytest.param({"url": "https://a.example", "url_env": "A"}, "give either url, or url_env", id="two addresses"),
        pytest.param({"url": "a.example/hook"}, "no scheme", id="no scheme"),
        pytest.param({"url": "https://me:pw@a.example/"}, "a login is a secret", id="a login in the file"),
        pytest.param({"url": "https://a.example/a b"}, "no space", id="a space"),
    ],
)
def test_settings_that_cannot_work_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        WebhookSettings.model_validate({"type": "webhook", **change})


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        pytest.param({"HOOK": "s3cr3t", "HOOK_KEY": KEY}, "HOOK does not hold a web address", id="no address"),
        pytest.param({"HOOK": "https://a.example", "HOOK_KEY": "whsec_s3cr3t!"}, "no base64", id="no base64"),
        pytest.param({"HOOK": "https://a.example", "HOOK_KEY": "whsec_"}, "no base64", id="an empty key"),
    ],
)
def test_a_secret_that_makes_no_sense_is_refused_by_its_name(secrets: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        build("webhook", secrets)
    assert SECRET not in str(caught.value)
