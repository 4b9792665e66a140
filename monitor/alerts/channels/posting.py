"""Posts to web servers: one request on a guarded connection, under the same rules of addresses as fetches.

No redirect is followed and no proxy is asked: a message goes where the configuration says, or nowhere.
"""

import asyncio
import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.alerts.channels.channel import Answer
from monitor.errors import ChannelError, FetchError
from monitor.feeds.addresses import AddressError
from monitor.feeds.answers import retry_after
from monitor.feeds.response import Malformed
from monitor.feeds.target import Target, parse_target
from monitor.settings import format_duration

if TYPE_CHECKING:
    import httpx

    from monitor.feeds.connect import Gate

# Slack answers with the message that it took, which is larger than anything that a person reads.
_MOST_READ = 500_000
_LONG_PIECE = 16
"""A part of an address that is at least so long may be what makes it a secret."""


class GuardedPoster:
    """Posts through a gate, which decides what addresses may be connected to."""

    def __init__(self, gate: "Gate") -> None:
        self._gate = gate

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout: timedelta,  # noqa: ASYNC109 - a setting of the channel
        *,
        secrets: tuple[str, ...] = (),
    ) -> Answer:
        """Post once, and return the beginning of the answer; what is secret is blotted out in it.

        A login in the address becomes a header (RFC 7617). Raises ChannelError when no answer came within ``timeout``.
        """
        import httpx  # noqa: PLC0415 - keeps `monitor --help` fast

        target = _parsed(url)
        try:
            answer = await self._ask(_request(target, body, headers), timeout)
        except (FetchError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise explain(error, target.site, timeout) from error
        return Answer(answer.status, _blotted(answer.text, url, target, secrets), answer.retry_after)

    async def _ask(self, request: "httpx.Request", timeout: timedelta) -> Answer:  # noqa: ASYNC109 - a setting of the channel
        from monitor.feeds.transport import GuardedTransport  # noqa: PLC0415 - loads httpx

        deadline = asyncio.get_running_loop().time() + timeout.total_seconds()
        async with asyncio.timeout_at(deadline):
            response = await GuardedTransport(self._gate).handle_async_request(request)
        try:
            text = await _beginning(response, deadline)
        finally:
            await response.aclose()
        wish = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return Answer(response.status_code, text, wish)


def _parsed(url: str) -> Target:
    try:
        return parse_target(url)
    except AddressError as error:
        raise ChannelError(str(error), retry=False) from None


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> "httpx.Request":
    import httpx  # noqa: PLC0415 - keeps `monitor --help` fast

    origin = httpx.URL(scheme=target.scheme, host=target.host, port=target.port)
    own = {
        "Host": origin.netloc.decode("ascii"),
        "User-Agent": "ai-market-monitor",
        "Content-Length": str(len(body)),
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    login = {"Authorization": target.authorization} if target.authorization else {}
    return httpx.Request(
        "POST",
        origin,
        headers=own | login | dict(headers),
        stream=httpx.ByteStream(body),
        extensions={"target": target.path.encode("ascii"), "tell": lambda _doing: None},
    )


async def _beginning(response: "httpx.Response", deadline: float) -> str:
    """Read the body as far as it comes: whether the message was taken is said by the status, which has come."""
    import httpx  # noqa: PLC0415 - keeps `monitor --help` fast

    body = bytearray()
    with suppress(TimeoutError, httpx.HTTPError, FetchError):
        async with asyncio.timeout_at(deadline):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) >= _MOST_READ:
                    break
    return body[:_MOST_READ].decode("utf-8", "replace").strip()


def _blotted(text: str, url: str, target: Target, secrets: tuple[str, ...]) -> str:
    """Return foreign text without what is secret, should it echo there."""
    pieces = [piece for piece in re.split("[/?&=]", target.path) if len(piece) >= _LONG_PIECE]
    hidden = {url, target.path, target.authorization or "", *pieces, *secrets}
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, "…") if len(secret) > 1 else text
    return text


def explain(error: Exception, site: str, limit: timedelta) -> ChannelError:
    """Say in a sentence why no answer came from ``site`` (a host, and a port if it is not the usual one)."""
    if isinstance(error, AddressError):
        # Not final: in a hotel's network every name leads to a private address until somebody has logged in.
        return ChannelError(str(error))
    if isinstance(error, Malformed):
        return ChannelError(f"{site} broke the rules of HTTP: {error}")
    if isinstance(error, FetchError):
        return ChannelError(str(error))
    if isinstance(error, TimeoutError):
        return ChannelError(f"{site} did not answer within {format_duration(limit)}")
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError):
        return ChannelError(_unreachable(cause, site))
    return ChannelError(f"{site} is no valid host: {type(error).__name__}", retry=False)


def _unreachable(cause: OSError, site: str) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return f"{site} refuses connections"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {site} cannot be trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS with {site}: {cause.reason or 'the connection broke'} (check that the port speaks https)"
    return f"{site} cannot be reached: {os.strerror(cause.errno) if cause.errno else 'the connection broke'}"
