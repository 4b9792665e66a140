"""The channel `apprise`: one of the hundred other services that the library Apprise knows, as plain text.

https://appriseit.com/services/ lists them and how their addresses are written. The library is an extra, and connects
by itself: the rules of addresses in fetch.allow are not asked.
"""

import asyncio
import logging
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from monitor.alerts.channels.channel import ChannelSettings, Surroundings
from monitor.alerts.render.content import content
from monitor.alerts.render.text import text
from monitor.alerts.wording import one_line
from monitor.errors import ChannelError, ConfigError
from monitor.settings import Duration, SecretName, format_duration
from storage.alert_records import Delivery, Sent

if TYPE_CHECKING:
    from apprise import Apprise, AppriseResult

# Services that take text as it is may still call everybody, or read a tag: letters of the same looks take their place.
_CALL = re.compile(r"@(?=(?:everyone|here|channel|all|room)\b)", re.IGNORECASE)
_ANGLES = str.maketrans(
    {"<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"}
)
_LONG_PIECE = 5
"""A part of an address that is at least so long may be what makes it a secret."""


class AppriseSettings(ChannelSettings):
    """Send alerts by a service that Apprise knows: Teams, Telegram, Discord, ntfy, Pushover, ..."""

    type: Literal["apprise"]
    url_env: SecretName = Field(
        description="Name of the environment variable that holds the service's address, such as tgram://token/chat "
        "(a secret): one service to a channel."
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), gt=timedelta(0), description="Limit for one whole attempt."
    )


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """Hands a delivery to Apprise."""

    settings: AppriseSettings
    service: "Apprise" = field(repr=False)
    url: str = field(repr=False)

    async def send(self, delivery: Delivery) -> Sent:
        """Send the alert. Raises ChannelError unless the service took it."""
        alert, limit = delivery.alert, self.settings.timeout
        title, body = _harmless(content(alert).headline), _harmless(text(alert))
        try:
            async with asyncio.timeout(limit.total_seconds()):
                outcome = await self.service.async_notify(body=body, title=title, body_format="text")
        except TimeoutError:
            raise ChannelError(f"{self._told} did not answer within {format_duration(limit)}") from None
        if not outcome:
            raise ChannelError(f"{self._told} did not take the message: {self._reason(outcome)}")
        return Sent()

    @property
    def _told(self) -> str:
        return f"the service in {self.settings.url_env}"

    def _reason(self, outcome: "AppriseResult") -> str:
        """Return what Apprise said last, without the parts of the address."""
        said = [entry.message for entry in outcome.logs()]
        reason = one_line(said[-1], 200) if said else "it gave no reason; try it with `monitor alerts test`"
        for piece in sorted(re.split(r"[/:?&=@,]", self.url), key=len, reverse=True):
            reason = reason.replace(piece, "…") if len(piece) >= _LONG_PIECE else reason
        return reason


def _harmless(text: str) -> str:
    return _CALL.sub("\N{FULLWIDTH COMMERCIAL AT}", text).translate(_ANGLES)


def _muted() -> None:
    """Keep Apprise, and what it connects with, from writing addresses into the log."""
    for name in ("apprise", "urllib3", "requests"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers = [logging.NullHandler()]
        logger.setLevel(logging.WARNING)


def build(settings: AppriseSettings, around: Surroundings) -> AppriseChannel:
    """Build the channel. Raises ConfigError when Apprise is not installed, or does not know the address."""
    url = around.read_secret(settings.url_env).strip()
    _muted()
    try:
        from apprise import Apprise  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError("Apprise is not installed: pip install 'ai-market-monitor[apprise]'") from None
    service = Apprise()
    if not service.add(url) or len(service) != 1:
        raise ConfigError(
            f"{settings.url_env} does not hold the address of one service that Apprise knows; "
            "https://appriseit.com/services/ says how it is written"
        )
    for one in service:  # it waits in a thread, which ends a little after an attempt was given up
        one.socket_connect_timeout = one.socket_read_timeout = 2 * settings.timeout.total_seconds()
    return AppriseChannel(settings, service, url)
