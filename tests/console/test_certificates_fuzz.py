"""Spoiled DER never crashes the reader nor the search for a path, and never takes long."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.crypto.certificates import chains, reading, requests
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import CertificateError
from tests.console import x509_mutations
from tests.console.x509_parts import CA, LEAF, NOW, authority, basic, certificate, dn, extension, known, purpose, rsa_key, usage

LONGEST = 0.25
"""Seconds for one input, on a machine that does other things as well."""


def samples() -> list[bytes]:
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("device.example"),
            x509.RFC822Name("device@acme.example"),
            x509.UniformResourceIdentifier("urn:device:1"),
            x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "设备")])),
            x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4"), b"\x0c\x03abc"),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        ]
    )
    limits = x509.NameConstraints([x509.DNSName("example")], [x509.UniformResourceIdentifier("x.example")])
    keys = [known(x509.SubjectKeyIdentifier(b"1234")), known(x509.AuthorityKeyIdentifier(b"1234", None, None))]
    everything = (basic(ca=False), usage("digital_signature"), purpose(ExtendedKeyUsageOID.CLIENT_AUTH), known(names), *keys)
    many = [(NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Acme, Inc"), (NameOID.SERIAL_NUMBER, "SN-1")]
    return [
        certificate(),
        certificate(version=b"", extensions=None),
        certificate(extensions=everything, subject=dn("device", *many)),
        certificate(public=rsa_key().public_key(), extensions=(*LEAF, extension(x509.ObjectIdentifier("1.2.3"), b"\x05\0"))),
        authority("middle", of="CA"),
        authority(extensions=(*CA, known(limits, critical=True), *keys)),
    ]


def spoil(draw: random.Random, data: bytes) -> bytes:
    if draw.random() < 0.4:
        return x509_mutations.in_place(draw, data)
    return x509_mutations.in_structure(draw, x509_mutations.parsed(data))


@cache
def whole() -> tuple[Certificate, Certificate]:
    return reading.from_der(certificate()), reading.from_der(authority())


def attempt(data: bytes) -> None:
    """Reads it, and where that succeeds, uses it as a device's certificate, as an intermediate one and as an anchor."""
    leaf, root = whole()
    one = reading.from_der(data)
    for presented, anchors in (((one,), (root,)), ((leaf, one), (root,)), ((leaf,), (one,))):
        with suppress(CertificateError):
            chains.verify(presented, anchors, at=NOW)


def run(count: int, seed: str, use: Callable[[bytes], object]) -> tuple[int, float]:
    """How many were read all the same, and the longest time that one took. Anything but our own errors ends the test."""
    draw, originals, slowest, read = random.Random(seed), samples(), 0.0, 0
    for _ in range(count):
        data = spoil(draw, draw.choice(originals))
        begin = time.perf_counter()
        with suppress(CertificateError):
            use(data)
            read += 1
        slowest = max(slowest, time.perf_counter() - begin)
    return read, slowest


@pytest.mark.slow
def test_fifty_thousand_spoiled_certificates_crash_nothing() -> None:
    read, slowest = run(50_000, "fifty thousand", attempt)
    assert read > 500, "so few were read that the search for a path was hardly tried"
    assert slowest < LONGEST


def test_three_thousand_spoiled_certificates_crash_nothing() -> None:
    read, slowest = run(3_000, "three thousand", attempt)
    assert read > 30
    assert slowest < LONGEST


def test_spoiled_uploads_crash_nothing() -> None:
    """PEM text, and DER in front of or behind other data."""
    text = reading.to_pem(whole()[0]).encode()
    draw = random.Random("uploads")
    for _ in range(3_000):
        data = x509_mutations.in_place(draw, draw.choice((text, text + text, b"\xef\xbb\xbfCN=device\r\n" + text)))
        with suppress(CertificateError):
            reading.read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x30" * reading.MAX_UPLOAD,
        b"\x30\x80" * (reading.MAX_UPLOAD // 2),
        b"\x30\x84\xff\xff\xff\xff" + b"\0" * 1000,
        b"-----BEGIN CERTIFICATE-----" * 30_000,
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" * 18_000,
        b"-----BEGIN CERTIFICATE-----\n" + b"A" * 900_000,
        b"BEGIN " * 160_000,
        b"\x30\x00" * (reading.MAX_UPLOAD // 2),
        b"\x30\x82\xff\xf0" + b"\x30\x02\x05\x00" * 16_380,
        b"",
        b"\0",
        b"\n",
    ],
    ids=range(12),
)
def test_an_upload_made_to_take_long_does_not(data: bytes) -> None:
    begin = time.perf_counter()
    with pytest.raises(CertificateError):
        reading.read(data)
    with pytest.raises(CertificateError):
        requests.read_request(data)
    assert time.perf_counter() - begin < 2
