"""Ask for feeds now, as the monitor would, and store nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from monitor import wiring
from monitor.config import Config
from monitor.errors import ParseError
from monitor.feeds.document import Document
from monitor.feeds.fetch import Fetcher
from monitor.feeds.worker import ParseWorker
from storage.feed_records import Feed, Fetched


@dataclass(frozen=True, slots=True)
class Visit:
    """What one look at a feed brought; ``fetched.error`` also tells what is wrong with the document."""

    feed: Feed
    fetched: Fetched
    document: Document


def as_feed(name: str, url: str, lang: str | None = None) -> Feed:
    """Return a feed that nothing is known of."""
    return Feed(0, name, url, lang, None, timedelta(0), wiring.utc_now())


class Visitor:
    """Asks for feeds, host by host in turn, and reads what comes."""

    def __init__(self, config: Config) -> None:
        self._fetcher = Fetcher(config.fetch, wiring.user_agent(config.contact))
        self._parser = ParseWorker()
        self._slots = asyncio.Semaphore(config.poll.concurrency)

    async def visit(self, feed: Feed) -> Visit:
        """Ask for a feed without conditions, and read it. Never raises for what a feed does."""
        async with self._fetcher.turn(feed.url), self._slots:
            fetched = await self._fetcher.get(feed.url, wiring.utc_now())
        if fetched.body is None:
            return Visit(feed, fetched, Document())
        try:
            return Visit(feed, fetched, await self._parser.read(fetched, feed, wiring.utc_now()))
        except ParseError as error:
            return Visit(feed, replace(fetched, error=str(error), trouble=error.trouble), Document())

    async def aclose(self) -> None:
        """Let go of the connections and of the process that reads."""
        await self._fetcher.aclose()
        await self._parser.aclose()


@asynccontextmanager
async def visiting(config: Config) -> AsyncIterator[Visitor]:
    """Open a visitor, and close it afterwards."""
    visitor = Visitor(config)
    try:
        yield visitor
    finally:
        await visitor.aclose()
