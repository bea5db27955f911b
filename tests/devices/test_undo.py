"""A batch is undone until its first download and until the first of its devices comes (N6); then its page says what stands in the way."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from console.errors import Invalid
from console.models import AuditEntry
from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, BatchUndo, Device, DownloadCode, PreImportedDevice, Upload
from devices.rules.admission import NotImported
from devices.rules.connecting import DeviceUnknown
from devices.services import (
    admission,
    batch_files,
    batches,
    client_ids,
    connections,
    download_codes,
    mac_pools,
    pre_import,
    undoing,
    upload_check,
    uploads,
)
from devices.services.batches import NewBatch
from devices.services.download_codes import CodeRefused, NewCode
from devices.services.mac_pools import NewPool
from devices.services.undoing import BatchUndone, InTheWay
from products.models import Product
from products.services import lookup
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.production_line import LATER, made, packed, read, supply_of, undo

pytestmark = pytest.mark.django_db


def first_row(batch: Batch) -> PreImportedDevice:
    return PreImportedDevice.objects.made_in(batch.pk)[0]


def register(batch: Batch, name: str = "") -> admission.Admission:
    """A device of the batch asks for its DeviceSecret in Shanghai."""
    product = lookup.find_for_registration(batch.product.key, at=NOON)
    return admission.admit(data_center=cast.home(), product=product, device_name=name or first_row(batch).device_name, at=NOON)


def connect(batch: Batch) -> connections.Admitted:
    """A device of the batch connects with the secret that it was flashed with."""
    where = {"data_center": cast.home(), "product_id": batch.product_id, "device_name": first_row(batch).device_name}
    return connections.admit(connections.look_up(**where), **where, by_token=False, at=NOON)


def dynamic(batch: Batch) -> Batch:
    """A batch whose devices register: those of an MQTT product are static."""
    PreImportedDevice.objects.made_in(batch.pk).update(authentication="dynamic")
    return batch


def test_rows_quota_and_codes_go_back_and_the_record_stays() -> None:
    product = cast.tracker()
    kept, batch = made(product, 5), made(product, 20)
    begun = undo(batch, "ordered twice")
    assert (begun.state, begun.done, begun.reason) == (JobState.DONE, 20, "ordered twice")
    assert batch.undone_at == LATER
    assert not PreImportedDevice.objects.filter(batch=batch).exists()
    assert PreImportedDevice.objects.filter(batch=kept).count() == 5
    assert supply_of(product) == (5, 5)
    asked, ended = AuditEntry.objects.get(action="batch.undo"), AuditEntry.objects.get(action="batch.undone")
    assert (asked.actor_name, asked.reason, asked.count) == ("olga", "ordered twice", 20)
    assert (ended.after["rows"], ended.count) == (20, 20)


def test_it_goes_chunk_by_chunk_and_resumes_where_a_worker_died(settings: object) -> None:
    settings.NAMEPLATE_BATCH_CHUNK_ROWS = 7
    product = cast.tracker()
    batch = made(product, 20)
    begun = batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)

    class Died(BaseException):
        pass

    def die(seconds: float) -> None:
        raise Died

    with pytest.raises(Died):
        undoing.carry_out(begun.pk, clock=lambda: LATER, sleep=die)
    begun.refresh_from_db()
    assert (begun.state, begun.done) == (JobState.RUNNING, 7)
    assert supply_of(product) == (13, 13)
    much_later = LATER + timedelta(hours=1)
    undoing.carry_out(begun.pk, clock=lambda: much_later, sleep=lambda seconds: None)
    begun.refresh_from_db()
    assert (begun.state, begun.done, begun.attempt) == (JobState.DONE, 20, 2)
    assert supply_of(product) == (0, 0)


def test_a_chunk_is_bounded_by_numbers_and_not_by_a_limit(settings: object) -> None:
    """Of rows that were stored a moment ago PostgreSQL has no statistics: for a LIMIT it would read and sort all that are left."""
    settings.NAMEPLATE_BATCH_CHUNK_ROWS = 7
    batch = made(cast.tracker(), 20)
    with CaptureQueriesContext(connection) as captured:
        undo(batch)
    asked = [one["sql"] for one in captured if PreImportedDevice._meta.db_table in one["sql"] and "aggregate" not in one["sql"]]
    whole = [sql for sql in asked if " MIN(" not in sql]
    assert len(whole) >= 3 * 3
    assert all(" LIMIT " not in sql and sql.count('"id" <') == 1 for sql in whole)


def test_addresses_are_not_handed_out_again() -> None:
    product = cast.kettle()
    pool = mac_pools.create(NewPool(name="Ours", kind="MA-L", prefix="A4DA32"), by=OPERATOR, at=NOON)
    undo(made(product, 10, mac_pool_id=pool.pk))
    again = made(product, 10, mac_pool_id=pool.pk)
    assert first_row(again).device_name == "A4DA3200000A"


def test_a_workbook_can_be_uploaded_again_after_an_undo() -> None:
    product = cast.kettle()
    data = b"MAC\nA4:DA:32:00:00:01\nA4:DA:32:00:00:02\n"

    def produce() -> Batch:
        file = SimpleUploadedFile("names.csv", data)
        new = uploads.NewUpload(file.name, file.size, file.chunks(), purpose="batch")
        upload: Upload = uploads.receive(product, new, by=OPERATOR, at=NOON)
        upload_check.check(upload.pk, clock=lambda: NOON)
        return made(product, source="upload", upload_id=upload.pk, quantity=0)

    undo(produce())
    assert produce().made == 2


def test_a_row_that_was_deleted_by_hand_gives_its_quota_back_once() -> None:
    product = cast.tracker()
    batch = made(product, 20)
    pre_import.delete([first_row(batch).pk], with_devices=False, by=OPERATOR, at=NOON)
    assert supply_of(product) == (19, 20)
    assert undo(batch).done == 19
    assert supply_of(product) == (0, 1)


def test_it_wants_a_reason_a_made_batch_and_no_other_undo() -> None:
    product = cast.tracker()
    batch = made(product)
    with pytest.raises(Invalid):
        batches.undo(batch.pk, reason="  ", by=OPERATOR, at=LATER)
    waiting = batches.request(product.pk, NewBatch(source="automatic", quantity=5), by=OPERATOR, at=NOON)
    with pytest.raises(batches.BatchNotOver):
        batches.undo(waiting.pk, reason="wrong", by=OPERATOR, at=LATER)
    batches.cancel(waiting.pk, by=OPERATOR, at=NOON)
    with pytest.raises(batches.NothingMade):
        batches.undo(waiting.pk, reason="wrong", by=OPERATOR, at=LATER)
    batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)
    with pytest.raises(BatchUndone):
        batches.undo(batch.pk, reason="wrong again", by=OPERATOR, at=LATER)
    with pytest.raises(IntegrityError), transaction.atomic():
        BatchUndo(batch=batch, reason="past the service", requested_at=NOON).save(force_insert=True)


def test_it_refuses_a_batch_whose_codes_were_downloaded_and_says_by_whom() -> None:
    batch = packed(made())
    read(batch_files.download(batch, "csv", by=OPERATOR, at=NOON))
    with pytest.raises(InTheWay) as refused:
        batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)
    assert refused.value.message == "The activation codes were downloaded on 2026-11-20 12:00 UTC by olga."
    batch.refresh_from_db()
    assert batch.undo_began_at is None
    assert PreImportedDevice.objects.filter(batch=batch).count() == 20


def test_a_redeemed_download_code_is_a_download() -> None:
    batch = packed(made())
    code = download_codes.make(batch.pk, NewCode("csv", "Factory 2"), by=OPERATOR, at=NOON)
    read(download_codes.redeem(code.text, address="192.0.2.9", at=NOON))
    with pytest.raises(InTheWay, match=r"downloaded on 2026-11-20 12:00 UTC by D000\d\d\d Factory 2"):
        batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)


def test_it_refuses_a_batch_of_which_a_device_has_registered_and_says_where() -> None:
    batch = dynamic(made())
    name = first_row(batch).device_name
    register(batch)
    with pytest.raises(InTheWay) as refused:
        batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)
    assert refused.value.message == f"{name} came into the device list of Shanghai on 2026-11-20 12:00 UTC."


def test_it_refuses_a_batch_of_which_a_device_has_connected() -> None:
    batch = made()
    connect(batch)
    with pytest.raises(InTheWay, match="device list of Shanghai"):
        batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)


def test_a_device_that_came_and_was_deleted_still_stands_in_the_way() -> None:
    batch = made()
    connect(batch)
    Device.objects.at(cast.home()).all().delete()
    with pytest.raises(InTheWay):
        batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)


def test_a_device_that_the_record_does_not_know_is_found_before_anything_is_deleted() -> None:
    product = cast.tracker()
    batch = made(product)
    name = PreImportedDevice.objects.made_in(batch.pk)[12].device_name
    facts = {"data_center": cast.frankfurt(), "product": product, "device_name": name, "authentication": "dynamic"}
    Device(**facts, sealed_secret=b"", created_at=NOON).save(force_insert=True)
    begun = undo(batch)
    assert begun.state == JobState.FAILED
    assert begun.failure == f"{name} came into the device list of Frankfurt on 2026-11-20 12:00 UTC."
    assert (batch.undo_began_at, batch.undone_at, batch.first_came_name) == (None, None, name)
    assert PreImportedDevice.objects.filter(batch=batch).count() == 20
    assert supply_of(product) == (20, 20)
    assert AuditEntry.objects.get(action="batch.undo_refused").reason == begun.failure
    assert connect(batch).first


@pytest.mark.parametrize("way", ["registers", "connects", "asks for a ClientID"])
def test_no_device_comes_once_the_undo_has_begun(way: str) -> None:
    product = cast.tracker(preregistration_free=True)
    batch = dynamic(made(product))
    found = connections.look_up(data_center=cast.home(), product_id=product.pk, device_name=first_row(batch).device_name)
    batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)
    known = lookup.find_for_registration(product.key, at=NOON)
    name = first_row(batch).device_name
    where = {"data_center": cast.home(), "device_name": name}
    come = {
        "registers": lambda: admission.admit(**where, product=known, at=NOON),
        "connects": lambda: connections.admit(found, **where, product_id=product.pk, by_token=False, at=NOON),
        "asks for a ClientID": lambda: client_ids.issue(**where, product=known, at=NOON),
    }
    with pytest.raises((NotImported, DeviceUnknown), match="is being undone"):
        come[way]()
    assert not Device.objects.at(cast.home()).exists()


def test_a_device_of_an_undone_batch_is_as_unknown_as_any_other() -> None:
    batch = dynamic(made())
    name = first_row(batch).device_name
    undo(batch)
    with pytest.raises(NotImported, match="not in the pre-import list"):
        register(batch, name)


def test_files_and_download_codes_end_with_the_batch() -> None:
    batch = packed(made())
    code = download_codes.make(batch.pk, NewCode("csv", "Factory 2", uses=5), by=OPERATOR, at=NOON)
    queued = batch_files.order(batch.pk, "xlsx", by=OPERATOR, at=NOON)
    begun = batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)
    batch_files.pack(queued.pk, clock=lambda: LATER)
    assert BatchFile.objects.get(pk=queued.pk).state == JobState.CANCELLED
    for attempt in (lambda: batch_files.download(batch, "csv", by=OPERATOR, at=LATER), lambda: order_again(batch)):
        with pytest.raises(BatchUndone):
            attempt()
    with pytest.raises(CodeRefused):
        download_codes.redeem(code.text, address="192.0.2.9", at=LATER)
    undoing.carry_out(begun.pk, clock=lambda: LATER, sleep=lambda seconds: None)
    assert DownloadCode.objects.get().revoke_reason == "The batch was undone."
    batch_files.purge(at=LATER)
    assert not BatchFile.objects.exclude(path="").exists()


def order_again(batch: Batch) -> BatchFile:
    return batch_files.order(batch.pk, "csv", by=OPERATOR, at=LATER)


def test_after_a_refused_undo_the_files_can_be_made_again() -> None:
    product = cast.tracker()
    batch = packed(made(product))
    name = first_row(batch).device_name
    facts = {"data_center": cast.home(), "product": product, "device_name": name, "authentication": "dynamic"}
    Device(**facts, sealed_secret=b"", created_at=NOON).save(force_insert=True)
    assert undo(batch).state == JobState.FAILED
    packed(batch)
    assert read(batch_files.download(batch, "csv", by=OPERATOR, at=NOON)).count(b"\r\n") == 21


def test_a_product_stays_usable_while_its_counters_are_given_back() -> None:
    product = cast.tracker()
    undo(made(product, 1000))
    assert made(product, 1000).made == 1000
    assert Product.objects.get(pk=product.pk).codes_left == 0
