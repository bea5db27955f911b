"""The device log in the console: found by product, device and request; the path in words; for those alone who may (A14, N2)."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Permission
from django.test import Client, RequestFactory
from django.urls import reverse

from devices.models import Device
from products.services import data_centers, lookup
from registration.admin.device_panel import latest_attempts
from registration.models import DeviceLogEntry
from tests import cast
from tests.registration.knocking import knock

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> list[DeviceLogEntry]:
    """In Shanghai: accepted, bad signature, not imported. In Frankfurt: accepted."""
    cast.home()
    cast.frankfurt()
    lookup.forget()
    data_centers.forget()
    product = cast.tracker()
    cast.row(product, "crate-1")
    knocks = [
        knock(product, "crate-1"),
        knock(product, "crate-1", secret="x" * 24),
        knock(product, "other-1"),
        knock(product, "crate-1", host="frankfurt.devices.test"),
    ]
    return [one.entry for one in knocks]


def person(*permissions: str) -> Any:
    user = get_user_model().objects.create_user("nora", password=cast.PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*permissions, "see_every_product"]))
    return user


@pytest.fixture
def reader(log: list[DeviceLogEntry]) -> Client:
    client = Client()
    client.force_login(person("view_devicelogentry"))
    return client


def rows(client: Client, query: str = "") -> list[DeviceLogEntry]:
    response = client.get(reverse("admin:registration_devicelogentry_changelist") + query, follow=True)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def page(entry: DeviceLogEntry) -> str:
    return reverse("admin:registration_devicelogentry_change", args=[f"{entry.data_center_id}-{entry.pk}"])


def test_it_lists_the_home_data_center_first_and_another_when_chosen(reader: Client, log: list[DeviceLogEntry]) -> None:
    assert rows(reader) == log[2::-1]
    select = reverse("admin:registration_devicelogentry_select_center")
    assert reader.post(select, {"code": "eu-frankfurt"}).status_code == 302
    assert rows(reader) == [log[3]], "the choice stays"
    assert rows(reader, "?center=cn-shanghai") == log[2::-1], "a link may name one"
    assert reader.get(select).status_code == 405


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=crate", [1, 0]),
        ("?q=crate-1", [1, 0]),
        ("?q=rate-1", []),
        ("?q=L4WG9V9M2M", [2, 1, 0]),
        ("?product=L4WG9V9M2M", [2, 1, 0]),
        ("?product=a1ExpAkj9Hi", []),
        ("?code__exact=bad_signature", [1]),
        ("?protocol=tencent-new", [2, 1, 0]),
        ("?protocol=alibaba", []),
        ("?at_from_0=2030-01-01&at_from_1=00:00:00", []),
        ("?at_from_0=2026-11-20&at_to_0=2026-11-20", [2, 1, 0]),
        ("?at_to_0=2026-11-19", []),
    ],
)
def test_it_finds_entries(reader: Client, log: list[DeviceLogEntry], query: str, found: list[int]) -> None:
    assert rows(reader, query) == [log[number] for number in found]


def test_it_finds_the_request_that_a_device_was_told_the_number_of(reader: Client, log: list[DeviceLogEntry]) -> None:
    assert rows(reader, f"?q={log[1].request_id}") == [log[1]]


def test_the_list_costs_the_same_queries_however_long_it_is(
    reader: Client, log: list[DeviceLogEntry], django_assert_max_num_queries: Any
) -> None:
    for entry in list(DeviceLogEntry.objects.all()) * 10:
        entry.pk = None
        entry.save(force_insert=True)
    with django_assert_max_num_queries(13):
        rows(reader)


def test_an_entry_s_page_shows_the_path_in_words_and_what_should_have_been_signed(reader: Client, log: list[DeviceLogEntry]) -> None:
    text = reader.get(page(log[1])).content.decode()
    assert "The product is published." in text
    assert "The signature was not made with this product&#x27;s secret." in text
    assert "np-path__refused" in text
    assert "ap-guangzhou" not in text
    assert str(log[1].request_id) in text


def test_what_a_stranger_sent_is_shown_as_text(reader: Client, log: list[DeviceLogEntry]) -> None:
    entry = log[1]
    DeviceLogEntry.objects.filter(pk=entry.pk).update(
        device_name="<script>x</script>", path=["<b>y</b>"], facts={"signed_text": "<i>z</i>"}
    )
    text = reader.get(page(entry)).content.decode() + reader.get(reverse("admin:registration_devicelogentry_changelist")).content.decode()
    assert "<script>x" not in text
    assert "<b>y" not in text
    assert "<i>z" not in text


def test_nobody_writes_in_the_log(log: list[DeviceLogEntry]) -> None:
    client = Client()
    client.force_login(cast.administrator())
    assert client.post(page(log[0]), {"code": "accepted"}).status_code == 403
    assert client.get(reverse("admin:registration_devicelogentry_add")).status_code == 403
    assert client.post(reverse("admin:registration_devicelogentry_delete", args=[log[0].pk])).status_code in (302, 403, 404)
    action = {"action": "delete_selected", "_selected_action": [log[0].pk]}
    client.post(reverse("admin:registration_devicelogentry_changelist"), action)
    assert DeviceLogEntry.objects.count() == 4


def test_a_person_without_the_permission_sees_nothing_of_it(log: list[DeviceLogEntry]) -> None:
    client = Client()
    client.force_login(person("view_product"))
    assert client.get(reverse("admin:registration_devicelogentry_changelist")).status_code == 403
    assert client.get(page(log[0])).status_code == 403
    assert client.post(reverse("admin:registration_devicelogentry_select_center"), {"code": "eu-frankfurt"}).status_code == 403


@pytest.mark.parametrize("key", ["1", "0-1", "x-y", "1-99999999", "1-1-1"])
def test_an_entry_that_is_not_there_is_not_found(reader: Client, key: str) -> None:
    assert reader.get(reverse("admin:registration_devicelogentry_change", args=[key])).status_code == 404


def test_a_device_s_page_shows_its_latest_attempts_to_those_who_may(log: list[DeviceLogEntry], rf: RequestFactory) -> None:
    device = Device.objects.at(cast.home()).get()
    request = rf.get("/")
    request.user = person("view_devicelogentry")
    shown = latest_attempts(request, device)
    assert "Bad signature" in shown
    assert "Not imported" not in shown
    assert shown.count("<tr>") == 3
    request.user = AnonymousUser()
    assert latest_attempts(request, device) == ""
