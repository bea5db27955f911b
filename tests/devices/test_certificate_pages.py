"""The certificate that a device must present, on its page: what is known of it, and what operators do with it."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry
from console.people import roles
from console.people.accounts import NewPerson, Rights, add
from console.shared import attention
from console.shared.actors import SYSTEM
from devices.admin.device import device_key
from devices.models import Connection, Device, DeviceCertificate, DisconnectOrder
from devices.rules.certificate_refusals import CertificateRefused
from devices.services import device_certificates
from products.models import Broker, Product, RevokedSerial
from products.services import brokers, revocation
from tests import cast
from tests.cast import OPERATOR
from tests.devices import x509_devices
from tests.devices.x509_devices import NAME, Works
from tests.products.issuing_cast import NOW, pem

pytestmark = pytest.mark.django_db
LIST = "admin:devices_device_changelist"
ACTIONS = ("next_certificate", "reset_pin", "revoke_certificates")


@pytest.fixture(autouse=True)
def administrator(client: Client) -> Any:
    cast.home()
    user = cast.administrator()
    client.force_login(user)
    return user


@pytest.fixture
def works() -> Works:
    return x509_devices.works(cast.kettle())


def url_of(device: Device, action: str = "change") -> str:
    return reverse(f"admin:devices_device_{action}", args=[device_key(device)])


def page(client: Client, device: Device) -> str:
    answer = client.get(url_of(device))
    assert answer.status_code == 200
    return answer.content.decode()


def do(client: Client, device: Device, action: str, **fields: Any) -> str:
    return client.post(url_of(device, action), fields, follow=True).content.decode()


def digits_of(content: str, digits: str) -> bool:
    return f'data-copy="{digits}"' in content


# -- What the page says ------------------------------------------------------------------------------------------------------------------
def test_a_device_that_has_shown_nothing_is_taken_with_whatever_it_brings(client: Client, works: Works) -> None:
    content = page(client, x509_devices.waiting(works.product))
    assert "None expected yet" in content and "is taken, and must come again" in content
    assert "Set the next certificate" not in content and "Show the DeviceSecret" not in content


def test_an_imported_fingerprint_is_expected_before_the_device_comes(client: Client, works: Works) -> None:
    certificate = works.certificate()
    content = page(client, x509_devices.waiting(works.product, fingerprint=certificate.sha1))
    assert "Expected, not seen yet" in content and digits_of(content, certificate.sha1)
    assert "Not yet: it was given beforehand" in content


def test_after_its_connection_everything_about_the_certificate_is_there(client: Client, works: Works) -> None:
    certificate = works.certificate()
    device = x509_devices.arrived(works.product, certificate)
    content = page(client, device)
    assert "Pinned" in content and f"CN={NAME}" in content and "Example Works" in content
    assert digits_of(content, certificate.sha256) and digits_of(content, certificate.spki_sha256)
    assert reverse("admin:products_certificateauthority_change", args=[works.authority.pk]) in content
    assert f"{certificate.not_after:%Y-%m-%d}" in content
    assert "Certificate of a device pinned" in content


@pytest.mark.parametrize(("days", "words"), [(5, "Ends in 4 days"), (29, "Ends in 2"), (400, "Pinned")])
def test_a_certificate_that_ends_soon_says_so(client: Client, works: Works, days: int, words: str) -> None:
    assert words in page(client, x509_devices.arrived(works.product, works.certificate(days=days)))


def test_a_certificate_that_has_ended_says_so(client: Client, works: Works) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    DeviceCertificate.objects.of(device).update(not_after=NOW - timedelta(days=1))
    assert 'np-badge--red">Ended' in page(client, device)


def test_a_serial_number_that_was_revoked_is_told_with_who_did_it(client: Client, works: Works) -> None:
    certificate = works.certificate()
    device = x509_devices.arrived(works.product, certificate)
    revocation.revoke_serial(works.authority.pk, certificate.serial_hex, reason="key_compromise", by=OPERATOR, at=NOW)
    content = page(client, device)
    assert 'np-badge--red">Revoked' in content
    assert "Its serial number is revoked" in content and "by an operator" in content


def test_a_device_with_a_secret_has_none_of_it(client: Client, works: Works) -> None:
    device = x509_devices.waiting(works.product)
    Device.objects.filter(pk=device.pk).update(authentication="dynamic")
    content = page(client, device)
    assert "Reset the pin" not in content and "DeviceSecret" in content
    for action in ACTIONS:
        assert "not possible any more" in do(client, device, action, fingerprint="", reason="unspecified")
    assert not DeviceCertificate.objects.exists()


def test_what_if_leads_to_the_page_that_takes_a_certificate(client: Client, works: Works) -> None:
    content = page(client, x509_devices.waiting(works.product))
    assert f"{reverse('admin:registration_what_if_certificate')}?product={works.product.key}&amp;name={NAME}" in content


# -- What an operator does ---------------------------------------------------------------------------------------------------------------
def test_the_next_certificate_is_typed_or_given_as_a_file(client: Client, works: Works) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    typed, given = works.certificate(), works.signed()
    colons = ":".join(typed.sha256[at : at + 2] for at in range(0, 64, 2)).upper()
    assert "The next certificate is set." in do(client, device, "next_certificate", fingerprint=colons)
    assert digits_of(page(client, device), typed.sha256)
    file = SimpleUploadedFile("next.pem", pem(given).encode())
    assert "The next certificate is set." in do(client, device, "next_certificate", fingerprint="", file=file)
    row = DeviceCertificate.objects.of(device).get()
    assert row.next_sha256 == given.fingerprint(hashes.SHA256()).hex()
    again = SimpleUploadedFile("next.pem", pem(works.signed()).encode())
    assert "The next certificate is set." in do(client, device, "next_certificate", fingerprint=row.next_sha256, file=again)
    assert DeviceCertificate.objects.of(device).get().next_sha256 != row.next_sha256
    assert "No next certificate" in do(client, device, "next_certificate", fingerprint="")
    assert DeviceCertificate.objects.of(device).get().next_sha256 == ""


def test_with_the_next_certificate_the_device_changes_and_the_old_one_is_refused(client: Client, works: Works) -> None:
    old, new = works.certificate(), works.certificate()
    device = x509_devices.arrived(works.product, old)
    do(client, device, "next_certificate", fingerprint=new.sha1)
    x509_devices.present(works.product, new)
    content = page(client, device)
    assert digits_of(content, new.sha256) and not digits_of(content, old.sha256)
    with pytest.raises(CertificateRefused) as refused:
        x509_devices.present(works.product, old)
    assert refused.value.facts["seen"] == old.sha256


@pytest.mark.parametrize("fields", [{"fingerprint": "12:34"}, {"fingerprint": "x" * 64}])
def test_a_bad_fingerprint_comes_back_into_the_dialog(client: Client, works: Works, fields: dict[str, str]) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    for action in ("next_certificate", "reset_pin"):
        answer = client.post(url_of(device, action), fields)
        assert answer.status_code == 200 and "SHA-1 as 40 hex digits or SHA-256 as 64" in answer.content.decode()
        assert answer.context["offers"][action].form.errors["fingerprint"]


def test_a_private_key_among_the_file_is_refused_and_both_at_once_too(client: Client, works: Works) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    key = SimpleUploadedFile("device.pem", b"-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n")
    assert "private key" in do(client, device, "next_certificate", fingerprint="", file=key)
    file = SimpleUploadedFile("next.pem", pem(works.signed()).encode())
    assert "one of the two" in do(client, device, "next_certificate", fingerprint="ab" * 20, file=file)
    assert DeviceCertificate.objects.of(device).get().next_sha256 == ""


def test_the_certificate_that_is_expected_already_is_not_the_next_one(client: Client, works: Works) -> None:
    certificate = works.certificate()
    device = x509_devices.arrived(works.product, certificate)
    assert "expected already" in do(client, device, "next_certificate", fingerprint=certificate.sha256)


def test_a_reset_takes_the_next_certificate_that_comes(client: Client, works: Works) -> None:
    old, new = works.certificate(), works.certificate()
    device = x509_devices.arrived(works.product, old)
    assert "the next certificate that the device presents is taken" in do(client, device, "reset_pin", reason="Board replaced")
    assert "None expected yet" in page(client, device)
    assert AuditEntry.objects.get(action="device.reset_pin").reason == "Board replaced"
    x509_devices.present(works.product, new)
    assert digits_of(page(client, device), new.sha256)


def test_a_reset_to_a_known_certificate_refuses_any_other(client: Client, works: Works) -> None:
    old, new = works.certificate(), works.certificate()
    device = x509_devices.arrived(works.product, old)
    assert "is expected from now on" in do(client, device, "reset_pin", fingerprint=new.sha1, reason="")
    with pytest.raises(CertificateRefused):
        x509_devices.present(works.product, old)
    x509_devices.present(works.product, new)


def test_revoking_cuts_the_device_off_and_only_a_reset_leads_back(client: Client, works: Works) -> None:
    certificate = works.certificate()
    device = x509_devices.arrived(works.product, certificate)
    connected(device)
    content = do(client, device, "revoke_certificates", reason="key_compromise", note="Stolen")
    assert "1 connection is to be cut off." in content
    assert "until its pin is reset" in content
    assert url_of(device, "next_certificate") not in content and url_of(device, "revoke_certificates") not in content
    assert DisconnectOrder.objects.of(device).get().reason == "certificate"
    assert RevokedSerial.objects.get().serial == certificate.serial_hex
    with pytest.raises(CertificateRefused):
        x509_devices.present(works.product, certificate)
    do(client, device, "reset_pin")
    with pytest.raises(CertificateRefused):
        x509_devices.present(works.product, certificate)
    x509_devices.present(works.product, works.certificate())


def connected(device: Device) -> None:
    """At a broker that can drop it."""
    nothing = {"vhost": "/", "management_url": "", "management_user": "", "management_secret": None, "events_url": None}
    facts: dict[str, Any] = {"name": "EMQX", "kind": "emqx", "data_center": device.data_center, "enabled": True, **nothing}
    broker = brokers.save(Broker(), **facts, by=SYSTEM, at=NOW)
    Connection.objects.create(device=device, broker_id=broker.pk, mqtt_client_id="c1", connected_at=NOW)


@pytest.mark.parametrize(("role", "may"), [("Viewer", False), ("Operator", False), ("Security", True), (roles.ADMINISTRATOR, True)])
def test_the_actions_are_for_security(works: Works, role: str, may: bool) -> None:
    roles.make_missing(by=SYSTEM, at=NOW)
    device = x509_devices.arrived(works.product, works.certificate())
    person, _password = add(NewPerson("petra", rights=Rights(role=role)), by=SYSTEM, at=NOW)
    client = Client()
    client.force_login(person)
    content = page(client, device)
    assert f"CN={NAME}" in content
    for action in ACTIONS:
        assert (url_of(device, action) in content) == may
        assert client.get(url_of(device, action)).status_code == (200 if may else 403)


# -- Where many devices are looked at ----------------------------------------------------------------------------------------------------
@pytest.fixture
def fleet(works: Works) -> dict[str, Device]:
    ages = {"A4C138000001": 5, "A4C138000002": 400, "A4C138000003": 400, "A4C138000004": 400, "A4C138000005": 20}
    found = {name: x509_devices.arrived(works.product, works.certificate(name, days=days), name) for name, days in ages.items()}
    device_certificates.expect_next(found["A4C138000002"], "ab" * 32, by=OPERATOR, at=NOW)
    device_certificates.revoke(found["A4C138000003"], reason="unspecified", by=OPERATOR, at=NOW)
    device_certificates.revoke(found["A4C138000005"], reason="unspecified", by=OPERATOR, at=NOW)
    DeviceCertificate.objects.of(found["A4C138000004"]).update(not_after=NOW - timedelta(days=1))
    return found


@pytest.mark.parametrize(
    ("word", "names"),
    [("ends", {"0001"}), ("changing", {"0002"}), ("revoked", {"0003", "0005"}), ("ended", {"0004"}), ("nonsense", None)],
)
def test_the_list_is_filtered_by_the_certificate(client: Client, fleet: dict[str, Device], word: str, names: set[str] | None) -> None:
    shown = {device.device_name for device in client.get(reverse(LIST), {"certificate": word}).context["cl"].result_list}
    assert shown == ({f"A4C13800{name}" for name in names} if names is not None else set(fleet))


def test_what_needs_attention_counts_those_that_end_and_leads_to_them(client: Client, fleet: dict[str, Device], administrator: Any) -> None:
    (alert,) = of_certificates(administrator)
    assert alert.count == 1 and not alert.at_least
    answer = client.get(alert.url, follow=True)
    assert [device.device_name for device in answer.context["cl"].result_list] == ["A4C138000001"]


def test_disabled_devices_and_those_of_other_products_need_nobody_s_attention(fleet: dict[str, Device]) -> None:
    roles.make_missing(by=SYSTEM, at=NOW)
    mine, other = (viewer_of(product) for product in (fleet["A4C138000001"].product, cast.lamp()))
    assert len(of_certificates(mine)) == 1 and not of_certificates(other)
    Device.objects.filter(device_name="A4C138000001").update(enabled=False)
    assert not of_certificates(mine)


def viewer_of(product: Product) -> Any:
    """Who works with this product alone."""
    group = Group.objects.get(name="Viewer")
    group.permissions.set(group.permissions.exclude(codename="see_every_product"))
    person, _password = add(NewPerson(product.name, rights=Rights("Viewer", products=[product])), by=SYSTEM, at=NOW)
    return get_user_model().objects.get(pk=person.pk)


def of_certificates(user: Any) -> list[Any]:
    return [one for one in attention.alerts(user, NOW) if "end within 30 days" in str(one.title)]


def test_the_page_of_the_product_counts_them_too(client: Client, fleet: dict[str, Device], works: Works) -> None:
    content = client.get(reverse("admin:products_product_change", args=[works.product.pk])).content.decode()
    link = f"{reverse(LIST)}?center={cast.home().code}&amp;product={works.product.pk}&amp;certificate=ends"
    assert f'<a class="np-link" href="{link}">1 certificate ends within 30 days</a>' in content
    other = client.get(reverse("admin:products_product_change", args=[cast.lamp().pk])).content.decode()
    assert "within 30 days" not in other
