"""What goes over the wire between a subscriber and a hub (W3C WebSub, 2018): addresses, forms, signatures. Pure."""

import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Literal
from urllib.parse import parse_qsl

from monitor.websub.settings import WebSubSettings
from storage.feed_records import Subscription

Mode = Literal["subscribe", "unsubscribe"]

SIGNATURE = "x-hub-signature"
LONGEST_LEASE = timedelta(days=90)
_ACCEPTED = ("sha256", "sha384", "sha512")
_MAX_FIELDS = 50
_MAX_REASON = 200
_LEASE = re.compile(r"[0-9]{1,12}")
_PLAIN_HTTP = re.compile(r"http://([^/?#:@\[\]]+)(?=[/?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Intent:
    """What a hub asks of our callback address, byte for byte: to confirm a request of ours, or to hear of a refusal.

    ``challenge`` is what a confirmation repeats. ``lease`` is None where the hub names none that makes sense.
    """

    mode: str
    topic: str
    challenge: bytes = b""
    lease: timedelta | None = None
    reason: str = ""


# Addresses


def new_token(public_url: str, random: str) -> str:
    """Return the last part of a new callback address: ``random`` after a digest of the address it belongs to."""
    return f"{_digest(public_url)}-{random}"


def belongs(token: str, public_url: str) -> bool:
    """Say whether a token was made for this public address: hubs know it under no other."""
    return token.startswith(f"{_digest(public_url)}-")


def callback(public_url: str, token: str) -> str:
    """Return the address at which one hub reaches us about one feed. It cannot be guessed."""
    return f"{public_url}/{token}"


def token_in(path: str) -> str:
    """Return the token in a request's path, whatever a proxy made of the part before it."""
    return path.rsplit("/", 1)[-1]


def asked_at(hub: str) -> str:
    """Return where a hub is asked: over TLS, because the request holds the secret (WebSub, 5.1 and 8).

    Only a hub that names a port of its own is taken at its word.
    """
    return _PLAIN_HTTP.sub(r"https://\1", hub, count=1)


def _digest(public_url: str) -> str:
    return blake2b(public_url.encode(), digest_size=4).hexdigest()


# What we send


def form(mode: Mode, subscription: Subscription, settings: WebSubSettings) -> dict[str, str]:
    """Return the form that asks a hub for a subscription, or for its end (WebSub, 5.1)."""
    fields = {
        "hub.mode": mode,
        "hub.topic": subscription.topic,
        "hub.callback": callback(settings.public_url or "", subscription.token),
        "hub.verify": "async",  # PubSubHubbub 0.3, which some hubs still speak, demands it; the others ignore it
    }
    if mode == "subscribe":
        fields["hub.lease_seconds"] = str(int(settings.lease.total_seconds()))
        fields["hub.secret"] = subscription.secret
    return fields


# What we are sent


def read_intent(query: bytes) -> Intent | None:
    """Read the query with which a hub verifies intent or refuses (WebSub, 5.2 and 5.3); None when it is neither."""
    try:
        # Bytes that are no UTF-8 are escaped here and put back below: the challenge is repeated byte for byte.
        text = query.decode("utf-8", "surrogateescape")
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None
    fields = dict(reversed(pairs))  # of a repeated name the first
    mode, topic = fields.get("hub.mode"), fields.get("hub.topic")
    if mode is None or topic is None:
        return None
    challenge = fields.get("hub.challenge", "").encode("utf-8", "surrogateescape")
    return Intent(mode, topic, challenge, _lease(fields.get("hub.lease_seconds", "")), fields.get("hub.reason", ""))


def _lease(text: str) -> timedelta | None:
    if not _LEASE.fullmatch(text) or not int(text):
        return None
    return min(timedelta(seconds=int(text)), LONGEST_LEASE)


def flaw(signature: str | None, secret: str, body: bytes) -> str | None:
    """Say what is wrong with a push's signature (WebSub, 7.1); None when it is good.

    At least SHA-256 is required: SHA-1, which WebSub still permits, is not accepted.
    """
    if not signature:
        return "not signed"
    method, _, digest = signature.strip().partition("=")
    if method.lower() not in _ACCEPTED:
        return f"signed with {one_line(method)[:20]}, and sha256 is required"
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    good = hmac.compare_digest(expected.encode(), digest.lower().encode("utf-8", "surrogateescape"))
    return None if good else "signed with another secret, or changed on the way"


def one_line(text: str) -> str:
    """Return what a stranger says as one short printable line."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:_MAX_REASON]
