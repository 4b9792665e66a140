"""The Slack channel by its webhook: what its answers mean, and that the address stays secret."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.channels.slack import SlackSettings
from monitor.errors import ConfigError
from tests.alerts.sample import HEADLINE, delivery, surge_alert
from tests.alerts.servers import http, web
from tests.alerts.test_channels import SECRET, build, failure, slack


@pytest.mark.parametrize(
    ("block", "told"),
    [
        pytest.param({}, "give either webhook_env, or token_env and channel", id="no way"),
        pytest.param({"webhook_env": "A", "token_env": "B", "channel": "C"}, "give either webhook_env", id="two ways"),
        pytest.param({"token_env": "B"}, "belong together", id="a token for no channel"),
        pytest.param({"webhook_env": "A", "channel": "C1"}, "belong together", id="a channel for a webhook"),
        pytest.param({"token_env": "B", "channel": "two words"}, "pattern", id="a channel with a space"),
        pytest.param({"token_env": "xoxb-1", "channel": "C1"}, "pattern", id="a token in the file"),
        pytest.param(
            {"token_env": "B", "channel": "C1", "api": "http://slack.example/api/"}, "clear text", id="no TLS"
        ),
        pytest.param({"token_env": "B", "channel": "C1", "api": "slack.example"}, "no scheme", id="no address"),
    ],
)
def test_settings_that_cannot_work_are_refused(block: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        SlackSettings.model_validate({"type": "slack", **block})


async def test_the_request_is_what_slack_documents() -> None:
    async with web(http(200, b"ok")) as server:
        await slack(server.port).send(delivery(surge_alert()))
    head, body = server.requests[0]
    assert head.startswith(f"POST /services/T00/B00/{SECRET} HTTP/1.1\r\n".encode())
    assert b"content-type: application/json" in head.lower()
    sent = json.loads(body)
    assert sent["text"].startswith(HEADLINE)
    assert sent["blocks"][0]["type"] == "header"


@pytest.mark.parametrize(
    ("answer", "told", "retry"),
    [
        pytest.param(http(404, b"no_service"), "404 no_service: the webhook was removed", False, id="removed"),
        pytest.param(http(410, b"channel_is_archived"), "the channel is archived", False, id="archived"),
        pytest.param(http(403, b"action_prohibited"), "an administrator has restricted", False, id="prohibited"),
        pytest.param(http(400, b"invalid_payload"), "the message was refused", False, id="refused"),
        pytest.param(http(302, b"", Location="/x"), "points elsewhere, which is not followed", False, id="redirect"),
        pytest.param(http(500, b"rollup_error"), "500 rollup_error", True, id="server error"),
        pytest.param(http(200, b"<html>Log in</html>"), "answered 200 <html>Log in</html>, not ok", True, id="portal"),
        pytest.param(http(404, b"x" * 300_000), "xxx…", False, id="a large answer"),
        pytest.param(http(404, b"no \r\n\x1b[2J \xff"), "404 no [2J", False, id="an answer with control characters"),
        pytest.param(b"", "hung up without an answer", True, id="no answer at all"),
    ],
)
async def test_an_answer_means(answer: bytes, told: str, retry: bool) -> None:
    async with web(answer) as server:
        error = await failure(slack(server.port))
    assert told in str(error)
    assert error.retry is retry
    if not retry:
        assert "SLACK_WEBHOOK" in str(error), "it says which secret to mend"


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("7", 7), ("999999999999", 86400), ("soon", None), ("-3", None), ("", None)],
    ids=["seconds", "far too many", "a word", "negative", "nothing"],
)
async def test_too_many_messages(wish: str, seconds: int | None) -> None:
    async with web(http(429, b"rate_limited", Retry_After=wish)) as server:
        error = await failure(slack(server.port))
    assert error.retry
    assert error.retry_after == (None if seconds is None else timedelta(seconds=seconds))
    assert "too many messages" in str(error)


async def test_a_server_that_echoes_the_address_does_not_betray_it() -> None:
    echo = f"cannot POST /services/T00/B00/{SECRET}".encode()
    async with web(http(404, echo)) as server:
        assert "404 cannot POST …" in str(await failure(slack(server.port)))


async def test_no_log_at_any_level_holds_the_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with web(http(200, b"ok")) as server:
            await slack(server.port).send(delivery(surge_alert()))
        await failure(slack(1))
    assert SECRET not in caplog.text


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with web(http(200, b"ok")) as server:
        await slack(server.port).send(delivery(surge_alert()))
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "secret",
    ["s3cr3t", "ftp://hooks.example/s3cr3t", "https:///s3cr3t", "http://[s3cr3t", "https://h.example/ s3cr3t",
     "https://h.example:s3cr3t/", f"https://h.example/s3cr3t{'a' * 70_000}", ""],
    ids=["no address", "another scheme", "no host", "broken", "a space", "no port", "endless", "nothing"],
)  # fmt: skip
def test_a_secret_that_is_no_address_is_refused_by_its_name(secret: str) -> None:
    with pytest.raises(ConfigError, match="SLACK_WEBHOOK does not hold a web address") as caught:
        build("slack", secret)
    assert SECRET not in str(caught.value)
