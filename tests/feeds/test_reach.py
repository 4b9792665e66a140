"""When a machine seems to be offline."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.feeds.reach import offline
from storage.feed_records import Fetched

FINE = Fetched(datetime(2026, 3, 1, 12, tzinfo=UTC), 0.1, 200)
UNREACHED = replace(FINE, status=None, error="no route", trouble="network")
REFUSED = replace(UNREACHED, error="a private address", trouble="address")
FAULT = replace(UNREACHED, error="unexpected KeyError", trouble="fault")


@pytest.mark.parametrize(
    ("polled", "expected"),
    [
        ([], False),
        ([FINE], False),
        ([UNREACHED, FINE], False),
        ([replace(FINE, status=503, error="HTTP 503", trouble="status")], False),
        ([UNREACHED, UNREACHED], True),
        ([REFUSED], False),
        ([REFUSED, UNREACHED], True),
        ([FAULT], False),
    ],
    ids=[
        "nothing was asked",
        "a success",
        "one of two",
        "an error page",
        "no answer from anybody",
        "only addresses that we refused",
        "no answer, beside an address that we refused",
        "a mistake of ours",
    ],
)
def test_a_machine_is_offline_when_nobody_answers(polled: list[Fetched], expected: bool) -> None:
    assert offline(polled) is expected
