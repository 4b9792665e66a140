"""The demo as a whole: a minute that ends with an alert, by mail and by Slack, and a database that can be asked."""

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from monitor.demo.play import HEADER, Played, play
from monitor.errors import MonitorError
from storage import reading


@pytest.fixture
async def played(tmp_path: Path) -> tuple[Played, list[str]]:
    told: list[str] = []
    (tmp_path / "mine.txt").write_text("not the demo's")
    (tmp_path / "feeds.yaml").write_text(f"{HEADER} An earlier one.")
    (tmp_path / "alert.eml").write_text("from an earlier demo")
    return await play(tmp_path, told.append), told


async def test_it_ends_with_an_alert_by_mail_and_by_slack(played: tuple[Played, list[str]]) -> None:
    files, told = played
    mail = message_from_bytes(files.mail.read_bytes(), policy=policy.default)
    post = json.loads(files.post.read_text())
    assert str(mail["Subject"]).startswith("Efficiency news ×")
    assert post["blocks"][0]["text"]["text"] == mail["Subject"]
    assert any("surging" in line for line in told)
    folder = files.config.parent
    assert (folder / "mine.txt").exists()
    alerts = reading.ask(folder / "signals.db", "SELECT kind, topic, deliveries FROM alerts_history").rows
    assert alerts == [("trend", "efficiency", "desk: sent, team: sent")]
    quiet = reading.ask(folder / "signals.db", "SELECT topic FROM trends_latest WHERE state = 'normal'").rows
    assert quiet == [("capex",), ("geopolitics",)]


async def test_a_folder_with_a_configuration_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: []")
    (tmp_path / "signals.db").write_text("precious")
    with pytest.raises(MonitorError, match="is not from a demo"):
        await play(tmp_path, print)
    assert (tmp_path / "signals.db").read_text() == "precious"
