"""One poll of one feed: ask for it, read no more of it than is new, and say how it stands now.

::

    304                       → nothing to read
    the body as last time     → nothing to read
    no entry that is unseen   → nothing to read
    some entries unseen       → read head + unseen entries + tail
    anything odd              → read it all
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

import structlog

from monitor.errors import ParseError
from monitor.feeds import slices
from monitor.feeds.document import Document
from monitor.feeds.domains import registered_domain
from monitor.feeds.due import Brought, next_poll
from monitor.feeds.fresh import Identified, doubtful, fresh, identify_all, recognised
from monitor.system import System
from storage.feed_records import Entry, Feed, Fetched, Hints, Poll

MOST_PUSHED = 50
"""So many new entries are taken of one push; a poll brings the others. A hub may push without end."""

MOST_IN_A_DAY = 1_500
"""So many new entries a feed may bring within 24 hours: the largest wires have fewer."""
WORTH_COUNTING = 15  # as many at every poll of the fastest feed make less than that in a day

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Read:
    """What reading a body brought: its hashes, what it says about asking for it, and its entries that are new.

    ``blocks`` and ``hints`` are None where nothing was learned about them. ``entries`` counts all entries of the
    document, ``known`` those that were known. A document that is not ``sound`` is read as a whole the next time too.
    """

    body_hash: str | None = None
    blocks: bytes | None = None
    hints: Hints | None = None
    entries: int = 0
    known: int = 0
    fresh: tuple[Identified, ...] = ()
    sound: bool = True


async def poll_feed(system: System, feed: Feed) -> Poll:
    """Ask once; whatever the feed does comes back as a poll. Raises StorageError when the database fails."""
    fetched = await system.fetcher.fetch(feed, system.now())
    try:
        read = await _read_new(system, feed, fetched)
    except ParseError as error:
        fetched, read = replace(fetched, error=str(error), trouble=error.trouble), Read()
    return _poll(system, feed, *await _without_flood(system, feed, fetched, read))


def fault(system: System, feed: Feed, error: Exception) -> Poll:
    """Return the poll that failed by a mistake of ours, which is in the log."""
    sentence = f"unexpected {type(error).__name__}; see the log"
    return _poll(system, feed, Fetched(system.now(), 0.0, error=sentence, trouble="fault"), Read())


async def receive(system: System, feed: Feed, body: bytes, headers: Mapping[str, str]) -> int:
    """Take what a feed's hub pushed, a whole document or a part of it. Returns the number of new items."""
    fetched = Fetched(system.now(), 0.0, 200, len(body), body, headers, url=feed.hints.topic or feed.url)
    if feed.first_ok is None:  # its first answer, which is backlog, must come by a poll
        return 0
    try:
        new, known = await _identified(system, feed, await system.parser.read(fetched, feed, system.now()))
    except ParseError as error:
        log.warning("feed.push_unreadable", feed=feed.name, error=str(error))
        return 0
    read = Read(entries=len(new), known=recognised(new, known), fresh=fresh(new, known)[:MOST_PUSHED])
    push = _poll(system, feed, *await _without_flood(system, feed, fetched, read))
    stored = await system.store.save_push(push, system.now())
    log.info("feed.pushed", feed=feed.name, entries=len(new), new=stored)
    return stored


def tell(poll: Poll, new: int) -> None:
    """Write into the log what a poll changed; that a feed is gone only once."""
    fetched, feed = poll.fetched, poll.feed
    changed = poll.next.state != feed.state
    if not (new or changed or fetched.error or poll.next.address != feed.address):
        return
    bound = log.bind(feed=feed.name, status=fetched.status, seconds=round(fetched.seconds, 2))
    if fetched.error and (changed or poll.next.state != "gone"):
        bound.warning("feed.failed", error=fetched.error, state=poll.next.state, failures=poll.next.failures)
    elif not fetched.error and feed.failures:
        bound.info("feed.recovered", failures=feed.failures, new=new)
    elif new or (feed.first_ok is None and not fetched.error):
        bound.info("feed.polled", entries=poll.entries, new=new)
    if changed and poll.next.state == "stale":
        bound.info("feed.stale", last_news=feed.last_news and feed.last_news.isoformat())
    if poll.next.address != feed.address:
        bound.warning("feed.moved", address=poll.next.address or feed.url)


async def _read_new(system: System, feed: Feed, fetched: Fetched) -> Read:
    if fetched.body is None:
        return Read()
    body_hash = sha256(fetched.body).hexdigest()
    if body_hash == feed.body_hash:
        return Read(body_hash)
    sliced = slices.take_apart(fetched.body)
    read = await _read_unseen(system, feed, fetched, sliced) if sliced else None
    if read is None:
        read = await _read_all(system, feed, fetched)
    blocks = sliced.hashes if sliced and read.sound else b""
    return replace(read, body_hash=body_hash, blocks=None if blocks == feed.blocks else blocks)


async def _read_unseen(system: System, feed: Feed, fetched: Fetched, sliced: slices.Sliced) -> Read | None:
    """Read the blocks that the last document did not have; None when they can only be judged beside the others."""
    if not feed.blocks:
        return None
    unseen = sliced.unseen(feed.blocks)
    if unseen is None:
        return Read(entries=sliced.count, known=sliced.count)
    document = await system.parser.read(replace(fetched, body=unseen), feed, system.now())
    new, known = await _identified(system, feed, document)
    part = document.found < sliced.count
    if (part and doubtful(new, known)) or not document.sound:
        return None
    shown = sliced.count - document.found + recognised(new, known)
    return Read(hints=document.hints, entries=sliced.count, known=shown, fresh=fresh(new, known))


async def _read_all(system: System, feed: Feed, fetched: Fetched) -> Read:
    document = await system.parser.read(fetched, feed, system.now())
    new, known = await _identified(system, feed, document)
    return Read(
        hints=document.hints,
        entries=document.found,
        known=recognised(new, known),
        fresh=fresh(new, known),
        sound=document.sound,
    )


async def _identified(system: System, feed: Feed, document: Document) -> tuple[tuple[Identified, ...], list[Entry]]:
    """Return a document's entries with their identities, and the stored entries that may be the same."""
    new = identify_all(document.entries)
    keys = {key for one in new for key in one.keys}
    return new, await system.store.known_entries(feed.id, list(keys)) if keys else []


async def _without_flood(system: System, feed: Feed, fetched: Fetched, read: Read) -> tuple[Fetched, Read]:
    """Leave out what is more than any feed has in a day, and say so: it would keep the others' news waiting."""
    if len(read.fresh) <= WORTH_COUNTING:
        return fetched, read
    left = max(0, MOST_IN_A_DAY - await system.store.new_since(feed.id, system.now() - timedelta(days=1)))
    if len(read.fresh) <= left:
        return fetched, read
    beyond = len(read.fresh) - left
    what = f"it brought more than {MOST_IN_A_DAY:,} new entries within 24 hours; {beyond:,} are left out"
    return replace(fetched, error=what, trouble="flood"), replace(read, fresh=read.fresh[:left])


def _poll(system: System, feed: Feed, fetched: Fetched, read: Read) -> Poll:
    entries = tuple(one.entry for one in read.fresh)
    brought = Brought(entries, read.hints, read.known, read.entries)
    after = next_poll(feed, fetched, brought, system.config.poll, system.now())
    return Poll(
        feed=feed,
        fetched=fetched if fetched.body is None else replace(fetched, body=None),
        next=after,
        body_hash=read.body_hash,
        entries=read.entries,
        known=read.known,
        fresh=entries,
        identities=tuple(one.identity for one in read.fresh),
        keys=tuple(one.keys for one in read.fresh),
        blocks=read.blocks,
        hints=read.hints,
        domain=None if after.address == feed.address else registered_domain(after.address or feed.url),
    )
