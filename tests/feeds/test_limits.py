"""What the user may set about fetching."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from monitor.feeds.limits import FetchSettings


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = FetchSettings()
    assert (settings.timeout, settings.max_bytes, settings.allow) == (timedelta(seconds=30), 5_000_000, ())
    assert (settings.gap, settings.hosts) == (timedelta(seconds=1), {})


def test_settings_are_read_as_the_configuration_writes_them() -> None:
    written = {"timeout": "10s", "max_bytes": 1_000_000, "allow": ["127.0.0.1:8123", "10.0.0.0/8"]}
    settings = FetchSettings.model_validate(written)
    assert (settings.timeout, settings.allow) == (timedelta(seconds=10), ("127.0.0.1:8123", "10.0.0.0/8"))


def test_hosts_are_named_in_any_spelling() -> None:
    settings = FetchSettings.model_validate(
        {"hosts": {" Example.COM. ": {"gap": "5s", "user_agent": "x/1 (me@a.example)"}}}
    )
    assert settings.hosts["example.com"].gap == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"timeout": "soon"}, "write a duration such as"),
        ({"timeout": "0s"}, "greater than or equal"),
        ({"max_bytes": 1}, "greater than or equal"),
        ({"allow": ["http://127.0.0.1"]}, "is no address"),
        ({"gap": "1h"}, "less than or equal"),
        ({"hosts": {"https://a.example": {}}}, "is no host name"),
        ({"hosts": {"*.a.example": {}}}, "is no host name"),
        ({"hosts": {"a.example": {"user_agent": "a\nb"}}}, "String should match"),
        ({"hosts": {"a.example": {"useragent": "a"}}}, "Extra inputs are not permitted"),
        ({"alow": []}, "Extra inputs are not permitted"),
    ],
    ids=[
        "no duration",
        "no time at all",
        "room for nothing",
        "an address that is none",
        "too long a gap",
        "a host with a scheme",
        "a host with a star",
        "a name on two lines",
        "a misspelled key of a host",
        "a misspelled key",
    ],
)
def test_mistakes_are_refused(written: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        FetchSettings.model_validate(written)
