"""Which hubs to ask, when, and what becomes of a subscription with each answer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.websub.protocol import Intent, belongs, one_line
from storage.feed_records import Feed, Fetched, Subscription

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(days=1)
AFTER_REFUSAL = timedelta(days=1)
SHORTEST_RENEWAL = timedelta(minutes=10)
LONGEST_ADDRESS = 2_000
UNVERIFIED = "the hub has not verified the request yet"
_PASSING = (408, 425, 429)  # of the 4xx: "later", and no refusal


@dataclass(frozen=True, slots=True)
class Plan:
    """What brings subscriptions in line with the feeds.

    ``ended`` are subscriptions that no feed wants any more, or not like that; ``wanted`` holds hub and topic by the id
    of each feed that wants one.
    """

    ended: tuple[Subscription, ...]
    wanted: Mapping[int, tuple[str, str]]


def plan(feeds: Sequence[Feed], held: Sequence[Subscription], public_url: str) -> Plan:
    """Compare what is subscribed with what the feeds advertise; another hub, topic or address of ours begins anew."""
    offers = {feed.id: offered for feed in feeds if (offered := _offer(feed))}
    good = {
        one.feed_id
        for one in held
        if offers.get(one.feed_id) == (one.hub, one.topic) and belongs(one.token, public_url)
    }
    ended = tuple(one for one in held if one.feed_id not in good)
    return Plan(ended, {feed_id: offered for feed_id, offered in offers.items() if feed_id not in good})


def _offer(feed: Feed) -> tuple[str, str] | None:
    """Return the hub that a feed advertises and the topic under which the hub knows it; None without a usable hub."""
    hub, topic = feed.hints.hub, feed.hints.topic or feed.address or feed.url
    return (hub, topic) if hub and len(hub) + len(topic) <= LONGEST_ADDRESS else None


def due(held: Sequence[Subscription], now: datetime) -> list[Subscription]:
    """Return the subscriptions to ask for now, those first that wait longest."""
    waiting = [(one.next_try, one) for one in held if one.next_try is not None and one.next_try <= now]
    return [one for _, one in sorted(waiting, key=lambda pair: pair[0])]


def pause(tries: int) -> timedelta:
    """Return the time after the ``tries``-th request that led to nothing: 5 min, 15 min, 45 min ... up to a day."""
    # The exponent is bounded: beyond it the pause is the longest one anyway, and timedelta would overflow.
    return min(FIRST_PAUSE * int(3 ** min(tries - 1, 10)), LONGEST_PAUSE)


def holds(subscription: Subscription, now: datetime) -> bool:
    """Say whether a hub has confirmed a subscription, and its lease has not passed."""
    until = subscription.lease_until
    return subscription.state == "active" and until is not None and until > now


def asking(subscription: Subscription, tries: int, now: datetime) -> Subscription:
    """Return a subscription as it stands while its hub is asked for the ``tries``-th time.

    A lease that runs on stays; should nothing come of the request, it is made again after a pause.
    """
    planned = replace(subscription, next_try=now + pause(tries), error=UNVERIFIED)
    return planned if holds(subscription, now) else replace(planned, state="asked")


def answered(subscription: Subscription, fetched: Fetched, now: datetime) -> Subscription:
    """Return what a hub's answer to our request makes of a subscription.

    Any 2xx: the hub will verify. Other 4xx than "later" are refusals; everything else is tried again as planned, and
    not before the hub wishes.
    """
    status = fetched.status or 0
    if 200 <= status < 300:  # noqa: PLR2004 - the class of statuses that mean yes
        return subscription
    if 400 <= status < 500 and status not in _PASSING:  # noqa: PLR2004 - those that mean no
        return refused(subscription, _reason(fetched), now)
    wish = min(fetched.retry_after or timedelta(0), LONGEST_PAUSE)
    planned = subscription.next_try or now
    error = fetched.error or f"the hub answered with status {status}"
    return replace(subscription, error=error, next_try=max(planned, now + wish))


def verified(subscription: Subscription, intent: Intent, asked: timedelta, now: datetime) -> Subscription:
    """Return a subscription that its hub has verified: it is renewed when two thirds of the lease have passed.

    ``asked`` is the lease that we wished for; it holds where the hub names none.
    """
    lease = intent.lease or asked
    renewal = max(lease * 2 / 3, SHORTEST_RENEWAL)
    return replace(subscription, state="active", lease_until=now + lease, next_try=now + renewal, error=None)


def refused(subscription: Subscription, reason: str, now: datetime) -> Subscription:
    """Return a subscription that its hub does not want; it is asked again after a day, because hubs change too."""
    error = one_line(reason) or "the hub refused and gave no reason"
    return replace(subscription, state="refused", lease_until=None, next_try=now + AFTER_REFUSAL, error=error)


def _reason(fetched: Fetched) -> str:
    """Return why a hub refused: its own words where they are plain text, else what the status says."""
    said = ""
    if fetched.body and fetched.headers.get("content-type", "text/plain").startswith("text/plain"):
        said = one_line(fetched.body[:1_000].decode("utf-8", "replace"))
    return said or fetched.error or f"the hub answered with status {fetched.status}"
