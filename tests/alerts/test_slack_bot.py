"""Slack by a bot token: what is called, how a thread goes on, and what the error codes mean."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.errors import ConfigError
from storage.alert_records import Delivery, Phase
from tests.alerts.sample import HEADLINE, delivery, surge_alert
from tests.alerts.servers import Web, http, web
from tests.alerts.test_channels import POSTED, SECRET, build, failure, slack_bot

BEGAN = "C012:1763990000.000100"
"""The receipt of a thread's first message."""


def refusal(code: str, **more: str) -> bytes:
    return http(200, json.dumps({"ok": False, "error": code, **more}).encode())


def slack_says(**answers: bytes) -> Callable[[bytes], bytes]:
    """Return a Slack that answers ``update`` and ``postMessage`` with these, and otherwise takes everything."""

    def answer(head: bytes) -> bytes:
        return answers.get(method(head), http(200, POSTED))

    return answer


def method(head: bytes) -> str:
    found = re.match(rb"POST /api/chat\.(\w+) ", head)
    assert found
    return found[1].decode()


def calls(server: Web) -> list[tuple[str, dict[str, Any]]]:
    return [(method(head), json.loads(body)) for head, body in server.requests]


def later(*thread: str, **change: Any) -> Delivery:
    return replace(delivery(surge_alert()), thread=thread, **change)


async def test_the_request_is_what_slack_documents() -> None:
    async with web(http(200, POSTED)) as server:
        told = await slack_bot(server.port).send(delivery(surge_alert()))
    head, body = server.requests[0]
    assert head.startswith(b"POST /api/chat.postMessage HTTP/1.1\r\n")
    assert f"authorization: bearer xoxb-{SECRET}\r\n" in head.decode().lower()
    assert "content-type: application/json; charset=utf-8\r\n" in head.decode().lower()
    sent = json.loads(body)
    assert sent["channel"] == "#alerts"
    assert sent["text"].startswith(HEADLINE)
    assert sent["blocks"][0]["type"] == "header"
    assert SECRET.encode() not in body
    assert told.receipt == "C012:1764000000.000100"


@pytest.mark.parametrize(("phase", "shown"), [("update", True), ("end", False)])
async def test_an_update_is_shown_in_the_channel_and_an_end_only_to_those_who_follow(phase: Phase, shown: bool) -> None:
    alert = surge_alert()
    alert = replace(alert, finding=replace(alert.finding, phase=phase))
    async with web(http(200, POSTED)) as server:
        await slack_bot(server.port).send(replace(delivery(alert), thread=(BEGAN,)))
    assert calls(server)[1][1]["reply_broadcast"] is shown


@pytest.mark.parametrize(
    "thread",
    [(BEGAN,), (BEGAN, f"{BEGAN}:1763995000.000200"), ("C9:1.1", BEGAN)],
    ids=["the first update", "a second one", "after the first message had gone"],
)
async def test_an_update_changes_the_first_message_and_tells_the_news_below_it(thread: tuple[str, ...]) -> None:
    async with web(http(200, POSTED)) as server:
        told = await slack_bot(server.port).send(later(*thread))
    (first, changed), (second, reply) = calls(server)
    assert (first, second) == ("update", "postMessage")
    assert (changed["channel"], changed["ts"]) == ("C012", "1763990000.000100")
    assert changed["blocks"][0]["type"] == "header"
    assert (reply["channel"], reply["thread_ts"]) == ("C012", "1763990000.000100")
    assert reply["text"].startswith(HEADLINE)
    assert "blocks" not in reply, "the news is told in short"
    assert told.receipt == f"{BEGAN}:1764000000.000100"


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "channel_not_found", "is_archived"])
async def test_when_the_first_message_is_gone_a_new_one_is_posted(code: str) -> None:
    async with web(slack_says(update=refusal(code))) as server:
        told = await slack_bot(server.port).send(later(BEGAN))
    assert [name for name, _ in calls(server)] == ["update", "postMessage"]
    assert calls(server)[1][1]["channel"] == "#alerts"
    assert told.receipt == "C012:1764000000.000100"


async def test_a_message_that_may_not_be_edited_any_more_still_takes_replies() -> None:
    async with web(slack_says(update=refusal("edit_window_closed"))) as server:
        await slack_bot(server.port).send(later(BEGAN))
    assert calls(server)[1][1]["thread_ts"] == "1763990000.000100"


async def test_a_failed_update_is_tried_again_before_anything_is_told() -> None:
    async with web(slack_says(update=refusal("internal_error"))) as server:
        channel = slack_bot(server.port)
        for _ in range(2):
            with pytest.raises(Exception, match="internal_error, not ok"):
                await channel.send(later(BEGAN))
    assert [name for name, _ in calls(server)] == ["update", "update"]


@pytest.mark.parametrize(
    "asked", [later("<1@example.org>"), later(BEGAN, resends=1)], ids=["the channel was a mail before", "sent again"]
)
async def test_a_new_message_is_posted(asked: Delivery) -> None:
    async with web(http(200, POSTED)) as server:
        await slack_bot(server.port).send(asked)
    assert [name for name, _ in calls(server)] == ["postMessage"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("not_in_channel", "write /invite"),
        ("channel_not_found", "check `channel`, and invite the app"),
        ("invalid_auth", "the token is wrong"),
        ("account_inactive", "install it again"),
        ("token_revoked", "install the app again"),
        ("is_archived", "choose another"),
        ("msg_too_long", "too long for Slack"),
        ("something_new", "the message was refused"),
    ],
)
async def test_an_error_code_means(code: str, told: str) -> None:
    async with web(refusal(code)) as server:
        error = await failure(slack_bot(server.port))
    assert not error.retry
    assert f"answered 200 {code}: " in str(error)
    assert told in str(error)
    assert "SLACK_TOKEN" in str(error)


async def test_a_missing_scope_is_named() -> None:
    async with web(refusal("missing_scope", needed="chat:write.public")) as server:
        assert "it needs chat:write.public" in str(await failure(slack_bot(server.port)))


@pytest.mark.parametrize(
    "answer",
    [
        *(refusal(code) for code in ("fatal_error", "internal_error", "service_unavailable", "rate_limited")),
        http(200, b"<html>Log in</html>"),
        http(200, b'["ok"]'),
        http(500, b'{"ok": false, "error": "x"}'),
    ],
    ids=["fatal", "internal", "unavailable", "too often", "a portal", "no object", "a server error"],
)
async def test_what_may_pass_is_tried_again(answer: bytes) -> None:
    async with web(answer) as server:
        assert (await failure(slack_bot(server.port))).retry


async def test_too_many_messages() -> None:
    async with web(http(429, b'{"ok": false, "error": "ratelimited"}', Retry_After="7")) as server:
        error = await failure(slack_bot(server.port))
    assert (error.retry, error.retry_after) == (True, timedelta(seconds=7))


async def test_an_answer_that_repeats_the_message_is_read_to_its_end() -> None:
    answer = json.dumps({"ok": True, "channel": "C1", "message": {"text": "x" * 200_000}, "ts": "1.2"}).encode()
    async with web(http(200, answer)) as server:
        assert (await slack_bot(server.port).send(delivery(surge_alert()))).receipt == "C1:1.2"


@pytest.mark.parametrize("token", ["xoxb-s3cr3t\r\nX: y", "xoxb s3cr3t", "xöxb-s3cr3t", ""])
def test_a_token_that_cannot_be_one_is_refused_by_its_name(token: str) -> None:
    with pytest.raises(ConfigError, match="SLACK_TOKEN does not hold a token") as caught:
        build("slack", token, webhook_env=None, token_env="SLACK_TOKEN", channel="C1")
    assert SECRET not in str(caught.value)
