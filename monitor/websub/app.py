"""The web application that hubs talk to: ASGI, two methods, one address for each subscription.

It is open to the whole internet: what it is sent is small, cut off in time, and repeated to nobody but a hub that
knows the token, and of that only the challenge.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import structlog

from monitor.websub.inbox import Inbox, Push
from monitor.websub.limits import Limits
from monitor.websub.protocol import SIGNATURE, flaw, read_intent, token_in
from monitor.websub.subscriber import Subscriber
from storage.feed_records import Feed, Subscription

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LATER_SECONDS = 60

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as plain text."""

    status: int
    body: bytes = b""
    extra: tuple[tuple[bytes, bytes], ...] = ()


OK = Answer(200)
UNKNOWN = Answer(404, b"not found\n")
CUT = Answer(400, b"cut short\n")  # which nobody hears any more
NOT_ALLOWED = Answer(405, b"method not allowed\n", ((b"allow", b"GET, POST"),))
TOO_SLOW = Answer(408, b"too slow\n")
TOO_LARGE = Answer(413, b"too large\n")
ENCODED = Answer(415, b"send it without a content encoding\n")
FAULT = Answer(500, b"internal error\n")
LATER = Answer(503, b"later\n", ((b"retry-after", b"%d" % LATER_SECONDS),))


class _Refused(Exception):
    """A body that is not taken; ``answer`` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class App:
    """Answers hubs: GET verifies intent, POST brings content."""

    def __init__(self, subscriber: Subscriber, inbox: Inbox, limits: Limits) -> None:
        self._limits = limits
        self._subscriber = subscriber
        self._inbox = inbox
        self._bodies = asyncio.Semaphore(limits.bodies_at_once)
        self._turns = WeakValueDictionary[str, asyncio.Lock]()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        try:
            answer = await self._answer(scope, receive)
        except Exception:
            log.exception("websub.fault")
            answer = FAULT
        length = (b"content-length", b"%d" % len(answer.body))
        # One request for each connection: they are few, and what is left of a body that was refused needs no reading.
        headers = [*_ALWAYS, length, *answer.extra]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Message, receive: Receive) -> Answer:
        token = token_in(scope["path"])
        known = self._subscriber.find(token)
        if scope["method"] == "GET":
            return await self._hear(token, scope["query_string"])
        if known is None:
            return UNKNOWN
        if scope["method"] != "POST":
            return NOT_ALLOWED
        return await self._take(*known, _headers(scope), receive)

    async def _hear(self, token: str, query: bytes) -> Answer:
        intent = read_intent(query)
        said = await self._subscriber.hear(token, intent) if intent else None
        return UNKNOWN if said is None else Answer(200, said)

    async def _take(self, subscription: Subscription, feed: Feed, headers: dict[str, str], receive: Receive) -> Answer:
        try:
            # Its own turn first: a hub that pushes slowly holds one of the places, and not all of them.
            own = self._turns.setdefault(subscription.token, asyncio.Lock())
            async with asyncio.timeout(self._limits.body_seconds), own, self._bodies:
                body = await _body(headers, receive, self._limits.body_bytes)
        except TimeoutError:
            return TOO_SLOW
        except _Refused as refused:
            return refused.answer
        if why := flaw(headers.get(SIGNATURE), subscription.secret, body):
            log.warning("websub.forged", feed=feed.name, reason=why)
            await self._subscriber.note(subscription.token, why)
            return OK  # as WebSub, 7.1 has it: whoever tries secrets must not learn from the answer
        if not self._inbox.put(Push(feed, body, headers)):
            log.warning("websub.full", feed=feed.name, bytes=len(body))
            return LATER
        log.info("websub.pushed", feed=feed.name, bytes=len(body))
        return OK


_ALWAYS = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"x-content-type-options", b"nosniff"),
    (b"connection", b"close"),
)


def _headers(scope: Message) -> dict[str, str]:
    """Return the headers decoded as latin-1, names in lower case; of a repeated name the first."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


async def _body(headers: dict[str, str], receive: Receive, most: int) -> bytes:
    """Read a body of at most ``most`` bytes; _Refused when it is larger, encoded or cut short."""
    if headers.get("content-encoding", "identity") != "identity":
        raise _Refused(ENCODED)
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise _Refused(TOO_LARGE)
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(CUT)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            raise _Refused(TOO_LARGE)
    return bytes(body)
