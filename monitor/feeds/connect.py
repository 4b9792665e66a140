"""The only way out for feeds: a network backend for httpcore that checks the address it is about to connect to.

The check sits below HTTP, on the resolved address, so a redirect, an odd spelling (``http://2130706433/``) or a name
whose DNS answer changes between check and use cannot get around it. TLS still verifies the name.
"""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import ip_address

import httpcore

from monitor.errors import FetchError
from monitor.feeds.addresses import AddressError, Allow, refusal

_ATTEMPT_SECONDS = 8.0


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name, drops the addresses that `fetch.allow` does not cover, connects to one of the others."""

    def __init__(self, allow: Allow) -> None:
        self._allow = allow
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first permitted address that answers; AddressError when none is permitted."""
        addresses = self._permitted(host, port, await _resolve(host, port))
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, _ATTEMPT_SECONDS, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks."""
        await asyncio.sleep(seconds)

    def _permitted(self, host: str, port: int, addresses: list[str]) -> list[str]:
        refusals = {address: refusal(address, port, self._allow, host) for address in addresses}
        permitted = [address for address, why in refusals.items() if why is None]
        if not permitted:
            raise AddressError(next(why for why in refusals.values() if why))
        return permitted


async def _resolve(host: str, port: int) -> list[str]:
    """Return the addresses behind a host, in the system's order of preference."""
    if _is_address(host):
        return [host]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise FetchError(f"the name {host} cannot be resolved: the name is wrong, or there is no network") from None
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
