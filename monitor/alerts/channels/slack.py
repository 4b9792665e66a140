"""The channel `slack`: Block Kit by an incoming webhook, or by an app's bot token.

A webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) knows nothing of what it posted
before: each alert is a new message. With a token (slack_bot.py), what goes on with an alert updates its message.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from monitor.alerts.channels.address import secret_address, web_target
from monitor.alerts.channels.channel import Answer, Channel, ChannelSettings, Poster, Surroundings
from monitor.alerts.channels.event import written
from monitor.alerts.channels.slack_bot import SlackBot
from monitor.alerts.render.slack import payload
from monitor.alerts.wording import one_line
from monitor.errors import ChannelError, ConfigError
from monitor.settings import Duration, SecretName
from storage.alert_records import Delivery, Sent

# What the webhook's short error codes mean for the one who reads them.
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


def _private_way(address: str) -> str:
    """Return the address of an interface that a token may be sent to."""
    target = web_target(address)
    if target.scheme != "https" and not _is_this_machine(target.host):
        raise ValueError("the token would go there in clear text; write an https address")
    return address.rstrip("/") + "/"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SlackSettings(ChannelSettings):
    """Post alerts to a Slack channel: by an incoming webhook, or by an app's bot token."""

    type: Literal["slack"]
    webhook_env: SecretName | None = Field(
        None, description="Name of the environment variable that holds the webhook's address (a secret)."
    )
    token_env: SecretName | None = Field(
        None,
        description="In place of a webhook: name of the environment variable that holds a bot token (xoxb-…, a secret) "
        "with the scope chat:write. Updates of an alert then change its message and answer in its thread.",
    )
    channel: Annotated[str, StringConstraints(pattern=r"^#?[^\s#@<>:,]{1,80}$")] | None = Field(
        None, description="With token_env: the channel's ID, such as C0123456789, or its name; invite the app there."
    )
    api: Annotated[str, AfterValidator(_private_way)] = Field(
        "https://slack.com/api/", description="Slack's interface, or that of a proxy or a compatible server."
    )
    timeout: Duration = Field(default=timedelta(seconds=30), gt=timedelta(0), description="Limit for each request.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.webhook_env is None) == (self.token_env is None):
            raise ValueError("give either webhook_env, or token_env and channel")
        if (self.token_env is None) != (self.channel is None):
            raise ValueError("token_env and channel belong together: a webhook has its channel already")
        return self


@dataclass(frozen=True, slots=True)
class SlackWebhook:
    """Posts a delivery to the webhook."""

    settings: SlackSettings
    poster: Poster
    webhook: str = field(repr=False)

    async def send(self, delivery: Delivery) -> Sent:
        """Post the alert. Raises ChannelError unless Slack answers 200 and ``ok``."""
        headers = {"Content-Type": "application/json; charset=utf-8"}
        body = written(payload(delivery.alert))
        answer = await self.poster.post(self.webhook, body, headers, self.settings.timeout)
        if (answer.status, answer.text) != (200, "ok"):
            raise self._refusal(answer)
        return Sent()

    def _refusal(self, answer: Answer) -> ChannelError:
        told = f"{web_target(self.webhook).site} answered {answer.status} {one_line(answer.text, 100)}".rstrip()
        if answer.status == 429:  # noqa: PLR2004 - HTTP 429, too many requests
            return ChannelError(f"{told}: too many messages", retry_after=answer.retry_after)
        if answer.status >= 500 or answer.status in (200, 408):  # noqa: PLR2004 - HTTP server errors; 408 is a timeout
            return ChannelError(f"{told}, not ok", retry_after=answer.retry_after)
        meaning = _MEANINGS.get(answer.text, _redirected(answer.status) or "the message was refused")
        return ChannelError(f"{told}: {meaning} (webhook in {self.settings.webhook_env})", retry=False)


def _redirected(status: int) -> str | None:
    return "it points elsewhere, which is not followed" if 300 <= status < 400 else None  # noqa: PLR2004 - HTTP 3xx


def build(settings: SlackSettings, around: Surroundings) -> Channel:
    """Build the channel. Raises ConfigError when the secret is missing or makes no sense."""
    if settings.token_env:
        token = around.read_secret(settings.token_env).strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigError(f"{settings.token_env} does not hold a token; a bot token of Slack looks like xoxb-…")
        to = settings.channel or ""
        return SlackBot(settings.api, to, settings.timeout, settings.token_env, around.poster, token)
    example = "a Slack webhook looks like https://hooks.slack.com/services/…"
    webhook = secret_address(around.read_secret, settings.webhook_env or "", example)
    return SlackWebhook(settings, around.poster, webhook)
