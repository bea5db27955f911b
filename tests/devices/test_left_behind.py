"""What is left in the data folder when a worker dies, a job fails or an undo ends it: nothing, once the sweep has gone over it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from console.shared.files import vault
from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, Upload
from devices.services import batch_files, batches, production, uploads
from devices.services.batches import NewBatch
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.production_line import LATER, made, packed
from tests.devices.workbooks import checked, folder_of, macs

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def aged(folder: Path, at: datetime = NOON) -> Path:
    """As if it had been written then."""
    for path in (*folder.iterdir(), folder):
        os.utime(path, (at.timestamp(), at.timestamp()))
    return folder


# -- Workbooks ---------------------------------------------------------------------------------------------------------------------------
def test_a_workbook_whose_sender_went_away_before_it_was_noted_down_goes() -> None:
    """The file is stored first, its row afterwards: a web server that dies between them leaves a folder that no row names."""
    folder = Path(settings.MEDIA_ROOT) / "uploads" / ("e" * 32)
    vault.write(f"uploads/{folder.name}/file", vault.new_key(), [b"words"])
    uploads.purge(at=datetime.now(UTC))
    assert folder.exists(), "somebody may be sending it just now"
    aged(folder)
    uploads.purge(at=LATER + timedelta(days=2))
    assert not folder.exists()


def test_a_folder_goes_whose_row_was_closed_by_a_process_that_died_before_it_deleted_it() -> None:
    gone, kept = checked(cast.kettle(), ["MAC"], macs(1)), checked(cast.lamp(), ["DeviceName"], [["lamp-1"]])
    Upload.objects.filter(pk=gone.pk).update(path="")
    for upload in (gone, kept):
        aged(folder_of(upload))
    uploads.purge(at=NOON + timedelta(days=2))
    assert (folder_of(gone).exists(), folder_of(kept).exists()) == (False, True)


def test_a_workbook_that_waits_for_its_batch_is_not_taken_for_one_left_behind() -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(2), purpose="batch")
    batch = batches.request(upload.product_id, NewBatch(source="upload", upload_id=upload.pk), by=OPERATOR, at=NOON)
    aged(folder_of(upload))
    uploads.purge(at=NOON + timedelta(days=20))
    production.fill(batch.pk, clock=lambda: NOON + timedelta(days=20), sleep=lambda seconds: None)
    batch.refresh_from_db()
    assert (batch.state, batch.made) == (JobState.DONE, 2)


# -- Activation codes --------------------------------------------------------------------------------------------------------------------
def stored(batch: Batch) -> list[str]:
    return sorted(path.name for path in (Path(settings.MEDIA_ROOT) / batch_files.FOLDER).glob(f"{batch.pk}-*"))


def test_the_expired_file_goes_also_where_making_it_again_failed() -> None:
    batch = packed(made())
    file = BatchFile.objects.get(batch=batch)
    again = file.expires_at + timedelta(minutes=1)
    batch_files.order(batch.pk, "csv", by=OPERATOR, at=again)
    BatchFile.objects.filter(pk=file.pk).update(state=JobState.FAILED, finished_at=again)
    assert batch_files.purge(at=again) == 1
    assert stored(batch) == []


def test_the_file_of_an_undone_batch_goes_also_where_it_was_ordered_again() -> None:
    batch = packed(made())
    file = BatchFile.objects.get(batch=batch)
    again = file.expires_at + timedelta(minutes=1)
    batch_files.order(batch.pk, "csv", by=OPERATOR, at=again)
    batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=again)
    assert BatchFile.objects.get(batch=batch).state == JobState.CANCELLED
    batch_files.purge(at=again)
    assert stored(batch) == []
