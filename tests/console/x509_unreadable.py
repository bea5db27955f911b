"""Certificates with a defect for which they are not even read: of their encoding, or of a field."""

import random
from collections.abc import Iterator
from itertools import cycle, islice

from cryptography import x509

from console.crypto.certificates import errors
from tests.console.x509_parts import (
    ALGORITHMS,
    BEGIN,
    LEAF,
    NOW,
    SECOND,
    certificate,
    dn,
    extension,
    integer,
    key,
    moment,
    spki,
    tlv,
    validity,
)
from tests.console.x509_spoiled import EACH, Kinds, Spoiled

KINDS = Kinds()
kind = KINDS.add


def _fields(reason: type[errors.CertificateError], name: str, made: Iterator[bytes]) -> Iterator[Spoiled]:
    return (Spoiled((one,), reason, field=name) for one in made)


# -- Encoding ------------------------------------------------------------------------------------------------------------------------------
@kind
def cut_short(draw: random.Random) -> Iterator[Spoiled]:
    whole = certificate()
    return (Spoiled((whole[: draw.randrange(1, len(whole))],), errors.NotDer) for _ in range(10 * EACH))


@kind
def bytes_behind_the_end(draw: random.Random) -> Iterator[Spoiled]:
    return (Spoiled((certificate() + draw.randbytes(size),), errors.TrailingBytes) for size in range(1, EACH + 1))


@kind
def a_length_longer_than_needed(draw: random.Random) -> Iterator[Spoiled]:
    """In the serial number, the subject's value, or the whole."""
    for size in range(1, 30):
        serial = bytes((0x02, 0x81, size)) + b"\x11" * size
        yield Spoiled((certificate(serial=serial),), errors.NotDer, says="shortest")
        yield Spoiled((certificate(serial=bytes((0x02, 0x82, 0, size)) + b"\x11" * size),), errors.NotDer, says="shortest")


@kind
def an_indefinite_length(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        inner = tlv(0x0C, f"device{number}".encode()) + b"\0\0"
        name = tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, b"\x55\x04\x03"), b"\x2c\x80" + inner)))
        yield Spoiled((certificate(subject=name),), errors.NotDer, says="indefinite")


@kind
def a_text_in_parts(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        value = tlv(0x2C, tlv(0x0C, b"device"), tlv(0x0C, str(number).encode()))
        name = tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, b"\x55\x04\x03"), value)))
        yield Spoiled((certificate(subject=name),), errors.NotDer, says="BER")


@kind
def a_true_that_is_not_ff(draw: random.Random) -> Iterator[Spoiled]:
    for value in range(1, EACH + 1):
        sloppy = tlv(0x30, tlv(0x06, b"\x55\x1d\x0f"), bytes((1, 1, value)), tlv(0x04, b"\x03\x02\x07\x80"))
        yield Spoiled((certificate(extensions=(sloppy,)),), errors.NotDer, says="one form")


@kind
def an_integer_with_a_leading_zero(draw: random.Random) -> Iterator[Spoiled]:
    return (Spoiled((certificate(serial=bytes((2, 3, 0, first, 7))),), errors.NotDer, says="one form") for first in range(EACH))


@kind
def nested_too_deep(draw: random.Random) -> Iterator[Spoiled]:
    for depth in range(40, 40 + EACH):
        value = b"\x05\x00"
        for _ in range(depth):
            value = tlv(0x30, value)
        yield Spoiled((certificate(subject=value),), errors.NotDer, says="deeper")


@kind
def something_else_than_a_certificate(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        yield Spoiled((tlv(0x30, *(integer(number + 5) for _ in range(number % 7)), tlv(0x0C, b"%d" % number)),), errors.NotDer)


# -- Fields --------------------------------------------------------------------------------------------------------------------------------
@kind
def a_serial_number_that_is_not_positive(draw: random.Random) -> Iterator[Spoiled]:
    yield from _fields(errors.BadField, "serialNumber", (certificate(serial=integer(-draw.getrandbits(60) - 1)) for _ in range(EACH - 1)))
    yield Spoiled((certificate(serial=integer(0)),), errors.BadField, field="serialNumber")


@kind
def a_serial_number_that_is_too_long(draw: random.Random) -> Iterator[Spoiled]:
    made = (certificate(serial=tlv(2, b"\x11" + draw.randbytes(size))) for size in range(20, 20 + EACH))
    return _fields(errors.BadField, "serialNumber", made)


@kind
def two_signature_algorithms(draw: random.Random) -> Iterator[Spoiled]:
    others = [bytes.fromhex(ALGORITHMS[name]) for name in ("ecdsa-sha384", "rsa-sha256", "unknown", "ecdsa-sha1")]
    made = (certificate(algorithm=other, subject=dn(f"device{number}")) for number, other in enumerate(islice(cycle(others), EACH)))
    return _fields(errors.BadField, "signatureAlgorithm", made)


@kind
def a_validity_that_ends_before_it_begins(draw: random.Random) -> Iterator[Spoiled]:
    made = (certificate(dates=validity(NOW, NOW - number * SECOND)) for number in range(1, EACH + 1))
    return _fields(errors.BadField, "validity", made)


@kind
def a_date_that_is_none(draw: random.Random) -> Iterator[Spoiled]:
    bad = [
        "261321120000Z",
        "261100120000Z",
        "261132120000Z",
        "261121250000Z",
        "261121126100Z",
        "261121120061Z",
        "2611211200Z",
        "261121120000",
    ]
    bad += ["261121120000+0100", "26112112000OZ", "", "Z", "260230120000Z"]
    long = ["20261121120000", "20261121120000.5Z", "20261321120000Z", "202611211200Z", "00000101000000Z"]
    for number in range(EACH):
        for wrong in (*(tlv(0x17, one.encode()) for one in bad), *(tlv(0x18, one.encode()) for one in long)):
            dates = tlv(0x30, moment(BEGIN + number * SECOND), wrong)
            yield Spoiled((certificate(dates=dates),), errors.BadField, field="validity")


@kind
def a_version_that_there_is_not(draw: random.Random) -> Iterator[Spoiled]:
    made = (certificate(version=tlv(0xA0, integer(number))) for number in (1, 0, *range(3, EACH + 3)))
    return _fields(errors.BadField, "version", made)


@kind
def an_extension_twice(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        repeated = extension(x509.ObjectIdentifier(f"1.3.6.1.4.1.99999.{number}"), b"\x05\x00")
        yield Spoiled((certificate(extensions=(*LEAF, repeated, repeated)),), errors.BadField, field="extensions")


@kind
def an_extension_that_cannot_be_read(draw: random.Random) -> Iterator[Spoiled]:
    oids = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.14", "2.5.29.35"]
    for oid in islice(cycle(oids), 4 * EACH):
        yield Spoiled((certificate(extensions=(extension(x509.ObjectIdentifier(oid), b"\x30\x7f" + draw.randbytes(6)),)),), errors.BadField)


@kind
def a_name_that_is_no_text(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        wrong = tlv(0x0C, b"device\xff" + bytes([0x80 + number]))
        name = tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, b"\x55\x04\x03"), wrong)))
        yield Spoiled((certificate(subject=name),), errors.BadField)


@kind
def a_point_beside_the_curve(draw: random.Random) -> Iterator[Spoiled]:
    good = spki(key().public_key())
    made = (certificate(public=good[:-64] + draw.randbytes(64)) for _ in range(EACH))
    return _fields(errors.BadField, "subjectPublicKeyInfo", made)
