"""Many connections at once, each with a certificate of its own: one is pinned, limits hold, nothing is half done. On PostgreSQL."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from console.errors import DomainError
from console.models import AuditEntry
from devices.models import Authentication, AutoCreation, Batch, Device, DeviceCertificate, PreImportedDevice
from devices.rules.certificate_refusals import CertificateRevoked, DeviceRevoked
from devices.rules.pins import Match
from devices.rules.presented import Verdict
from devices.services import batches, certificate_admission, device_certificates, lifecycle
from devices.services.admission import admit
from devices.services.certificate_admission import LetIn
from products.models import CertificateAuthority, IssuedCertificate, Product
from products.services import authorities, issuing, issuing_profiles
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.presenting import NAME, connect, device, entry, judge_of, row, signed
from tests.devices.production_line import made
from tests.products import ca_cast, issuing_cast
from tests.products.ca_cast import Ca

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
AT_ONCE = 20
BY = {"by": OPERATOR, "at": NOON}


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each thread got, or the refusal that it ran into; they begin together."""
    begin = Barrier(len(acts))

    def one(act: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            begin.wait(30)
            return act()
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def pinnings() -> int:
    return AuditEntry.objects.filter(action="device.pin_certificate").count()


def kinds(found: list[Any]) -> Counter[str]:
    return Counter(one.code if isinstance(one, DomainError) else type(one).__name__ for one in found)


@pytest.fixture
def ca() -> Ca:
    return ca_cast.make()


@pytest.fixture
def kettle(transactional_db: None, ca: Ca) -> Product:
    cast.home()
    authorities.forget()
    issuing_profiles.forget()
    product = cast.kettle()
    ca_cast.active(ca, product)
    cast.row(product, NAME, Authentication.X509)
    return product


@pytest.mark.parametrize("state", ["in the pre-import list", "in the device list", "nowhere"])
def test_of_twenty_first_connections_with_different_certificates_one_is_pinned(kettle: Product, ca: Ca, state: str) -> None:
    if state == "in the device list":
        connect(kettle, signed(ca))
        device_certificates.reset_pin(device(), **BY)
        DeviceCertificate.objects.all().delete()
        lifecycle.reset(device(), **BY)
    name = "64C2DE000099" if state == "nowhere" else NAME
    Product.objects.filter(pk=kettle.pk).update(auto_create=True, auto_create_limit=100)
    mine, pinned_before = [signed(ca, name) for _each in range(AT_ONCE)], pinnings()
    found = at_once(*(lambda one=one: connect(kettle, one, name=name) for one in mine))
    assert kinds(found) == {"LetIn": 1, "certificate_not_pinned": AT_ONCE - 1}
    winner = next(index for index, one in enumerate(found) if isinstance(one, LetIn))
    assert (row(name).sha256, device(name).certificate_fingerprint) == (mine[winner].sha256, mine[winner].sha256)
    assert (found[winner].match, found[winner].first) == (Match.FIRST, True)
    for index, error in enumerate(found):
        if index != winner:
            assert error.facts == {"expected": mine[winner].sha256, "seen": mine[index].sha256}
    assert pinnings() == pinned_before + 1
    assert Device.objects.count() == DeviceCertificate.objects.count() == 1
    assert sum(AutoCreation.objects.values_list("created", flat=True)) == (1 if state == "nowhere" else 0)


def test_one_certificate_twenty_times_at_once_is_one_first_connection(kettle: Product, ca: Ca) -> None:
    mine = signed(ca)
    found = at_once(*[lambda: connect(kettle, mine)] * AT_ONCE)
    assert kinds(found) == {"LetIn": AT_ONCE}
    assert Counter((one.first, one.match) for one in found) == {(True, Match.FIRST): 1, (False, Match.CURRENT): AT_ONCE - 1}
    assert pinnings() == 1


def test_the_limit_of_automatic_creation_holds(kettle: Product, ca: Ca) -> None:
    limit = 5
    Product.objects.filter(pk=kettle.pk).update(auto_create=True, auto_create_limit=limit)
    names = [f"64C2DE0001{number:02}" for number in range(AT_ONCE)]
    mine = {name: signed(ca, name) for name in names}
    found = at_once(*(lambda name=name: connect(kettle, mine[name], name=name) for name in names))
    assert kinds(found) == {"LetIn": limit, "auto_create_limit": AT_ONCE - limit}
    assert AutoCreation.objects.get().created == Device.objects.count() == DeviceCertificate.objects.count() == limit


def test_two_ways_of_creation_share_one_limit(kettle: Product, ca: Ca) -> None:
    limit = 6
    Product.objects.filter(pk=kettle.pk).update(auto_create=True, auto_create_limit=limit)
    names = [f"64C2DE0001{number:02}" for number in range(AT_ONCE)]
    mine = {name: signed(ca, name) for name in names}

    def register(name: str) -> object:
        return admit(data_center=cast.home(), product=entry(kettle).product, device_name=name, at=NOON)

    ways = [lambda name=name: connect(kettle, mine[name], name=name) for name in names[::2]]
    found = at_once(*ways, *(lambda name=name: register(name) for name in names[1::2]))
    assert kinds(found)["auto_create_limit"] == AT_ONCE - limit
    assert AutoCreation.objects.get().created == Device.objects.count() == limit


def test_a_pin_that_is_reset_while_it_is_judged_is_judged_again(kettle: Product, ca: Ca) -> None:
    """The judgement is held until the operator is done: what he did counts, not what was read before."""
    mine, other = signed(ca), signed(ca)
    connect(kettle, mine)
    device_certificates.expect_next(device(), other.sha256, **BY)
    judged: list[Verdict] = []
    judge = judge_of([other], kettle.pk, NAME, NOON)

    def slowly(*asked: Any) -> Verdict:
        judged.append(judge(*asked))
        if len(judged) == 1:
            device_certificates.reset_pin(device(), **BY)
        return judged[-1]

    done = certificate_admission.admit(entry(kettle), slowly)
    assert [one.compared.match for one in judged] == [Match.NEXT, Match.FIRST]
    assert done.match is Match.FIRST and row().next_sha256 == ""


@pytest.mark.parametrize("stored", [True, False])
def test_a_device_that_is_revoked_while_it_is_judged_is_not_pinned(kettle: Product, ca: Ca, stored: bool) -> None:
    first = signed(ca)
    connect(kettle, first)
    device_certificates.reset_pin(device(), **BY)
    if not stored:
        DeviceCertificate.objects.all().delete()
    mine = signed(ca)
    judge, judged = judge_of([mine], kettle.pk, NAME, NOON), []

    def slowly(*asked: Any) -> Verdict:
        judged.append(judge(*asked))
        device_certificates.revoke(device(), reason="unspecified", **BY)
        return judged[-1]

    with pytest.raises(DeviceRevoked):
        certificate_admission.admit(entry(kettle), slowly)
    assert (len(judged), row().sha256) == (1, "")


@pytest.mark.parametrize("what", ["disable", "delete", "reset"])
def test_what_happens_to_the_device_while_it_is_judged_counts(kettle: Product, ca: Ca, what: str) -> None:
    mine, other = signed(ca), signed(ca)
    connect(kettle, mine)
    device_certificates.expect_next(device(), other.sha256, **BY)
    judge, judged = judge_of([other], kettle.pk, NAME, NOON), []

    def slowly(*asked: Any) -> Verdict:
        judged.append(judge(*asked))
        if len(judged) == 1:
            getattr(lifecycle, what)(device(), **BY)
        return judged[-1]

    try:
        done: Any = certificate_admission.admit(entry(kettle), slowly)
    except DomainError as error:
        done = error
    if what == "disable":
        assert done.code == "device_disabled" and row().sha256 == mine.sha256
    elif what == "delete":
        assert (done.match, done.first, done.path[0]) == (Match.FIRST, True, "The DeviceName is in the pre-import list.")
    else:
        assert (done.match, done.first) == (Match.NEXT, True)


def test_revocations_and_connections_at_once_end_in_one_truth(kettle: Product, ca: Ca) -> None:
    """Whoever was let in before the revocation is on record; nobody is let in behind it, and nothing waits for itself."""
    for number in range(6):
        name = f"64C2DE0002{number:02}"
        cast.row(kettle, name, Authentication.X509)
        first, second = signed(ca, name), signed(ca, name)
        connect(kettle, first, name=name)
        device_certificates.expect_next(device(name), second.sha256, **BY)
        ways = [lambda: connect(kettle, second, name=name), lambda: connect(kettle, first, name=name)] * 4  # noqa: B023
        found = at_once(*ways, lambda: device_certificates.revoke(device(name), reason="unspecified", **BY))  # noqa: B023
        assert found[-1] == 0
        for one in (first, second):
            with pytest.raises((CertificateRevoked, DeviceRevoked)):
                connect(kettle, one, name=name)


def test_a_batch_is_undone_or_its_device_comes(ca: Ca, transactional_db: None) -> None:
    cast.home()
    tracker = cast.tracker()
    ca_cast.active(ca, tracker)
    authorities.forget()
    for _round in range(4):
        batch = made(tracker)
        PreImportedDevice.objects.filter(batch=batch).update(authentication="x509")
        name = PreImportedDevice.objects.filter(batch=batch).earliest("pk").device_name
        mine = signed(ca, name)
        came, begun = at_once(
            lambda: connect(tracker, mine, name=name),  # noqa: B023
            lambda: batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=NOON + timedelta(minutes=5)),  # noqa: B023
        )
        undoing = Batch.objects.get(pk=batch.pk).undo_began_at is not None
        assert undoing == isinstance(came, DomainError) and undoing != isinstance(begun, DomainError)
        assert Device.objects.filter(device_name=name).exists() is not undoing


def test_of_issued_certificates_that_connect_at_once_one_stays_good(kettle: Product) -> None:
    issuing_cast.own_ca(kettle)
    at = issuing_cast.NOW
    made_for = [issuing.issue_for(product_id=kettle.pk, device_name=NAME, csr=None, at=at) for _each in range(4)]
    for one in made_for:
        issuing.record(one, data_center_id=cast.home().pk, only_one=False, at=at)
    found = at_once(*(lambda one=one: connect(kettle, one.certificate, at=at) for one in made_for))
    assert kinds(found)["LetIn"] == 1
    assert IssuedCertificate.objects.good().get().sha256 == row().sha256
    used = CertificateAuthority.objects.exclude(first_used_at=None)
    assert used.get().pk == row().authority_id
