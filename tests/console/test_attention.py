"""What needs attention: each trouble is told, with its way out, to those alone who may know of it."""

import shutil
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

import console.dashboard  # noqa: F401  (the roof's own providers register)
from console.models import ApiKey
from console.shared import attention
from devices.models import Batch, BatchSource, Device, DisconnectOrder, MacPool
from products.models import Broker, Product, ProductAccess, ProductSecret
from products.services import brokers
from registration.models import BrokerState
from tests import cast

pytestmark = pytest.mark.django_db


class Disk(NamedTuple):
    """As shutil tells it, in bytes."""

    total: float
    used: float
    free: float


@pytest.fixture(autouse=True)
def room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(100e9, 50e9, 50e9))
    cast.home()


def told(user: Any = None) -> dict[str, attention.Alert]:
    found = attention.alerts(user or boss(), timezone.now())
    return {str(alert.title): alert for alert in found}


def boss() -> Any:
    return get_user_model().objects.filter(is_superuser=True).first() or cast.administrator()


def staff(*permissions: str, products: tuple[Product, ...] = ()) -> Any:
    user = get_user_model().objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    for product in products:
        ProductAccess.objects.create(user=user, product=product)
    return user


def device(product: Product, name: str, **facts: Any) -> Device:
    return Device.objects.create(
        data_center=cast.home(),
        product=product,
        device_name=name,
        authentication="dynamic",
        sealed_secret=b"",
        created_at=cast.NOON,
        **facts,
    )


def batch(product: Product, **facts: Any) -> Batch:
    made = {"source": BatchSource.AUTOMATIC, "total": 5, "requested_at": timezone.now()} | facts
    return Batch.objects.create(product=product, **made)


def test_where_all_is_well_there_is_nothing() -> None:
    cast.kettle()
    assert not told()


def test_names_with_several_client_ids() -> None:
    lamp = cast.lamp()
    for number in range(3):
        device(lamp, f"lamp-{number}", client_ids_active=2)
    device(lamp, "lamp-9", client_ids_active=1)
    alert = told()["Lamp: names with several ClientIDs"]
    assert (alert.count, alert.at_least, alert.severity) == (3, False, attention.DANGER)
    assert str(lamp.pk) in alert.url


def test_they_are_counted_no_further_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from devices.admin import attention as of_devices

    monkeypatch.setattr(of_devices, "READ", 2)
    lamp = cast.lamp()
    for number in range(3):
        device(lamp, f"lamp-{number}", client_ids_active=2)
    alert = told()["Lamp: names with several ClientIDs"]
    assert (alert.count, alert.at_least) == (2, True)


def test_orders_that_a_broker_does_not_carry_out() -> None:
    lamp = cast.lamp()
    broker = brokers.save(Broker(), data_center=cast.home(), name="EMQX", kind="emqx", by=cast.OPERATOR, at=cast.NOON)
    facts = {"reason": "clear", "made_at": cast.NOON, "next_try_at": cast.NOON, "connected_at": cast.NOON, "broker": broker}
    for number, error in enumerate(("", "no answer")):
        DisconnectOrder.objects.create(
            data_center=cast.home(), product=lamp, device_name=f"lamp-{number}", mqtt_client_id=f"{number}", last_error=error, **facts
        )
    assert told()["Connections that cannot be cut off"].count == 1


def test_a_pool_with_less_than_a_tenth_left() -> None:
    for name, taken in (("full", 950), ("fresh", 100)):
        MacPool.objects.create(name=name, kind="private", first=0, last=999, next=taken)
    found = told()
    assert "50 of 1,000 addresses" in str(found["MAC pool full is nearly used up"].sentence)
    assert len(found) == 1


def test_codes_and_quota_that_run_out() -> None:
    kettle = cast.kettle()
    Product.objects.filter(pk=kettle.pk).update(codes_used=950, devices_taken=499_000)
    found = told()
    assert "50 of 1,000 codes" in str(found["Kettle: activation codes are running out"].sentence)
    assert "1,000 more devices of 500,000" in str(found["Kettle: the quota is nearly used up"].sentence)


def test_a_product_secret_that_ends_soon() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    soon, late = timezone.now() + timedelta(days=3), timezone.now() + timedelta(days=90)
    ProductSecret.objects.filter(product=kettle).update(valid_until=soon)
    ProductSecret.objects.filter(product=lamp).update(valid_until=late)
    assert [title.partition(" ends on")[0] for title in told()] == ["Kettle: a ProductSecret"]


def test_failed_work_of_the_last_days() -> None:
    kettle = cast.kettle()
    batch(kettle, state="failed", finished_at=timezone.now() - timedelta(days=1))
    batch(kettle, state="failed", finished_at=timezone.now() - timedelta(days=30))
    (alert,) = told().values()
    assert alert.count == 1
    assert alert.url == "/jobs/?state=failed&kind=batch"


def test_a_broker_that_does_not_answer() -> None:
    broker = brokers.save(Broker(), data_center=cast.home(), name="EMQX", kind="emqx", by=cast.OPERATOR, at=cast.NOON)
    BrokerState.objects.create(broker=broker, error="Nobody there.", error_at=cast.NOON)
    assert "Nobody there." in str(told()["The broker EMQX does not answer"].sentence)


def test_an_api_key_that_expires_soon() -> None:
    facts = {"owner": boss(), "created_at": cast.NOON - timedelta(days=9), "digest": "1"}
    ApiKey.objects.create(name="factory", expires_at=timezone.now() + timedelta(days=5), **facts)
    ApiKey.objects.create(name="erp", expires_at=timezone.now() + timedelta(days=200), **facts | {"digest": "2"})
    assert [title.partition(" expires on")[0] for title in told()] == ["The API key factory"]


def test_a_worker_that_does_not_run() -> None:
    batch(cast.kettle(), requested_at=timezone.now() - timedelta(minutes=10))
    alert = told()["The background worker does not run"]
    assert "10 minutes" in str(alert.sentence)
    assert alert.severity == attention.DANGER


def test_a_job_that_waits_a_moment_is_no_trouble() -> None:
    batch(cast.kettle(), requested_at=timezone.now() - timedelta(seconds=20))
    assert not told()


def test_a_disk_that_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(100e9, 95e9, 5e9))
    assert "5.0 GB of 100 GB" in str(told()["The disk of the data folder is nearly full"].sentence)


def test_a_person_with_chosen_products_is_told_of_these_alone() -> None:
    lamp, kettle = cast.lamp(), cast.kettle()
    for product in (lamp, kettle):
        device(product, "one", client_ids_active=2)
        batch(product, state="failed", finished_at=timezone.now())
    MacPool.objects.create(name="full", kind="private", first=0, last=999, next=950)
    user = staff("view_device", "view_batch", "view_macpool", "view_product", products=(lamp,))
    found = told(user)
    assert "Lamp: names with several ClientIDs" in found
    assert "Kettle: names with several ClientIDs" not in found
    assert "MAC pool full is nearly used up" not in found
    assert [alert.count for title, alert in found.items() if "failed" in title] == [1]


def test_a_person_without_rights_is_told_nothing() -> None:
    device(cast.lamp(), "one", client_ids_active=2)
    assert not told(staff())


def test_the_dangers_come_first() -> None:
    lamp = cast.lamp()
    ProductSecret.objects.filter(product=lamp).update(valid_until=timezone.now() + timedelta(days=3))
    device(lamp, "one", client_ids_active=2)
    assert [alert.severity for alert in told().values()] == [attention.DANGER, attention.WARNING]
