"""`monitor alerts ...` as a user types it, on a real database and against local servers."""

import asyncio
import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.cli.alerts import COMMANDS
from monitor.cli.alerts_testing import remedy
from monitor.errors import ChannelError
from monitor.instance import only_instance
from monitor.wiring import utc_now
from storage.alert_records import Finding, Raised, Retry, Sent
from storage.store import Store
from tests.alerts.servers import free_port, http, post, web
from tests.builders import finding

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
CONFIG = """
timezone: Europe/Berlin
feeds:
  - {name: Wire, url: "https://wire.example/feed"}
channels:
  desk: {type: console}
  team: {type: console}
alerts:
  - {name: surge, rule: trend, repeat: 1d}
  - {name: Export controls, rule: match, send: [team]}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    configure()
    return tmp_path


def configure(text: str = CONFIG) -> None:
    Path("feeds.yaml").write_text(text)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("alerts", *arguments))


async def beside(*arguments: str) -> Result:
    """Run a command in a thread, so that a server can answer meanwhile."""
    return await asyncio.to_thread(run, *arguments)


def surge(number: int = 1, **fields: Any) -> Finding:
    """Build the finding of an episode's start."""
    key = f"surge:efficiency:{number}"
    usual = {"phase": "start", "thread": key, "headline": f"Efficiency news {number}"}
    return replace(finding(key, "desk", "team"), **{**usual, **fields})


def match(number: int, **fields: Any) -> Finding:
    return replace(
        finding(f"Export controls:story:{number}", "team"),
        **{"rule": "Export controls", "kind": "match", "topic": "geopolitics", "headline": f"Story {number}", **fields},
    )


def raised(*found: Raised, ago: timedelta = HOUR) -> None:
    """Store alerts, as if they had been raised so long ago."""

    async def store_them() -> None:
        with Store(Path("signals.db")) as store:
            await store.save_judgement([], found, [], 0, utc_now() - ago)

    asyncio.run(store_them())


def flat(text: str) -> str:
    """Return what a table says, however its cells are broken."""
    return " ".join(text.split())


def listed(*arguments: str) -> list[dict[str, Any]]:
    result = run("list", "--format", "json", *arguments)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def rows_of(sql: str) -> list[tuple[Any, ...]]:
    from storage import reading

    return reading.ask(Path("signals.db"), sql).rows


class TestEveryCommand:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_it_explains_itself(self, name: str) -> None:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) > 5

    @pytest.mark.parametrize(
        "arguments",
        [
            ("list",),
            ("show", "1"),
            ("ack", "1"),
            ("resend", "1"),
            ("silence", "surge", "--for", "2h"),
            ("unsilence", "surge"),
            ("silences",),
            ("preview", "surge"),
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_without_a_database_it_says_so_and_makes_none(self, home: Path, arguments: tuple[str, ...]) -> None:
        result = run(*arguments)
        assert result.exit_code == 4
        assert "there is no database" in result.output
        assert not (home / "signals.db").exists()

    def test_mistakes_of_the_configuration_come_first(self) -> None:
        configure("feeds: []\n")
        assert run("list").exit_code == 2


class TestList:
    def test_the_newest_first_with_what_became_of_each(self) -> None:
        until = (utc_now() + 3 * HOUR).replace(second=0)
        raised(
            Raised(surge(1)),
            Raised(surge(2), "held", until, "quiet hours"),
            Raised(match(1), "muted", why="told by 'surge': Efficiency news 1"),
            Raised(match(2), "silenced", why="silenced until Mon 08:00: too many"),
        )
        raised(Raised(match(3), "held", until, "cooldown"))
        raised(Raised(match(4, carries=(5,))))
        shown = run("list").stdout
        lines = [flat(line) for line in shown.splitlines() if re.match(r" *\d", line)]
        time = f"{utc_now() - HOUR:%Y-%m-%d}" and f"{(utc_now() - HOUR).astimezone(BERLIN):%Y-%m-%d %H:}"
        for line, (number, became) in zip(
            lines,
            [
                (6, "Story 4 team: pending"),
                (5, "Story 3 told in 6"),
                (4, "Story 2 silenced: silenced until Mon 08:00: too many"),
                (3, "Story 1 muted: told by 'surge': Efficiency news 1"),
                (2, f"start Efficiency news 2 held until {until.astimezone(BERLIN):%Y-%m-%d %H:%M}: quiet hours"),
                (1, "start Efficiency news 1 desk: pending, team: pending"),
            ],
            strict=True,
        ):
            assert line.startswith(f"{number} {time}")
            assert line.endswith(became)

    @pytest.mark.parametrize(
        ("arguments", "ids"),
        [
            pytest.param((), [5, 4, 3, 2], id="of the last seven days"),
            pytest.param(("--since", "30d"), [5, 4, 3, 2, 1], id="of the last month"),
            pytest.param(("--rule", "export CONTROLS"), [4, 3], id="of one rule, in any case"),
            pytest.param(("--topic", "geopolitics"), [4, 3], id="of one topic"),
            pytest.param(("--state", "held"), [3], id="what waits"),
            pytest.param(("--state", "held", "--state", "muted"), [4, 3], id="in one of several states"),
            pytest.param(("--limit", "2"), [5, 4], id="the newest two"),
            pytest.param(("--open",), [5, 1], id="what lasts, however old"),
            pytest.param(("--open", "--since", "2d"), [5], id="what began to last within two days"),
        ],
    )
    def test_what_is_asked_for(self, arguments: tuple[str, ...], ids: list[int]) -> None:
        raised(Raised(surge(1)), ago=20 * DAY)
        raised(Raised(surge(2, phase="once")), Raised(match(1), "held", utc_now() + HOUR, "cooldown"))
        raised(Raised(match(2), "muted", why="told by 'surge'"), Raised(surge(3)))
        assert [row["id"] for row in listed(*arguments)] == ids

    def test_what_has_ended_does_not_last(self) -> None:
        raised(Raised(surge(1)), ago=DAY)
        raised(Raised(surge(2, thread="surge:efficiency:1", phase="end")))
        assert listed("--open") == []

    def test_more_than_are_shown_are_spoken_of(self) -> None:
        raised(*(Raised(match(number)) for number in range(3)))
        assert "the newest 2" in run("list", "--limit", "2").stderr
        assert "newest" not in run("list", "--limit", "3").stderr

    def test_a_rule_that_does_not_exist(self) -> None:
        raised(Raised(surge(1)))
        result = run("list", "--rule", "serge")
        assert result.exit_code == 2
        assert "there is no rule 'serge' in feeds.yaml; did you mean 'surge'?" in result.stderr

    def test_a_rule_that_is_gone_from_the_configuration_still_has_alerts(self) -> None:
        raised(Raised(replace(surge(1), rule="old")))
        assert [row["rule"] for row in listed("--rule", "old")] == ["old"]

    def test_columns_for_spreadsheets_with_exact_times(self) -> None:
        raised(Raised(surge(1)))
        [row] = csv.DictReader(io.StringIO(run("list", "--format", "csv").stdout))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["created"])
        assert row["thread"] == "surge:efficiency:1"


class TestShow:
    def test_the_message_and_what_became_of_it(self) -> None:
        raised(Raised(surge(1)), ago=2 * HOUR)
        asyncio.run(deliveries(desk=Sent("<1@here>"), team=ChannelError("the server said 503")))
        shown = flat(run("show", "1").stdout)
        assert "Efficiency news 1" in shown
        assert "Because." in shown
        assert "by the rule 'surge' (trend)" in shown
        assert re.search(r"desk sent 1 ", shown)
        assert re.search(r"team pending 1 .* the server said 503", shown)

    def test_its_thread_and_what_a_person_said(self) -> None:
        raised(Raised(surge(1)), ago=2 * DAY)
        raised(Raised(surge(2, thread="surge:efficiency:1", phase="update", headline="A surge now")))
        assert run("ack", "2", "--note", "Ann looks into it").exit_code == 0
        shown = flat(run("show", "1").stdout)
        assert re.search(r"Of the same thread 2 .* update: A surge now", shown)
        assert "Ann looks into it" in shown

    def test_why_it_was_not_told_at_once(self) -> None:
        until = (utc_now() + 3 * HOUR).astimezone(BERLIN)
        raised(Raised(surge(1), "held", until, "quiet hours"))
        assert f"held until {until:%Y-%m-%d %H:%M}: quiet hours" in flat(run("show", "1").stdout)

    def test_what_it_carries(self) -> None:
        raised(Raised(match(1), "held", utc_now(), "cooldown"))
        raised(Raised(match(2, carries=(1,))))
        assert re.search(r"Told in this message 1 .* Story 1", flat(run("show", "2").stdout))
        assert "told in 2" in run("show", "1").stdout

    def test_the_other_forms(self, home: Path) -> None:
        raised(Raised(surge(1)))
        result = run("show", "1", "--slack", "--html", "mail.html")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["blocks"]
        assert "<html" in (home / "mail.html").read_text()

    def test_a_file_that_cannot_be_written(self) -> None:
        raised(Raised(surge(1)))
        result = run("show", "1", "--html", "nowhere/mail.html")
        assert result.exit_code == 1
        assert "cannot write nowhere/mail.html: No such file or directory" in result.stderr

    def test_an_id_that_does_not_exist(self) -> None:
        raised(Raised(surge(1)))
        result = run("show", "9")
        assert result.exit_code == 1
        assert "there is no alert 9; `monitor alerts list` shows" in result.stderr


async def deliveries(**outcomes: Sent | ChannelError) -> None:
    """Send what is due by hand, with these outcomes by channel."""
    now = utc_now()
    with Store(Path("signals.db")) as store:
        for channel, outcome in outcomes.items():
            for delivery in await store.due_deliveries(channel, now):
                retry = Retry(now + HOUR if getattr(outcome, "retry", False) else None, str(outcome))
                await store.begin_attempt(delivery, retry)
                if isinstance(outcome, Sent):
                    await store.mark_sent(delivery, outcome, now)
                else:
                    await store.mark_failed(delivery, retry, now)


class TestAck:
    @pytest.mark.parametrize(
        ("alert", "words"),
        [
            pytest.param(surge(1), "no more reminders of it come (every 1d so far)", id="of what lasts"),
            pytest.param(surge(1, phase="once"), "no reminder would have come", id="of a single occasion"),
            pytest.param(surge(1, phase="end"), "something is over", id="of an end"),
            pytest.param(
                replace(surge(1), rule="Export controls"), "has no `repeat:`", id="of a rule without reminders"
            ),
        ],
    )
    def test_it_says_what_that_changes(self, alert: Finding, words: str) -> None:
        raised(Raised(alert))
        result = run("ack", "1")
        assert result.exit_code == 0, result.output
        assert "acknowledged: Efficiency news 1" in result.stdout
        assert words in result.stdout

    def test_it_holds_for_the_whole_thread(self) -> None:
        raised(Raised(surge(1)), ago=DAY)
        raised(Raised(surge(2, thread="surge:efficiency:1", phase="update")))
        run("ack", "2")
        assert [bool(row["acked"]) for row in listed()] == [True, True]

    def test_an_id_that_does_not_exist(self) -> None:
        raised(Raised(surge(1)))
        assert run("ack", "9").exit_code == 1

    def test_while_the_monitor_runs(self, home: Path) -> None:
        raised(Raised(surge(1)))
        with only_instance(home / "signals.db", reloads=True):
            assert run("ack", "1").exit_code == 0


class TestResend:
    def test_all_channels_get_it_once_more(self) -> None:
        raised(Raised(surge(1)))
        asyncio.run(deliveries(desk=Sent(), team=ChannelError("gone", retry=False)))
        result = run("resend", "1")
        assert result.exit_code == 0, result.output
        assert "2 messages queued" in result.stdout
        assert "`monitor deliver`" in result.stdout
        assert rows_of("SELECT channel, state FROM deliveries ORDER BY channel") == [
            ("desk", "pending"),
            ("team", "pending"),
        ]

    def test_or_only_those_that_are_named_and_the_monitor_sends_it(self, home: Path) -> None:
        raised(Raised(match(1)))
        asyncio.run(deliveries(team=Sent()))
        with only_instance(home / "signals.db", reloads=True):
            result = run("resend", "1", "DESK")
        assert "1 message queued; the running monitor sends them within seconds" in result.stdout
        assert rows_of("SELECT channel, state FROM deliveries ORDER BY channel") == [
            ("desk", "pending"),
            ("team", "sent"),
        ]

    def test_a_channel_that_does_not_exist(self) -> None:
        raised(Raised(surge(1)))
        result = run("resend", "1", "dosk")
        assert result.exit_code == 2
        assert "there is no channel 'dosk' in feeds.yaml; did you mean 'desk'?" in result.stderr


class TestSilence:
    @pytest.fixture(autouse=True)
    def stored(self) -> None:
        raised(Raised(surge(1)))

    def silences(self) -> list[tuple[Any, ...]]:
        return rows_of("SELECT rule, topic, reason FROM silences_active")

    def test_a_rule_for_a_time(self, home: Path) -> None:
        with only_instance(home / "signals.db"):
            result = run("silence", "Surge", "--for", "2h", "--reason", "a conference")
        assert result.exit_code == 0, result.output
        until = (utc_now() + 2 * HOUR).astimezone(BERLIN)
        assert f"the rule 'surge' is silent until {until:%Y-%m-%d %H:}" in result.stdout
        assert "monitor alerts unsilence surge" in result.stdout
        assert self.silences() == [("surge", None, "a conference")]

    def test_one_topic_of_a_rule_until_a_local_time(self) -> None:
        end = (utc_now() + 3 * DAY).astimezone(BERLIN).replace(hour=8, minute=0, second=0)
        result = run("silence", "Export controls", "--topic", "Geopolitics", "--until", f"{end:%Y-%m-%dT%H:%M}")
        assert result.exit_code == 0, result.output
        assert f"silent until {end:%Y-%m-%d} 08:00 CE" in result.stdout
        assert "unsilence 'Export controls'" in result.stdout
        assert self.silences() == [("Export controls", "geopolitics", "")]

    def test_every_rule(self) -> None:
        assert "every rule is silent" in run("silence", "--all", "--for", "30m").stdout
        assert self.silences() == [(None, None, "")]

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            pytest.param(("serge", "--for", "2h"), "did you mean 'surge'?", id="a rule that does not exist"),
            pytest.param(("surge", "--for", "2h", "--topic", "capx"), "did you mean 'capex'?", id="nor such a topic"),
            pytest.param(("surge",), "say how long", id="without an end"),
            pytest.param(("surge", "--for", "2h", "--until", "2099-01-01"), "either", id="with two ends"),
            pytest.param(("surge", "--until", "2020-01-01"), "ends in the future", id="in the past"),
            pytest.param(("surge", "--for", "500d"), "within 366 days", id="for longer than a year"),
            pytest.param(("surge", "--for", "0s"), "ends in the future", id="for no time at all"),
            pytest.param(("surge", "--until", "tomorrow"), "is no time", id="until no time that can be read"),
            pytest.param(("--for", "2h"), "or write --all", id="of no rule"),
            pytest.param(("surge", "--all", "--for", "2h"), "or write --all", id="of one rule and of all"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, arguments: tuple[str, ...], words: str) -> None:
        result = run("silence", *arguments)
        assert result.exit_code == 2
        assert words in result.stderr
        assert self.silences() == []

    def test_it_is_listed_and_ended(self) -> None:
        run("silence", "surge", "--for", "2h", "--reason", "a conference")
        run("silence", "--all", "--for", "1h")
        shown = flat(run("silences").stdout)
        assert re.search(r"every rule every topic .* surge every topic .* a conference", shown)
        assert len(json.loads(run("silences", "--format", "json").stdout)) == 2
        assert "1 silence ended" in run("unsilence", "SURGE").stdout
        assert self.silences() == [(None, None, "")]
        assert "1 silence ended" in run("unsilence", "--all").stdout
        assert self.silences() == []

    def test_of_a_rule_that_is_gone_from_the_configuration_it_can_be_ended(self) -> None:
        run("silence", "surge", "--for", "2h")
        configure(CONFIG.replace("name: surge", "name: flow"))
        assert run("unsilence", "surge").exit_code == 0

    def test_there_is_none_to_end(self) -> None:
        result = run("unsilence", "surge")
        assert result.exit_code == 1
        assert "no such silence is in force" in result.stderr
        assert run("unsilence").exit_code == 2


class TestTest:
    """`monitor alerts test`: a marked message through the real channels."""

    def channels(self, port: int, *extra: str) -> str:
        mail = f"{{type: email, host: 127.0.0.1, port: {port}, security: none, from: m@x.org, to: [a@x.org]}}"
        lines = "".join(f"  {line}\n" for line in (f"mail: {mail}", *extra))
        return (
            "fetch: {allow: ['127.0.0.1']}\n"
            f"feeds:\n  - {{name: Wire, url: 'https://wire.example/feed'}}\nchannels:\n{lines}"
            "alerts:\n  - {name: surge, rule: trend, send: [mail]}\n"
        )

    async def test_every_channel_gets_a_marked_message_and_nothing_is_stored(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with post() as box, web(http(200, b"ok")) as slack:
            configure(self.channels(box.port, "team: {type: slack, webhook_env: HOOK}"))
            monkeypatch.setenv("HOOK", slack.webhook)
            result = await beside("test")
        assert result.exit_code == 0, result.output
        assert "[Test]" in box.parsed[0]["Subject"]
        assert b"[Test]" in slack.bodies[0]
        assert "mail: taken in" in result.stdout
        assert "team: taken in" in result.stdout
        assert not (home / "signals.db").exists()

    async def test_what_fails_is_said_with_what_to_do_and_the_others_get_theirs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with post() as box, web(http(404, b"no_service")) as slack:
            configure(
                self.channels(
                    box.port,
                    "team: {type: slack, webhook_env: HOOK}",
                    f"down: {{type: email, host: 127.0.0.1, port: {free_port()}, security: none, from: m@x.org, "
                    "to: [a@x.org]}",
                    "bare: {type: slack, webhook_env: NO_SUCH_VARIABLE}",
                )
            )
            monkeypatch.setenv("HOOK", slack.webhook)
            result = await beside("test")
        assert result.exit_code == 1
        assert len(box.mails) == 1
        assert "mail: taken" in result.stdout
        assert re.search("team: failed: .*404.*make a new one", result.stdout)
        assert re.search("down: failed: .*refuses connections\n  check host and port", result.stdout)
        assert re.search("bare: failed: .*set the environment variable NO_SUCH_VARIABLE", result.stdout)
        assert "s3cr3t" not in result.output

    async def test_the_channels_of_a_rule_or_those_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with post() as box, web(http(200, b"ok")) as slack:
            configure(self.channels(box.port, "team: {type: slack, webhook_env: HOOK}"))
            monkeypatch.setenv("HOOK", slack.webhook)
            assert (await beside("test", "--rule", "surge")).exit_code == 0
            assert (len(box.mails), len(slack.bodies)) == (1, 0)
            assert (await beside("test", "Team")).exit_code == 0
            assert (len(box.mails), len(slack.bodies)) == (1, 1)

    async def test_recipients_that_are_refused_are_named(self) -> None:
        async with post({"b@x.org": "550 no such mailbox"}) as box:
            configure(self.channels(box.port).replace("to: [a@x.org]", "to: [a@x.org, b@x.org]"))
            result = await beside("test")
        assert result.exit_code == 0
        assert re.search(r"but not for everybody: .*b@x\.org", result.stdout)

    def test_a_channel_that_does_not_exist(self) -> None:
        result = run("test", "pager")
        assert result.exit_code == 2
        assert "there is no channel 'pager' in feeds.yaml; channels: desk, team" in result.stderr

    def test_without_any_channel(self) -> None:
        configure("feeds: [{name: Wire, url: 'https://wire.example/feed'}]\nchannels: {}\n")
        result = run("test")
        assert result.exit_code == 2
        assert "an alert would reach nobody" in result.stderr

    @pytest.mark.parametrize(
        ("error", "word"),
        [
            ("mail server smtp.example.org is not known to DNS: Name or service not known", "spelling"),
            ("mail server 10.1.1.1:587 refuses connections", "running"),
            ("the certificate of mail server x:465 cannot be trusted: self-signed certificate", "trusted by"),
            ("no TLS with mail server x:587: WRONG_VERSION_NUMBER", "465"),
            ("hooks.slack.com did not answer within 30s", "firewalls"),
            ("mail server x:587 did not accept user me with the password in SMTP_PASSWORD: 535 no", "app password"),
        ],
    )
    def test_advice_for_what_can_go_wrong(self, error: str, word: str) -> None:
        assert word in remedy(error)
