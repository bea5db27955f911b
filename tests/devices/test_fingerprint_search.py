"""Whose fingerprint is it? The search of the console, of the lists and of the API says so, for both slots, in any spelling, by indexes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.people import roles
from console.people.accounts import NewPerson, Rights, add
from console.shared.actors import SYSTEM
from devices.admin import batch_devices
from devices.admin.device import device_key
from devices.models import Authentication, Batch, Device, PreImportedDevice
from devices.services import device_certificates
from products.models import Product
from tests import cast
from tests.api.callers import Program
from tests.cast import OPERATOR
from tests.devices import x509_devices
from tests.devices.x509_devices import NAME, Works
from tests.products import issuing_cast
from tests.products.issuing_cast import NOW

pytestmark = pytest.mark.django_db
DEVICES, ROWS = "admin:devices_device_changelist", "admin:devices_preimporteddevice_changelist"
SHA1, SHA256 = "ab" * 20, "cd" * 32


def pairs(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()


SPELLINGS: tuple[Callable[[str], str], ...] = (str, str.upper, pairs, lambda digits: f" SHA1 Fingerprint={pairs(digits)} ")


@pytest.fixture
def works() -> Works:
    cast.home()
    return x509_devices.works(cast.kettle())


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(cast.administrator())
    return client


def found(client: Client, text: str) -> str:
    """What Ctrl K shows."""
    return client.get(reverse("admin:search"), {"s": text, "extended": "1"}).content.decode()


def listed(client: Client, page: str, text: str) -> list[str]:
    return [row.device_name for row in client.get(reverse(page), {"q": text}).context["cl"].result_list]


def page_of(device: Device) -> str:
    return reverse("admin:devices_device_change", args=[device_key(device)])


# -- Whose it is ---------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["sha1", "sha256"])
@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_device_is_found_by_the_certificate_that_it_has(operator: Client, works: Works, kind: str, spelled: Callable[[str], str]) -> None:
    certificate = works.certificate()
    device = x509_devices.arrived(works.product, certificate)
    x509_devices.arrived(works.product, works.certificate("A4C138000002"), "A4C138000002")
    text = spelled(getattr(certificate, kind))
    assert page_of(device) in found(operator, text) and "A4C138000002" not in found(operator, text)
    assert listed(operator, DEVICES, text) == [NAME]


@pytest.mark.parametrize("typed", [SHA1, SHA256])
def test_it_is_found_by_the_next_one_too_until_that_is_taken_back(operator: Client, works: Works, typed: str) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    device_certificates.expect_next(device, typed, by=OPERATOR, at=NOW)
    assert page_of(device) in found(operator, pairs(typed)) and listed(operator, DEVICES, typed) == [NAME]
    device_certificates.expect_next(device, "", by=OPERATOR, at=NOW)
    assert "Nothing is called so" in found(operator, typed) and listed(operator, DEVICES, typed) == []


def test_a_certificate_that_was_replaced_is_nobody_s_any_more(operator: Client, works: Works) -> None:
    old, new = works.certificate(), works.certificate()
    device = x509_devices.arrived(works.product, old)
    device_certificates.expect_next(device, new.sha1, by=OPERATOR, at=NOW)
    x509_devices.present(works.product, new)
    for digits in (new.sha1, new.sha256):
        assert listed(operator, DEVICES, digits) == [NAME]
    for digits in (old.sha1, old.sha256):
        assert listed(operator, DEVICES, digits) == [] and page_of(device) not in found(operator, digits)


@pytest.mark.parametrize("typed", [SHA1, SHA256])
def test_what_was_typed_in_the_pre_import_list_is_found_there(operator: Client, works: Works, typed: str) -> None:
    row = cast.row(works.product, NAME, Authentication.X509, certificate_fingerprint=typed)
    cast.row(works.product, "A4C138000002", Authentication.X509)
    assert reverse("admin:devices_preimporteddevice_change", args=[row.pk]) in found(operator, pairs(typed))
    assert listed(operator, ROWS, pairs(typed)) == [NAME] and listed(operator, ROWS, typed[:-1]) == []
    waiting = x509_devices.waiting(works.product, fingerprint=typed)
    assert page_of(waiting) in found(operator, typed) and listed(operator, DEVICES, typed) == [NAME]


def test_the_devices_of_a_batch_are_found_by_it(works: Works) -> None:
    batch = Batch.objects.create(product=works.product, flashing_method="per_device", source="workbook", total=2, requested_at=NOW)
    for name, typed in ((NAME, SHA256), ("A4C138000002", "")):
        cast.row(works.product, name, Authentication.X509, certificate_fingerprint=typed)
    PreImportedDevice.objects.update(batch=batch)
    shown = batch_devices.of_batch(batch, RequestFactory().get("/", {"devices": pairs(SHA256)}))
    assert [line.row.device_name for line in shown.lines] == [NAME]


def test_forty_digits_can_be_a_name_as_well(operator: Client) -> None:
    cast.home()
    cast.row(cast.tracker(), SHA1)
    assert listed(operator, ROWS, SHA1) == [SHA1]


def test_a_certificate_that_was_issued_here_is_found(operator: Client, works: Works) -> None:
    issued = issuing_cast.stored(cast.tracker(), "track-1")
    content = found(operator, pairs(issued.sha256))
    assert reverse("admin:products_issuedcertificate_change", args=[issued.pk]) in content and "Issued certificate, Tracker" in content
    answer = operator.get(reverse("admin:products_issuedcertificate_changelist"), {"q": f"sha256 Fingerprint={pairs(issued.sha256)}"})
    assert list(answer.context["cl"].result_list) == [issued]


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_ca_certificate_is_found_on_its_list(operator: Client, works: Works, kind: str, spelled: Callable[[str], str]) -> None:
    x509_devices.works(cast.lamp(), "Another")
    digits = getattr(works.authority, kind)
    for text in (spelled(digits), pairs(digits)[:12]):
        answer = operator.get(reverse("admin:products_certificateauthority_changelist"), {"q": text})
        assert list(answer.context["cl"].result_list) == [works.authority]
        assert reverse("admin:products_certificateauthority_change", args=[works.authority.pk]) in found(operator, text)


def test_colons_alone_find_no_ca_certificate(operator: Client, works: Works) -> None:
    assert "Nothing is called so" in found(operator, "::")


# -- Who may find it -----------------------------------------------------------------------------------------------------------------------
def test_it_is_not_found_by_those_who_work_with_other_products(works: Works) -> None:
    certificate = works.certificate()
    x509_devices.arrived(works.product, certificate)
    cast.row(works.product, "A4C138000002", Authentication.X509, certificate_fingerprint=SHA1)
    issued = issuing_cast.stored(cast.tracker(), "track-1")
    roles.make_missing(by=SYSTEM, at=NOW)
    group = Group.objects.get(name="Viewer")
    group.permissions.set(group.permissions.exclude(codename="see_every_product"))
    for product, sees in ((works.product, True), (cast.lamp(), False)):
        viewer = viewer_of(product)
        assert (NAME in found(viewer, certificate.sha256)) is sees and (NAME in listed(viewer, DEVICES, certificate.sha1)) is sees
        assert ("A4C138000002" in found(viewer, SHA1)) is sees and ("A4C138000002" in listed(viewer, ROWS, SHA1)) is sees
        for digits in (issued.sha256, works.authority.sha256):
            assert "Nothing is called so" in found(viewer, digits)
        program = Program(products=[product])
        items = program.call("get", f"/data-centers/cn-shanghai/devices?search={certificate.sha256}").json()["items"]
        assert [one["device_name"] for one in items] == ([NAME] if sees else [])


def viewer_of(product: Product) -> Client:
    person, _password = add(NewPerson(product.name, rights=Rights("Viewer", products=[product])), by=SYSTEM, at=NOW)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.pk))
    return client


def test_a_program_finds_it_as_the_lists_do(works: Works) -> None:
    program, certificate = Program(), works.certificate()
    x509_devices.arrived(works.product, certificate)
    cast.row(works.product, "A4C138000002", Authentication.X509, certificate_fingerprint=SHA256)
    for path, text, name in (
        ("/data-centers/cn-shanghai/devices", pairs(certificate.sha256), NAME),
        ("/data-centers/cn-shanghai/devices", certificate.sha1, NAME),
        ("/pre-import", pairs(SHA256), "A4C138000002"),
    ):
        items = program.call("get", f"{path}?search={text}").json()["items"]
        assert [one["device_name"] for one in items] == [name]


# -- What it costs -------------------------------------------------------------------------------------------------------------------------
def statements(client: Client, address: str, query: dict[str, str]) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse(address), query)
    return [one["sql"] for one in asked]


def test_a_search_for_anything_else_does_not_look_at_fingerprints(operator: Client, works: Works) -> None:
    certificate = works.certificate()
    x509_devices.arrived(works.product, certificate)
    for text in (NAME, SHA1[:-1], "Kitchen"):
        for address, word in ((DEVICES, "q"), (ROWS, "q"), ("admin:search", "s")):
            wheres = [sql.partition("WHERE")[2] for sql in statements(operator, address, {word: text}) if "devices_" in sql]
            assert wheres and not any("fingerprint" in where or "sha256" in where or "sha1" in where for where in wheres)
    assert len(statements(operator, DEVICES, {"q": certificate.sha1})) == len(statements(operator, DEVICES, {"q": NAME})) + 1


FLEET = """
INSERT INTO devices_device (data_center_id, product_id, device_name, nickname, sn, authentication, origin, sealed_secret,
    certificate_fingerprint, enabled, created_at, client_ids_active)
SELECT %s, %s, 'name-' || number, '', '', 'x509', 'pre_import', '', encode(sha256(number::text::bytea), 'hex'), true, now(), 0
FROM generate_series(1, 20000) AS number
"""
CERTIFICATES = """
INSERT INTO devices_devicecertificate (device_id, sha256, spki_sha256, sha1, next_sha256, next_sha1, subject, path_keys)
SELECT id, certificate_fingerprint, '', substr(certificate_fingerprint, 1, 40), certificate_fingerprint, '', '', '[]' FROM devices_device
"""
LIST = """
INSERT INTO devices_preimporteddevice
    (product_id, device_name, nickname, authentication, sealed_secret, certificate_fingerprint, created_at)
SELECT product_id, device_name, '', 'x509', '', certificate_fingerprint, now() FROM devices_device
"""


@pytest.mark.postgres
@pytest.mark.parametrize("digits", [SHA1, SHA256])
def test_indexes_answer_it(digits: str) -> None:
    center, product = cast.home(), cast.lamp()
    with connection.cursor() as cursor:
        cursor.execute(FLEET, [center.pk, product.pk])
        cursor.execute(CERTIFICATES)
        cursor.execute(LIST)
        cursor.execute("ANALYZE devices_device, devices_devicecertificate, devices_preimporteddevice")
    here, kind = Device.objects.at(center), "sha1" if len(digits) == 40 else "sha256"
    assert_plan(here.presenting(digits).order_by(), f"device_certificate_{kind}", f"device_certificate_next_{kind}")
    assert_plan(here.matching(digits), "device_by_fingerprint", "device_by_name", "device_by_sn")
    assert_plan(PreImportedDevice.objects.matching(digits), "pre_import_fingerprint", "pre_import_name", "pre_import_sn_unique")


def assert_plan(rows: Any, *indexes: str) -> None:
    plan = rows[:51].explain()
    assert "Seq Scan" not in plan and all(f"on {index}" in plan for index in indexes), plan
