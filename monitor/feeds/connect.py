"""The only way out for feeds: it checks the address that it is about to connect to.

The check sits below HTTP, on the resolved address, so a redirect, an odd spelling (``http://2130706433/``) or a name
whose DNS answer changes between check and use cannot get around it. TLS still verifies the name.
"""

import asyncio
import functools

from monitor.feeds.addresses import AddressError, Allow, is_address, refusal
from monitor.feeds.names import Resolver
from monitor.feeds.wire import Wire

_ATTEMPT_SECONDS = 8.0
_REMEMBERED = 8_192


class Gate:
    """Resolves a name, drops the addresses that `fetch.allow` does not cover, connects to one of the others."""

    def __init__(self, allow: Allow, resolver: Resolver) -> None:
        # Feeds are asked again and again, and what is known of an address does not change.
        self._refusal = functools.lru_cache(_REMEMBERED)(functools.partial(_refusal, allow))
        self._resolver = resolver

    async def open(self, host: str, port: int) -> Wire:
        """Connect to the first permitted address that answers.

        Raises AddressError when none is permitted, FetchError for a name without an address, OSError when no
        connection is possible.
        """
        found = [host] if is_address(host) else await self._resolver.addresses(host, port)
        *others, last = self._permitted(host, port, found)
        for address in others:
            try:
                async with asyncio.timeout(_ATTEMPT_SECONDS):
                    return await Wire.open(address, port)
            except OSError:  # a TimeoutError is one
                continue
        return await Wire.open(last, port)

    def _permitted(self, host: str, port: int, addresses: list[str]) -> list[str]:
        refusals = {address: self._refusal(address, port, host) for address in addresses}
        permitted = [address for address, why in refusals.items() if why is None]
        if not permitted:
            raise AddressError(next(why for why in refusals.values() if why))
        return permitted


def _refusal(allow: Allow, address: str, port: int, host: str) -> str | None:
    return refusal(address, port, allow, host)
