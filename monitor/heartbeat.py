"""A ping to somebody else's server on every good cycle, so that they notice when this host is gone.

The other side is a dead man's switch such as healthchecks.io or a push monitor of Uptime Kuma: it alerts when no ping
has come for longer than agreed there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self

import structlog
from pydantic import AfterValidator, Field, model_validator

from monitor.settings import Duration, SecretName, Settings, web_address

if TYPE_CHECKING:
    from monitor.feeds.fetch import Fetcher

RETRY = timedelta(minutes=1)
"""A ping that failed is repeated so soon: one that was lost must alarm nobody."""
_TAKEN = range(200, 300)

log = structlog.get_logger()


class HeartbeatSettings(Settings):
    """Where to ping, and how often. `heartbeat: https://…` alone means the address."""

    url: Annotated[str, AfterValidator(web_address)] | None = Field(None, description="The address that is asked.")
    url_env: SecretName | None = Field(
        None, description="Name of an environment variable that holds the address, where it is to be kept secret."
    )
    every: Duration = Field(timedelta(minutes=5), ge=timedelta(seconds=10), description="Time between two pings.")

    @model_validator(mode="before")
    @classmethod
    def _address_alone(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give the address as `url` or, by the name of a variable, as `url_env`: exactly one")
        return self


class Heartbeat:
    """Pings when it is time; that it fails, or works again, is logged once."""

    def __init__(self, url: str, every: timedelta, fetcher: "Fetcher", now: Callable[[], datetime]) -> None:
        self._url, self._every, self._fetcher, self._now = url, every, fetcher, now
        self._last: datetime | None = None
        self._failed = False

    async def beat(self) -> None:
        """Ping, unless the last time was not long enough ago. A failure is logged and changes nothing else."""
        now = self._now()
        wait = min(RETRY, self._every) if self._failed else self._every
        if self._last is not None and abs(now - self._last) < wait:
            return
        self._last = now
        answer = await self._fetcher.get(self._url, now)
        failed = answer.status not in _TAKEN  # it need not be a document, as that of a feed
        if failed and not self._failed:
            log.warning("heartbeat.failed", error=answer.error)
        elif self._failed and not failed:
            log.info("heartbeat.recovered")
        self._failed = failed
