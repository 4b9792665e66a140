"""What the addresses of a host name are: the system's resolver, asked in threads that nothing else needs.

A lookup cannot be stopped. In the event loop's own threads, a few that hang would hold up the classifier and the parse
of every other feed; and a thread of a pool would be waited for when the program ends.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from monitor.errors import FetchError

Lookup = Callable[..., list[tuple[Any, ...]]]
"""socket.getaddrinfo, or what a test puts in its place."""
_MOST_AT_ONCE = 32


class Resolver:
    """Looks names up, at most 32 at a time. What hangs hangs in its own thread, and holds one of the 32 places."""

    def __init__(self, lookup: Lookup = socket.getaddrinfo) -> None:
        self._lookup = lookup
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses behind a name, in the system's order of preference; FetchError when there are none."""
        try:
            found = await self._found(host, port)
        except (OSError, UnicodeError):
            raise FetchError(f"the name {host} cannot be resolved: the name is wrong, or there is no network") from None
        return list(dict.fromkeys(str(place[0]) for *_, place in found))

    async def _found(self, host: str, port: int) -> list[tuple[Any, ...]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[tuple[Any, ...]]] = loop.create_future()
        await self._places.acquire()

        def told(found: list[tuple[Any, ...]] | Exception) -> None:
            self._places.release()
            if answer.done():  # nobody waits any more
                return
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        try:
            threading.Thread(target=self._ask, args=(host, port, loop, told), name="resolver", daemon=True).start()
        except RuntimeError as error:  # the system has no thread left
            told(error)
        return await answer

    def _ask(self, host: str, port: int, loop: asyncio.AbstractEventLoop, told: Callable[..., None]) -> None:
        found: list[tuple[Any, ...]] | Exception
        try:
            found = self._lookup(host, port, type=socket.SOCK_STREAM)
        except Exception as error:  # noqa: BLE001 - raised again where the answer is awaited
            found = error
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(told, found)
