"""CA certificates: uploaded, proven, switched, bound and removed; what is refused leaves nothing behind."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from console.crypto.certificates.errors import PrivateKeyFound, Unreadable
from console.errors import Invalid
from console.models import AuditEntry
from devices.rules.presented import Identity
from products.models import AuthorityState, CertificateAuthority, CertificatePolicy, IdentitySource, RevokedSerial
from products.rules.authority_errors import AuthorityExpired, CodeExpired, NotACa, ProofOfAnotherCa, ProofSignatureWrong, ProofWithoutCode
from products.services import authorities, authority_proof, authority_states, authority_upkeep, certificate_policies, revocation
from products.services.authority_proof import NotPending
from products.services.authority_states import AuthorityEnded, WrongState
from products.services.authority_upkeep import AuthorityInUse, AuthorityNameTaken, AuthorityThere, NewAuthority
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.products import ca_cast

pytestmark = [pytest.mark.storage, pytest.mark.django_db]
BY = {"by": OPERATOR, "at": NOON}
DAY = timedelta(days=1)


def upload(content: bytes, **facts: object) -> CertificateAuthority:
    return authority_upkeep.upload(NewAuthority(content, **facts), **BY)  # type: ignore[arg-type]


def line(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=f"certificate_authority.{action}")


# -- Upload ------------------------------------------------------------------------------------------------------------------------------
def test_an_upload_is_pending_with_a_code_and_its_facts() -> None:
    ca, kettle = ca_cast.make(), cast.kettle()
    authority = ca_cast.uploaded(ca, kettle)
    assert (authority.name, authority.state, authority.key_kind) == ("Works Root", "pending", "EC secp256r1")
    assert bytes(authority.certificate) == ca.der
    assert len(authority.proof_code) == 36
    assert authority.proof_code_ends_at == NOON + 7 * DAY
    assert (len(authority.sha256), len(authority.sha1), len(authority.subject_key_id)) == (64, 40, 40)
    assert list(authority.products.all()) == [kettle]
    assert line("upload").after["products"] == [kettle.key]
    assert authority.proof_code not in str(line("upload").after)


def test_der_and_pem_are_one_certificate() -> None:
    ca = ca_cast.make()
    upload(ca.der, name="As DER")
    with pytest.raises(AuthorityThere, match=r"is there already: As DER, uploaded on 2026-11-20\."):
        upload(ca.pem.encode(), name="As PEM")
    assert CertificateAuthority.objects.count() == 1


def test_two_have_not_one_name() -> None:
    upload(ca_cast.make().der)
    with pytest.raises(AuthorityNameTaken):
        upload(ca_cast.make().der)


@pytest.mark.parametrize("where", ["alone", "behind", "before"])
def test_a_private_key_is_refused_and_nothing_of_it_is_kept(where: str, caplog: pytest.LogCaptureFixture) -> None:
    ca = ca_cast.make()
    sent = {"alone": ca.key_pem, "behind": ca.pem + ca.key_pem, "before": ca.key_pem + ca.pem}[where]
    with pytest.raises(PrivateKeyFound) as refused:
        upload(sent.encode())
    secret = "".join(ca.key_pem.splitlines()[1:-1])[:40]
    assert secret not in str(refused.value) + repr(refused.value.facts) + caplog.text
    assert not CertificateAuthority.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_proof_that_holds_a_private_key_is_refused_too() -> None:
    ca = ca_cast.make()
    authority = ca_cast.uploaded(ca)
    with pytest.raises(PrivateKeyFound):
        authority_proof.prove(authority.pk, (ca.proof(authority.proof_code) + ca.key_pem).encode(), **BY)
    authority.refresh_from_db()
    assert authority.state == AuthorityState.PENDING


def test_what_is_no_ca_certificate_is_refused_at_its_field() -> None:
    for content, refusal in (
        (b"not a certificate", Unreadable),
        (ca_cast.make().proof("a-device").encode(), NotACa),
        (ca_cast.make(days=-1, began=30).der, AuthorityExpired),
    ):
        with pytest.raises(refusal) as refused:
            upload(content, name="Anything")
        assert refused.value.field == "certificate"
    assert not CertificateAuthority.objects.exists()


@pytest.mark.parametrize("name", ["   ", "x" * 65, "a\nb"])
def test_a_name_is_for_people(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        upload(ca_cast.make().der, name=name)
    assert refused.value.field == "name"


# -- Proof -------------------------------------------------------------------------------------------------------------------------------
def test_a_proof_verifies_it_and_is_kept_as_evidence() -> None:
    ca = ca_cast.make()
    authority = ca_cast.verified(ca)
    assert (authority.state, authority.proof_code, authority.proof_code_ends_at) == ("verified", "", None)
    assert authority.verified_at == NOON
    assert authority.proof_certificate
    assert not authority.is_without_proof
    entry = line("prove")
    assert (entry.before, entry.after["state"]) == ({"state": "pending"}, "verified")
    assert len(entry.after["verification certificate"]["sha256"]) == 64


def test_a_proof_needs_the_code_the_key_and_the_name() -> None:
    ca, other = ca_cast.make(), ca_cast.make("Somebody Else")
    forged = ca_cast.Ca(other.key, ca.certificate)
    authority = ca_cast.uploaded(ca)
    for content, refusal in (
        (ca.proof("11111111-2222-3333-4444-555555555555"), ProofWithoutCode),
        (other.proof(authority.proof_code), ProofOfAnotherCa),
        (forged.proof(authority.proof_code), ProofSignatureWrong),
        ("nothing", Unreadable),
    ):
        with pytest.raises(refusal) as refused:
            authority_proof.prove(authority.pk, content.encode(), **BY)
        assert refused.value.field == "verification"
    authority.refresh_from_db()
    assert authority.state == AuthorityState.PENDING


def test_a_code_lasts_seven_days_and_a_new_one_kills_it() -> None:
    ca = ca_cast.make()
    authority = ca_cast.uploaded(ca)
    late = NOON + 7 * DAY
    assert authority.code_is_live(late - timedelta(seconds=1))
    assert not authority.code_is_live(late)
    proof = ca.proof(authority.proof_code, days=30).encode()
    with pytest.raises(CodeExpired):
        authority_proof.prove(authority.pk, proof, by=OPERATOR, at=late)
    renewed = authority_proof.new_code(authority.pk, by=OPERATOR, at=late)
    assert renewed.proof_code != authority.proof_code
    with pytest.raises(ProofWithoutCode):
        authority_proof.prove(authority.pk, proof, by=OPERATOR, at=late)
    authority_proof.prove(authority.pk, ca.proof(renewed.proof_code, days=30).encode(), by=OPERATOR, at=late)
    assert renewed.proof_code not in str(line("new_code").after)


def test_a_code_is_used_once() -> None:
    ca = ca_cast.make()
    authority = ca_cast.uploaded(ca)
    proof = ca.proof(authority.proof_code).encode()
    authority_proof.prove(authority.pk, proof, **BY)
    with pytest.raises(NotPending):
        authority_proof.prove(authority.pk, proof, **BY)
    with pytest.raises(NotPending):
        authority_proof.new_code(authority.pk, **BY)


def test_without_proof_there_is_a_reason_that_stays() -> None:
    authority = ca_cast.uploaded(ca_cast.make())
    with pytest.raises(Invalid) as refused:
        authority_proof.accept_without_proof(authority.pk, reason="  ", **BY)
    assert refused.value.field == "reason"
    accepted = authority_proof.accept_without_proof(authority.pk, reason="Offline in the safe", **BY)
    assert (accepted.state, accepted.is_without_proof, accepted.without_proof_reason) == ("verified", True, "Offline in the safe")
    assert line("accept_without_proof").reason == "Offline in the safe"
    with pytest.raises(NotPending):
        authority_proof.accept_without_proof(authority.pk, reason="Again", **BY)


# -- States ------------------------------------------------------------------------------------------------------------------------------
def test_it_is_activated_deactivated_and_activated_again() -> None:
    authority = ca_cast.active(ca_cast.make())
    assert authority.state == "active"
    assert authority_states.deactivate(authority.pk, reason="moved", **BY).state == "inactive"
    assert authority_states.activate(authority.pk, **BY).state == "active"
    entry = line("deactivate")
    assert (entry.before, entry.after, entry.reason) == ({"state": "active"}, {"state": "inactive"}, "moved")


def test_each_refusal_says_in_which_state_it_stands() -> None:
    authority = ca_cast.uploaded(ca_cast.make())
    with pytest.raises(WrongState, match="pending: prove first"):
        authority_states.activate(authority.pk, **BY)
    authority_proof.accept_without_proof(authority.pk, reason="ours", **BY)
    with pytest.raises(WrongState, match="never activated"):
        authority_states.deactivate(authority.pk, **BY)
    authority_states.activate(authority.pk, **BY)
    with pytest.raises(WrongState, match="active already"):
        authority_states.activate(authority.pk, **BY)


def test_revoked_is_for_good() -> None:
    authority = ca_cast.active(ca_cast.make())
    with pytest.raises(Invalid):
        authority_states.revoke(authority.pk, reason="", **BY)
    revoked = authority_states.revoke(authority.pk, reason="The key was copied", **BY)
    assert (revoked.state, revoked.revoked_at) == ("revoked", NOON)
    for act in (authority_states.activate, authority_states.deactivate):
        with pytest.raises(WrongState, match="for good"):
            act(authority.pk, **BY)
    with pytest.raises(AuthorityInUse, match="stays in the list"):
        authority_upkeep.remove(authority.pk, **BY)


def test_a_pending_one_can_be_revoked_with_its_code() -> None:
    authority = ca_cast.uploaded(ca_cast.make())
    assert authority_states.revoke(authority.pk, reason="Known to others", **BY).proof_code == ""


def test_one_that_has_ended_is_not_activated() -> None:
    authority = ca_cast.verified(ca_cast.make(days=20))
    with pytest.raises(AuthorityEnded, match="ended on 2026-12-10"):
        authority_states.activate(authority.pk, by=OPERATOR, at=NOON + 21 * DAY)
    assert (authority.has_ended(NOON + 21 * DAY), authority.days_left(NOON)) == (True, 20)


def test_the_database_holds_the_law() -> None:
    authority = ca_cast.uploaded(ca_cast.make())
    rows = CertificateAuthority.objects.filter(pk=authority.pk)
    for facts in ({"state": "active"}, {"proof_code": ""}, {"revoked_at": NOON}, {"state": "revoked"}, {"not_after": authority.not_before}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**facts)


# -- Products and removal ----------------------------------------------------------------------------------------------------------------
def test_one_serves_several_products_and_a_product_has_several() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    old, following = ca_cast.active(ca_cast.make("Old"), kettle), ca_cast.active(ca_cast.make("Next"))
    authority_upkeep.set_products(following.pk, [kettle, lamp], **BY)
    assert [anchor.name for anchor in authorities.anchors(kettle.pk)] == ["Old", "Next"]
    authority_upkeep.set_products(old.pk, [], **BY)
    authorities.forget()
    assert [anchor.name for anchor in authorities.anchors(kettle.pk)] == ["Next"]
    assert [anchor.name for anchor in authorities.anchors(lamp.pk)] == ["Next"]
    entries = AuditEntry.objects.filter(action="certificate_authority.products")
    assert [(entry.before, entry.after) for entry in entries.order_by("pk")] == [
        ({"products": []}, {"products": [kettle.key, lamp.key]}),
        ({"products": [kettle.key]}, {"products": []}),
    ]


def test_the_same_products_again_change_nothing() -> None:
    kettle = cast.kettle()
    authority = ca_cast.uploaded(ca_cast.make(), kettle)
    authority_upkeep.set_products(authority.pk, [kettle], **BY)
    assert not AuditEntry.objects.filter(action="certificate_authority.products").exists()


def test_a_new_name_is_audited() -> None:
    authority, other = ca_cast.uploaded(ca_cast.make()), ca_cast.uploaded(ca_cast.make("Other"))
    assert authority_upkeep.rename(authority.pk, " Works root ", **BY).name == "Works root"
    assert (line("rename").before, line("rename").after) == ({"name": "Works Root"}, {"name": "Works root"})
    with pytest.raises(AuthorityNameTaken):
        authority_upkeep.rename(other.pk, "Works root", **BY)


def test_what_was_revoked_by_hand_does_not_come_back_by_removing_the_ca() -> None:
    """Another certificate with the same key may be on file, or the same one may be uploaded again."""
    authority = upload(ca_cast.make().der)
    revocation.revoke_serial(authority.pk, "0A", reason="key_compromise", **BY)
    with pytest.raises(AuthorityInUse, match="revoked by hand, and would count again"):
        authority_upkeep.remove(authority.pk, **BY)
    assert RevokedSerial.objects.count() == 1


def test_only_what_nobody_used_is_removed() -> None:
    authority = ca_cast.active(ca_cast.make(), cast.kettle())
    with pytest.raises(AuthorityInUse, match="deactivate it first"):
        authority_upkeep.remove(authority.pk, **BY)
    authority_states.deactivate(authority.pk, **BY)
    authorities.note_use(authority.pk, at=NOON)
    with pytest.raises(AuthorityInUse, match="Devices have connected"):
        authority_upkeep.remove(authority.pk, **BY)
    unused = ca_cast.uploaded(ca_cast.make("Unused"))
    authority_upkeep.remove(unused.pk, reason="a mistake", **BY)
    assert list(CertificateAuthority.objects.all()) == [authority]
    assert (line("remove").before["name"], line("remove").reason) == ("Unused", "a mistake")


def test_the_first_use_is_noted_once() -> None:
    authority = ca_cast.active(ca_cast.make())
    authorities.forget()
    authorities.note_use(authority.pk, at=NOON)
    authorities.note_use(authority.pk, at=NOON + DAY)
    authority.refresh_from_db()
    assert authority.first_used_at == NOON


# -- What connections read ---------------------------------------------------------------------------------------------------------------
def test_connections_get_plain_values_with_what_is_switched_off_marked(settings: object) -> None:
    kettle, ca = cast.kettle(), ca_cast.make()
    authorities.forget()
    authority = ca_cast.active(ca, kettle)
    (anchor,) = authorities.anchors(kettle.pk)
    assert (anchor.authority_id, anchor.active, anchor.certificate.der) == (authority.pk, True, ca.der)
    authority_states.deactivate(authority.pk, **BY)
    authorities.forget()
    assert [one.active for one in authorities.anchors(kettle.pk)] == [False]
    assert authorities.anchors(cast.lamp().pk) == ()


def test_they_are_kept_for_a_moment(django_assert_num_queries: object) -> None:
    kettle = cast.kettle()
    authorities.forget()
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert authorities.anchors(kettle.pk) == authorities.accepted(kettle.pk).anchors
    authorities.forget()


def test_the_words_of_the_identity_are_those_of_the_judge() -> None:
    assert {source.value for source in IdentitySource} == {identity.value for identity in Identity}


def test_a_product_has_a_policy_before_anybody_chose_one() -> None:
    kettle = cast.kettle()
    policy = authorities.policy_of(kettle.pk)
    facts = {"identity": "common_name", "same_key": False, "crl_max_age_hours": None, "old_list_refuses": False}
    assert certificate_policies.facts_of(policy) == facts
    assert not CertificatePolicy.objects.exists()


def test_a_policy_is_changed_with_before_and_after() -> None:
    kettle = cast.kettle()
    certificate_policies.change(kettle.pk, {"identity": "serial_number", "crl_max_age_hours": 24, "old_list_refuses": True}, **BY)
    certificate_policies.change(kettle.pk, {"crl_max_age_hours": None}, **BY)
    certificate_policies.change(kettle.pk, {"crl_max_age_hours": None}, **BY)
    authorities.forget()
    found = authorities.accepted(kettle.pk)
    assert (found.identity, found.same_key, found.crl_max_age, found.old_list_refuses) == ("serial_number", False, None, True)
    entries = AuditEntry.objects.filter(action="product.certificate_policy").order_by("pk")
    assert [(entry.before, entry.after) for entry in entries] == [
        (
            {"identity": "common_name", "crl_max_age_hours": None, "old_list_refuses": False},
            {"identity": "serial_number", "crl_max_age_hours": 24, "old_list_refuses": True},
        ),
        ({"crl_max_age_hours": 24}, {"crl_max_age_hours": None}),
    ]


@pytest.mark.parametrize(("facts", "field"), [({"identity": "shoe size"}, "identity"), ({"crl_max_age_hours": 0}, "crl_max_age_hours")])
def test_a_policy_that_makes_no_sense_is_refused(facts: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        certificate_policies.change(cast.kettle().pk, facts, **BY)
    assert refused.value.field == field
