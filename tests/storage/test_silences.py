"""Silences: in force for a time, ended early, remembered."""

from datetime import UTC, datetime, timedelta

import pytest

from storage import reading
from storage.alert_records import Silence
from storage.store import Store
from tests.builders import NOW, finding, raised

HOUR = timedelta(hours=1)


async def test_a_silence_holds_from_now_until_its_end(store: Store) -> None:
    made = await store.add_silence("surge", "capex", NOW + HOUR, "maintenance", NOW)
    assert made == Silence(1, "surge", "capex", NOW, NOW + HOUR, "maintenance")
    assert await store.silences(NOW) == [made]
    assert await store.silences(NOW - HOUR) == []
    assert await store.silences(NOW + HOUR) == []


@pytest.mark.parametrize(("rule", "ended"), [("surge", 2), (None, 3), ("unknown", 0)])
async def test_the_silences_of_a_rule_are_ended_or_all_of_them(store: Store, rule: str | None, ended: int) -> None:
    await store.add_silence("surge", None, NOW + HOUR, "", NOW)
    await store.add_silence("surge", "capex", NOW + 2 * HOUR, "", NOW)
    await store.add_silence(None, None, NOW + HOUR, "", NOW)
    await store.add_silence("surge", None, NOW, "over already", NOW - HOUR)
    assert await store.end_silences(rule, NOW) == ended
    assert len(await store.silences(NOW)) == 3 - ended
    assert reading.ask(store.path, "SELECT count(*) FROM silences").rows == [(4,)]


async def test_what_was_held_for_a_silence_is_looked_at_again_when_it_is_ended(store: Store) -> None:
    await store.add_silence("surge", None, NOW + 9 * HOUR, "", NOW)
    for key, until in (("for the silence", NOW + 9 * HOUR), ("for something else", NOW + 8 * HOUR)):
        await store.save_judgement([], raised(finding(key), state="held", until=until), [], 0, NOW)
    await store.end_silences("surge", NOW + HOUR)
    assert [one.finding.key for one in await store.held(NOW + HOUR)] == ["for the silence"]


async def test_the_view_shows_those_in_force(store: Store) -> None:
    now = datetime.now(UTC)
    await store.add_silence(None, None, now - HOUR, "over", now - 2 * HOUR)
    await store.add_silence("surge", None, now + HOUR, "maintenance", now)
    shown = reading.ask(store.path, "SELECT rule, topic, reason, silence_id FROM silences_active").rows
    assert shown == [("surge", None, "maintenance", 2)]
    assert [row[4] for row in reading.status(store.path)["silences"].rows] == ["maintenance"]
