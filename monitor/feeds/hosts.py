"""How hosts are treated: who asks them, one request at a time, and a pause between two."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from ipaddress import ip_address

from monitor.feeds.addresses import Allow
from monitor.feeds.limits import FetchSettings, HostSettings
from monitor.feeds.target import Target

_AS_EVERYWHERE = HostSettings()
_REMEMBERED = 8_192


class Manners:
    """What the user says about hosts: `fetch.hosts`, `fetch.gap` and `fetch.allow`."""

    def __init__(self, settings: FetchSettings, user_agent: str) -> None:
        self._settings = settings
        # Feeds are asked again and again, and what the user opened does not change.
        self._opened = lru_cache(_REMEMBERED)(partial(_opened, Allow.parse(settings.allow)))
        self._user_agent = user_agent

    def user_agent(self, target: Target) -> str:
        """Return the name under which this host is asked."""
        return self._said(target).user_agent or self._user_agent

    def gap(self, target: Target) -> float:
        """Return the seconds between two requests to this host; 0 for one that the user opened in `fetch.allow`."""
        own = self._said(target).gap
        if own is not None:
            return own.total_seconds()
        return 0.0 if self._opened(target.name, target.port) else self._settings.gap.total_seconds()

    def _said(self, target: Target) -> HostSettings:
        name = target.name if self._settings.hosts else ""
        while name:
            if name in self._settings.hosts:
                return self._settings.hosts[name]
            name = name.partition(".")[2]
        return _AS_EVERYWHERE


class Turns:
    """Lets one request at a time go to each host and port. ``gap`` gives the seconds between two."""

    def __init__(self, gap: Callable[[Target], float]) -> None:
        self._gap = gap
        self._locks: dict[str, asyncio.Lock] = {}
        self._wanted: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, target: Target) -> AsyncIterator[None]:
        """Wait for one's turn in order of arrival, and keep it; the next one's begins a gap after the end."""
        where = target.place
        lock = self._locks.setdefault(where, asyncio.Lock())
        self._wanted[where] = self._wanted.get(where, 0) + 1
        try:
            await lock.acquire()
        except BaseException:
            self._leave(where)
            raise
        try:
            yield
        finally:
            self._later(self._gap(target), lock, where)

    def _later(self, gap: float, lock: asyncio.Lock, where: str) -> None:
        if gap:
            asyncio.get_running_loop().call_later(gap, self._end, lock, where)
        else:
            self._end(lock, where)

    def _end(self, lock: asyncio.Lock, where: str) -> None:
        lock.release()
        self._leave(where)

    def _leave(self, where: str) -> None:
        self._wanted[where] -= 1
        if not self._wanted[where]:  # hosts come and go; nothing is kept of one that nobody asks
            del self._wanted[where], self._locks[where]


def _opened(allow: Allow, name: str, port: int) -> bool:
    try:
        address = ip_address(name)
    except ValueError:
        return any(entry.where == name and entry.port in (None, port) for entry in allow.entries)
    return any(entry.covers(address, port, None) for entry in allow.entries)
