"""The pages of workbooks: the import from file to list, its progress, and the export."""

import io
from datetime import timedelta

import openpyxl
import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.models import AuditEntry
from console.shared import keyring
from console.shared.jobs import JobState
from devices.admin.pre_import_forms import DeleteForm
from devices.models import PreImportedDevice, Upload
from devices.services import uploads
from products.models import Product
from tests import cast
from tests.devices import pages, workbooks
from tests.devices.pages import EXPORT, act, page, send
from tests.devices.workbooks import checked, macs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that pages sent."""
    sent: list[tuple[str, int]] = []
    for module in ("pre_import_import", "upload_actions", "upload_files"):
        monkeypatch.setattr(f"devices.admin.{module}.nudge", lambda task, pk: sent.append((task, pk)))
    return sent


@pytest.fixture
def boss() -> Client:
    return pages.boss()


# -- Workbooks in ------------------------------------------------------------------------------------------------------------------------
def test_a_small_workbook_is_checked_at_once_and_imported_by_a_button(boss: Client) -> None:
    product = cast.kettle()
    text = send(boss, product, workbooks.xlsx(["MAC"], macs(3))).content.decode()  # type: ignore[attr-defined]
    upload = Upload.objects.get()
    assert "All 3 rows are good" in text
    assert "Import 3 rows" in text
    text = act(boss, upload, "commit", sha256=upload.checked_sha256).content.decode()  # type: ignore[attr-defined]
    assert "3 rows were imported" in text
    assert PreImportedDevice.objects.count() == 3


def test_while_it_is_worked_on_the_page_says_how_far_how_fast_and_who_began(boss: Client) -> None:
    upload, began = workbooks.receive(cast.kettle(), workbooks.xlsx(["MAC"], macs(3))), timezone.now() - timedelta(seconds=10)
    who = get_user_model().objects.get()
    facts = {"state": JobState.RUNNING, "started_at": began, "heartbeat_at": timezone.now(), "total": 4000, "done": 1000}
    Upload.objects.filter(pk=upload.pk).update(requested_by=who, **facts)
    text = boss.get(page(upload)).content.decode()
    assert "1,000 of about 4,000 rows" in text
    assert "rows a second" in text
    assert 'aria-valuenow="25"' in text
    assert f"Started by {who.get_username()} at " in text
    Upload.objects.filter(pk=upload.pk).update(state=JobState.QUEUED, started_at=None, total=0, done=0)
    assert "rows a second" not in boss.get(page(upload)).content.decode()


def test_bad_cells_are_shown_in_groups_and_nothing_is_imported_without_a_tick(boss: Client) -> None:
    text = send(boss, cast.kettle(), workbooks.xlsx(["MAC"], [["nonsense"], *macs(3)])).content.decode()  # type: ignore[attr-defined]
    upload = Upload.objects.get()
    assert "1 bad cell was found" in text
    assert "nonsense" in text
    assert "1 row</strong>" in text
    assert "A MAC address has only the digits 0-9 and A-F" in text
    act(boss, upload, "commit", sha256=upload.checked_sha256)
    bound = {"sha256": upload.checked_sha256, "leave_out": "1"}
    assert "Tick this" in act(boss, upload, "commit_good", **bound).content.decode()  # type: ignore[attr-defined]
    assert not PreImportedDevice.objects.exists()
    text = act(boss, upload, "commit_good", **bound, agreed="on").content.decode()  # type: ignore[attr-defined]
    assert "3 rows were imported" in text
    assert "1 bad row stayed out" in text
    assert "Download the marked workbook" in text
    assert PreImportedDevice.objects.count() == 3


def test_it_refuses_good_rows_alone_where_others_are_bad_than_the_page_said(boss: Client) -> None:
    upload = checked(cast.kettle(), ["MAC"], [["nonsense"], *macs(3)])
    text = act(boss, upload, "commit_good", sha256=upload.checked_sha256, leave_out="2", agreed="on").content.decode()  # type: ignore[attr-defined]
    assert "what the check found is not what was asked for" in text
    assert not PreImportedDevice.objects.exists()


def test_duplicates_are_skipped_or_stopped_at_as_chosen_and_chosen_anew_at_another_check(boss: Client) -> None:
    product = cast.kettle()
    row = cast.row(product, "64C2DE000000")
    text = send(boss, product, workbooks.xlsx(["MAC"], macs(3))).content.decode()  # type: ignore[attr-defined]
    assert "In the pre-import list already: DeviceName" in text
    text = act(boss, Upload.objects.get(), "check_again", duplicates="skip").content.decode()  # type: ignore[attr-defined]
    assert "1 row is left out" in text
    assert "Import 2 rows" in text
    upload = Upload.objects.get()
    act(boss, upload, "commit", sha256=upload.checked_sha256)
    assert PreImportedDevice.objects.count() == 3
    assert PreImportedDevice.objects.get(pk=row.pk).sealed_secret == row.sealed_secret


def test_duplicates_are_skipped_from_the_start_where_the_upload_says_so(boss: Client) -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000000")
    file = SimpleUploadedFile("list.xlsx", workbooks.xlsx(["MAC"], macs(3)))
    boss.post(pages.IMPORT, {"product": product.pk, "authentication": "", "duplicates": "skip", "import_file": file})
    assert Upload.objects.get().skipped_rows == 1


def test_the_very_same_file_is_noticed(boss: Client) -> None:
    product, data = cast.kettle(), workbooks.xlsx(["MAC"], macs(3))
    send(boss, product, data)
    upload = Upload.objects.get()
    act(boss, upload, "commit", sha256=upload.checked_sha256)
    text = send(boss, product, data).content.decode()  # type: ignore[attr-defined]
    assert "This very file was imported before" in text
    assert "by admin, into Kettle" in text
    assert "This very file" not in send(boss, product, workbooks.xlsx(["MAC"], macs(4))).content.decode()  # type: ignore[attr-defined]


def test_it_refuses_an_import_of_other_bytes_than_the_page_showed(boss: Client) -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(3))
    act(boss, upload, "commit", sha256="0" * 64)
    assert not PreImportedDevice.objects.exists()


def test_a_hostile_file_is_refused_with_its_reason(boss: Client) -> None:
    text = send(boss, cast.kettle(), b"\xd0\xcf\x11\xe0" + b"\0" * 100).content.decode()  # type: ignore[attr-defined]
    assert "protected by a password" in text
    response = send(boss, Product.objects.get(), b"x", "list.pdf")
    assert "Only Excel workbooks" in response.context["form"].errors["import_file"][0]  # type: ignore[attr-defined]


def test_a_big_workbook_becomes_a_job(boss: Client, nudges: list[tuple[str, int]]) -> None:
    data = workbooks.csv(["MAC"], macs(20_000))
    assert len(data) > uploads.SMALL
    response = send(boss, cast.kettle(), data, "list.csv")
    upload = Upload.objects.get()
    assert nudges == [("devices.check_upload", upload.pk)]
    assert "data-live" in response.content.decode()  # type: ignore[attr-defined]
    upload = workbooks.check(upload)
    act(boss, upload, "commit", sha256=upload.checked_sha256)
    assert nudges[1:] == [("devices.commit_upload", upload.pk)]
    assert not PreImportedDevice.objects.exists()


def test_the_page_hears_how_far_the_work_is(boss: Client) -> None:
    upload = workbooks.receive(cast.kettle(), workbooks.xlsx(["MAC"], macs(3)))
    url = reverse("admin:devices_upload_progress", args=[upload.pk])
    assert boss.get(url).json() | {"state": ""} == {
        "live": True, "version": "check|queued", "kind": "queued", "state": "", "percent": None, "rows": "", "rate": "", "left": "",
    }  # fmt: skip
    Upload.objects.update(state=JobState.RUNNING, total=200, done=50, started_at=timezone.now())
    facts = boss.get(url).json()
    assert (facts["percent"], facts["rows"]) == (25, "50 of about 200 rows")
    assert "no-store" in boss.get(url)["Cache-Control"]


def test_every_bad_cell_can_be_paged_through_and_downloaded(boss: Client) -> None:
    upload = checked(cast.kettle(), ["MAC"], [[f"=bad{number}"] for number in range(120)])
    assert "=bad49" in boss.get(page(upload)).content.decode()
    assert "=bad119" in boss.get(page(upload), {"p": "3"}).content.decode()
    for strange in ("0", "-1", "x", "99999999999"):
        assert boss.get(page(upload), {"p": strange}).status_code == 200
    text = b"".join(boss.get(reverse("admin:devices_upload_bad_cells", args=[upload.pk])).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    lines = text.splitlines()
    assert (len(lines), lines[1].split(",")[:3]) == (121, ["2", "MAC", "'=bad0"])


def test_one_group_of_faults_can_be_listed_and_downloaded_alone(boss: Client) -> None:
    upload = checked(cast.kettle(), ["MAC", "SN"], [[f"bad {number}", "S N" if number % 2 else ""] for number in range(120)])
    group = next(each for each in upload.report["groups"] if each["column"] == "SN")
    text = boss.get(page(upload), {"group": group["id"], "p": "2"}).content.decode()
    assert "Page 2 of 2" in text
    assert "bad 119" not in text
    url = reverse("admin:devices_upload_bad_cells", args=[upload.pk])
    answer = boss.get(url, {"group": group["id"]})
    assert len(b"".join(answer.streaming_content).decode().splitlines()) == 61  # type: ignore[attr-defined]
    assert boss.get(page(upload), {"group": "77"}).status_code == 200


def test_a_discarded_workbook_is_gone(boss: Client) -> None:
    upload = checked(cast.kettle(), ["MAC"], macs(3))
    assert "Its file is gone" in act(boss, upload, "discard").content.decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_template_can_be_filled_in_and_sent_back(boss: Client, form: str) -> None:
    response = boss.get(reverse("admin:devices_preimporteddevice_template", args=[form]))
    data = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    if form == "xlsx":
        book, out = openpyxl.load_workbook(io.BytesIO(data)), io.BytesIO()
        book["Devices"]["B2"] = "64:C2:DE:00:00:01"
        book.save(out)
        data = out.getvalue()
    else:
        data += b",64:C2:DE:00:00:01,,,,,\r\n"
    send(boss, cast.kettle(), data, f"list.{form}")
    assert (Upload.objects.get().good_rows, Upload.objects.get().bad_rows) == (1, 0)


# -- Files out ---------------------------------------------------------------------------------------------------------------------------
COLUMNS = ("product_key", "device_name", "nickname", "sn", "authentication", "certificate_fingerprint")


def export(client: Client, products: list[Product], form: str, columns: tuple[str, ...] = COLUMNS) -> bytes:
    chosen = {f"preimporteddeviceresource_{column}": "on" for column in columns}
    response = client.post(EXPORT, {"product": [product.pk for product in products], "format": form, **chosen})
    assert response.streaming, response.context["form"].errors
    return b"".join(response.streaming_content)


def test_the_chosen_products_are_exported_as_text_without_secrets(boss: Client) -> None:
    kettle, tracker = cast.kettle(), cast.tracker()
    first = cast.row(kettle, "64C2DE000001", nickname="=HYPERLINK(1)", sn="8660E12")
    cast.row(tracker, "tracker-1")
    sheet = openpyxl.load_workbook(io.BytesIO(export(boss, [kettle], "0"))).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["ProductKey", "DeviceName", "Nickname", "SN", "Authentication", "Fingerprint"],
        [kettle.key, "64C2DE000001", "=HYPERLINK(1)", "8660E12", "dynamic", None],
    ]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    text = export(boss, [kettle, tracker], "1").decode("utf-8-sig")
    assert text.splitlines()[1:] == [f"{kettle.key},64C2DE000001,'=HYPERLINK(1),8660E12,dynamic,", f"{tracker.key},tracker-1,,,dynamic,"]
    assert keyring.unseal(first.sealed_secret, owner=first.secret_owner()) not in text
    assert [line.after["products"] for line in AuditEntry.objects.filter(action="pre_import.export")] == [
        [kettle.key, tracker.key],
        [kettle.key],
    ]


def test_only_the_chosen_columns_are_exported(boss: Client) -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000001")
    assert export(boss, [product], "1", ("device_name",)).decode("utf-8-sig") == "DeviceName\r\n64C2DE000001\r\n"


@pytest.mark.parametrize("form", ["0", "1"])
def test_an_exported_file_can_be_imported_again(boss: Client, form: str) -> None:
    product = cast.kettle()
    row = cast.row(product, "64C2DE000001", nickname="=1+1", sn="S1", authentication="static")
    data = export(boss, [product], form)
    act(boss, row, "remove", devices=DeleteForm.KEEP, reason="")
    send(boss, product, data, "list.xlsx" if form == "0" else "list.csv")
    upload = Upload.objects.get()
    act(boss, upload, "commit", sha256=upload.checked_sha256)
    again = PreImportedDevice.objects.get()
    assert (again.device_name, again.nickname, again.sn, again.authentication) == ("64C2DE000001", "=1+1", "S1", "static")


def test_it_refuses_an_export_of_nothing(boss: Client) -> None:
    product = cast.kettle()
    assert boss.post(EXPORT, {"format": "0", "preimporteddeviceresource_sn": "on"}).context["form"].errors["product"]
    assert boss.post(EXPORT, {"format": "0", "product": [product.pk]}).context["form"].errors


def test_a_long_list_is_exported_in_pages(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.services.exports.PAGE", 7)
    product = cast.kettle()
    for [name] in macs(30):
        cast.row(product, name)
    assert export(boss, [product], "1", ("device_name",)).decode("utf-8-sig").split()[1:] == [name for [name] in macs(30)]


def test_it_refuses_more_rows_than_a_worksheet_holds_before_anything_is_sent(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.resources.Xlsx.rows_at_most", 2)
    kettle, tracker = cast.kettle(), cast.tracker()
    for product, name in ((kettle, "64C2DE000001"), (kettle, "64C2DE000002"), (tracker, "tracker-1")):
        cast.row(product, name)
    chosen = {"product": [kettle.pk, tracker.pk], "format": "0", "preimporteddeviceresource_device_name": "on"}
    assert "A worksheet holds" in str(boss.post(EXPORT, chosen).context["form"].errors["format"])
    assert not AuditEntry.objects.filter(action="pre_import.export").exists()
    assert len(export(boss, [kettle, tracker], "1", ("device_name",)).split()) == 4
    assert export(boss, [kettle], "0", ("device_name",))
