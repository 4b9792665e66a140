"""Subscriptions at hubs, which push what is new (WebSub)."""

import sqlite3

from sqlite_utils import Database

from storage.feed_records import Subscription
from storage.times import maybe_text, maybe_time

_COLUMNS = "feed_id, hub, topic, token, secret, state, lease_until, next_try, error"


def all_subscriptions(db: Database) -> list[Subscription]:
    """Return all subscriptions, also those of feeds that have left the configuration."""
    return [_subscription(row) for row in db.conn.execute(f"SELECT {_COLUMNS} FROM subscriptions ORDER BY feed_id")]


def _subscription(row: sqlite3.Row) -> Subscription:
    times = {name: maybe_time(row[name]) for name in ("lease_until", "next_try")}
    return Subscription(**{**dict(row), **times})


def save(db: Database, subscription: Subscription) -> None:
    """Store a feed's subscription in place of the one it had."""
    db.conn.execute(
        f"INSERT OR REPLACE INTO subscriptions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            subscription.feed_id,
            subscription.hub,
            subscription.topic,
            subscription.token,
            subscription.secret,
            subscription.state,
            maybe_text(subscription.lease_until),
            maybe_text(subscription.next_try),
            subscription.error,
        ],
    )


def remove(db: Database, feed_id: int) -> None:
    """Forget a feed's subscription."""
    db.conn.execute("DELETE FROM subscriptions WHERE feed_id = ?", [feed_id])
