"""The channels of `channels:`, one file each. A new kind of channel is its file and one line in this table.

Importing this loads no network library: a channel does that when it first sends.
"""

from monitor.alerts.channels import console, email, slack
from monitor.alerts.channels.channel import ChannelKind

CHANNELS: dict[str, ChannelKind] = {
    "email": ChannelKind(email.EmailSettings, email.build),
    "slack": ChannelKind(slack.SlackSettings, slack.build),
    "console": ChannelKind(console.ConsoleSettings, console.build),
}
