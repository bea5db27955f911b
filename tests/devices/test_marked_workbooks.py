"""The workbook as it goes back to its operator: marked, in its own order, and good to be uploaded again."""

import csv
import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.errors import DomainError
from console.models import AuditEntry
from console.shared import confirmation
from console.shared.files import vault
from console.shared.files.csv_writer import stream as csv_stream
from console.shared.jobs import JobState
from devices import tasks
from devices.models import MarkedWorkbook, PreImportedDevice, Upload
from devices.services import marked_workbooks, uploads
from devices.services.marked_workbooks import JobOver, NoRoomForReasons, NothingToMark, NotMarkedYet
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices import pages, workbooks
from tests.devices.pages import page, staff
from tests.devices.workbooks import LATER, check, checked, clock, commit, macs, receive

pytestmark = pytest.mark.django_db

HEADER = ["No.", "SN", "*MAC", "Remark"]
SECRET = "0123456789abcdef0123456789abcdef"
RED, AMBER = "FFFFC7CE", "FFFFEB9C"


def marked(upload: Upload, language: str = "en") -> bytes:
    made = marked_workbooks.order(upload.pk, language=language, by=OPERATOR, at=NOON)
    marked_workbooks.make(made.pk, clock=clock)
    made.refresh_from_db()
    assert made.state == JobState.DONE, made.failure
    return b"".join(marked_workbooks.download(upload, by=OPERATOR, at=LATER).pieces)


def book(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def values(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def fills(sheet: Any) -> dict[str, str]:
    """Coordinate -> colour of every filled cell."""
    return {cell.coordinate: cell.fill.fgColor.rgb for row in sheet.iter_rows() for cell in row if cell.fill.fill_type == "solid"}


# -- Excel -------------------------------------------------------------------------------------------------------------------------------
def test_the_rows_come_back_as_they_were_with_the_bad_cells_on_red_and_the_reason_at_the_end() -> None:
    rows = [["SN1", "64C2DE000001", "=1+1"], ["S N", "64C2DE00002", "+1"], ["", "", ""], ["", "64C2DE000001", ""]]
    sheet = book(marked(checked(cast.kettle(), ["SN", "*MAC", "设备名称"], rows))).worksheets[0]
    assert sheet.title == "Devices"
    assert [row[:3] for row in values(sheet)] == [
        ["SN", "*MAC", "设备名称"],
        ["SN1", "64C2DE000001", "=1+1"],
        ["S N", "64C2DE00002", "+1"],
        [None, None, None],
        [None, "64C2DE000001", None],
    ]
    assert [row[3] for row in values(sheet)] == [
        "Why",
        None,
        "*MAC: A MAC address has 12 hex digits; this one has 11. SN: An SN has up to 64 letters, digits, - _ . or :",
        None,
        "*MAC: Row 2 of this file has the same DeviceName.",
    ]
    assert fills(sheet) == {"A3": RED, "B3": RED, "B5": RED}
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}


def test_a_second_worksheet_sums_up() -> None:
    data = marked(checked(cast.kettle(), ["MAC"], [["64C2DE00000"], ["64C2DE00001"], ["64C2DE000001"], ["64C2DE00002"]]))
    summary = values(book(data).worksheets[1])
    assert summary[0] == ["Rows", "Column", "What is wrong", "Where"]
    assert summary[1] == ["3", "MAC", "A MAC address has 12 hex digits; this one has 11.", "2–3, 5"]
    assert ["Good rows", "1", None, None] in summary


def test_a_missing_device_name_is_marked_though_its_cell_is_empty() -> None:
    sheet = book(marked(checked(cast.kettle(), ["MAC", "SN"], [["", "S1"]]))).worksheets[0]
    assert fills(sheet) == {"A2": RED}


def test_rows_that_are_skipped_are_on_amber() -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000001")
    upload = checked(product, ["MAC"], [["64C2DE000001"], ["64C2DE000002"]], duplicates="skip")
    sheet = book(marked(upload)).worksheets[0]
    assert fills(sheet) == {"A2": AMBER}
    assert str(sheet["B2"].value).startswith("MAC: Left out: the pre-import list has this DeviceName already")


def test_rows_above_the_titles_keep_their_numbers() -> None:
    data = b"".join(csv_stream(["", ""], [["", ""], ["MAC", "SN"], ["nonsense", ""]], unaltered=["", ""]))
    upload = check(receive(cast.kettle(), data, "list.csv"))
    rows = list(csv.reader(io.StringIO(marked(upload).decode("utf-8-sig"))))
    assert [row[:2] for row in rows] == [["", ""], ["", ""], ["MAC", "SN"], ["nonsense", ""]]
    assert rows[2][2] == "Why"


def test_corrected_and_uploaded_again_it_is_good_and_marked_again_it_has_one_column_of_reasons() -> None:
    product = cast.kettle()
    data = marked(checked(product, ["MAC", "SN"], [["64C2DE000001", "S1"], ["64C2DE00002", "S2"]]))
    again = check(receive(product, data))
    assert (again.good_rows, again.bad_rows) == (1, 1)
    twice = marked(again)
    assert [cell.value for cell in book(twice).worksheets[0][1]] == ["MAC", "SN", "Why"]
    corrected, out = book(twice), io.BytesIO()
    corrected.worksheets[0]["A3"] = "64C2DE000002"
    corrected.save(out)
    upload = commit(check(receive(product, out.getvalue())))
    assert (upload.state, PreImportedDevice.objects.count()) == (JobState.DONE, 2)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_list_without_titles_comes_in_again_too(form: str) -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000001")
    rows = [["64C2DE000001"], ["nonsense"], ["64C2DE000003"]]
    data = workbooks.csv(rows[0], rows[1:]) if form == "csv" else workbooks.xlsx(rows[0], rows[1:])
    upload = check(receive(product, data, f"list.{form}"))
    assert (upload.good_rows, upload.bad_rows, upload.report["headless"]) == (1, 2, True)
    again = check(receive(product, marked(upload), f"list.{form}"))
    assert (again.good_rows, again.bad_rows, again.report["headless"]) == (1, 2, True)
    assert again.report["width"] == 1


# -- CSV ---------------------------------------------------------------------------------------------------------------------------------
def test_csv_goes_back_as_csv_with_nothing_in_it_that_a_spreadsheet_would_run() -> None:
    upload = check(receive(cast.kettle(), workbooks.csv(["MAC", "Nickname"], [["+49", "@SUM(1)"], ["64C2DE000001", "x"]]), "list.csv"))
    text = marked(upload).decode("utf-8-sig")
    assert text.splitlines() == [
        "MAC,Nickname,Why",
        "'+49,'@SUM(1),MAC: A MAC address has only the digits 0-9 and A-F.",
        "64C2DE000001,x,",
    ]
    again = check(receive(Upload.objects.get().product, text.encode(), "list.csv"))
    assert (again.good_rows, again.bad_rows) == (1, 1)
    assert next(uploads.findings(again)).value == "+49"


# -- Refusals ----------------------------------------------------------------------------------------------------------------------------
def test_it_refuses_to_mark_a_good_workbook() -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(3))
    with pytest.raises(NothingToMark):
        marked_workbooks.order(upload.pk, language="en", by=OPERATOR, at=NOON)


def test_it_refuses_a_workbook_without_room_for_the_reasons() -> None:
    titles = ["MAC", *[f"C{number}" for number in range(63)]]
    upload = checked(cast.kettle(), titles, [["nonsense", *["x"] * 63]], purpose="batch")
    with pytest.raises(NoRoomForReasons):
        marked_workbooks.order(upload.pk, language="en", by=OPERATOR, at=NOON)


def test_it_refuses_a_download_before_it_is_made_and_after_another_check() -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"]])
    with pytest.raises(NotMarkedYet):
        marked_workbooks.download(upload, by=OPERATOR, at=NOON)
    marked(upload)
    uploads.check_again(upload.pk, by=OPERATOR, at=NOON)
    with pytest.raises(NotMarkedYet):
        marked_workbooks.download(check(upload), by=OPERATOR, at=NOON)


def test_it_goes_with_the_upload(django_capture_on_commit_callbacks: Any) -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"]])
    marked(upload)
    path = MarkedWorkbook.objects.get().path
    assert vault.exists(path)
    assert uploads.purge(at=NOON + timedelta(days=4)) == 1
    assert not vault.exists(path)
    upload.refresh_from_db()
    with pytest.raises(DomainError):
        marked_workbooks.download(upload, by=OPERATOR, at=NOON)


def test_one_that_is_made_while_the_upload_is_discarded_leaves_nothing() -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"]])
    made = marked_workbooks.order(upload.pk, language="en", by=OPERATOR, at=NOON)
    calls: list[int] = []

    def discarding_clock() -> object:
        calls.append(1)
        if len(calls) == 2:  # Between the claim and the end.
            Upload.objects.filter(pk=upload.pk).update(path="")
        return LATER

    folder = upload.path
    marked_workbooks.make(made.pk, clock=discarding_clock)
    assert not vault.exists(f"{folder}/marked-1")


def test_one_that_is_cancelled_ends_and_can_be_ordered_again() -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"]])
    made = marked_workbooks.order(upload.pk, language="en", by=OPERATOR, at=NOON)
    marked_workbooks.cancel(made.pk, reason="not needed", by=OPERATOR, at=NOON)
    marked_workbooks.make(made.pk, clock=clock)
    assert MarkedWorkbook.objects.get().state == JobState.CANCELLED
    with pytest.raises(JobOver):
        marked_workbooks.cancel(made.pk, by=OPERATOR, at=NOON)
    assert marked(upload)


# -- The page ----------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def boss() -> Client:
    return pages.boss()


def url(upload: Upload) -> str:
    return reverse("admin:devices_upload_marked", args=[upload.pk])


def test_a_small_one_is_downloaded_at_once_and_audited(boss: Client) -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"], *macs(2)])
    assert "Download the marked workbook" in boss.get(page(upload)).content.decode()
    response = boss.post(url(upload))
    data = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert 'filename="list-marked.xlsx"' in response["Content-Disposition"]
    assert len(data) == int(response["Content-Length"])
    assert "no-store" in response["Cache-Control"]
    line = AuditEntry.objects.get(action="upload.download_marked")
    assert (line.after["sha256"], line.after["holds_secrets"]) == (MarkedWorkbook.objects.get().sha256, False)
    assert boss.get(url(upload)).status_code == 405


def test_a_large_one_becomes_a_job_with_progress(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr("devices.admin.upload_files.nudge", lambda task, pk: sent.append((task, pk)))
    monkeypatch.setattr("devices.services.marked_workbooks.AT_ONCE", 2)
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"], *macs(5)])
    assert "Mark the workbook" in boss.get(page(upload)).content.decode()
    boss.post(url(upload))
    made = MarkedWorkbook.objects.get()
    assert sent == [("devices.mark_workbook", made.pk)]
    MarkedWorkbook.objects.update(state=JobState.RUNNING, started_at=timezone.now(), done=3)
    facts = boss.get(reverse("admin:devices_upload_progress", args=[upload.pk])).json()
    assert (facts["live"], facts["percent"], facts["rows"]) == (True, 50, "3 of 6 rows are marked")
    MarkedWorkbook.objects.update(state=JobState.QUEUED)
    tasks.mark_workbook(made.pk)
    assert "Download the marked workbook" in boss.get(page(upload)).content.decode()


def test_a_lost_one_is_sent_again_by_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"]])
    made = marked_workbooks.order(upload.pk, language="en", by=OPERATOR, at=NOON)
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, pk: sent.append((task, pk)))
    monkeypatch.setattr(tasks.uploads, "purge", lambda *, at: 0)
    MarkedWorkbook.objects.update(requested_at=NOON - timedelta(days=400))
    tasks.sweep()
    assert ("devices.mark_workbook", made.pk) in sent


def test_one_with_secrets_asks_for_the_proof_of_the_person_again(boss: Client) -> None:
    upload = checked(cast.kettle(), ["MAC", "DeviceSecret"], [["nonsense", SECRET]])
    session = boss.session
    session.pop(confirmation.KEY)
    session.save()
    response = boss.post(url(upload))
    assert response.status_code == 302
    assert reverse("admin:confirm") in response["Location"]
    assert not MarkedWorkbook.objects.exists()


def test_one_with_secrets_goes_to_its_sender_alone_or_to_whoever_may_read_secrets() -> None:
    upload = checked(cast.kettle(), ["MAC", "DeviceSecret"], [["nonsense", SECRET]])
    sam = staff("add_preimporteddevice")
    assert sam.post(url(upload)).status_code == 403
    Upload.objects.update(received_by_id=sam.session["_auth_user_id"])
    assert SECRET.encode() not in sam.get(page(upload)).content
    assert b"".join(sam.post(url(upload)).streaming_content).startswith(b"PK")  # type: ignore[attr-defined]


def test_who_may_only_look_gets_no_workbook() -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"]])
    assert staff("view_upload").post(url(upload)).status_code == 403
