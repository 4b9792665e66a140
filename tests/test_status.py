"""`monitor status` and `healthcheck`: how the feeds are, in words that help."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.wiring import utc_now
from storage.feed_records import FeedSpec, FeedState, NextPoll
from storage.store import Store
from tests.builders import feed_now, poll, unchanged

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a configuration, and work in it."""
    (tmp_path / "feeds.yaml").write_text("feeds:\n  - {name: Wire, url: 'https://wire.example/feed'}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


async def feeds(home: Path, **states: FeedState) -> None:
    """Store feeds with these states, since two days ago."""
    now = utc_now()
    with Store(home / "signals.db") as store:
        await store.sync_feeds([FeedSpec(name, f"https://{name}.example/feed") for name in states], now)
        for name, state in states.items():
            if state == "new":
                continue
            feed = await feed_now(store, name)
            answer = unchanged(feed, now) if state in {"ok", "stale"} else poll(feed, error=f"{name} says no")
            after = NextPoll(None if state == "gone" else now + HOUR, state=state, state_since=now - 2 * DAY)
            await store.save_poll(replace(answer, next=after), now)


class TestStatus:
    async def test_feeds_are_counted_by_state_the_worst_first(self, home: Path) -> None:
        await feeds(home, A="ok", B="ok", C="stale", D="failing", E="blocked", F="gone", G="new")
        assert "7 feeds: 2 ok, 1 gone, 1 blocked, 1 failing, 1 stale, 1 not asked yet\n" in run("status").output

    async def test_those_in_trouble_are_listed_with_what_to_do(self, home: Path) -> None:
        await feeds(home, Fine="ok", Slow="stale", Dead="gone")
        shown = run("status").output
        assert "Fine" not in shown
        assert f"{utc_now() - 2 * DAY:%Y-%m-%dT%H}" in shown
        for part in (
            "no news yet",
            "Dead says no",
            "gone: its site says",
            "stale: it answers",
            "monitor feeds add SITE",
        ):
            assert part in shown
        assert "blocked:" not in shown

    async def test_all_of_them_are_shown_on_request(self, home: Path) -> None:
        await feeds(home, Fine="ok", Fresh="new")
        shown = run("status", "--all").output
        for part in ("Fine", "Fresh", "minutes", "per_day"):
            assert part in shown

    async def test_where_all_is_well_nothing_is_listed(self, home: Path) -> None:
        await feeds(home, Fine="ok")
        shown = run("status").output
        assert "1 feeds: 1 ok\n" in shown
        assert "Fine" not in shown


class TestHealthcheck:
    async def polled(self, home: Path, next_poll: timedelta, every: timedelta, age: timedelta) -> None:
        """Store a feed that answered so long ago, and was to be asked again after ``next_poll``."""
        then = utc_now() - age
        with Store(home / "signals.db") as store:
            await store.sync_feeds([FeedSpec("Wire", "https://wire.example/feed")], then)
            answer = replace(unchanged(await feed_now(store), then), next=NextPoll(then + next_poll, every=every))
            await store.save_poll(answer, then)

    @pytest.mark.parametrize(
        ("next_poll", "every", "age", "healthy"),
        [
            pytest.param(15 * MINUTE, 15 * MINUTE, 50 * MINUTE, True, id="within an hour a fast feed may be silent"),
            pytest.param(15 * MINUTE, 15 * MINUTE, 70 * MINUTE, False, id="but not longer"),
            pytest.param(8 * HOUR, 8 * HOUR, 23 * HOUR, True, id="a slow feed may be silent three intervals long"),
            pytest.param(8 * HOUR, 8 * HOUR, 25 * HOUR, False, id="but not for four"),
            pytest.param(DAY, 15 * MINUTE, 2 * DAY, True, id="a site may want to be asked seldom"),
        ],
    )
    async def test_how_long_all_may_be_silent_follows_from_their_own_pace(
        self, home: Path, next_poll: timedelta, every: timedelta, age: timedelta, *, healthy: bool
    ) -> None:
        await self.polled(home, next_poll, every, age)
        assert run("healthcheck").exit_code == (0 if healthy else 1)

    async def test_a_limit_of_the_users_counts_more(self, home: Path) -> None:
        await self.polled(home, DAY, DAY, HOUR)
        assert run("healthcheck", "--max-age", "30m").exit_code == 1

    async def test_a_feed_that_is_gone_sets_no_pace(self, home: Path) -> None:
        await feeds(home, Wire="gone")
        assert "no feed has answered yet" in run("healthcheck").output
