"""The pages of the pre-import list: rows by hand, and who may do what here."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.models import AuditEntry
from console.shared import keyring
from devices.admin.pre_import_forms import DeleteForm
from devices.models import Device, PreImportedDevice
from tests import cast
from tests.cast import NOON
from tests.devices import pages
from tests.devices.pages import EXPORT, IMPORT, LIST, act, page, send, staff
from tests.devices.workbooks import checked, macs

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Client:
    return pages.boss()


def arrived(row: PreImportedDevice) -> Device:
    """The device of a row, in the home data center's list."""
    home = cast.home()
    device = Device(
        data_center=home, product=row.product, device_name=row.device_name, nickname=row.nickname, sn=row.sn or "", created_at=NOON
    )
    device.authentication, device.sealed_secret = row.authentication, row.sealed_secret
    device.save(using=home.database)
    return device


# -- Rows by hand ------------------------------------------------------------------------------------------------------------------------
def test_a_row_is_added_with_its_secret(boss: Client) -> None:
    product = cast.kettle()
    facts = {"product": product.pk, "device_name": "64:c2:de:00:00:01", "nickname": "Kitchen", "sn": "", "authentication": "dynamic"}
    response = boss.post(f"{LIST}add/", facts | {"device_secret": "", "certificate_fingerprint": ""})
    row = PreImportedDevice.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(row))
    assert (row.device_name, row.sn) == ("64C2DE000001", None)
    assert len(keyring.unseal(row.sealed_secret, owner=row.secret_owner())) == 32


@pytest.mark.parametrize(
    ("facts", "field", "words"),
    [
        ({"device_name": "nonsense"}, "device_name", "digits 0-9 and A-F"),
        ({"sn": "S N"}, "sn", "An SN has"),
        ({"device_secret": "short"}, "device_secret", "8 to 63"),
        ({"certificate_fingerprint": "aa" * 20}, "certificate_fingerprint", "X.509"),
        ({"authentication": "x509", "certificate_fingerprint": "zz"}, "certificate_fingerprint", "40 hex digits"),
        ({"device_name": "64C2DE000009"}, "device_name", "already"),
    ],
)
def test_it_refuses_a_bad_row_at_its_field(boss: Client, facts: dict[str, str], field: str, words: str) -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000009")
    good = {"product": product.pk, "device_name": "64C2DE000001", "authentication": "dynamic"}
    response = boss.post(f"{LIST}add/", good | facts)
    assert words in response.context["form"].errors[field][0]
    assert PreImportedDevice.objects.count() == 1


def test_editing_a_row_leaves_the_device_in_a_list_alone(boss: Client) -> None:
    row = cast.row(cast.kettle(), "64C2DE000001", nickname="Old", sn="S1")
    device = arrived(row)
    act(boss, row, "edit", nickname="New", sn="S2", authentication="static", certificate_fingerprint="")
    row.refresh_from_db()
    device.refresh_from_db()
    assert (row.nickname, row.sn, row.authentication) == ("New", "S2", "static")
    assert (device.nickname, device.sn, device.authentication) == ("Old", "S1", "dynamic")


def test_it_refuses_static_for_a_product_that_cannot_hold_it(boss: Client) -> None:
    row = cast.row(cast.kettle(network_protocol="coap"), "64C2DE000001")
    response = act(boss, row, "edit", nickname="", sn="", authentication="static", certificate_fingerprint="")
    assert "MQTT or LwM2M" in response.content.decode()  # type: ignore[attr-defined]
    row.refresh_from_db()
    assert row.authentication == "dynamic"


def test_the_secret_is_shown_once_by_post_and_the_audit_knows(boss: Client) -> None:
    row = cast.row(cast.kettle(), "64C2DE000001")
    secret = keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    url = reverse("admin:devices_preimporteddevice_reveal_secret", args=[row.pk])
    assert secret not in boss.get(page(row)).content.decode() + boss.get(url).content.decode()
    assert not AuditEntry.objects.filter(action="pre_import.reveal_secret").exists()
    response = boss.post(url)
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert AuditEntry.objects.filter(action="pre_import.reveal_secret").count() == 1


@pytest.mark.parametrize(("choice", "left"), [(DeleteForm.KEEP, 1), (DeleteForm.VOID, 0)])
def test_deleting_a_row_asks_what_becomes_of_its_device(boss: Client, choice: str, left: int) -> None:
    product = cast.kettle()
    row = cast.row(product, "64C2DE000001")
    arrived(row)
    act(boss, row, "remove", devices=choice, reason="scrapped")
    assert (PreImportedDevice.objects.count(), Device.objects.at(cast.home()).count()) == (0, left)
    product.refresh_from_db()
    assert product.devices_taken == 0


def test_it_refuses_to_delete_without_an_answer(boss: Client) -> None:
    row = cast.row(cast.kettle(), "64C2DE000001")
    act(boss, row, "remove", reason="scrapped")
    assert PreImportedDevice.objects.exists()


def test_a_name_whose_device_went_with_its_row_can_be_added_anew_with_another_secret(boss: Client) -> None:
    """A7: the old secret opens nothing, and another device can be activated under the name."""
    product = cast.kettle()
    row = cast.row(product, "64C2DE000001")
    old = keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    arrived(row)
    act(boss, row, "remove", devices=DeleteForm.VOID, reason="")
    again = cast.row(product, "64C2DE000001")
    assert keyring.unseal(again.sealed_secret, owner=again.secret_owner()) != old


# -- Several rows ------------------------------------------------------------------------------------------------------------------------
def delete_rows(client: Client, rows: list[PreImportedDevice], **data: str) -> object:
    return client.post(LIST, {"action": "delete_rows", "_selected_action": [row.pk for row in rows], **data}, follow=True)


def test_deleting_several_rows_asks_first_and_says_what_hangs_on_them(boss: Client) -> None:
    rows = [cast.row(cast.kettle(), "64C2DE000001")]
    rows.append(cast.row(rows[0].product, "64C2DE000002"))
    arrived(rows[0])
    asked = delete_rows(boss, rows).content.decode()  # type: ignore[attr-defined]
    assert "Delete 2 rows?" in asked
    assert "Shanghai: 1 device" in asked
    assert PreImportedDevice.objects.count() == 2
    delete_rows(boss, rows, confirmed="yes", devices=DeleteForm.VOID)
    assert (PreImportedDevice.objects.count(), Device.objects.at(cast.home()).count()) == (0, 0)


def test_many_rows_are_deleted_only_when_their_number_is_typed(boss: Client) -> None:
    product = cast.kettle()
    rows = [cast.row(product, name) for [name] in macs(21)]
    delete_rows(boss, rows[:11], confirmed="yes", devices=DeleteForm.KEEP)
    delete_rows(boss, rows[:11], confirmed="yes", devices=DeleteForm.KEEP, typed="10")
    assert PreImportedDevice.objects.count() == 21
    delete_rows(boss, rows[:11], confirmed="yes", devices=DeleteForm.KEEP, typed="11")
    assert PreImportedDevice.objects.count() == 10
    delete_rows(boss, rows[11:], confirmed="yes", devices=DeleteForm.KEEP)
    assert PreImportedDevice.objects.count() == 0, "ten rows stand on the page by name"


# -- The list ----------------------------------------------------------------------------------------------------------------------------
def found(client: Client, query: str) -> list[str]:
    return [row.device_name for row in client.get(LIST, {"q": query}).context["cl"].result_list]


def test_the_list_is_searched_by_the_beginning_of_a_name_in_any_spelling_and_by_sn(boss: Client) -> None:
    product = cast.kettle()
    cast.row(product, "64C2DE000001", sn="S1")
    cast.row(product, "A4C2DE000002", sn="S2")
    assert found(boss, "64:c2:de") == found(boss, "64C2DE000001") == found(boss, "S1") == ["64C2DE000001"]
    assert found(boss, "C2DE") == []


def test_the_list_asks_few_questions_however_long_it_is(boss: Client) -> None:
    product = cast.kettle()
    boss.get(LIST)  # What a session asks only once.
    counts = []
    for number in (3, 40):
        for [name] in macs(number, first=0x64C2DE000000 + number * 1000):
            cast.row(product, name)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert boss.get(LIST).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert not any("COUNT(*)" in query["sql"] for query in queries)


def test_no_list_or_page_reads_a_sealed_secret(boss: Client) -> None:
    cast.row(cast.kettle(), "64C2DE000001")
    with CaptureQueriesContext(connection) as queries:
        boss.get(LIST)
    assert not any("sealed_secret" in query["sql"] for query in queries)


# -- Who may do what ---------------------------------------------------------------------------------------------------------------------
def test_somebody_who_only_looks_can_neither_import_nor_change() -> None:
    row = cast.row(cast.kettle(), "64C2DE000001")
    upload = checked(row.product, ["MAC"], macs(1))
    client = staff("view_preimporteddevice", "view_upload")
    assert client.get(LIST).status_code == client.get(page(row)).status_code == client.get(page(upload)).status_code == 200
    assert client.get(EXPORT).status_code == 200
    template = reverse("admin:devices_preimporteddevice_template", args=["csv"])
    for url in (IMPORT, f"{LIST}add/", template, f"{LIST}process_import/"):
        assert client.get(url).status_code == 403, url
    assert send(client, row.product, b"x").status_code == 403  # type: ignore[attr-defined]
    for name in ("edit", "reveal_secret", "remove"):
        assert act(client, row, name).status_code == 403  # type: ignore[attr-defined]
    for name in ("commit", "discard", "check_again"):
        assert act(client, upload, name, sha256=upload.sha256).status_code == 403  # type: ignore[attr-defined]
    delete_rows(client, [row], confirmed="yes", devices=DeleteForm.KEEP)
    assert PreImportedDevice.objects.count() == 1


def test_somebody_without_rights_sees_nothing() -> None:
    row = cast.row(cast.kettle(), "64C2DE000001")
    upload = checked(row.product, ["MAC"], [["bad"]])
    client = staff()
    bad_cells = reverse("admin:devices_upload_bad_cells", args=[upload.pk])
    for url in (LIST, EXPORT, page(row), page(upload), bad_cells, reverse("admin:devices_upload_progress", args=[upload.pk])):
        assert client.get(url).status_code == 403, url
