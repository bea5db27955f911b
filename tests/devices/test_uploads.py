"""Uploaded workbooks: checked whole, imported whole or not at all, and nothing of them left behind."""

from datetime import timedelta

import pytest

from console.errors import DomainError
from console.models import AuditEntry
from console.shared import keyring
from console.shared.files import vault
from console.shared.files.refusal import FileRefused
from console.shared.jobs import JobState
from devices.models import PreImportedDevice, Upload, UploadPurpose, UploadStage
from devices.services import pre_import, upload_check, upload_commit, uploads
from devices.services.pre_import import StaticNotAllowed
from devices.services.upload_commit import NotCheckedSo
from devices.services.uploads import UploadGone, UploadRunning
from products.models import Product
from products.services.supply import QuotaExceeded
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.console.hostile import row, text, workbook
from tests.devices import workbooks
from tests.devices.workbooks import LATER, check, checked, clock, commit, folder_of, macs, receive

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def rules_of(upload: Upload) -> dict[str, int]:
    return {group["rule"]: group["count"] for group in upload.report["groups"]}


# -- Receive -----------------------------------------------------------------------------------------------------------------------------
def test_a_received_file_is_kept_encrypted_and_waits_for_its_check() -> None:
    data = workbooks.csv(["DeviceName"], macs(3))
    upload = receive(cast.kettle(), data, "../../list.csv")
    assert (upload.file_name, upload.stage, upload.state, upload.size) == ("list.csv", UploadStage.CHECK, JobState.QUEUED, len(data))
    assert b"".join(vault.read(f"{upload.path}/file", uploads.file_key(upload))) == data
    assert all(b"64C2DE" not in file.read_bytes() for file in folder_of(upload).iterdir())


def test_it_refuses_a_file_that_nobody_reads_before_it_stores_a_byte() -> None:
    product = cast.kettle()
    with pytest.raises(FileRefused):
        receive(product, b"x", "list.pdf")
    assert not Upload.objects.exists()


def test_it_refuses_static_devices_for_a_product_that_cannot_hold_them() -> None:
    product = cast.kettle(network_protocol="coap")
    with pytest.raises(StaticNotAllowed):
        receive(product, workbooks.xlsx(["DeviceName"], macs(1)), authentication="static")


# -- Check -------------------------------------------------------------------------------------------------------------------------------
def test_a_good_workbook_is_ready_and_nothing_is_stored_yet() -> None:
    upload = checked(cast.kettle(), ["DeviceName", "SN"], [["64:c2:de:00:00:01", "S1"], ["", ""], ["64C2DE000002", ""]])
    assert (upload.state, upload.good_rows, upload.bad_rows) == (JobState.DONE, 2, 0)
    assert [row[:2] for row in upload.report["preview"]] == [[2, "64C2DE000001"], [4, "64C2DE000002"]]
    assert not PreImportedDevice.objects.exists()


def test_every_bad_cell_is_found_and_counted_in_groups() -> None:
    product = cast.kettle()
    known = cast.row(product, "64C2DE000009", sn="TAKEN")
    rows = [
        ["64C2DE000001", ""],
        ["nonsense", ""],
        ["64C2DE000001", ""],
        ["64C2DE000009", ""],
        ["64C2DE000002", "TAKEN"],
        ["64C2DE000003", "fine"],
    ]
    upload = checked(product, ["MAC", "SN"], rows)
    assert [(cell.number, cell.column, cell.value) for cell in uploads.findings(upload)] == [
        (3, "MAC", "nonsense"),
        (4, "MAC", "64C2DE000001"),
        (5, "MAC", "64C2DE000009"),
        (6, "SN", "TAKEN"),
    ]
    assert rules_of(upload) == {
        "A MAC address has only the digits 0-9 and A-F": 1,
        "Twice in this file: DeviceName": 1,
        "In the pre-import list already: DeviceName": 1,
        "In the pre-import list already: SN": 1,
    }
    assert (upload.good_rows, upload.bad_rows, upload.report["cells"]) == (2, 4, 4)
    assert f"#{known.pk}" in list(uploads.findings(upload))[2].words


def test_a_name_of_another_product_is_free_but_its_sn_is_not() -> None:
    cast.row(cast.tracker(), "64C2DE000001", sn="S1")
    upload = checked(cast.kettle(), ["MAC", "SN"], [["64C2DE000001", "S1"]])
    assert rules_of(upload) == {"In the pre-import list already: SN": 1}


def test_ten_thousand_bad_cells_are_all_named() -> None:
    upload = checked(cast.kettle(), ["MAC", "SN"], [[f"bad {number}", "S N"] for number in range(5_000)])
    cells = list(uploads.findings(upload))
    assert len(cells) == upload.report["cells"] == 10_000
    assert [cell.value for cell in uploads.findings(upload, skip=9_998)] == ["bad 4999", "S N"]
    assert len(upload.report["groups"]) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (workbooks.xlsx(["Colour"], [["red"]]), "no column DeviceName"),
        (workbooks.xlsx(["DeviceName"], []), "no rows"),
        (workbooks.xlsx([], []), "no rows"),
        (b"PK\x03\x04 nothing", "damaged"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(data: bytes, words: str) -> None:
    upload = check(receive(cast.kettle(), data))
    assert upload.state == JobState.FAILED
    assert words in upload.failure


def test_no_report_holds_a_secret() -> None:
    secret = "0123456789abcdef0123456789abcdeX"
    upload = checked(cast.kettle(), ["MAC", "DeviceSecret"], [["64C2DE000001", secret], ["nonsense", secret + "="]])
    assert secret not in str(upload.report)
    assert secret not in str(list(uploads.findings(upload)))
    assert upload.report["secrets_given"] == 1


def test_a_workbook_can_be_checked_again_against_the_list_as_it_is_now() -> None:
    product = cast.kettle()
    row = cast.row(product, "64C2DE000001")
    upload = checked(product, ["MAC"], [["64C2DE000001"]])
    assert upload.bad_rows == 1
    pre_import.delete([row.pk], with_devices=False, by=OPERATOR, at=NOON)
    uploads.check_again(upload.pk, by=OPERATOR, at=NOON)
    assert check(upload).bad_rows == 0


def test_it_refuses_to_check_again_while_it_is_checked() -> None:
    upload = receive(cast.kettle(), workbooks.xlsx(["MAC"], macs(1)))
    with pytest.raises(UploadRunning):
        uploads.check_again(upload.pk, by=OPERATOR, at=NOON)


def test_a_file_that_workers_die_of_is_given_up() -> None:
    upload = receive(cast.kettle(), workbooks.xlsx(["MAC"], macs(1)))
    Upload.objects.update(attempt=upload_check.ATTEMPTS)
    assert "died several times" in check(upload).failure


# -- Import ------------------------------------------------------------------------------------------------------------------------------
def test_the_import_stores_every_row_with_its_secret_and_takes_the_quota() -> None:
    product = cast.kettle()
    given = "A" * 31 + "b"
    header = ["MAC", "Nickname", "SN", "Authentication", "DeviceSecret"]
    upload = commit(checked(product, header, [["64C2DE000001", "Kitchen", "S1", "static", given], ["64C2DE000002", "", "", "", ""]]))
    assert (upload.state, upload.stage, upload.done, upload.path) == (JobState.DONE, UploadStage.COMMIT, 2, "")
    first, second = PreImportedDevice.objects.order_by("pk")
    assert (first.device_name, first.nickname, first.sn, first.authentication) == ("64C2DE000001", "Kitchen", "S1", "static")
    assert keyring.unseal(first.sealed_secret, owner=first.secret_owner()) == given
    assert len(keyring.unseal(second.sealed_secret, owner=second.secret_owner())) == 32
    assert (second.sn, second.authentication, second.batch_id) == (None, "dynamic", None)
    product.refresh_from_db()
    assert product.devices_taken == 2


def test_it_leaves_one_audit_line_with_the_count_and_no_file(django_capture_on_commit_callbacks: object) -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(5))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        commit(upload)
    line = AuditEntry.objects.get(action="pre_import.import")
    assert (line.count, line.actor_name, line.after["sha256"]) == (5, OPERATOR.name, upload.sha256)
    assert not folder_of(upload).exists()


def test_one_row_too_many_for_the_quota_and_none_is_stored() -> None:
    product = cast.kettle(device_quota=5)
    upload = checked(product, ["MAC"], macs(5))
    cast.row(product, "A4C2DE000001")
    with pytest.raises(QuotaExceeded, match="room for 4 more devices; the workbook has 5"):
        commit(upload)
    Upload.objects.filter(pk=upload.pk).update(stage=UploadStage.COMMIT, state=JobState.QUEUED)
    upload_commit.commit(upload.pk, clock=clock)
    upload.refresh_from_db()
    assert (upload.state, PreImportedDevice.objects.count()) == (JobState.FAILED, 1)
    assert "room for 4" in upload.failure


@pytest.mark.parametrize("facts", [{"sn": "S3"}, {}])
def test_a_name_taken_meanwhile_undoes_everything_and_is_named(facts: dict[str, str]) -> None:
    product = cast.kettle()
    upload = checked(product, ["MAC", "SN"], [[f"64C2DE00000{number}", f"S{number}"] for number in range(5)])
    cast.row(product, "A4C2DE000009" if facts else "64C2DE000003", **facts)
    upload = commit(upload)
    assert upload.state == JobState.FAILED
    assert ("S3" if facts else "64C2DE000003") in upload.failure
    assert PreImportedDevice.objects.count() == 1
    product.refresh_from_db()
    assert product.devices_taken == 1
    assert not AuditEntry.objects.filter(action="pre_import.import").exists()
    uploads.check_again(upload.pk, by=OPERATOR, at=NOON)
    assert check(upload).bad_rows == 1


def test_it_refuses_a_workbook_with_a_bad_row() -> None:
    upload = checked(cast.kettle(), ["MAC"], [["64C2DE000001"], ["nonsense"]])
    with pytest.raises(NotCheckedSo):
        commit(upload)


def test_it_refuses_other_bytes_than_those_that_were_checked() -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(1))
    with pytest.raises(NotCheckedSo):
        upload_commit.request(upload.pk, sha256="0" * 64, by=OPERATOR, at=NOON)


def test_it_refuses_a_workbook_for_production() -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(1), purpose=UploadPurpose.BATCH)
    with pytest.raises(NotCheckedSo):
        commit(upload)


def test_it_imports_once_however_often_it_is_asked() -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(3))
    commit(upload)
    with pytest.raises(DomainError):
        upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=OPERATOR, at=NOON)
    upload_commit.commit(upload.pk, clock=clock)
    assert PreImportedDevice.objects.count() == 3


def test_it_refuses_static_rows_when_the_product_has_left_mqtt() -> None:
    product = cast.kettle()
    upload = checked(product, ["MAC", "Authentication"], [["64C2DE000001", "static"]])
    Product.objects.filter(pk=product.pk).update(network_protocol="coap")
    assert "MQTT or LwM2M" in commit(upload).failure


@pytest.mark.parametrize("purpose", [UploadPurpose.PRE_IMPORT, UploadPurpose.BATCH])
def test_a_title_that_no_database_stores_ends_the_check_with_words(purpose: str) -> None:
    cells = row(1, text("A1", "DeviceName"), text("B1", "a_x0000_b")) + row(2, text("A2", "64C2DE000001"))
    upload = check(receive(cast.kettle(), workbook(cells), purpose=purpose))
    assert (upload.state, "damaged" in upload.failure) == (JobState.FAILED, True)


# -- Production, discarding, expiry ------------------------------------------------------------------------------------------------------
def test_production_gets_the_names_in_order_from_any_row_on() -> None:
    upload = checked(cast.kettle(), ["MAC", "Remark"], [[name, "x"] for [name] in macs(4_000)], purpose=UploadPurpose.BATCH)
    assert upload.report["ignored"] == ["Remark"]
    assert list(uploads.checked_names(upload)) == [name for [name] in macs(4_000)]
    assert list(uploads.checked_names(upload, skip=3_998)) == ["64C2DE000F9E", "64C2DE000F9F"]


def test_a_discarded_workbook_leaves_nothing(django_capture_on_commit_callbacks: object) -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(1))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert uploads.discard(upload.pk, by=OPERATOR, at=NOON).state == JobState.CANCELLED
    assert not folder_of(upload).exists()
    upload.refresh_from_db()
    with pytest.raises(UploadGone):
        list(uploads.checked_names(upload))
    with pytest.raises(UploadGone):
        commit(upload)


def test_a_check_that_runs_ends_when_it_is_discarded() -> None:
    upload = receive(cast.kettle(), workbooks.xlsx(["MAC"], macs(1)))
    Upload.objects.filter(pk=upload.pk).update(cancel_requested=True)
    upload = check(upload)
    assert (upload.state, upload.path) == (JobState.CANCELLED, "")
    assert not folder_of(upload).exists()


def test_expired_files_go_and_others_stay() -> None:
    product = cast.kettle()
    old, new = checked(product, ["MAC"], macs(1)), checked(product, ["MAC"], macs(1, first=0xA4C2DE000000))
    Upload.objects.filter(pk=new.pk).update(expires_at=NOON + timedelta(days=30))
    assert uploads.purge(at=NOON + timedelta(days=4)) == 1
    assert (folder_of(old).exists(), folder_of(new).exists()) == (False, True)
    with pytest.raises(UploadGone):
        upload_commit.request(new.pk, sha256=new.checked_sha256, by=OPERATOR, at=NOON + timedelta(days=31))


def test_a_file_that_is_worked_on_does_not_expire() -> None:
    upload = receive(cast.kettle(), workbooks.xlsx(["MAC"], macs(1)))
    Upload.objects.filter(pk=upload.pk).update(state=JobState.RUNNING, heartbeat_at=LATER)
    assert uploads.purge(at=NOON + timedelta(days=40)) == 0
    assert folder_of(upload).exists()
