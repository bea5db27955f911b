"""Run by test_own_database.py in a process of its own: a data center whose device list lives in another database."""

import django

django.setup()

from datetime import timedelta  # noqa: E402

from console.models import AuditEntry  # noqa: E402
from devices.models import (  # noqa: E402
    Authentication,
    AutoCreation,
    Batch,
    BatchUndo,
    Device,
    DeviceCertificate,
    DisconnectOrder,
    PreImportedDevice,
)
from devices.rules.admission import AlreadyActivated, AutoCreateLimit, NotImported  # noqa: E402
from devices.rules.certificate_refusals import OtherCertificate  # noqa: E402
from devices.rules.pins import Match  # noqa: E402
from devices.services import batches, certificate_sweep, device_certificates, lifecycle, undoing  # noqa: E402
from devices.services.admission import admit  # noqa: E402
from products.models import DataCenter, Product  # noqa: E402
from products.services import authority_states, data_centers, lookup, revocation  # noqa: E402
from products.services.lookup import find_for_registration  # noqa: E402
from tests import cast  # noqa: E402
from tests.cast import NOON, OPERATOR  # noqa: E402
from tests.devices import presenting  # noqa: E402
from tests.devices.certified import connected, cut  # noqa: E402
from tests.devices.production_line import made, supply_of, undo  # noqa: E402
from tests.products import ca_cast  # noqa: E402


def tell() -> None:
    home = cast.home()
    frankfurt = data_centers.save(DataCenter(), code="eu", name="Frankfurt", database="frankfurt", hosts=["eu.test"], by=OPERATOR, at=NOON)
    kettle = cast.kettle(auto_create=True, auto_create_limit=1)
    cast.row(kettle, "A4C138000001", nickname="Kitchen")
    product = find_for_registration(kettle.key, at=NOON)
    first = admit(data_center=frankfurt, product=product, device_name="A4C138000001", at=NOON)
    device = Device.objects.at(frankfurt).get()
    assert (device._state.db, device.nickname) == ("frankfurt", "Kitchen")
    assert not Device.objects.using("default").exists() and not Device.objects.at(home).exists()
    at_home = admit(data_center=home, product=product, device_name="A4C138000001", at=NOON)
    assert at_home.device_secret == first.device_secret
    assert Device.objects.using("default").count() == Device.objects.using("frankfurt").count() == 1

    admit(data_center=frankfurt, product=product, device_name="A4C138000002", at=NOON)
    try:
        admit(data_center=frankfurt, product=product, device_name="A4C138000003", at=NOON)
    except AutoCreateLimit:
        assert AutoCreation.objects.using("frankfurt").get().created == 1
    else:
        raise AssertionError("the limit did not hold")

    assert cast.activate(device, at=NOON + timedelta(minutes=1))
    try:
        admit(data_center=frankfurt, product=product, device_name="A4C138000001", at=NOON)
    except AlreadyActivated:
        lifecycle.reset(device, by=OPERATOR, at=NOON)
    else:
        raise AssertionError("an activated device was admitted")
    lifecycle.delete(device, by=OPERATOR, at=NOON)
    again = admit(data_center=frankfurt, product=product, device_name="A4C138000001", at=NOON)
    assert again.device_secret != first.device_secret
    undo_batches(frankfurt)
    cut_off(home, frankfurt)
    let_in_by_certificate(home, frankfurt)


def undo_batches(frankfurt: DataCenter) -> None:
    """A device that came in another database stands in the way of its batch; none may come where the undo was first."""
    tracker = cast.tracker()
    came, gone = made(tracker), made(tracker)
    PreImportedDevice.objects.update(authentication="dynamic")
    first, other = (PreImportedDevice.objects.made_in(batch.pk)[0].device_name for batch in (came, gone))
    product = find_for_registration(tracker.key, at=NOON)
    admit(data_center=frankfurt, product=product, device_name=first, at=NOON)
    Batch.objects.filter(pk=came.pk).update(first_came_at=None)
    assert "Frankfurt" in undo(came).failure
    batches.undo(gone.pk, reason="wrong", by=OPERATOR, at=NOON)
    try:
        admit(data_center=frankfurt, product=product, device_name=other, at=NOON)
    except NotImported:
        undoing.carry_out(BatchUndo.objects.get(batch=gone).pk, clock=lambda: NOON)
    else:
        raise AssertionError("a device of an undone batch was admitted")
    assert supply_of(tracker) == (20, 20)


def cut_off(home: DataCenter, frankfurt: DataCenter) -> None:
    """A revocation is of the center's database, and those who are connected by the certificate are of both."""
    lamp = cast.lamp()
    authority = ca_cast.active(ca_cast.make(), lamp)
    for center in (home, frankfurt):
        connected(lamp, authority, range(1, 6), center=center)
    revocation.revoke_serial(authority.pk, "03", reason="key_compromise", by=OPERATOR, at=NOON)
    assert certificate_sweep.cut_again(at=NOON) == 2
    assert cut(home) == cut(frankfurt) == [3]
    assert DisconnectOrder.objects.using("frankfurt").count() == 1
    authority_states.revoke(authority.pk, reason="key lost", by=OPERATOR, at=NOON)
    assert certificate_sweep.cut_by(authority.pk, at=NOON) == 8


def let_in_by_certificate(home: DataCenter, frankfurt: DataCenter) -> None:
    """The pin is of the data center, what a first connection does to others is of the center's database."""
    name, ca, tracker = "track-1", ca_cast.make("Trackers"), Product.objects.get(name="Tracker")
    ca_cast.active(ca, tracker)
    cast.row(tracker, name, Authentication.X509)
    Product.objects.filter(pk=tracker.pk).update(auto_create=True, auto_create_limit=1)
    lookup.forget()
    mine, other = presenting.signed(ca, name), presenting.signed(ca, name)
    assert presenting.connect(tracker, mine, name=name, center=frankfurt).match is Match.FIRST
    assert presenting.connect(tracker, other, name=name, center=home).match is Match.FIRST
    try:
        presenting.connect(tracker, other, name=name, center=frankfurt)
    except OtherCertificate:
        assert DeviceCertificate.objects.using("frankfurt").get(sha256=mine.sha256).taken_at == NOON
    else:
        raise AssertionError("another certificate was let in")
    device = Device.objects.at(frankfurt).get(device_name=name)
    device_certificates.expect_next(device, other.sha256, by=OPERATOR, at=NOON)
    assert presenting.connect(tracker, other, name=name, center=frankfurt).match is Match.NEXT
    assert AuditEntry.objects.filter(action="device.pin_certificate").count() == 2
    device_certificates.revoke(device, reason="unspecified", by=OPERATOR, at=NOON)
    assert DeviceCertificate.objects.using("frankfurt").get(device_id=device.pk).revoked_at == NOON
    presenting.connect(tracker, presenting.signed(ca, "new-1"), name="new-1", center=frankfurt)
    try:
        presenting.connect(tracker, presenting.signed(ca, "new-2"), name="new-2", center=frankfurt)
    except AutoCreateLimit:
        assert not Device.objects.using("frankfurt").filter(device_name="new-2").exists()
    else:
        raise AssertionError("the limit did not hold")


tell()
print("told")
