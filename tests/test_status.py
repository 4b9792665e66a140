"""`monitor status` and `healthcheck`: how the feeds are, in words that help."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.errors import ChannelError
from monitor.wiring import utc_now
from storage.alert_records import Raised, Retry, Sent
from storage.feed_records import FeedSpec, FeedState, NextPoll
from storage.store import Store
from tests.builders import feed_now, finding, poll, unchanged

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


async def alerts(home: Path, *raised: Raised, ago: timedelta = HOUR, **outcomes: ChannelError | None) -> None:
    """Raise alerts so long ago, and send them at once, with these outcomes by channel (None: taken)."""
    now = utc_now()
    with Store(home / "signals.db") as store:
        await store.save_judgement([], raised, [], 0, now - ago)
        for channel, error in outcomes.items():
            for delivery in await store.due_deliveries(channel, now):
                retry = Retry(now + HOUR if error and error.retry else None, str(error))
                await store.begin_attempt(delivery, retry)
                if error is None:
                    await store.mark_sent(delivery, Sent(), now)
                else:
                    await store.mark_failed(delivery, retry, now)


PUT_OFF, REFUSED = ChannelError("mail.example did not answer"), ChannelError("no_service: make a new one", retry=False)


def told(number: int, **fields: Any) -> Raised:
    return Raised(replace(finding(f"surge:{number}"), headline=f"Headline {number}", **fields))


class TestAlerts:
    @pytest.fixture(autouse=True)
    async def well(self, home: Path) -> None:
        (home / "feeds.yaml").write_text(
            "channels: {desk: {type: console}}\nfeeds:\n  - {name: Wire, url: 'https://wire.example/feed'}\n"
        )
        await feeds(home, Wire="ok")

    def shown(self) -> str:
        result = run("status")
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    async def test_what_lasts_what_waits_and_what_is_silenced(self, home: Path) -> None:
        until = utc_now() + 2 * HOUR
        waits = [Raised(finding(f"quiet:{n}"), "held", until, "quiet hours") for n in range(3)]
        await alerts(home, told(1, phase="start"), *waits)
        with Store(home / "signals.db") as store:
            await store.add_silence("surge", None, until, "a conference", utc_now())
        shown = self.shown()
        assert re.search(r"Alerts that last .* warning surge efficiency Headline 1", shown)
        assert f"surge quiet hours 3 {until:%Y-%m-%dT%H:%M:%SZ}" in shown
        assert re.search(r"Silenced: .* surge .* a conference", shown)

    async def test_where_nothing_of_that_is_so_nothing_is_said(self, home: Path) -> None:
        await alerts(home, told(1), desk=None)
        shown = self.shown()
        for part in ("last (", "wait", "Silenced", "arrived", "channel"):
            assert part not in shown

    async def test_a_channel_that_takes_no_messages(self, home: Path) -> None:
        await alerts(home, told(1), told(2), ago=3 * HOUR, desk=PUT_OFF)
        shown = self.shown()
        assert "channel 'desk' takes no messages, since the first that failed 3 h ago (2 waiting)" in shown
        assert "mail.example did not answer `monitor alerts test desk` tries it; what waits is sent by itself" in shown

    async def test_after_an_outage_not_every_message_is_listed(self, home: Path) -> None:
        await alerts(home, *map(told, range(50)))
        assert "and 30 more" in self.shown()

    @pytest.mark.parametrize(
        ("ago", "error", "healthy"),
        [
            pytest.param(HOUR, PUT_OFF, True, id="that was put off for a while"),
            pytest.param(7 * HOUR, PUT_OFF, False, id="that is put off for too long"),
            pytest.param(HOUR, REFUSED, False, id="that was given up"),
            pytest.param(5 * DAY, None, True, id="that was taken"),
        ],
    )
    async def test_the_healthcheck_fails_for_a_message(
        self, home: Path, ago: timedelta, error: ChannelError | None, *, healthy: bool
    ) -> None:
        await alerts(home, told(1), ago=ago, desk=error)
        result = run("healthcheck")
        assert result.exit_code == (0 if healthy else 1)
        if not healthy:
            since = utc_now() - ago
            assert f"channel 'desk' has not taken a message since {since:%Y-%m-%dT%H:}" in result.output
            assert str(error) in result.output

    async def test_a_later_message_that_was_taken_ends_it(self, home: Path) -> None:
        await alerts(home, told(1), ago=9 * HOUR, desk=REFUSED)
        await alerts(home, told(2), desk=None)
        assert run("healthcheck").exit_code == 0

    async def test_a_channel_that_is_gone_from_the_configuration_does_not_count(self, home: Path) -> None:
        await alerts(home, told(1), ago=9 * HOUR, desk=REFUSED)
        (home / "feeds.yaml").write_text("feeds:\n  - {name: Wire, url: 'https://wire.example/feed'}\n")
        assert run("healthcheck").exit_code == 0


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
