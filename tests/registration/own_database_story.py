"""Run by test_own_database.py in a process of its own: a data center whose device log lives in another database."""

import django

django.setup()

from datetime import timedelta  # noqa: E402

from devices.models import Authentication, Connection, Device, DeviceCertificate  # noqa: E402
from products.models import DataCenter, IssuedCertificate, Product  # noqa: E402
from products.services import data_centers  # noqa: E402
from registration.models import DeviceLogEntry, UsedNonce  # noqa: E402
from registration.protocols.base import Credentials  # noqa: E402
from registration.services import broker_auth, recorder, retention  # noqa: E402
from registration.services.enrolment import register  # noqa: E402
from registration.services.schemes import schemes  # noqa: E402
from tests import cast  # noqa: E402
from tests.registration import enrolling  # noqa: E402
from tests.registration.connecting import broker, connect, with_row_s_secret  # noqa: E402
from tests.registration.knocking import SECRETS, request_of  # noqa: E402


def tell() -> None:
    cast.home()
    new = DataCenter()
    frankfurt = data_centers.save(new, code="eu", name="Frankfurt", database="frankfurt", hosts=["eu.test"], by=cast.OPERATOR, at=cast.NOON)
    meter = cast.meter()
    cast.row(meter, "490154203237518")
    request = request_of("native", Credentials(meter.key, SECRETS[meter.key], "490154203237518"), host="eu.test")
    for _again in range(2):
        register(protocol=schemes()["native"], request=request, peer_address="", at=cast.NOON)
    codes = DeviceLogEntry.objects.at(frankfurt).order_by("id").values_list("code", flat=True)
    assert list(codes) == ["accepted", "nonce_used"]
    assert Device.objects.at(frankfurt).count() == UsedNonce.objects.using("frankfurt").count() == 1
    for model in (DeviceLogEntry, UsedNonce, Device):
        assert not model.objects.using("default").exists()
    assert retention.purge_nonces(at=cast.NOON + timedelta(hours=1)) == 1
    assert retention.purge_log(at=cast.NOON + timedelta(days=1000)) == 2
    connections(meter, frankfurt)


def connections(meter: Product, frankfurt: DataCenter) -> None:
    thing = with_row_s_secret(cast.row(meter, "356938035643809", Authentication.STATIC), "native")
    assert connect(thing, center=frankfurt).allowed
    gone = cast.NOON + timedelta(minutes=1)
    broker_auth.disconnected(broker=broker(frankfurt), mqtt_client_id=thing.presents().client_id, at=gone)
    assert recorder.flush(20)
    assert [entry.code for entry in DeviceLogEntry.objects.at(frankfurt).order_by("id")] == ["accepted", "ended"]
    assert Connection.objects.at(frankfurt).get().disconnected_at == gone
    for model in (DeviceLogEntry, Connection, Device):
        assert not model.objects.using("default").exists()
    assert retention.purge_connections(at=cast.NOON + timedelta(days=1000)) == 1
    certificates(frankfurt)


def certificates(frankfurt: DataCenter) -> None:
    """The device is over there; what was issued to it is on file at the center, where everybody looks a revocation up."""
    tracker = enrolling.certified(cast.tracker())
    cast.row(tracker, "crate-1")
    first, second = (enrolling.pair_of(enrolling.register(tracker, "crate-1", host="eu.test", center=frankfurt)) for _ in range(2))
    device = Device.objects.at(frankfurt).get(device_name="crate-1")
    assert device.authentication == Authentication.X509 and IssuedCertificate.objects.good().count() == 2
    assert enrolling.connect(tracker, "crate-1", first.certificate, center=frankfurt).code == "accepted"
    assert enrolling.connect(tracker, "crate-1", second.certificate, center=frankfurt).code == "certificate_revoked"
    assert DeviceCertificate.objects.of(device).get().sha256 == first.certificate.sha256
    for model in (DeviceLogEntry, Device, DeviceCertificate):
        assert not model.objects.using("default").exists()


tell()
print("told")
