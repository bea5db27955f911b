"""A row that is deleted with its devices: nobody comes of it who was asking in that moment, and whoever came before is deleted too (A7)."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections as databases

from devices.models import Batch, Device, DeviceOrigin, PreImportedDevice
from devices.rules.admission import NotImported
from devices.rules.connecting import BadCredential, DeviceUnknown
from devices.services import admission, client_ids, connections, numbering, pre_import
from products.models import Product
from products.services import data_centers, lookup
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.production_line import made

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]
Way = Callable[[PreImportedDevice], object]


@pytest.fixture(autouse=True)
def home() -> Iterator[None]:
    cast.home()
    lookup.forget()
    data_centers.forget()
    yield
    databases.close_all()


def by_hand(product: Product) -> PreImportedDevice:
    return cast.row(product, "tracker-1")


def of_a_batch(product: Product) -> PreImportedDevice:
    batch = made(product, 3)
    PreImportedDevice.objects.filter(batch=batch).update(authentication="dynamic")
    return PreImportedDevice.objects.made_in(batch.pk)[0]


def of_a_batch_that_came(product: Product) -> PreImportedDevice:
    row = of_a_batch(product)
    Batch.objects.update(first_came_at=NOON, first_came_name="other", first_came_to="Shanghai")
    return row


def delete(row: PreImportedDevice) -> None:
    pre_import.delete([row.pk], with_devices=True, by=OPERATOR, at=NOON)


def register(row: PreImportedDevice) -> object:
    product = lookup.find_for_registration(row.product.key, at=NOON)
    return admission.admit(data_center=cast.home(), product=product, device_name=row.device_name, at=NOON)


def issue(row: PreImportedDevice) -> object:
    product = lookup.find_for_registration(row.product.key, at=NOON)
    return client_ids.issue(data_center=cast.home(), product=product, device_name=row.device_name, at=NOON)


def connect(row: PreImportedDevice) -> object:
    where = {"data_center": cast.home(), "product_id": row.product_id, "device_name": row.device_name}
    return connections.admit(connections.look_up(**where), **where, by_token=False, at=NOON)


@pytest.mark.parametrize("listed", [by_hand, of_a_batch, of_a_batch_that_came])
@pytest.mark.parametrize(
    ("way", "module", "reads"), [(register, "admission.admission_facts", "look_up"), (connect, "connections", "look_up")]
)
def test_a_row_that_is_deleted_behind_the_look_makes_no_device(
    monkeypatch: pytest.MonkeyPatch, listed: Callable[[Product], PreImportedDevice], way: Way, module: str, reads: str
) -> None:
    row = listed(cast.tracker())
    first_came = Batch.objects.values_list("first_came_name", flat=True).first()
    place = f"devices.services.{module}.{reads}"
    real: Any = admission.admission_facts.look_up if way is register else connections.look_up

    def then_deleted(*args: Any, **named: Any) -> object:
        found = real(*args, **named)
        if PreImportedDevice.objects.filter(pk=row.pk).exists():
            delete(row)
        return found

    monkeypatch.setattr(place, then_deleted)
    with pytest.raises((NotImported, DeviceUnknown, BadCredential)):
        way(row)
    assert not Device.objects.exists()
    assert Batch.objects.values_list("first_came_name", flat=True).first() == first_came


@contextmanager
def in_the_midst_of_deleting(row: PreImportedDevice, way: Way, monkeypatch: pytest.MonkeyPatch) -> Iterator["Future[object]"]:
    """The devices are gone, and the row is not yet: whoever were let in now would stay."""

    def in_a_thread() -> object:
        try:
            return way(row)
        finally:
            databases.close_all()

    with ThreadPoolExecutor(1) as threads:
        asked: list[Future[object]] = []

        def follow(sns: object, **named: object) -> None:
            asked.append(threads.submit(in_a_thread))
            assert wait(asked, timeout=0.5).not_done, "it did not wait"

        monkeypatch.setattr(numbering, "follow", follow)
        delete(row)
        yield asked[0]


@pytest.mark.postgres
@pytest.mark.parametrize("way", [register, connect])
def test_who_asks_while_the_row_is_being_deleted_waits_and_is_refused(monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    row = by_hand(cast.tracker())
    with in_the_midst_of_deleting(row, way, monkeypatch) as asked, pytest.raises((NotImported, DeviceUnknown, BadCredential)):
        asked.result(10)
    assert not Device.objects.exists()


@pytest.mark.postgres
def test_who_needs_no_row_begins_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    row = cast.row(cast.kettle(preregistration_free=True), "64C2DE000001")
    with in_the_midst_of_deleting(row, issue, monkeypatch) as asked:
        asked.result(10)
    assert Device.objects.get().origin == DeviceOrigin.PREREGISTRATION_FREE
