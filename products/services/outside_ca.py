"""An outside CA behind a CSR endpoint: a POST of a PKCS #10 request, answered with the certificate.

Sent: the request as DER, `Content-Type: application/pkcs10` (RFC 5967), and the secret in the header that was named. Taken: 200 or 201
with certificates in PEM or DER, or a certs-only PKCS #7 in DER or base64, the device's among them. Nothing is believed: the certificate
must be for the key that was sent and for the device alone, and must lead to the CA certificate that is on file here.
"""

import base64
import binascii
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from console.crypto.certificates import chains, reading
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import CertificateError
from console.crypto.certificates.issuing import NamePlace
from console.errors import Unavailable
from console.shared import fetching, keyring
from console.words import say
from products.models import IssuingCA

LIMITS: Final = fetching.Limits(connect=2.0, whole=8.0, most=64 * 1024)
"""A device waits for its answer, and gives up after two to ten seconds itself."""
READ_FROM: Final[Mapping[NamePlace, Callable[[Certificate], tuple[str, ...]]]] = {
    NamePlace.NOWHERE: lambda leaf: leaf.common_names,
    NamePlace.DNS_NAME: lambda leaf: leaf.alternative_names.dns if len(leaf.alternative_names.all) == 1 else leaf.alternative_names.all,
    NamePlace.URI: lambda leaf: leaf.alternative_names.uri,
    NamePlace.SUBJECT_SERIAL_NUMBER: lambda leaf: leaf.subject_serial_numbers,
}
"""Where a connection looks for the DeviceName, by where it stands besides the CN."""
ACCEPT: Final = "application/pkix-cert, application/x-pem-file, application/pkcs7-mime"


class IssuingFailed(Unavailable):
    """No certificate could be had. Nothing was written; the same request may succeed later."""

    code = "issuing_failed"
    default_message = "The certificate could not be issued."


def ask(
    row: IssuingCA, request: bytes, *, authority: bytes, spki_sha256: str, names: Collection[str], place: NamePlace, at: datetime
) -> tuple[Certificate, ...]:
    """The device's certificate, then those above it up to and without the CA certificate on file. `place`: where the product reads the
    name. Raises IssuingFailed."""
    headers = {"Content-Type": "application/pkcs10", "Accept": ACCEPT}
    if row.endpoint_header:
        headers[row.endpoint_header] = keyring.unseal(row.sealed_endpoint_secret, owner=row.owner())
    try:
        answer = fetching.fetch(row.endpoint_url, method="POST", headers=headers, body=request, limits=LIMITS, trust=row.endpoint_trust)
    except fetching.NotFetched as error:
        raise IssuingFailed(say("The outside CA could not be asked: {reason}", reason=error.message)) from error
    if answer.status not in (200, 201):
        raise IssuingFailed(say("The outside CA answered with status {status}.", status=answer.status))
    try:
        found = _read(answer.body)
        leaf = next((one for one in found if one.spki_sha256 == spki_sha256), None)
        if leaf is None:
            raise IssuingFailed("The outside CA answered with a certificate for another key.")
        _check_name(leaf, names, place)
        path = chains.verify([leaf, *(one for one in found if one is not leaf)], [reading.from_der(authority)], at=at)
    except CertificateError as error:
        raise IssuingFailed(say("The outside CA's certificate is refused: {reason}", reason=error.message)) from error
    return path[:-1]


def _check_name(leaf: Certificate, names: Collection[str], place: NamePlace) -> None:
    """Where the product reads it stands the device's name and nothing else; nor is a CN another's."""
    found = READ_FROM[place](leaf)
    if not found:
        raise IssuingFailed("The outside CA's certificate has no name where this product's DeviceNames stand.")
    if len(found) > 1 or not {*found, *leaf.common_names} <= {*names}:
        raise IssuingFailed("The outside CA answered with a certificate for another name.")


def _read(body: bytes) -> tuple[Certificate, ...]:
    """Raises a CertificateError."""
    if b"-----BEGIN CERTIFICATE" in body:
        return reading.read(body)
    der = _decoded(body)
    try:
        return (reading.from_der(der),)
    except CertificateError:
        packed = _unpacked(der)
        if not packed:
            raise
        return packed


def _decoded(body: bytes) -> bytes:
    """DER itself, or its base64 in lines."""
    if body[:1] == b"\x30":
        return body
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return body


def _unpacked(der: bytes) -> tuple[Certificate, ...]:
    try:
        return tuple(reading.from_der(one.public_bytes(Encoding.DER)) for one in pkcs7.load_der_pkcs7_certificates(der))
    except (ValueError, UnsupportedAlgorithm):
        return ()
