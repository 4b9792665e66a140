"""The one seam between an alert and a server that takes messages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from monitor.settings import Settings
from storage.records import Delivery

ReadSecret = Callable[[str], str]


class ChannelSettings(Settings):
    """What every channel's settings share: their kind, the name of a row of the CHANNELS table."""

    type: str


class Channel(Protocol):
    """Takes one delivery to its server, or raises ChannelError. Sending twice must look like one message twice."""

    async def send(self, delivery: Delivery) -> None:
        """Deliver; return only after the server has said that it took the message."""


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """A row of the CHANNELS table: the settings a channel reads from feeds.yaml, and how it is built from them."""

    settings: type[ChannelSettings]
    build: Callable[[Any, ReadSecret], Channel]
