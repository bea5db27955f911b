"""Whatever revokes a certificate: the devices that are connected by it are cut off, and no others."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from celery import Task
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import jobs
from console.crypto.certificates.issuing import Issuer
from devices import tasks
from devices.models import Connection, Device, DeviceCertificate, DisconnectOrder, OrderOutcome
from devices.services import certificate_sweep
from products.models import CertificateAuthority, Product, RevocationNews, RevokedSerial
from products.services import authority_states, authority_upkeep, revocation, revocation_lists, revocation_news
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices import certified
from tests.devices.certified import connected, cut
from tests.products import ca_cast
from tests.products.issuing_cast import DEVICE, stored
from tests.products.test_revocation_lists import a_list

pytestmark = [pytest.mark.storage, pytest.mark.django_db]

THOUSAND = range(1, 1001)
Revokes = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def lamp() -> Product:
    return cast.lamp()


@pytest.fixture
def ca() -> ca_cast.Ca:
    return ca_cast.make("Works Root")


@pytest.fixture
def authority(ca: ca_cast.Ca, lamp: Product) -> CertificateAuthority:
    return ca_cast.active(ca, lamp)


@pytest.fixture
def revoking(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Revokes:
    """What is nudged within is carried out at its end, by the task of the name."""
    ours = {task.name: task for task in vars(tasks).values() if isinstance(task, Task)}
    monkeypatch.setattr("console.shared.tasks.current_app.send_task", lambda task, args, **_options: ours[task](*args))
    return lambda: django_capture_on_commit_callbacks(execute=True)


def revoke_number(authority: CertificateAuthority, serial: int) -> None:
    revocation.revoke_serial(authority.pk, f"{serial:X}", reason="key_compromise", by=OPERATOR, at=NOON)


# -- What revokes --------------------------------------------------------------------------------------------------------------------------
def test_of_a_thousand_the_one_whose_number_is_revoked_is_cut_off(
    revoking: Revokes, lamp: Product, authority: CertificateAuthority
) -> None:
    connected(lamp, authority, THOUSAND)
    with revoking():
        revoke_number(authority, 77)
    assert cut() == [77]
    order = DisconnectOrder.objects.get()
    assert (order.outcome, order.made_by, order.mqtt_client_id) == (OrderOutcome.WAITING, "system", "c-Lamp-77")


def test_a_list_of_three_hundred_numbers_cuts_off_three_hundred(
    revoking: Revokes, lamp: Product, ca: ca_cast.Ca, authority: CertificateAuthority
) -> None:
    connected(lamp, authority, THOUSAND)
    crl = a_list(Issuer(ca.certificate, ca.key), *range(501, 801), at=NOON)
    with revoking():
        revocation_lists.upload(authority.pk, crl, by=OPERATOR, at=NOON)
    assert cut() == list(range(501, 801))


def test_a_list_that_says_nothing_new_makes_no_news(
    revoking: Revokes, lamp: Product, ca: ca_cast.Ca, authority: CertificateAuthority
) -> None:
    revocation_lists.upload(authority.pk, a_list(Issuer(ca.certificate, ca.key), 5, at=NOON), by=OPERATOR, at=NOON)
    RevocationNews.objects.all().delete()
    revocation_lists.upload(authority.pk, a_list(Issuer(ca.certificate, ca.key), 5, number=2, at=NOON), by=OPERATOR, at=NOON)
    assert not RevocationNews.objects.exists()


def test_a_revoked_intermediate_cuts_off_all_below_it(revoking: Revokes, lamp: Product, authority: CertificateAuthority) -> None:
    first, second = "1" * 64, "2" * 64
    connected(lamp, authority, range(1, 501), below=(first, certified.key(authority.spki_sha256, 9001)))
    connected(lamp, authority, range(501, 1001), below=(second, certified.key(authority.spki_sha256, 9002)))
    with revoking():
        revoke_number(authority, 9001)
    assert cut() == list(range(1, 501))


@pytest.mark.parametrize("end", [authority_states.revoke, authority_states.deactivate])
def test_a_ca_that_is_revoked_or_switched_off_cuts_off_all_of_it_and_none_of_another(
    revoking: Revokes, lamp: Product, authority: CertificateAuthority, end: Callable[..., object]
) -> None:
    other = ca_cast.active(ca_cast.make("Other Root"), lamp)
    connected(lamp, authority, range(1, 1001))
    connected(lamp, other, range(1001, 1101))
    with revoking():
        end(authority.pk, reason="key lost", by=OPERATOR, at=NOON)
    assert cut() == list(THOUSAND)


def test_a_product_that_a_ca_serves_no_more_loses_the_devices_of_it(
    revoking: Revokes, lamp: Product, authority: CertificateAuthority
) -> None:
    kettle = cast.kettle()
    authority_upkeep.set_products(authority.pk, [lamp, kettle], by=OPERATOR, at=NOON)
    connected(lamp, authority, [1])
    connected(kettle, authority, [2])
    with revoking():
        authority_upkeep.set_products(authority.pk, [lamp], by=OPERATOR, at=NOON)
    assert cut() == [2]


def test_a_ca_that_is_revoked_by_the_one_above_it_cuts_off_its_devices(
    revoking: Revokes, lamp: Product, authority: CertificateAuthority
) -> None:
    below = ca_cast.active(ca_cast.make("Line 1"), lamp)
    CertificateAuthority.objects.filter(pk=below.pk).update(issuer=authority.subject, serial_number="2329")
    connected(lamp, below, [1])
    connected(lamp, authority, [2])
    with revoking():
        revoke_number(authority, 0x2329)
    assert cut() == [1]


def test_a_revoked_ca_certificate_in_between_cuts_off_unless_another_of_its_key_is_active(
    revoking: Revokes, lamp: Product, authority: CertificateAuthority
) -> None:
    line, renewed = ca_cast.active(ca_cast.make("Line 1"), lamp), ca_cast.active(ca_cast.make("Line 2"), lamp)
    twin = ca_cast.active(ca_cast.make("Line 2, renewed"), lamp)
    CertificateAuthority.objects.filter(pk=twin.pk).update(spki_sha256=renewed.spki_sha256)
    connected(lamp, authority, [1], below=(line.spki_sha256, certified.key(authority.spki_sha256, 9001)))
    connected(lamp, authority, [2], below=(renewed.spki_sha256, certified.key(authority.spki_sha256, 9002)))
    with revoking():
        for one in (line, renewed):
            authority_states.revoke(one.pk, reason="key lost", by=OPERATOR, at=NOON)
    assert cut() == [1]


def test_a_certificate_that_was_issued_here_is_cut_off_and_a_superseded_one_is_not_looked_for(
    revoking: Revokes,
) -> None:
    meter = cast.meter()
    row = stored(meter)
    authority = row.issuing_ca.authority
    connected(meter, authority, [1])
    DeviceCertificate.objects.update(path_keys=[f"{authority.spki_sha256}:{row.serial}"])
    revocation.withdraw([row], reason="superseded", at=NOON)
    assert not RevocationNews.objects.exists()
    type(row).objects.update(revoked_at=None, reason="")
    RevokedSerial.objects.all().delete()
    with revoking():
        revocation.revoke_device(meter, DEVICE, reason="key_compromise", by=OPERATOR, at=NOON)
    assert cut() == [1]


# -- What does not -------------------------------------------------------------------------------------------------------------------------
def test_who_is_connected_stays_when_a_ca_ends(lamp: Product, authority: CertificateAuthority) -> None:
    """TLS looks at a certificate once, and no clock cuts a fleet off; whoever comes is refused (tests/devices/test_presented.py)."""
    connected(lamp, authority, [1])
    assert certificate_sweep.cut_all(at=authority.not_after + timedelta(days=1)) == 0


def test_a_renewed_ca_holds_the_devices_of_the_one_before(revoking: Revokes, lamp: Product, authority: CertificateAuthority) -> None:
    """Its certificate has the same key, so that their way leads there from now on."""
    renewed = ca_cast.active(ca_cast.make("Works Root, renewed"), lamp)
    CertificateAuthority.objects.filter(pk=renewed.pk).update(spki_sha256=authority.spki_sha256)
    connected(lamp, authority, [1])
    with revoking():
        authority_states.deactivate(authority.pk, by=OPERATOR, at=NOON)
    assert not cut()
    with revoking():
        authority_states.deactivate(renewed.pk, by=OPERATOR, at=NOON)
    assert cut() == [1]


def test_a_device_that_authenticates_by_its_secret_again_stays(lamp: Product, authority: CertificateAuthority, revoking: Revokes) -> None:
    connected(lamp, authority, [1, 2])
    Device.objects.filter(device_name="Lamp-1").update(authentication="static")
    with revoking():
        authority_states.revoke(authority.pk, reason="key lost", by=OPERATOR, at=NOON)
    assert cut() == [2]


def test_a_device_that_has_left_or_has_come_with_another_certificate_is_left_alone(
    revoking: Revokes, lamp: Product, authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the lock."""
    gone, changed, _stays = connected(lamp, authority, [1, 2, 3])
    look = certificate_sweep._bad

    def looked(*arguments: Any) -> Any:
        found = look(*arguments)
        Connection.objects.filter(device=gone).update(disconnected_at=NOON)
        DeviceCertificate.objects.filter(device=changed).update(path_keys=[certified.key(authority.spki_sha256, 44)])
        return found

    monkeypatch.setattr(certificate_sweep, "_bad", looked)
    with revoking():
        for serial in (1, 2, 3):
            revoke_number(authority, serial)
    assert cut() == [3]


# -- Again and again -----------------------------------------------------------------------------------------------------------------------
def test_each_connection_has_one_order_however_often_it_is_looked_at(
    revoking: Revokes, lamp: Product, authority: CertificateAuthority
) -> None:
    connected(lamp, authority, [1])
    connected(lamp, authority, [2], kind="mosquitto")
    with revoking():
        authority_states.revoke(authority.pk, reason="key lost", by=OPERATOR, at=NOON)
    for _again in range(3):
        assert certificate_sweep.cut_again(at=NOON) == 0
    assert certificate_sweep.cut_all(at=NOON) == 0
    assert cut() == [1, 2]
    outcomes = dict(DisconnectOrder.objects.values_list("device_name", "outcome"))
    assert outcomes == {"Lamp-1": OrderOutcome.WAITING, "Lamp-2": OrderOutcome.NEXT_CONNECT}


def test_who_slipped_in_beside_the_revocation_is_found_by_the_next_rounds(lamp: Product, authority: CertificateAuthority) -> None:
    """Let in before it, recorded after it; or by a process that knew the CA as active for another moment."""
    revoke_number(authority, 1)
    assert certificate_sweep.cut_by(authority.pk, at=NOON) == 0
    for serial in range(2, revocation_news.ROUNDS + 1):
        revoked = connected(lamp, authority, [1] if serial == 2 else [])
        assert certificate_sweep.cut_again(at=NOON) == len(revoked)
    assert cut() == [1]
    connected(lamp, authority, [3])
    RevokedSerial.objects.update(serial="03")
    assert certificate_sweep.cut_again(at=NOON) == 0, "the rounds are over"
    assert certificate_sweep.cut_all(at=NOON) == 1


def test_many_revocations_at_once_are_one_walk(lamp: Product, authority: CertificateAuthority) -> None:
    connected(lamp, authority, range(1, 11))
    for serial in range(1, 11):
        revoke_number(authority, serial)
    assert [certificate_sweep.cut_by(authority.pk, at=NOON) for _nudge in range(10)] == [10, *[0] * 9]


def test_a_device_whose_own_revocation_it_slipped_through_is_found(lamp: Product, authority: CertificateAuthority) -> None:
    connected(lamp, authority, [1, 2])
    DeviceCertificate.objects.filter(device__device_name="Lamp-2").update(revoked_at=NOON)
    assert certificate_sweep.cut_all(at=NOON) == 1
    assert cut() == [2]


def test_a_number_below_an_intermediate_is_news_of_the_ca_at_the_end(lamp: Product, authority: CertificateAuthority) -> None:
    """As device_certificates.revoke has it: the device is connected in another data center too."""
    middle = "3" * 64
    connected(lamp, authority, [1, 2], below=(middle, certified.key(authority.spki_sha256, 9001)), center=cast.frankfurt())
    presented = revocation.Presented(authority.pk, middle, "01", None)
    assert revocation.withdraw_presented(presented, reason="key_compromise", at=NOON)
    assert certificate_sweep.cut_by(authority.pk, at=NOON) == 1
    assert cut(cast.frankfurt()) == [1] and not cut()


def test_the_cost_is_by_the_block_and_not_by_the_device(lamp: Product, authority: CertificateAuthority) -> None:
    connected(lamp, authority, range(1, 51))
    authority_states.revoke(authority.pk, reason="key lost", by=OPERATOR, at=NOON)
    asked = []
    for many in (10, 50):
        left = Device.objects.order_by("pk").values_list("pk", flat=True)[many:]
        Connection.objects.filter(device__in=list(left)).update(disconnected_at=NOON)
        with CaptureQueriesContext(connection) as statements:
            assert certificate_sweep.cut_all(at=NOON) == many
        asked.append(len(statements))
        Connection.objects.update(disconnected_at=None)
        DisconnectOrder.objects.all().delete()
    assert asked[0] == asked[1]


def test_the_schedule_has_both_looks_and_the_tasks_are_there() -> None:
    regular = {"devices.cut_revoked_again", "devices.cut_all_revoked"}
    assert regular <= {entry["task"] for entry in jobs.REGULAR.values()}
    assert {*regular, revocation_news.CUT_TASK} <= {task.name for task in vars(tasks).values() if isinstance(task, Task)}
