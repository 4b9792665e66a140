"""A message was given up: the other channels tell of it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from shlex import quote

from monitor.alerts.wording import one_line
from storage.alert_records import Delivery, Finding, Retry

KIND = "delivery"
"""The kind of these alerts; none of them leads to another one."""


def notice(delivery: Delivery, retry: Retry, channels: Sequence[str], now: datetime) -> Finding | None:
    """Return what the other channels tell when a delivery was given up: once a day for each channel that fails.

    None while it is still tried, when it was such a notice itself, and where there is no other channel.
    """
    finding = delivery.alert.finding
    others = tuple(name for name in channels if name != delivery.channel)
    if retry.at is not None or finding.kind == KIND or not others:
        return None
    name = one_line(delivery.channel, 40)
    return Finding(
        rule=KIND,
        kind=KIND,
        key=f"{KIND}:{delivery.channel}:{now:%Y-%m-%d}",
        severity="critical",
        topic="",
        headline=f"Channel “{name}” does not deliver: an alert was given up",
        explanation=(
            f"“{one_line(finding.headline, 150)}” did not get through: {one_line(retry.error, 400)}. It is kept, and "
            "so is every other alert for this channel. Further ones that are given up today are not told one by one."
        ),
        send=others,
        advice=f"Mend the cause, try it with `monitor alerts test {quote(name)}`, then run `monitor deliver --failed`.",
        zone=finding.zone,
    )
