"""The channels of `channels:`, one file each. A new kind of channel is its file and one line in this table.

Importing this loads no network library: a channel does that when it is built, or first sends.
"""

from monitor.alerts.channels import apprise, console, email, file, slack, webhook
from monitor.alerts.channels.channel import ChannelKind

CHANNELS: dict[str, ChannelKind] = {
    "email": ChannelKind(email.EmailSettings, email.build),
    "slack": ChannelKind(slack.SlackSettings, slack.build),
    "webhook": ChannelKind(webhook.WebhookSettings, webhook.build),
    "apprise": ChannelKind(apprise.AppriseSettings, apprise.build),
    "file": ChannelKind(file.FileSettings, file.build),
    "console": ChannelKind(console.ConsoleSettings, console.build),
}
