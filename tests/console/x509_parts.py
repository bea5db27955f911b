"""Certificates put together from parts by hand and really signed, so that each test can spoil one part of a certificate that is whole else.

Keys are made once for each run; P-256 unless a test is about keys.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
ALGORITHMS = {
    "ecdsa-sha256": "300a06082a8648ce3d040302",
    "ecdsa-sha384": "300a06082a8648ce3d040303",
    "ecdsa-sha1": "300906072a8648ce3d0401",
    "ecdsa-sha224": "300a06082a8648ce3d040301",
    "rsa-sha256": "300d06092a864886f70d01010b0500",
    "rsa-sha1": "300d06092a864886f70d0101050500",
    "rsa-md5": "300d06092a864886f70d0101040500",
    "unknown": "300506032a0304",
}
HASHES = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "md5": hashes.MD5}
Signer = Any


@cache
def key(name: str = "leaf") -> ec.EllipticCurvePrivateKey:
    """One for each name."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def curve_key(curve: type[ec.EllipticCurve]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(number: int) -> bytes:
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def dn(common_name: str = "", *more: tuple[x509.ObjectIdentifier, str]) -> bytes:
    """Attributes one to an RDN; the CN comes last."""
    attributes = [x509.NameAttribute(oid, value) for oid, value in more]
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes).public_bytes()


def moment(at: datetime) -> bytes:
    return tlv(0x17, f"{at:%y%m%d%H%M%SZ}".encode()) if at.year < 2050 else tlv(0x18, f"{at:%Y%m%d%H%M%SZ}".encode())


def validity(begin: datetime, end: datetime) -> bytes:
    return tlv(0x30, moment(begin), moment(end))


def object_identifier(oid: x509.ObjectIdentifier) -> bytes:
    first, second, *rest = map(int, oid.dotted_string.split("."))
    content = b""
    for number in (first * 40 + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return tlv(0x06, content)


def extension(oid: x509.ObjectIdentifier, value: bytes, *, critical: bool = False) -> bytes:
    return tlv(0x30, object_identifier(oid), b"\x01\x01\xff" if critical else b"", tlv(0x04, value))


def known(value: x509.ExtensionType, *, critical: bool = False) -> bytes:
    return extension(value.oid, value.public_bytes(), critical=critical)


def basic(*, ca: bool, path_length: int | None = None) -> bytes:
    return known(x509.BasicConstraints(ca, path_length), critical=True)


def usage(*names: str) -> bytes:
    facts = {name: name in names for name in USAGES}
    return known(x509.KeyUsage(**facts, encipher_only=False, decipher_only=False), critical=True)


def purpose(*oids: x509.ObjectIdentifier) -> bytes:
    return known(x509.ExtendedKeyUsage(oids))


def spki(public: Any) -> bytes:
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


LEAF = (basic(ca=False), usage("digital_signature"), purpose(ExtendedKeyUsageOID.CLIENT_AUTH))
CA = (basic(ca=True), usage("key_cert_sign", "crl_sign"))
BEGIN, END = NOW - 10 * DAY, NOW + 10 * DAY


def to_be_signed(
    *,
    version: bytes = b"\xa0\x03\x02\x01\x02",
    serial: bytes = b"\x02\x02\x12\x34",
    algorithm: bytes = bytes.fromhex(ALGORITHMS["ecdsa-sha256"]),
    issuer: bytes = b"",
    dates: bytes = b"",
    subject: bytes = b"",
    public: bytes = b"",
    extensions: Iterable[bytes] | None = LEAF,
) -> bytes:
    """`extensions` None: the field is left out."""
    listed = tlv(0xA3, tlv(0x30, *extensions)) if extensions is not None else b""
    parts = (version, serial, algorithm, issuer or dn("CA"), dates or validity(BEGIN, END), subject or dn("device"), public, listed)
    return tlv(0x30, *parts)


def signed(body: bytes, signer: Signer, algorithm: str = "ecdsa-sha256", outer: bytes | None = None) -> bytes:
    """`outer`: the signature algorithm beside the signature, when another one than is used."""
    used = HASHES.get(algorithm.rpartition("-")[2], hashes.SHA256)()
    value = signer.sign(body, padding.PKCS1v15(), used) if isinstance(signer, rsa.RSAPrivateKey) else signer.sign(body, ec.ECDSA(used))
    return tlv(0x30, body, outer or bytes.fromhex(ALGORITHMS[algorithm]), tlv(0x03, b"\0", value))


def certificate(
    *,
    signer: Signer | None = None,
    public: Any = None,
    signature: str = "ecdsa-sha256",
    edit: Callable[[bytes], bytes] | None = None,
    **parts: Any,
) -> bytes:
    """A device's certificate of the CA named CA, whole unless a part is given. `edit` changes what is signed, before it is signed."""
    parts.setdefault("algorithm", bytes.fromhex(ALGORITHMS[signature]))
    body = to_be_signed(public=public if isinstance(public, bytes) else spki(public or key().public_key()), **parts)
    return signed(edit(body) if edit else body, signer or key("CA"), signature)


def authority(name: str = "CA", *, of: str = "", **parts: Any) -> bytes:
    """A CA certificate for the key of this name, issued by `of`, or by itself."""
    facts = {"subject": dn(name), "issuer": dn(of or name), "public": key(name).public_key(), "signer": key(of or name), "extensions": CA}
    return certificate(**(facts | parts))
