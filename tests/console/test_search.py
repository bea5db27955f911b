"""The search of the whole console: what a person types, and what they may find."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from devices.models import Batch, Device, SerialNumber, SerialNumberRun
from products.models import ProductAccess
from tests import cast

pytestmark = pytest.mark.django_db


def found(client: Client, text: str) -> str:
    response = client.get("/search/", {"s": text, "extended": "1"})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response.content.decode()


@pytest.fixture
def fleet() -> None:
    kettle = cast.kettle()
    cast.frankfurt()
    row = cast.row(kettle, "4C11AE0000A7")
    row.__class__.objects.filter(pk=row.pk).update(sn="KT000117")
    center = cast.home()
    Device.objects.create(
        data_center=center,
        product=kettle,
        device_name="4C11AE0000A7",
        sn="KT000117",
        authentication="dynamic",
        sealed_secret=b"x",
        created_at=cast.NOON,
    )
    Batch.objects.create(pk=17, product=kettle, flashing_method="per_device", source="automatic", total=10, requested_at=cast.NOON)
    run = SerialNumberRun.objects.create(product=kettle, total=1, length=8, requested_at=cast.NOON)
    SerialNumber.objects.create(product=kettle, run=run, sn="QX7K2M4P")


@pytest.mark.parametrize("text", ["4C11AE0000A7", "4c:11:ae:00:00:a7", "4c-11-ae-00-00-a7", "4c11.ae00.00a7", "4C11AE", "KT000117"])
def test_a_device_is_found_by_its_name_in_any_spelling_and_by_its_sn(fleet: None, admin_client: Client, text: str) -> None:
    page = found(admin_client, text)
    assert page.count("4C11AE0000A7") >= 2
    assert "Device in Shanghai, Kettle" in page and "Pre-import list, Kettle" in page


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("B000017", "Production batch of Kettle"),
        ("17", "Production batch of Kettle"),
        ("a1ExpAkj9Hi", "Product a1ExpAkj9Hi"),
        ("ettl", "Product a1ExpAkj9Hi"),
        ("qx7k", "Generated SN of Kettle, free"),
        ("frankf", "Data center"),
        ("pre-im", "Page"),
    ],
)
def test_other_things_are_found_by_what_people_call_them(fleet: None, admin_client: Client, text: str, words: str) -> None:
    assert words in found(admin_client, text)


@pytest.mark.parametrize("text", ["", "4", "no-such-thing", "%", "B99999999999999999999", "<script>"])
def test_what_is_not_there_is_said_and_breaks_nothing(fleet: None, admin_client: Client, text: str) -> None:
    page = found(admin_client, text)
    assert "Nothing is called so" in page
    assert "<script>" not in page


def test_nobody_finds_what_they_may_not_see(fleet: None, client: Client) -> None:
    user = get_user_model().objects.create_user("line-3", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_batch"))
    client.force_login(user)
    assert "Production batch" not in found(client, "B000017"), "of no product of theirs"
    ProductAccess.objects.create(user=user, product=Batch.objects.get(pk=17).product)
    assert "Production batch" in found(client, "B000017")
    assert "Kettle" not in found(client, "4C11AE0000A7")


def test_more_rows_ask_no_more_questions(fleet: None, admin_client: Client, django_assert_max_num_queries: Any) -> None:
    kettle = Batch.objects.get(pk=17).product
    for number in range(40):
        cast.row(kettle, f"4C11AF{number:06X}")
    with django_assert_max_num_queries(30):
        assert found(admin_client, "4C11AF").count("<li") == 6
