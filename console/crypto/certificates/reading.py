"""From bytes to certificates: PEM or DER in, plain values out, and whatever is odd about them is an error of ours.

cryptography reads fields when they are asked for, and each may fail then; here every field is asked for once (fields.py).
"""

from itertools import islice
from typing import Final

from console.crypto.certificates import der, fields, pem, private_keys
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import NotDer, PrivateKeyFound, TooLarge, TooMany, Unreadable
from console.words import say

MAX_UPLOAD: Final = 1_000_000
"""Bytes (Quectel, Device CA Certificate: 1 MB at most)."""
MAX_CERTIFICATE: Final = 65_536
"""Bytes of one certificate. One with a long list of names has some 10,000; the limit bounds the time that a hostile one takes."""
MAX_CERTIFICATES: Final = 20


def read(upload: bytes) -> tuple[Certificate, ...]:
    """PEM or DER, one or several certificates (DER ones behind each other), in the order of the upload, none twice.

    Raises an Unreadable: TooLarge, PrivateKeyFound, WrongLabel, BadPem, NotDer, TrailingBytes, BadField, TooMany."""
    if len(upload) > MAX_UPLOAD:
        raise TooLarge
    ders = certificates_in(upload)
    return tuple({one: from_der(one) for one in ders}.values())


def read_one(upload: bytes) -> Certificate:
    """The same, and exactly one. Raises an Unreadable."""
    found = read(upload)
    if len(found) > 1:
        raise TooMany(say("The file holds {count} certificates, and one is expected.", count=len(found)))
    return found[0]


def certificates_in(upload: bytes, labels: tuple[str, ...] = pem.CERTIFICATE) -> tuple[bytes, ...]:
    """The DER of each, not looked into but for private keys. Raises an Unreadable."""
    if private_keys.named_in(upload):
        raise PrivateKeyFound
    found = tuple(islice(pem.blocks(upload, labels), MAX_CERTIFICATES + 1)) if pem.is_pem(upload) else _sequences(upload)
    if any(private_keys.is_one(one) for one in found):
        raise PrivateKeyFound
    if not found:
        raise Unreadable("The file is empty.")
    if len(found) > MAX_CERTIFICATES:
        raise TooMany(say("The file holds more than {most} certificates.", most=MAX_CERTIFICATES))
    return found


def from_der(data: bytes) -> Certificate:
    """One certificate and nothing behind it. Raises an Unreadable."""
    if len(data) > MAX_CERTIFICATE:
        raise TooLarge(say("A certificate has at most {most:,} bytes; this one has {size:,}.", most=MAX_CERTIFICATE, size=len(data)))
    return fields.of(data, der.check(data))


def to_pem(certificate: Certificate) -> str:
    """With lines of 64 characters, a line feed at the end."""
    return pem.armoured(certificate.der)


def _sequences(upload: bytes) -> tuple[bytes, ...]:
    """Of DER data. Raises PrivateKeyFound also for a key that stands behind a certificate or is cut short."""
    found: list[bytes] = []
    try:
        found += islice(der.sequences(upload), MAX_CERTIFICATES + 1)
    except NotDer:
        if private_keys.is_one(upload[sum(map(len, found)) :]):
            raise PrivateKeyFound from None
        raise
    return tuple(found)
