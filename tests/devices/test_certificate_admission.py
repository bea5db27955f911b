"""A device connects with its certificate: it appears, is pinned, and must come with the same one again (Q2, Q6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.models import AuditEntry
from devices.models import (
    Authentication,
    AutoCreation,
    Batch,
    Connection,
    Device,
    DeviceCertificate,
    DeviceOrigin,
    PreImportedDevice,
)
from devices.rules.admission import AutoCreateLimit, DeviceDisabled, Refused, WrongAuthentication
from devices.rules.certificate_refusals import CertificateRevoked, DeviceRevoked, OtherCertificate, UnknownIssuer
from devices.rules.connecting import ClientIdTaken, DeviceUnknown
from devices.rules.pins import Match
from devices.rules.presented import Verdict
from devices.services import certificate_admission, device_certificates, lifecycle
from products.models import CertificateAuthority, CertificatePolicy, IssuedCertificate, Product, RevokedSerial
from products.services import authorities, issuing, issuing_profiles, lookup
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.presenting import NAME, below, connect, device, entry, foresee, judge_of, read, row, signed
from tests.devices.production_line import made
from tests.products import ca_cast, issuing_cast
from tests.products.ca_cast import Ca

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def ca() -> Ca:
    return ca_cast.make()


@pytest.fixture
def kettle(db: None, ca: Ca) -> Product:
    """A product with an active CA, and one pre-imported X.509 device without a fingerprint."""
    cast.home()
    authorities.forget()
    issuing_profiles.forget()
    product = cast.kettle()
    ca_cast.active(ca, product)
    cast.row(product, NAME, Authentication.X509, nickname="Kitchen", sn="S1")
    return product


def switch(product: Product, **facts: object) -> None:
    Product.objects.filter(pk=product.pk).update(**facts)
    lookup.forget()


def stored() -> tuple[Any, ...]:
    return list(DeviceCertificate.objects.values()), list(Device.objects.values()), AuditEntry.objects.count()


def audited(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def refused(kind: type[Refused], act: Callable[[], object]) -> Refused:
    """The refusal; nothing but it happened."""
    before = stored()
    with pytest.raises(kind) as found:
        act()
    assert stored() == before
    assert found.value.path[-1] == found.value.message
    return found.value


# -- The first connection ------------------------------------------------------------------------------------------------------------------
def test_a_device_without_a_fingerprint_appears_and_is_pinned(kettle: Product, ca: Ca) -> None:
    mine = signed(ca)
    done = connect(kettle, mine)
    found, kept = device(), row()
    assert (done.first, done.match, done.device_id) == (True, Match.FIRST, found.pk)
    assert (found.nickname, found.sn, found.authentication, found.origin) == ("Kitchen", "S1", "x509", DeviceOrigin.PRE_IMPORT)
    assert (found.activated_at, found.registered_at, found.certificate_fingerprint) == (NOON, None, mine.sha256)
    assert (kept.sha256, kept.spki_sha256, kept.sha1, kept.taken_at) == (mine.sha256, mine.spki_sha256, mine.sha1, NOON)
    assert (kept.subject, kept.not_after, kept.revoked_at) == (f"CN={NAME}", mine.not_after, None)
    authority = CertificateAuthority.objects.get()
    assert (kept.authority_id, authority.first_used_at) == (authority.pk, NOON)
    assert kept.path_keys == [f"{authority.spki_sha256}:{mine.serial_hex}"]
    assert done.path[0] == "The DeviceName is in the pre-import list." and done.path[1] == "It authenticates with a certificate of its own."
    assert done.path[-1] == "It appears in this data center's device list, activated."
    line = audited("device.pin_certificate")
    assert (line.actor_name, line.before, line.after["certificate_fingerprint"]) == ("system", {}, mine.sha256)
    assert line.after["serial_number"] == mine.serial_hex


def test_the_same_one_comes_again_with_one_statement_that_reads(kettle: Product, ca: Ca) -> None:
    mine = signed(ca)
    connect(kettle, mine)
    before, lines, verdicts = DeviceCertificate.objects.values().get(), AuditEntry.objects.count(), []

    def judge(*asked: Any) -> Verdict:
        if not verdicts:
            verdicts.append(judge_of([mine], kettle.pk, NAME, LATER)(*asked))
        return verdicts[0]

    asked = entry(kettle, at=LATER)
    certificate_admission.foresee(asked, judge)
    with CaptureQueriesContext(connection) as counted:
        done = certificate_admission.admit(asked, judge)
    assert (done.first, done.match, len(counted)) == (False, Match.CURRENT, 1)
    assert (DeviceCertificate.objects.values().get(), AuditEntry.objects.count()) == (before, lines)


def test_another_certificate_of_the_same_ca_is_refused_with_both_fingerprints(kettle: Product, ca: Ca) -> None:
    mine, other = signed(ca), signed(ca)
    connect(kettle, mine)
    error = refused(OtherCertificate, lambda: connect(kettle, other))
    assert error.facts == {"expected": mine.sha256, "seen": other.sha256}
    assert error.path[0] == "The DeviceName is in this data center's device list."


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_typed_fingerprint_is_expected_and_becomes_both_when_it_is_seen(kettle: Product, ca: Ca, kind: str) -> None:
    mine = signed(ca)
    PreImportedDevice.objects.update(certificate_fingerprint=getattr(mine, kind))
    stranger = signed(ca)
    error = refused(OtherCertificate, lambda: connect(kettle, stranger))
    assert error.facts == {"expected": getattr(mine, kind), "seen": getattr(stranger, kind)}
    assert connect(kettle, mine).match is Match.CURRENT
    assert (row().sha256, row().spki_sha256, row().sha1, row().taken_at) == (mine.sha256, mine.spki_sha256, mine.sha1, NOON)
    assert device().certificate_fingerprint == getattr(mine, kind)
    assert not AuditEntry.objects.filter(action="device.pin_certificate").exists()
    refused(OtherCertificate, lambda: connect(kettle, stranger))


def test_sha1_of_a_certificate_that_came_before_it_was_kept_is_filled_in(kettle: Product, ca: Ca) -> None:
    mine = signed(ca)
    connect(kettle, mine)
    DeviceCertificate.objects.update(sha1="")
    lines = AuditEntry.objects.count()
    assert connect(kettle, mine, at=LATER).match is Match.CURRENT
    assert (row().sha1, row().taken_at, AuditEntry.objects.count()) == (mine.sha1, NOON, lines)


def test_a_device_that_is_in_the_list_is_activated(kettle: Product, ca: Ca) -> None:
    mine = signed(ca)
    connect(kettle, mine)
    lifecycle.reset(device(), by=OPERATOR, at=NOON)
    assert device().activated_at is None and audited("device.reset").after == {"certificate_kept": mine.sha256}
    refused(OtherCertificate, lambda: connect(kettle, signed(ca)))
    done = connect(kettle, mine, at=LATER)
    assert (done.first, done.match, done.path[-1]) == (True, Match.CURRENT, "It is activated by this connection.")
    assert device().activated_at == LATER


# -- Who may not -----------------------------------------------------------------------------------------------------------------------
def test_what_the_device_is_refused_for_comes_before_what_the_certificate_is(kettle: Product, ca: Ca) -> None:
    stranger = signed(ca_cast.make("Stranger"))
    refused(UnknownIssuer, lambda: connect(kettle, stranger))
    refused(DeviceUnknown, lambda: connect(kettle, stranger, name="64C2DE000009"))
    refused(DeviceUnknown, lambda: connect(kettle, signed(ca, "64C2DE000009"), name="64C2DE000009"))
    cast.row(kettle, "64C2DE000002", Authentication.DYNAMIC)
    error = refused(WrongAuthentication, lambda: connect(kettle, signed(ca, "64C2DE000002"), name="64C2DE000002"))
    assert "its authentication is not X.509" in error.message
    connect(kettle, signed(ca))
    lifecycle.disable(device(), by=OPERATOR, at=NOON)
    refused(DeviceDisabled, lambda: connect(kettle, stranger))


def test_nobody_takes_the_mqtt_client_id_of_another(kettle: Product, ca: Ca) -> None:
    mine, place = signed(ca), (5, "client")
    other = Device.objects.create(
        data_center=cast.home(), product=kettle, device_name="64C2DE000007", authentication="dynamic", created_at=NOON, sealed_secret=b"x"
    )
    there = Connection.objects.create(device=other, broker_id=5, mqtt_client_id="client", connected_at=NOON)
    refused(ClientIdTaken, lambda: connect(kettle, mine, place=place))
    connect(kettle, mine)
    refused(ClientIdTaken, lambda: connect(kettle, mine, place=place))
    there.delete()
    assert connect(kettle, mine, place=place).device_id


def test_no_device_comes_from_a_batch_that_is_being_undone(db: None) -> None:
    cast.home()
    ca, tracker = ca_cast.make(), cast.tracker()
    ca_cast.active(ca, tracker)
    batch = made(tracker)
    name = PreImportedDevice.objects.filter(batch=batch).earliest("pk").device_name
    PreImportedDevice.objects.filter(batch=batch).update(authentication="x509")
    Batch.objects.update(undo_began_at=NOON)
    mine = signed(ca, name)
    error = refused(DeviceUnknown, lambda: connect(tracker, mine, name=name))
    assert "is being undone" in error.message
    assert refused(DeviceUnknown, lambda: foresee(tracker, mine, name=name)).path == error.path
    Batch.objects.update(undo_began_at=None)
    connect(tracker, mine, name=name)
    assert Batch.objects.get().first_came_name == name


# -- Automatic creation --------------------------------------------------------------------------------------------------------------------
def test_an_unknown_device_is_created_within_the_limit(kettle: Product, ca: Ca) -> None:
    switch(kettle, auto_create=True, auto_create_limit=1)
    names = ("64C2DE000021", "64C2DE000022")
    mine, second = (signed(ca, name) for name in names)
    assert foresee(kettle, mine, name=names[0]).path[-1] == certificate_admission.CREATED
    done = connect(kettle, mine, name=names[0])
    found = device(names[0])
    assert (done.first, done.match, done.path[-1]) == (True, Match.FIRST, certificate_admission.CREATED)
    assert (found.authentication, found.origin, found.activated_at) == ("x509", DeviceOrigin.AUTO_CREATED, NOON)
    assert len(lifecycle.reveal_secret(found, by=OPERATOR, at=NOON)) == 32
    refused(AutoCreateLimit, lambda: connect(kettle, second, name=names[1]))
    refused(AutoCreateLimit, lambda: foresee(kettle, second, name=names[1]))
    assert AutoCreation.objects.get().created == 1
    lifecycle.delete(found, by=OPERATOR, at=NOON)
    assert connect(kettle, second, name=names[1]).first
    assert not DeviceCertificate.objects.filter(sha256=mine.sha256).exists()


@pytest.mark.parametrize("switches", [{"auto_create": False}, {"status": "developing"}])
def test_nothing_is_created_where_the_product_does_not_want_it(kettle: Product, ca: Ca, switches: dict[str, object]) -> None:
    switch(kettle, **{"auto_create": True, "auto_create_limit": 5} | switches)
    refused(DeviceUnknown, lambda: connect(kettle, signed(ca, "64C2DE000021"), name="64C2DE000021"))


def test_a_bad_certificate_creates_nothing(kettle: Product) -> None:
    switch(kettle, auto_create=True, auto_create_limit=5)
    stranger = signed(ca_cast.make("Stranger"), "64C2DE000021")
    error = refused(UnknownIssuer, lambda: connect(kettle, stranger, name="64C2DE000021"))
    assert error.path[0] == "The DeviceName is unknown, and automatic creation is on."


# -- Changes ---------------------------------------------------------------------------------------------------------------------------
def test_the_next_certificate_takes_the_place_of_the_one_before(kettle: Product, ca: Ca) -> None:
    mine, following = signed(ca), signed(ca)
    connect(kettle, mine)
    device_certificates.expect_next(device(), following.sha1, by=OPERATOR, at=NOON)
    assert connect(kettle, mine).match is Match.CURRENT
    assert connect(kettle, following, at=LATER).match is Match.NEXT
    kept = row()
    assert (kept.sha256, kept.next_sha256, kept.next_sha1, kept.next_set_at, kept.taken_at) == (following.sha256, "", "", None, LATER)
    assert kept.path_keys[0].endswith(following.serial_hex) and device().certificate_fingerprint == following.sha1
    line = audited("device.next_certificate_came")
    assert (line.before["certificate_fingerprint"], line.after["certificate_fingerprint"]) == (mine.sha256, following.sha256)
    refused(OtherCertificate, lambda: connect(kettle, mine))


def test_one_issued_anew_for_the_same_key_passes_where_the_product_says_so(kettle: Product, ca: Ca) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    mine, renewed = signed(ca, key=key), signed(ca, key=key)
    connect(kettle, mine)
    refused(OtherCertificate, lambda: connect(kettle, renewed))
    CertificatePolicy.objects.create(product=kettle, same_key=True)
    assert connect(kettle, renewed, at=LATER).match is Match.SAME_KEY
    assert (row().sha256, device().certificate_fingerprint) == (renewed.sha256, renewed.sha256)
    assert audited("device.certificate_renewed").after["certificate_fingerprint"] == renewed.sha256


def test_another_way_to_the_same_ca_is_kept_for_revocation_and_is_no_change_of_the_pin(kettle: Product, ca: Ca) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    ways = [below(ca, key=key) for _way in range(2)]
    mine = signed(ways[0])
    chains = [(mine, read(way)) for way in ways]
    connect(kettle, *chains[0])
    lines = AuditEntry.objects.count()
    assert row().path_keys[1].endswith(chains[0][1].serial_hex)
    assert connect(kettle, *chains[1], at=LATER).match is Match.CURRENT
    assert row().path_keys[1].endswith(chains[1][1].serial_hex)
    assert (row().taken_at, AuditEntry.objects.count()) == (NOON, lines)


def test_what_revokes_a_ca_below_another_one_on_file_is_kept_too(kettle: Product, ca: Ca) -> None:
    middle = below(ca)
    lower = ca_cast.active(Ca(middle.key, middle.certificate), kettle)
    mine = signed(middle)
    connect(kettle, mine)
    root = CertificateAuthority.objects.exclude(pk=lower.pk).get()
    numbers = [f"{lower.spki_sha256}:{mine.serial_hex}", f"{root.spki_sha256}:{read(middle).serial_hex}"]
    assert row().path_keys == numbers


# -- Revocation --------------------------------------------------------------------------------------------------------------------------
def test_a_revoked_device_is_refused_until_its_pin_is_reset(kettle: Product, ca: Ca) -> None:
    mine, fresh = signed(ca), signed(ca)
    connect(kettle, mine)
    device_certificates.revoke(device(), reason="key_compromise", by=OPERATOR, at=NOON)
    refused(CertificateRevoked, lambda: connect(kettle, mine))
    refused(DeviceRevoked, lambda: connect(kettle, fresh))
    device_certificates.reset_pin(device(), by=OPERATOR, at=NOON)
    refused(CertificateRevoked, lambda: connect(kettle, mine))
    assert connect(kettle, fresh).match is Match.FIRST


def test_certificates_of_this_name_that_were_issued_and_not_used_are_superseded(kettle: Product) -> None:
    issuing_cast.own_ca(kettle)
    made_for = [issuing.issue_for(product_id=kettle.pk, device_name=NAME, csr=None, at=issuing_cast.NOW) for _each in range(2)]
    for one in made_for:
        issuing.record(one, data_center_id=cast.home().pk, only_one=False, at=issuing_cast.NOW)
    used, unused = (one.certificate for one in made_for)
    connect(kettle, used, at=issuing_cast.NOW)
    reasons = dict(IssuedCertificate.objects.values_list("sha256", "reason"))
    assert reasons == {used.sha256: "", unused.sha256: "superseded"}
    assert RevokedSerial.objects.get().serial == unused.serial_hex
    lifecycle.delete(device(), by=OPERATOR, at=issuing_cast.NOW)
    assert IssuedCertificate.objects.get(sha256=used.sha256).reason == "cessation_of_operation"
    refused(CertificateRevoked, lambda: connect(kettle, used, at=issuing_cast.NOW))


# -- Foreseen ----------------------------------------------------------------------------------------------------------------------------
def test_what_is_foreseen_is_what_then_happens_and_nothing_is_written(kettle: Product, ca: Ca) -> None:
    mine, other = signed(ca), signed(ca)
    for chain in ((mine,), (mine,), (other,)):
        before = stored()
        outcomes: list[object] = []
        for way in (foresee, connect):
            try:
                done = way(kettle, *chain)
                outcomes.append((done.first, done.match, done.path))
            except Refused as error:
                outcomes.append((error.code, error.path))
            if way is foresee:
                assert stored() == before
        assert outcomes[0] == outcomes[1]
