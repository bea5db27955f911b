"""Registration that is answered with a certificate: what a device is handed, it connects with; and nothing else counts any more."""

import hashlib
import json
import re
import subprocess
from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from console.models import AuditEntry
from devices.models import AutoCreation, Device, DeviceCertificate
from devices.services import device_certificates, lifecycle
from products.models import CertificateAuthority, IssuedCertificate, IssuingCA, Product
from products.services import authority_states, issuing, issuing_ca
from products.services.outside_ca import IssuingFailed
from registration.models import DeviceLogEntry
from registration.protocols.connecting import DeviceCredentials
from tests import cast
from tests.cast import OPERATOR
from tests.devices import x509_devices
from tests.products.issuing_cast import NOW
from tests.registration import connecting
from tests.registration.connecting import Thing
from tests.registration.enrolling import IMEI, certified, connect, forget, pair_of, register
from tests.registration.golden import ACCEPTED, load
from tests.registration.knocking import knock, send

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
INTERFACES = pytest.mark.parametrize("protocol", ["tencent-new", "tencent-old"])
NAME = "crate-1"


@pytest.fixture(autouse=True)
def centers() -> None:
    cast.home()
    cast.frankfurt()
    forget()


@pytest.fixture
def tracker() -> Product:
    """Of Tencent's kind; crate-1 is imported."""
    product = certified(cast.tracker())
    cast.row(product, NAME)
    return product


@pytest.fixture
def meter() -> Product:
    """Of our own kind; one IMEI is imported."""
    product = certified(cast.meter())
    cast.row(product, IMEI)
    return product


def the_device() -> Device:
    return Device.objects.at(cast.home()).get()


def good() -> set[str]:
    """Fingerprints of what was issued and counts."""
    return set(IssuedCertificate.objects.good().values_list("sha256", flat=True))


def the_ca() -> CertificateAuthority:
    return IssuingCA.objects.get(current=True).authority


# -- Tencent -----------------------------------------------------------------------------------------------------------------------------
@INTERFACES
def test_a_device_is_handed_a_pair_and_connects_with_it(tracker: Product, protocol: str) -> None:
    pair = pair_of(register(tracker, NAME, protocol))
    key: Any = load_pem_private_key(pair.key.encode(), None)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert pair.certificate.common_names == (NAME,)
    assert pair.certificate.spki_sha256 == hashlib.sha256(spki).hexdigest()
    device = the_device()
    assert (device.authentication, device.registered_at, device.activated_at) == ("x509", NOW, None)
    assert connect(tracker, NAME, pair.certificate).code == "accepted"
    device.refresh_from_db()
    assert device.activated_at == NOW
    assert DeviceCertificate.objects.get().sha256 == pair.certificate.sha256


def test_its_secret_opens_nothing_from_then_on(tracker: Product) -> None:
    row = cast.row(tracker, "crate-2")
    pair_of(register(tracker, "crate-2"))
    assert connecting.connect(connecting.with_row_s_secret(row), at=NOW).code == "wrong_authentication"


def test_no_secret_of_it_is_stored_or_logged(tracker: Product) -> None:
    tried = register(tracker, NAME)
    secret_lines = [line for line in tried.answer.private_key.splitlines() if len(line) > 40 and "-----" not in line]
    entry = tried.entry
    assert tried.answer.device_secret == "" and secret_lines
    written = str(
        [*DeviceLogEntry.objects.values(), *IssuedCertificate.objects.values(), *AuditEntry.objects.values(), *Device.objects.values()]
    )
    assert not any(line in written for line in secret_lines)
    issued = IssuedCertificate.objects.get()
    assert entry.facts["certificate"] == issued.sha256 and entry.facts["serial_number"] == issued.serial
    assert entry.path[-1] == "It was added to the device list and handed a certificate, which it connects with."


@INTERFACES
def test_until_it_connects_it_may_come_again_and_every_answer_is_good_for_the_first_connection(tracker: Product, protocol: str) -> None:
    pairs = [pair_of(register(tracker, NAME, protocol)) for _ in range(3)]
    assert good() == {one.certificate.sha256 for one in pairs} and len(good()) == 3
    assert connect(tracker, NAME, pairs[1].certificate).code == "accepted"
    assert good() == {pairs[1].certificate.sha256}
    assert connect(tracker, NAME, pairs[2].certificate).code == "certificate_revoked"
    assert register(tracker, NAME, protocol).code == "already_activated"


def test_at_most_five_are_good_at_a_time(tracker: Product) -> None:
    pairs = [pair_of(register(tracker, NAME)) for _ in range(7)]
    assert good() == {one.certificate.sha256 for one in pairs[2:]}


def test_where_each_registration_voids_the_one_before_one_is_good() -> None:
    tracker = certified(cast.tracker(new_secret_each_time=True))
    cast.row(tracker, NAME)
    first, second = (pair_of(register(tracker, NAME)) for _ in range(2))
    assert good() == {second.certificate.sha256}
    assert connect(tracker, NAME, first.certificate).code == "certificate_revoked"
    assert connect(tracker, NAME, second.certificate).code == "accepted"


def test_under_policy_once_it_is_handed_one() -> None:
    tracker = certified(cast.tracker(reregistration="once"))
    cast.row(tracker, NAME)
    assert [register(tracker, NAME).code for _ in range(2)] == ["accepted", "already_registered"]
    assert IssuedCertificate.objects.count() == 1


def test_each_data_center_has_its_own_certificate_of_a_name(tracker: Product) -> None:
    shanghai, frankfurt = register(tracker, NAME), register(tracker, NAME, host="frankfurt.devices.test")
    assert connect(tracker, NAME, pair_of(shanghai).certificate).code == "accepted"
    assert len(good()) == 2
    assert connect(tracker, NAME, pair_of(frankfurt).certificate, center=cast.frankfurt()).code == "accepted"


def test_the_recorded_request_of_the_c_sdk_is_answered_in_the_form_that_it_accepted() -> None:
    """A build for certificates; the answer that it took then is in its record."""
    (vector,) = (one for one in load("tencent") if one["id"] == "captured-c_hub_new_cert")
    (golden,) = (one for one in ACCEPTED if one.id == vector["id"])
    tracker = certified(cast.tracker(), device_key_kind="rsa-2048")
    cast.row(tracker, golden.device_name)
    tried = send("tencent-new", golden.request, product_secret=golden.product_secret, at=NOW)
    theirs, ours = json.loads(vector["response_body"])["Response"], json.loads(tried.reply.body)["Response"]
    plain = [plain_text(one["Payload"], one["Len"], golden.product_secret) for one in (theirs, ours)]
    form = r'{"encryptionType":1,"clientCert":"-----BEGIN CERTIFICATE-----\\n(?:[A-Za-z0-9+/=]{1,64}\\n)+-----END CERTIFICATE-----\\n",'
    form += r'"clientKey":"-----BEGIN (?:RSA )?PRIVATE KEY-----\\n(?:[A-Za-z0-9+/=]{1,64}\\n)+-----END (?:RSA )?PRIVATE KEY-----\\n"}'
    assert [bool(re.fullmatch(form, one)) for one in plain] == [True, True], plain
    assert pair_of(tried).certificate.common_names == ("dev_cert_1",)


def plain_text(payload: str, length: int, product_secret: str) -> str:
    """By OpenSSL, as a device would do it."""
    key, iv = product_secret[:16].encode().hex(), b"0".hex() * 16
    arguments = ["openssl", "enc", "-d", "-aes-128-cbc", "-nopad", "-K", key, "-iv", iv]
    return subprocess.run(arguments, input=b64decode(payload), capture_output=True, check=True).stdout[:length].decode()


# -- Reset, delete, revoke, and what people typed ------------------------------------------------------------------------------------------
def test_after_a_reset_it_is_handed_another_and_whichever_comes_first_stays(tracker: Product) -> None:
    first = pair_of(register(tracker, NAME))
    connect(tracker, NAME, first.certificate)
    lifecycle.reset(the_device(), by=OPERATOR, at=NOW)
    second, third = (pair_of(register(tracker, NAME)) for _ in range(2))
    assert AuditEntry.objects.filter(action="device.reset_pin", actor_name="system").count() == 1
    assert connect(tracker, NAME, second.certificate).code == "accepted"
    assert good() == {second.certificate.sha256}
    assert connect(tracker, NAME, first.certificate).code == connect(tracker, NAME, third.certificate).code == "certificate_revoked"


def test_after_a_reset_its_old_certificate_still_is_the_devices(tracker: Product) -> None:
    first = pair_of(register(tracker, NAME))
    connect(tracker, NAME, first.certificate)
    lifecycle.reset(the_device(), by=OPERATOR, at=NOW)
    second = pair_of(register(tracker, NAME))
    assert connect(tracker, NAME, first.certificate).code == "accepted"
    assert connect(tracker, NAME, second.certificate).code == "certificate_revoked"


def test_a_device_whose_certificates_somebody_revoked_is_handed_none_until_its_pin_is_reset(tracker: Product) -> None:
    connect(tracker, NAME, pair_of(register(tracker, NAME)).certificate)
    lifecycle.reset(the_device(), by=OPERATOR, at=NOW)
    device_certificates.revoke(the_device(), reason="key_compromise", by=OPERATOR, at=NOW)
    refused = register(tracker, NAME)
    assert (refused.code, refused.answer.code) == ("device_certificate_revoked", "InvalidParameterValue.ClientCert")
    assert good() == set() and "pin was reset" in refused.entry.path[-1]
    device_certificates.reset_pin(the_device(), by=OPERATOR, at=NOW)
    assert connect(tracker, NAME, pair_of(register(tracker, NAME)).certificate).code == "accepted"


def test_a_fingerprint_that_somebody_typed_stands(tracker: Product) -> None:
    pair_of(register(tracker, NAME))
    device_certificates.reset_pin(the_device(), "ab" * 20, by=OPERATOR, at=NOW)
    refused = register(tracker, NAME)
    assert (refused.code, refused.entry.facts["expected"]) == ("certificate_not_pinned", "ab" * 20)
    assert IssuedCertificate.objects.count() == 1


def test_a_device_that_comes_anew_after_deletion_owes_nothing_to_the_one_before(tracker: Product) -> None:
    first = pair_of(register(tracker, NAME))
    connect(tracker, NAME, first.certificate)
    lifecycle.delete(the_device(), by=OPERATOR, at=NOW)
    assert connect(tracker, NAME, first.certificate).code != "accepted"
    second = pair_of(register(tracker, NAME, at=NOW + timedelta(minutes=1)))
    assert connect(tracker, NAME, second.certificate, at=NOW + timedelta(minutes=1)).code == "accepted"


def test_a_product_that_hands_out_secrets_again_does_so_to_everyone_who_was_handed_a_certificate(tracker: Product) -> None:
    pair = pair_of(register(tracker, NAME))
    issuing_ca.change(IssuingCA.objects.get().pk, {"answers_registration": False}, by=OPERATOR, at=NOW)
    forget()
    secret = register(tracker, NAME).answer.device_secret
    assert secret and the_device().authentication == "dynamic"
    assert connect(tracker, NAME, pair.certificate).code == "wrong_authentication"
    assert connecting.connect(Thing("tencent", DeviceCredentials(tracker.key, NAME, secret)), at=NOW).code == "accepted"


def test_a_device_with_a_burned_in_certificate_is_handed_none(tracker: Product) -> None:
    cast.row(tracker, "burned-1", "x509")
    cast.row(tracker, "burned-2", "static")
    assert [register(tracker, name).code for name in ("burned-1", "burned-2")] == ["wrong_authentication"] * 2
    works = x509_devices.works(tracker)
    device = x509_devices.arrived(tracker, works.certificate("burned-3"), "burned-3")
    assert register(tracker, "burned-3").code == "wrong_authentication"
    lifecycle.reset(device, by=OPERATOR, at=NOW)
    assert register(tracker, "burned-3").code == "wrong_authentication"
    assert not IssuedCertificate.objects.exists()


# -- Automatic creation --------------------------------------------------------------------------------------------------------------------
def test_unknown_names_are_created_with_certificates_up_to_the_limit() -> None:
    tracker = certified(cast.tracker(auto_create=True, auto_create_limit=2))
    tried = [register(tracker, f"new-{number}") for number in range(3)]
    assert [one.code for one in tried] == ["accepted", "accepted", "auto_create_limit"]
    assert AutoCreation.objects.get().created == IssuedCertificate.objects.count() == 2
    assert {one.authentication for one in Device.objects.at(cast.home())} == {"x509"}
    assert connect(tracker, "new-0", pair_of(tried[0]).certificate).code == "accepted"


# -- Refusals ------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("switches", "name", "code"),
    [
        ({"dynamic_registration": False}, NAME, "dynamic_registration_off"),
        ({"per_product_secret": False}, NAME, "per_product_secret_off"),
        ({}, "stranger", "not_imported"),
        ({}, "with blank", "bad_device_name"),
        ({"status": "developing"}, NAME, "product_not_published"),
    ],
)
def test_who_is_not_let_in_costs_no_signature(switches: dict[str, Any], name: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = certified(cast.tracker(**switches))
    cast.row(tracker, NAME)

    def never(**values: Any) -> Any:
        raise AssertionError("a certificate was made")

    monkeypatch.setattr(issuing, "issue_for", never)
    assert register(tracker, name).code == code
    assert not IssuedCertificate.objects.exists()


@pytest.mark.parametrize("state", ["inactive", "ended"])
def test_a_ca_whose_certificates_do_not_count_hands_out_none(tracker: Product, state: str) -> None:
    at = NOW
    if state == "inactive":
        authority_states.deactivate(the_ca().pk, reason="lost", by=OPERATOR, at=NOW)
        forget()
    else:
        at = NOW + timedelta(days=8000)
    tried = register(tracker, NAME, at=at)
    assert (tried.code, tried.answer.code) == ("issuing_failed", "InternalError")
    assert not Device.objects.at(cast.home()).exists() and not IssuedCertificate.objects.exists()


def test_a_certificate_that_a_devices_buffers_cannot_hold_is_not_handed_out(tracker: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    real = issuing.issue_for

    def long(**values: Any) -> Any:
        made = real(**values)
        return issuing.Issued(made.product_id, made.device_name, made.issuing_ca_id, made.certificate, made.chain, made.private_key * 20)

    monkeypatch.setattr(issuing, "issue_for", long)
    tried = register(tracker, NAME)
    assert tried.code == "issuing_failed" and "buffers" in tried.entry.path[-1]
    assert not Device.objects.at(cast.home()).exists() and not IssuedCertificate.objects.exists()


def test_what_cannot_be_written_down_is_handed_to_nobody(tracker: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*values: Any, **more: Any) -> Any:
        raise IssuingFailed("The disk is full.")

    monkeypatch.setattr(issuing, "record", broken)
    tried = register(tracker, NAME)
    assert (tried.code, tried.answer.private_key) == ("issuing_failed", "")
    assert not Device.objects.at(cast.home()).exists()
    assert DeviceLogEntry.objects.filter(accepted=True).count() == 0


@pytest.mark.parametrize("protocol", ["alibaba", "native"])
def test_a_device_that_can_carry_no_key_and_sends_no_request_gets_nothing(tracker: Product, protocol: str) -> None:
    tried = knock(tracker, NAME, protocol=protocol, at=NOW)
    assert (tried.code, tried.answer.accepted) == ("csr_missing", False)
    assert not Device.objects.at(cast.home()).exists()
