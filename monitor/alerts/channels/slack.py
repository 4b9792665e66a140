"""The channel `slack`: one POST of Block Kit to an incoming webhook.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import Field

from monitor.alerts.channels.channel import ChannelSettings, ReadSecret
from monitor.alerts.render.slack import payload
from monitor.alerts.wording import one_line
from monitor.errors import ChannelError, ConfigError
from monitor.settings import Duration, SecretName, format_duration
from storage.alert_records import Delivery

if TYPE_CHECKING:
    import httpx

# What Slack's short error codes mean for the one who reads them.
_MEANINGS = {
    "no_service": "the webhook was removed or switched off: make a new one",
    "no_service_id": "the address is incomplete: copy it again",
    "no_team": "the workspace is gone, or the address is incomplete: copy it again",
    "invalid_token": "the address is wrong: copy it again",
    "channel_is_archived": "the channel is archived: choose another for the webhook",
    "channel_not_found": "the channel was deleted: make a webhook for another",
    "action_prohibited": "an administrator has restricted posting there",
    "posting_to_general_channel_denied": "an administrator has restricted posting in #general",
}
_BODY_READ = 500


class SlackSettings(ChannelSettings):
    """Post alerts to a Slack channel by an incoming webhook."""

    type: Literal["slack"]
    webhook_env: SecretName = Field(
        description="Name of the environment variable that holds the webhook's address (a secret)."
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), gt=timedelta(0), description="Limit for one whole attempt."
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str
    retry_after: timedelta | None


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """Posts a delivery to the webhook."""

    settings: SlackSettings
    webhook: str = field(repr=False)

    async def send(self, delivery: Delivery) -> None:
        """Post the alert. Raises ChannelError unless Slack answers 200 and ``ok``."""
        import httpx  # noqa: PLC0415 - keeps `monitor --help` fast

        try:
            async with asyncio.timeout(self.settings.timeout.total_seconds()):
                answer = await _post(self.webhook, payload(delivery.alert))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ChannelError(f"{self._host} did not answer within {self._limit}") from error
        except (httpx.HTTPError, OSError) as error:
            raise ChannelError(f"{self._host} cannot be reached: {self._tell(str(error))}") from error
        except httpx.InvalidURL:
            raise ChannelError(f"{self.settings.webhook_env} holds no usable web address", retry=False) from None
        if (answer.status, answer.text) != (200, "ok"):
            raise self._refusal(answer)

    def _refusal(self, answer: _Answer) -> ChannelError:
        told = f"{self._host} answered {answer.status} {self._tell(answer.text)}".rstrip()
        if answer.status == 429:  # noqa: PLR2004 - HTTP 429, too many requests
            return ChannelError(f"{told}: too many messages", retry_after=answer.retry_after)
        if answer.status >= 500 or answer.status in (200, 408):  # noqa: PLR2004 - HTTP server errors; 408 is a timeout
            return ChannelError(f"{told}, not ok", retry_after=answer.retry_after)
        meaning = _MEANINGS.get(answer.text, _redirected(answer.status) or "the message was refused")
        return ChannelError(f"{told}: {meaning} (webhook in {self.settings.webhook_env})", retry=False)

    def _tell(self, text: str) -> str:
        """Return foreign text on one short line, without the secret should it echo there."""
        for secret in (self.webhook, urlsplit(self.webhook).path):
            text = text.replace(secret, "…") if len(secret) > 1 else text
        return one_line(text, 100)

    @property
    def _host(self) -> str:
        return urlsplit(self.webhook).hostname or "Slack"

    @property
    def _limit(self) -> str:
        return format_duration(self.settings.timeout)


def _redirected(status: int) -> str | None:
    return "it points elsewhere, which is not followed" if 300 <= status < 400 else None  # noqa: PLR2004 - HTTP 3xx


async def _post(url: str, body: dict[str, object]) -> _Answer:
    """Send without httpx.AsyncClient: it would write the address, which is a secret, into the log.

    A transport alone also follows no redirect and reads no proxy from the environment.
    """
    import httpx  # noqa: PLC0415 - keeps `monitor --help` fast

    request = httpx.Request("POST", url, json=body, headers={"Accept-Encoding": "identity"})
    async with httpx.AsyncHTTPTransport(trust_env=False) as transport:
        response = await transport.handle_async_request(request)
        try:
            text = await _beginning(response)
        finally:
            await response.aclose()
    return _Answer(response.status_code, text, _wish(response.headers.get("Retry-After", "")))


async def _beginning(response: "httpx.Response") -> str:
    """Read the first bytes of the answer: the rest of a large one cannot matter."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= _BODY_READ:
            break
    return body[:_BODY_READ].decode("utf-8", "replace").strip()


def _wish(retry_after: str) -> timedelta | None:
    # Slack writes seconds, of the two forms that RFC 9110 allows.
    return timedelta(seconds=min(int(retry_after), 86400)) if retry_after.isascii() and retry_after.isdigit() else None


def build(settings: SlackSettings, read_secret: ReadSecret) -> SlackChannel:
    """Build the channel. Raises ConfigError when the secret is missing or is no web address."""
    webhook = read_secret(settings.webhook_env).strip()
    try:
        parts = urlsplit(webhook)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not webhook.isascii() or not webhook.isprintable() or " " in webhook:
        raise ConfigError(
            f"{settings.webhook_env} does not hold a web address; "
            "a Slack webhook looks like https://hooks.slack.com/services/…"
        )
    return SlackChannel(settings, webhook)
