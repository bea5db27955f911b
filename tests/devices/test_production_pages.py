"""The pages of mass production: who may do what, what is shown before it is used up, and how activation codes leave the house."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry
from devices.models import Batch, MacPool, PreImportedDevice, Upload
from devices.services import batches, mac_pools, production
from devices.services.batches import NewBatch
from devices.services.mac_pools import NewPool
from products.models import Product, ProductAccess
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = pytest.mark.django_db
CENTER = "/devices/batch/center/"


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that pages sent."""
    sent: list[tuple[str, int]] = []
    for module in ("batch_actions", "batch_downloads", "production_center"):
        monkeypatch.setattr(f"devices.admin.{module}.nudge", lambda task, pk: sent.append((task, pk)))
    return sent


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(cast.administrator())
    return client


def staff(*permissions: str) -> Client:
    """Somebody who has these permissions and sees every product."""
    return worker(*permissions, "see_every_product")


def worker(*permissions: str) -> Client:
    """Somebody who has these permissions, for chosen products."""
    user = get_user_model().objects.create_user("sam", password=cast.PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
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


def review(product: Product, **change: object) -> str:
    """The address of the last step before the start, with these answers."""
    answers = {name: value for name, value in {**WISH, **change}.items() if value != ""}
    return f"{CENTER}{product.pk}/?{urlencode(answers | {'step': 'review'})}"


def start(client: Client, product: Product, wish: str = "form-1", **change: object) -> HttpResponse:
    return client.post(review(product, **change), {"confirmed": "yes", "wish": wish})


def test_the_way_begins_with_the_flashing_method(boss: Client) -> None:
    page = boss.get(f"{CENTER}{cast.kettle().pk}/").content.decode()
    assert 'value="per_device"' in page
    assert 'value="per_product"' in page
    assert 'name="quantity"' not in page
    assert page.count('aria-current="step"') == 1


def test_the_answers_stand_in_the_address(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product, addresses = cast.kettle(), pool()
    here = f"{CENTER}{product.pk}/?flashing_method=per_device"
    answer = boss.post(here, {"source": "automatic", "quantity": "300", "mac_pool": addresses.pk, "note": "PO 12"})
    where = answer.headers["Location"]
    assert parse_qs(urlsplit(where).query).items() >= {"quantity": ["300"], "step": ["review"], "note": ["PO 12"]}.items()
    assert "Make 300 devices of Kettle?" in boss.get(where).content.decode()
    assert "Make 300 devices of Kettle?" in boss.get(where).content.decode()
    back = f"{CENTER}{product.pk}/?{urlencode(WISH)}"
    assert 'value="300"' in boss.get(back).content.decode()
    assert not Batch.objects.exists()


def test_what_will_be_used_up_is_shown_before_it_is(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product, addresses = cast.kettle(), pool(stride=2)
    page = boss.get(review(product, mac_pool=addresses.pk)).content.decode()
    assert "Make 300 devices of Kettle?" in page
    assert "A4DA32000000" in page
    assert "A4DA32000256" in page
    assert ">700<" in page
    assert not Batch.objects.exists()
    assert nudges == []


def test_the_confirmed_wish_becomes_a_batch_and_a_message(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product, addresses = cast.kettle(), pool()
    response = start(boss, product, mac_pool=addresses.pk)
    batch = Batch.objects.get()
    assert response.headers["Location"] == f"/devices/batch/{batch.pk}/change/"
    assert (batch.total, batch.note, batch.mac_pool, batch.requested_by.get_username()) == (300, "PO 12", addresses, "admin")
    assert nudges == [("devices.fill_batch", batch.pk)]


def test_a_form_that_is_sent_twice_makes_one_batch(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product = cast.tracker()
    first = start(boss, product)
    again = start(boss, product)
    assert again.headers["Location"] == first.headers["Location"]
    assert Batch.objects.count() == len(nudges) == 1
    product.refresh_from_db()
    assert product.codes_used == 300
    assert "was started from this page already" in boss.get(review(product, wish="form-1")).content.decode()
    start(boss, product, wish="form-2")
    assert Batch.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quantity": ""}, "How many devices?"),
        ({"quantity": "0"}, "greater than or equal to 1"),
        ({"quantity": "500001"}, "less than or equal to 500000"),
        ({"quantity": "1001"}, "1,000 activation codes left"),
        ({"mac_pool": ""}, "Choose the pool"),
        ({"source": "upload"}, "Choose the workbook"),
        ({"flashing_method": "per_product"}, "DeviceNames are uploaded"),
        ({"flashing_method": "by_hand"}, "Flashing method"),
    ],
)
def test_it_refuses_a_wish_at_its_field(boss: Client, change: dict[str, str], words: str) -> None:
    product, addresses = cast.kettle(), pool()
    wish = {"mac_pool": str(addresses.pk)} | change
    assert words in boss.get(review(product, **wish)).content.decode()
    assert words in start(boss, product, **wish).content.decode()
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("facts", "words", "link"),
    [
        ({"status": "developing"}, "only published products are produced", "do/publish/"),
        ({"codes_used": 1000}, "no activation codes left", "do/grant_codes/"),
        ({"device_quota": 0}, "device quota is used up", "do/edit/"),
    ],
)
def test_what_stands_in_the_way_is_said_at_once_with_the_page_that_mends_it(
    boss: Client, facts: dict[str, object], words: str, link: str
) -> None:
    product = cast.tracker()
    Product.objects.filter(pk=product.pk).update(**facts)
    for address in (f"{CENTER}{product.pk}/", f"{CENTER}{product.pk}/?flashing_method=per_device", review(product)):
        page = boss.get(address).content.decode()
        assert words in page
        assert f"/products/product/{product.pk}/{link}" in page
        assert "Start production" not in page
        assert ">Continue<" not in page
    assert start(boss, product).status_code == 200
    assert not Batch.objects.exists()


def test_who_may_not_mend_it_is_not_sent_there() -> None:
    product = cast.tracker(status="developing")
    client = worker("view_batch", "add_batch")
    ProductAccess.objects.create(product=product, user=get_user_model().objects.get(username="sam"))
    page = client.get(f"{CENTER}{product.pk}/").content.decode()
    assert "only published products are produced" in page
    assert "do/publish/" not in page


def test_a_pool_that_is_too_small_is_named_with_the_way_to_another_one(boss: Client) -> None:
    product = cast.kettle()
    small = pool(kind="MA-S", prefix="70B3D5F2E", reserve=4000)
    page = boss.get(review(product, mac_pool=small.pk)).content.decode()
    assert "96 MAC addresses left; 300 were asked for" in page
    assert "/devices/macpool/add/" in page
    assert "Start production" not in page


def test_it_refuses_the_per_product_method_where_it_is_off(boss: Client) -> None:
    product = cast.tracker(per_product_secret=False)
    page = boss.get(f"{CENTER}{product.pk}/").content.decode()
    assert "This method is not enabled for the product." in page
    assert f"/products/product/{product.pk}/do/enable_per_product/" in page
    assert 'value="per_product"' not in page
    start(boss, product, flashing_method="per_product")
    assert not Batch.objects.exists()


def test_imeis_are_only_uploaded(boss: Client) -> None:
    page = boss.get(f"{CENTER}{cast.meter().pk}/?flashing_method=per_device").content.decode()
    assert 'value="automatic"' not in page
    assert 'name="workbook"' in page


def test_names_for_the_per_product_secret_are_only_uploaded(boss: Client) -> None:
    page = boss.get(f"{CENTER}{cast.tracker().pk}/?flashing_method=per_product").content.decode()
    assert 'value="automatic"' not in page
    assert 'name="workbook"' in page


def test_another_person_s_product_is_not_there() -> None:
    product, client = cast.tracker(), worker("view_batch", "add_batch")
    assert product.key not in client.get(CENTER).content.decode()
    assert client.get(f"{CENTER}{product.pk}/").status_code == 404
    assert start(client, product).status_code == 404


def workbook(text: str, name: str = "names.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def send(client: Client, product: Product, file: SimpleUploadedFile, method: str = "per_device") -> HttpResponse:
    return client.post(f"{CENTER}{product.pk}/?flashing_method={method}", {"source": "upload", "note": "PO 12", "workbook": file})


def test_an_uploaded_workbook_is_checked_then_produced(boss: Client, nudges: list[tuple[str, int]]) -> None:
    product = cast.kettle()
    names = [f"A4:DA:32:00:00:{index:02X}" for index in range(16)]
    where = send(boss, product, workbook("MAC\n" + "\n".join(names)), "per_product").headers["Location"]
    upload = Upload.objects.get()
    assert parse_qs(urlsplit(where).query) == {
        "flashing_method": ["per_product"], "note": ["PO 12"], "source": ["upload"], "upload": [str(upload.pk)],
    }  # fmt: skip
    page = boss.get(where).content.decode()
    assert "Every row is good" in page
    assert "step=review" in page
    assert "Make 16 devices of Kettle?" in boss.get(f"{where}&step=review").content.decode()
    boss.post(f"{where}&step=review", {"confirmed": "yes", "wish": "form-1"})
    batch = Batch.objects.get()
    assert (batch.upload, batch.total, batch.flashing_method, batch.source) == (upload, 16, "per_product", "upload")
    assert batch.note == "PO 12"
    production.fill(batch.pk, clock=timezone.now)
    rows = PreImportedDevice.objects.made_in(batch.pk)
    assert [row.device_name for row in rows] == [name.replace(":", "") for name in names]
    assert "was made from this workbook" in boss.get(where).content.decode()


def test_nothing_is_made_from_a_workbook_with_a_bad_row(boss: Client) -> None:
    product = cast.kettle()
    where = send(boss, product, workbook("MAC\nA4:DA:32:00:00:01\nA4:DA:32:00:00:0\n")).headers["Location"]
    page = boss.get(where).content.decode()
    assert "12 hex digits" in page
    assert "Continue" not in page
    boss.post(f"{where}&step=review", {"confirmed": "yes", "wish": "form-1"})
    assert not Batch.objects.exists()


def test_it_refuses_a_file_that_is_no_workbook(boss: Client) -> None:
    page = send(boss, cast.kettle(), workbook("MZ", "tool.exe"))
    assert page.status_code == 200
    assert not Upload.objects.exists()


def test_a_large_workbook_is_checked_in_the_background(
    boss: Client, nudges: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devices.services.uploads.SMALL", 10)
    answer = send(boss, cast.kettle(), workbook("MAC\nA4:DA:32:00:00:01\n"))
    upload = Upload.objects.get()
    assert nudges == [("devices.check_upload", upload.pk)]
    assert "Being checked" in boss.get(answer.headers["Location"]).content.decode()


def test_the_template_is_a_workbook(boss: Client) -> None:
    answer = boss.get(f"{CENTER}{cast.kettle().pk}/template/")
    assert b"".join(answer.streaming_content).startswith(b"PK")
