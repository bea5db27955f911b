"""Why a presented certificate is refused: one class for each reason, each with its own code in the device log.

What its certification path is refused for keeps the code and the sentence that console/crypto/certificates gives it.
"""

from collections.abc import Mapping
from typing import Final

from console.crypto.certificates import errors
from devices.rules.admission import Refused


class CertificateRefused(Refused):
    """The parent of all of these."""

    code = "certificate_refused"
    default_message = "The certificate that was presented is refused."


class Unreadable(CertificateRefused):
    code = errors.Unreadable.code
    default_message = errors.Unreadable.default_message


class AuthorityInactive(CertificateRefused):
    """The whole CA: switched off, revoked, or not proven yet."""

    code = "certificate_ca_inactive"
    default_message = "The certificate leads to a CA certificate of this product that is not active."


class CertificateRevoked(CertificateRefused):
    """One on the certification path, by an operator or by the CA's list."""

    code = "certificate_revoked"
    default_message = "The certificate is revoked."


class DeviceRevoked(CertificateRefused):
    code = "device_certificate_revoked"
    default_message = "An operator has revoked the certificates of this device."


class RevocationListOld(CertificateRefused):
    code = "revocation_list_old"
    default_message = "The CA's revocation list is missing or too old, so nobody can say whether the certificate still holds."


class NameMissing(CertificateRefused):
    code = "certificate_name_missing"
    default_message = "The certificate does not say which device it is of."


class NameAmbiguous(CertificateRefused):
    code = "certificate_name_ambiguous"
    default_message = "The certificate has several names, so it is not clear which device it is of."


class OtherName(CertificateRefused):
    code = "certificate_other_name"
    default_message = "The certificate is another device's."


class OtherCertificate(CertificateRefused):
    """Not the pinned one. `facts`: `expected` and `seen`, fingerprints of the same kind."""

    code = "certificate_not_pinned"
    default_message = "Another certificate is expected of this device."


class UnknownIssuer(CertificateRefused):
    code = errors.UnknownIssuer.code
    default_message = errors.UnknownIssuer.default_message


class BadCertificateSignature(CertificateRefused):
    code = errors.BadCertificateSignature.code
    default_message = errors.BadCertificateSignature.default_message


class Expired(CertificateRefused):
    code = errors.Expired.code
    default_message = errors.Expired.default_message


class NotYetValid(CertificateRefused):
    code = errors.NotYetValid.code
    default_message = errors.NotYetValid.default_message


class NotAnAuthority(CertificateRefused):
    code = errors.NotAnAuthority.code
    default_message = errors.NotAnAuthority.default_message


class KeyCertSignMissing(CertificateRefused):
    code = errors.KeyCertSignMissing.code
    default_message = errors.KeyCertSignMissing.default_message


class PathLengthExceeded(CertificateRefused):
    code = errors.PathLengthExceeded.code
    default_message = errors.PathLengthExceeded.default_message


class PathTooLong(CertificateRefused):
    code = errors.PathTooLong.code
    default_message = errors.PathTooLong.default_message


class WrongKeyUsage(CertificateRefused):
    code = errors.WrongKeyUsage.code
    default_message = errors.WrongKeyUsage.default_message


class WrongExtendedKeyUsage(CertificateRefused):
    code = errors.WrongExtendedKeyUsage.code
    default_message = errors.WrongExtendedKeyUsage.default_message


class AuthorityAsLeaf(CertificateRefused):
    code = errors.AuthorityAsLeaf.code
    default_message = errors.AuthorityAsLeaf.default_message


class WeakSignature(CertificateRefused):
    code = errors.WeakSignature.code
    default_message = errors.WeakSignature.default_message


class WeakKey(CertificateRefused):
    code = errors.WeakKey.code
    default_message = errors.WeakKey.default_message


class UnknownCriticalExtension(CertificateRefused):
    code = errors.UnknownCriticalExtension.code
    default_message = errors.UnknownCriticalExtension.default_message


class NameConstraintViolated(CertificateRefused):
    code = errors.NameConstraintViolated.code
    default_message = errors.NameConstraintViolated.default_message


class NameConstraintUnsupported(CertificateRefused):
    code = errors.NameConstraintUnsupported.code
    default_message = errors.NameConstraintUnsupported.default_message


class TooMany(CertificateRefused):
    code = errors.TooMany.code
    default_message = errors.TooMany.default_message


OF_PATH: Final[Mapping[type[errors.CertificateError], type[CertificateRefused]]] = {
    errors.UnknownIssuer: UnknownIssuer,
    errors.BadCertificateSignature: BadCertificateSignature,
    errors.Expired: Expired,
    errors.NotYetValid: NotYetValid,
    errors.NotAnAuthority: NotAnAuthority,
    errors.KeyCertSignMissing: KeyCertSignMissing,
    errors.PathLengthExceeded: PathLengthExceeded,
    errors.PathTooLong: PathTooLong,
    errors.WrongKeyUsage: WrongKeyUsage,
    errors.WrongExtendedKeyUsage: WrongExtendedKeyUsage,
    errors.AuthorityAsLeaf: AuthorityAsLeaf,
    errors.WeakSignature: WeakSignature,
    errors.WeakKey: WeakKey,
    errors.UnknownCriticalExtension: UnknownCriticalExtension,
    errors.NameConstraintViolated: NameConstraintViolated,
    errors.NameConstraintUnsupported: NameConstraintUnsupported,
    errors.TooMany: TooMany,
}
"""What a path is refused for, as a device is."""


def of_path(error: errors.CertificateError) -> CertificateRefused:
    """The same sentence, as a refusal of the device."""
    other = Unreadable if isinstance(error, errors.Unreadable) else CertificateRefused
    return OF_PATH.get(type(error), other)(error.message, field=error.field, facts=error.facts)
