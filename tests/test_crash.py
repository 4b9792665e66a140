"""kill -9 at random moments of poll, classify and deliver: nothing missing, nothing twice."""

import random
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest

from monitor.demo.scenario import Row
from monitor.demo.servers import DemoServers, serve
from tests.world import Daemons, ask, make_deliveries_due, row, sure, until, write_config

KILLS = 20
BACKLOG = [row(f"An ordinary product launch, the {n}th of its kind", 0, day=15 + n / 10) for n in range(150)]


def news(day: int) -> list[Row]:
    """Return what every moment of the test brings: a few items that alert, and some that do not."""
    ordinary = [row(f"Another ordinary launch on day {day}, number {n}", 1) for n in range(10)]
    return [*ordinary, *(sure(100 * day + n) for n in range(3))]


@pytest.mark.slow
def test_twenty_kills_at_random_moments_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    luck = random.Random(20)
    rows = list(BACKLOG)
    with serve(rows, datetime.now(UTC)) as servers:
        config = write_config(tmp_path, servers)
        with closing(Daemons(config, servers)) as daemons:
            with daemons.next():
                until(lambda: ask(config, "SELECT 1 FROM feeds WHERE first_ok > ''"), "the backlog")
            servers.set_round(1)
            for kill in range(KILLS):
                rows += news(kill)
                with daemons.next():
                    _await_poll(config)
                    time.sleep(luck.uniform(0, 1.0))  # and leaving the block kills it
            make_deliveries_due(config)
            with daemons.next():
                until(lambda: _all_done(config, len(rows)), "everything to be done", 60)
        _check(config, servers, rows)


def _await_poll(config: Path) -> None:
    begun = len(ask(config, "SELECT id FROM fetches"))
    until(lambda: len(ask(config, "SELECT id FROM fetches")) > begun, "a poll")


def _all_done(config: Path, items: int) -> bool:
    counts = ask(
        config,
        """SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM items WHERE pending IS NOT NULL),
                  (SELECT count(*) FROM deliveries WHERE state <> 'sent')""",
    )
    return counts == [(items, 0, 0)]


def _check(config: Path, servers: DemoServers, rows: list[Row]) -> None:
    titles = Counter(title for (title,) in ask(config, "SELECT title FROM items"))
    assert titles == Counter(row.title for row in rows)
    assert ask(config, "SELECT count(*) FROM items") == ask(
        config, "SELECT count(DISTINCT item_id) FROM classifications"
    )
    assert ask(config, "SELECT count(*) FROM items") == ask(config, "SELECT count(*) FROM story_items")
    assert ask(config, _UNTOLD) == []
    [(alerts,)] = ask(config, "SELECT count(*) FROM alerts")
    assert alerts > KILLS
    _check_arrivals(servers, alerts)


_UNTOLD = """
SELECT story_id FROM story_items JOIN items ON id = item_id JOIN signals USING (item_id)
WHERE NOT backlog AND topic = 'efficiency'
EXCEPT SELECT story_id FROM alert_items JOIN story_items USING (item_id)
"""
"""Stories that carry the topic, and that no alert tells of."""


def _check_arrivals(servers: DemoServers, alerts: int) -> None:
    """Every alert arrived at both; one is repeated at most where a kill fell between the answer and the commit."""
    mails = Counter(message_from_bytes(mail)["Message-ID"] for mail in servers.mails)
    posts = Counter(str(post) for post in servers.posts)
    for arrived in (mails, posts):
        assert len(arrived) == alerts
        assert sum(arrived.values()) - alerts <= KILLS
