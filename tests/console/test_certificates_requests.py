"""A device's certificate signing request: what is read of it, and that it was signed with the key that it is for."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from console.crypto.certificates import errors, requests
from console.crypto.certificates.requests import read_request
from tests.console.x509_parts import certificate, curve_key, dn, integer, key, rsa_key, signed, spki, tlv


def request(signer=None, *, public=None, subject: bytes = dn("device"), algorithm: str = "ecdsa-sha256") -> bytes:
    """The CertificationRequestInfo and its signature have the form that a certificate's body has (RFC 2986, 4.2)."""
    signer = signer or key()
    return signed(tlv(0x30, integer(0), subject, spki(public or signer.public_key()), tlv(0xA0)), signer, algorithm)


def test_what_is_read_of_it() -> None:
    building = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, "SN-1"), x509.NameAttribute(NameOID.COMMON_NAME, "device")])
    )
    building = building.add_extension(x509.SubjectAlternativeName([x509.DNSName("device.example")]), critical=False)
    made = building.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key(), SHA256())
    one = read_request(made.public_bytes(Encoding.PEM))
    assert one == read_request(made.public_bytes(Encoding.DER)) == read_request(requests.to_pem(one).encode())
    assert (one.subject, one.common_names, one.subject_serial_numbers) == ("CN=device,2.5.4.5=SN-1", ("device",), ("SN-1",))
    assert one.alternative_names.dns == ("device.example",)
    assert (one.key_kind, one.curve, one.signature_hash) == ("EC", "secp256r1", "sha256")
    assert one.extensions == {"2.5.29.17", "2.5.29.19"}
    assert one.spki == spki(key().public_key())
    digest = Hash(SHA256())
    digest.update(one.spki)
    assert one.spki_sha256 == digest.finalize().hex()


def test_openssl_s_request_is_read(tmp_path: Path) -> None:
    new_key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem"]
    subprocess.run(["openssl", "req", *new_key, "-out", "csr.pem", "-subj", "/CN=device"], cwd=tmp_path, check=True, capture_output=True)
    assert read_request((tmp_path / "csr.pem").read_bytes()).key_bits == 2048


@pytest.mark.parametrize("signer", [curve_key(ec.SECP384R1), ed25519.Ed25519PrivateKey.generate()])
def test_other_strong_keys_may_ask(signer) -> None:
    used = None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(signer, used)
    assert read_request(made.public_bytes(Encoding.DER)).common_names == ()


PEM = b"-----BEGIN CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (request(key(), public=key("another").public_key()), errors.BadCertificateSignature),
        (request(rsa_key(1024), algorithm="rsa-sha256"), errors.WeakKey),
        (request(curve_key(ec.SECP256K1)), errors.WeakKey),
        (request(algorithm="ecdsa-sha1"), errors.WeakSignature),
        (request(algorithm="unknown"), errors.WeakSignature),
        (request() + b"\0", errors.TrailingBytes),
        (request()[:-1], errors.NotDer),
        (request(subject=b"\x30\x80\0\0"), errors.NotDer),
        (request() * 2, errors.TooMany),
        (certificate(), errors.NotDer),
        (b"", errors.Unreadable),
        (b"x" * 200_000, errors.TooLarge),
        (key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), errors.PrivateKeyFound),
        (PEM.replace(b" REQUEST", b"") + b"AAAA\n-----END CERTIFICATE-----", errors.WrongLabel),
    ],
)
def test_what_is_no_honest_request_is_refused_for_its_own_reason(data: bytes, reason: type[errors.CertificateError]) -> None:
    with pytest.raises(errors.CertificateError) as refused:
        read_request(data)
    assert refused.type is reason
