"""CAs of the tests: keys and certificates made anew, and the certificate that proves the possession of a key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from products.models import CertificateAuthority, Product
from products.services import authority_proof, authority_states, authority_upkeep
from tests.cast import NOON, OPERATOR


@dataclass(frozen=True)
class Ca:
    """A key and its self-signed certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def proof(self, code: str, *, at: datetime = NOON, days: int = 7) -> str:
        """A certificate with the code as CN, signed by this CA, as PEM."""
        key = _key("proof")
        return self._signed(_name(code), key, at - timedelta(hours=1), at + timedelta(days=days), ca=False)

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime, end: datetime, *, ca: bool) -> str:
        made = (
            x509.CertificateBuilder(
                self.certificate.subject,
                subject,
                key.public_key(),
                x509.random_serial_number(),
                not_valid_before=begin,
                not_valid_after=end,
            )
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.PEM).decode()


def make(name: str = "Works Root", *, at: datetime = NOON, days: int = 3650, began: int = 1) -> Ca:
    """A CA that began `began` days ago and ends in `days` days."""
    key, subject = _key(name), _name(name)
    certificate = (
        x509.CertificateBuilder(
            subject,
            subject,
            key.public_key(),
            x509.random_serial_number(),
            not_valid_before=at - timedelta(days=began),
            not_valid_after=at + timedelta(days=days),
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Ca(key, certificate)


def uploaded(ca: Ca, *products: Product, name: str = "", at: datetime = NOON) -> CertificateAuthority:
    """Pending, with a proof code."""
    new = authority_upkeep.NewAuthority(ca.pem.encode(), name=name, products=products)
    return authority_upkeep.upload(new, by=OPERATOR, at=at)


def verified(ca: Ca, *products: Product, at: datetime = NOON) -> CertificateAuthority:
    authority = uploaded(ca, *products, at=at)
    return authority_proof.prove(authority.pk, ca.proof(authority.proof_code, at=at).encode(), by=OPERATOR, at=at)


def active(ca: Ca, *products: Product, at: datetime = NOON) -> CertificateAuthority:
    return authority_states.activate(verified(ca, *products, at=at).pk, by=OPERATOR, at=at)


@cache
def _key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage() -> x509.KeyUsage:
    off = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **off)
