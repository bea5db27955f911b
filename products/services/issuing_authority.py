"""The certificate of an issuing CA among the CA certificates: uploaded, proven by its own key, active, and serving the product."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from console.crypto.certificates import issuing, reading
from console.crypto.certificates.issuing import Issuer, KeyKind
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from products.models import AuthorityState, CertificateAuthority, Product
from products.services import authority_proof, authority_states, authority_upkeep


class NotFitting(Invalid):
    """Certificate and key are not of one CA, or the certificate may not do what an issuing CA does."""

    code = "issuing_ca_not_fitting"


def certified(product: Product, given: Issuer, name: str, *, by: Actor, at: datetime) -> CertificateAuthority:
    """Its CA certificate's row: uploaded, proven with its own key and activated, or the one that was there before."""
    der = given.certificate.public_bytes(Encoding.DER)
    row = CertificateAuthority.objects.filter(sha256=reading.from_der(der).sha256).first()
    if row is None:
        row = authority_upkeep.upload(authority_upkeep.NewAuthority(der, name.strip(), [product]), by=by, at=at)
    else:
        serve(row, product, by=by, at=at)
    if row.state == AuthorityState.PENDING:
        if not row.code_is_live(at):
            row = authority_proof.new_code(row.pk, by=by, at=at)
        row = authority_proof.prove(row.pk, _proof(given, row.proof_code, at), by=by, at=at)
    if row.state in (AuthorityState.VERIFIED, AuthorityState.INACTIVE):
        row = authority_states.activate(row.pk, by=by, at=at)
    if row.state != AuthorityState.ACTIVE:
        raise Conflict("This CA certificate was revoked.", field="certificate")
    return row


def _proof(given: Issuer, code: str, at: datetime) -> bytes:
    """A certificate with the code as its CN, signed by the CA, for a key that nobody keeps."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)])
    key = issuing.new_key(KeyKind.EC_P256)
    begin, end = at - issuing.CLOCKS_APART, min(at + timedelta(days=1), given.certificate.not_valid_after_utc)
    begin = max(begin, given.certificate.not_valid_before_utc)
    builder = x509.CertificateBuilder(given.certificate.subject, name, key.public_key(), issuing.draw_serial(), begin, end)
    builder = builder.add_extension(issuing.authority_key_id(given.certificate), critical=False)
    return builder.sign(given.key, issuing.signature_hash(given.key)).public_bytes(Encoding.DER)


def serve(authority: CertificateAuthority, product: Product, *, by: Actor, at: datetime) -> None:
    served = list(authority.products.all())
    if product not in served:
        authority_upkeep.set_products(authority.pk, [*served, product], by=by, at=at)


def check_usage(certificate: x509.Certificate) -> None:
    """What a CA certificate must be, its upload checks; an issuing CA signs revocation lists besides. Raises NotFitting."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.crl_sign:
        words = "The certificate's key usage has no cRLSign: nobody would accept the revocation lists that it signs."
        raise NotFitting(words, field="certificate")
