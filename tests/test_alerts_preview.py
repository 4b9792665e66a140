"""`monitor alerts preview RULE`: what a rule would send now, and how often it would have found something."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.wiring import utc_now
from storage import reading
from storage.alert_records import Raised, Silence
from storage.records import Trend
from storage.store import Store
from tests.alerts.sample import TREND
from tests.builders import MODEL, entry, feed_in, finding, past_first_answer, poll, tag, tell

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HEAD = "feeds:\n  - {name: Wire, url: 'https://wire.example/feed', kind: press}\nchannels: {desk: {type: console}}\n"
SURGE = "{name: surge, rule: trend, topics: [efficiency]}"
MATCH = "{name: Chips, rule: match, topics: [geopolitics], words: {any: [chip*]}}"
OVERBUILD = "{name: overbuild, rule: compound, all: [{rises: efficiency}, {falls: capex}]}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    Store(tmp_path / "signals.db").close()
    return tmp_path


def preview(rule: str, *arguments: str, head: str = "") -> Result:
    """Preview a rule, the only one of its configuration. Nothing may be stored by that."""
    Path("feeds.yaml").write_text(f"{head}{HEAD}alerts:\n  - {rule}\n")
    name = rule.removeprefix("{name: ").partition(",")[0]
    before = stored()
    result = CliRunner().invoke(main, ["alerts", "preview", name, *arguments])
    assert stored() == before
    return result


def stored() -> list[tuple[Any, ...]]:
    counts = "SELECT (SELECT count(*) FROM alerts), (SELECT count(*) FROM deliveries), (SELECT count(*) FROM trends)"
    return reading.ask(Path("signals.db"), counts).rows


def flat(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def looked(*trends: Trend) -> None:
    """Store looks of just now."""

    async def store_them() -> None:
        with Store(Path("signals.db")) as store:
            await store.save_judgement(trends, [], [], 0, utc_now())

    asyncio.run(store_them())


def trend(topic: str = "efficiency", **fields: Any) -> Trend:
    now = utc_now()
    return replace(TREND, topic=topic, evaluated=now, window_start=now - DAY, window_end=now, since=now, **fields)


def calm(topic: str = "efficiency") -> Trend:
    return trend(topic, state="normal", observed=6, per_year=42.0, way=None, episode=None, alarmed=None)


def unusual() -> Trend:
    now = utc_now()
    return trend(episode=now, alarmed=now)


async def news(*items: tuple[str, datetime]) -> None:
    """Store items about geopolitics, each a story of its own, as they came: title, and when."""
    with Store(Path("signals.db")) as store:
        feed = await feed_in(store)
        await store.save_thresholds({"geopolitics": MODEL}, {"geopolitics": 0.5}, utc_now())
        await past_first_answer(store, feed)
        for title, seen in items:
            known = next(one for one in await store.all_feeds() if one.name == "Wire")
            await store.save_poll(poll(known, entry(title, seen - HOUR)), seen)
        await tag(store, geopolitics=0.9)
        await tell(store)


class TestTrend:
    def test_a_topic_that_is_unusual_now_would_be_told(self) -> None:
        looked(unusual(), calm("capex"))
        shown = flat(preview(SURGE))
        assert "now: Efficiency news ×4.6 since" in shown
        assert "would be told at once" in shown
        assert "The message, as of now:" in shown
        assert "capex" not in shown

    def test_of_a_calm_one_it_shows_how_far_it_is_and_a_message_as_if(self) -> None:
        looked(calm())
        shown = flat(preview(SURGE))
        assert "efficiency normal 6 5 42 2" in shown
        assert "now: nothing" in shown
        assert "The message, as if efficiency were unusual now:" in shown
        assert "6 stories, 5.0 expected" in shown

    def test_before_the_first_look_there_is_nothing_to_show(self) -> None:
        assert "there is no message to show" in flat(preview(SURGE))

    @pytest.mark.parametrize(
        ("rule", "head", "fate"),
        [
            (SURGE, "quiet: ['00:00-24:00']\n", "would be held until"),
            (
                SURGE.replace("trend,", "trend, severity: critical,"),
                "quiet: ['00:00-24:00']\n",
                "would be told at once",
            ),
        ],
        ids=["quiet hours hold it", "but not what is critical"],
    )
    def test_what_would_become_of_it(self, rule: str, head: str, fate: str) -> None:
        looked(unusual())
        assert fate in flat(preview(rule, head=head))

    def test_what_is_silenced_would_only_be_recorded(self) -> None:
        looked(unusual())

        async def silence() -> Silence:
            with Store(Path("signals.db")) as store:
                return await store.add_silence("surge", None, utc_now() + HOUR, "known", utc_now())

        asyncio.run(silence())
        assert "would only be recorded (silenced)" in flat(preview(SURGE))

    def test_what_was_told_already_is_not_told_again(self) -> None:
        looked(unusual())
        first = preview(SURGE)
        assert "would be told at once" in first.stdout
        key = f"surge:efficiency:rise:{reading.ask(Path('signals.db'), 'SELECT episode FROM trends').rows[0][0]}"

        async def told() -> None:
            with Store(Path("signals.db")) as store:
                start = replace(finding(key.replace("Z", "+00:00")), phase="start")
                await store.save_judgement([], [Raised(start)], [], 0, utc_now())

        asyncio.run(told())
        assert "is known already, and not told again" in flat(preview(SURGE))


class TestMatch:
    async def test_stories_of_the_last_day_week_and_month_are_counted_and_the_newest_shown(self) -> None:
        now = utc_now()
        await news(
            ("Chips of long ago", now - 40 * DAY),
            ("Chips of a month", now - 20 * DAY),
            ("Chip news of a week", now - 3 * DAY),
            ("Something else", now - 3 * DAY),
            ("Chipmakers of today", now - 3 * HOUR),
        )
        result = await asyncio.to_thread(preview, MATCH)
        shown = flat(result)
        assert "it would have found: 1 in the last day, 2 in the last week, 3 in the last month" in shown
        assert "Chipmakers of today" in shown
        assert "Something else" not in shown

    @pytest.mark.parametrize(("kind", "found"), [("press", 1), ("policy", 0)])
    async def test_feeds_are_of_the_kinds_that_the_configuration_says(self, kind: str, found: int) -> None:
        await news(("Chips", utc_now() - 3 * HOUR))
        rule = MATCH.replace("topics:", f"kinds: [{kind}], topics:")
        result = await asyncio.to_thread(preview, rule)
        assert f"it would have found: {found} in the last day" in flat(result)

    async def test_where_nothing_matched_it_says_so(self) -> None:
        await news(("Something else", utc_now() - 3 * DAY))
        shown = flat(await asyncio.to_thread(preview, MATCH))
        assert "0 in the last day, 0 in the last week, 0 in the last month" in shown
        assert "there is no message to show" in shown


class TestOtherKinds:
    def test_compound_as_if_all_of_it_held(self) -> None:
        looked(calm(), calm("capex"))
        shown = flat(preview(OVERBUILD))
        assert "now: nothing" in shown
        assert "The message, as if all of its conditions held now:" in shown
        assert "Efficiency rises while capex falls" in shown

    def test_compound_that_waits_for_another_rule(self) -> None:
        looked(calm())
        rule = "{name: both, rule: compound, all: [{rises: efficiency}, {alert: never}]}"
        other = "\n  - {name: never, rule: match, topics: [capex]}"
        shown = flat(preview(rule + other))
        assert "Efficiency rises while rule “never” alerted" in shown

    def test_compound_that_holds_now(self) -> None:
        now = utc_now()
        looked(unusual(), trend("capex", state="falling", way="fall", episode=now, alarmed=now))
        assert "now: Efficiency rises while capex falls" in flat(preview(OVERBUILD))

    def test_query_asks_now_and_shows_the_rows(self) -> None:
        looked(calm())
        rule = "{name: calm, rule: query, sql: \"SELECT topic, state FROM trends_latest WHERE state = 'normal'\"}"
        shown = flat(preview(rule))
        assert "topic state" in shown
        assert "efficiency normal" in shown
        assert "now: calm: 1 row" in shown
        assert "alerts it raised: 0 in the last day" in shown

    def test_query_that_finds_nothing(self) -> None:
        assert "now: nothing" in flat(preview("{name: none, rule: query, sql: SELECT topic FROM trends_latest}"))

    def test_silence_shows_what_it_watches(self) -> None:
        rule = (
            "{name: stream, rule: silence, no_items: 1d, no_answer: 2h, failing: 50, channels: 1h, feeds: {Wire: 2d}}"
        )
        shown = flat(preview(rule))
        for part in (
            "newest item never 1d",
            "last good answer of a feed never 2h",
            "feeds that fail 0 of 0 50%",
            "news of Wire never 2d",
            "channels that take no messages none 1h",
        ):
            assert part in shown

    def test_digest_as_if_it_were_due(self) -> None:
        looked(calm())
        shown = flat(preview("{name: morning, rule: digest}"))
        assert "The message, as if it were due now: since" in shown
        assert "digest" in shown

    def test_feeds_that_are_well(self) -> None:
        assert "now: nothing" in flat(preview("{name: trouble, rule: feeds}"))


class TestForms:
    def test_standard_output_is_for_the_program_that_reads_it(self, home: Path) -> None:
        looked(unusual())
        result = preview(SURGE, "--slack", "--html", "mail.html")
        assert json.loads(result.stdout)["blocks"]
        assert "now: Efficiency news" in result.stderr
        assert "<html" in (home / "mail.html").read_text()

    def test_a_rule_that_does_not_exist(self) -> None:
        Path("feeds.yaml").write_text(f"{HEAD}alerts: [{SURGE}]\n")
        result = CliRunner().invoke(main, ["alerts", "preview", "serge"])
        assert result.exit_code == 2
        assert "did you mean 'surge'?" in result.stderr
