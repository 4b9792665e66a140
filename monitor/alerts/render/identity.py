"""The name of a message, the same at each attempt to send it. Pure."""

from hashlib import sha256

from storage.alert_records import Delivery


def mark(delivery: Delivery) -> str:
    """Name an alert on a channel with 32 hexadecimal digits, so that servers and readers see repeats as one message.

    The time of creation keeps a database that starts anew from repeating itself. A message that a person wants once
    more gets another name each time, since mail programs hide what they have seen.
    """
    alert = delivery.alert
    facts = [str(alert.id), alert.created.isoformat(), alert.finding.key, delivery.channel]
    facts += [str(delivery.resends)] if delivery.resends else []
    return sha256("\0".join(facts).encode("utf-8", "replace")).hexdigest()[:32]
