"""The channel `email`: one mail to all recipients, by SMTP with verified TLS.

A server may take the mail for some recipients and refuse others (RFC 5321, 3.3). Those that it refuses for good are
told of; those that it refuses for now (greylisting) are tried again, and only those.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.headerregistry import Address
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from monitor.alerts.channels.channel import ChannelSettings, Surroundings
from monitor.alerts.render.email import message
from monitor.alerts.wording import one_line
from monitor.errors import ChannelError
from monitor.settings import Duration, SecretName, format_duration
from storage.alert_records import Delivery, Sent

if TYPE_CHECKING:
    from email.message import EmailMessage

    from aiosmtplib import SMTP, SMTPResponseException

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_GOODBYE_SECONDS = 2
_REASONS_TOLD = 300  # characters

# The dot-atom form of RFC 5322, which is all that real mailboxes use, with a display name or without.
_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"""(?:"?(?P<name>[^"<>@]*)"?\s*<)?(?P<spec>{_ATOMS}@{_DOMAIN})(?(name)>)""")


def parse_address(value: str) -> Address:
    """Read 'a@example.org' or 'Name <a@example.org>'. Raises ValueError with a sentence for the user."""
    if not value.isprintable():
        raise ValueError("an address must not hold a line break or another control character")
    found = _ADDRESS.fullmatch(value.strip())
    if found:
        user, _, domain = found["spec"].rpartition("@")
        return Address((found["name"] or "").strip(), user, domain)
    if not all(part.isascii() for part in value.split() if "@" in part):
        raise ValueError("only ASCII addresses can be used; write a domain with umlauts in its xn-- form")
    raise ValueError("write one address such as analyst@example.org or Ann Analyst <analyst@example.org>")


MailAddress = Annotated[str, AfterValidator(lambda value: str(parse_address(value)))]


class EmailSettings(ChannelSettings):
    """Send alerts by email."""

    type: Literal["email"]
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]+$")] = Field(
        description="The mail server, such as smtp.example.org."
    )
    port: int | None = Field(
        default=None, ge=1, le=65535, description="Default: 587 for starttls, 465 for tls, 25 for none."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description=(
            "How the connection is encrypted; the certificate is always verified. 'none' is for a relay on this "
            "machine or network, and is refused together with a user unless the host is this machine."
        ),
    )
    user: str | None = Field(default=None, min_length=1, description="Login name; needs password_env.")
    password_env: SecretName | None = None
    sender: MailAddress = Field(
        alias="from",
        description="The address that the mail comes from.",
    )
    to: tuple[MailAddress, ...] = Field(min_length=1, description="The recipients: at least one address.")
    timeout: Duration = Field(
        default=timedelta(seconds=30), gt=timedelta(0), description="Limit for one whole attempt."
    )

    @model_validator(mode="after")
    def _login_is_whole_and_safe(self) -> Self:
        if (self.user is None) != (self.password_env is None):
            raise ValueError("user and password_env belong together: give both or neither")
        if self.user and self.security == "none" and not _is_this_machine(self.host):
            raise ValueError("security: none would send the password in clear text; use starttls or tls")
        return self

    @property
    def server_port(self) -> int:
        """The port to connect to."""
        return self.port or _PORTS[self.security]


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Refused = dict[str, tuple[str, bool]]
"""What the server said of each address that it refuses, and whether that is for good."""


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Hands a delivery to the mail server."""

    settings: EmailSettings
    password: str | None = field(default=None, repr=False)

    async def send(self, delivery: Delivery) -> Sent:
        """Send one mail to those who do not have it yet.

        Raises ChannelError unless the server took it for all whom it does not refuse for good, and for one at least;
        ``reached`` are then the addresses that have it, from this attempt or an earlier one.
        """
        settings, reached = self.settings, delivery.reached
        to = tuple(map(parse_address, settings.to))
        mail = message(delivery, parse_address(settings.sender), to)
        missing = [one for one in dict.fromkeys(one.addr_spec for one in to) if one not in reached]
        try:
            refused = await self._hand_over(mail, missing) if missing else {}
        except ChannelError as error:
            error.reached = reached
            raise
        reached += tuple(one for one in missing if one not in refused)
        if not reached or not all(permanent for _, permanent in refused.values()):
            raise _refused(refused, reached)
        return Sent(mail["Message-ID"], _reasons(refused) and f"refused for good: {_reasons(refused)}")

    async def _hand_over(self, mail: "EmailMessage", to: list[str]) -> Refused:
        """Give the server the mail for these addresses. Returns those that it refuses, which may be all."""
        from aiosmtplib import SMTPException, SMTPRecipientsRefused  # noqa: PLC0415 - keeps `monitor --help` fast

        client = self._client()
        try:
            async with asyncio.timeout(self.settings.timeout.total_seconds()):
                await client.connect()
                refused, _ = await client.send_message(mail, recipients=to)
            await _say_goodbye(client)
        except SMTPRecipientsRefused as error:
            return {one.recipient: _refusal_of(one.code, one.message) for one in error.recipients}
        except (SMTPException, OSError) as error:
            raise explain(error, self.settings) from error
        finally:
            client.close()
        return {address: _refusal_of(answer.code, answer.message) for address, answer in refused.items()}

    def _client(self) -> "SMTP":
        from aiosmtplib import SMTP  # noqa: PLC0415 - keeps `monitor --help` fast

        settings = self.settings
        return SMTP(
            hostname=settings.host,
            port=settings.server_port,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            username=settings.user,
            password=self.password,
            timeout=settings.timeout.total_seconds(),
            # An address literal is a valid greeting (RFC 5321, 4.1.3); the machine's name is nobody's business, and
            # looking it up can take seconds.
            local_hostname="[127.0.0.1]",
        )


async def _say_goodbye(client: "SMTP") -> None:
    """Leave politely. The mail is taken already: whatever happens here must not send it again."""
    from aiosmtplib import SMTPException  # noqa: PLC0415 - keeps `monitor --help` fast

    with suppress(SMTPException, OSError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await client.quit()


def _refusal_of(code: int, answer: str) -> tuple[str, bool]:
    return f"{code} {one_line(answer, 100)}", _permanent(code)


def _permanent(code: int) -> bool:
    return 500 <= code < 600  # noqa: PLR2004 - RFC 5321: 5yz is a permanent refusal


def _refused(refused: Refused, reached: tuple[str, ...]) -> ChannelError:
    told = "does not take the mail for some recipients yet" if reached else "refused every recipient"
    retry = not all(permanent for _, permanent in refused.values())
    return ChannelError(f"the mail server {told}: {_reasons(refused)}", retry=retry, reached=reached)


def _reasons(refused: Refused) -> str:
    return one_line("; ".join(f"{address}: {reason}" for address, (reason, _) in refused.items()), _REASONS_TOLD)


def explain(error: Exception, settings: EmailSettings) -> ChannelError:
    """Say in a sentence what failed between us and the mail server, and whether trying again can help."""
    from aiosmtplib import SMTPResponseException  # noqa: PLC0415 - keeps `monitor --help` fast

    server = f"{settings.host}:{settings.server_port}"
    if isinstance(error, SMTPResponseException):
        return _refusal(error, server, settings)
    if isinstance(error, TimeoutError):
        return ChannelError(f"mail server {server} did not answer within {format_duration(settings.timeout)}")
    if isinstance(error, OSError):
        return ChannelError(_unreachable(error, server, settings))
    # What is left are the server's missing abilities: no STARTTLS, no AUTH.
    return ChannelError(f"mail server {server} cannot do what is asked: {one_line(str(error), 200)}", retry=False)


def _unreachable(error: OSError, server: str, settings: EmailSettings) -> str:
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, socket.gaierror):
        return f"mail server {settings.host} is not known to DNS: {cause.strerror}"
    if isinstance(cause, ConnectionRefusedError):
        return f"mail server {server} refuses connections"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of mail server {server} cannot be trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS with mail server {server}: {one_line(str(cause), 200)} (check port and security)"
    return f"mail server {server} cannot be reached: {one_line(str(cause), 200)}"


def _refusal(error: "SMTPResponseException", server: str, settings: EmailSettings) -> ChannelError:
    from aiosmtplib import SMTPAuthenticationError, SMTPSenderRefused  # noqa: PLC0415 - keeps `monitor --help` fast

    answer = f"{error.code} {one_line(error.message, 200)}"
    if isinstance(error, SMTPAuthenticationError):
        told = f"did not accept user {settings.user} with the password in {settings.password_env}"
    elif isinstance(error, SMTPSenderRefused):
        told = f"does not take mail from {settings.sender}"
    else:
        told = "did not take the mail"
    return ChannelError(f"mail server {server} {told}: {answer}", retry=not _permanent(error.code))


def build(settings: EmailSettings, around: Surroundings) -> EmailChannel:
    """Build the channel. Raises ConfigError when the password is missing."""
    return EmailChannel(settings, around.read_secret(settings.password_env) if settings.password_env else None)
