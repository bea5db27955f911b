"""Why a CA certificate cannot be used, and why a verification certificate proves nothing: one class for each reason."""

from console.errors import Invalid


class AuthorityRefused(Invalid):
    """The parent of what a CA certificate must not be."""

    code = "authority_refused"
    default_message = "The certificate cannot be used as a CA certificate."


class NotVersion3(AuthorityRefused):
    code = "authority_version"
    default_message = "A CA certificate is of version 3."


class NotACa(AuthorityRefused):
    code = "authority_no_ca"
    default_message = "This is no CA certificate: its basic constraints do not say CA:TRUE."


class MayNotSign(AuthorityRefused):
    code = "authority_key_usage"
    default_message = "The key usage of the CA certificate does not include keyCertSign: no certificate may be signed with it."


class WrongPurpose(AuthorityRefused):
    code = "authority_purpose"
    default_message = (
        "The extended key usage of the CA certificate does not include clientAuth: no device certificate of it would be accepted."
    )


class AuthorityExpired(AuthorityRefused):
    code = "authority_expired"
    default_message = "The CA certificate has expired."


class AuthorityWeak(AuthorityRefused):
    code = "authority_weak"
    default_message = "The key or the signature of the CA certificate is too weak."


class AuthorityUnsupported(AuthorityRefused):
    code = "authority_critical_extension"
    default_message = "The CA certificate has a critical extension that is not processed here."


class SelfSignatureWrong(AuthorityRefused):
    code = "authority_signature"
    default_message = (
        "The CA certificate names itself as its issuer, but its signature was not made with its own key: it is damaged or forged."
    )


class ProofRefused(Invalid):
    """The parent of why a proof fails."""

    code = "proof_refused"
    default_message = "The verification certificate does not prove that you have the CA's private key."


class CodeUsed(ProofRefused):
    code = "proof_code_used"
    default_message = "The code was used already: have a new one made."


class CodeExpired(ProofRefused):
    code = "proof_code_expired"
    default_message = "The code has expired: have a new one made."


class ProofIsCa(ProofRefused):
    code = "proof_is_ca"
    default_message = "The verification certificate is itself a CA certificate: issue one that is not (CA:FALSE)."


class ProofOfAnotherCa(ProofRefused):
    code = "proof_issuer"
    default_message = "The verification certificate was issued by another CA."


class ProofSignatureWrong(ProofRefused):
    code = "proof_signature"
    default_message = "The verification certificate was not signed with the CA's private key."


class ProofNotValidNow(ProofRefused):
    code = "proof_dates"
    default_message = "The verification certificate is not valid now."


class ProofWithoutCode(ProofRefused):
    code = "proof_code_missing"
    default_message = "The common name (CN) of the verification certificate is not the code that is shown here."
