"""The channel `console`: prints the text form to standard output, so that a first run needs no secret."""

import sys
from dataclasses import dataclass
from typing import Literal

from monitor.alerts.channels.channel import ChannelSettings, Surroundings
from monitor.alerts.render.text import text
from monitor.errors import ChannelError
from storage.alert_records import Delivery, Sent


class ConsoleSettings(ChannelSettings):
    """Print alerts to standard output."""

    type: Literal["console"]


@dataclass(frozen=True, slots=True)
class ConsoleChannel:
    """Prints a delivery."""

    settings: ConsoleSettings

    async def send(self, delivery: Delivery) -> Sent:
        """Print the alert. Raises ChannelError when standard output is closed or full."""
        # A terminal that cannot show a character shows a question mark instead of failing.
        encoding = sys.stdout.encoding or "utf-8"
        shown = f"\n{text(delivery.alert)}".encode(encoding, "replace").decode(encoding)
        try:
            sys.stdout.write(shown)
            sys.stdout.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            raise ChannelError(f"standard output does not take the alert: {error}") from error
        return Sent()


def build(settings: ConsoleSettings, _around: Surroundings) -> ConsoleChannel:
    """Build the channel."""
    return ConsoleChannel(settings)
