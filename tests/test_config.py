"""feeds.yaml: what is accepted, what is refused, and that every mistake is named where it stands."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import Config, default_path, field_names, json_schema, load, secret_reader, starter_text
from monitor.errors import ConfigError

TOPICS = ("efficiency", "capex", "geopolitics")
ROOT = Path(__file__).parents[1]
FEED = "feeds:\n  - name: Wire\n    url: https://wire.example/feed\n"


def read(tmp_path: Path, text: str, **environ: str) -> Config:
    (tmp_path / "feeds.yaml").write_text(text)
    return load(tmp_path / "feeds.yaml", TOPICS, need_secrets=True, environ=environ)


MISTAKES = {
    "a misspelt key of a feed": (
        "feeds:\n  - name: A\n    url: https://a.example/\n\n  - name: B\n    url: https://b.example/\n    evry: 1h\n",
        ":7:5: feeds.1.evry: unknown key; did you mean 'every'?",
    ),
    "a misspelt block": (FEED + "chanels: {}\n", ":4:1: chanels: unknown key; did you mean 'channels'?"),
    "a key like no other": (FEED + "zzqx: 1\n", ":4:1: zzqx: unknown key; docs/configuration.md lists them all"),
    "a missing url": ("feeds:\n  - name: A\n", ":2:5: feeds.0.url: is missing"),
    "no feeds at all": ("database: a.db\n", ":1:1: feeds: is missing"),
    "an empty list of feeds": ("feeds: []\n", ":1:1: feeds: list at least one feed"),
    "an empty file": ("", ":1:1: expected a list of `feeds:`"),
    "a half address": ("feeds:\n  - {name: A, url: a.example}\n", ":2:15: feeds.0.url: write a whole web address"),
    "a password in an address": (
        "feeds:\n  - {name: A, url: 'https://u:p@a.example/'}\n",
        "must not carry a user name",
    ),
    "a file address": ("feeds:\n  - {name: A, url: 'file:///etc/passwd'}\n", "write a whole web address"),
    "the same name twice": (
        FEED + "  - name: Wire\n    url: https://b.example/\n",
        ":4:5: feeds.1.name: feeds.0 has the same name",
    ),
    "the same address twice": (
        FEED + "  - name: Copy\n    url: https://wire.example/feed\n",
        ":5:5: feeds.1.url: feeds.0 has the same url",
    ),
    "a key twice": ("feeds:\n  - name: A\n    name: B\n", ':3:5: found duplicate key "name"'),
    "a tab": ("feeds:\n\t- name: A\n", ":2:1: found character '\\t' that cannot start any token"),
    "an interval without a unit": (FEED + "poll: {every: 30}\n", ":4:8: poll.every: write a duration such as 90s"),
    "an unknown topic": (
        FEED + "topics: {crypto: {}}\n",
        ":4:10: topics.crypto: there is no such topic; the model knows",
    ),
    "a threshold above one": (
        FEED + "topics: {capex: {threshold: 2}}\n",
        ":4:18: topics.capex.threshold: should be less than 1",
    ),
    "an unknown kind of channel": (
        FEED + "channels: {x: {type: fax}}\n",
        ":4:12: channels.x: needs `type:` to be 'email', 'slack'",
    ),
    "a channel without a kind": (FEED + "channels: {x: {}}\n", ":4:12: channels.x: needs `type:`"),
    "a misspelt key of a channel": (
        FEED + "channels:\n  x:\n    type: slack\n    webhok_env: X\n    webhook_env: S\n",
        ":7:5: channels.x.webhok_env: unknown key; did you mean 'webhook_env'?",
    ),
    "a rule that sends nowhere": (
        FEED + "alerts:\n  - {name: a, rule: trend, send: [desk]}\n",
        ":5:28: alerts.0.send: there is no channel 'desk'; there are: console",
    ),
    "a reminder every minute": (
        FEED + "alerts:\n  - {name: a, rule: trend, repeat: 1m}\n",
        "alerts.0.repeat: should be greater than or equal to 10m",
    ),
    "a rule muted by itself": (
        FEED + "alerts:\n  - {name: a, rule: trend, muted_by: [a]}\n",
        "alerts.0.muted_by: there is no other rule 'a'",
    ),
    "a rule that waits for another one that does not exist": (
        FEED
        + "alerts:\n  - {name: a, rule: trend}\n  - {name: b, rule: compound, all: [{alert: x}, {rises: capex}]}\n",
        "there is no other rule 'x'; there are: a",
    ),
    "a rule about a feed that does not exist": (
        FEED + "alerts:\n  - {name: a, rule: match, feeds: [Wir]}\n",
        "alerts.0.feeds: there is no feed 'Wir'",
    ),
    "a query that SQLite cannot answer": (
        FEED + "alerts:\n  - {name: a, rule: query, sql: SELECT oops FROM signals_latest}\n",
        "alerts.0.sql: SQLite says: no such column: oops",
    ),
    "quiet hours that are none": (
        FEED + "quiet: [at night]\n",
        "write quiet hours such as 22:00-07:00",
    ),
    "a heartbeat without an address": (
        FEED + "heartbeat: {every: 1m}\n",
        "give the address as `url` or",
    ),
    "a rule for an unknown topic": (
        FEED + "alerts:\n  - {name: a, rule: trend, topics: [crypto]}\n",
        "alerts.0.topics: there is no topic 'crypto'",
    ),
    "two rules of one name": (
        FEED + "alerts:\n  - {name: a, rule: trend}\n  - {name: a, rule: match}\n",
        ":6:6: alerts.1.name: alerts.0 has the same name",
    ),
    "a secret that is not set": (
        FEED + "channels: {x: {type: slack, webhook_env: HOOK}}\n",
        ":4:29: channels.x.webhook_env: set the environment variable HOOK, or HOOK_FILE",
    ),
    "a secret instead of its name": (
        FEED + "channels: {x: {type: slack, webhook_env: 'https://hooks.example/secret'}}\n",
        "channels.x.webhook_env: String should match pattern",
    ),
    "a mistake brought in by a merge": (
        "shared: &x {evry: 1h}\nfeeds:\n  - {<<: *x, name: A, url: 'https://a.example'}\n",
        "feeds.0.evry: unknown key; did you mean 'every'?",
    ),
    "a tagged value": (FEED + "poll: {every: !odd 1h}\n", ":4:8: poll.every: write a duration"),
    "an interval beyond all measure": (FEED + "poll: {every: 9999999999999d}\n", "at most 3650d"),
    "a feed polled without a pause": (FEED + "    every: 0s\n", "feeds.0.every: should be greater than or equal to"),
    "only paused feeds": (FEED + "    enabled: false\n", ":1:1: feeds: list at least one feed"),
    "a contact on two lines": (FEED + 'contact: "a\\nb"\n', ":4:1: contact: String should match pattern"),
    "a home that does not exist": (FEED + "database: ~nobody-here/a.db\n", "is no usable path"),
    "an address that is no address": (FEED + "fetch: {allow: ['not an address!']}\n", ":4:9: fetch.allow: "),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_the_mistake_is_named_where_it_stands(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    assert expected in str(refused.value)
    assert all(line.startswith(str(tmp_path / "feeds.yaml")) for line in refused.value.problems)


def test_every_mistake_is_named_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, "poll: {evry: 1}\nfeeds:\n  - nme: A\n    url: x\n")
    places = [line.split(": ")[0].removeprefix(str(tmp_path)) for line in refused.value.problems]
    assert places == ["/feeds.yaml:1:8", "/feeds.yaml:3:5", "/feeds.yaml:3:5", "/feeds.yaml:4:5"]


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="monitor init"):
        load(tmp_path / "none.yaml", TOPICS)


def test_a_list_of_feeds_is_enough(tmp_path: Path) -> None:
    config = read(tmp_path, FEED)
    assert config.database == tmp_path.resolve() / "signals.db"
    assert [rule.name for rule in config.alerts] == ["surge"]
    assert list(config.channels) == ["console"]
    assert config.feed_specs()[0].every is None


def test_a_feeds_address_is_kept_byte_for_byte(tmp_path: Path) -> None:
    odd = "https://www.example/~x/rss.xml?input=%7B%22a%22%3A1%7D&conditions%5B%5D=a b".replace(" ", "+")
    config = read(tmp_path, f"feeds:\n  - name: A\n    url: {odd}\n")
    assert config.feed_specs()[0].url == odd


def test_a_feed_may_have_its_own_interval_or_be_paused(tmp_path: Path) -> None:
    own = "{name: A, url: 'https://a.example', every: 2h}"
    paused = "{name: B, url: 'https://b.example', enabled: false}"
    text = f"feeds:\n  - {own}\n  - {paused}\n"
    assert [(spec.name, spec.every) for spec in read(tmp_path, text).feed_specs()] == [("A", timedelta(hours=2))]


def test_asking_the_database_needs_no_secrets(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(FEED + "channels: {x: {type: slack, webhook_env: HOOK}}\n")
    assert load(tmp_path / "feeds.yaml", TOPICS, environ={}).channels


class TestSecrets:
    def test_a_secret_comes_from_its_variable(self) -> None:
        assert secret_reader({"HOOK": "value"})("HOOK") == "value"

    def test_or_from_the_file_that_another_variable_names(self, tmp_path: Path) -> None:
        (tmp_path / "hook").write_text("value\n")
        assert secret_reader({"HOOK_FILE": str(tmp_path / "hook")})("HOOK") == "value"

    def test_a_file_that_is_missing_or_empty_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "empty").write_text("\n")
        with pytest.raises(ConfigError, match="cannot be read"):
            secret_reader({"HOOK_FILE": str(tmp_path / "none")})("HOOK")
        with pytest.raises(ConfigError, match="is empty"):
            secret_reader({"HOOK_FILE": str(tmp_path / "empty")})("HOOK")


SECRETS = {"WEBHOOK_SECRET": "x", "APPRISE_URL": "ntfy://x"}


class TestShippedFiles:
    def test_the_default_feeds_yaml_is_good(self) -> None:
        config = load(ROOT / "feeds.yaml", TOPICS, need_secrets=True, environ={})
        assert len(config.feed_specs()) > 70
        assert {feed.lang for feed in config.feeds} == {"en", "de"}

    def test_everything_that_it_shows_commented_out_is_good_too(self, tmp_path: Path) -> None:
        lines = (ROOT / "feeds.yaml").read_text().splitlines()
        shown = [line.replace("# ", "", 1) if _is_setting(line) else line for line in lines]
        config = read(tmp_path, "\n".join(shown), SMTP_PASSWORD="x", SLACK_WEBHOOK="https://hooks.example/x", **SECRETS)
        assert set(config.channels) == {"console", "desk", "team", "machine", "record", "phone"}
        assert [rule.name for rule in config.alerts] == [
            *("surge", "overbuild", "stream", "feed-trouble", "export-controls", "capex-doubts", "morning")
        ]
        assert config.contact
        assert config.topics["capex"].threshold

    def test_the_schema_for_editors_is_up_to_date(self) -> None:
        assert json.loads((ROOT / "docs" / "feeds.schema.json").read_text()) == json_schema()

    def test_init_writes_the_projects_own_default(self) -> None:
        assert starter_text() == (ROOT / "feeds.yaml").read_text()

    def test_every_key_is_documented(self) -> None:
        text = (ROOT / "docs" / "configuration.md").read_text()
        assert [name for name in sorted(field_names()) if not re.search(rf"`(\w+\.)?{name}\b", text)] == []


def _is_setting(line: str) -> bool:
    """Tell a commented-out setting ("# key: value", "#   - key: ...") from a comment in words."""
    body = line.strip().removeprefix("#").strip().removeprefix("- ")
    key, colon, _ = body.partition(":")
    return line.strip().startswith("#") and bool(colon) and re.sub("[_.]", "", key).isalpha() and key.islower()


def test_the_configuration_can_be_named_by_the_environment() -> None:
    assert default_path({"MONITOR_CONFIG": "/etc/monitor.yaml"}) == Path("/etc/monitor.yaml")
    assert default_path({}) == Path("feeds.yaml")
