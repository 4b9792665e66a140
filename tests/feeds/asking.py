"""How the tests of fetching ask: a feed at an address, and a fetcher with limits that are quickly reached."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.feeds.fetch import Fetcher
from monitor.feeds.limits import FetchSettings
from monitor.feeds.names import Lookup
from storage.feed_records import Feed, Fetched
from tests.feeds.server import Site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
LIMIT = 100_000


def a_feed(url: str, etag: str | None = None, modified: str | None = None) -> Feed:
    every = timedelta(minutes=30)
    return Feed(1, "Feed", url, None, None, every, NOW, etag=etag, modified=modified)


@asynccontextmanager
async def fetching(
    *allow: str, seconds: float = 5, lookup: Lookup = socket.getaddrinfo, **more: Any
) -> AsyncIterator[Fetcher]:
    settings: Mapping[str, Any] = {"timeout": timedelta(seconds=seconds), "max_bytes": LIMIT, "allow": allow, **more}
    fetcher = Fetcher(FetchSettings.model_validate(settings), "test-agent (+mailto:test@example.org)", lookup)
    try:
        yield fetcher
    finally:
        await fetcher.aclose()


async def fetch(site: Site, feed: Feed | str = "/feed", seconds: float = 5) -> Fetched:
    asked = a_feed(site.url(feed)) if isinstance(feed, str) else feed
    async with fetching(f"127.0.0.1:{site.port}", seconds=seconds) as fetcher:
        return await fetcher.fetch(asked, NOW)


class FakeNames:
    """Resolves the names that a test knows, one answer after the other; the last one for ever."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): list(answer) for name, answer in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_options: object) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        left = self.answers.get(host.rstrip("."))
        if left is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
