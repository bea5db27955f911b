"""Certificates that can be read, with a defect for which no path of theirs holds."""

import random
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from itertools import combinations, cycle, islice

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.crypto.certificates import errors
from tests.console.x509_parts import (
    BEGIN,
    CA,
    END,
    LEAF,
    NOW,
    SECOND,
    USAGES,
    authority,
    basic,
    certificate,
    curve_key,
    dn,
    extension,
    integer,
    key,
    known,
    purpose,
    rsa_key,
    tlv,
    usage,
    validity,
)
from tests.console.x509_spoiled import EACH, Kinds, Spoiled

KINDS = Kinds()
kind = KINDS.add


# -- Signatures and issuers ----------------------------------------------------------------------------------------------------------------
@kind
def a_signature_with_one_bit_changed(draw: random.Random) -> Iterator[Spoiled]:
    """Within the numbers r and s, so that it stays the encoding of a signature."""
    for _ in range(EACH):
        whole = bytearray(certificate())
        whole[-draw.randrange(1, 30)] ^= 1 << draw.randrange(8)
        yield Spoiled((bytes(whole),), errors.BadCertificateSignature)


@kind
def a_name_changed_after_signing(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        made = certificate(subject=dn(f"device{number:04}"))
        yield Spoiled((made.replace(f"device{number:04}".encode(), f"device{number + 1:04}".encode()),), errors.BadCertificateSignature)


@kind
def signed_by_somebody_else_of_the_same_name(draw: random.Random) -> Iterator[Spoiled]:
    return (
        Spoiled((certificate(signer=key("rogue"), subject=dn(f"device{number}")),), errors.BadCertificateSignature)
        for number in range(EACH)
    )


@kind
def an_issuer_that_nobody_trusts(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        own = dn(f"device{number}") if number % 2 else dn(f"CA {number}")
        yield Spoiled((certificate(issuer=own, subject=dn(f"device{number}"), signer=key()),), errors.UnknownIssuer)


@kind
def an_intermediate_that_nobody_trusts(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        middle = authority("middle", of="stranger", serial=integer(number + 1))
        yield Spoiled((certificate(issuer=dn("middle"), signer=key("middle")), middle), errors.UnknownIssuer, says="CN=stranger")


# -- Dates ---------------------------------------------------------------------------------------------------------------------------------
@kind
def expired(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        over = validity(BEGIN, NOW - (number + 1) * (SECOND if number % 2 else timedelta(hours=4)))
        yield Spoiled((certificate(dates=over),), errors.Expired, says="device has")


@kind
def not_yet_valid(draw: random.Random) -> Iterator[Spoiled]:
    return (Spoiled((certificate(dates=validity(NOW + number * SECOND, END)),), errors.NotYetValid) for number in range(1, EACH + 1))


@kind
def a_ca_above_it_that_has_expired(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        over = validity(BEGIN, NOW - (number + 1) * SECOND)
        if number % 2:
            middle = authority("middle", of="CA", dates=over)
            yield Spoiled((certificate(issuer=dn("middle"), signer=key("middle")), middle), errors.Expired, says="middle has")
        else:
            yield Spoiled((certificate(),), errors.Expired, (authority(dates=over),), says="CA has")


# -- What each may be used for -------------------------------------------------------------------------------------------------------------
@kind
def a_ca_presented_as_a_device(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        own = (basic(ca=True, path_length=number or None), usage("digital_signature", "key_cert_sign"))
        yield Spoiled((certificate(extensions=own),), errors.AuthorityAsLeaf)


@kind
def a_key_usage_without_digital_signature(draw: random.Random) -> Iterator[Spoiled]:
    others = [one for one in USAGES if one not in ("digital_signature", "key_cert_sign")]
    for size in range(1, len(others) + 1):
        for chosen in combinations(others, size):
            for more in ((), (basic(ca=False),)):
                yield Spoiled((certificate(extensions=(*more, usage(*chosen))),), errors.WrongKeyUsage)


@kind
def an_extended_key_usage_without_client_auth(draw: random.Random) -> Iterator[Spoiled]:
    others = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    others += [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING]
    for size in range(1, len(others) + 1):
        for chosen in combinations(others, size):
            yield Spoiled((certificate(extensions=(basic(ca=False), purpose(*chosen))),), errors.WrongExtendedKeyUsage)


@kind
def an_issuer_that_is_no_ca(draw: random.Random) -> Iterator[Spoiled]:
    """One of no extensions, one that says CA:FALSE, and a device's own certificate."""
    for number, own in enumerate(islice(cycle((None, (basic(ca=False),), LEAF)), EACH)):
        more = {"version": b""} if own is None else {}
        middle = authority("middle", of="CA", extensions=own, serial=integer(number + 1), **more)
        yield Spoiled((certificate(issuer=dn("middle"), signer=key("middle")), middle), errors.NotAnAuthority, says="middle")


@kind
def a_ca_that_may_not_sign(draw: random.Random) -> Iterator[Spoiled]:
    others = [one for one in USAGES if one != "key_cert_sign"]
    for size in range(1, len(others) + 1):
        for chosen in combinations(others, size):
            yield Spoiled((certificate(),), errors.KeyCertSignMissing, (authority(extensions=(basic(ca=True), usage(*chosen))),))


@kind
def a_ca_for_another_purpose(draw: random.Random) -> Iterator[Spoiled]:
    others = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING]
    for number, other in enumerate(islice(cycle(others), EACH)):
        root = authority(extensions=(*CA, purpose(other)), serial=integer(number + 1))
        yield Spoiled((certificate(),), errors.WrongExtendedKeyUsage, (root,), says="CA")


@kind
def more_intermediates_than_the_ca_allows(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        length = 1 + number % 3
        chain = [authority(f"m{at}", of=f"m{at + 1}" if at < length else "CA", serial=integer(number + 1)) for at in range(1, length + 1)]
        leaf = certificate(issuer=dn("m1"), signer=key("m1"))
        root = authority(extensions=(basic(ca=True, path_length=length - 1), CA[1]))
        yield Spoiled((leaf, *chain), errors.PathLengthExceeded, (root,))


@kind
def a_path_that_is_too_long(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        length = 6 + number % 3
        chain = [authority(f"m{at}", of=f"m{at + 1}" if at < length else "CA", serial=integer(number + 1)) for at in range(1, length + 1)]
        yield Spoiled((certificate(issuer=dn("m1"), signer=key("m1")), *chain), errors.PathTooLong)


# -- Algorithms ----------------------------------------------------------------------------------------------------------------------------
@kind
def a_weak_signature(draw: random.Random) -> Iterator[Spoiled]:
    by_rsa = authority("RSA", public=rsa_key().public_key(), signer=rsa_key(), signature="rsa-sha256")
    for number, name in enumerate(islice(cycle(("ecdsa-sha1", "ecdsa-sha224", "rsa-sha1", "rsa-md5")), EACH)):
        subject = dn(f"device{number}")
        if name.startswith("rsa"):
            weak = certificate(issuer=dn("RSA"), signer=rsa_key(), signature=name, subject=subject)
            yield Spoiled((weak,), errors.WeakSignature, (by_rsa,))
        else:
            yield Spoiled((certificate(signature=name, subject=subject),), errors.WeakSignature)


@kind
def a_signature_of_an_unknown_kind(draw: random.Random) -> Iterator[Spoiled]:
    made = (certificate(signature="unknown", subject=dn(f"device{number}")) for number in range(EACH))
    return (Spoiled((one,), errors.WeakSignature, says="1.2.3.4") for one in made)


@kind
def a_weak_key(draw: random.Random) -> Iterator[Spoiled]:
    keys = [rsa_key(1024), curve_key(ec.SECP224R1), curve_key(ec.SECP256K1), curve_key(ec.SECP192R1), curve_key(ec.BrainpoolP256R1)]
    for number, weak in enumerate(islice(cycle(keys), EACH)):
        yield Spoiled((certificate(public=weak.public_key(), subject=dn(f"device{number}")),), errors.WeakKey)


@kind
def a_ca_with_a_weak_key(draw: random.Random) -> Iterator[Spoiled]:
    weak = rsa_key(1024)
    root = authority("weak", public=weak.public_key(), signer=weak, signature="rsa-sha256")
    for number in range(EACH):
        made = certificate(issuer=dn("weak"), signer=weak, signature="rsa-sha256", subject=dn(f"device{number}"))
        yield Spoiled((made,), errors.WeakKey, (root,), says="weak has")


# -- Extensions ----------------------------------------------------------------------------------------------------------------------------
@kind
def an_unknown_critical_extension(draw: random.Random) -> Iterator[Spoiled]:
    for number in range(EACH):
        unknown = extension(x509.ObjectIdentifier(f"1.3.6.1.4.1.99999.{number}"), b"\x05\x00", critical=True)
        if number % 2:
            yield Spoiled((certificate(extensions=(*LEAF, unknown)),), errors.UnknownCriticalExtension, says=f"99999.{number}")
        else:
            yield Spoiled((certificate(),), errors.UnknownCriticalExtension, (authority(extensions=(*CA, unknown)),), says="CA has")


def _limited(*, permitted: list[x509.GeneralName] | None = None, excluded: list[x509.GeneralName] | None = None) -> bytes:
    return authority(extensions=(*CA, known(x509.NameConstraints(permitted, excluded), critical=True)))


def _named(*names: x509.GeneralName) -> bytes:
    return certificate(extensions=(*LEAF, known(x509.SubjectAlternativeName(names))))


@kind
def a_name_outside_of_what_the_ca_may_certify(draw: random.Random) -> Iterator[Spoiled]:
    home, net = x509.DNSName("devices.example"), x509.IPAddress(ip_network("10.1.0.0/16"))
    acme = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")]))
    violated = errors.NameConstraintViolated
    for number in range(EACH):
        outside = x509.DNSName(f"d{number}.other.example")
        yield Spoiled((_named(outside),), violated, (_limited(permitted=[home]),), says="DNS")
        yield Spoiled((_named(x509.DNSName(f"D{number}.DEVICES.example")),), violated, (_limited(excluded=[home]),), says="DNS")
        address = x509.IPAddress(ip_network(f"10.2.0.{number}/32").network_address)
        yield Spoiled((_named(address),), violated, (_limited(permitted=[net]),), says="IP")
        yield Spoiled((certificate(subject=dn(f"d{number}")),), violated, (_limited(permitted=[acme]),), says="directoryName")
        spelled = dn(f"d{number}", (NameOID.ORGANIZATION_NAME, "ACME"))
        yield Spoiled((certificate(subject=spelled),), violated, (_limited(excluded=[acme]),), says="directoryName")


@kind
def a_name_constraint_that_is_not_processed(draw: random.Random) -> Iterator[Spoiled]:
    unsupported = errors.NameConstraintUnsupported
    for number in range(EACH):
        mail, uri = x509.RFC822Name(f"d{number}@acme.example"), x509.UniformResourceIdentifier(f"urn:device:{number}")
        yield Spoiled((_named(mail),), unsupported, (_limited(permitted=[x509.RFC822Name("acme.example")]),), says="email")
        yield Spoiled((_named(uri),), unsupported, (_limited(excluded=[x509.UniformResourceIdentifier("acme.example")]),), says="URI")
        bounded = tlv(0x30, tlv(0xA0, tlv(0x30, tlv(0x82, b"example"), tlv(0x80, bytes((1 + number,))))))
        root = authority(extensions=(*CA, extension(x509.ObjectIdentifier("2.5.29.30"), bounded, critical=True)))
        yield Spoiled((certificate(),), unsupported, (root,), says="minimum")
