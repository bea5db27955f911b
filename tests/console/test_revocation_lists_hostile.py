"""Revocation lists as they may come over a network: whoever sends one is not the CA yet, and nothing but BadList comes of it."""

import random
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from console.crypto.certificates import revocation_lists as lists
from console.crypto.certificates.issuing import Issuer
from console.crypto.certificates.revocation_lists import BadList, Entry
from tests.products.issuing_cast import NOW, an_issuer

WEEK = timedelta(days=7)
ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
VERSION_2 = b"\x02\x01\x01"
MUTATIONS = 20_000


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return an_issuer("Outside CA")


@pytest.fixture(scope="module")
def good(issuer: Issuer) -> bytes:
    return lists.make(issuer, [Entry(5, NOW, "key_compromise"), Entry(6, NOW)], number=3, at=NOW, lasts=WEEK)


def signed(issuer: Issuer, *extensions: x509.ExtensionType, digest: Any = None, ends: datetime = NOW + WEEK) -> bytes:
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, NOW, ends)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer.key, digest or hashes.SHA256()).public_bytes(Encoding.DER)


def fault(issuer: Issuer, data: bytes) -> str:
    with pytest.raises(BadList) as caught:
        lists.read(data, authority=issuer.certificate, at=NOW)
    return str(caught.value.facts["fault"])


@pytest.mark.parametrize("kind", [ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey])
def test_a_list_is_taken_whatever_kind_of_key_its_ca_may_have(kind: Any) -> None:
    key, name = kind.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Edwards CA")])
    authority = x509.CertificateBuilder(name, name, key.public_key(), 5, NOW, NOW + WEEK).sign(key, None)
    made = x509.CertificateRevocationListBuilder(name, NOW, NOW + WEEK).sign(key, None).public_bytes(Encoding.DER)
    assert len(lists.read(made, authority=authority, at=NOW)) == 0
    spoiled = bytearray(made)
    spoiled[-1] ^= 1
    with pytest.raises(BadList, match="not signed with the CA's key"):
        lists.read(bytes(spoiled), authority=authority, at=NOW)


def test_a_signature_counts_on_a_list_as_on_a_certificate(issuer: Issuer, good: bytes) -> None:
    assert not len(lists.read(signed(issuer, digest=hashes.SHA3_256()), authority=issuer.certificate, at=NOW))
    assert fault(issuer, signed(issuer, digest=hashes.SHA224())) == "weak"
    assert fault(issuer, good.replace(ECDSA_SHA256, ECDSA_SHA256[:-1] + b"\x7f")) == "weak", "no algorithm at all"
    with pytest.raises(BadList, match="signed with ecdsa-with-SHA224; SHA-256 and stronger are accepted"):
        lists.read(signed(issuer, digest=hashes.SHA224()), authority=issuer.certificate, at=NOW)


@pytest.mark.parametrize("version", [b"\x02\x01\x02", b"\x02\x01\x00", b"\x02\x01\x7f"])
def test_a_list_of_a_version_that_nobody_knows_is_no_list(issuer: Issuer, good: bytes, version: bytes) -> None:
    assert fault(issuer, good.replace(VERSION_2, version, 1)) == "form"


def test_a_number_has_at_most_twenty_octets(issuer: Issuer) -> None:
    longest = 2**160 - 1
    assert lists.read(signed(issuer, x509.CRLNumber(longest)), authority=issuer.certificate, at=NOW).number == longest
    assert fault(issuer, signed(issuer, x509.CRLNumber(longest + 1))) == "number"


def test_a_list_without_an_end_names_one_that_every_time_zone_has(issuer: Issuer) -> None:
    ends = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    found = lists.read(signed(issuer, ends=ends), authority=issuer.certificate, at=NOW)
    assert found.next_update and found.next_update.year == 9999 and ends - found.next_update >= timedelta(hours=14)


def mutated(data: bytes, seed: int) -> Iterator[bytes]:
    rnd = random.Random(seed)
    for _ in range(MUTATIONS):
        spoiled = bytearray(data)
        for _byte in range(rnd.randint(1, 3)):
            spoiled[rnd.randrange(len(spoiled))] = rnd.choice((0, 1, 2, 3, 5, 6, 0x17, 0x18, 0x30, 0x80, 0xFF, rnd.randrange(256)))
        yield bytes(spoiled)


@pytest.mark.parametrize("by_the_ca", [True, False])
def test_no_bytes_bring_anything_but_a_refusal(issuer: Issuer, good: bytes, monkeypatch: pytest.MonkeyPatch, *, by_the_ca: bool) -> None:
    """`by_the_ca`: as if the CA itself had signed the nonsense."""
    if by_the_ca:
        monkeypatch.setattr(lists, "_check_signature", lambda parsed, authority: None)
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of names that are no country's.
        for data in mutated(good, seed=2026):
            try:
                list(lists.read(data, authority=issuer.certificate, at=NOW).entries())
            except BadList:
                refused += 1
    assert refused > MUTATIONS / 4 if by_the_ca else refused > MUTATIONS * 0.9


def test_a_list_of_ours_takes_time_for_its_entries_and_not_for_their_square(issuer: Issuer) -> None:
    started = monotonic()
    made = lists.make(issuer, (Entry(10**9 + one, NOW, "superseded") for one in range(80_000)), number=1, at=NOW, lasts=WEEK)
    assert len(lists.read(made, authority=issuer.certificate, at=NOW)) == 80_000
    assert monotonic() - started < 10
