"""Fixtures of the feeds' tests."""

from collections.abc import AsyncIterator

import pytest

from tests.feeds.server import Site, serving


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Run a web server on loopback."""
    async with serving() as running:
        yield running
