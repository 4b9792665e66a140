"""The channel `email`: one mail to all recipients, by SMTP with verified TLS."""

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

from monitor.alerts.channels.channel import ChannelSettings, ReadSecret
from monitor.alerts.render.email import message
from monitor.alerts.wording import one_line
from monitor.errors import ChannelError
from monitor.settings import Duration, SecretName, format_duration
from storage.alert_records import Delivery

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPRecipientsRefused, SMTPResponse, SMTPResponseException

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_GOODBYE_SECONDS = 2

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


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Hands a delivery to the mail server."""

    settings: EmailSettings
    password: str | None = field(default=None, repr=False)

    async def send(self, delivery: Delivery) -> None:
        """Send one mail. Raises ChannelError unless the server took it for at least one recipient."""
        from aiosmtplib import SMTPException  # noqa: PLC0415 - keeps `monitor --help` fast

        settings = self.settings
        mail = message(delivery, parse_address(settings.sender), tuple(map(parse_address, settings.to)))
        client = self._client()
        try:
            async with asyncio.timeout(settings.timeout.total_seconds()):
                await client.connect()
                refused, _ = await client.send_message(mail)
            await _say_goodbye(client)
        except (SMTPException, OSError) as error:
            raise explain(error, settings) from error
        finally:
            client.close()
        _log_refused(delivery.channel, refused)

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


def _log_refused(channel: str, refused: "dict[str, SMTPResponse]") -> None:
    import structlog  # noqa: PLC0415 - keeps `monitor --help` fast

    for address, answer in refused.items():
        reason = f"{answer.code} {one_line(answer.message, 200)}"
        structlog.get_logger().warning("email.recipient_refused", channel=channel, recipient=address, reason=reason)


def explain(error: Exception, settings: EmailSettings) -> ChannelError:
    """Say in a sentence what failed between us and the mail server, and whether trying again can help."""
    from aiosmtplib import SMTPRecipientsRefused, SMTPResponseException  # noqa: PLC0415 - keeps `monitor --help` fast

    server = f"{settings.host}:{settings.server_port}"
    if isinstance(error, SMTPRecipientsRefused):
        return _all_refused(error)
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


def _all_refused(error: "SMTPRecipientsRefused") -> ChannelError:
    reasons = "; ".join(f"{one.recipient}: {one.code} {one_line(one.message, 200)}" for one in error.recipients)
    retry = not all(_permanent(one.code) for one in error.recipients)
    return ChannelError(f"the mail server refused every recipient: {reasons}", retry=retry)


def _permanent(code: int) -> bool:
    return 500 <= code < 600  # noqa: PLR2004 - RFC 5321: 5yz is a permanent refusal


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


def build(settings: EmailSettings, read_secret: ReadSecret) -> EmailChannel:
    """Build the channel. Raises ConfigError when the password is missing."""
    return EmailChannel(settings, read_secret(settings.password_env) if settings.password_env else None)
