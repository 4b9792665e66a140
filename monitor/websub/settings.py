"""What the user may set about push. Imports nothing heavy, so that reading the configuration stays fast."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from monitor.settings import Duration, Settings

_PUBLIC = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})")
_LAST_PORT = 65535


class WebSubSettings(Settings):
    """The block `websub:` of feeds.yaml. Without ``public_url`` no hub is asked, and nothing listens."""

    public_url: str | None = Field(
        None,
        description="Where hubs reach this program from outside, such as https://monitor.example.org/push.",
        max_length=500,
    )
    listen: str = Field(
        "127.0.0.1:8002", description="Host and port on which it listens for them; a reverse proxy passes them on."
    )
    lease: Annotated[
        Duration,
        Field(
            ge=timedelta(hours=1),
            le=timedelta(days=365),
            description="How long a subscription should hold before it is renewed; the hub decides.",
        ),
    ] = timedelta(days=10)

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        if value is not None and not _PUBLIC.fullmatch(value):
            raise ValueError("write an address such as https://monitor.example.org/push: no login, no ?, no #")
        return value and value.rstrip("/")

    @field_validator("listen")
    @classmethod
    def _bindable(cls, value: str) -> str:
        match = _LISTEN.fullmatch(value)
        if match is None or not 0 < int(match[2]) <= _LAST_PORT:
            raise ValueError("write host:port, such as 127.0.0.1:8002 or [::1]:8002")
        return value

    @property
    def place(self) -> tuple[str, int]:
        """Host (without brackets) and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)
