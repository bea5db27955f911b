"""A program looks after the certificates that devices must present, and asks what would become of one."""

from typing import Any

import pytest

from devices.models import Device, DeviceCertificate
from devices.rules.certificate_refusals import CertificateRefused
from tests import cast
from tests.api.callers import Program
from tests.devices import x509_devices
from tests.devices.x509_devices import NAME, Works
from tests.products.issuing_cast import pem

pytestmark = pytest.mark.django_db
CENTER = "/data-centers/cn-shanghai"


@pytest.fixture
def works() -> Works:
    cast.home()
    return x509_devices.works(cast.kettle())


@pytest.fixture
def program(works: Works) -> Program:
    return Program()


def path_of(device: Device, word: str = "") -> str:
    return f"{CENTER}/devices/{device.pk}/certificate" + (f"/{word}" if word else "")


def test_it_reads_what_is_expected_and_what_was_seen(program: Program, works: Works) -> None:
    certificate = works.certificate()
    device = x509_devices.arrived(works.product, certificate)
    body = program.call("get", path_of(device)).json()
    assert (body["sha256"], body["spki_sha256"], body["sha1"]) == (certificate.sha256, certificate.spki_sha256, certificate.sha1)
    assert (body["serial"], body["subject"]) == (certificate.serial_hex, f"CN={NAME}")
    assert body["certificate_authority"] == works.authority.pk
    assert body["first_seen_at"] and body["revoked_at"] is None and body["next_set_at"] is None


def test_of_a_device_that_did_not_come_yet_it_reads_what_was_imported(program: Program, works: Works) -> None:
    body = program.call("get", path_of(x509_devices.waiting(works.product, fingerprint="ab" * 20))).json()
    assert (body["sha1"], body["sha256"], body["first_seen_at"], body["serial"]) == ("ab" * 20, "", None, "")


def test_the_next_certificate_the_reset_and_what_is_refused(program: Program, works: Works) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    following = works.certificate()
    assert program.call("post", path_of(device, "next"), {"fingerprint": following.sha256}).json()["next_sha256"] == following.sha256
    assert program.call("post", path_of(device, "next"), {"fingerprint": "zz"}).json()["code"] == "bad_fingerprint"
    assert program.call("post", path_of(device, "next"), {}).status_code == 422
    body = program.call("post", path_of(device, "reset"), {"reason": "Board replaced"}).json()
    assert (body["sha256"], body["next_sha256"], body["serial"]) == ("", "", "")
    refused = program.call("post", path_of(device, "next"), {"fingerprint": following.sha256})
    assert refused.status_code == 409 and refused.json()["code"] == "pin_missing"
    assert program.call("post", path_of(device, "reset"), {"fingerprint": following.sha1}).json()["sha1"] == following.sha1
    x509_devices.present(works.product, following)


def test_revoking_is_once_and_holds_until_the_reset(program: Program, works: Works) -> None:
    certificate = works.certificate()
    device = x509_devices.arrived(works.product, certificate)
    assert program.call("post", path_of(device, "revoke"), {"reason": "key_compromise"}).json() == {"cut_off": 0}
    assert program.call("post", path_of(device, "revoke"), {}).status_code == 409
    assert program.call("get", path_of(device)).json()["revoked_at"]
    assert [one["id"] for one in program.call("get", f"{CENTER}/devices?certificate=revoked").json()["items"]] == [device.pk]
    assert program.call("get", f"{CENTER}/devices?certificate=ends").json()["items"] == []
    assert program.call("get", f"{CENTER}/devices?certificate=lost").status_code == 422
    with pytest.raises(CertificateRefused):
        x509_devices.present(works.product, certificate)
    assert program.call("post", path_of(device, "reset"), {}).json()["revoked_at"] is None


def test_a_device_with_a_secret_has_none(program: Program, works: Works) -> None:
    device = x509_devices.waiting(works.product)
    Device.objects.filter(pk=device.pk).update(authentication="dynamic")
    assert program.call("get", path_of(device)).status_code == 404
    for word, body in (("next", {"fingerprint": "ab" * 20}), ("reset", {}), ("revoke", {})):
        assert program.call("post", path_of(device, word), body).status_code == 409
    assert not DeviceCertificate.objects.exists()


def test_a_key_of_another_product_finds_nothing(works: Works) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    other = Program(products=[cast.lamp()])
    assert other.call("get", path_of(device)).status_code == 404
    for word in ("next", "reset", "revoke"):
        assert other.call("post", path_of(device, word), {"fingerprint": ""} if word == "next" else {}).status_code == 404
    asked = {"product_key": works.product.key, "certificate": pem(works.signed())}
    assert other.call("post", f"{CENTER}/what-if/certificate", asked).json()["field"] == "product_key"


def ask(program: Program, works: Works, certificate: str, **more: str) -> Any:
    return program.call("post", f"{CENTER}/what-if/certificate", {"product_key": works.product.key, "certificate": certificate, **more})


def test_what_if_tells_what_a_certificate_would_meet(program: Program, works: Works) -> None:
    expected = works.certificate()
    x509_devices.arrived(works.product, expected)
    other = works.signed()
    body = ask(program, works, pem(other)).json()
    assert (body["device_name"], body["connection"]["code"], body["connection"]["accepted"]) == (NAME, "certificate_not_pinned", False)
    assert body["facts"]["expected"] == expected.sha256
    assert ask(program, works, pem(other), device_name="A4C138000002").json()["connection"]["code"] in {"device_unknown", "not_imported"}
    assert DeviceCertificate.objects.get().sha256 == expected.sha256


@pytest.mark.parametrize(
    "certificate", ["no PEM", "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused_at_its_member(program: Program, works: Works, certificate: str) -> None:
    answer = ask(program, works, certificate)
    assert answer.status_code == 422 and answer.json()["field"] == "certificate"
