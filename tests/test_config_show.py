"""`monitor config show`: what is in force, and no secret."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from monitor.cli import main
from monitor.config import Config, starter_text

FEEDS = "feeds: [{name: Wire, url: 'https://wire.example/feed?format=atom'}]\n"
CONFIG = f"""
contact: https://example.org/about-us
timezone: Europe/Berlin
heartbeat: https://ping.example.org/s3cr3t-1
websub: {{public_url: "https://me.example.org/s3cr3t-2"}}
channels:
  desk: {{type: email, host: smtp.example.org, user: me, password_env: MAIL_PASSWORD, from: a@x.org, to: [b@x.org]}}
  team: {{type: slack, webhook_env: SLACK_WEBHOOK}}
  hook: {{type: webhook, url: "https://hook.example.org:8443/s3cr3t-3?key=s3cr3t-4"}}
  bare: {{type: webhook, url: "https://bare.example.org"}}
alerts:
  - {{name: surge, rule: trend, repeat: 36h}}
{FEEDS}"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a configuration whose secrets are partly set."""
    monkeypatch.chdir(tmp_path)
    for variable in ("MONITOR_CONFIG", "MAIL_PASSWORD", "SLACK_WEBHOOK", "SLACK_WEBHOOK_FILE"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "feeds.yaml").write_text(CONFIG)
    return tmp_path


def show() -> Result:
    return CliRunner().invoke(main, ["config", "show"])


def test_every_default_is_filled_in_and_durations_read_as_they_are_written() -> None:
    result = show()
    assert result.exit_code == 0, result.output
    shown = YAML(typ="safe").load(result.stdout)
    assert set(shown) == set(Config.model_fields)
    assert shown["poll"]["slowest"] == "1d"
    assert shown["alerts"][0]["repeat"] == "36h"
    assert shown["alerts"][0]["false_alarms_per_year"] == 2.0
    assert shown["alerts"][0]["quiet"] is None
    assert re.search(r"^ +quiet: null$", result.stdout, re.MULTILINE)
    assert shown["channels"]["desk"]["from"] == "a@x.org"


def test_where_nothing_is_masked_it_is_a_configuration_of_the_same_meaning(home: Path) -> None:
    (home / "feeds.yaml").write_text(starter_text())
    before = show().stdout
    (home / "feeds.yaml").write_text(before)
    assert show().stdout == before


def test_secrets_are_names_of_variables_and_whether_they_are_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert show().stdout.count("# (not set)") == 2
    monkeypatch.setenv("MAIL_PASSWORD", "s3cr3t-5")
    (home / "webhook").write_text("https://hooks.slack.com/services/s3cr3t-6")
    monkeypatch.setenv("SLACK_WEBHOOK_FILE", "webhook")
    shown = show().stdout
    assert "password_env: MAIL_PASSWORD  # (set)" in shown
    assert "webhook_env: SLACK_WEBHOOK  # (set)" in shown
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("url: https://ping.example.org/…", id="where the heartbeat goes"),
        pytest.param("public_url: https://me.example.org/…", id="where hubs push"),
        pytest.param("url: https://hook.example.org:8443/…", id="where a webhook goes"),
        pytest.param("url: https://bare.example.org", id="an address that is only a host"),
        pytest.param("contact: https://example.org/about-us", id="the contact is meant for everybody"),
        pytest.param("url: https://wire.example/feed?format=atom", id="and so are the feeds"),
    ],
)
def test_addresses_that_may_be_secret_show_their_host(line: str) -> None:
    assert re.search(rf"^ *(- )?{re.escape(line)}$", show().stdout, re.MULTILINE)


def test_mistakes_are_named_instead(home: Path) -> None:
    (home / "feeds.yaml").write_text(f"timezoon: UTC\n{FEEDS}")
    result = show()
    assert result.exit_code == 2
    assert "feeds.yaml:1:1: timezoon" in result.stderr
