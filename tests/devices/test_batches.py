"""Production batches: what a request takes or refuses, how the devices are made, and what goes back when a batch ends."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings

from console.errors import DomainError, Invalid
from console.models import AuditEntry
from console.shared import keyring
from console.shared.jobs import JobState
from devices.models import Authentication, Batch, MacPool, PreImportedDevice, Upload
from devices.rules.production import MethodOff, NamesCannotBeMade, NotPublished, UploadOnly
from devices.services import batches, mac_pools, production
from devices.services.batches import BatchOver, NewBatch, PoolMissing, UploadNotReady, UploadUsed
from devices.services.mac_pools import NewPool, PoolExhausted
from products.models import Product
from products.services.supply import CodesExhausted, QuotaExceeded
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=1)


def clock() -> datetime:
    return LATER


def pool(**facts: object) -> MacPool:
    new = {"name": "Ours", "kind": "MA-L", "prefix": "A4DA32"} | facts
    return mac_pools.create(NewPool(**new), by=OPERATOR, at=NOON)


def request(product: Product, **wish: object) -> Batch:
    return batches.request(product.pk, NewBatch(**{"source": "automatic", "quantity": 10} | wish), by=OPERATOR, at=NOON)


def fill(batch: Batch) -> Batch:
    production.fill(batch.pk, clock=clock, sleep=lambda seconds: None)
    batch.refresh_from_db()
    return batch


def supply_of(product: Product) -> tuple[int, int]:
    product.refresh_from_db()
    return product.devices_taken, product.codes_used


def names_of(batch: Batch) -> list[str]:
    return list(PreImportedDevice.objects.made_in(batch.pk).values_list("device_name", flat=True))


def small_chunks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(settings, "NAMEPLATE_BATCH_CHUNK_ROWS", size)


# -- Request -----------------------------------------------------------------------------------------------------------------------------


def test_a_request_takes_quota_and_codes_for_all_its_devices() -> None:
    product = cast.tracker()
    batch = request(product, quantity=250, note=" first run ")
    assert (batch.state, batch.total, batch.done, batch.made, batch.note) == (JobState.QUEUED, 250, 0, 0, "first run")
    assert supply_of(product) == (250, 250)
    line = AuditEntry.objects.get(action="batch.request")
    assert (line.count, line.after["product"], line.actor_name) == (250, product.key, "olga")


def test_it_refuses_more_devices_than_the_quota_has_room_for() -> None:
    product = cast.tracker(device_quota=100)
    request(product, quantity=60)
    with pytest.raises(QuotaExceeded, match="40 more"):
        request(product, quantity=41)
    assert supply_of(product) == (60, 60)


def test_it_refuses_more_devices_than_there_are_codes() -> None:
    product = cast.tracker()
    with pytest.raises(CodesExhausted, match="1,000 activation codes left"):
        request(product, quantity=1001)
    assert supply_of(product) == (0, 0)
    assert not Batch.objects.exists()


def test_it_refuses_a_product_in_development() -> None:
    with pytest.raises(NotPublished):
        request(cast.tracker(status="developing"))


def test_it_refuses_generated_names_for_the_per_product_method() -> None:
    with pytest.raises(UploadOnly):
        request(cast.tracker(), flashing_method="per_product")


def test_it_refuses_generated_imeis() -> None:
    with pytest.raises(NamesCannotBeMade):
        request(cast.meter())


def test_mac_names_take_their_whole_range_from_the_pool() -> None:
    product, addresses = cast.kettle(), pool(stride=2)
    batch = request(product, quantity=10, mac_pool_id=addresses.pk)
    assert (batch.mac_first, batch.mac_stride) == (0xA4DA32000000, 2)
    addresses.refresh_from_db()
    assert addresses.next == 0xA4DA32000000 + 20


def test_it_refuses_mac_names_without_a_pool() -> None:
    product = cast.kettle()
    with pytest.raises(PoolMissing):
        request(product)
    assert supply_of(product) == (0, 0)


def test_it_refuses_more_than_the_pool_holds_and_takes_nothing() -> None:
    product, addresses = cast.kettle(), pool(first="A4DA32000000", last="A4DA3200003F")
    with pytest.raises(PoolExhausted, match="64 MAC addresses left"):
        request(product, quantity=65, mac_pool_id=addresses.pk)
    assert supply_of(product) == (0, 0)
    addresses.refresh_from_db()
    assert addresses.left == 64


# -- Workbooks ---------------------------------------------------------------------------------------------------------------------------


def workbook(product: Product, monkeypatch: pytest.MonkeyPatch, names: list[str], **facts: object) -> Upload:
    """A checked workbook whose names are `names`."""
    made = Upload.objects.create(
        **{
            "purpose": "batch",
            "product": product,
            "state": JobState.DONE,
            "file_name": "names.xlsx",
            "path": "none",
            "sealed_key": b"",
            "token": str(Upload.objects.count()),
            "size": 1,
            "sha256": "0" * 64,
            "good_rows": len(names),
            "requested_at": NOON,
            "expires_at": LATER,
        }
        | facts
    )
    monkeypatch.setattr("devices.services.uploads.checked_names", lambda upload, *, skip: iter(names[skip:]), raising=False)
    return made


MACS = [f"A4DA3200{index:04X}" for index in range(30)]


@pytest.mark.parametrize("method", ["per_device", "per_product"])
def test_an_uploaded_batch_is_made_from_the_names_of_its_workbook(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 7)
    product = cast.kettle()
    upload = workbook(product, monkeypatch, MACS[::-1])
    batch = fill(request(product, source="upload", upload_id=upload.pk, flashing_method=method, quantity=0))
    assert (batch.state, batch.total, batch.made) == (JobState.DONE, 30, 30)
    assert names_of(batch) == MACS[::-1]
    assert supply_of(product) == (30, 30)


def test_the_workbook_stays_until_the_batch_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.kettle()
    upload = workbook(product, monkeypatch, MACS)
    batch = request(product, source="upload", upload_id=upload.pk)
    upload.refresh_from_db()
    assert upload.expires_at > NOON + timedelta(days=7)
    fill(batch)
    upload.refresh_from_db()
    assert upload.expires_at == LATER


@pytest.mark.parametrize(
    "facts",
    [{"bad_rows": 1}, {"good_rows": 0}, {"state": JobState.RUNNING}, {"stage": "commit"}, {"purpose": "pre_import"}, {"expires_at": NOON}],
)
def test_it_refuses_a_workbook_that_is_not_ready(facts: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.kettle()
    upload = workbook(product, monkeypatch, MACS, **facts)
    with pytest.raises(UploadNotReady):
        request(product, source="upload", upload_id=upload.pk)


def test_it_refuses_the_workbook_of_another_product(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = workbook(cast.tracker(), monkeypatch, MACS)
    with pytest.raises(UploadNotReady):
        request(cast.kettle(), source="upload", upload_id=upload.pk)


def test_it_refuses_a_second_batch_from_one_workbook(monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.kettle()
    upload = workbook(product, monkeypatch, MACS)
    request(product, source="upload", upload_id=upload.pk)
    with pytest.raises(UploadUsed):
        request(product, source="upload", upload_id=upload.pk)
    assert supply_of(product) == (30, 30)


def test_it_refuses_the_per_product_method_where_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.kettle(per_product_secret=False, dynamic_registration=False)
    upload = workbook(product, monkeypatch, MACS)
    with pytest.raises(MethodOff):
        request(product, source="upload", upload_id=upload.pk, flashing_method="per_product")


# -- Fill --------------------------------------------------------------------------------------------------------------------------------


def test_a_batch_of_macs_has_the_addresses_of_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 4)
    product, addresses = cast.kettle(), pool(stride=2)
    batch = fill(request(product, quantity=10, mac_pool_id=addresses.pk))
    assert names_of(batch) == [f"A4DA320000{2 * index:02X}" for index in range(10)]
    assert (batch.state, batch.done, batch.made, batch.finished_at) == (JobState.DONE, 10, 10, LATER)
    assert supply_of(product) == (10, 10)


def test_random_names_follow_the_wire_protocol_and_each_device_has_a_secret_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 40)
    batch = fill(request(cast.tracker(), quantity=100))
    rows = PreImportedDevice.objects.filter(batch=batch)
    secrets = {keyring.unseal(row.sealed_secret, owner=row.secret_owner()) for row in rows}
    assert len(set(names_of(batch))) == len(secrets) == 100
    assert all(len(name) == 18 for name in names_of(batch))
    assert all(len(secret) == 24 and secret.endswith("==") for secret in secrets)


def test_random_names_ascend_through_the_whole_batch_and_begin_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 40)
    monkeypatch.setattr(production, "TOGETHER", 7)
    first, second = (fill(request(cast.lamp() if at == 0 else Product.objects.get(), quantity=300)) for at in range(2))
    for batch in (first, second):
        assert names_of(batch) == sorted(names_of(batch))
        assert len({name[0] for name in names_of(batch)}) == 1
    assert names_of(first)[0][0] != names_of(second)[0][0]


@pytest.mark.parametrize(
    ("network", "authentication"),
    [("mqtt", Authentication.STATIC), ("lwm2m", Authentication.STATIC), ("http", Authentication.DYNAMIC), ("coap", Authentication.DYNAMIC)],
)
def test_devices_with_their_own_secret_are_static_where_the_product_allows_it(network: str, authentication: str) -> None:
    batch = fill(request(cast.tracker(network_protocol=network), quantity=2))
    assert {row.authentication for row in PreImportedDevice.objects.filter(batch=batch)} == {authentication}


def test_devices_with_the_products_secret_are_dynamic(monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.kettle()
    upload = workbook(product, monkeypatch, MACS)
    batch = fill(request(product, source="upload", upload_id=upload.pk, flashing_method="per_product"))
    assert {row.authentication for row in PreImportedDevice.objects.filter(batch=batch)} == {Authentication.DYNAMIC}


def test_a_name_taken_meanwhile_is_skipped_and_its_quota_and_code_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 4)
    product, addresses = cast.kettle(), pool()
    taken = [cast.row(product, name) for name in ("A4DA32000003", "A4DA32000008")]
    batch = fill(request(product, quantity=10, mac_pool_id=addresses.pk))
    assert (batch.state, batch.done, batch.made, batch.skipped) == (JobState.DONE, 10, 8, 2)
    assert supply_of(product) == (2 + 8, 8)
    assert PreImportedDevice.objects.filter(pk__in=[row.pk for row in taken], batch=None).count() == 2
    assert AuditEntry.objects.get(action="batch.end").after == {"state": "done", "made": 8, "skipped": 2, "given_back": 2}


def test_random_names_that_collide_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.tracker()
    cast.row(product, "taken")
    draws = iter([["taken", "one", "one", "two", "three"], ["taken", "four"], ["five"]])
    monkeypatch.setattr(production, "_draw", lambda batch, count, part=None: next(draws)[:count])
    batch = fill(request(product, quantity=5))
    assert sorted(names_of(batch)) == ["five", "four", "one", "three", "two"]
    assert (batch.made, batch.skipped, supply_of(product)) == (5, 0, (6, 5))


def test_a_second_message_makes_nothing_twice() -> None:
    product = cast.tracker()
    batch = fill(request(product, quantity=20))
    fill(batch)
    assert len(names_of(batch)) == 20
    assert AuditEntry.objects.filter(action="batch.end").count() == 1
    assert supply_of(product) == (20, 20)


def test_a_running_batch_is_left_to_its_worker() -> None:
    batch = request(cast.tracker(), quantity=20)
    Batch.objects.claim(batch.pk, at=LATER)
    fill(batch)
    assert (batch.state, names_of(batch)) == (JobState.RUNNING, [])


class Killed(BaseException):
    """The worker dies."""


def test_a_batch_goes_on_where_its_dead_worker_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 4)
    product, addresses = cast.kettle(), pool()
    batch = request(product, quantity=10, mac_pool_id=addresses.pk)
    chunks = 0

    def dies_in_the_second_chunk(*args: object) -> int:
        nonlocal chunks
        chunks += 1
        if chunks == 2:
            raise Killed
        return store(*args)

    store = production._store
    monkeypatch.setattr(production, "_store", dies_in_the_second_chunk)
    with pytest.raises(Killed):
        fill(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.done, len(names_of(batch))) == (JobState.RUNNING, 4, 4)

    at = LATER + timedelta(minutes=5)
    production.fill(batch.pk, clock=lambda: at, sleep=lambda seconds: None)
    batch.refresh_from_db()
    assert (batch.state, batch.made, batch.attempt) == (JobState.DONE, 10, 2)
    assert len(set(names_of(batch))) == 10
    assert supply_of(product) == (10, 10)


def test_a_worker_that_was_taken_for_dead_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 4)
    batch = request(cast.tracker(), quantity=10)

    def loses_its_claim(*args: object) -> list[object]:
        Batch.objects.filter(pk=batch.pk).update(attempt=9)
        return rows(*args)

    rows = production._rows
    monkeypatch.setattr(production, "_rows", loses_its_claim)
    fill(batch)
    assert (batch.state, batch.done, names_of(batch)) == (JobState.RUNNING, 0, [])
    assert not AuditEntry.objects.filter(action="batch.end").exists()


# -- Ends --------------------------------------------------------------------------------------------------------------------------------


def test_a_waiting_batch_is_cancelled_at_once_and_gives_everything_back() -> None:
    product = cast.tracker()
    batch = batches.cancel(request(product, quantity=30).pk, reason="wrong product", by=OPERATOR, at=LATER)
    assert (batch.state, batch.finished_at) == (JobState.CANCELLED, LATER)
    assert supply_of(product) == (0, 0)
    assert AuditEntry.objects.get(action="batch.cancel").reason == "wrong product"
    fill(batch)
    assert names_of(batch) == []


def test_a_running_batch_is_cancelled_between_chunks_and_keeps_what_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 4)
    monkeypatch.setattr(production, "PAUSE", dict.fromkeys(production.PAUSE, 0.01))
    product = cast.tracker()
    batch = request(product, quantity=10)
    production.fill(batch.pk, clock=clock, sleep=lambda seconds: batches.cancel(batch.pk, by=OPERATOR, at=LATER) and None)
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.made, len(names_of(batch))) == (JobState.CANCELLED, 4, 4, 4)
    assert supply_of(product) == (4, 4)


def test_it_refuses_to_cancel_what_has_ended() -> None:
    product = cast.tracker()
    batch = fill(request(product))
    with pytest.raises(BatchOver):
        batches.cancel(batch.pk, by=OPERATOR, at=LATER)
    assert supply_of(product) == (10, 10)


@pytest.mark.parametrize("error", [Invalid("The workbook is damaged."), DomainError("The key is missing.")])
def test_a_failed_batch_says_why_and_gives_back_what_it_did_not_make(error: DomainError, monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch, 4)
    product = cast.tracker()
    calls = 0

    def fails_later(*args: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise error
        return store(*args)

    store = production._store
    monkeypatch.setattr(production, "_store", fails_later)
    batch = fill(request(product, quantity=10))
    assert (batch.state, batch.failure, batch.made) == (JobState.FAILED, error.message, 4)
    assert supply_of(product) == (4, 4)


def test_a_batch_whose_worker_always_dies_fails_in_the_end() -> None:
    product = cast.tracker()
    batch = request(product)
    Batch.objects.filter(pk=batch.pk).update(attempt=production.ATTEMPTS)
    assert fill(batch).state == JobState.FAILED
    assert "lost 100 times" in batch.failure
    assert supply_of(product) == (0, 0)
