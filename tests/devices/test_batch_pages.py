"""The record of a batch: its list and its page, with progress, cancel, undo, download codes, and its devices (G9, N6, Q8)."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from console.models import AuditEntry
from console.shared import keyring
from console.shared.jobs import JobState
from devices.admin import progress
from devices.models import Batch, BatchFile, BatchUndo, Device, DownloadCode, PreImportedDevice
from devices.services import batches, undoing
from devices.services.batches import NewBatch
from products.models import ProductAccess
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.test_production_pages import CENTER, made, staff, waiting, worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that the page sent."""
    sent: list[tuple[str, int]] = []
    for module in ("batch_actions", "batch_downloads"):
        monkeypatch.setattr(f"devices.admin.{module}.nudge", lambda task, pk: sent.append((task, pk)))
    return sent


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(cast.administrator())
    return client


def test_the_record_shows_the_facts_and_the_quantity(boss: Client) -> None:
    batch = made()
    page = boss.get(f"/devices/batch/{batch.pk}/change/").content.decode()
    for fact in (batch.number, "Tracker", "Per-device secret", "Automatic generation", "20 devices"):
        assert fact in page


def test_a_record_is_found_by_its_number(boss: Client) -> None:
    batch = made()
    assert batch.number in boss.get("/devices/batch/", {"q": batch.number.lower()}).content.decode()
    assert batch.number not in boss.get("/devices/batch/", {"q": "B999999"}).content.decode()


def test_the_list_costs_the_same_for_one_record_and_for_many(boss: Client) -> None:
    product = made().product
    boss.get("/devices/batch/")
    with CaptureQueriesContext(connection) as one:
        boss.get("/devices/batch/")
    for _ in range(8):
        batches.request(product.pk, NewBatch(source="automatic", quantity=1), by=OPERATOR, at=NOON)
    with CaptureQueriesContext(connection) as many:
        boss.get("/devices/batch/")
    assert len(many) <= len(one)


def test_a_failed_record_says_why(boss: Client) -> None:
    batch = made()
    Batch.objects.filter(pk=batch.pk).update(state=JobState.FAILED, failure="The key is missing.", total=50)
    page = boss.get(f"/devices/batch/{batch.pk}/change/").content.decode()
    assert "The key is missing." in page
    assert "30 devices went back" in page


def test_progress_is_told_without_secrets(boss: Client) -> None:
    batch = waiting(1000)
    now = timezone.now()
    Batch.objects.filter(pk=batch.pk).update(state=JobState.RUNNING, done=400, made=400, started_at=now - timedelta(seconds=4))
    (told,) = boss.get(f"/devices/batch/progress/?ids={batch.pk},x,999").json()["batches"]
    assert (told["percent"], told["made"], told["total"], told["live"], told["label"]) == (40, "400", "1,000", True, "Running")
    assert "devices a second" in told["rate"]
    assert "left" in told["left"]
    assert set(told) == {"id", "state", "label", "percent", "made", "total", "rate", "left", "live", "version", "files", "undo"}


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "less than a second"), (1, "1 second"), (75, "75 seconds"), (100, "2 minutes"), (7300, "2 hours")]
)
def test_a_duration_is_rounded_for_people(seconds: float, words: str) -> None:
    assert progress.duration(timedelta(seconds=seconds)) == words


def test_a_waiting_batch_is_cancelled_on_its_page(boss: Client) -> None:
    batch = waiting()
    boss.post(f"/devices/batch/{batch.pk}/do/cancel/", {"reason": "wrong product"})
    batch.refresh_from_db()
    assert batch.state == JobState.CANCELLED
    assert AuditEntry.objects.get(action="batch.cancel").reason == "wrong product"


def test_the_product_page_shows_its_batches_to_those_who_may_see_them(boss: Client) -> None:
    batch = made()
    page = f"/products/product/{batch.product_id}/change/"
    assert batch.number in boss.get(page).content.decode()
    assert f"{CENTER}{batch.product_id}/" in boss.get(page).content.decode()
    other = staff("view_device")
    get_user_model().objects.get(username="sam").user_permissions.add(Permission.objects.get(codename="view_product"))
    assert batch.number not in other.get(page).content.decode()


# -- Undo, download codes and the devices of a batch -------------------------------------------------------------------------------------


def test_an_undo_wants_the_permission_a_reason_and_the_typed_number(boss: Client, nudges: list[tuple[str, int]]) -> None:
    batch = made()
    do = f"/devices/batch/{batch.pk}/do/undo/"
    assert staff("view_batch", "cancel_batch").post(do, {"reason": "wrong", "typed": batch.number}).status_code == 403
    assert "Type B" in boss.post(do, {"reason": "wrong", "typed": "B999999"}).content.decode()
    assert boss.post(do, {"reason": "", "typed": batch.number}).status_code == 200
    assert not BatchUndo.objects.exists()
    boss.post(do, {"reason": "wrong product", "typed": batch.number.lower()})
    undo = BatchUndo.objects.get()
    assert nudges == [("devices.undo_batch", undo.pk)]
    page = boss.get(f"/devices/batch/{batch.pk}/change/").content.decode()
    assert "None of its devices can register any more." in page
    assert "/codes/csv/" not in page
    undoing.carry_out(undo.pk, clock=timezone.now, sleep=lambda seconds: None)
    page = boss.get(f"/devices/batch/{batch.pk}/change/").content.decode()
    assert "20 devices went from the pre-import list" in page
    assert "wrong product" in page
    assert ">Undone<" in boss.get("/devices/batch/").content.decode()


def test_the_page_says_what_stands_in_the_way_of_an_undo(boss: Client) -> None:
    batch = made()
    b"".join(boss.post(f"/devices/batch/{batch.pk}/codes/csv/").streaming_content)
    page = boss.get(f"/devices/batch/{batch.pk}/change/").content.decode()
    assert "The activation codes were downloaded on" in page
    assert "by admin." in page
    assert "do/undo/" not in page
    assert BatchFile.objects.get().sha256 in page


def test_a_download_code_takes_both_permissions_and_is_shown_once(boss: Client) -> None:
    batch = made()
    do, wish = f"/devices/batch/{batch.pk}/do/make_code/", {"format": "csv", "note": "Factory 2", "hours": "24", "uses": "2"}
    assert staff("view_batch", "add_downloadcode").post(do, wish).status_code == 403
    assert not DownloadCode.objects.exists()
    answer = boss.post(do, wish)
    code = re.search(r"(?:[2-9A-Z]{4}-){7}[2-9A-Z]{4}", answer.content.decode())
    assert code is not None
    assert "no-store" in answer["Cache-Control"]
    assert code[0] not in boss.get(f"/devices/batch/{batch.pk}/change/").content.decode()
    row = DownloadCode.objects.get()
    assert row.number in boss.get("/devices/downloadcode/", {"q": batch.number}).content.decode()
    assert row.number in boss.get("/devices/downloadcode/", {"q": row.beginning}).content.decode()
    boss.post(f"/devices/downloadcode/{row.pk}/do/revoke/", {"reason": "sent to the wrong factory"})
    assert "sent to the wrong factory" in boss.get(f"/devices/downloadcode/{row.pk}/change/").content.decode()


def test_a_format_that_the_batch_has_not_is_not_offered_for_a_code(boss: Client) -> None:
    batch = made()
    page = boss.get(f"/devices/batch/{batch.pk}/do/make_code/").content.decode()
    assert 'value="xlsx"' in page
    assert 'value="aligenie"' not in page


def test_the_page_lists_and_finds_the_devices_of_the_batch_without_secrets(boss: Client) -> None:
    batch = made(30)
    names = list(PreImportedDevice.objects.made_in(batch.pk).values_list("device_name", flat=True))
    shanghai = cast.home()
    Device(
        data_center=shanghai,
        product_id=batch.product_id,
        device_name=names[0],
        authentication="dynamic",
        sealed_secret=b"",
        created_at=NOON,
    ).save(force_insert=True)
    page = f"/devices/batch/{batch.pk}/change/"
    first = boss.get(page).content.decode()
    assert names[0] in first
    assert "Shanghai" in first
    assert "np-badge--inactive" in first
    assert names[-1] not in first
    assert names[-1] in boss.get(page, {"page": 3}).content.decode()
    assert names[-1] in boss.get(page, {"devices": names[-1][:10]}).content.decode()
    assert "No device of this batch has this name" in boss.get(page, {"devices": "nonsense"}).content.decode()


def test_batch_data_has_the_facts_the_secrets_and_the_states(boss: Client) -> None:
    cast.home()
    batch = made()
    PreImportedDevice.objects.filter(batch=batch).update(nickname="=HYPERLINK(1)")
    data = b"".join(boss.post(f"/devices/batch/{batch.pk}/codes/data/").streaming_content)
    rows = CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["ProductKey", "DeviceName", "Nickname", "SN", "Authentication", "DeviceSecret", "State at Shanghai"]
    row = PreImportedDevice.objects.made_in(batch.pk)[0]
    assert rows[1] == [
        "L4WG9V9M2M",
        row.device_name,
        "=HYPERLINK(1)",
        "",
        "static",
        keyring.unseal(row.sealed_secret, owner=row.secret_owner()),
        "",
    ]
    assert len(rows) == 21


def test_a_factory_s_person_sees_the_batches_of_chosen_products_alone() -> None:
    mine, other = made(), made(product=cast.lamp())
    client = worker("view_batch", "download_activation_codes")
    ProductAccess.objects.create(product=mine.product, user=get_user_model().objects.get(username="sam"))
    records = client.get("/devices/batch/").content.decode()
    assert mine.number in records
    assert other.number not in records
    assert client.get(f"/devices/batch/{mine.pk}/change/").status_code == 200
    assert client.get(f"/devices/batch/{other.pk}/change/").status_code == 404
    assert client.post(f"/devices/batch/{other.pk}/codes/csv/").status_code == 404
    assert client.get(f"/devices/batch/progress/?ids={mine.pk},{other.pk}").json()["batches"][0]["id"] == mine.pk
    assert b"".join(client.post(f"/devices/batch/{mine.pk}/codes/csv/").streaming_content).startswith(b"ProductKey")
    for action in ("undo", "make_code", "cancel"):
        assert client.post(f"/devices/batch/{mine.pk}/do/{action}/", {}).status_code == 403
    assert client.get("/devices/downloadcode/").status_code == 403
