"""Drift (N10): the pre-import list beside each data center's device list."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.models import AuditEntry
from devices.models import Device, PreImportedDevice
from devices.rules.drift import Drift, Row, There, beside
from devices.services import admission, drift, lifecycle, pre_import
from products.models import Product
from products.services import access, lookup
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices import pages
from tests.devices.test_own_database import run

LISTED, CSV = "/devices/preimporteddevice/drift/", "/devices/preimporteddevice/drift.csv"


def come(product: Product, name: str, **changes: Any) -> Device:
    """The device registers at home; then somebody edits it there."""
    known = lookup.find_for_registration(product.key, at=NOON)
    admission.admit(data_center=cast.home(), product=known, device_name=name, at=NOON)
    Device.objects.filter(device_name=name).update(**changes)
    return Device.objects.get(device_name=name)


def names(found: drift.Page) -> list[str]:
    return [line.device_name for line in found.lines]


# -- What counts as a difference ---------------------------------------------------------------------------------------------------------
ROW = Row(1, "64C2DE000001", "Kitchen", None, "x509", "")
THERE = There(7, "64C2DE000001", "Kitchen", "", "x509", "ab" * 20, "pre_import", True, None, None, None, None, None)


def test_a_fingerprint_of_the_first_connection_and_a_missing_sn_are_no_difference() -> None:
    assert beside(ROW, THERE).drift == Drift.SAME


@pytest.mark.parametrize(
    ("row", "there", "differing"),
    [
        (ROW._replace(nickname="Bath"), THERE, ("nickname",)),
        (ROW, THERE._replace(sn="S1"), ("sn",)),
        (ROW, THERE._replace(authentication="dynamic"), ("authentication",)),
        (ROW._replace(certificate_fingerprint="cd" * 20), THERE, ("certificate_fingerprint",)),
    ],
)
def test_each_compared_value_that_differs_is_named(row: Row, there: There, differing: tuple[str, ...]) -> None:
    line = beside(row, there)
    assert (line.drift, line.differing) == (Drift.DIFFERS, differing)


def test_a_device_that_was_handed_a_certificate_when_it_registered_is_no_difference() -> None:
    row = ROW._replace(authentication="dynamic")
    assert beside(row, THERE._replace(registered_at=NOON)).drift == Drift.SAME
    assert beside(row, THERE).differing == ("authentication", "certificate_fingerprint")
    typed = row._replace(authentication="x509", certificate_fingerprint="cd" * 20)
    assert beside(typed, THERE._replace(registered_at=NOON)).differing == ("certificate_fingerprint",)
    assert beside(ROW._replace(authentication="static"), THERE._replace(registered_at=NOON)).drift == Drift.DIFFERS


def test_one_side_alone_says_which() -> None:
    assert (beside(ROW, None).drift, beside(None, THERE).drift) == (Drift.ONLY_HERE, Drift.ONLY_THERE)


# -- The lists beside each other -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def kettle(db: None) -> Product:
    """One equal, one edited there, one that has not come, one whose row was deleted, one created automatically."""
    cast.home()
    product = cast.kettle(auto_create=True, auto_create_limit=10)
    for number in (1, 2, 3, 4):
        cast.row(product, f"64C2DE00000{number}", nickname="Kitchen")
    come(product, "64C2DE000001")
    come(product, "64C2DE000002", nickname="Bath", sn="S2")
    come(product, "64C2DE000004")
    row = PreImportedDevice.objects.get(device_name="64C2DE000004")
    pre_import.delete([row.pk], with_devices=False, by=OPERATOR, at=NOON)
    come(product, "64C2DE000005")
    return product


def test_every_row_stands_beside_its_device(kettle: Product) -> None:
    found = drift.page(kettle, cast.home())
    assert [(line.device_name[-1], line.drift) for line in found.lines] == [("1", "same"), ("2", "differs"), ("3", "only_here")]
    assert found.lines[1].differing == ("nickname", "sn")


@pytest.mark.parametrize(("wanted", "expected"), [("differs", ["2"]), ("only_here", ["3"]), ("only_there", ["4", "5"])])
def test_one_kind_alone(kettle: Product, wanted: str, expected: list[str]) -> None:
    assert [name[-1] for name in names(drift.page(kettle, cast.home(), wanted=Drift(wanted)))] == expected


def test_each_data_center_is_compared_by_itself(kettle: Product) -> None:
    assert {line.drift for line in drift.page(kettle, cast.frankfurt()).lines} == {Drift.ONLY_HERE}


def test_another_product_s_device_of_the_same_name_is_not_its_device(kettle: Product) -> None:
    lamp = cast.lamp()
    cast.row(lamp, "64C2DE000002")
    assert [line.drift for line in drift.page(lamp, cast.home()).lines] == [Drift.ONLY_HERE]


def test_pages_go_on_where_the_last_one_ended(kettle: Product) -> None:
    first = drift.page(kettle, cast.home(), size=2)
    second = drift.page(kettle, cast.home(), size=2, after=first.next or 0)
    assert (names(first)[0][-1], names(second)[0][-1], second.next) == ("1", "3", None)
    there = drift.page(kettle, cast.home(), wanted=Drift.ONLY_THERE, size=1)
    rest = drift.page(kettle, cast.home(), wanted=Drift.ONLY_THERE, size=1, after=there.next or 0)
    assert (names(there) + names(rest), rest.next) == (["64C2DE000004", "64C2DE000005"], None)


def test_a_page_looks_through_so_much_and_no_more(kettle: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the length of the list, the number of questions stays."""
    monkeypatch.setattr(drift, "TOGETHER", 10)
    for number in range(60):
        cast.row(kettle, f"A4C2DE0000{number:02X}")
    come(kettle, "A4C2DE000030", nickname="late")
    home = cast.home()
    with CaptureQueriesContext(connection) as asked:
        found = drift.page(kettle, home, wanted=Drift.DIFFERS)
    assert (names(found), found.looked_through, found.next is not None, len(asked)) == (["64C2DE000002"], 10, True, 2)
    rest = drift.page(kettle, cast.home(), wanted=Drift.DIFFERS, after=found.next or 0, stretches=10)
    assert (names(rest), rest.looked_through, rest.next) == (["A4C2DE000030"], 53, None)


def test_the_export_compares_to_the_end_in_stretches_and_is_audited(kettle: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "TOGETHER", 2)
    lines = list(drift.export(kettle, cast.home(), by=OPERATOR, at=NOON))
    assert [line.drift for line in lines] == ["same", "differs", "only_here"]
    line = AuditEntry.objects.get(action="pre_import.export_drift")
    assert line.after == {"product": kettle.key, "data_center": "cn-shanghai", "shown": "all"}


@pytest.mark.storage
def test_data_centers_with_databases_of_their_own_are_compared_by_name(tmp_path: Any) -> None:
    assert run(tmp_path, "tests/devices/own_database_drift_story.py").endswith("told")


# -- Pages -------------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def boss(db: None) -> Client:
    return pages.boss()


def test_the_page_shows_what_differs_and_says_that_it_is_no_error(boss: Client, kettle: Product) -> None:
    text = boss.get(LISTED).content.decode()
    assert "a difference is no error" in text
    assert "Kitchen" in text and "Bath" in text
    text = boss.get(LISTED, {"product": kettle.pk, "center": "cn-shanghai", "show": "only_there"}).content.decode()
    assert "It was created automatically when it registered." in text
    assert "Its row was deleted from the pre-import list" in text
    assert "64C2DE000001" not in text


def test_a_device_with_several_lines_of_history_takes_its_questions_once(boss: Client, kettle: Product) -> None:
    boss.get(LISTED)
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(connection) as asked:
            boss.get(LISTED)
        counts.append(len(asked))
        for number in range(20):
            cast.row(kettle, f"A4C2DE{_round:02X}00{number:02X}")
    assert counts[0] == counts[1] <= 12


def test_the_page_of_a_row_shows_it_beside_every_data_center(boss: Client, kettle: Product) -> None:
    cast.frankfurt()
    row = PreImportedDevice.objects.get(device_name="64C2DE000002")
    text = boss.get(pages.page(row)).content.decode()
    assert "What the data centers made of it" in text
    assert "Shanghai" in text and "Frankfurt" in text
    assert "Bath" in text and "Not there" in text


def test_a_deleted_device_is_not_there_any_more(boss: Client, kettle: Product) -> None:
    lifecycle.delete(Device.objects.get(device_name="64C2DE000002"), by=OPERATOR, at=NOON)
    row = PreImportedDevice.objects.get(device_name="64C2DE000002")
    assert "Bath" not in boss.get(pages.page(row)).content.decode()


def test_the_csv_holds_both_sides_and_no_secret(boss: Client, kettle: Product) -> None:
    Device.objects.filter(device_name="64C2DE000002").update(nickname="=1+1")
    answer = boss.get(CSV, {"product": kettle.pk, "center": "cn-shanghai", "show": "differs"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert lines[1].startswith("64C2DE000002,differs,Kitchen,'=1+1,,S2,dynamic,dynamic,,,inactive,")


@pytest.mark.parametrize("query", [{"product": "999"}, {"center": "nowhere"}, {"product": "x"}])
def test_it_refuses_what_is_not_there(boss: Client, kettle: Product, query: dict[str, str]) -> None:
    assert boss.get(LISTED, query).status_code == 404


@pytest.mark.parametrize("url", [LISTED, CSV])
def test_it_refuses_who_may_see_only_one_of_the_lists(kettle: Product, url: str) -> None:
    assert pages.staff("view_preimporteddevice").get(url).status_code == 403


def test_a_person_with_chosen_products_sees_theirs_alone(kettle: Product) -> None:
    lamp = cast.lamp()
    user = get_user_model().objects.create_user("pia", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_preimporteddevice", "view_device"]))
    access.choose(user, [lamp], by=OPERATOR, at=NOON)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=user.pk))
    assert "Kettle" not in client.get(LISTED).content.decode()
    for url in (LISTED, CSV):
        assert client.get(url, {"product": kettle.pk}).status_code == 404
