"""The device lists in the console: one per data center with a selector that stays, search, filters, the device page and its actions."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry
from console.shared import keyring
from devices.admin.device import device_key
from devices.admin.device_actions import DEVICE_ACTIONS
from devices.admin.device_filters import as_stored_mac
from devices.models import Device, PreImportedDevice
from devices.rules.admission import AlreadyActivated
from devices.services import admission, lifecycle
from products.models import DataCenter, Product
from products.services import lookup
from tests import cast
from tests.cast import NOON

pytestmark = pytest.mark.django_db
LIST = "admin:devices_device_changelist"


@pytest.fixture(autouse=True)
def administrator(client: Client) -> Any:
    cast.home()
    user = cast.administrator()
    client.force_login(user)
    return user


@pytest.fixture
def kettle() -> Product:
    return cast.kettle()


def register(product: Product, name: str, center: DataCenter | None = None, **facts: str) -> Device:
    """A pre-imported device that has registered; home, if no data center is named."""
    center = center or cast.home()
    if not PreImportedDevice.objects.filter(device_name=name).exists():
        cast.row(product, name, **facts)
    known = lookup.find_for_registration(product.key, at=NOON)
    admission.admit(data_center=center, product=known, device_name=name, at=NOON)
    return Device.objects.at(center).get(device_name=name)


def shown(client: Client, **query: str) -> set[str]:
    answer = client.get(reverse(LIST), query)
    assert answer.status_code == 200
    return {device.device_name for device in answer.context["cl"].result_list}


def page_of(device: Device) -> str:
    return reverse("admin:devices_device_change", args=[device_key(device)])


def url_of(device: Device, action: str) -> str:
    return reverse(f"admin:devices_device_{action}", args=[device_key(device)])


def do(client: Client, device: Device, action: str, **fields: str) -> str:
    return client.post(url_of(device, action), fields, follow=True).content.decode()


def select(client: Client, center: DataCenter) -> None:
    client.post(reverse("admin:devices_device_select_center"), {"code": center.code})


# -- The list ----------------------------------------------------------------------------------------------------------------------------
def test_each_data_center_has_a_list_of_its_own_and_the_selector_stays(client: Client, kettle: Product) -> None:
    register(kettle, "A4C138000001")
    register(kettle, "A4C138000002", cast.frankfurt())
    assert shown(client) == {"A4C138000001"}
    select(client, cast.frankfurt())
    assert shown(client) == {"A4C138000002"}
    client.get(reverse("admin:index"))
    assert shown(client) == {"A4C138000002"}
    select(client, cast.home())
    assert shown(client) == {"A4C138000001"}


def test_an_unknown_data_center_changes_nothing(client: Client, kettle: Product) -> None:
    register(kettle, "A4C138000001")
    client.post(reverse("admin:devices_device_select_center"), {"code": "nowhere"})
    assert shown(client) == {"A4C138000001"}
    assert client.get(reverse("admin:devices_device_select_center")).status_code == 405


@pytest.mark.parametrize(
    "text", ["A4C138000001", "a4:c1:38:00:00:01", "A4-C1-38-00-00-01", "a4c1.3800.0001", "a4c138000001", "SN-1", " SN-1 "]
)
def test_it_finds_a_device_by_its_name_in_any_spelling_or_by_its_sn(client: Client, kettle: Product, text: str) -> None:
    register(kettle, "A4C138000001", sn="SN-1")
    register(kettle, "A4C138000002", sn="SN-2")
    assert shown(client, q=text) == {"A4C138000001"}


@pytest.mark.parametrize("text", ["A4C138", "a4:c1:38", "a4-c1-38-", "a4c1.38"])
def test_it_finds_devices_by_the_beginning_of_their_names(client: Client, kettle: Product, text: str) -> None:
    register(kettle, "A4C138000001")
    register(kettle, "A4C138000002")
    register(kettle, "64C2DE000001")
    assert shown(client, q=text) == {"A4C138000001", "A4C138000002"}


@pytest.mark.parametrize("text", ["138000001", "SN", "zz", "%", "A4C138000003"])
def test_it_finds_nothing_else(client: Client, kettle: Product, text: str) -> None:
    register(kettle, "A4C138000001", sn="SN-1")
    assert shown(client, q=text) == set()


def test_free_names_are_searched_as_they_are_written() -> None:
    assert as_stored_mac("pump-7") == ""
    assert as_stored_mac("aa") == "AA"


def test_filters_by_product_state_and_origin(client: Client, kettle: Product) -> None:
    tracker = cast.tracker(auto_create=True, auto_create_limit=5)
    inactive = register(kettle, "A4C138000001")
    online, offline = register(kettle, "A4C138000002"), register(kettle, "A4C138000003")
    disabled = register(kettle, "A4C138000004")
    known = lookup.find_for_registration(tracker.key, at=NOON)
    admission.admit(data_center=cast.home(), product=known, device_name="made", at=NOON)
    for device in (online, offline):
        cast.activate(device, at=NOON)
    Device.objects.filter(pk__in=(online.pk, offline.pk)).update(last_online_at=NOON)
    Device.objects.filter(pk=offline.pk).update(last_offline_at=NOON + timedelta(minutes=1))
    lifecycle.disable(disabled, by=cast.OPERATOR, at=NOON)
    assert shown(client, product=str(kettle.pk)) == {inactive.device_name, online.device_name, offline.device_name, disabled.device_name}
    assert shown(client, state="inactive") == {inactive.device_name, "made"}
    assert shown(client, state="online") == {online.device_name}
    assert shown(client, state="offline") == {offline.device_name}
    assert shown(client, state="disabled") == {disabled.device_name}
    assert shown(client, origin__exact="auto_created") == {"made"}
    assert shown(client, authentication__exact="static") == set()
    assert len(shown(client, state="no such")) == 5
    for device in (online, offline, disabled):
        device.refresh_from_db()
    assert [device.state for device in (inactive, online, offline, disabled)] == ["inactive", "online", "offline", "disabled"]


def test_a_page_has_25_rows_and_nothing_is_counted(client: Client, kettle: Product, django_assert_max_num_queries: Any) -> None:
    for number in range(27):
        register(kettle, f"A4C1380001{number:02d}")
    client.get(reverse(LIST))
    with django_assert_max_num_queries(12) as asked:
        assert len(shown(client)) == 25
    assert not [query["sql"] for query in asked if "COUNT(" in query["sql"]]
    assert len(shown(client, p="2")) == 2


def test_no_list_or_page_shows_a_secret(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    secret = keyring.unseal(device.sealed_secret, owner=device.secret_owner())
    for url in (reverse(LIST), page_of(device), url_of(device, "reveal_secret")):
        assert secret not in client.get(url).content.decode()


def test_an_empty_list_says_what_to_do(client: Client) -> None:
    assert "No device in this data center yet" in client.get(reverse(LIST)).content.decode()
    assert "Nothing matches" in client.get(reverse(LIST), {"q": "x"}).content.decode()


# -- The page ----------------------------------------------------------------------------------------------------------------------------
def test_the_page_belongs_to_its_data_center_whatever_is_selected(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001", cast.frankfurt(), nickname="Kitchen")
    page = client.get(page_of(device)).content.decode()
    assert "Kettle in Frankfurt" in page
    assert "Kitchen" in page
    assert client.get(reverse("admin:devices_device_change", args=[f"cn-shanghai-{device.pk}"])).status_code == 404
    assert client.get(reverse("admin:devices_device_change", args=["nowhere-1"])).status_code == 404


def test_the_secret_is_shown_once_by_post_and_audited(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    secret = keyring.unseal(device.sealed_secret, owner=device.secret_owner())
    answer = client.post(url_of(device, "reveal_secret"))
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.get(action="device.reveal_secret").actor_name == "admin"


def test_local_facts_are_edited_and_the_pre_import_row_keeps_its_own(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001", nickname="Kitchen", sn="SN-1")
    there = register(kettle, "A4C138000001", cast.frankfurt())
    do(client, device, "edit", nickname="Cellar", sn="SN-9")
    device.refresh_from_db()
    there.refresh_from_db()
    assert (device.nickname, device.sn) == ("Cellar", "SN-9")
    assert (there.nickname, there.sn) == ("Kitchen", "SN-1")
    assert PreImportedDevice.objects.values_list("nickname", "sn").get() == ("Kitchen", "SN-1")


def test_a_bad_sn_names_its_field(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    answer = client.post(url_of(device, "edit"), {"nickname": "", "sn": "8.6E+14"})
    assert list(answer.context["offers"]["edit"].form.errors) == ["sn"]


def test_a_reset_device_registers_again_with_the_same_secret(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    cast.activate(device, at=NOON)
    known = lookup.find_for_registration(kettle.key, at=NOON)
    with pytest.raises(AlreadyActivated):
        admission.admit(data_center=cast.home(), product=known, device_name=device.device_name, at=NOON)
    assert "receives the same DeviceSecret" in client.get(url_of(device, "reset")).content.decode()
    do(client, device, "reset", reason="board swapped")
    again = admission.admit(data_center=cast.home(), product=known, device_name=device.device_name, at=NOON)
    assert again.device_secret == keyring.unseal(device.sealed_secret, owner=device.secret_owner())
    assert AuditEntry.objects.get(action="device.reset").reason == "board swapped"


def test_a_deleted_device_leaves_the_list_and_its_secret_is_void(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    old = keyring.unseal(device.sealed_secret, owner=device.secret_owner())
    assert "its DeviceSecret is void" in client.get(url_of(device, "remove")).content.decode()
    answer = client.post(url_of(device, "remove"), {"reason": "stolen"})
    assert answer["Location"] == reverse(LIST)
    assert shown(client) == set()
    row = PreImportedDevice.objects.get()
    assert keyring.unseal(row.sealed_secret, owner=row.secret_owner()) != old


def test_disable_and_enable(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    assert "It can neither register nor connect" in do(client, device, "disable", reason="returned")
    device.refresh_from_db()
    assert device.state == "disabled"
    do(client, device, "enable")
    device.refresh_from_db()
    assert device.state == "inactive"
    assert "not possible any more" in do(client, device, "enable")


def test_nowhere_can_a_device_be_marked_activated(client: Client, kettle: Product) -> None:
    names = {action.name for action in DEVICE_ACTIONS}
    assert names == {"edit", "reveal_secret", "reset", "disable", "enable", "remove"}
    device = register(kettle, "A4C138000001")
    client.post(page_of(device), {"activated_at": "2026-01-01"})
    device.refresh_from_db()
    assert device.activated_at is None


# -- Several at once ---------------------------------------------------------------------------------------------------------------------
def test_several_are_disabled_after_a_page_that_names_them(client: Client, kettle: Product) -> None:
    devices = [register(kettle, f"A4C13800000{number}") for number in range(3)]
    chosen = {"action": "disable_selected", "_selected_action": [str(device.pk) for device in devices[:2]]}
    page = client.post(reverse(LIST), chosen).content.decode()
    assert "2 devices in Shanghai" in page
    assert "They can neither register nor connect" in page
    assert not Device.objects.disabled().exists()
    client.post(reverse(LIST), chosen | {"confirmed": "cn-shanghai", "reason": "recall"})
    assert set(Device.objects.disabled().values_list("pk", flat=True)) == {device.pk for device in devices[:2]}
    entry = AuditEntry.objects.get(action="device.disable_many")
    assert (entry.count, entry.reason, entry.target_label) == (2, "recall", "Shanghai")
    assert sorted(entry.after["device_names"]) == sorted(device.device_name for device in devices[:2])


def test_many_are_disabled_only_when_their_number_is_typed(client: Client, kettle: Product) -> None:
    devices = [register(kettle, f"A4C1380000{number:02}") for number in range(11)]
    chosen = {"action": "disable_selected", "_selected_action": [str(device.pk) for device in devices], "confirmed": "cn-shanghai"}
    for typed in ("", "10", "eleven"):
        page = client.post(reverse(LIST), chosen | {"typed": typed, "reason": "recall"}).content.decode()
        assert "Type the number of devices to confirm: 11" in page
        assert 'value="recall"' in page
    assert not Device.objects.disabled().exists()
    client.post(reverse(LIST), chosen | {"typed": " 11 ", "reason": "recall"})
    assert Device.objects.disabled().count() == 11


def test_a_confirmation_for_another_data_center_is_asked_again(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    chosen = {"action": "disable_selected", "_selected_action": [str(device.pk)], "confirmed": "eu-frankfurt"}
    assert "Disable these devices?" in client.post(reverse(LIST), chosen).content.decode()
    assert not Device.objects.disabled().exists()


def test_those_that_are_enabled_already_are_named_and_the_others_done(client: Client, kettle: Product) -> None:
    first, second = register(kettle, "A4C138000001"), register(kettle, "A4C138000002")
    lifecycle.disable(first, by=cast.OPERATOR, at=NOON)
    chosen = {"action": "enable_selected", "_selected_action": [str(first.pk), str(second.pk)], "confirmed": "cn-shanghai"}
    page = client.post(reverse(LIST), chosen, follow=True).content.decode()
    assert "A4C138000002: The device is enabled already." in page
    assert "1 device was changed." in page


def test_a_whole_list_is_never_switched_at_once(client: Client, kettle: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.admin.bulk_switch.AT_MOST", 2)
    devices = [register(kettle, f"A4C13800000{number}") for number in range(3)]
    chosen = {"action": "disable_selected", "select_across": "1", "_selected_action": [str(devices[0].pk)]}
    assert "at most 2 devices" in client.post(reverse(LIST), chosen, follow=True).content.decode()
    assert not Device.objects.disabled().exists()


# -- Who may -----------------------------------------------------------------------------------------------------------------------------
def person(client: Client, *codenames: str) -> None:
    user = get_user_model().objects.create_user("person", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*codenames, "see_every_product"]))
    client.force_login(user)


def test_a_person_who_may_look_can_do_nothing(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    person(client, "view_device")
    answer = client.get(page_of(device))
    assert not answer.context["offers"]
    assert "changes" not in answer.context
    for action in DEVICE_ACTIONS:
        assert client.get(url_of(device, action.name)).status_code == 403
        assert client.post(url_of(device, action.name)).status_code == 403
    chosen = {"action": "disable_selected", "_selected_action": [str(device.pk)], "confirmed": "cn-shanghai"}
    client.post(reverse(LIST), chosen)
    assert not Device.objects.disabled().exists()
    assert client.post(reverse("admin:devices_device_delete", args=[device_key(device)]), {"post": "yes"}).status_code == 403


def test_changing_resetting_reading_and_deleting_are_four_rights(client: Client, kettle: Product) -> None:
    device = register(kettle, "A4C138000001")
    person(client, "view_device", "change_device")
    offers = client.get(page_of(device)).context["offers"]
    assert {"edit", "disable"} == set(offers)
    assert client.post(url_of(device, "reset")).status_code == 403
    assert client.post(url_of(device, "reveal_secret")).status_code == 403
    assert client.post(url_of(device, "remove")).status_code == 403
    assert Device.objects.exists()


def test_the_product_page_counts_its_devices_in_each_data_center(client: Client, kettle: Product) -> None:
    register(kettle, "A4C138000001")
    register(kettle, "A4C138000001", cast.frankfurt())
    page = client.get(reverse("admin:products_product_change", args=[kettle.pk])).content.decode()
    assert "In the list" in page
    person(client, "view_product")
    assert "In the list" not in client.get(reverse("admin:products_product_change", args=[kettle.pk])).content.decode()
