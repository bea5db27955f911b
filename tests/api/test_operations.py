"""The work of a program from product to device, and what is refused on the way."""

from typing import Any

import pytest

from devices.models import Device, PreImportedDevice, SerialNumberRun
from devices.services import production
from products.models import Product
from tests import cast
from tests.api.callers import Program

pytestmark = pytest.mark.django_db
CENTER = "/data-centers/cn-shanghai"


@pytest.fixture
def kettle(db: None) -> Product:
    cast.home()
    return cast.kettle()


@pytest.fixture
def program(kettle: Product) -> Program:
    return Program()


def device(kettle: Product, name: str = "A4DA32000001") -> Device:
    """In Shanghai's list, registered."""
    row = PreImportedDevice.objects.named(kettle.pk, name) or cast.row(kettle, name)
    found = Device(product=kettle, data_center=cast.home(), device_name=name, authentication="dynamic", sealed_secret=row.sealed_secret)
    found.created_at = found.registered_at = cast.NOON
    found.save()
    return found


def test_each_row_of_a_bulk_call_stands_or_falls_by_itself(program: Program, kettle: Product) -> None:
    cast.row(kettle, "A4DA32000001", sn="SN-1")
    rows = [
        {"device_name": "A4:DA:32:00:00:02"},
        {"device_name": "A4DA32000001"},
        {"device_name": "no MAC"},
        {"device_name": "A4DA32000003", "sn": "SN-1"},
        {"device_name": "A4DA32000002"},
        {"device_name": "A4DA32000004", "authentication": "x509", "certificate_fingerprint": "zz"},
    ]
    body = program.call("post", "/pre-import/bulk", {"product_key": kettle.key, "rows": rows}).json()
    assert (body["created"], body["refused"]) == (1, 5)
    assert [result["code"] for result in body["results"]][:2] == ["", "name_taken"]
    assert body["results"][3]["field"] == "sn"
    assert PreImportedDevice.objects.get(pk=body["results"][0]["id"]).device_name == "A4DA32000002"
    kettle.refresh_from_db()
    assert kettle.devices_taken == 2


def test_a_bulk_call_beyond_the_quota_makes_no_row(program: Program, kettle: Product) -> None:
    Product.objects.update(device_quota=1)
    rows = [{"device_name": "A4DA32000001"}, {"device_name": "A4DA32000002"}]
    refused = program.call("post", "/pre-import/bulk", {"product_key": kettle.key, "rows": rows})
    assert refused.status_code == 409 and refused.json()["code"] == "quota_exceeded"
    assert not PreImportedDevice.objects.exists()


def test_bulk_deletion_tells_what_was_not_there(program: Program, kettle: Product) -> None:
    row = cast.row(kettle, "A4DA32000001")
    body = program.call("post", "/pre-import/bulk-delete", {"ids": [row.pk, 999]}).json()
    assert body == {"deleted": 1, "results": [{"id": row.pk, "outcome": "deleted"}, {"id": 999, "outcome": "not_found"}]}


def test_rows_are_made_changed_read_and_deleted_one_by_one(program: Program, kettle: Product) -> None:
    made = program.call("post", "/pre-import", {"product_key": kettle.key, "device_name": "A4DA32000001"})
    assert made.status_code == 201 and "secret" not in str(made.json())
    path = f"/pre-import/{made.json()['id']}"
    assert program.call("patch", path, {"nickname": "Kitchen"}).json()["nickname"] == "Kitchen"
    assert len(program.call("post", f"{path}/secret").json()["device_secret"]) == 32
    assert program.call("get", "/pre-import?search=a4-da-32").json()["items"][0]["nickname"] == "Kitchen"
    assert program.call("delete", path).status_code == 204
    assert program.call("get", path).status_code == 404


def test_a_batch_goes_from_its_preview_to_a_download_without_an_account(program: Program, kettle: Product, client: Any) -> None:
    pool = program.call("post", "/mac-pools", {"name": "Kettles", "kind": "MA-L", "prefix": "A4DA32"}).json()
    wish = {"product_key": kettle.key, "source": "automatic", "quantity": 3, "mac_pool_id": pool["id"]}
    assert program.call("post", "/batches/preview", wish).json()["codes_after"] == 997
    batch = program.call("post", "/batches", wish).json()
    path = f"/batches/{batch['id']}"
    assert program.call("post", f"{path}/files/csv").json()["code"] == "nothing_to_download"
    production.fill(batch["id"], clock=lambda: cast.NOON)
    assert program.call("get", path).json()["made"] == 3
    assert program.call("post", f"{path}/files/csv").json()["is_ready"]
    made = program.call("post", f"{path}/download-codes", {"format": "csv", "note": "Factory 2"}).json()
    redeemed = client.post("/api/v1/download-codes/redeem", {"code": made["code"]}, content_type="application/json")
    assert b"".join(redeemed.streaming_content).count(b"A4DA32") == 3
    again = client.post("/api/v1/download-codes/redeem", {"code": made["code"]}, content_type="application/json")
    assert again.status_code == 404 and again["Content-Type"] == "application/problem+json"
    downloaded = program.call("post", f"{path}/files/csv/download")
    assert downloaded.status_code == 200 and b"ProductKey" in b"".join(downloaded.streaming_content)
    assert program.call("get", path).json()["in_the_way"]
    assert program.call("post", f"{path}/undo", {"reason": "Wrong pool"}).json()["code"] == "batch_in_use"
    assert program.call("post", f"{path}/cancel", {}).json()["code"] == "batch_over"


def test_devices_are_found_edited_disabled_reset_and_deleted(program: Program, kettle: Product) -> None:
    path = f"{CENTER}/devices/{device(kettle).pk}"
    assert program.call("get", f"{CENTER}/devices?state=inactive&search=A4DA32").json()["items"][0]["product_key"] == kettle.key
    assert program.call("get", f"{CENTER}/devices?state=online").json()["items"] == []
    assert program.call("patch", path, {"nickname": "Here"}).json()["nickname"] == "Here"
    assert program.call("post", f"{path}/disable", {"reason": "Stolen"}).json()["state"] == "disabled"
    assert program.call("post", f"{path}/disable", {}).status_code == 409
    assert program.call("post", f"{path}/enable").json()["enabled"]
    assert program.call("post", f"{path}/reset", {}).json()["registered_at"] is None
    assert program.call("delete", f"{path}?reason=Scrapped").status_code == 204
    assert program.call("get", path).status_code == 404
    assert program.call("get", "/data-centers/nowhere/devices").status_code == 404


def test_switch_and_clear_are_refused_where_there_is_nothing_to_keep(program: Program, kettle: Product) -> None:
    path = f"{CENTER}/devices/{device(kettle).pk}"
    assert program.call("get", f"{path}/identities").json() == {"items": [], "next": None}
    assert program.call("post", f"{path}/switch", {"keep": "x"}).json()["field"] == "keep"
    assert program.call("post", f"{path}/clear", {}).status_code == 409
    assert program.call("get", f"{path}/connections").json()["items"] == []


def test_what_would_be_decided_is_told_and_nothing_changed(program: Program, kettle: Product) -> None:
    cast.row(kettle, "A4DA32000001")
    known = program.call("get", f"{CENTER}/what-if?product_key={kettle.key}&device_name=A4:DA:32:00:00:01").json()
    assert known["registration"]["accepted"] and known["device_name"] == "A4DA32000001"
    unknown = program.call("get", f"{CENTER}/what-if?product_key={kettle.key}&device_name=A4DA32000002").json()
    assert unknown["registration"]["code"] == "not_imported" and unknown["registration"]["path"]
    assert not Device.objects.exists()


def test_drift_shows_a_row_beside_its_device(program: Program, kettle: Product) -> None:
    here = device(kettle)
    Device.objects.filter(pk=here.pk).update(nickname="Changed")
    line = program.call("get", f"{CENTER}/drift?product_key={kettle.key}&show=differs").json()["items"][0]
    assert line["drift"] == "differs" and line["differing"] == ["nickname"] and line["there"]["nickname"] == "Changed"


def test_a_workbook_is_checked_and_what_was_checked_is_imported(program: Program, kettle: Product) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("kettles.csv", b"DeviceName\r\nA4DA32000001\r\nnot a MAC\r\n")
    headers = {"Authorization": f"Bearer {program.key}"}
    upload = program.post("/api/v1/uploads", {"product_key": kettle.key, "file": file}, headers=headers).json()
    assert (upload["good_rows"], upload["bad_rows"]) == (1, 1)
    assert program.call("get", f"/uploads/{upload['id']}/bad-cells").json()["items"][0]["value"] == "not a MAC"
    path, good = f"/uploads/{upload['id']}/import", {"sha256": upload["checked_sha256"], "leave_out": 1}
    assert program.call("post", path, good | {"leave_out": 0}).json()["code"] == "not_checked_so"
    assert program.call("post", path, good).json()["state"] == "done"
    assert [row.device_name for row in PreImportedDevice.objects.all()] == ["A4DA32000001"]


def test_long_work_and_the_audit_are_read(program: Program, kettle: Product) -> None:
    program.call("post", "/serial-number-runs", {"product_key": kettle.key, "quantity": 10})
    job = program.call("get", "/jobs?kind=serialnumberrun").json()["items"][0]
    number = SerialNumberRun.objects.get().number
    assert (job["state"], job["requested_by"], job["label"]) == ("queued", "paula", number)
    assert program.call("get", "/jobs?kind=nothing").json()["errors"][0]["field"] == "kind"
    line = program.call("get", "/audit?action=serial_numbers.").json()["items"][0]
    assert line["actor_name"] == "paula (Line 3)" and line["count"] == 10
