"""The channel `webhook`: one POST of a CloudEvent to an address of yours, signed if you give a secret.

The event is written in structured JSON (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md),
its data as event.py says. The signature is that of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
so that a library of any language checks it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from monitor.alerts.channels.address import secret_address, web_target
from monitor.alerts.channels.channel import Answer, ChannelSettings, Poster, ReadSecret, Surroundings
from monitor.alerts.channels.event import cloud_event, written
from monitor.alerts.wording import one_line
from monitor.errors import ChannelError, ConfigError
from monitor.settings import Duration, SecretName
from storage.alert_records import Delivery, Sent

_PREFIX = "whsec_"
# What is asked for again; every other status from 300 to 499 is an answer for good.
_FOR_NOW = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it asks for a login: check the address and the secret",
    HTTPStatus.FORBIDDEN: "it does not let this program in: check the address and the secret",
    HTTPStatus.NOT_FOUND: "there is nothing at this address: check it",
    HTTPStatus.METHOD_NOT_ALLOWED: "it takes no POST there: check the address",
    HTTPStatus.GONE: "it is gone for good: give another address, or remove the channel",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the message is too large for it",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "it does not take application/cloudevents+json",
}


def _open_address(url: str) -> str:
    if web_target(url).authorization is not None:
        raise ValueError("an address with a login is a secret: put it into a variable, and name that in url_env")
    return url


class WebhookSettings(ChannelSettings):
    """Post alerts as CloudEvents to a web server of yours."""

    type: Literal["webhook"]
    url: Annotated[str, AfterValidator(_open_address)] | None = Field(
        None, description="Where to post to, when the address is no secret."
    )
    url_env: SecretName | None = Field(
        None, description="Name of the environment variable that holds the address (a secret)."
    )
    secret_env: SecretName | None = Field(
        None,
        description="Name of the environment variable that holds the key of the signature: whsec_ and base64, or any "
        "text. Without it nothing is signed.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), gt=timedelta(0), description="Limit for one whole attempt."
    )

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give either url, or url_env when the address is a secret")
        return self


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts a delivery."""

    settings: WebhookSettings
    poster: Poster
    now: Callable[[], datetime]
    url: str = field(repr=False)
    key: bytes = field(repr=False)

    async def send(self, delivery: Delivery) -> Sent:
        """Post the alert. Raises ChannelError unless the server answers with a status of success (2xx)."""
        event = cloud_event(delivery)
        body = written(event)
        headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
        headers |= signed(event["id"], self.now(), body, self.key)
        answer = await self.poster.post(self.url, body, headers, self.settings.timeout)
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise self._refusal(answer)
        return Sent()

    def _refusal(self, answer: Answer) -> ChannelError:
        told = f"{urlsplit(self.url).hostname} answered {answer.status} {one_line(answer.text, 100)}".rstrip()
        if answer.status in _FOR_NOW or not _for_good(answer.status):
            return ChannelError(f"{told}: not taken", retry_after=answer.retry_after)
        where = f"address in {self.settings.url_env}" if self.settings.url_env else "field url"
        return ChannelError(f"{told}: {_hint(answer.status)} ({where})", retry=False)


def _for_good(status: int) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _hint(status: int) -> str:
    redirected = status < HTTPStatus.BAD_REQUEST
    usual = "it points elsewhere, which is not followed: give the new address" if redirected else "it was refused"
    return _HINTS.get(status, usual)


def signed(event_id: str, now: datetime, body: bytes, key: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks; the signature only with a key."""
    stamp = str(int(now.timestamp()))
    headers = {"webhook-id": event_id, "webhook-timestamp": stamp}
    if key:
        made = hmac.new(key, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(made).decode('ascii')}"
    return headers


def _key(read_secret: ReadSecret, name: str) -> bytes:
    text = read_secret(name).strip()
    if not text.startswith(_PREFIX):
        return text.encode()
    encoded = text.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        key = b""
    if not key:
        raise ConfigError(f"{name} begins with {_PREFIX} and goes on with something that is no base64: copy it again")
    return key


def build(settings: WebhookSettings, around: Surroundings) -> WebhookChannel:
    """Build the channel. Raises ConfigError when a secret is missing or makes no sense."""
    read = around.read_secret
    example = "it looks like https://example.org/hooks/…"
    url = settings.url or secret_address(read, settings.url_env or "", example)
    key = _key(read, settings.secret_env) if settings.secret_env else b""
    return WebhookChannel(settings, around.poster, around.now, url, key)
