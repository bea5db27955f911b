"""Two operators at one CA certificate at once: of two proofs one counts, of two uploads one stays, and the audit says which."""

import pytest
from django.utils import timezone

from console.errors import NotFound
from console.models import AuditEntry
from products.models import AuthorityState, CertificateAuthority
from products.rules.authority_errors import ProofWithoutCode
from products.services import authority_proof, authority_states, authority_upkeep
from products.services.authority_proof import NotPending
from products.services.authority_states import WrongState
from products.services.authority_upkeep import AuthorityInUse, AuthorityThere, NewAuthority
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.test_batches_under_fire import at_once
from tests.products import ca_cast

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]
ROUNDS = range(4)
BY = {"by": OPERATOR, "at": NOON}


def lines(action: str) -> int:
    return AuditEntry.objects.filter(action=f"certificate_authority.{action}").count()


def kinds(found: list[object]) -> list[str]:
    return sorted(type(one).__name__ for one in found)


def test_of_two_proofs_with_one_code_one_counts() -> None:
    for _ in ROUNDS:
        ca = ca_cast.make()
        authority = ca_cast.uploaded(ca, name=f"CA {CertificateAuthority.objects.count()}")
        before = lines("prove")
        proofs = [ca.proof(authority.proof_code).encode() for _ in range(4)]
        found = at_once(4, lambda index: authority_proof.prove(authority.pk, proofs[index], **BY))  # noqa: B023
        assert kinds(found) == ["CertificateAuthority", "NotPending", "NotPending", "NotPending"]
        assert lines("prove") == before + 1
        winner = next(index for index, one in enumerate(found) if isinstance(one, CertificateAuthority))
        authority.refresh_from_db()
        stored = authority_upkeep.read(bytes(authority.proof_certificate or b""), field="")
        assert stored == authority_upkeep.read(proofs[winner], field="")


def test_a_proof_and_a_new_code_do_not_both_count() -> None:
    for _ in ROUNDS:
        ca = ca_cast.make()
        authority = ca_cast.uploaded(ca, name=f"CA {CertificateAuthority.objects.count()}")
        proof = ca.proof(authority.proof_code).encode()
        acts = [lambda: authority_proof.prove(authority.pk, proof, **BY), lambda: authority_proof.new_code(authority.pk, **BY)]  # noqa: B023
        proven, renewed = at_once(2, lambda index: acts[index]())  # noqa: B023
        if isinstance(proven, CertificateAuthority):
            assert isinstance(renewed, NotPending)
        else:
            assert isinstance(proven, ProofWithoutCode)
            assert isinstance(renewed, CertificateAuthority)


def test_of_several_who_activate_at_once_one_does() -> None:
    authority = ca_cast.verified(ca_cast.make())
    found = at_once(4, lambda index: authority_states.activate(authority.pk, **BY))
    assert kinds(found) == ["CertificateAuthority", "WrongState", "WrongState", "WrongState"]
    assert lines("activate") == 1


def test_whoever_revokes_wins_whatever_else_happens() -> None:
    for _ in ROUNDS:
        authority = ca_cast.verified(ca_cast.make(f"CA {CertificateAuthority.objects.count()}"))
        acts = [
            lambda: authority_states.activate(authority.pk, **BY),  # noqa: B023
            lambda: authority_states.revoke(authority.pk, reason="copied", **BY),  # noqa: B023
        ]
        activated, revoked = at_once(2, lambda index: acts[index]())  # noqa: B023
        assert isinstance(activated, CertificateAuthority | WrongState)
        assert isinstance(revoked, CertificateAuthority)
        authority.refresh_from_db()
        assert authority.state == AuthorityState.REVOKED


def test_of_two_uploads_of_one_certificate_one_stays() -> None:
    ca = ca_cast.make()
    found = at_once(4, lambda index: authority_upkeep.upload(NewAuthority(ca.der, name=f"CA {index}"), **BY))
    assert kinds(found) == ["AuthorityThere", "AuthorityThere", "AuthorityThere", "CertificateAuthority"]
    assert all("is there already: CA " in str(one) for one in found if isinstance(one, AuthorityThere))
    assert (CertificateAuthority.objects.count(), lines("upload")) == (1, 1)


def test_what_is_activated_is_not_removed_and_what_is_removed_not_activated() -> None:
    for _ in ROUNDS:
        authority = ca_cast.verified(ca_cast.make(f"CA {timezone.now().timestamp()}"))
        key = authority.pk
        acts = [lambda: authority_states.activate(key, **BY), lambda: authority_upkeep.remove(key, **BY)]  # noqa: B023

        activated, removed = at_once(2, lambda index: acts[index]())  # noqa: B023
        if isinstance(activated, CertificateAuthority):
            assert isinstance(removed, AuthorityInUse)
        else:
            assert isinstance(activated, NotFound)
            assert removed is None
            assert not CertificateAuthority.objects.filter(pk=key).exists()


def test_products_chosen_at_once_are_one_choice() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    authority = ca_cast.uploaded(ca_cast.make())
    for _ in ROUNDS:
        at_once(2, lambda index: authority_upkeep.set_products(authority.pk, [[kettle], [lamp]][index], **BY))
        assert list(authority.products.all()) in ([kettle], [lamp])
