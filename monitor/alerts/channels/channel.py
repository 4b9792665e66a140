"""The one seam between an alert and a server that takes messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from monitor.settings import Settings
from storage.alert_records import Delivery, Sent

ReadSecret = Callable[[str], str]


class ChannelSettings(Settings):
    """What every channel's settings share: their kind, the name of a row of the CHANNELS table."""

    type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server said: its status, the beginning of its body as text, and when it wants to be asked again."""

    status: int
    text: str
    retry_after: timedelta | None = None


class Poster(Protocol):
    """Posts to web servers, under the same rules of addresses as fetches."""

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout: timedelta,  # noqa: ASYNC109 - a setting of the channel
        *,
        secrets: tuple[str, ...] = (),
    ) -> Answer:
        """Post once, following no redirect. ``secrets`` (and the address's path) never show in what it raises.

        Raises ChannelError when no answer came: `retry` says whether sending again can help.
        """


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel may use of the world around it. ``now`` is the clock."""

    read_secret: ReadSecret
    poster: Poster
    now: Callable[[], datetime]


class Channel(Protocol):
    """Takes one delivery to its server, or raises ChannelError. Sending twice must look like one message twice."""

    async def send(self, delivery: Delivery) -> Sent:
        """Deliver; return only after the server has said that it took the message.

        Raises ChannelError; one with ``reached`` when some recipients took it and others may do so later.
        """


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """A row of the CHANNELS table: the settings a channel reads from feeds.yaml, and how it is built from them."""

    settings: type[ChannelSettings]
    build: Callable[[Any, Surroundings], Channel]
