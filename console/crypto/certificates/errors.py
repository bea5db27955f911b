"""What can be wrong with a certificate: one class for each reason. None of them ever holds the bytes that were read."""

from console.errors import Invalid


class CertificateError(Invalid):
    """The parent of all of these."""

    code = "certificate_invalid"
    default_message = "The certificate is not valid."


class Unreadable(CertificateError):
    """It is no certificate, or a field of it cannot be read."""

    code = "certificate_unreadable"
    default_message = "This is not a certificate that can be read."


class TooLarge(Unreadable):
    code = "certificate_too_large"
    default_message = "The file is larger than 1 MB: it holds more than certificates."


class PrivateKeyFound(Unreadable):
    """Nothing of it is kept, neither here nor in the error."""

    code = "private_key_found"
    default_message = "The file holds a private key. It was not stored; upload the certificate alone, and keep the key where it belongs."


class BadPem(Unreadable):
    code = "bad_pem"
    default_message = "The PEM text is damaged."


class WrongLabel(BadPem):
    code = "wrong_pem_label"
    default_message = "The PEM text holds something else than a certificate."


class NotDer(Unreadable):
    code = "not_der"
    default_message = "The bytes are not of the encoding of certificates (DER)."


class TrailingBytes(NotDer):
    code = "trailing_bytes"
    default_message = "Bytes follow after the end of the certificate."


class BadField(Unreadable):
    """`field` names it."""

    code = "bad_certificate_field"
    default_message = "A field of the certificate cannot be read."


class TooMany(Unreadable):
    code = "too_many_certificates"
    default_message = "There are more certificates than one path has."


class NotTrusted(CertificateError):
    """The certification path of a certificate does not hold."""

    code = "certificate_not_trusted"
    default_message = "The certificate does not lead to a CA certificate that is trusted here."


class UnknownIssuer(NotTrusted):
    code = "certificate_issuer_unknown"
    default_message = "No CA certificate that is trusted here has issued it."


class BadCertificateSignature(NotTrusted):
    code = "certificate_bad_signature"
    default_message = "The certificate bears its issuer's name, but was not signed with the issuer's key."


class Expired(NotTrusted):
    code = "certificate_expired"
    default_message = "The certificate has expired."


class NotYetValid(NotTrusted):
    code = "certificate_not_yet_valid"
    default_message = "The certificate is not valid yet."


class NotAnAuthority(NotTrusted):
    code = "certificate_issuer_no_ca"
    default_message = "The issuer's certificate is none of a certification authority (CA:TRUE)."


class KeyCertSignMissing(NotTrusted):
    code = "certificate_issuer_may_not_sign"
    default_message = "The issuer's key usage does not include keyCertSign."


class PathLengthExceeded(NotTrusted):
    code = "certificate_path_length"
    default_message = "A CA certificate allows fewer intermediate certificates below it."


class PathTooLong(NotTrusted):
    code = "certificate_path_too_long"
    default_message = "The certification path is longer than is verified here."


class WrongKeyUsage(NotTrusted):
    code = "certificate_key_usage"
    default_message = "The certificate's key usage does not include digitalSignature."


class WrongExtendedKeyUsage(NotTrusted):
    code = "certificate_extended_key_usage"
    default_message = "The certificate's extended key usage does not include clientAuth."


class AuthorityAsLeaf(NotTrusted):
    code = "certificate_is_ca"
    default_message = "A CA certificate was presented as a device's certificate."


class WeakSignature(NotTrusted):
    code = "certificate_weak_signature"
    default_message = "The certificate's signature algorithm is not accepted."


class WeakKey(NotTrusted):
    code = "certificate_weak_key"
    default_message = "The certificate's key is not of a kind or size that is accepted."


class UnknownCriticalExtension(NotTrusted):
    code = "certificate_critical_extension"
    default_message = "The certificate has a critical extension that is not processed here."


class NameConstraintViolated(NotTrusted):
    code = "certificate_name_constraint"
    default_message = "A CA certificate does not allow this name."


class NameConstraintUnsupported(NotTrusted):
    code = "certificate_constraint_unknown"
    default_message = "A CA certificate constrains names in a form that is not processed here."
