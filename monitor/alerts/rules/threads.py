"""What lasts, as the alerts of a rule have told it so far: which threads of alerts have no end yet. Pure."""

from collections.abc import Mapping

from storage.alert_records import ToldAlert


def open_threads(told: Mapping[str, ToldAlert], rule: str) -> dict[str, ToldAlert]:
    """Return the start alerts of the rule whose thread has no end alert, by thread, oldest first.

    ``told`` holds earlier alerts by key, as in an Occasion. What became of an alert does not matter: it was raised.
    """
    ours = [alert for alert in told.values() if alert.rule == rule]
    ended = {alert.thread for alert in ours if alert.phase == "end"}
    begun = sorted((alert for alert in ours if alert.phase == "start"), key=lambda alert: (alert.created, alert.key))
    return {alert.thread: alert for alert in begun if alert.thread not in ended}
