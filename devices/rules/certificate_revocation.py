"""Whether a certificate on a path is revoked, and whether the list that says so is new enough to be believed."""

from collections.abc import Sequence
from datetime import datetime

from console.crypto.certificates import chains, links
from console.crypto.certificates.certificate import Certificate
from console.words import say
from devices.rules.certificate_refusals import CertificateRevoked, RevocationListOld
from devices.rules.presented_facts import Authority, Facts, RevocationKey, RevocationList, Revoked


def revocation_keys(presented: Sequence[Certificate], authorities: Sequence[Authority]) -> frozenset[RevocationKey]:
    """What to look up before judging: every pair of issuer and number that a path of these could have."""
    issuers = [*presented[1:], *(one.certificate for one in authorities)]
    issued = [*presented, *(one.certificate for one in authorities)]
    return frozenset(
        (issuer.spki_sha256, one.serial_number) for one in issued for issuer in issuers if issuer.subject_bytes == one.issuer_bytes
    )


def check(chain: chains.Path, facts: Facts) -> tuple[str, ...]:
    steps: list[str] = []
    for issued, issuer in zip(chain, (*chain[1:], None), strict=True):
        issuing_keys = [issuer.spki_sha256] if issuer else _keys_above(issued, facts)
        for key in issuing_keys:
            _refuse_revoked(issued, facts.revoked.get((key, issued.serial_number)))
            if issuer and key in facts.lists:
                steps.append(_list_step(issuer, facts.lists[key], facts))
    return (*steps, say("No certificate on its path is revoked."))


def _keys_above(anchor: Certificate, facts: Facts) -> list[str]:
    """Of CA certificates of the product that may have issued the anchor: one that is revoked by its root ends there."""
    return [one.certificate.spki_sha256 for one in facts.authorities if one.certificate.subject_bytes == anchor.issuer_bytes]


def _refuse_revoked(issued: Certificate, revoked: Revoked | None) -> None:
    if revoked is None:
        return
    on_list = "The certificate {name} with the serial number {serial} is revoked: the CA's revocation list has it since {moment}."
    by_hand = "The certificate {name} with the serial number {serial} is revoked: an operator did so on {moment}."
    told = {"name": issued.shown_as, "serial": issued.serial_hex, "moment": links.moment(revoked.at)}
    raise CertificateRevoked(say(on_list, **told) if revoked.on_list else say(by_hand, **told))


def _list_step(issuer: Certificate, found: RevocationList, facts: Facts) -> str:
    """What to note of the list. Raises RevocationListOld."""
    if found.this_update is None:
        sentence = say("The revocation list of the CA {ca} was never obtained.", ca=issuer.shown_as)
    elif _is_old(found.this_update, found.next_update, facts):
        old = "The revocation list of the CA {ca} is too old: it was made on {moment}."
        sentence = say(old, ca=issuer.shown_as, moment=links.moment(found.this_update))
    else:
        return say("The revocation list of the CA {ca} was made on {moment}.", ca=issuer.shown_as, moment=links.moment(found.this_update))
    if facts.old_list_refuses:
        raise RevocationListOld(sentence)
    return sentence


def _is_old(this_update: datetime, next_update: datetime | None, facts: Facts) -> bool:
    if facts.max_list_age is not None:
        return facts.at > this_update + facts.max_list_age
    return next_update is not None and facts.at > next_update
