"""A feed document as it was read, and its way through the pipe between the worker and us. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitor.errors import ParseError
from storage.feed_records import Entry, Hints


@dataclass(frozen=True, slots=True)
class Document:
    """What a document holds. ``found`` counts all entries in it; ``entries`` are the newest of them, cleaned.

    ``hints`` is what it says about asking for it. ``sound`` is False when it had to be mended: what its entries are may
    then depend on each other, and they cannot be read one by one (see monitor.feeds.slices).
    """

    title: str = ""
    lang: str | None = None
    found: int = 0
    entries: tuple[Entry, ...] = ()
    hints: Hints = field(default_factory=Hints)
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """A document to read: what came over HTTP, what the user says about its language, and what reading may cost.

    ``cpu_seconds`` is processor time; ``limit`` the most entries wanted.
    """

    body: bytes
    headers: Mapping[str, str]
    url: str
    lang: str | None
    now: datetime
    cpu_seconds: float = 10.0
    limit: int = 500


def pack_request(request: Request) -> bytes:
    """Write a request: one line of JSON, then the body as it is."""
    head = {
        "headers": dict(request.headers),
        "url": request.url,
        "lang": request.lang,
        "now": request.now.isoformat(),
        "cpu_seconds": request.cpu_seconds,
        "limit": request.limit,
    }
    return json.dumps(head).encode() + b"\n" + request.body


def unpack_request(message: bytes) -> Request:
    """Read what pack_request wrote."""
    head, _, body = message.partition(b"\n")
    fields = json.loads(head)
    return Request(body=body, **{**fields, "now": datetime.fromisoformat(fields["now"])})


def pack_document(document: Document) -> bytes:
    """Write a document as JSON."""
    entries = [[e.guid, e.url, e.title, e.summary, e.lang, _iso(e.published)] for e in document.entries]
    hints, sound = _pack_hints(document.hints), document.sound
    return json.dumps([document.title, document.lang, document.found, entries, hints, sound]).encode()


def unpack_document(message: bytes) -> Document:
    """Read what pack_document wrote."""
    title, lang, found, rows, hints, sound = json.loads(message)
    return Document(title, lang, found, tuple(_entry(row) for row in rows), _hints(hints), sound)


def _pack_hints(hints: Hints) -> list[Any]:
    seconds = None if hints.ttl is None else hints.ttl.total_seconds()
    return [seconds, hints.skip_hours, hints.skip_days, hints.hub, hints.topic]


def _hints(row: list[Any]) -> Hints:
    seconds, hours, days, hub, topic = row
    return Hints(None if seconds is None else timedelta(seconds=seconds), tuple(hours), tuple(days), hub, topic)


def pack_refusal(error: ParseError) -> bytes:
    """Write why a document could not be read: the trouble in one word, then the sentence."""
    return json.dumps([error.trouble, str(error)]).encode()


def unpack_refusal(message: bytes) -> ParseError:
    """Read what pack_refusal wrote."""
    trouble, sentence = json.loads(message)
    return ParseError(sentence, trouble=trouble)


def _entry(row: list[Any]) -> Entry:
    guid, url, title, summary, lang, published = row
    return Entry(guid, url, title, summary, lang, None if published is None else datetime.fromisoformat(published))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
