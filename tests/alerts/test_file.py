"""The file channel: whole lines, whatever happened before."""

import json
import os
from pathlib import Path

import pytest

from monitor.alerts.render.text import text
from tests.alerts.sample import HEADLINE, delivery, match_alert, surge_alert
from tests.alerts.test_channels import build, failure


async def test_each_alert_is_a_line_of_json_with_an_id_of_its_own(tmp_path: Path) -> None:
    channel = build("file", path=str(tmp_path / "alerts.jsonl"))
    for alert in (surge_alert(), match_alert(), surge_alert()):
        await channel.send(delivery(alert))
    first, second, third = map(json.loads, (tmp_path / "alerts.jsonl").read_text().splitlines())
    assert first["headline"] == HEADLINE
    assert first == third, "a repeated alert can be known by its id"
    assert first["id"] != second["id"]


async def test_text_is_as_in_a_mail_with_a_line_below_each_alert(tmp_path: Path) -> None:
    channel = build("file", path=str(tmp_path / "alerts.txt"), format="text")
    for alert in (surge_alert(), match_alert()):
        await channel.send(delivery(alert))
    first, second, rest = (tmp_path / "alerts.txt").read_text().split("=" * 76)
    assert first.strip() == text(surge_alert()).strip()
    assert second.strip() == text(match_alert()).strip()
    assert not rest.strip()


async def test_a_line_that_a_crash_left_unfinished_spoils_only_itself(tmp_path: Path) -> None:
    (tmp_path / "alerts.jsonl").write_text('{"headline": "ha')
    await build("file", path=str(tmp_path / "alerts.jsonl")).send(delivery(surge_alert()))
    assert json.loads((tmp_path / "alerts.jsonl").read_text().splitlines()[1])["headline"] == HEADLINE


@pytest.mark.parametrize(
    ("place", "told"),
    [("missing/alerts.jsonl", "there is no folder"), (".", "Is a directory")],
    ids=["no folder", "a folder"],
)
async def test_a_file_that_cannot_be_written_says_why(tmp_path: Path, place: str, told: str) -> None:
    error = await failure(build("file", path=str(tmp_path / place)))
    assert error.retry, "a person can mend it"
    assert told in str(error)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to try")
async def test_a_full_disk_is_worth_another_try() -> None:
    error = await failure(build("file", path="/dev/full"))
    assert error.retry
    assert "No space left on device" in str(error)


async def test_a_pipe_is_as_good_as_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        await build("file", path=str(tmp_path / "pipe")).send(delivery(surge_alert()))
        assert json.loads(os.read(reader, 100_000))["headline"] == HEADLINE
    finally:
        os.close(reader)
