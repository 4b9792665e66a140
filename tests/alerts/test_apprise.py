"""The channel of Apprise: what a service gets, and that neither its address nor a call to everybody goes out."""

import asyncio
import json
import logging
import sys

import pytest

from monitor.errors import ConfigError
from tests.alerts.sample import HEADLINE, delivery, surge_alert
from tests.alerts.servers import http, web
from tests.alerts.test_channels import SECRET, build, failure, service
from tests.alerts.test_render import everywhere


async def test_a_service_gets_headline_and_text() -> None:
    async with web(http(200)) as server:
        await service(server.port).send(delivery(surge_alert()))
    sent = json.loads(server.bodies[0])
    assert sent["title"] == HEADLINE
    assert "WHAT TO DO" in sent["message"].upper() or "efficiency-surge" in sent["message"]


async def test_no_title_can_call_everybody_or_write_a_tag() -> None:
    async with web(http(200)) as server:
        await service(server.port).send(delivery(everywhere("<!channel> <@U1> @everyone @Here x@room")))
    sent = json.loads(server.bodies[0])
    for call in ("<", "@everyone", "@Here", "@room"):
        assert call not in sent["title"] + sent["message"]


async def test_a_refusal_tells_what_apprise_said() -> None:
    async with web(http(404)) as server:
        error = await failure(service(server.port))
    assert error.retry, "Apprise does not say whether it is for good"
    assert "the service in SERVICE did not take the message: " in str(error)
    assert "error=404" in str(error)


async def test_others_go_on_while_a_service_is_slow() -> None:
    async with web(http(200), delay=0.3) as server:
        sending = asyncio.create_task(service(server.port).send(delivery(surge_alert())))
        turns = 0
        while not sending.done():
            await asyncio.sleep(0.01)
            turns += 1
    assert turns > 10


async def test_no_log_at_any_level_holds_the_address(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with web(http(200)) as server:
            await service(server.port).send(delivery(surge_alert()))
        await failure(service(1))
        with pytest.raises(ConfigError):
            build("apprise", f"nonsense://{SECRET}")
    assert SECRET not in caplog.text
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "secret",
    ["", SECRET, f"nonsense://{SECRET}", f"json://a.example/{SECRET}, json://b.example"],
    ids=["nothing", "no address", "an unknown service", "two services"],
)
def test_a_secret_that_is_not_one_service_is_refused_by_its_name(secret: str) -> None:
    with pytest.raises(ConfigError, match="SERVICE does not hold the address of one service") as caught:
        build("apprise", secret)
    assert SECRET not in str(caught.value)


def test_without_apprise_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'ai-market-monitor\[apprise\]'"):
        service(80)
