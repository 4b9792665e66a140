"""Addresses of web servers that take messages, as a person writes them into feeds.yaml or into a secret. Pure."""

from monitor.alerts.channels.channel import ReadSecret
from monitor.errors import ConfigError
from monitor.feeds.addresses import AddressError
from monitor.feeds.target import Target, parse_target


def web_target(address: str) -> Target:
    """Take an http or https address apart. Raises ValueError with a sentence that does not quote it."""
    if not address.isascii() or not address.isprintable() or " " in address:
        raise ValueError("an address holds only printable ASCII characters, and no space")
    try:
        return parse_target(address)
    except AddressError as error:
        raise ValueError(str(error)) from None


def secret_address(read_secret: ReadSecret, name: str, example: str) -> str:
    """Read an address that is a secret. Raises ConfigError when it is missing, or no address; it is never quoted."""
    address = read_secret(name).strip()
    try:
        web_target(address)
    except ValueError:
        raise ConfigError(f"{name} does not hold a web address; {example}") from None
    return address
