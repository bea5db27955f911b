"""The pages of mass production: who may do what, what is shown before it is used up, and how activation codes leave the house."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import AuditEntry
from console.shared.jobs import JobState
from devices.admin import progress
from devices.models import Batch, MacPool, PreImportedDevice, Upload
from devices.services import batches, mac_pools, production
from devices.services.batches import NewBatch
from devices.services.mac_pools import NewPool
from products.models import Product
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = pytest.mark.django_db
CENTER = "/devices/batch/center/"


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that pages sent."""
    sent: list[tuple[str, int]] = []
    for module in ("batch", "production_center"):
        monkeypatch.setattr(f"devices.admin.{module}.nudge", lambda task, pk: sent.append((task, pk)))
    return sent


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(cast.administrator())
    return client


def staff(*permissions: str) -> Client:
    """Somebody who has these permissions of devices and no other."""
    user = get_user_model().objects.create_user("sam", password=cast.PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="devices", codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def made(quantity: int = 20, product: Product | None = None) -> Batch:
    """A batch of trackers that was filled."""
    product = product or cast.tracker()
    batch = batches.request(product.pk, NewBatch(source="automatic", quantity=quantity), by=OPERATOR, at=NOON)
    production.fill(batch.pk, clock=lambda: NOON + timedelta(seconds=2), sleep=lambda seconds: None)
    batch.refresh_from_db()
    return batch


def waiting(quantity: int = 20) -> Batch:
    return batches.request(cast.tracker().pk, NewBatch(source="automatic", quantity=quantity), by=OPERATOR, at=NOON)


def pool(**facts: object) -> MacPool:
    return mac_pools.create(NewPool(**{"name": "Ours", "kind": "MA-L", "prefix": "A4DA32"} | facts), by=OPERATOR, at=NOON)


# -- Who may -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", CENTER),
        ("get", CENTER + "{product}/"),
        ("post", CENTER + "{product}/"),
        ("get", CENTER + "{product}/template/"),
        ("get", "/devices/batch/"),
        ("get", "/devices/batch/{batch}/change/"),
        ("post", "/devices/batch/{batch}/change/"),
        ("get", "/devices/batch/progress/?ids={batch}"),
        ("get", "/devices/batch/{batch}/do/cancel/"),
        ("post", "/devices/batch/{batch}/do/cancel/"),
        ("post", "/devices/batch/{batch}/codes/csv/"),
        ("get", "/devices/batch/{batch}/codes/csv/"),
        ("get", "/devices/macpool/"),
        ("get", "/devices/macpool/add/"),
        ("post", "/devices/macpool/add/"),
        ("get", "/devices/macpool/{pool}/change/"),
        ("post", "/devices/macpool/{pool}/do/remove/"),
    ],
)
def test_it_refuses_staff_without_the_permission(method: str, path: str) -> None:
    batch, addresses = waiting(), pool()
    path = path.format(product=batch.product_id, batch=batch.pk, pool=addresses.pk)
    assert getattr(staff("view_device"), method)(path).status_code == 403
    batch.refresh_from_db()
    assert not batch.cancel_requested
    assert not AuditEntry.objects.filter(action="batch.download").exists()


def test_looking_at_a_batch_is_not_enough_to_cancel_it_or_to_have_its_codes() -> None:
    batch, client = made(), staff("view_batch")
    page = client.get(f"/devices/batch/{batch.pk}/change/")
    assert page.status_code == 200
    assert b"may not download" in page.content
    assert client.post(f"/devices/batch/{batch.pk}/codes/csv/").status_code == 403
    assert client.post(f"/devices/batch/{batch.pk}/do/cancel/").status_code == 403
    assert client.get(f"{CENTER}{batch.product_id}/").status_code == 403


def test_codes_are_for_those_who_may_see_the_batch_too() -> None:
    assert staff("download_activation_codes").post(f"/devices/batch/{made().pk}/codes/csv/").status_code == 403


@pytest.mark.parametrize("path", ["add/", "{batch}/delete/"])
def test_nobody_adds_or_deletes_a_record_by_hand(boss: Client, path: str) -> None:
    batch = made()
    response = boss.post(f"/devices/batch/{path.format(batch=batch.pk)}", {"post": "yes"})
    assert response.status_code in (302, 403)
    assert Batch.objects.filter(pk=batch.pk).exists()
    assert Batch.objects.count() == 1


def test_nobody_edits_a_record(boss: Client) -> None:
    batch = made()
    assert boss.post(f"/devices/batch/{batch.pk}/change/", {"note": "changed"}).status_code == 403
    batch.refresh_from_db()
    assert batch.note == ""


# -- The center and the form -------------------------------------------------------------------------------------------------------------


def test_the_center_lists_published_products_alone(boss: Client) -> None:
    cast.kettle(status="developing")
    tracker = cast.tracker()
    page = boss.get(CENTER).content.decode()
    assert tracker.key in page
    assert "a1ExpAkj9Hi" not in page
    assert "1 product in development is not shown" in page
    assert "1,000" in page


def test_the_center_finds_products_by_name_and_key(boss: Client) -> None:
    cast.kettle()
    cast.tracker()
    assert b"L4WG9V9M2M" not in boss.get(CENTER, {"q": "kett"}).content
    assert b"L4WG9V9M2M" in boss.get(CENTER, {"q": "L4WG"}).content
    assert b"Nothing found" in boss.get(CENTER, {"q": "nonsense"}).content


WISH = {"flashing_method": "per_device", "source": "automatic", "quantity": "300", "note": "PO 12"}


def test_what_will_be_used_up_is_shown_before_it_is(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product, addresses = cast.kettle(), pool(stride=2)
    page = boss.post(f"{CENTER}{product.pk}/", WISH | {"mac_pool": addresses.pk}).content.decode()
    assert "Make 300 devices of Kettle?" in page
    assert "A4DA32000000" in page
    assert "A4DA32000256" in page
    assert ">700<" in page
    assert not Batch.objects.exists()
    assert nudges == []


def test_the_confirmed_wish_becomes_a_batch_and_a_message(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product, addresses = cast.kettle(), pool()
    response = boss.post(f"{CENTER}{product.pk}/", WISH | {"mac_pool": addresses.pk, "confirmed": "yes"})
    batch = Batch.objects.get()
    assert response.headers["Location"] == f"/devices/batch/{batch.pk}/change/"
    assert (batch.total, batch.note, batch.mac_pool, batch.requested_by.get_username()) == (300, "PO 12", addresses, "admin")
    assert nudges == [("devices.fill_batch", batch.pk)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quantity": ""}, "How many devices?"),
        ({"quantity": "0"}, "greater than or equal to 1"),
        ({"quantity": "500001"}, "less than or equal to 500000"),
        ({"quantity": "1001"}, "1,000 activation codes left"),
        ({"mac_pool": ""}, "Choose the pool"),
        ({"source": "upload"}, "Choose the workbook"),
        ({"flashing_method": "per_product"}, "upload the DeviceNames"),
        ({"flashing_method": "by_hand"}, "Select a valid choice"),
    ],
)
def test_it_refuses_a_wish_at_its_field(boss: Client, change: dict[str, str], words: str) -> None:
    product, addresses = cast.kettle(), pool()
    page = boss.post(f"{CENTER}{product.pk}/", WISH | {"mac_pool": str(addresses.pk), "confirmed": "yes"} | change)
    assert words in page.content.decode()
    assert not Batch.objects.exists()


def test_it_refuses_the_per_product_method_where_it_is_off(boss: Client) -> None:
    product = cast.tracker(per_product_secret=False)
    page = boss.get(f"{CENTER}{product.pk}/").content.decode()
    assert "is not enabled for this product" in page
    assert 'value="per_product"' not in page
    boss.post(f"{CENTER}{product.pk}/", WISH | {"flashing_method": "per_product", "confirmed": "yes"})
    assert not Batch.objects.exists()


def test_imeis_are_only_uploaded(boss: Client) -> None:
    page = boss.get(f"{CENTER}{cast.meter().pk}/").content.decode()
    assert 'value="automatic"' not in page
    assert 'name="workbook"' in page


def workbook(text: str, name: str = "names.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def test_an_uploaded_workbook_is_checked_then_produced(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product = cast.kettle()
    names = [f"A4:DA:32:00:00:{index:02X}" for index in range(16)]
    wish = {"flashing_method": "per_product", "source": "upload", "note": "PO 12"}
    answer = boss.post(f"{CENTER}{product.pk}/", wish | {"workbook": workbook("MAC\n" + "\n".join(names))})
    upload = Upload.objects.get()
    where = answer.headers["Location"]
    assert where == f"{CENTER}{product.pk}/?upload={upload.pk}&method=per_product&note=PO+12"
    page = boss.get(where).content.decode()
    assert "Every row is good" in page
    assert "Make 16 devices of Kettle?" in boss.post(where, wish).content.decode()
    boss.post(where, wish | {"confirmed": "yes"})
    batch = Batch.objects.get()
    assert (batch.upload, batch.total, batch.flashing_method, batch.source) == (upload, 16, "per_product", "upload")
    production.fill(batch.pk, clock=timezone.now)
    rows = PreImportedDevice.objects.made_in(batch.pk)
    assert [row.device_name for row in rows] == [name.replace(":", "") for name in names]
    assert "was made from this workbook" in boss.get(where).content.decode()


def test_nothing_is_made_from_a_workbook_with_a_bad_row(boss: Client) -> None:
    product = cast.kettle()
    wish = {"flashing_method": "per_device", "source": "upload", "note": ""}
    answer = boss.post(f"{CENTER}{product.pk}/", wish | {"workbook": workbook("MAC\nA4:DA:32:00:00:01\nA4:DA:32:00:00:0\n")})
    where = answer.headers["Location"]
    page = boss.get(where).content.decode()
    assert "12 hex digits" in page
    assert "Continue" not in page
    boss.post(where, wish | {"confirmed": "yes"})
    assert not Batch.objects.exists()


def test_it_refuses_a_file_that_is_no_workbook(boss: Client) -> None:
    wish = {"flashing_method": "per_device", "source": "upload", "note": ""}
    page = boss.post(f"{CENTER}{cast.kettle().pk}/", wish | {"workbook": workbook("MZ", "tool.exe")})
    assert page.status_code == 200
    assert not Upload.objects.exists()


def test_a_large_workbook_is_checked_in_the_background(
    boss: Client, nudges: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devices.services.uploads.SMALL", 10)
    wish = {"flashing_method": "per_device", "source": "upload", "note": ""}
    answer = boss.post(f"{CENTER}{cast.kettle().pk}/", wish | {"workbook": workbook("MAC\nA4:DA:32:00:00:01\n")})
    upload = Upload.objects.get()
    assert nudges == [("devices.check_upload", upload.pk)]
    assert "Being checked" in boss.get(answer.headers["Location"]).content.decode()


def test_the_template_is_a_workbook(boss: Client) -> None:
    answer = boss.get(f"{CENTER}{cast.kettle().pk}/template/")
    assert b"".join(answer.streaming_content).startswith(b"PK")


# -- Records -----------------------------------------------------------------------------------------------------------------------------


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
    assert set(told) == {"id", "state", "label", "percent", "made", "total", "rate", "left", "live", "version", "files"}


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
