"""Simulated devices with certificates: they make keys, ask for certificates with a CSR, and present what they were handed (N5)."""

import ssl
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from registration.protocols.base import Answer, Credentials, Reply, Request
from registration.protocols.native import Native

NO_SECRET = "AAAA"  # noqa: S105
"""For the composer of a user name, which makes a password as well, of base64; the password is not sent."""


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """Certificate and key of a device, PEM."""

    certificate: str
    private_key: str


@dataclass(frozen=True, slots=True)
class CsrDevices(Native):
    """The native scheme as devices speak it that make their keys themselves. `keys`: PEM, by their public keys."""

    keys: dict[bytes, str] = field(default_factory=dict, repr=False)

    def compose(self, credentials: Credentials, *, host: str, at: datetime, nonce: int, csr: str = "") -> Request:
        key = ec.generate_private_key(ec.SECP256R1())
        self.keys[_spki(key.public_key())] = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, credentials.device_name)])
        made = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
        asks = csr or made.public_bytes(Encoding.PEM).decode()
        return Native.compose(self, credentials, host=host, at=at, nonce=nonce, csr=asks)

    def read(self, reply: Reply, product_secret: str) -> Answer:
        """With the key that the certificate is for."""
        answer = Native.read(self, reply, product_secret)
        if not answer.certificate:
            return answer
        certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
        return replace(answer, private_key=self.keys.pop(_spki(certificate.public_key()), ""))


def context(pair: Pair, *, verify: ssl.VerifyMode, ca: Path | None) -> ssl.SSLContext:
    """Of one device. Raises OSError (ssl.SSLError) for a pair that does not fit."""
    made = ssl.create_default_context(cafile=ca)
    if verify is ssl.CERT_NONE:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        # Python's TLS reads a key from a file alone; this one is its owner's, and gone at once.
        file.write(pair.private_key + pair.certificate)
        file.flush()
        made.load_cert_chain(file.name)
    return made


def forged(pair: Pair) -> Pair:
    """A certificate for the same name that nobody but itself has signed."""
    real, key = x509.load_pem_x509_certificate(pair.certificate.encode()), ec.generate_private_key(ec.SECP256R1())
    begins, ends = real.not_valid_before_utc, real.not_valid_after_utc
    builder = x509.CertificateBuilder(real.subject, real.subject, key.public_key(), x509.random_serial_number(), begins, ends)
    made = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    return Pair(made, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def _spki(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]
