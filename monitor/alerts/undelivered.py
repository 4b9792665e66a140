"""A message was given up: the other channels tell of it. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from shlex import quote

from monitor.alerts.wording import one_line
from storage.alert_records import Delivery, Finding, Retry

KIND = "delivery"
"""The kind of these alerts; none of them leads to another one."""


def notice(delivery: Delivery, retry: Retry, channels: Sequence[str], now: datetime) -> Finding | None:
    """Return what the other channels tell when a delivery was given up: once a day for each channel that fails.

    ``channels`` are those of feeds.yaml. None while it is still tried, when it was such a notice itself, where there is
    no other channel, and where the channel has left feeds.yaml and others were meant to get the alert too.
    """
    finding = delivery.alert.finding
    others = tuple(name for name in channels if name != delivery.channel)
    if retry.at is not None or finding.kind == KIND or not others:
        return None
    if delivery.channel in channels:
        return _failing(delivery, retry, others, now)
    return None if set(finding.send) & set(others) else _gone(delivery, others, now)


def _failing(delivery: Delivery, retry: Retry, others: tuple[str, ...], now: datetime) -> Finding:
    name = one_line(delivery.channel, 40)
    return replace(
        _finding(delivery, others, now),
        severity="critical",
        headline=f"Channel “{name}” does not deliver: an alert was given up",
        explanation=(
            f"{_named(delivery)} did not get through: {one_line(retry.error, 400)}. It is kept, and so is every other "
            "alert for this channel. Further ones that are given up today are not told one by one."
        ),
        advice=f"Mend the cause, try it with `monitor alerts test {quote(name)}`, then run `monitor deliver --failed`.",
    )


def _gone(delivery: Delivery, others: tuple[str, ...], now: datetime) -> Finding:
    name = one_line(delivery.channel, 40)
    return replace(
        _finding(delivery, others, now),
        headline=f"An alert was meant for channel “{name}”, which has left feeds.yaml",
        explanation=f"{_named(delivery)} was told nobody else. It is kept, and so is every other one for this channel.",
        advice=f"Have it sent to another one: `monitor alerts resend {delivery.alert.id} {quote(others[0])}`.",
    )


def _finding(delivery: Delivery, others: tuple[str, ...], now: datetime) -> Finding:
    key = f"{KIND}:{delivery.channel}:{now:%Y-%m-%d}"
    return Finding(KIND, KIND, key, "info", "", "", "", others, zone=delivery.alert.finding.zone)


def _named(delivery: Delivery) -> str:
    return f"“{one_line(delivery.alert.finding.headline, 150)}”"
