"""The one judgement of a presented certificate: what lets it pass, and each refusal with its own code."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from console.crypto.certificates import errors, reading
from console.crypto.certificates.certificate import Certificate
from devices.rules import certificate_refusals as refusals
from devices.rules import pins, presented
from devices.rules.certificate_refusals import CertificateRefused
from devices.rules.pins import Match, Pin, Pins
from devices.rules.presented import Facts, Identity, Verdict, judge, name_in, revocation_keys
from tests.console import x509_untrusted
from tests.console.x509_parts import CA, DAY, LEAF, NOW, SECOND, authority, basic, certificate, dn, integer, key, known, usage


@dataclass(frozen=True)
class Anchor:
    certificate: Certificate
    active: bool = True
    blocked: bool = False


@dataclass(frozen=True)
class Revoked:
    at: datetime = NOW - DAY
    on_list: bool = True


@dataclass(frozen=True)
class OnFile:
    this_update: datetime | None = NOW - DAY
    next_update: datetime | None = NOW + DAY


def read(der: bytes) -> Certificate:
    return reading.from_der(der)


ROOT, MIDDLE = read(authority()), read(authority("middle", of="CA", serial=integer(77)))
DIRECT = read(certificate())
BELOW = read(certificate(issuer=dn("middle"), signer=key("middle")))
OTHER = read(certificate(public=key("another").public_key(), serial=integer(5)))
FACTS = Facts(NOW, (Anchor(ROOT),), "device", "device", Pins())


def refusal(facts: Facts = FACTS, *presented: Certificate) -> CertificateRefused:
    with pytest.raises(CertificateRefused) as refused:
        judge(presented or (DIRECT,), facts)
    assert refused.value.path[-1] == refused.value.message
    return refused.value


def facts(**changed: Any) -> Facts:
    return replace(FACTS, **changed)


# -- Let in --------------------------------------------------------------------------------------------------------------------------------
def test_the_first_certificate_of_a_device_is_taken_and_the_path_says_what_was_checked() -> None:
    verdict = judge((DIRECT,), FACTS)
    assert isinstance(verdict, Verdict)
    assert (verdict.device_name, verdict.chain, verdict.compared.match) == ("device", (DIRECT, ROOT), Match.FIRST)
    assert verdict.compared.pins == Pins(pins.taken(DIRECT))
    assert verdict.path == (
        "Its certification path ends at the CA certificate CA, which is active for this product.",
        "No certificate on its path is revoked.",
        "It names the device that connects.",
        "No certificate was expected of this device yet: this one is taken, and must come again.",
    )


def test_with_an_intermediate_and_by_the_direct_issuer_alone() -> None:
    assert judge((BELOW, MIDDLE), FACTS).chain == (BELOW, MIDDLE, ROOT)
    assert judge((BELOW,), facts(authorities=(Anchor(MIDDLE),))).chain == (BELOW, MIDDLE)


@pytest.mark.parametrize(
    ("kept", "same_key", "match"),
    [
        (Pins(pins.taken(DIRECT)), False, Match.CURRENT),
        (Pins(pins.taken(OTHER), Pin(sha1=DIRECT.sha1)), False, Match.NEXT),
        (Pins(Pin("f" * 64, DIRECT.spki_sha256)), True, Match.SAME_KEY),
    ],
)
def test_a_pinned_certificate_comes_again(kept: Pins, same_key: bool, match: Match) -> None:
    assert judge((DIRECT,), facts(pins=kept, same_key=same_key)).compared.match is match


def test_what_was_handed_on_is_read_or_refused_with_a_code() -> None:
    assert presented.read((DIRECT.der, ROOT.der)) == (DIRECT, ROOT)
    with pytest.raises(refusals.Unreadable) as refused:
        presented.read((DIRECT.der, b"\x30\x80\0\0"))
    assert (refused.value.code, refused.value.path) == ("certificate_unreadable", (refused.value.message,))


# -- The path ------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", x509_untrusted.KINDS)
def test_what_its_path_is_refused_for_keeps_its_code_and_its_sentence(kind: str) -> None:
    spoiled = x509_untrusted.KINDS.first_of(kind)
    anchors = tuple(Anchor(read(one)) for one in spoiled.anchors) or FACTS.authorities
    error = refusal(facts(authorities=anchors), *map(read, spoiled.presented))
    assert (error.code, type(error)) == (spoiled.reason.code, refusals.OF_PATH[spoiled.reason])
    assert spoiled.says in error.message


def test_every_refusal_has_a_code_of_its_own() -> None:
    family = CertificateRefused.__subclasses__()
    assert len({one.code for one in family}) == len(family) >= 24
    assert set(refusals.OF_PATH) >= set(errors.NotTrusted.__subclasses__())
    assert all(len(one.code) <= 32 for one in family)


def test_a_ca_that_is_not_active_is_named_as_the_reason() -> None:
    for anchor in (Anchor(ROOT, active=False), Anchor(ROOT, active=False, blocked=True)):
        error = refusal(facts(authorities=(anchor,)))
        assert isinstance(error, refusals.AuthorityInactive) and "CA certificate CA" in error.message
    assert isinstance(refusal(facts(authorities=())), refusals.UnknownIssuer)


def test_nothing_passes_through_an_intermediate_that_is_switched_off() -> None:
    off = Anchor(MIDDLE, active=False, blocked=True)
    assert isinstance(refusal(facts(authorities=(Anchor(ROOT), off)), BELOW, MIDDLE), refusals.AuthorityInactive)
    twin = read(authority("middle", of="CA", serial=integer(78)))
    assert isinstance(refusal(facts(authorities=(Anchor(ROOT), off)), BELOW, twin), refusals.AuthorityInactive)


def test_an_intermediate_that_is_not_proven_yet_does_not_stop_what_a_proven_root_admits() -> None:
    assert judge((BELOW, MIDDLE), facts(authorities=(Anchor(ROOT), Anchor(MIDDLE, active=False)))).chain[-1] == ROOT


def test_an_old_certificate_of_a_renewed_ca_may_be_switched_off() -> None:
    renewed = read(authority(serial=integer(2)))
    admitted = judge((DIRECT,), facts(authorities=(Anchor(ROOT, active=False, blocked=True), Anchor(renewed))))
    assert admitted.chain[-1] == renewed


# -- Revocation ----------------------------------------------------------------------------------------------------------------------------
def test_what_is_to_be_looked_up_is_every_pair_that_a_path_could_have() -> None:
    assert revocation_keys((DIRECT,), FACTS.authorities) == {
        (ROOT.spki_sha256, DIRECT.serial_number),
        (ROOT.spki_sha256, ROOT.serial_number),
    }
    assert (MIDDLE.spki_sha256, BELOW.serial_number) in revocation_keys((BELOW, MIDDLE), FACTS.authorities)
    assert (ROOT.spki_sha256, MIDDLE.serial_number) in revocation_keys((BELOW, MIDDLE), FACTS.authorities)


@pytest.mark.parametrize(("revoked", "says"), [(Revoked(), "revocation list"), (Revoked(on_list=False), "operator")])
def test_a_revoked_serial_number_is_refused(revoked: Revoked, says: str) -> None:
    error = refusal(facts(revoked={(ROOT.spki_sha256, DIRECT.serial_number): revoked}))
    assert isinstance(error, refusals.CertificateRevoked)
    assert says in error.message and "1234" in error.message and "2026-11-20 12:00:00 UTC" in error.message


def test_a_revoked_number_of_another_ca_means_nothing() -> None:
    assert judge((DIRECT,), facts(revoked={(MIDDLE.spki_sha256, DIRECT.serial_number): Revoked()}))


@pytest.mark.parametrize("authorities", [(Anchor(ROOT),), (Anchor(ROOT, active=False), Anchor(MIDDLE))])
def test_a_revoked_intermediate_is_refused_as_an_anchor_too(authorities: tuple[Anchor, ...]) -> None:
    error = refusal(facts(authorities=authorities, revoked={(ROOT.spki_sha256, 77): Revoked()}), BELOW, MIDDLE)
    assert isinstance(error, refusals.CertificateRevoked) and "middle" in error.message


def test_an_operator_revoked_the_certificates_of_the_device() -> None:
    error = refusal(facts(device_revoked_at=NOW - DAY))
    assert isinstance(error, refusals.DeviceRevoked) and len(error.path) == 4


@pytest.mark.parametrize(
    ("on_file", "max_age", "old"),
    [
        (OnFile(), None, False),
        (OnFile(next_update=NOW), None, False),
        (OnFile(next_update=NOW - SECOND), None, True),
        (OnFile(next_update=None), None, False),
        (OnFile(), timedelta(hours=24), False),
        (OnFile(), timedelta(hours=23), True),
        (OnFile(next_update=NOW - SECOND), timedelta(hours=48), False),
        (OnFile(this_update=None), None, True),
        (OnFile(this_update=None), timedelta(days=9), True),
    ],
)
def test_a_revocation_list_that_is_too_old_refuses_or_is_noted(on_file: OnFile, max_age: timedelta | None, old: bool) -> None:
    known_lists = facts(lists={ROOT.spki_sha256: on_file}, max_list_age=max_age)
    noted = judge((DIRECT,), replace(known_lists, old_list_refuses=False)).path[1]
    assert ("too old" in noted or "never obtained" in noted) == old
    if old:
        error = refusal(known_lists)
        assert isinstance(error, refusals.RevocationListOld) and error.message == noted
    else:
        assert noted == "The revocation list of the CA CA was made on 2026-11-20 12:00:00 UTC."
        assert judge((DIRECT,), known_lists).path[1] == noted


def test_a_list_that_says_revoked_refuses_however_old_it_is() -> None:
    on_list = facts(lists={ROOT.spki_sha256: OnFile(this_update=None)}, revoked={(ROOT.spki_sha256, DIRECT.serial_number): Revoked()})
    assert isinstance(refusal(on_list), refusals.CertificateRevoked)


# -- The name ------------------------------------------------------------------------------------------------------------------------------
def sans(*names: x509.GeneralName) -> Certificate:
    return read(certificate(extensions=(*LEAF, known(x509.SubjectAlternativeName(names)))))


def test_the_name_stands_where_the_product_says() -> None:
    one = read(
        certificate(
            subject=dn("in the CN", (NameOID.SERIAL_NUMBER, "SN-1")),
            extensions=(*LEAF, known(x509.SubjectAlternativeName([x509.DNSName("in-the-san")]))),
        )
    )
    assert [name_in(one, where) for where in Identity] == ["in the CN", "in-the-san", "SN-1"]


@pytest.mark.parametrize(
    ("one", "where", "reason"),
    [
        (read(certificate(subject=dn("", (NameOID.ORGANIZATION_NAME, "Acme")))), Identity.COMMON_NAME, refusals.NameMissing),
        (read(certificate(subject=dn("", (NameOID.COMMON_NAME, " ")))), Identity.COMMON_NAME, refusals.NameMissing),
        (read(certificate(subject=dn("a\0b"))), Identity.COMMON_NAME, refusals.NameMissing),
        (read(certificate(subject=dn("a", (NameOID.COMMON_NAME, "b")))), Identity.COMMON_NAME, refusals.NameAmbiguous),
        (DIRECT, Identity.SERIAL_NUMBER, refusals.NameMissing),
        (DIRECT, Identity.ALTERNATIVE_NAME, refusals.NameMissing),
        (sans(x509.UniformResourceIdentifier("urn:a")), Identity.ALTERNATIVE_NAME, refusals.NameMissing),
        (sans(x509.DNSName("a"), x509.DNSName("b")), Identity.ALTERNATIVE_NAME, refusals.NameAmbiguous),
        (sans(x509.DNSName("a"), x509.UniformResourceIdentifier("urn:b")), Identity.ALTERNATIVE_NAME, refusals.NameAmbiguous),
    ],
)
def test_a_name_that_is_missing_or_ambiguous_is_refused(one: Certificate, where: Identity, reason: type[CertificateRefused]) -> None:
    with pytest.raises(CertificateRefused) as refused:
        name_in(one, where)
    assert refused.type is reason and refused.value.message.isprintable()


def test_several_names_are_told() -> None:
    with pytest.raises(refusals.NameAmbiguous, match=r"2 names .*\(b, a\)"):
        name_in(read(certificate(subject=dn("a", (NameOID.COMMON_NAME, "b")))), Identity.COMMON_NAME)


def test_another_device_s_certificate_is_refused() -> None:
    error = refusal(facts(connecting_as="neighbour"))
    assert isinstance(error, refusals.OtherName)
    assert "of the device device" in error.message and "as neighbour" in error.message


# -- The pin -------------------------------------------------------------------------------------------------------------------------------
def test_the_same_name_with_another_certificate_of_the_same_ca_is_refused_with_both_fingerprints() -> None:
    error = refusal(facts(pins=Pins(pins.taken(DIRECT))), OTHER)
    assert isinstance(error, refusals.OtherCertificate)
    assert error.facts == {"expected": DIRECT.sha256, "seen": OTHER.sha256}
    assert DIRECT.sha256 in error.message and OTHER.sha256 in error.message
    assert len(error.path) == 4


def test_a_pin_does_not_stand_in_for_a_path() -> None:
    own = read(certificate(issuer=dn("device"), signer=key(), extensions=(basic(ca=False), usage("digital_signature"))))
    assert isinstance(refusal(facts(pins=Pins(pins.taken(own))), own), refusals.UnknownIssuer)


def test_an_intermediate_of_another_product_is_as_good_as_any_stranger() -> None:
    assert isinstance(refusal(facts(authorities=(Anchor(read(authority("elsewhere", extensions=CA))),))), refusals.UnknownIssuer)
