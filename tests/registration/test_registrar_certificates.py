"""Devices with certificates at the registrar's own TLS listener, and at the embedded broker behind it."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from console.crypto.certificates import reading
from devices.models import Authentication, Device, DeviceCertificate, DisconnectOrder, PreImportedDevice
from devices.services import certificate_sweep, device_certificates
from products.models import CertificateAuthority
from products.services import authority_states, authority_upkeep, revocation
from registration.models import DeviceLogEntry
from registration.mqtt import packets
from registration.mqtt.packets import Connect
from registration.protocols import native_mqtt
from registration.protocols.connecting import Presented
from registration.servers import registrar as registrar_module
from registration.servers.entrance import Listener
from registration.servers.proxy_header import Origin, write_v2
from registration.servers.tls import ServerTls
from registration.services import certificate_tickets
from registration.services.turned_away import CertificateNotHandedOn
from tests import cast, processes
from tests.openssl_pki import FUTURE, PAST, Factory, Made, openssl
from tests.processes import Registrar
from tests.registration.certificate_gateways import trust
from tests.registration.mutual_tls import ALIBABA, NAME, NATIVE, TLS_1_2, TLS_1_3, codes, context, entries, knock, newest
from tests.registration.paho_device import PahoDevice
from tests.registration.rabbit_cast import credentials
from tests.registration.upstream import ListeningBroker
from tests.registration.waiting import until

pytestmark = pytest.mark.slow
OWN = f"/a1LampKey01/{NAME}/user/get"
BAD_LOGIN = 4


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    return Factory(tmp_path)


@pytest.fixture
def start(transactional_db: None, process_folder: Path, rsa_certificate: tuple[Path, Path]) -> Iterator[Callable[[], Registrar]]:
    """Starts a registrar with the embedded broker; it ends with the test, and has nothing to complain about."""
    started: list[Registrar] = []
    cast.home()

    def begin() -> Registrar:
        own = {"NAMEPLATE_MQTT_UPSTREAM": "embedded", "NAMEPLATE_MQTT_CONNECTIONS": "200", "NAMEPLATE_PRODUCT_CACHE_SECONDS": "0"}
        started.append(processes.start_registrar(process_folder, tls=rsa_certificate, **own))
        return started[-1]

    yield begin
    for one in started:
        one.stop()
        assert [line for line in one.process.output().splitlines() if "The MQTT registrar is at" not in line] == []


def row(authentication: str = Authentication.X509, name: str = NAME) -> PreImportedDevice:
    return cast.row(cast.lamp(), name, authentication)


def native(name: str = NAME) -> Presented:
    """Names alone, as its certificate proves them."""
    return Presented(f"{name}-1", native_mqtt.username_of("a1LampKey01", name), "")


def pin() -> DeviceCertificate:
    return DeviceCertificate.objects.get(device__device_name=NAME)


def test_a_device_is_pinned_by_its_first_connection_and_another_certificate_is_refused(
    start: Callable[[], Registrar], factory: Factory
) -> None:
    root = factory.root()
    good, other = factory.device(NAME, root), factory.device(NAME, root)
    trust(row().product, root)
    registrar = start()
    device = PahoDevice(native(), registrar.tls_port, tls=context(registrar, good))
    try:
        assert device.connect() == 0
        assert device.subscribe(OWN) and device.publish(OWN, b"to myself")
        device.wait(lambda: device.received == [(OWN, b"to myself")])
        assert not device.subscribe("/a1LampKey01/crate-2/user/get")
        until(lambda: Device.objects.at(cast.home()).online().exists())
        accepted = newest(1)
        assert (accepted.code, accepted.protocol, accepted.address, accepted.device_name) == ("accepted", "x509", "127.0.0.1", NAME)
        assert (accepted.facts["certificate"], accepted.facts["match"]) == (good.sha256, "first")
        assert pin().sha256 == good.sha256
        assert knock(registrar, context(registrar, other)) == BAD_LOGIN
        refused = newest(2)
        assert (refused.code, refused.facts["expected"], refused.facts["seen"]) == ("certificate_not_pinned", good.sha256, other.sha256)
        assert device.is_connected and pin().sha256 == good.sha256
    finally:
        device.close()
    for version in (TLS_1_2, TLS_1_3):
        assert knock(registrar, context(registrar, good, version)) == 0
    assert newest_accepted().facts["match"] == "current"


def newest_accepted() -> DeviceLogEntry:
    until(lambda: codes().count("accepted") == 3)
    return [entry for entry in entries() if entry.code == "accepted"][-1]


def test_each_certificate_is_refused_for_its_own_reason(start: Callable[[], Registrar], factory: Factory) -> None:
    root, stranger = factory.root(), factory.root("Stranger Root")
    line = factory.intermediate(root)
    trust(row().product, root)
    registrar = start()
    below = factory.device(NAME, line)
    refused_by_us = {
        "certificate_expired": factory.device(NAME, root, years=PAST),
        "certificate_not_yet_valid": factory.device(NAME, root, years=FUTURE),
        "certificate_other_name": factory.device("crate-2", root),
    }
    for count, (code, certificate) in enumerate(refused_by_us.items(), 1):
        assert knock(registrar, context(registrar, certificate)) == BAD_LOGIN, code
        entry = newest(count)
        assert (entry.code, entry.facts["certificate"], entry.device_name) == (code, certificate.sha256, NAME)
    refused_in_the_handshake = [
        ("certificate_issuer_unknown", factory.device(NAME, stranger), "issuer certificate"),
        ("certificate_issuer_unknown", factory.device(NAME, None), "self-signed certificate"),
        ("certificate_extended_key_usage", factory.device(NAME, root, purpose="serverAuth"), "unsuitable certificate purpose"),
        ("certificate_issuer_unknown", replace(below, presented=below.certificate), "issuer certificate"),
    ]
    count = len(refused_by_us)
    for code, certificate, words in refused_in_the_handshake:
        for version in (TLS_1_2, TLS_1_3):
            count += 1
            assert knock(registrar, context(registrar, certificate, version)) is None, code
            entry = newest(count)
            assert (entry.code, entry.event, entry.accepted, entry.address) == (code, "connection", False, "127.0.0.1")
            assert words in entry.facts["tls"], entry.facts
    assert not Device.objects.at(cast.home()).exists()
    assert knock(registrar, context(registrar, below)) == 0, "the intermediate certificate came with it"
    assert newest(count + 1).code == "accepted"


def test_the_ca_certificates_are_looked_at_while_it_runs(start: Callable[[], Registrar], factory: Factory) -> None:
    root = factory.root()
    good, wanted = factory.device(NAME, root), row()
    registrar = start()
    assert knock(registrar, context(registrar, good)) == BAD_LOGIN, "nobody asked for it"
    assert newest(1).code == "malformed", "there was no password either"
    trust(wanted.product, root)
    until(lambda: knock(registrar, context(registrar, good)) == 0)
    until(lambda: newest_code() == "accepted")
    authority = CertificateAuthority.objects.get()
    authority_states.deactivate(authority.pk, reason="a test", by=cast.OPERATOR, at=timezone.now())
    assert knock(registrar, context(registrar, good)) == BAD_LOGIN, "it is let into the handshake, and refused by name"
    until(lambda: newest_code() == "certificate_ca_inactive")


def newest_code() -> str:
    return codes()[-1] if codes() else ""


def test_devices_with_secrets_go_on_as_before(start: Callable[[], Registrar], factory: Factory) -> None:
    root = factory.root()
    wanted = row(Authentication.DYNAMIC)
    trust(wanted.product, root)
    registrar = start()
    for certificate in (None, factory.device(NAME, root), factory.device("another", root)):
        asked = native_mqtt.compose(credentials(wanted), datetime.now(UTC), 1)
        device = PahoDevice(asked, registrar.tls_port, tls=context(registrar, certificate))
        try:
            assert device.connect() == 0
            assert device.publish(OWN)
        finally:
            device.close()
    until(lambda: codes() == ["accepted"] * 3)
    assert [entry.protocol for entry in entries()] == ["native"] * 3
    assert not DeviceCertificate.objects.exists()
    assert knock(registrar, context(registrar, factory.device(NAME, root))) == BAD_LOGIN
    assert newest(4).code == "wrong_authentication", "a certificate is not what this device authenticates by"


def test_a_device_without_user_name_is_the_one_that_its_certificate_names(start: Callable[[], Registrar], factory: Factory) -> None:
    root = factory.root()
    good, wanted = factory.device(NAME, root), row()
    trust(wanted.product, root)
    registrar = start()
    device = PahoDevice(ALIBABA, registrar.tls_port, tls=context(registrar, good))
    try:
        assert device.connect() == 0
        assert device.subscribe(OWN) and device.publish(OWN, b"1")
        device.wait(lambda: device.received == [(OWN, b"1")])
        assert not device.subscribe("/a1LampKey01/crate-2/user/get")
    finally:
        device.close()
    assert newest(1).device_name == NAME
    assert knock(registrar, context(registrar, good), username="", password=b"") == 0
    serve_another_product(root)
    assert knock(registrar, context(registrar, good), username=None) == BAD_LOGIN
    assert newest(3).code == "product_not_named"
    assert knock(registrar, context(registrar, good), username=NATIVE) == 0


def serve_another_product(root: Made) -> None:
    authority = CertificateAuthority.objects.get()
    products = [binding.product for binding in authority.bindings.select_related("product")]
    authority_upkeep.set_products(authority.pk, [*products, cast.kettle()], by=cast.OPERATOR, at=timezone.now())


def revoke_device(listed: Device, good: Made) -> None:
    assert device_certificates.revoke(listed, reason="key_compromise", by=cast.OPERATOR, at=timezone.now()) == 1


def revoke_number(listed: Device, good: Made) -> None:
    number = openssl("x509", "-in", str(good.certificate), "-noout", "-serial").partition("=")[2]
    authority = CertificateAuthority.objects.get()
    revocation.revoke_serial(authority.pk, number, reason="key_compromise", by=cast.OPERATOR, at=timezone.now())
    assert certificate_sweep.cut_all(at=timezone.now()) == 1


def revoke_authority(listed: Device, good: Made) -> None:
    authority_states.revoke(CertificateAuthority.objects.get().pk, reason="its key is known", by=cast.OPERATOR, at=timezone.now())
    assert certificate_sweep.cut_all(at=timezone.now()) == 1


REVOCATIONS = {
    "the device": (revoke_device, {"device_certificate_revoked", "certificate_revoked"}),
    "its number": (revoke_number, {"certificate_revoked"}),
    "the whole CA": (revoke_authority, {"certificate_ca_inactive"}),
}


@pytest.mark.parametrize(("revoke", "refused_as"), REVOCATIONS.values(), ids=list(REVOCATIONS))
def test_a_device_that_is_revoked_is_cut_off_and_stays_out(
    start: Callable[[], Registrar], factory: Factory, revoke: Callable[[Device, Made], None], refused_as: set[str]
) -> None:
    root = factory.root()
    good, wanted = factory.device(NAME, root), row()
    trust(wanted.product, root)
    registrar = start()
    device = PahoDevice(native(), registrar.tls_port, tls=context(registrar, good), comes_back=False)
    try:
        assert device.connect() == 0
        until(lambda: Device.objects.at(cast.home()).online().exists())
        revoke(Device.objects.at(cast.home()).get(), good)
        assert device.cut_within(5)
        until(lambda: DisconnectOrder.objects.get().state == "cut")
    finally:
        device.close()
    assert knock(registrar, context(registrar, good)) == BAD_LOGIN
    until(lambda: newest_code() in refused_as)


def test_another_broker_is_handed_a_ticket_in_place_of_the_certificate(
    start_registrar: Callable[..., Registrar], rsa_certificate: tuple[Path, Path], factory: Factory
) -> None:
    cast.home()
    root = factory.root()
    good = factory.device(NAME, root)
    trust(row().product, root)
    asked = packets.connect(Connect(4, "crate-1-7", NATIVE, b"its own"))
    with ListeningBroker() as broker:
        to = {"NAMEPLATE_MQTT_UPSTREAM": f"127.0.0.1:{broker.port}", "NAMEPLATE_MQTT_UPSTREAM_PROXY_PROTOCOL": "on"}
        registrar = start_registrar(tls=rsa_certificate, **to)
        raw = socket.create_connection(("127.0.0.1", registrar.tls_port), timeout=20)
        with context(registrar, good).wrap_socket(raw, server_hostname="localhost") as connection:
            connection.sendall(asked + packets.PINGREQ)
            assert connection.recv(4) == packets.connack(4, 0)
        [heard] = broker.heard
        first, rest = packets.first_packet(heard.received) or (b"", b"")
        assert rest == packets.PINGREQ and heard.origin and heard.origin.address == "127.0.0.1"
        login = packets.read_connect(first)
        shown = Presented(login.client_id, login.username or "", (login.password or b"").decode())
        redeemed = certificate_tickets.redeem(shown, at=timezone.now())
        assert redeemed == Presented("crate-1-7", NATIVE, "its own", (reading.read_one(good.certificate.read_bytes()).der,))
        assert knock(registrar, context(registrar, None), password=b"its own") == 0
        assert broker.heard[1].received == packets.connect(Connect(4, "crate-1-7", NATIVE, b"its own")), "nothing to hand on"


def test_a_device_is_told_to_come_back_when_its_ticket_cannot_be_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**facts: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(certificate_tickets, "issue", fail)
    with pytest.raises(CertificateNotHandedOn) as caught:
        registrar_module._with_ticket(b"", Connect(4, "c", None, None), (b"",))
    assert caught.value.code == "unavailable"


def test_a_proxy_may_pass_the_handshake_on_unopened(
    start_registrar: Callable[..., Registrar], rsa_certificate: tuple[Path, Path], factory: Factory
) -> None:
    cast.home()
    root = factory.root()
    trust(row().product, root)
    proxied = {"NAMEPLATE_MQTT_PROXY_PROTOCOL": "on", "NAMEPLATE_TRUSTED_PROXIES": "127.0.0.0/8", "NAMEPLATE_MQTT_UPSTREAM": "embedded"}
    registrar = start_registrar(tls=rsa_certificate, **proxied)
    raw = socket.create_connection(("127.0.0.1", registrar.tls_port), timeout=20)
    raw.sendall(write_v2(Origin("203.0.113.9", 4711), ("192.0.2.1", 8883)))
    with context(registrar, factory.device(NAME, root)).wrap_socket(raw, server_hostname="localhost") as connection:
        connection.sendall(packets.connect(Connect(4, "crate-1-7", NATIVE, None)))
        assert connection.recv(4) == packets.connack(4, 0)
    assert (newest(1).code, newest(1).address) == ("accepted", "203.0.113.9")


def run(work: Coroutine[None, None, None]) -> None:
    """In a thread of its own: Playwright keeps an event loop in the thread of the tests."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def test_a_database_that_is_away_changes_nothing_and_is_told_once(
    rsa_certificate: tuple[Path, Path], factory: Factory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tls = ServerTls(*rsa_certificate, "standard")
    tls.trust([reading.read_one(factory.root().certificate.read_bytes()).der])
    before = tls.context

    def fail() -> tuple[bytes, ...]:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(registrar_module, "_authorities", fail)
    house = registrar_module.Registrar(registrar_module.Options(listeners=(Listener("127.0.0.1:0", tls),), connections=10))

    async def look_twice() -> None:
        await house._trust()
        await house._trust()

    run(look_twice())
    assert tls.context is before
    assert [record.getMessage() for record in caplog.records if "CA certificates" in record.getMessage()] == [
        "The CA certificates of devices could not be loaded; the listeners keep those that they have: the server closed the connection"
    ]
    monkeypatch.setattr(registrar_module, "_authorities", tuple)
    run(house._trust())
    assert tls.context.verify_mode == ssl.CERT_NONE, "there is none on file any more"
