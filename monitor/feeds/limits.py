"""What the user may set about fetching. Imports no HTTP library, so that reading the configuration stays fast."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from monitor.feeds.addresses import Allow
from monitor.settings import Duration, Settings

_NAME = re.compile(r"[^\s/:@?#*\[\]]+")

Gap = Annotated[Duration, Field(ge=timedelta(0), le=timedelta(minutes=10))]


class HostSettings(Settings):
    """How one host is asked: an entry of `fetch.hosts:`. What is not given is as everywhere."""

    user_agent: (
        Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$", max_length=300)] | None
    ) = Field(None, description="The User-Agent that this host is asked with, such as one that it has agreed to.")
    gap: Gap | None = Field(None, description="The least time between two requests to this host.")


class FetchSettings(Settings):
    """The block `fetch:` of feeds.yaml."""

    timeout: Annotated[
        Duration,
        Field(
            ge=timedelta(milliseconds=100),
            le=timedelta(minutes=10),
            description="How long one feed may take in all: name, connection, redirects, body.",
        ),
    ] = timedelta(seconds=30)
    max_bytes: int = Field(
        5_000_000,
        ge=1_000,
        le=100_000_000,
        description="The largest document that is read, in bytes: on the wire, and again after decompression.",
    )
    allow: tuple[str, ...] = Field(
        (),
        description="Private addresses that may be fetched all the same, such as 127.0.0.1:8123, 10.0.0.0/8, "
        "localhost:9000 or [::1]:80. Without a port every port is meant.",
    )

    gap: Gap = Field(
        timedelta(seconds=1),
        description="The least time between two requests to one host, which is never asked twice at once. "
        "There is none for what fetch.allow lists.",
    )
    hosts: dict[str, HostSettings] = Field(
        {},
        description="What is different for some hosts. A name counts for everything below it: example.com also means "
        "feeds.example.com. The longest name counts.",
    )

    @field_validator("allow")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Allow.parse(value)
        return value

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: dict[str, HostSettings]) -> dict[str, HostSettings]:
        return {_name(key): settings for key, settings in value.items()}


def _name(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is no host name; write it without scheme, port or path, such as example.com")
    return name
