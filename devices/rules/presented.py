"""The one place that judges a presented certificate, whatever brought it: a proxy's header, a broker's question, our own mutual TLS.

In this order, each with a refusal of its own: the certification path to an active CA certificate of the product (dates and key use among
it), revocation of any certificate on that path, the name in it, revocation of the device, and the pin. Whether the device may connect at
all (known, enabled, of this kind) is devices/rules/connecting.py's. Whoever connects has proven to hold the private key in the TLS
handshake; nothing here can check that.
"""

from collections.abc import Sequence

from console.crypto.certificates import chains, links, reading
from console.crypto.certificates.certificate import Certificate, shown
from console.crypto.certificates.errors import BadCertificateSignature, CertificateError, UnknownIssuer
from console.words import say
from devices.rules import certificate_refusals as refusals
from devices.rules import certificate_revocation
from devices.rules.certificate_identity import Identity, name_in
from devices.rules.certificate_refusals import CertificateRefused
from devices.rules.certificate_revocation import revocation_keys
from devices.rules.pins import Match, compare
from devices.rules.presented_facts import Facts, RevocationKey, Verdict

__all__ = ["Facts", "Identity", "RevocationKey", "Verdict", "judge", "name_in", "read", "revocation_keys"]


def read(chain: Sequence[bytes]) -> tuple[Certificate, ...]:
    """What was handed on as DER. Raises a CertificateRefused."""
    try:
        return tuple(map(reading.from_der, chain))
    except CertificateError as error:
        raise refusals.of_path(error).after(()) from None


def judge(presented: Sequence[Certificate], facts: Facts) -> Verdict:
    """`presented`: the leaf first, then intermediates in any order. Raises a CertificateRefused with its path."""
    steps: tuple[str, ...] = ()
    try:
        chain = _chain(presented, facts)
        steps += (say("Its certification path ends at the CA certificate {ca}, which is active for this product.", ca=chain[-1].shown_as),)
        steps += certificate_revocation.check(chain, facts)
        steps += _check_name(facts)
        if facts.device_revoked_at is not None:
            words = "An operator has revoked the certificates of this device on {moment}."
            raise refusals.DeviceRevoked(say(words, moment=links.moment(facts.device_revoked_at)))
        compared = compare(facts.pins, chain[0], same_key=facts.same_key)
    except CertificateRefused as refused:
        raise refused.after(steps) from refused.__cause__
    return Verdict(facts.named, chain, compared, (*steps, _FOUND[compared.match]))


_FOUND = {
    Match.FIRST: say("No certificate was expected of this device yet: this one is taken, and must come again."),
    Match.CURRENT: say("It is the certificate that is expected of this device."),
    Match.SAME_KEY: say("It was issued anew for the key that is expected of this device, and takes the place of the one before."),
    Match.NEXT: say("It is the next certificate of this device, and takes the place of the one before."),
}


def _chain(presented: Sequence[Certificate], facts: Facts) -> chains.Path:
    try:
        chain = chains.verify(presented, [one.certificate for one in facts.authorities if one.active], at=facts.at)
    except (UnknownIssuer, BadCertificateSignature) as error:
        if found := _inactive(presented, facts):
            words = "The certificate leads to the CA certificate {ca}, which is not active."
            raise refusals.AuthorityInactive(say(words, ca=found.shown_as)) from error
        raise refusals.of_path(error) from error
    except CertificateError as error:
        raise refusals.of_path(error) from error
    _refuse_blocked(chain, facts)
    return chain


def _refuse_blocked(chain: chains.Path, facts: Facts) -> None:
    """One that is switched off blocks its key, except in another certificate that is active itself (a CA that was renewed)."""
    active = {one.certificate.sha256 for one in facts.authorities if one.active}
    blocked = {one.certificate.spki_sha256 for one in facts.authorities if one.blocked}
    for issuer in chain[1:]:
        if issuer.spki_sha256 in blocked and issuer.sha256 not in active:
            words = "The certificate leads to the CA certificate {ca}, which is not active."
            raise refusals.AuthorityInactive(say(words, ca=issuer.shown_as))


def _inactive(presented: Sequence[Certificate], facts: Facts) -> Certificate | None:
    """The inactive CA certificate that it leads to."""
    try:
        return chains.verify(presented, [one.certificate for one in facts.authorities], at=facts.at)[-1]
    except CertificateError:
        return None


def _check_name(facts: Facts) -> tuple[str, ...]:
    if facts.named != facts.connecting_as:
        words = "The certificate is of the device {named}, and the client connects as {connecting_as}."
        raise refusals.OtherName(say(words, named=shown(facts.named), connecting_as=shown(facts.connecting_as)))
    return (say("It names the device that connects."),)
