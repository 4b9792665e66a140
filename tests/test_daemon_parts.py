"""Parts of the daemon that a whole process is too slow a test for."""

import asyncio

import pytest
from structlog.testing import capture_logs

from monitor import logs
from monitor.config import Config
from monitor.daemon import Daemon
from monitor.errors import ConfigError
from storage.feed_records import Fetched, NextPoll, Poll
from storage.records import Delivery
from storage.store import Store
from tests.builders import NOW, feed_in, finding
from tests.fakes import CONFIG, FakeChannel, system


class HangingChannel(FakeChannel):
    """Never answers."""

    async def send(self, delivery: Delivery) -> None:
        await asyncio.sleep(3600)


def daemon(store: Store, **parts: object) -> Daemon:
    return Daemon(system(store, **parts), lambda: Config.model_validate(CONFIG))


async def test_a_channel_that_hangs_does_not_delay_the_others(store: Store) -> None:
    good, hanging = FakeChannel(), HangingChannel()
    running = daemon(store, channels={"bad": hanging, "good": good})
    for number in range(2):
        await store.save_judgement([], [finding(f"key {number}", "bad", "good")], [], 0, NOW)
        await running._deliver()
        await asyncio.wait([running._sending["good"]], timeout=5)
    assert len(good.sent) == 2
    for task in running._sending.values():
        task.cancel()


class TestOffline:
    async def polled(self, running: Daemon, store: Store, name: str, *, answered: bool) -> None:
        feed = await feed_in(store, name)
        outcome = Fetched(NOW, 0.1, 200) if answered else Fetched(NOW, 0.1, error="no route")
        running._polled(Poll(feed, outcome, NextPoll(NOW)), 0)
        running._tell_if_offline()

    async def test_one_dead_feed_among_others_is_not_offline(self, store: Store) -> None:
        running = daemon(store)
        with capture_logs() as told:
            await self.polled(running, store, "Alive", answered=True)
            await self.polled(running, store, "Dead", answered=False)
        assert told == []

    async def test_it_is_told_once_and_taken_back(self, store: Store) -> None:
        running = daemon(store)
        with capture_logs() as told:
            for answered in (False, False, True):
                await self.polled(running, store, "Wire", answered=answered)
        assert [event["event"] for event in told] == ["daemon.offline", "daemon.online"]


@pytest.mark.parametrize("fault", [ConfigError("feeds.yaml:1:1: wrong"), KeyError("odd")])
async def test_a_reload_that_fails_in_any_way_keeps_the_old_configuration(store: Store, fault: Exception) -> None:
    def broken() -> Config:
        raise fault

    running = Daemon(system(store), broken)
    before = running.system
    with capture_logs() as told:
        await running.reconfigure()
    assert running.system is before
    assert told[0]["event"] == "config.rejected"


async def test_a_database_cannot_be_exchanged_while_running(store: Store) -> None:
    running = Daemon(system(store), lambda: Config.model_validate({**CONFIG, "database": "other.db"}))
    with capture_logs() as told:
        await running.reconfigure()
    assert "`database` cannot change" in str(told[0]["problems"])


def test_a_traceback_in_the_log_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    import structlog

    def fails() -> None:
        webhook = "secret" + "-123"
        raise ValueError(len(webhook))

    logs.configure("info", "text")
    try:
        fails()
    except ValueError:
        structlog.get_logger().exception("delivery.fault")
    finally:
        structlog.reset_defaults()
    shown = capsys.readouterr().err
    assert "ValueError: 10" in shown
    assert "secret-123" not in shown
