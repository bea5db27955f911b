"""A device's certificate on its way through a broker that cannot carry one.

The registrar has ended a device's mutual TLS and passes its connection on to a broker, which asks our hook with user name and password
alone. So the registrar puts a ticket before the password: random, good once and for a minute. The hook redeems it for the certificates
that the registrar has kept under it, and the decision is made with the device's own password, as if the broker had handed on all of it.
A device that sends no user name gets that of its certificate, since its broker knows it by the user name when it asks about topics.

The certificates wait in the center's database: which data center's broker the registrar passes a device on to, nobody has told it.
"""

import hashlib
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from console.crypto.certificates.chains import MAX_PRESENTED
from console.errors import DomainError
from devices.rules import presented
from devices.rules.certificate_refusals import CertificateRefused
from products.services import authorities
from products.services.lookup import find_for_registration
from registration.models import CertificateTicket
from registration.protocols import connection_schemes, native_mqtt
from registration.protocols.connecting import Presented

MARK: Final = "nameplate-ticket:"
NAMELESS: Final = "-"
"""In place of an empty user name, where the certificate does not say the names either: RabbitMQ asks nobody about an empty one."""
LIFETIME: Final = timedelta(minutes=1)
TOKEN_BYTES: Final = 32


class TicketUnknown(CertificateRefused):
    default_message = (
        "The registrar handed the device's certificate on to its broker by a ticket, and this one is unknown, used, or older than a minute."
    )


@dataclass(frozen=True, slots=True)
class Login:
    """What goes to the broker in place of the device's own."""

    username: str
    password: bytes

    def __repr__(self) -> str:
        """Without the ticket."""
        return f"Login({self.username})"


def issue(*, username: str, password: bytes, certificates: tuple[bytes, ...], at: datetime) -> Login:
    """`username`, `password`: the device's own, empty where it sent none. `certificates`: DER, its own first; one more than a path may
    have is kept, so that too many are refused as such."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    chain = [b64encode(one).decode() for one in certificates[: MAX_PRESENTED + 1]]
    CertificateTicket.objects.create(digest=_digest(token), chain=chain, expires_at=at + LIFETIME)
    return Login(username or _named_by(certificates, at), f"{MARK}{token}:".encode() + password)


def redeem(asked: Presented, *, at: datetime) -> Presented:
    """What the device itself presented; itself where it bears no ticket. Raises TicketUnknown."""
    if not asked.password.startswith(MARK):
        return asked
    token, _colon, password = asked.password.removeprefix(MARK).partition(":")
    row = CertificateTicket.objects.filter(digest=_digest(token)).first()
    # Whoever deletes it has it.
    if row is None or not CertificateTicket.objects.filter(pk=row.pk).delete()[0] or row.expires_at < at:
        raise TicketUnknown
    username = "" if asked.username == NAMELESS else asked.username
    return replace(asked, username=username, password=password, certificates=tuple(map(b64decode, row.chain)))


def _named_by(certificates: tuple[bytes, ...], at: datetime) -> str:
    """The user name of our own scheme with the names of the certificate, or NAMELESS: the decision will say what is wrong with it."""
    try:
        chain = presented.read(certificates)
        found = authorities.product_by_issuer(chain)
        if found is None:
            return NAMELESS
        product = find_for_registration(found[0], at=at)
        device_name = presented.name_in(chain[0], presented.Identity(authorities.accepted(product.id).identity))
        username = native_mqtt.username_of(product.key, device_name)
        return username if connection_schemes.names_in(username) == (product.key, device_name) else NAMELESS
    except DomainError:
        return NAMELESS


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
