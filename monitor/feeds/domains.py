"""Whose site an address belongs to: its registered domain. Pure."""

import functools
from typing import TYPE_CHECKING

from monitor.errors import FetchError
from monitor.feeds.addresses import is_address
from monitor.feeds.target import parse_target

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def registered_domain(url: str) -> str:
    """Return the domain that somebody registered: `example.co.uk` for `https://feeds.example.co.uk/rss`.

    By the public suffix list (publicsuffix.org) as the installed library brings it. An IP address, or a name of a
    local network, gives host and port; what is no address gives nothing.
    """
    try:
        target = parse_target(url)
    except FetchError:
        return ""
    domain = None if is_address(target.host) else _suffixes().privatesuffix(_ascii(target.name))
    return domain or target.place


@functools.cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - reading the list takes a while

    return PublicSuffixList()


def _ascii(name: str) -> str:
    """Write an international name as the suffix list does."""
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
