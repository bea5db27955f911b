"""Revocations, sweeps and arrivals at once, on PostgreSQL: one order for each connection, no revocation unseen, nobody waits for ever."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from console.crypto.certificates.issuing import Issuer
from console.errors import DomainError
from devices.models import CutReason, DisconnectOrder
from devices.services import certificate_sweep, lifecycle
from products.models import CertificateAuthority, Product, RevocationNews
from products.services import authority_states, revocation, revocation_lists
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.certified import connected, cut
from tests.devices.test_batches_under_fire import at_once
from tests.products import ca_cast
from tests.products.test_revocation_lists import a_list

pytestmark = [pytest.mark.storage, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

THOUSAND = range(1, 1001)


@pytest.fixture
def lamp() -> Product:
    return cast.lamp()


def authority_of(lamp: Product, name: str = "Works Root") -> tuple[ca_cast.Ca, CertificateAuthority]:
    ca = ca_cast.make(name)
    return ca, ca_cast.active(ca, lamp)


def revoke_number(authority: CertificateAuthority, serial: int) -> object:
    return revocation.revoke_serial(authority.pk, f"{serial:X}", reason="key_compromise", by=OPERATOR, at=NOON)


def test_eight_sweeps_at_once_cut_each_of_a_thousand_once(lamp: Product) -> None:
    _ca, authority = authority_of(lamp)
    connected(lamp, authority, THOUSAND)
    authority_states.revoke(authority.pk, reason="key lost", by=OPERATOR, at=NOON)
    found = at_once(8, lambda _index: certificate_sweep.cut_all(at=NOON))
    assert sum(one for one in found if isinstance(one, int)) == 1000
    assert cut() == list(THOUSAND)


def test_a_hundred_revocations_beside_their_sweeps_leave_none_out(lamp: Product) -> None:
    """Each revokes and looks, as its nudge does: whoever finds the news claimed is seen by the one who claims them next."""
    _ca, authority = authority_of(lamp)
    connected(lamp, authority, THOUSAND)

    def act(index: int) -> bool:
        for serial in range(index * 10 + 1, index * 10 + 11):
            revoke_number(authority, serial)
            certificate_sweep.cut_by(authority.pk, at=NOON)

        return True

    assert at_once(10, act) == [True] * 10
    assert cut() == list(range(1, 101))
    assert RevocationNews.objects.get().rounds < 4


def test_a_sweep_waits_for_the_revocation_that_is_being_written(lamp: Product) -> None:
    _ca, authority = authority_of(lamp)
    connected(lamp, authority, [1, 2])
    revoke_number(authority, 1)
    written, found = threading.Event(), list[int]()

    def sweep() -> None:
        written.wait(10)
        try:
            found.append(certificate_sweep.cut_by(authority.pk, at=NOON))
        finally:
            connections.close_all()

    other = threading.Thread(target=sweep)
    other.start()
    with transaction.atomic():
        revoke_number(authority, 2)
        written.set()
        time.sleep(0.5)
        assert not found
    other.join(10)
    assert found == [2] and cut() == [1, 2]


def test_whoever_revokes_at_once_does_not_lock_the_others_out(lamp: Product) -> None:
    """A number, a list, its source, the CA itself: their rows are locked in ways that go together."""
    for turn in range(5):
        ca, authority = authority_of(lamp, f"Root {turn}")
        issuer = Issuer(ca.certificate, ca.key)
        revocation_lists.upload(authority.pk, a_list(issuer, 5, number=1, at=NOON), by=OPERATOR, at=NOON)
        acts: list[Callable[[CertificateAuthority, bytes], object]] = [
            lambda one, _list: authority_states.revoke(one.pk, reason="key lost", by=OPERATOR, at=NOON),
            lambda one, _list: revocation_lists.set_source(one.pk, url="http://127.0.0.1:9/x.crl", by=OPERATOR, at=NOON),
            lambda one, crl: revocation_lists.upload(one.pk, crl, by=OPERATOR, at=NOON),
            lambda one, _list: revoke_number(one, 7),
            lambda one, _list: revoke_number(one, 8),
        ]
        together = (authority, a_list(issuer, 5, 6, number=2, at=NOON))
        done = at_once(len(acts), lambda index, acts=acts, together=together: acts[index](*together))  # type: ignore[misc]
        assert not [one for one in done if one is None or isinstance(one, DomainError)]


def test_a_sweep_and_those_who_disable_or_delete_the_devices_do_not_block_each_other(lamp: Product) -> None:
    _ca, authority = authority_of(lamp)
    devices = connected(lamp, authority, range(1, 41))
    authority_states.revoke(authority.pk, reason="key lost", by=OPERATOR, at=NOON)

    def act(index: int) -> object:
        if index % 2:
            return certificate_sweep.cut_all(at=NOON)
        for device in reversed(devices[index * 10 : index * 10 + 10]):
            forbid = lifecycle.disable if index else lifecycle.delete
            forbid(device, by=OPERATOR, at=NOON)
        return True

    assert None not in at_once(4, act)
    ordered = DisconnectOrder.objects.values_list("device_name", flat=True)
    assert set(ordered) == {device.device_name for device in devices}
    assert DisconnectOrder.objects.filter(reason=CutReason.DELETE).count() == 10
