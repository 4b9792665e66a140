"""A database of an earlier version: everything it held is there afterwards, and what it could not know is derived."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from storage import reading
from storage.alert_records import Chart, DayCount
from storage.connection import open_writer
from storage.feed_records import FeedSpec
from storage.migrations import migrations
from storage.store import Store
from tests.storage.derived import expected, stored

EARLIER = """
INSERT INTO feeds (id, name, url, every, added, next_poll, last_ok, first_ok, covered_since) VALUES
  (1, 'Wire', 'https://wire.example', 1800, '2026-11-01T00:00:00Z', '2026-11-23T14:00:00Z', '2026-11-23T13:30:00Z',
   '2026-11-20T10:00:00Z', '2026-11-10T00:00:00Z'),
  (2, 'Desk', 'https://desk.example', 1800, '2026-11-01T00:00:00Z', '2026-11-23T14:00:00Z', NULL, NULL, NULL),
  (3, 'Post', 'https://post.example', 1800, '2026-11-01T00:00:00Z', '2026-11-23T14:00:00Z', NULL, NULL, NULL);
INSERT INTO fetches (feed_id, started, seconds, status, bytes, entries, new_items, error) VALUES
  (1, '2026-11-22T23:30:00Z', 1, 200, 9, 5, 5, NULL), (2, '2026-11-23T10:00:00Z', 1, 500, 9, 0, 0, 'HTTP 500');
INSERT INTO items (id, feed_id, title, summary, published, seen, backlog, identity, pending) VALUES
  (1, 1, 'Event', 'Words', '2026-11-21T23:30:00Z', '2026-11-22T08:00:00Z', 0, 'a', NULL),
  (2, 2, 'Event', 'Words', '2026-11-22T08:00:00Z', '2026-11-22T08:00:00Z', 0, 'b', NULL),
  (3, 1, 'Event', 'More words', '2026-11-22T09:00:00Z', '2026-11-22T09:00:00Z', 0, 'c', 'judge'),
  (4, 3, 'Event', 'Own words', '2026-11-22T10:00:00Z', '2026-11-22T10:00:00Z', 0, 'd', NULL),
  (5, 3, 'Other', '', '2026-11-01T10:00:00Z', '2026-11-22T10:00:00Z', 1, 'e', NULL),
  (6, 3, 'Waiting', '', '2026-11-23T10:00:00Z', '2026-11-23T10:00:00Z', 0, 'f', 'group');
INSERT INTO stories (id, key, title, first_published, last_published, items, outlets) VALUES
  (1, 'k', 'Event', '2026-11-21T23:30:00Z', '2026-11-22T10:00:00Z', 4, 3),
  (2, 'l', 'Other', '2026-11-01T10:00:00Z', '2026-11-01T10:00:00Z', 1, 1);
INSERT INTO story_items VALUES (1, 1), (2, 1), (3, 1), (4, 1), (5, 2);
INSERT INTO classifications VALUES (1, 'm', 'capex', 0.9, '2026-11-22T08:00:00Z');
INSERT INTO signals (item_id, topic, probability, model, published, created, words)
  SELECT id, 'capex', 0.9, 'm', published, seen, 'spend' FROM items WHERE id <> 6;
INSERT INTO topic_counts VALUES ('2026-11-21', 'capex', 1, 1, 1), ('2026-11-22', 'capex', 2, 0, 1);
INSERT INTO thresholds VALUES ('capex', 'm', 0.5, '2026-11-01T00:00:00Z');
INSERT INTO labels VALUES (1, 'capex', 1, '2026-11-22T08:00:00Z');
INSERT INTO trends
  (topic, hour, evaluated, window_start, window_end, observed, expected, chance, surprise, state, since, feeds)
  VALUES ('capex', '2026-11-23T13:00:00Z', '2026-11-23T13:10:00Z', '2026-11-22T13:10:00Z', '2026-11-23T13:10:00Z',
    3, 1.5, 0.2, 0.7, 'normal', '2026-11-01T00:00:00Z', 2);
INSERT INTO alerts VALUES (1, 'k', 'r', 'trend', 'info', 'capex', 'Headline', '2026-11-22T08:00:00Z', '{}');
INSERT INTO alert_items VALUES (1, 1);
"""


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Make a database as the version before made it."""
    path = tmp_path / "signals.db"
    db = open_writer(path)
    migrations.apply(db, stop_before="m003_stories")
    db.conn.executescript(EARLIER)
    db.close()
    return path


@pytest.fixture
def before_polling(earlier: Path) -> Path:
    """Make a database as the version made it that asked all feeds at the interval of the configuration."""
    db = open_writer(earlier)
    migrations.apply(db, stop_before="m004_polling")
    db.conn.executescript(
        """
        UPDATE feeds SET last_poll = '2026-11-23T13:30:00Z' WHERE id < 3;
        UPDATE feeds SET every = 600 WHERE id = 1;
        UPDATE feeds SET failures = 3, last_ok = '2026-11-20T10:00:00Z' WHERE id = 2;
        """
    )
    db.close()
    return earlier


@pytest.fixture
def before_threads(before_polling: Path) -> Path:
    """Make a database as the version made it whose alerts stood each for itself."""
    db = open_writer(before_polling)
    migrations.apply(db, stop_before="m005_alerts")
    db.conn.executescript(
        """
        INSERT INTO alerts VALUES (2, 'surge:capex:1', 'surge', 'trend', 'warning', 'capex', 'Capex news ×2',
          '2026-11-22T09:00:00Z', '{"rule":"surge","kind":"trend","key":"surge:capex:1","severity":"warning",
            "topic":"capex","headline":"Capex news ×2","explanation":"Because.","send":["desk"],"stories":[],
            "days":[{"day":"2026-11-21","stories":1},{"day":"2026-11-22","stories":4}],"expected":2.5,"observed":5,
            "evidence":[1],"zone":"UTC"}');
        INSERT INTO alerts VALUES (3, 'every:item:1', 'every', 'match', 'info', 'capex', 'Event',
          '2026-11-22T10:00:00Z', '{"rule":"every","kind":"match","key":"every:item:1","severity":"info",
            "topic":"capex","headline":"Event","explanation":"Because.","send":["desk"],"stories":[],"days":[],
            "expected":null,"observed":null,"evidence":[1],"zone":"UTC"}');
        INSERT INTO deliveries (alert_id, channel, state, attempts, next_try, sent, error) VALUES
          (2, 'desk', 'pending', 3, '2026-11-23T14:00:00Z', NULL, 'refused'),
          (3, 'desk', 'sent', 1, NULL, '2026-11-22T10:00:01Z', NULL);
        """
    )
    db.close()
    return before_polling


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(path, sql).rows


KEPT = {
    "feeds": "SELECT id, name, url, last_ok, first_ok FROM feeds",
    "fetches": "SELECT id, feed_id, started, seconds, status, bytes, entries, new_items, error FROM fetches",
    "items": "SELECT id, feed_id, title, published, seen, backlog, identity, pending FROM items",
    "places": "SELECT item_id, story_id FROM story_items",
    "stories": "SELECT id, title, first_published, last_published, items, outlets FROM stories",
    "signals": "SELECT * FROM signals",
    "labels": "SELECT * FROM labels",
    "classifications": "SELECT * FROM classifications",
    "thresholds": "SELECT topic, model, threshold, since FROM thresholds",
    "trends": "SELECT topic, hour, observed, expected, state, feeds FROM trends",
    "alerts": "SELECT id, key, rule, kind, severity, topic, headline, created FROM alerts",
    "evidence": "SELECT * FROM alert_items",
}


def test_everything_is_kept(earlier: Path) -> None:
    before = {name: rows(earlier, sql) for name, sql in KEPT.items()}
    assert all(before.values())
    with Store(earlier):
        assert {name: rows(earlier, sql) for name, sql in KEPT.items()} == before


def test_what_old_tellings_are_is_derived_as_far_as_it_can_be_told(earlier: Path) -> None:
    with Store(earlier):
        assert rows(earlier, "SELECT item_id, placed_in, relation, novelty FROM story_items") == [
            (1, 1, "first", 100),
            (2, 1, "copy", 75),
            (3, 1, "update", 56),
            (4, 1, "retelling", 42),
            (5, 2, "first", 100),
        ]
        assert rows(earlier, "SELECT id, independent FROM stories") == [(1, 2), (2, 1)]


def test_what_was_covered_becomes_an_exposure(earlier: Path) -> None:
    with Store(earlier):
        assert rows(earlier, "SELECT * FROM exposures") == [
            (1, "2026-11-10T00:00:00Z", "2026-11-23T13:30:00Z", "2026-11-20T10:00:00Z")
        ]
        assert "covered_since" not in [row[1] for row in rows(earlier, "PRAGMA table_info(feeds)")]


async def test_the_first_time_zone_counts_everything_anew(earlier: Path) -> None:
    with Store(earlier) as store:
        await store.count_in("Europe/Berlin")
        assert stored(earlier) == expected(earlier)
        days = "SELECT day, feed_id, stories, items, weight FROM topic_counts ORDER BY day, feed_id"
        assert rows(earlier, days) == [
            ("2026-11-01", 3, 1, 1, 1.0),
            ("2026-11-22", 1, 1, 2, 1.0375),
            ("2026-11-22", 2, 0, 1, 0.05),
            ("2026-11-22", 3, 0, 1, 0.028125),
        ]
        polls = "SELECT day, feed_id, polls, failures FROM feed_days WHERE polls + failures > 0"
        assert rows(earlier, polls) == [("2026-11-23", 1, 1, 0), ("2026-11-23", 2, 0, 1)]


async def test_its_trends_are_read_with_what_they_did_not_know_yet(earlier: Path) -> None:
    with Store(earlier) as store:
        trend = (await store.latest_trends())["capex"]
    assert (trend.observed, trend.state, trend.low, trend.share) == (3, "normal", 0, None)
    assert trend.evaluated == datetime(2026, 11, 23, 13, 10, tzinfo=UTC)


def test_polling_at_each_feeds_own_pace_keeps_all_that_was_there(before_polling: Path) -> None:
    before = {name: rows(before_polling, sql) for name, sql in KEPT.items()}
    with Store(before_polling):
        assert {name: rows(before_polling, sql) for name, sql in KEPT.items()} == before


async def test_old_feeds_go_on_from_where_they_were(before_polling: Path) -> None:
    with Store(before_polling) as store:
        wire, desk, post = await store.all_feeds()
    assert [feed.state for feed in (wire, desk, post)] == ["ok", "failing", "new"]
    assert [feed.state_since for feed in (wire, desk, post)] == [
        datetime(2026, 11, 20, 10, tzinfo=UTC),
        datetime(2026, 11, 20, 10, tzinfo=UTC),
        None,
    ]
    assert (wire.every, wire.fixed, wire.rate) == (timedelta(minutes=10), False, None)
    assert wire.last_news == datetime(2026, 11, 22, 9, tzinfo=UTC)


async def test_an_interval_of_the_configuration_is_fixed_and_others_are_free(before_polling: Path) -> None:
    specs = [
        FeedSpec("Wire", "https://wire.example", every=timedelta(minutes=10)),
        FeedSpec("Desk", "https://desk.example"),
    ]
    with Store(before_polling) as store:
        await store.sync_feeds(specs, datetime(2026, 11, 23, 13, 55, tzinfo=UTC))
        wire, desk = await store.all_feeds()
    assert (wire.every, wire.fixed) == (timedelta(minutes=10), True)
    assert wire.next_poll == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert (desk.every, desk.fixed) == (timedelta(minutes=30), False)


async def test_old_alerts_read_as_new_ones_with_their_days_as_a_chart(before_threads: Path) -> None:
    with Store(before_threads) as store:
        trend, match = await store.alert(2), await store.alert(3)
    assert trend is not None
    assert match is not None
    days = (DayCount(date(2026, 11, 21), 1), DayCount(date(2026, 11, 22), 4))
    assert trend.finding.charts == (Chart("capex", days, expected=2.5),)
    assert (trend.finding.headline, trend.finding.evidence, trend.state) == ("Capex news ×2", (1,), "told")
    assert (match.finding.charts, match.finding.phase, match.finding.carries) == ((), "once", ())


async def test_old_alerts_are_threads_of_their_own_and_their_messages_go_on(before_threads: Path) -> None:
    with Store(before_threads) as store:
        told = await store.told_alerts({"surge": "trend"}, datetime(2026, 11, 23, 14, tzinfo=UTC))
        (delivery,) = await store.due_deliveries("desk", datetime(2026, 11, 23, 14, tzinfo=UTC))
        assert rows(before_threads, "SELECT channel, state, attempts, resends FROM deliveries") == [
            ("desk", "pending", 3, 0),
            ("desk", "sent", 1, 0),
        ]
        assert rows(before_threads, "SELECT * FROM alerts_open") == []
    assert {key: (one.thread, one.phase) for key, one in told.items() if key != "k"} == {
        "surge:capex:1": ("surge:capex:1", "once")
    }
    assert (delivery.alert.id, delivery.thread, delivery.reached) == (2, (), ())


def test_a_migration_that_fails_leaves_the_old_database(earlier: Path) -> None:
    with sqlite3.connect(earlier) as db:
        db.execute("CREATE TABLE looks (x)")
    db.close()
    with pytest.raises(Exception, match="looks"):
        Store(earlier)
    assert rows(earlier, "SELECT key FROM stories") == [("k",), ("l",)]
