"""What the user may set about fetching. Imports no HTTP library, so that reading the configuration stays fast."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from monitor.feeds.addresses import Allow
from monitor.settings import Duration, Settings


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

    @field_validator("allow")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Allow.parse(value)
        return value
