"""Files of activation codes: contents, encryption at rest, how long they are kept, and who downloaded what."""

import csv
import hashlib
import io
import os
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings

from console.models import AuditEntry
from console.shared import keyring
from console.shared.files import vault
from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, PreImportedDevice
from devices.rules.activation_codes import FormatNotForBatch
from devices.services import batch_files, batches, mac_pools, production
from devices.services.batch_files import FileNotReady, NothingToDownload
from devices.services.batches import NewBatch
from devices.services.mac_pools import NewPool
from products.models import Product, ProductSecret
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=1)
KEPT = timedelta(days=7)


def clock() -> datetime:
    return LATER


def made(product: Product, quantity: int = 20, **wish: object) -> Batch:
    """A batch that was filled."""
    batch = batches.request(product.pk, NewBatch(**{"source": "automatic", "quantity": quantity} | wish), by=OPERATOR, at=NOON)
    production.fill(batch.pk, clock=clock, sleep=lambda seconds: None)
    batch.refresh_from_db()
    return batch


def made_of_macs(stride: int = 1) -> Batch:
    pool = mac_pools.create(NewPool(name="Ours", kind="MA-L", prefix="A4DA32", stride=stride), by=OPERATOR, at=NOON)
    return made(cast.kettle(), mac_pool_id=pool.pk)


def packed(batch: Batch, form: str = "csv", at: datetime = LATER) -> BatchFile:
    file = batch_files.order(batch.pk, form, by=OPERATOR, at=at)
    batch_files.pack(file.pk, clock=lambda: at)
    file.refresh_from_db()
    return file


def download(batch: Batch, form: str = "csv", at: datetime = LATER) -> bytes:
    return b"".join(batch_files.download(batch, form, by=OPERATOR, at=at).pieces)


def stored_secrets(batch: Batch) -> dict[str, str]:
    rows = PreImportedDevice.objects.filter(batch=batch)
    return {row.device_name: keyring.unseal(row.sealed_secret, owner=row.secret_owner()) for row in rows}


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"))))


def read_xlsx(content: bytes) -> list[list[object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_holds_what_must_be_flashed(form: str) -> None:
    batch = made_of_macs()
    packed(batch, form)
    content = download(batch, form)
    rows = read_csv(content) if form == "csv" else read_xlsx(content)
    assert rows[0] == ["ProductKey", "DeviceName", "DeviceSecret"]
    assert {name: secret for key, name, secret in rows[1:] if key == "a1ExpAkj9Hi"} == stored_secrets(batch)
    assert [row[1] for row in rows[1:]] == [f"A4DA320000{index:02X}" for index in range(20)]


def test_the_csv_is_plain_text_for_machines() -> None:
    batch = made_of_macs()
    packed(batch)
    content = download(batch)
    assert content.startswith(b"ProductKey,DeviceName,DeviceSecret\r\na1ExpAkj9Hi,A4DA32000000,")
    assert b'"' not in content


def test_every_cell_of_the_workbook_is_text() -> None:
    batch = made(cast.tracker())
    packed(batch, "xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(download(batch, "xlsx"))).active
    assert sheet is not None
    assert {(cell.data_type, cell.number_format) for row in sheet.iter_rows() for cell in row} == {("s", "@")}


def test_the_per_product_file_has_the_products_secret_and_no_device_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    product = cast.kettle()
    batch = made(cast.tracker())
    Batch.objects.filter(pk=batch.pk).update(product=product, flashing_method="per_product")
    packed(batch)
    rows = read_csv(download(batch))
    assert rows[0] == ["ProductKey", "ProductSecret", "DeviceName"]
    assert {tuple(row[:2]) for row in rows[1:]} == {("a1ExpAkj9Hi", "h1nQFYPZS0mW1234")}
    assert len({row[2] for row in rows[1:]}) == 20


def test_the_aligenie_file_has_six_columns() -> None:
    batch = made_of_macs(stride=2)
    packed(batch, "aligenie")
    rows = read_xlsx(download(batch, "aligenie"))
    assert rows[0] == ["Product ID", "Device Secret", "Mac Lower", "Md5", "Mac Upper", "Bluetooth Mac Lower"]
    secrets = stored_secrets(batch)
    key, secret, lower, checksum, upper, bluetooth = rows[2]
    assert (key, lower, upper, bluetooth) == ("a1ExpAkj9Hi", "a4da32000002", "A4DA32000002", "a4da32000003")
    assert secret == secrets["A4DA32000002"]
    assert checksum == hashlib.md5(str(secret).encode(), usedforsecurity=False).hexdigest()


def test_it_refuses_the_aligenie_file_where_names_are_no_macs() -> None:
    with pytest.raises(FormatNotForBatch):
        batch_files.order(made(cast.tracker()).pk, "aligenie", by=OPERATOR, at=LATER)


def test_it_refuses_a_format_that_does_not_exist() -> None:
    with pytest.raises(FormatNotForBatch):
        batch_files.order(made(cast.tracker()).pk, "pdf", by=OPERATOR, at=LATER)


def test_it_refuses_a_file_of_a_batch_that_has_not_ended() -> None:
    batch = batches.request(cast.tracker().pk, NewBatch(source="automatic", quantity=5), by=OPERATOR, at=NOON)
    with pytest.raises(NothingToDownload):
        batch_files.order(batch.pk, "csv", by=OPERATOR, at=NOON)


def test_it_refuses_a_file_of_a_batch_that_made_nothing() -> None:
    batch = batches.request(cast.tracker().pk, NewBatch(source="automatic", quantity=5), by=OPERATOR, at=NOON)
    batches.cancel(batch.pk, by=OPERATOR, at=NOON)
    with pytest.raises(NothingToDownload):
        batch_files.order(batch.pk, "csv", by=OPERATOR, at=NOON)


def test_a_cancelled_batch_has_the_codes_of_what_was_made() -> None:
    batch = made(cast.tracker())
    Batch.objects.filter(pk=batch.pk).update(state=JobState.CANCELLED, total=50)
    assert packed(batch).done == 20


def test_nothing_readable_lies_in_the_data_folder() -> None:
    batch = made_of_macs()
    file = packed(batch)
    packed(batch, "xlsx")
    at_rest = b"".join(path.read_bytes() for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())
    for name, secret in stored_secrets(batch).items():
        assert secret.encode() not in at_rest
        assert name.encode() not in at_rest
    assert vault.exists(file.path)


def test_the_files_sha256_is_that_of_the_download() -> None:
    batch = made(cast.tracker())
    file = packed(batch)
    content = download(batch)
    assert (file.sha256, file.size, file.done) == (hashlib.sha256(content).hexdigest(), len(content), 20)


def test_a_file_is_made_once_and_kept() -> None:
    batch = made(cast.tracker())
    first = packed(batch)
    again = packed(batch, at=LATER + timedelta(days=6))
    assert (again.pk, again.path, again.attempt, again.finished_at) == (first.pk, first.path, first.attempt, first.finished_at)
    assert AuditEntry.objects.filter(action="batch.order_file").count() == 1


def test_a_file_that_was_kept_long_enough_is_deleted_and_can_be_made_again() -> None:
    batch = made(cast.tracker())
    file, content = packed(batch), None
    content = download(batch)
    expiry = LATER + KEPT
    assert batch_files.purge(at=expiry - timedelta(seconds=1)) == 0
    assert batch_files.purge(at=expiry) == 1
    assert not vault.exists(file.path)
    with pytest.raises(FileNotReady):
        download(batch, at=expiry)
    assert batch_files.purge(at=expiry) == 0
    packed(batch, at=expiry)
    assert download(batch, at=expiry) == content


def test_what_a_dead_worker_left_half_written_is_swept_away() -> None:
    batch = made(cast.tracker())
    kept = Path(settings.MEDIA_ROOT) / packed(batch).path
    left = kept.with_name(".1-csv-9.part")
    left.write_bytes(b"half")
    for file, age in ((kept, 2), (left, 2)):
        written = (LATER - timedelta(days=age)).timestamp()
        os.utime(file, (written, written))
    batch_files.purge(at=LATER)
    assert kept.exists()
    assert not left.exists()


def test_a_file_lost_from_the_data_folder_is_made_again() -> None:
    batch = made(cast.tracker())
    vault.delete(packed(batch).path)
    packed(batch)
    assert download(batch)


def test_it_refuses_a_download_of_what_was_never_prepared() -> None:
    with pytest.raises(FileNotReady):
        download(made(cast.tracker()))
    assert not AuditEntry.objects.filter(action="batch.download").exists()


def test_each_download_leaves_an_audit_line_without_secrets() -> None:
    batch = made(cast.tracker())
    file = packed(batch)
    download(batch)
    download(batch, at=LATER + timedelta(hours=1))
    lines = AuditEntry.objects.filter(action="batch.download")
    assert [line.after for line in lines] == [{"format": "csv", "rows": 20, "size": file.size, "sha256": file.sha256}] * 2
    assert {(line.actor_name, line.address, line.count) for line in lines} == {("olga", "192.0.2.7", 20)}
    file.refresh_from_db()
    assert file.downloads == 2
    everything = str(list(AuditEntry.objects.values()))
    assert not any(secret in everything for secret in stored_secrets(batch).values())


def test_the_first_download_is_remembered() -> None:
    batch = made(cast.tracker())
    packed(batch)
    download(batch)
    download(batch, at=LATER + timedelta(hours=1))
    batch.refresh_from_db()
    assert batch.first_download_at == LATER


def test_a_file_that_cannot_be_made_says_why_and_can_be_tried_again() -> None:
    batch = made(cast.tracker())
    row = PreImportedDevice.objects.filter(batch=batch).order_by("id")[7]
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=b"broken")
    file = packed(batch)
    assert file.state == JobState.FAILED
    assert "does not open" in file.failure
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=row.sealed_secret)
    assert packed(batch).state == JobState.DONE


def test_a_failure_is_not_told_of_a_file_that_is_no_longer_the_workers_own() -> None:
    batch = made(cast.tracker())
    PreImportedDevice.objects.filter(batch=batch).update(sealed_secret=b"broken")
    file = batch_files.order(batch.pk, "csv", by=OPERATOR, at=LATER)

    def overtaken() -> datetime:
        BatchFile.objects.filter(pk=file.pk, attempt=1).update(state=JobState.CANCELLED)
        return LATER

    batch_files.pack(file.pk, clock=overtaken)
    file.refresh_from_db()
    assert (file.state, file.failure) == (JobState.CANCELLED, "")


def test_a_file_left_by_a_dead_worker_is_made_by_the_next_one() -> None:
    batch = made(cast.tracker())
    file = batch_files.order(batch.pk, "csv", by=OPERATOR, at=LATER)
    BatchFile.objects.claim(file.pk, at=LATER)
    batch_files.pack(file.pk, clock=clock)
    file.refresh_from_db()
    assert file.state == JobState.RUNNING
    batch_files.pack(file.pk, clock=lambda: LATER + timedelta(minutes=5))
    file.refresh_from_db()
    assert (file.state, file.attempt) == (JobState.DONE, 2)


def test_a_device_renewed_since_has_its_new_secret_in_a_new_file() -> None:
    batch = made(cast.tracker())
    packed(batch)
    row = PreImportedDevice.objects.filter(batch=batch)[0]
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=keyring.seal("NewSecretNewSecretNewS==", owner=row.secret_owner()))
    packed(batch, at=LATER + KEPT)
    assert b"NewSecretNewSecretNewS==" in download(batch, at=LATER + KEPT)


def test_a_file_that_kills_its_workers_is_given_up_until_it_is_ordered_again() -> None:
    batch = made(cast.tracker())
    file = batch_files.order(batch.pk, "csv", by=OPERATOR, at=LATER)
    BatchFile.objects.claim(file.pk, at=LATER)
    batch_files.pack(file.pk, clock=lambda: LATER + timedelta(hours=7))
    file.refresh_from_db()
    assert (file.state, "again and again" in file.failure) == (JobState.FAILED, True)
    assert packed(batch, at=LATER + timedelta(hours=8)).state == JobState.DONE


def test_it_refuses_a_file_of_a_product_without_a_live_secret() -> None:
    batch = made(cast.tracker())
    Batch.objects.filter(pk=batch.pk).update(flashing_method="per_product")
    ProductSecret.objects.filter(product=batch.product).update(valid_until=NOON)
    file = packed(batch)
    assert (file.state, file.failure) == (JobState.FAILED, "The product has no live ProductSecret.")
