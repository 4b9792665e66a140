"""`monitor import` as a user types it: what is stored, what is refused, and that the order of files does not matter."""

import asyncio
import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.feeds.fresh import fresh, identify_all
from monitor.instance import only_instance
from storage import reading
from storage.feed_records import FeedSpec
from storage.store import Store
from tests.builders import entry, feed_in, poll
from tests.test_config import FEED

BEGIN = datetime(2025, 1, 6, 12, tzinfo=UTC)
DAY = timedelta(days=1)

Line = dict[str, str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a feeds.yaml that has one feed, Wire."""
    (tmp_path / "feeds.yaml").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


def line(title: str, day: float = 0, source: str = "Wire", **fields: str) -> Line:
    published = (BEGIN + day * DAY).isoformat()
    return {"published": published, "title": title, "source": source, "lang": "en", **fields}


def packed(lines: Iterable[Line]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def bring(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["import", *arguments], input=stdin)


def imported(*lines: Line) -> Result:
    """Import these lines without tagging them."""
    result = bring("--no-classify", "-", stdin=packed(lines))
    assert result.exit_code == 0, result.output
    return result


def ask(home: Path, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(home / "signals.db", sql).rows


def stored(home: Path, feed_url: str, titles: Iterable[str]) -> None:
    """Poll Wire twice, with two days between: it answers with entries of its own."""

    async def polled(store: Store) -> None:
        entries = tuple(entry(title, BEGIN, url=f"{feed_url}/{title}") for title in titles)
        kept = fresh(identify_all(entries), [])
        keys, identities = tuple(one.keys for one in kept), tuple(one.identity for one in kept)
        first = replace(poll(await feed_in(store), *entries), keys=keys, identities=identities)
        await store.save_poll(first, BEGIN)
        await store.save_poll(poll(replace(first.feed, first_ok=BEGIN)), BEGIN + 2 * DAY)

    with Store(home / "signals.db") as store:
        asyncio.run(polled(store))


class TestItems:
    def test_a_source_with_a_feeds_name_is_that_feed_and_another_is_never_polled(self, home: Path) -> None:
        result = imported(line("One", source="WIRE"), line("Two", source="Elsewhere"))
        assert result.stdout == "imported 2 items from 2 sources (0 lines refused, 0 known already)\n"
        assert ask(home, "SELECT name, kind, url, active FROM feeds ORDER BY id") == [
            ("Wire", None, "https://wire.example/feed", 1),
            ("Elsewhere", "archive", "archive:Elsewhere", 0),
        ]
        assert ask(home, "SELECT title, backlog, seen = published, pending FROM items ORDER BY id") == [
            ("Two", 2, 1, "classify"),
            ("One", 2, 1, "classify"),
        ]

    def test_they_are_tagged_and_grouped_and_raise_no_match(self, home: Path) -> None:
        (home / "feeds.yaml").write_text(f"alerts: [{{name: all, rule: match}}]\n{FEED}")
        sure = "Nvidia rival to spend $40 billion on new AI data centres this year"
        (home / "old.jsonl").write_bytes(packed([line(sure), line("A recipe for apple cake", 1)]))
        assert bring("old.jsonl").exit_code == 0
        assert ask(home, "SELECT title, topic FROM signals_latest") == [(sure, "capex")]
        assert ask(home, "SELECT count(*) FROM items WHERE pending IS NOT NULL") == [(0,)]
        assert ask(home, "SELECT (SELECT count(*) FROM stories), (SELECT count(*) FROM alerts)") == [(2, 0)]

    def test_the_second_time_nothing_is_new(self, home: Path) -> None:
        imported(line("One"), line("Two"))
        result = imported(line("Two"), line("One"), line("Three"))
        assert result.stdout == "imported 1 item from 1 source (0 lines refused, 2 known already)\n"

    def test_what_the_feed_itself_brought_is_not_doubled(self, home: Path) -> None:
        stored(home, "https://wire.example", ["One", "Two", "Three"])
        result = imported(line("One", url="https://wire.example/One?utm_source=rss"), line("Two"), line("Four"))
        assert result.stdout == "imported 1 item from 1 source (0 lines refused, 2 known already)\n"

    def test_a_source_becomes_the_feed_of_its_name_once_there_is_one(self, home: Path) -> None:
        imported(line("One", source="Late"))
        (home / "feeds.yaml").write_text(f"{FEED}  - {{name: Late, url: 'https://late.example/feed'}}\n")
        imported(line("Two", source="late"))
        assert ask(
            home, "SELECT name, url, active, (SELECT count(*) FROM items WHERE feed_id = f.id) FROM feeds f"
        ) == [
            ("Wire", "https://wire.example/feed", 1, 0),
            ("Late", "https://late.example/feed", 1, 2),
        ]

    def test_files_in_any_order_give_the_same_items(self, home: Path) -> None:
        lines = [line(f"Item {n}", n // 3, source=f"S{n % 5}") for n in range(300)]
        Random(3).shuffle(lines)
        (home / "a.jsonl").write_bytes(packed(lines[:150]))
        with gzip.open(home / "b.jsonl.gz", "wb") as file:
            file.write(packed(lines[150:]))
        everything = (
            "SELECT i.id, i.title, i.published, f.name FROM items i JOIN feeds f ON f.id = i.feed_id ORDER BY i.id"
        )
        found = []
        for order in (("a.jsonl", "b.jsonl.gz"), ("b.jsonl.gz", "a.jsonl")):
            assert bring("--no-classify", *order).exit_code == 0
            found.append(ask(home, everything))
            (home / "signals.db").unlink()
        assert found[0] == found[1]
        assert len(found[0]) == 300

    def test_lines_without_a_source_are_of_the_file(self, home: Path) -> None:
        (home / "newsletter.2025.jsonl").write_bytes(b'{"date": "2025-01-27", "title": "One", "lang": "en"}\n')
        bring("--no-classify", "newsletter.2025.jsonl")
        assert ask(home, "SELECT name FROM feeds WHERE NOT active") == [("newsletter",)]


class TestRefusals:
    def test_lines_that_make_no_sense_are_named_and_the_others_go_on(self, home: Path) -> None:
        (home / "old.jsonl").write_bytes(packed([line("One")]) + b"\n{]\n" + packed([line("", 2)]))
        result = bring("--no-classify", "old.jsonl")
        assert result.exit_code == 0
        assert result.stdout == "imported 1 item from 1 source (2 lines refused, 0 known already)\n"
        first, second = result.stderr.splitlines()[:2]
        assert first.startswith("old.jsonl:3: not JSON: ")
        assert second == "old.jsonl:4: title: is missing"

    def test_where_no_line_can_be_used_the_exit_code_is_1(self, home: Path) -> None:
        result = bring("--no-classify", "-", stdin=b"[1]\n")
        assert (result.exit_code, result.stderr.splitlines()[0]) == (
            1,
            "standard input:1: expected one JSON object on each line",
        )

    def test_thousands_of_refusals_are_not_all_shown(self, home: Path) -> None:
        result = bring("--no-classify", "-", stdin=b"x\n" * 2000)
        assert len(result.stderr.splitlines()) < 110
        assert "... and 1,900 more lines like these" in result.stderr

    def test_a_file_that_is_cut_short_imports_nothing(self, home: Path) -> None:
        (home / "old.jsonl.gz").write_bytes(gzip.compress(packed([line(f"Item {n}") for n in range(999)]))[:-20])
        result = bring("--no-classify", "old.jsonl.gz")
        assert result.exit_code == 1
        assert "old.jsonl.gz cannot be read to its end" in result.stderr
        assert not (home / "signals.db").exists()

    def test_beside_a_running_monitor_it_refuses(self, home: Path) -> None:
        with only_instance(home / "signals.db"):
            result = bring("-", stdin=packed([line("One")]))
        assert result.exit_code == 3
        assert "Start it again after the import." in result.output

    def test_no_such_file(self, home: Path) -> None:
        assert bring("nowhere.jsonl").exit_code == 2


class TestExposure:
    INTERVALS = "SELECT f.name, e.since, e.until FROM exposures e JOIN feeds f ON f.id = e.feed_id ORDER BY 1, 2"

    def test_an_archive_covers_from_its_first_to_its_last_item_without_its_holes(self, home: Path) -> None:
        imported(*(line(f"Item {n}", n) for n in (*range(20), *range(40, 60))))
        assert ask(home, self.INTERVALS) == [
            ("Wire", "2025-01-06T12:00:00Z", "2025-01-25T12:00:00Z"),
            ("Wire", "2025-02-15T12:00:00Z", "2025-03-06T12:00:00Z"),
        ]
        hours = "SELECT day, hours FROM feed_days WHERE day IN ('2025-01-06', '2025-01-07', '2025-02-01') ORDER BY 1"
        assert ask(home, hours) == [("2025-01-06", 12.0), ("2025-01-07", 24.0)]

    def test_what_comes_later_mends_a_hole(self, home: Path) -> None:
        imported(*(line(f"Item {n}", n) for n in (*range(20), *range(40, 60))))
        imported(*(line(f"Item {n}", n) for n in range(15, 45)))
        assert ask(home, self.INTERVALS) == [("Wire", "2025-01-06T12:00:00Z", "2025-03-06T12:00:00Z")]
        assert ask(home, "SELECT count(*), sum(hours) FROM feed_days WHERE hours > 0") == [(60, 59 * 24.0)]

    def test_parts_in_any_order_cover_the_same(self, home: Path) -> None:
        lines = [line(f"Item {n}", n * 0.7, source=f"S{n % 2}") for n in range(120)]
        found = []
        for parts in ((lines[:60], lines[60:]), (lines[60:], lines[:60]), (lines[::2], lines[1::2])):
            for part in parts:
                imported(*part)
            found.append(ask(home, self.INTERVALS))
            (home / "signals.db").unlink()
        assert found[0] == found[1] == found[2]

    def test_what_polls_cover_is_left_as_it_is(self, home: Path) -> None:
        stored(home, "https://wire.example", ["Live"])
        for _ in range(2):
            imported(*(line(f"Item {n}", n - 5) for n in range(11)))
            assert ask(home, "SELECT since, until, opened < '2025-02' FROM exposures ORDER BY since") == [
                ("2025-01-01T12:00:00Z", "2025-01-06T12:00:00Z", 0),
                ("2025-01-06T12:00:00Z", "2025-01-08T12:00:00Z", 1),
                ("2025-01-08T12:00:00Z", "2025-01-11T12:00:00Z", 0),
            ]


async def test_an_archives_source_survives_a_new_configuration(store: Store) -> None:
    now = BEGIN + 400 * DAY
    feeds = await store.source_feeds(["Wire", "wire", "Blog"], now)
    assert feeds["Wire"] == feeds["wire"] != feeds["Blog"]
    await store.sync_feeds([FeedSpec("Wire", "https://wire.example/feed")], now)
    assert await store.source_feeds(["WIRE", "blog"], now) == {"WIRE": feeds["Wire"], "blog": feeds["Blog"]}
    assert [feed.name for feed in await store.due_feeds(now)] == ["Wire"]
