"""The daemon as its users run it: a process, with signals, beside servers on loopback."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.demo.scenario import Row
from monitor.demo.servers import DemoServers, serve
from tests.world import FEED, ask, daemon, make_deliveries_due, monitor, row, sure, until, write_config

OLD = row("An old and ordinary product launch with a new colour", 0, day=21)


@pytest.fixture
def servers() -> Iterator[DemoServers]:
    rows: list[Row] = [OLD]
    with serve(rows, datetime.now(UTC)) as running:
        yield running


def log_of(config: Path) -> str:
    return (config.parent / "daemon.log").read_text()


def first_poll_done(config: Path) -> None:
    until(lambda: ask(config, "SELECT 1 FROM items WHERE pending IS NULL"), "the first poll")


def test_a_new_item_becomes_a_mail_and_a_slack_message(tmp_path: Path, servers: DemoServers) -> None:
    config = write_config(tmp_path, servers)
    with daemon(config, servers):
        first_poll_done(config)
        servers.rows = [OLD, sure(1)]
        servers.set_round(1)
        until(lambda: servers.posts and servers.mails, "the alert")
    assert sure(1).title in str(servers.posts[0])
    assert b"Message-ID:" in servers.mails[0]
    assert ask(config, "SELECT count(*) FROM alerts") == [(1,)]


def test_it_stops_in_order_on_sigterm_and_says_so(tmp_path: Path, servers: DemoServers) -> None:
    config = write_config(tmp_path, servers)
    with daemon(config, servers) as process:
        first_poll_done(config)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert "daemon.stopped" in log_of(config)
    assert "Traceback" not in log_of(config)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_starting_is_no_traceback(tmp_path: Path, servers: DemoServers, number: int) -> None:
    config = write_config(tmp_path, servers)
    with daemon(config, servers) as process:
        until(lambda: "configuration" in log_of(config), "the banner")
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in log_of(config)


def test_a_second_monitor_on_the_same_database_is_refused(tmp_path: Path, servers: DemoServers) -> None:
    config = write_config(tmp_path, servers)
    with daemon(config, servers) as process:
        first_poll_done(config)
        refused = monitor(config, servers, "run", "--once")
    assert refused.returncode == 3
    assert f"process {process.pid}" in refused.stderr


class TestReload:
    def test_a_good_change_is_taken_over(self, tmp_path: Path, servers: DemoServers) -> None:
        config = write_config(tmp_path, servers)
        with daemon(config, servers) as process:
            first_poll_done(config)
            write_config(tmp_path, servers, feeds=(FEED, "Lab Notes"))
            process.send_signal(signal.SIGHUP)
            until(
                lambda: ask(config, "SELECT 1 FROM feeds WHERE name = 'Lab Notes' AND last_poll > ''"), "the new feed"
            )
            assert process.poll() is None

    def test_a_bad_change_is_refused_and_the_old_configuration_stays(
        self, tmp_path: Path, servers: DemoServers
    ) -> None:
        config = write_config(tmp_path, servers)
        with daemon(config, servers) as process:
            first_poll_done(config)
            config.write_text("feeds: [{nme: x}]\n")
            process.send_signal(signal.SIGHUP)
            until(lambda: "config.rejected" in log_of(config), "the refusal")
            assert "feeds.0.nme" in log_of(config)
            servers.rows = [OLD, sure(2)]
            servers.set_round(1)
            until(lambda: servers.posts, "an alert by the old configuration")


def test_alerts_that_could_not_be_sent_are_sent_after_a_restart(tmp_path: Path, servers: DemoServers) -> None:
    config = write_config(tmp_path, servers)
    working = servers.webhook_url
    servers.webhook_url = "http://127.0.0.1:1/closed"
    with daemon(config, servers):
        first_poll_done(config)
        servers.rows = [OLD, sure(3)]
        servers.set_round(1)
        until(lambda: ask(config, "SELECT 1 FROM deliveries_open WHERE error > ''"), "the failed attempt")
    assert servers.posts == []
    make_deliveries_due(config)
    servers.webhook_url = working
    with daemon(config, servers):
        until(lambda: servers.posts, "the alert")
    assert len(servers.posts) == 1


def test_without_a_network_it_says_so_and_points_to_the_demo(tmp_path: Path, servers: DemoServers) -> None:
    config = write_config(tmp_path, servers)
    config.write_text(config.read_text().replace(f":{servers.http_port}", ":1"))
    with daemon(config, servers) as process:
        until(lambda: "daemon.offline" in log_of(config), "the notice")
        assert "make demo" in log_of(config)
        assert process.poll() is None
