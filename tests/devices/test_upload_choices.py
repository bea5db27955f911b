"""What an import takes and leaves: the good rows alone, duplicates skipped or stopped at, never other bytes than were checked."""

from contextlib import suppress

import pytest

from console.models import AuditEntry
from console.shared import keyring
from console.shared.files import vault
from console.shared.jobs import JobState
from devices.models import PreImportedDevice, Upload
from devices.services import upload_commit, uploads
from devices.services.upload_commit import NotCheckedSo
from devices.services.uploads import UploadImported
from products.models import Product
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.workbooks import check, checked, commit, folder_of, macs

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def names_of(product: Product) -> list[str]:
    return sorted(PreImportedDevice.objects.of(product).values_list("device_name", flat=True))


# -- Good rows alone ---------------------------------------------------------------------------------------------------------------------
def test_the_good_rows_alone_are_imported_where_somebody_agrees_and_the_others_are_kept() -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000001")
    upload = checked(product, ["MAC"], [["nonsense"], ["64C2DE000001"], ["64C2DE000002"], ["64C2DE000003"]])
    upload = commit(upload, leave_out=2)
    assert (upload.state, upload.done, bool(upload.path)) == (JobState.DONE, 2, True)
    assert names_of(product) == ["64C2DE000001", "64C2DE000002", "64C2DE000003"]
    assert [cell.number for cell in uploads.findings(upload)] == [2, 3]
    line = AuditEntry.objects.get(action="pre_import.import")
    assert (line.count, line.after["bad_rows_left_out"], line.after["rows_sha256"]) == (2, 2, upload.checked_sha256)


@pytest.mark.parametrize("leave_out", [0, 1, 3])
def test_it_refuses_to_leave_out_another_number_than_the_check_found(leave_out: int) -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"], ["no"], ["64C2DE000002"]])
    with pytest.raises(NotCheckedSo):
        upload_commit.request(upload.pk, sha256=upload.checked_sha256, leave_out=leave_out, by=OPERATOR, at=NOON)


def test_it_refuses_to_check_or_discard_what_was_imported() -> None:
    upload = commit(checked(cast.kettle(), ["MAC"], [["nonsense"], ["64C2DE000002"]]), leave_out=1)
    with pytest.raises(UploadImported):
        uploads.check_again(upload.pk, by=OPERATOR, at=NOON)
    with pytest.raises(UploadImported):
        uploads.discard(upload.pk, by=OPERATOR, at=NOON)


# -- Bound to what was checked -----------------------------------------------------------------------------------------------------------
def test_it_refuses_rows_that_were_put_in_the_place_of_the_checked_ones() -> None:
    """With the upload's own key: whoever has it still imports nothing that was not checked."""
    product = cast.kettle()
    upload = checked(product, ["MAC"], macs(2))
    rows = b'[2,"64C2DE000000","","","dynamic","",""]\n[3,"64C2DEFFFFFE","","","dynamic","",""]\n'
    vault.write(f"{upload.path}/{upload.report['rows']}", uploads.file_key(upload), [rows])
    upload = commit(upload)
    assert (upload.state, "not those that were checked" in upload.failure) == (JobState.FAILED, True)
    assert names_of(product) == []


def test_rows_that_an_older_release_checked_are_imported_as_they_are() -> None:
    """It kept a line for each row."""
    product = cast.kettle()
    upload = checked(product, ["MAC"], macs(2))
    rows = b'[2,"64C2DE000000","Kitchen","","dynamic","",""]\n[3,"64C2DE000001","","SN1","x509","",""]\n'
    stored = vault.write(f"{upload.path}/{upload.report['rows']}", uploads.file_key(upload), [rows])
    upload.report["rows_sha256"] = stored.sha256
    upload.save(update_fields=["report"])
    assert commit(upload).state == JobState.DONE
    found = PreImportedDevice.objects.order_by("pk").values_list("device_name", "nickname", "sn", "authentication")
    assert list(found) == [("64C2DE000000", "Kitchen", None, "dynamic"), ("64C2DE000001", "", "SN1", "x509")]


def test_it_refuses_a_stored_file_that_was_damaged() -> None:
    product = cast.kettle()
    upload = checked(product, ["MAC"], macs(2))
    file = folder_of(upload) / upload.report["rows"]
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    upload = commit(upload)
    assert (upload.state, "does not open" in upload.failure) == (JobState.FAILED, True)
    assert names_of(product) == []


def test_it_refuses_what_an_earlier_check_found() -> None:
    product = cast.kettle()
    before = checked(product, ["MAC"], macs(3), duplicates="skip")
    cast.row(product, "64C2DE000001")
    uploads.check_again(before.pk, by=OPERATOR, at=NOON)
    now = check(before)
    with pytest.raises(NotCheckedSo):
        upload_commit.request(now.pk, sha256=before.checked_sha256, by=OPERATOR, at=NOON)
    assert names_of(product) == ["64C2DE000001"]


# -- Duplicates --------------------------------------------------------------------------------------------------------------------------
def test_rows_of_the_list_are_left_out_with_all_their_faults_where_duplicates_are_skipped() -> None:
    product = cast.kettle()
    known = cast.row(product, "64C2DE000001", sn="S1")
    rows = [["64:C2:DE:00:00:01", "S1"], ["64C2DE000001", "S N"], ["64C2DE000002", "S2"]]
    upload = checked(product, ["MAC", "SN"], rows, duplicates="skip")
    assert (upload.good_rows, upload.bad_rows, upload.skipped_rows, upload.report["cells"]) == (1, 0, 2, 0)
    assert [(cell.number, cell.words) for cell in uploads.findings(upload)] == [
        (2, f"Left out: the pre-import list has this DeviceName already, in its row #{known.pk}."),
        (3, f"Left out: the pre-import list has this DeviceName already, in its row #{known.pk}."),
    ]
    assert commit(upload).state == JobState.DONE
    assert names_of(product) == ["64C2DE000001", "64C2DE000002"]
    line = AuditEntry.objects.get(action="pre_import.import")
    assert (line.count, line.after["duplicates_skipped"]) == (1, 2)


def test_an_sn_of_another_device_is_a_fault_also_where_duplicates_are_skipped() -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000001", sn="S1")
    upload = checked(product, ["MAC", "SN"], [["64C2DE000002", "S1"]], duplicates="skip")
    assert (upload.bad_rows, upload.skipped_rows) == (1, 0)


def test_it_refuses_to_import_nothing_but_duplicates() -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000000")
    with pytest.raises(NotCheckedSo):
        commit(checked(product, ["MAC"], macs(1), duplicates="skip"))


def test_a_name_taken_after_the_check_stops_the_import_also_where_duplicates_are_skipped() -> None:
    """What is imported is what was checked: the next check leaves it out."""
    product = cast.kettle()
    upload = checked(product, ["MAC"], macs(3), duplicates="skip")
    cast.row(product, "64C2DE000001")
    upload = commit(upload)
    assert upload.state == JobState.FAILED
    assert names_of(product) == ["64C2DE000001"]
    uploads.check_again(upload.pk, by=OPERATOR, at=NOON)
    assert commit(check(upload)).state == JobState.DONE
    assert names_of(product) == ["64C2DE000000", "64C2DE000001", "64C2DE000002"]


@pytest.mark.parametrize("duplicates", ["stop", "skip"])
@pytest.mark.parametrize("when", ["before the check", "after the check"])
@pytest.mark.parametrize("others", ["good", "bad"])
def test_no_import_ever_changes_a_secret(duplicates: str, when: str, others: str) -> None:
    product = cast.kettle()
    known = [cast.row(product, "64C2DE000001")] if when == "before the check" else []
    rows = [["64C2DE000001", "A" * 31 + "b"], ["64C2DE000002", ""], *([["nonsense", ""]] if others == "bad" else [])]
    upload = checked(product, ["MAC", "DeviceSecret"], rows, duplicates=duplicates)
    known = known or [cast.row(product, "64C2DE000001")]
    secret = keyring.unseal(known[0].sealed_secret, owner=known[0].secret_owner())
    with suppress(NotCheckedSo):
        commit(upload, leave_out=upload.bad_rows)
    row = PreImportedDevice.objects.get(device_name="64C2DE000001")
    assert (row.pk, bytes(row.sealed_secret)) == (known[0].pk, bytes(known[0].sealed_secret))
    assert keyring.unseal(row.sealed_secret, owner=row.secret_owner()) == secret


def test_the_same_bytes_are_recognised_once_they_are_imported() -> None:
    product = cast.kettle()
    first = checked(product, ["MAC"], macs(2))
    second = checked(product, ["MAC"], macs(2))
    assert uploads.imports_of_the_same(second, Upload.objects.all()) is None
    commit(first)
    assert uploads.imports_of_the_same(second, Upload.objects.all()) == first
    assert uploads.imports_of_the_same(first, Upload.objects.all()) is None
