"""Where a request goes, taken apart without re-encoding a byte of what the publisher wrote. Pure."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urljoin

from monitor.feeds.addresses import LAST_PORT, AddressError

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):(?://(?P<authority>[^/?#\\]*)(?P<target>[^#]*))?.*", re.IGNORECASE | re.DOTALL
)
_AUTHORITY = re.compile(r"(?:(?P<user>.*)@)?(?P<host>\[[^\[\]]+\]|[^:@\[\]]+)(?::(?P<port>\d{0,5}))?", re.DOTALL)
_PORTS = {"http": 80, "https": 443}
_LONGEST = 8_192
_LONGEST_NAME = 255  # RFC 1035, 2.3.4
# Every printable ASCII character goes out as written: '~', '%7B' and '[]' mean something to somebody.
_AS_WRITTEN = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Target:
    """One HTTP address. ``path`` is the request target on the wire; ``authorization`` the header its login asks for."""

    scheme: str
    host: str
    port: int
    path: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The host, the same for every spelling."""
        return self.host.rstrip(".").lower()

    @property
    def place(self) -> str:
        """Host and port, the same for every spelling."""
        return f"{self.name}:{self.port}"

    @property
    def site(self) -> str:
        """Host and port as an error may show them: no path, no login."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address without its login."""
        return f"{self.scheme}://{self.site}{self.path}"


def parse_target(url: str) -> Target:
    """Take an http or https address apart; AddressError says what is wrong with any other, without quoting it."""
    if len(url) > _LONGEST:
        raise AddressError(f"the address is longer than {_LONGEST:,} characters")
    parts = _URL.fullmatch(url.strip())
    if parts is None:
        raise AddressError("the address has no scheme: it must begin with http:// or https://")
    scheme = parts["scheme"].lower()
    if scheme not in _PORTS:
        raise AddressError(f"{scheme[:20]}: addresses are not fetched, only http: and https:")
    authority = _AUTHORITY.fullmatch(parts["authority"] or "")
    if authority is None or len(authority["host"]) > _LONGEST_NAME:
        raise AddressError("the address names no valid host")
    port = int(authority["port"] or _PORTS[scheme])
    if not 0 < port <= LAST_PORT:
        raise AddressError(f"the address names port {port}, which does not exist")
    path = quote(parts["target"], safe=_AS_WRITTEN, errors="replace")
    path = path if path.startswith("/") else f"/{path}"
    return Target(scheme, authority["host"].strip("[]"), port, path, _basic(authority["user"]))


def redirected(url: str, location: bytes) -> str:
    """Resolve a Location header against the address that answered with it."""
    try:
        text = location.decode()
    except UnicodeDecodeError:
        text = location.decode("latin-1")
    try:
        return urljoin(url, text.strip())
    except ValueError:
        raise AddressError("redirects to something that is no address") from None


def _basic(login: str | None) -> str | None:
    """Write the user information of a URL as HTTP Basic authentication (RFC 7617)."""
    if login is None:
        return None
    user, _, password = login.partition(":")
    return "Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode("utf-8", "replace")).decode()
