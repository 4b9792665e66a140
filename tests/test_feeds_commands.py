"""`monitor feeds ...` as a user types it, against a local server."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.cli.feeds import COMMANDS
from monitor.cli.feeds_words import ago, ahead, interval
from monitor.config import FeedSettings, load, starter_text
from monitor.feeds.opml import read_opml
from monitor.instance import only_instance, running_process
from monitor.wiring import utc_now
from storage.store import Store
from tests.builders import NOW, entry, feed_in, past_first_answer, poll
from tests.feeds.server import Site, ok, serving
from tests.world import SURE

TOPICS = ("efficiency", "capex", "geopolitics")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as running:
        yield running


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ("feeds", *arguments), input=stdin)


async def beside(*arguments: str) -> Result:
    """Run a command in a thread, so that the server can answer meanwhile."""
    return await asyncio.to_thread(run, *arguments)


def configure(*feeds: str, site: Site | None = None) -> str:
    """Write a feeds.yaml with these feeds, each as lines; return its text."""
    head = f'# Mine\nfetch: {{allow: ["127.0.0.1:{site.port}"]}}\n' if site else "# Mine\n"
    text = head + "feeds:\n" + "".join(f"  - {feed}\n" for feed in feeds)
    Path("feeds.yaml").write_text(text)
    return text


def written() -> str:
    return Path("feeds.yaml").read_text()


def loaded() -> tuple[FeedSettings, ...]:
    return load(Path("feeds.yaml"), TOPICS).feeds


def wire(number: int = 1, **more: str) -> str:
    pairs = {"name": f"Wire {number}", "url": f"https://wire{number}.example/feed", **more}
    return "\n    ".join(f"{key}: {value}" for key, value in pairs.items())


def at(site: Site, path: str, name: str = "Local") -> str:
    return f"name: {name}\n    url: {site.url(path)}"


def rss(*titles: str, title: str = "Chip Wire", age: timedelta | None = timedelta(hours=3)) -> bytes:
    date = f"<pubDate>{format_datetime(utc_now() - age)}</pubDate>" if age else ""
    items = "".join(
        f"<item><title>{one}</title><link>https://x.example/{i}</link>{date}</item>" for i, one in enumerate(titles)
    )
    return ok(
        f'<rss version="2.0"><channel><title>{title}</title><language>en</language>{items}</channel></rss>'.encode()
    )


def page(*links: str) -> bytes:
    head = "".join(f'<link rel="alternate" type="application/rss+xml" title="T{link}" href="{link}">' for link in links)
    return ok(f"<!doctype html><html><head><title>Site</title>{head}</head><body>Hello</body></html>".encode())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 200


class TestSwitching:
    def test_a_feed_is_paused_and_resumed(self) -> None:
        text = configure(wire(1), wire(2))
        assert "paused 'Wire 2' in feeds.yaml\nno monitor is running here" in run("pause", "wire 2").output
        assert [feed.enabled for feed in loaded()] == [True, False]
        assert run("pause", "Wire 2").output == "'Wire 2' is paused already\n"
        assert run("resume", "Wire 2").exit_code == 0
        assert written() == text

    def test_a_feed_is_removed_and_its_items_stay(self) -> None:
        text = configure(wire(1), wire(2))
        assert "removed 'Wire 1' from feeds.yaml; its items stay in the database" in run("remove", "Wire 1").output
        assert written() == text.replace(f"  - {wire(1)}\n", "")

    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ("Wire", "several feeds in feeds.yaml are called so: 'Wire 1', 'Wire 2'; write the whole name"),
            ("Wier 1", "there is no feed 'Wier 1' in feeds.yaml; did you mean 'Wire 1'"),
            ("zzzzz", "`monitor feeds list` shows them"),
            ("", "there is no feed ''"),
        ],
    )
    def test_a_name_that_could_be_several_or_none_changes_nothing(self, typed: str, message: str) -> None:
        text = configure(wire(1), wire(2))
        result = run("remove", typed)
        assert result.exit_code == 2
        assert message in result.output
        assert written() == text

    def test_the_beginning_of_one_name_is_enough(self) -> None:
        configure(wire(1), wire(2), "name: Desk\n    url: https://desk.example/")
        assert "'Desk'" in run("pause", "de").output


class TestTheRunningMonitor:
    @pytest.fixture
    def hung_up(self) -> Iterator[list[int]]:
        heard: list[int] = []
        before = signal.signal(signal.SIGHUP, lambda number, _frame: heard.append(number))
        yield heard
        signal.signal(signal.SIGHUP, before)

    def test_a_daemon_is_told(self, home: Path, hung_up: list[int]) -> None:
        configure(wire(1), wire(2))
        with only_instance(home / "signals.db", reloads=True):
            assert f"the running monitor (process {os.getpid()}) takes it over" in run("pause", "Wire 1").output
        assert hung_up == [signal.SIGHUP]

    def test_a_command_that_only_works_on_the_database_is_left_alone(self, home: Path, hung_up: list[int]) -> None:
        configure(wire(1), wire(2))
        with only_instance(home / "signals.db"):
            assert "no monitor is running here" in run("pause", "Wire 1").output
        assert hung_up == []

    def test_what_a_crash_left_behind_is_no_monitor(self, home: Path) -> None:
        with only_instance(home / "signals.db", reloads=True):
            left = (home / "signals.db.pid").read_text()
            assert running_process(home / "signals.db") == os.getpid()
        (home / "signals.db.pid").write_text(left)  # its number may be another program's by now
        assert running_process(home / "signals.db") is None

    def test_a_monitor_in_a_container_is_none_of_ours(self, home: Path) -> None:
        with only_instance(home / "signals.db", reloads=True):
            (home / "signals.db.pid").write_text("1 another-machine reloads\n")
            assert running_process(home / "signals.db") is None


class TestList:
    def test_it_shows_feeds_that_were_never_polled(self) -> None:
        configure(wire(1, kind="press", every="1h"), wire(2, enabled="false"))
        result = run("list")
        assert "nothing has been polled yet" in result.output
        rows = [line.split() for line in result.output.splitlines() if "Wire" in line]
        assert rows == [
            ["Wire", "1", "press", "new", "1h", "*", "https://wire1.example/feed"],
            ["Wire", "2", "paused", "https://wire2.example/feed"],
        ]

    async def test_it_shows_how_feeds_are(self, home: Path) -> None:
        with Store(home / "signals.db") as store:
            feed = await past_first_answer(store, await feed_in(store, "Wire 1"))
            await store.save_poll(poll(feed, entry("A", NOW - timedelta(hours=5))), NOW)
            await feed_in(store, "Old")
            await store.save_poll(poll(await feed_in(store, "Down"), error="HTTP 500"), NOW)
        configure("name: Wire 1\n    url: https://moved.example/feed", "name: Down\n    url: https://down.example/feed")
        told = {row["name"]: row for row in json.loads(run("list", "--format", "json", "--all").output)}
        assert told["Wire 1"]["newest"] == "2026-11-23T09:00:00Z"
        assert told["Wire 1"]["items"] == 1
        assert told["Down"]["error"] == "HTTP 500"
        assert told["Old"]["state"] == "removed"
        assert "Old" not in run("list").output


class TestAdd:
    async def test_a_feed_is_tried_and_written(self, site: Site) -> None:
        text = configure(wire(1, kind="press"), wire(2), site=site)
        site.pages["/feed"] = rss(SURE, "A recipe for apple cake")
        result = await beside("add", site.url(), "--yes", "--kind", "press", "--every", "90m")
        assert result.exit_code == 0
        assert f"Chip Wire\n{site.url()}\nlanguage en, 2 entries, the newest 3 h ago\n" in result.output
        first, second = (line for line in result.output.splitlines() if "20" in line[:3])
        assert "efficiency" in first
        assert second.split()[-1] == "none"
        new = f"  - name: Chip Wire\n    url: {site.url()}\n    kind: press\n    every: 90m\n"
        assert written() == text.replace(f"  - {wire(2)}", f"{new}  - {wire(2)}")

    async def test_the_feed_of_a_page_is_found(self, site: Site) -> None:
        configure(wire(1), site=site)
        site.pages |= {"/": page("/comments/feed", "/a", "/b"), "/a": ok(b"<html>"), "/b": rss("B")}
        result = await beside("add", site.url("/"), "--yes", "--name", "Mine")
        assert "the page names 3 feeds; taking the first that can be read" in result.output
        assert loaded()[1].url == site.url("/b")

    async def test_the_usual_places_are_tried(self, site: Site) -> None:
        configure(wire(1), site=site)
        site.pages |= dict.fromkeys(("/", "/feed", "/rss.xml"), page()) | {"/atom.xml": rss("C")}
        result = await beside("add", site.url("/"), "--yes")
        assert "names no feed; trying the usual addresses" in result.output
        assert loaded()[1].url == site.url("/atom.xml")

    async def test_a_site_without_a_feed_is_told(self, site: Site) -> None:
        text = configure(wire(1), site=site)
        site.pages |= dict.fromkeys(("/", "/feed", "/rss.xml", "/atom.xml", "/index.xml", "/feed.xml"), page())
        result = await beside("add", site.url("/"), "--yes")
        assert result.exit_code == 1
        assert f"no feed was found at {site.url('/')}" in result.output
        assert written() == text

    async def test_a_permanent_move_is_followed(self, site: Site) -> None:
        configure(wire(1), site=site)
        site.pages["/old"] = b"HTTP/1.1 301 Moved\r\nLocation: /feed\r\nContent-Length: 0\r\n\r\n"
        site.pages["/feed"] = rss("A")
        result = await beside("add", site.url("/old"), "--yes")
        assert f"(moved for good from {site.url('/old')})" in result.output
        assert loaded()[1].url == site.url("/feed")

    async def test_the_first_feed_of_an_empty_list_is_added(self, site: Site) -> None:
        configure(site=site)
        site.pages["/feed"] = rss("A")
        assert (await beside("add", site.url(), "--yes")).exit_code == 0
        assert [feed.name for feed in loaded()] == ["Chip Wire"]

    async def test_an_own_title_that_is_taken_needs_a_name(self, site: Site) -> None:
        configure(wire(1).replace("Wire 1", "chip wire"), site=site)
        site.pages["/feed"] = rss("A")
        result = await beside("add", site.url(), "--yes")
        assert result.exit_code == 2
        assert "has another feed called 'chip wire' (https://wire1.example/feed); choose a name" in result.output

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("http://wire1.example/feed/",), "feeds.yaml has this feed already, as 'Wire 1'"),
            (("https://wire2.example/feed",), "as 'Wire 2' (paused; `monitor feeds resume`"),
            (("https://new.example/", "--name", "WIRE 1"), "another feed called 'Wire 1'"),
            (("https://new.example/", "--lang", "english"), "--lang: should match"),
            (("https://new.example/", "--every", "0s"), "--every: "),
            (("https://new.example/", "--name", ""), "--name: should have at least 1"),
            (("ftp://new.example/",), "URL: write a whole web address"),
            (("https://me:secret@new.example/",), "URL: an address must not carry"),
        ],
    )
    def test_what_cannot_be_is_refused_before_anybody_is_asked(self, arguments: tuple[str, ...], message: str) -> None:
        text = configure(wire(1), wire(2, enabled="false"))
        result = run("add", "--yes", *arguments)
        assert result.exit_code == 2
        assert message in result.output
        assert written() == text

    def test_without_a_terminal_it_needs_a_yes(self) -> None:
        configure(wire(1))
        result = run("add", "https://new.example/")
        assert result.exit_code == 2
        assert "with --yes nothing is asked" in result.output

    async def test_a_private_address_is_refused_with_what_to_do(self, site: Site) -> None:
        configure(wire(1))
        result = await beside("add", site.url(), "--yes")
        assert result.exit_code == 1
        assert "fetch.allow" in result.output

    async def test_on_a_terminal_it_asks(self, home: Path, site: Site) -> None:
        text = configure(wire(1), site=site)
        site.pages |= {"/": page("/a", "/b"), "/b": rss("B", title="Of B")}
        control, terminal = pty.openpty()
        os.write(control, b"2\nn\n")
        command = [sys.executable, "-m", "monitor", "feeds", "add", site.url("/")]
        shown = await asyncio.to_thread(subprocess.run, command, stdin=terminal, capture_output=True, text=True)
        os.close(control)
        os.close(terminal)
        assert shown.returncode == 0, shown.stderr
        assert "the page names 2 feeds:" in shown.stdout
        assert "Of B" in shown.stdout
        assert shown.stdout.endswith("nothing was written\n")
        assert written() == text


class TestCheck:
    async def test_every_feed_gets_its_advice(self, home: Path, site: Site) -> None:
        hour = timedelta(hours=1)
        site.pages |= {
            "/good": rss("A", "B", age=hour),
            "/old": rss("A", age=timedelta(days=40)),
            "/undated": rss("A", age=None),
            "/empty": rss(),
            "/page": page(),
            "/gone": ok(b"", status=b"410 Gone"),
            "/lost": ok(b"", status=b"404 Not Found"),
            "/moved": b"HTTP/1.1 308 Moved\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n",
        }
        configure(*(at(site, path, path[1:]) for path in site.pages), site=site)
        result = await beside("check")
        rows = {line.split()[0]: line for line in result.output.splitlines() if line.startswith(" ") and line.strip()}
        expected = {
            "good": ("ok", ""),
            "old": ("ok", "nothing newer than 30d"),
            "undated": ("ok", "its entries carry no dates"),
            "empty": ("ok", "it has no entries"),
            "page": ("content", "looks for the feed of the page"),
            "gone": ("410", "the site means it"),
            "lost": ("404", "look for its new address"),
            "moved": ("ok", f"it moved for good: write url: {site.url('/good')}"),
        }
        assert {name: (rows[name].split()[1], advice in rows[name]) for name, (_, advice) in expected.items()} == {
            name: (status, True) for name, (status, _) in expected.items()
        }
        assert result.output.splitlines()[-1].startswith(
            "8 feeds: 5 ok (4 with advice), 3 failed (1 content, 1 410, 1 404)"
        )
        assert result.exit_code == 1
        assert not (home / "signals.db").exists()

    async def test_chosen_feeds_as_json(self, site: Site) -> None:
        site.pages["/good"] = rss("A", "B")
        configure(at(site, "/good", "Good"), at(site, "/bad", "Bad"), wire(3, enabled="false"), site=site)
        result = await asyncio.to_thread(
            lambda: CliRunner().invoke(main, ("feeds", "check", "good", "--format", "json"))
        )
        assert result.exit_code == 0
        (told,) = json.loads(result.stdout)
        assert (told["feed"], told["ok"], told["status"], told["entries"]) == ("Good", True, 200, 2)
        assert result.stderr.startswith("1 feed: 1 ok; ")

    async def test_a_slow_feed_is_given_up(self, site: Site) -> None:
        async def silence(_writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(30)

        site.pages["/feed"] = silence
        configure(at(site, "/feed"), site=site)
        result = await beside("check", "--timeout", "0.2s")
        assert result.exit_code == 1
        assert "timeout" in result.output

    def test_a_senseless_timeout_is_refused(self) -> None:
        configure(wire(1))
        assert "--timeout: write a duration from 0.1s to 10m" in run("check", "--timeout", "1d").output

    async def test_offline_it_says_so_once(self, site: Site) -> None:
        silent = Site(port=9)
        configure(at(silent, "/a", "A"), at(silent, "/b", "B"), site=silent)
        result = await beside("check")
        assert result.exit_code == 1
        assert result.output.startswith("none of 2 feeds could be reached: this machine seems to be offline")
        assert len(result.output.splitlines()) == 1


class TestExchange:
    def test_what_is_exported_can_be_imported(self) -> None:
        Path("feeds.yaml").write_text(starter_text())
        before = loaded()
        assert run("pause", "EE Times").exit_code == 0
        assert f"wrote {len(before)} feeds to mine.opml" in run("export", "mine.opml").output
        Path("feeds.yaml").write_text("feeds: []\n")
        result = run("import", "mine.opml")
        assert f"added {len(before)} feeds to feeds.yaml\n" in result.output
        after = loaded()
        assert {(f.name, f.url, f.kind, f.lang) for f in after} == {(f.name, f.url, f.kind, f.lang) for f in before}
        assert [feed.name for feed in after if not feed.enabled] == ["EE Times"]

    def test_each_line_that_is_left_out_is_named(self) -> None:
        text = configure(wire(1))
        lines = [
            "<opml version='2.0'><body>",
            "<outline text='Same' xmlUrl='http://wire1.example/feed/'/>",
            "<outline text='File' xmlUrl='file:///etc/passwd'/>",
            "<outline text='Press'><outline text='Wire 1' xmlUrl='https://new.example/1'/></outline>",
            "<outline text='Twice' xmlUrl='https://new.example/1'/>",
            "<outline xmlUrl='https://new.example/2'/>",
            "</body></opml>",
        ]
        result = run("import", "-", stdin="\n".join(lines))
        assert result.exit_code == 0
        assert result.output.splitlines()[:4] == [
            "standard input:2: 'Same': its address is there already, as 'Wire 1'",
            "standard input:3: 'File': url: write a whole web address, such as https://example.org/feed.xml",
            "standard input:5: 'Wire 1': its address is there already, as 'Wire 1 (2)'",
            "added 2 feeds to feeds.yaml (2 there already, 1 refused)",
        ]
        new = "  - name: Wire 1 (2)\n    url: https://new.example/1\n    kind: Press\n"
        new += "  - name: new.example\n    url: https://new.example/2\n"
        assert written() == text + new

    def test_a_trial_writes_nothing(self) -> None:
        text = configure(wire(1))
        Path("mine.opml").write_text("<opml><outline text='New' xmlUrl='https://new.example/'/></opml>")
        result = run("import", "mine.opml", "--dry-run")
        assert "https://new.example/" in result.output
        assert result.output.endswith("1 feed would be added; nothing was written\n")
        assert written() == text
        assert sorted(path.name for path in Path().iterdir()) == ["feeds.yaml", "mine.opml"]

    @pytest.mark.parametrize(
        ("document", "code", "message"),
        [
            (b"nonsense", 2, "mine.opml: it is no OPML"),
            (b"<opml><outline text='A' xmlUrl='gopher://a'/></opml>", 1, "mine.opml:1: 'A': url: write a whole web"),
            (
                b"<opml><outline text='A' xmlUrl='https://wire1.example/feed'/></opml>",
                0,
                "nothing to add (1 there already)",
            ),
        ],
    )
    def test_nothing_to_add(self, document: bytes, code: int, message: str) -> None:
        configure(wire(1))
        Path("mine.opml").write_bytes(document)
        result = run("import", "mine.opml")
        assert result.exit_code == code
        assert message in result.output

    def test_the_list_goes_to_standard_output(self) -> None:
        configure(wire(1, kind="press"), wire(2, enabled="false"))
        found = read_opml(run("export").stdout_bytes)
        assert [(one.name, one.kind, one.paused) for one in found] == [
            ("Wire 1", "press", False),
            ("Wire 2", None, True),
        ]


@pytest.mark.parametrize(
    ("age", "said"),
    [(0, "just now"), (300, "5 min ago"), (7200, "2 h ago"), (3 * 86400, "3 d ago"), (-7200, "2 h ahead")],
)
def test_ages_are_said_in_words(age: int, said: str) -> None:
    moment: datetime = NOW - timedelta(seconds=age)
    assert ago(moment, NOW) == said


def test_times_ahead_and_intervals_are_said_in_words() -> None:
    assert [ahead(NOW + timedelta(minutes=m), NOW) for m in (-5, 1, 90, 600)] == [
        "now",
        "in 1 min",
        "in 90 min",
        "in 10 h",
    ]
    assert [interval(timedelta(seconds=s)) for s in (30, 900, 5423, 86400)] == ["30s", "15m", "90 min", "1d"]
