"""What the user may set about fetching."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from monitor.feeds.limits import FetchSettings


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = FetchSettings()
    assert (settings.timeout, settings.max_bytes, settings.allow) == (timedelta(seconds=30), 5_000_000, ())


def test_settings_are_read_as_the_configuration_writes_them() -> None:
    written = {"timeout": "10s", "max_bytes": 1_000_000, "allow": ["127.0.0.1:8123", "10.0.0.0/8"]}
    settings = FetchSettings.model_validate(written)
    assert (settings.timeout, settings.allow) == (timedelta(seconds=10), ("127.0.0.1:8123", "10.0.0.0/8"))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"timeout": "soon"}, "write a duration such as"),
        ({"timeout": "0s"}, "greater than or equal"),
        ({"max_bytes": 1}, "greater than or equal"),
        ({"allow": ["http://127.0.0.1"]}, "is no address"),
        ({"alow": []}, "Extra inputs are not permitted"),
    ],
    ids=["no duration", "no time at all", "room for nothing", "an address that is none", "a misspelled key"],
)
def test_mistakes_are_refused(written: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        FetchSettings.model_validate(written)
