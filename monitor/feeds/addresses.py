"""Who may be connected to: the public Internet, and what the user lists. Pure.

A feed's address, and every redirect on the way, is written by strangers; without this check it could make the daemon
knock at the cloud's metadata service or at the neighbour's database. The tables follow the IANA special-purpose
address registries (RFC 6890 and its successors) and add the transition prefixes in which an IPv4 address can hide.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from monitor.errors import FetchError


class AddressError(FetchError):
    """An address that is never asked: not public and not allowed, or none that can be fetched at all."""


Network = IPv4Network | IPv6Network
LAST_PORT = 65535

# The first match names the address, so the narrower networks come first.
_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), name)
    for network, name in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier-grade NAT address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmark address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::ffff:0:0/96", "an IPv4-mapped address"),
        ("::/96", "an IPv4-compatible address"),
        ("64:ff9b::/96", "a NAT64 address"),
        ("64:ff9b:1::/48", "a NAT64 address"),
        ("100::/64", "a discard address"),
        ("2001::/32", "a Teredo address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "a documentation address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)
_REMEMBERED = 8_192  # feeds are asked again and again
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?", re.IGNORECASE)
_BRACKETED = re.compile(r"\[(?P<host>[^\[\]]+)\](?::(?P<port>\d{1,5}))?")
_WITH_PORT = re.compile(r"(?P<host>[^:]+):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line of `fetch.allow`: a network or a host name, and a port (None: every port)."""

    where: Network | str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Allowed":
        """Read '127.0.0.1:8123', '10.0.0.0/8', 'localhost:9000', '[::1]:80' or '::1'; ValueError on anything else."""
        text = text.strip()
        match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
        if match is None:
            return cls(_network_or_name(text, text), None)
        port = None if match["port"] is None else int(match["port"])
        if port is not None and not 0 < port <= LAST_PORT:
            raise ValueError(f"{text!r}: a port lies between 1 and {LAST_PORT}")
        return cls(_network_or_name(match["host"], text), port)

    def covers(self, ip: IPv4Address | IPv6Address, port: int, host: str | None) -> bool:
        """Tell whether a connection to this address, asked for under this host name, is meant."""
        if self.port not in (None, port):
            return False
        if isinstance(self.where, str):
            return host is not None and host.rstrip(".").lower() == self.where
        return ip in self.where


@dataclass(frozen=True, slots=True)
class Allow:
    """The addresses a user opened although they are not public."""

    entries: tuple[Allowed, ...] = ()

    @classmethod
    def parse(cls, lines: Iterable[str]) -> "Allow":
        """Read the lines of `fetch.allow`; ValueError names the first that cannot be read."""
        return cls(tuple(Allowed.parse(line) for line in lines))


@functools.lru_cache(_REMEMBERED)
def is_address(host: str) -> bool:
    """Tell an IP address from a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def refusal(ip: str, port: int, allow: Allow, host: str | None = None) -> str | None:
    """Say why this address may not be connected to, and how to allow it; None when it may.

    ``host`` is the name that led to the address, if it was a name.
    """
    address = ip_address(ip)
    kind = _kind(address)
    if kind is None or any(entry.covers(address, port, host) for entry in allow.entries):
        return None
    place = f"[{ip}]:{port}" if isinstance(address, IPv6Address) else f"{ip}:{port}"
    subject = place if host in (None, ip) else f"{host} leads to {place}, which"
    return f'{subject} is {kind}; to allow it, add "{place}" to fetch.allow'


def _kind(address: IPv4Address | IPv6Address) -> str | None:
    for network, name in _REFUSED:
        if address in network:
            return name
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "a reserved address"
    # The tables above are the rule; this only catches what a newer Python knows and they do not.
    return None if address.is_global else "not a public address"


def _network_or_name(text: str, line: str) -> Network | str:
    try:
        return ip_network(text)
    except ValueError as error:
        looks_numeric = "/" in text or ":" in text or text.replace(".", "").isdigit()
        if not looks_numeric and _HOST_NAME.fullmatch(text):
            return text.rstrip(".").lower()
        why = " (bits are set behind the mask)" if "host bits" in str(error) else ""
    raise ValueError(
        f"{line!r} is no address{why}; write an IP address, a network such as 10.0.0.0/8, or a host name, "
        "with a port if only that one is meant: 127.0.0.1:8123, localhost:9000, [::1]:80"
    )
