"""Run by test_own_database.py in a process of its own: a data center whose device list lives in another database."""

import django

django.setup()

from datetime import timedelta  # noqa: E402

from devices.models import AutoCreation, Batch, BatchUndo, Device, PreImportedDevice  # noqa: E402
from devices.rules.admission import AlreadyActivated, AutoCreateLimit, NotImported  # noqa: E402
from devices.services import batches, lifecycle, undoing  # noqa: E402
from devices.services.admission import admit  # noqa: E402
from products.models import DataCenter  # noqa: E402
from products.services import data_centers  # noqa: E402
from products.services.lookup import find_for_registration  # noqa: E402
from tests import cast  # noqa: E402
from tests.cast import NOON, OPERATOR  # noqa: E402
from tests.devices.production_line import made, supply_of, undo  # noqa: E402


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


tell()
print("told")
