"""Why a request failed: in one sentence for the user, and in one word for the program."""

import os
import ssl

import httpx

from monitor.errors import FetchError
from monitor.feeds.addresses import AddressError
from monitor.feeds.response import Malformed
from storage.feed_records import Trouble


def explain(failure: Exception, site: str, doing: str, received: int, limit: float) -> str:
    """Put a failure into one sentence, without any part of the address beyond its host, ``site``.

    ``doing`` says how far the request had come within its ``limit`` of seconds, and ``received`` with how many bytes.
    """
    if isinstance(failure, Malformed):
        return f"{site} broke the rules of HTTP: {failure}"
    if isinstance(failure, FetchError):
        return str(failure)
    if isinstance(failure, TimeoutError):
        where = f" ({received:,} bytes had come)" if received else ""
        return f"no complete answer from {site} within {limit:g} s: it ended {doing}{where}"
    if isinstance(failure, httpx.ConnectError):
        return f"cannot connect to {site}: {_root(failure)}"
    if isinstance(failure, httpx.NetworkError):
        return f"the connection to {site} broke {doing}: {_root(failure)}"
    return f"{site} cannot be fetched: {type(failure).__name__}: {_short(failure)}"


def trouble_of(failure: Exception) -> Trouble:
    """Name a failure in one word."""
    if isinstance(failure, AddressError):
        return "address"
    if isinstance(failure, FetchError):
        return failure.trouble
    if isinstance(failure, TimeoutError):
        return "timeout"
    return "network" if isinstance(failure, httpx.NetworkError) else "fault"


def _root(failure: BaseException) -> str:
    """Find what the operating system or TLS said at the bottom of a chain of exceptions."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS connection ({cause.reason})"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return _short(failure) or "no answer"


def _short(failure: BaseException) -> str:
    return "".join(c if c.isprintable() else " " for c in str(failure))[:200]
