"""A device proves itself by a certificate: of which product and under which name it connects, and what is known about what it presented.

The handshake has shown that it holds the private key. Everything else is decided here and below, whoever handed the certificate on: the
judgement is devices/rules/presented.py's, and devices/services/certificate_admission.py asks it with what is pinned and stores the answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from console.crypto.certificates.certificate import Certificate
from console.errors import DomainError
from console.words import say
from devices.rules import names, presented
from devices.rules.certificate_refusals import OtherName
from devices.rules.connecting import X509
from devices.rules.pins import Match, Pins
from devices.rules.presented_facts import Facts, Verdict
from devices.services import connections
from devices.services.certificate_admission import Entry, Judge, LetIn
from products.models import BrokerKind, DataCenter
from products.rules.wire_formats import wire_format
from products.services import authorities, issuing, revocation
from products.services.lookup import ProductUnknown, RegistrationProduct, find_for_registration
from registration.protocols import connection_schemes
from registration.protocols.base import Malformed
from registration.protocols.connecting import MAX_CLIENT_ID, MAX_USERNAME, Presented
from registration.protocols.wire import plain_text
from registration.services.device_log import Attempt

SCHEME: Final = connection_schemes.X509
BY_USER_NAME: Final = frozenset({BrokerKind.VERNEMQ, BrokerKind.RABBITMQ, BrokerKind.MOSQUITTO, BrokerKind.NANOMQ})
"""They ask about each topic, and then know the device by its user name alone."""
ANOTHER_PRODUCT: Final = say("The certificate was issued here to a device of another product.")


class ProductNotNamed(DomainError):
    """Nothing says of which product the device is."""

    code = "product_not_named"
    default_message = (
        "The user name is empty, and the CA that issued the certificate is not on file for exactly one product: "
        "send a user name, or bind the CA to one product."
    )


class UserNameMissing(ProductNotNamed):
    default_message = "The user name is empty, and this broker knows a device by it when it asks about topics: send one."


@dataclass(frozen=True, slots=True)
class Entered:
    """Who was let in. `product_key`, `device_name`: as the device itself writes them."""

    let_in: LetIn
    product_key: str
    device_name: str


def counts(asked: Presented, data_center: DataCenter, at: datetime) -> bool:
    """Whether the certificate is what the device proves itself with: where it sent no password, has a certificate for its proof, or is
    nobody's yet and its product creates devices (some SDKs send a password beside the certificate, which means nothing).

    Any other device goes on by its password, although the listener asks whoever comes for a certificate, too."""
    if not asked.certificates:
        return False
    if not asked.password or not asked.username:
        return True
    try:
        product_key, device_name = connection_schemes.names_in(asked.username)
        product = find_for_registration(product_key, at=at)
        stored = _stored(product, device_name)
    except (Malformed, ProductUnknown, names.BadDeviceName):
        return False
    on_file = connections.look_up(data_center=data_center, product_id=product.id, device_name=stored)
    return on_file.facts.authentication == X509 or (not on_file.known and product.auto_create)


def decide(
    attempt: Attempt,
    data_center: DataCenter,
    asked: Presented,
    place: tuple[int, str],
    *,
    broker_kind: str = "",
    let_in: Callable[[Entry, Judge], LetIn],
) -> Entered:
    """`let_in`: certificate_admission's `admit` or `foresee`. Raises the DomainError that refuses; the attempt has what was found out."""
    attempt.protocol = SCHEME
    _check_texts(asked)
    chain = presented.read(asked.certificates)
    attempt.facts |= {"certificate": chain[0].sha256, "serial_number": chain[0].serial_hex}
    attempt.product_key, attempt.device_name = product_key, spelled = _claimed(attempt, asked, chain, broker_kind)
    product = find_for_registration(product_key, at=attempt.at)
    attempt.product = product
    attempt.passed("The product is known.")
    accepted = authorities.accepted(product.id)
    if spelled:
        attempt.device_name = _stored(product, spelled)
    in_certificate = presented.name_in(chain[0], presented.Identity(accepted.identity))
    if not spelled:
        attempt.device_name, spelled = _stored(product, in_certificate), in_certificate
    judge = _Judge(chain, accepted, _as_stored(product, in_certificate), attempt.device_name, attempt.at)
    entry = Entry(data_center, product, attempt.device_name, attempt.at, place)
    done = let_in(entry, judge)
    attempt.passed(*done.path)
    attempt.facts["match"] = done.match.value
    return Entered(done, product.key, spelled)


def judge_of(chain: Sequence[Certificate], product: RegistrationProduct, *, connecting_as: str, at: datetime) -> Judge:
    """Of a certificate that is shown without a connection. `connecting_as` in its stored form. Raises NameMissing or NameAmbiguous."""
    accepted = authorities.accepted(product.id)
    named = presented.name_in(chain[0], presented.Identity(accepted.identity))
    return _Judge(chain, accepted, _as_stored(product, named), connecting_as, at)


class _Judge:
    """The judgement with everything but the pins, which are whoever's who asks: a certificate_admission.Judge."""

    def __init__(
        self, chain: Sequence[Certificate], accepted: authorities.DeviceCertificates, named: str, connecting_as: str, at: datetime
    ) -> None:
        """`named`, `connecting_as`: as Facts has them."""
        on_file = revocation.on_file(presented.revocation_keys(chain, accepted.anchors), at=at)
        self._chain, self._product_id = chain, accepted.product_id
        self._facts = Facts(
            at=at,
            authorities=accepted.anchors,
            named=named,
            connecting_as=connecting_as,
            pins=Pins(),
            same_key=accepted.same_key,
            revoked=on_file.revoked,
            lists=on_file.lists,
            max_list_age=accepted.crl_max_age,
            old_list_refuses=accepted.old_list_refuses,
        )

    def __call__(self, pins: Pins, device_revoked_at: datetime | None) -> Verdict:
        """What was issued here says more than its name: nobody becomes a device of this product by registering at another one whose CA is
        the same. Asked where no pin says it, so at first connections alone."""
        verdict = presented.judge(self._chain, replace(self._facts, pins=pins, device_revoked_at=device_revoked_at))
        if verdict.compared.match is Match.FIRST and issuing.is_of_another_product(self._product_id, self._chain[0].sha256):
            raise OtherName(ANOTHER_PRODUCT).after(verdict.path[:-1])
        return verdict


def _check_texts(asked: Presented) -> None:
    """Raises Malformed. Each may be missing; the password is not looked at."""
    for text, name, most in ((asked.client_id, "clientId", MAX_CLIENT_ID), (asked.username, "username", MAX_USERNAME)):
        if text:
            plain_text(text, name, most)


def _claimed(attempt: Attempt, asked: Presented, chain: Sequence[Certificate], broker_kind: str) -> tuple[str, str]:
    """ProductKey and DeviceName in the device's own spelling, the name empty where the certificate alone says it. Raises Malformed and
    ProductNotNamed."""
    if asked.username:
        return connection_schemes.names_in(asked.username)
    if broker_kind in BY_USER_NAME:
        raise UserNameMissing
    if asked.product_key:
        return plain_text(asked.product_key, "productKey"), ""
    found = authorities.product_by_issuer(chain)
    if found is None:
        raise ProductNotNamed
    attempt.passed(say("Its user name is empty; the CA {ca} that issued its certificate serves one product.", ca=found[1]))
    return found[0], ""


def _stored(product: RegistrationProduct, device_name: str) -> str:
    """Raises BadDeviceName."""
    try:
        return names.device_name(product.device_name_kind, wire_format(product.wire_protocol), device_name)
    except names.BadDeviceName as error:
        raise names.BadDeviceName(error.message, field="DeviceName") from error


def _as_stored(product: RegistrationProduct, device_name: str) -> str:
    """A name in a certificate that no device can have is told as it stands there: it is another one than the client's."""
    try:
        return _stored(product, device_name)
    except names.BadDeviceName:
        return device_name
