"""What operators do with a device's certificate: the next one, the reset of the pin, revocation; each audited (Q6)."""

from collections.abc import Callable

import pytest

from console.errors import Conflict, DomainError, Invalid
from console.models import AuditEntry
from devices.models import Authentication, CutReason, Device, DeviceCertificate, DisconnectOrder, PreImportedDevice
from devices.rules.certificate_refusals import CertificateRevoked, OtherCertificate
from devices.rules.pins import BadFingerprint, Match, Pin, PinMissing, Pins, PinTwice, taken
from devices.services import device_certificates, lifecycle, pre_import
from devices.services.device_certificates import NoCertificate, RevokedAlready
from devices.services.lifecycle import DeviceGone
from products.models import CertificateAuthority, IssuedCertificate, Product, RevocationReason, RevokedSerial
from products.services import authorities, issuing, issuing_profiles
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.clones import arrive
from tests.devices.presenting import NAME, below, connect, device, read, row, signed
from tests.products import ca_cast, issuing_cast
from tests.products.ca_cast import Ca

pytestmark = pytest.mark.django_db
BY = {"by": OPERATOR, "at": NOON}
SHA1, SHA256 = "AB:" * 19 + "AB", "cd" * 32


@pytest.fixture
def ca() -> Ca:
    return ca_cast.make()


@pytest.fixture
def kettle(db: None, ca: Ca) -> Product:
    cast.home()
    authorities.forget()
    issuing_profiles.forget()
    product = cast.kettle()
    ca_cast.active(ca, product)
    cast.row(product, NAME, Authentication.X509)
    return product


def plain(product: Product, name: str = "64C2DE000002", authentication: str = "x509", **facts: object) -> Device:
    """A device that is in the list and has never shown a certificate."""
    known = {"data_center": cast.home(), "product": product, "created_at": NOON, "sealed_secret": b"sealed"}
    return Device.objects.create(device_name=name, authentication=authentication, **known | facts)


def audited(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def refused(kind: type[DomainError], act: Callable[[], object]) -> None:
    """Nothing but the refusal happened."""
    before = list(DeviceCertificate.objects.values()), AuditEntry.objects.count(), RevokedSerial.objects.count()
    with pytest.raises(kind):
        act()
    assert (list(DeviceCertificate.objects.values()), AuditEntry.objects.count(), RevokedSerial.objects.count()) == before


# -- What is expected ----------------------------------------------------------------------------------------------------------------------
def test_without_a_row_the_imported_fingerprint_is_expected(kettle: Product) -> None:
    assert device_certificates.pins(plain(kettle), None) == Pins()
    typed = plain(kettle, "64C2DE000003", certificate_fingerprint="ab" * 20)
    assert device_certificates.pins(typed, device_certificates.of(typed)) == Pins(Pin(sha1="ab" * 20))


def test_with_a_row_that_decides(kettle: Product, ca: Ca) -> None:
    mine = signed(ca)
    connect(kettle, mine)
    device_certificates.expect_next(device(), SHA256, **BY)
    found = device_certificates.pins(device(), device_certificates.of(device()))
    assert found == Pins(taken(mine), Pin(SHA256))


# -- The next one --------------------------------------------------------------------------------------------------------------------------
def test_the_next_certificate_is_set_and_taken_back(kettle: Product, ca: Ca) -> None:
    connect(kettle, signed(ca))
    device_certificates.expect_next(device(), SHA1, **BY)
    assert (row().next_sha1, row().next_sha256, row().next_set_at) == ("ab" * 20, "", NOON)
    line = audited("device.next_certificate")
    assert (line.actor_name, line.before, line.after) == ("olga", {"next_fingerprint": ""}, {"next_fingerprint": "ab" * 20})
    device_certificates.expect_next(device(), "", **BY)
    assert (row().next_sha1, row().next_set_at) == ("", None)


def test_a_device_that_was_imported_with_a_fingerprint_may_have_its_next_one_set_before_it_comes(kettle: Product) -> None:
    typed = plain(kettle, certificate_fingerprint="ab" * 20)
    device_certificates.expect_next(typed, SHA256, **BY)
    assert (row(typed.device_name).sha1, row(typed.device_name).next_sha256) == ("ab" * 20, SHA256)


def test_what_cannot_be_the_next_one_is_refused(kettle: Product, ca: Ca) -> None:
    refused(PinMissing, lambda: device_certificates.expect_next(plain(kettle), SHA1, **BY))
    mine = signed(ca)
    connect(kettle, mine)
    refused(PinTwice, lambda: device_certificates.expect_next(device(), mine.sha256, **BY))
    refused(BadFingerprint, lambda: device_certificates.expect_next(device(), "zz", **BY))


@pytest.mark.parametrize("act", ["expect_next", "reset_pin", "revoke"])
def test_only_for_a_device_of_this_kind_that_is_there(kettle: Product, act: str) -> None:
    work = {
        "expect_next": lambda one: device_certificates.expect_next(one, SHA1, **BY),
        "reset_pin": lambda one: device_certificates.reset_pin(one, **BY),
        "revoke": lambda one: device_certificates.revoke(one, reason="unspecified", **BY),
    }[act]
    secret = plain(kettle, authentication="dynamic")
    refused(NoCertificate, lambda: work(secret))
    assert issubclass(NoCertificate, Conflict)
    gone = plain(kettle, "64C2DE000003")
    Device.objects.filter(pk=gone.pk).delete()
    refused(DeviceGone, lambda: work(gone))


# -- Reset -----------------------------------------------------------------------------------------------------------------------------
def test_after_a_reset_the_next_certificate_that_comes_is_taken(kettle: Product, ca: Ca) -> None:
    mine, other = signed(ca), signed(ca)
    connect(kettle, mine)
    device_certificates.expect_next(device(), SHA256, **BY)
    device_certificates.reset_pin(device(), reason="board replaced", **BY)
    line, kept = audited("device.reset_pin"), row()
    assert (kept.sha256, kept.spki_sha256, kept.next_sha256, kept.taken_at, kept.not_after, kept.subject) == ("", "", "", None, None, "")
    assert device().certificate_fingerprint == "" and kept.path_keys
    assert line.before["certificate_fingerprint"] == mine.sha256 and line.before["next_fingerprint"] == SHA256
    assert (line.after["certificate_fingerprint"], line.reason) == ("", "board replaced")
    assert connect(kettle, other).match is Match.FIRST


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_after_a_reset_to_a_fingerprint_that_one_alone_comes(kettle: Product, ca: Ca, kind: str) -> None:
    mine, other = signed(ca), signed(ca)
    connect(kettle, mine)
    device_certificates.reset_pin(device(), getattr(other, kind).upper(), **BY)
    assert device().certificate_fingerprint == getattr(other, kind)
    with pytest.raises(OtherCertificate):
        connect(kettle, mine)
    assert connect(kettle, other).match is Match.CURRENT
    refused(BadFingerprint, lambda: device_certificates.reset_pin(device(), "12", **BY))


# -- Revocation --------------------------------------------------------------------------------------------------------------------------
def test_the_certificate_that_was_presented_is_revoked_by_its_number_and_the_device_is_cut_off(kettle: Product, ca: Ca) -> None:
    middle = below(ca)
    mine = signed(middle)
    connect(kettle, mine, read(middle))
    arrive(device(), "203.0.113.1")
    arrive(plain(kettle), "203.0.113.2", mqtt_client_id="another")
    assert device_certificates.revoke(device(), reason=RevocationReason.KEY_COMPROMISE, note="stolen", **BY) == 1
    revoked = RevokedSerial.objects.get()
    authority = CertificateAuthority.objects.get()
    assert (revoked.authority_id, revoked.issuer_spki, revoked.serial) == (authority.pk, read(middle).spki_sha256, mine.serial_hex)
    assert (revoked.source, revoked.reason, revoked.not_after) == ("hand", "key_compromise", mine.not_after)
    assert row().revoked_at == NOON
    order = DisconnectOrder.objects.get()
    assert (order.device_name, order.reason, order.made_by) == (NAME, CutReason.CERTIFICATE, "olga")
    line = audited("device.revoke_certificates")
    assert (line.before["certificate_fingerprint"], line.after["serial_number"]) == (mine.sha256, mine.serial_hex)
    assert line.reason == "stolen" and line.after["cut_off"] == 1
    with pytest.raises(CertificateRevoked):
        connect(kettle, mine, read(middle))


def test_what_was_issued_to_it_is_revoked_too_and_once(kettle: Product) -> None:
    issuing_cast.own_ca(kettle)
    at = issuing_cast.NOW
    two = [issuing.issue_for(product_id=kettle.pk, device_name=NAME, csr=None, at=at) for _each in range(2)]
    other = issuing.issue_for(product_id=kettle.pk, device_name="64C2DE000002", csr=None, at=at)
    connect(kettle, two[0].certificate, at=at)
    for one in (*two, other):
        issuing.record(one, data_center_id=cast.home().pk, only_one=False, at=at)
    device_certificates.revoke(device(), reason="unspecified", by=OPERATOR, at=at)
    assert set(RevokedSerial.objects.values_list("serial", flat=True)) == {one.certificate.serial_hex for one in two}
    assert IssuedCertificate.objects.good().get().sha256 == other.certificate.sha256
    assert audited("device.revoke_certificates").after["issued_certificates"] == 2
    assert set(RevokedSerial.objects.values_list("source", flat=True)) == {"issued"}


def test_a_device_that_has_shown_none_can_be_revoked(kettle: Product) -> None:
    one = plain(kettle, certificate_fingerprint="ab" * 20)
    assert device_certificates.revoke(one, reason="unspecified", **BY) == 0
    assert (row(one.device_name).sha1, row(one.device_name).revoked_at) == ("ab" * 20, NOON)
    assert not RevokedSerial.objects.exists()
    refused(RevokedAlready, lambda: device_certificates.revoke(one, reason="unspecified", **BY))


def test_a_reason_is_one_of_those_there_are(kettle: Product) -> None:
    refused(Invalid, lambda: device_certificates.revoke(plain(kettle), reason="mood", **BY))


# -- Deletion ----------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["the device", "its row with its devices"])
def test_who_is_deleted_leaves_no_certificate_that_was_issued_in_this_data_center(kettle: Product, way: str) -> None:
    issuing_cast.own_ca(kettle)
    at, centers = issuing_cast.NOW, (cast.home(), cast.frankfurt())
    here, there = (issuing.issue_for(product_id=kettle.pk, device_name=NAME, csr=None, at=at) for _center in centers)
    for one, center in zip((here, there), centers, strict=True):
        issuing.record(one, data_center_id=center.pk, only_one=False, at=at)
    connect(kettle, here.certificate, at=at)
    if way == "the device":
        lifecycle.delete(device(), by=OPERATOR, at=at)
        assert audited("device.delete").before["issued_certificates"] == 1
        good = {there.certificate.sha256}
    else:
        pre_import.delete([PreImportedDevice.objects.get().pk], with_devices=True, by=OPERATOR, at=at)
        assert audited("pre_import.delete").before["devices_deleted"] == 1
        good = set()
    assert set(IssuedCertificate.objects.good().values_list("sha256", flat=True)) == good
    assert not DeviceCertificate.objects.exists()
