"""What every registration scheme has in common: plain values in, a verified claim or an error out.

A door turns a transport's request into a `Request`; `RegistrationProtocol.parse` makes a `Claim` of it without believing anything;
`Claim.verify` raises or returns a `VerifiedClaim`; the service decides; `accept` or `refuse` makes the `Reply`.
`compose` and `read` are the device's side of the same scheme: the simulator and the contract test speak through them.
Pure code: no Django, no clock, no randomness of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol as Interface

from console.errors import DomainError

MAX_BODY_BYTES = 8192
"""Checked before parsing. No request of any scheme is longer; one of Tencent's that carries a certificate has some 5,000 bytes."""


class Malformed(DomainError):
    """A message that is not of the scheme's form. `field` names the part at fault."""

    code = "malformed"
    default_message = "The registration request is not of the protocol's form."


class BadSignature(DomainError):
    """The proof was not made with this product's secret. `facts["signed_text"]` is the text that should have been signed."""

    code = "bad_signature"
    default_message = "The signature was not made with this product's secret."


class UnknownAlgorithm(DomainError):
    """The signature names a method that the scheme does not know."""

    code = "unknown_algorithm"
    default_message = "The signature method is not known."


class OutsideWindow(DomainError):
    """The timestamp of the request is too far from the server's clock. `facts["server_time"]`: whole seconds since 1970."""

    code = "outside_window"
    default_message = "The timestamp lies outside the window."


@dataclass(frozen=True, slots=True)
class Request:
    """A registration request as it came: `headers` by lower-case name, `host` without a port, `body` the raw bytes received."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back on the wire. `body` is exact: doors copy it and add only Content-Type and Content-Length."""

    body: bytes = field(repr=False)
    content_type: str = "application/json"
    status: int = 200


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """What an accepted device is handed. `product_secret` is the one that verified the claim (a scheme may encrypt with it)."""

    product_key: str
    device_name: str
    device_secret: str
    product_secret: str
    is_new: bool = False
    request_id: str = ""
    client_id: str = ""
    """The issued ClientID, 26 letters and digits, of a preregistration-free registration; empty otherwise."""
    device_token: str = ""
    """What belongs to it, 32 letters and digits."""
    certificate: str = ""
    """PEM, of a registration that is answered with a certificate in place of a secret; empty otherwise."""
    certificate_chain: str = ""
    """PEM of the CA certificates above it, its issuer's first."""
    private_key: str = ""
    """PEM, where the certificate's key was made for the device; empty where the device made its own."""
    own_certificate: bool = False
    """The certificate that the device has sent was accepted."""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Grant({self.product_key}, {self.device_name})"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What is burned into a device's firmware."""

    product_key: str
    product_secret: str
    device_name: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Credentials({self.product_key}, {self.device_name})"


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A reply as a device understands it. `code` is the vendor's own, as text.

    `device_secret`, or `client_id` and `device_token` of a preregistration-free registration, or `certificate` with `private_key` where the
    device has none; all are empty when it was refused. `own_certificate`: that of the device was accepted.
    """

    code: str
    message: str = ""
    device_secret: str = ""
    client_id: str = ""
    device_token: str = ""
    certificate: str = ""
    private_key: str = ""
    own_certificate: bool = False

    @property
    def accepted(self) -> bool:
        return bool(self.device_secret or self.device_token or self.certificate or self.own_certificate)

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Answer({self.code}, {self.message})"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a claim says of certificates. `csr`: a request to sign; `own_certificate`: the one that the device will connect with, both as
    they came; `takes_key`: its scheme can answer with a private key."""

    csr: bytes = field(default=b"", repr=False)
    own_certificate: bytes = field(default=b"", repr=False)
    takes_key: bool = False


def asked_by(claim: object) -> Asked:
    """A scheme that knows no certificates has claims without `asked`."""
    found = getattr(claim, "asked", None)
    return found if isinstance(found, Asked) else Asked()


@dataclass(frozen=True, slots=True)
class VerifiedClaim:
    """A claim whose proof was checked. `notes` are whole sentences for the operator's log (a tolerated oddity, the clock's skew)."""

    product_key: str
    device_name: str
    nonce: str = ""
    """Non-empty only where the scheme forbids a second use of it before `nonce_until`."""
    nonce_until: datetime | None = None
    notes: tuple[str, ...] = ()


class Claim(Interface):
    """Who the device says that it is, with its unchecked proof."""

    @property
    def product_key(self) -> str: ...

    @property
    def device_name(self) -> str: ...

    @property
    def preregistration_free(self) -> bool:
        """Whether the device asks for a ClientID and a DeviceToken, for which no row of the pre-import list is needed."""
        ...

    def verify(self, product_secret: str, at: datetime) -> VerifiedClaim:
        """Raises BadSignature, UnknownAlgorithm or OutsideWindow; the last two never depend on the secret. Compares in constant time."""
        ...


class RegistrationProtocol(Interface):
    """One vendor's scheme. `name` is what the log shows, `path` where its devices post; empty for a scheme that is not of HTTP."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str: ...

    def parse(self, request: Request) -> Claim:
        """Raises Malformed."""
        ...

    def accept(self, grant: Grant) -> Reply: ...

    def refuse(self, error: DomainError, request_id: str) -> Reply:
        """The vendor's terse answer for `error.code`; an unknown code gets the vendor's server-side failure, without our words."""
        ...

    def compose(self, credentials: Credentials, *, host: str, at: datetime, nonce: int) -> Request:
        """The request that a device with these credentials sends. `nonce`: a random number below 2^31."""
        ...

    def read(self, reply: Reply, product_secret: str) -> Answer:
        """Raises Malformed when the reply is not what a device of this scheme understands."""
        ...
