"""How long does it take to replay a year? ``python -m benchmarks.replay``.

Makes a database of a year of 100,000 items from 40 sources, tagged and grouped by dice (no model), and replays it at
every full hour. Prints how long each part took. ``--items`` and ``--days`` make it smaller.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from monitor.alerts.rules.trend import TrendRule
from monitor.detection.flow import Calendar
from monitor.past.archive import Archived
from monitor.past.flows import SPAN
from monitor.past.importing import Spool, cover, store_items
from monitor.past.replay import WARM_UP, View, leading_up, see
from storage import past
from storage.feed_records import Entry
from storage.records import Classification, Grouping, Signal, StoryItem
from storage.store import Store

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TOPICS = {"efficiency": 0.12, "capex": 0.12, "geopolitics": 0.08}
MODEL = "dice"
FEEDS = 40
RETOLD = 0.4  # of all items
RULES = (TrendRule(name="surge", rule="trend"),)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, replay and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description="Replay a year.")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=365)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "year.db"
        with timed(f"making {chosen.items:,} items in {chosen.days} days (not part of a replay)"):
            asyncio.run(make(database, chosen.items, chosen.days))
        replay(database, BEGIN, BEGIN + chosen.days * DAY)
    return 0


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took."""
    begun = time.monotonic()
    yield
    print(f"{time.monotonic() - begun:7.1f} s  {what}")


async def make(database: Path, items: int, days: int) -> None:
    """Fill a database with an archive, as an import would."""
    dice = Random(1)
    with Store(database) as store, Spool() as spool:
        await store.save_thresholds(dict.fromkeys(TOPICS, MODEL), dict.fromkeys(TOPICS, 0.5), BEGIN)
        for number in range(items):
            published = BEGIN + dice.random() * days * DAY
            spool.add(Archived(f"Source {int(FEEDS * dice.random() ** 2)}", _entry(number, published)))
        stored = await store_items(store, spool, BEGIN + days * DAY, lambda _pieces: None)
        await cover(store, stored.feeds, UTC, BEGIN + days * DAY)
        while await _tag(store, dice) or await _group(store, dice):
            pass


def _entry(number: int, published: datetime) -> Entry:
    return Entry(None, f"https://a.example/{number}", f"Headline {number}", "", "en", published.replace(microsecond=0))


async def _tag(store: Store, dice: Random) -> int:
    items = await store.pending("classify", 1000)
    said = [(item.id, topic) for item in items for topic, share in TOPICS.items() if dice.random() < share]
    await store.save_classified(
        [Classification(item.id, topic, MODEL, 0.1) for item in items for topic in TOPICS],
        [Signal(item_id, topic, 0.9, MODEL) for item_id, topic in said],
        [],
        BEGIN,
    )
    return len(items)


async def _group(store: Store, dice: Random) -> int:
    waiting = await store.pending_tellings(1000)
    opened: list[int] = []
    placed = []
    for one in waiting:
        story = dice.choice(opened[-30:]) if opened and dice.random() < RETOLD else -len(opened) - 1
        opened += [story] if story == -len(opened) - 1 else []
        placed.append(StoryItem(one.item.id, story))
    await store.save_grouping(Grouping(tuple(placed)), BEGIN)
    return len(waiting)


def replay(database: Path, since: datetime, until: datetime) -> None:
    """Replay a period hour by hour, and print how long it took."""
    with timed("in all"):
        with timed("reading the past"):
            stored = past.read(database, since - WARM_UP - (SPAN + 1) * DAY, until)
        found = leading_up(stored, since, until)
        with timed(f"looking at {len(TOPICS)} topics at {len(found):,} moments"):
            seen = see(stored, found, since, View(tuple(TOPICS), Calendar(UTC), "UTC"), lambda _done: None)
        with timed("judging and applying the rules"):
            alerts = seen.alerts(RULES)
    print(f"{len(alerts)} alerts")


if __name__ == "__main__":
    sys.exit(main())
