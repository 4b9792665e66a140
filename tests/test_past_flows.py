"""A replay sees what the daemon saw: the same flows, number by number."""

from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitor.detection.flow import Calendar, Flow
from monitor.past.flows import SPAN, flows_at
from monitor.past.known_world import moments
from storage import past
from storage.store import Store
from tests.lived import DAY, TOPICS, Life

BEGIN = datetime(2026, 3, 20, 7, tzinfo=UTC)  # daylight saving begins in Berlin on 29 March, in New York on 8 March


@pytest.fixture
def calendar() -> Calendar:
    return Calendar(ZoneInfo("Europe/Berlin"))


async def lived(store: Store, calendar: Calendar) -> Life:
    life = Life(store, calendar, "Europe/Berlin", BEGIN)
    await life.begin("Wire", "Desk", "Blog")
    await life.days(9)
    life.now += 5 * DAY  # the host was down
    await life.days(4)
    return life


def assert_same(flow: Flow, other: Flow) -> None:
    for each in fields(Flow):
        one, two = getattr(flow, each.name), getattr(other, each.name)
        assert np.array_equal(one, two), f"{each.name} at {flow.now}: {np.argwhere(np.asarray(one != two))[:5]}"


async def test_at_each_look_all_flows_are_those_that_the_daemon_saw(store: Store, calendar: Calendar) -> None:
    life = await lived(store, calendar)
    stored = past.read(store.path, BEGIN - (SPAN + 1) * DAY, life.now)
    found = [moment for moment in moments(stored, BEGIN, life.now) if moment.look]
    assert [moment.now for moment in found] == list(life.flows)
    for moment, flows in zip(found, flows_at(stored, found, TOPICS, calendar), strict=True):
        for topic in TOPICS:
            assert_same(life.flows[moment.now][topic], flows[topic])


async def test_it_may_begin_in_the_middle(store: Store, calendar: Calendar) -> None:
    life = await lived(store, calendar)
    middle = BEGIN + 11 * DAY
    stored = past.read(store.path, middle - (SPAN + 1) * DAY, life.now)
    found = moments(stored, middle, life.now)
    flows = next(flows_at(stored, found, TOPICS, calendar))
    assert_same(life.flows[found[0].now]["capex"], flows["capex"])
