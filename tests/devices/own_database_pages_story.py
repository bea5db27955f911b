"""Run by test_own_database.py in a process of its own: pages, programs and sweeps for devices with certificates in another database.

The devices of the home data center have the same numbers and other certificates, so that whoever asks the wrong database is told apart.
"""

import django

django.setup()

from datetime import timedelta  # noqa: E402
from typing import Any  # noqa: E402

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.urls import reverse  # noqa: E402

from console.shared import attention, confirmation  # noqa: E402
from devices.admin.device import device_key  # noqa: E402
from devices.models import Authentication, Connection, Device, DeviceCertificate, DisconnectOrder  # noqa: E402
from devices.services import certificate_sweep, device_certificates  # noqa: E402
from products.models import DataCenter, RevokedSerial  # noqa: E402
from products.services import data_centers, revocation  # noqa: E402
from tests import cast  # noqa: E402
from tests.api.callers import Program  # noqa: E402
from tests.cast import NOON, OPERATOR  # noqa: E402
from tests.devices import clones, x509_devices  # noqa: E402
from tests.devices.x509_devices import Works  # noqa: E402
from tests.products.issuing_cast import NOW  # noqa: E402

LIST = "admin:devices_device_changelist"
DAYS = {"A4C138000001": 5, "A4C138000002": 400, "A4C138000003": 400, "A4C138000004": 400, "A4C138000005": 400}
"""Until the certificate of each device in Frankfurt ends."""
AT_HOME = tuple(f"A4C13800001{number}" for number in range(1, 6))


def tell() -> None:
    setup_test_environment()
    home = cast.home()
    frankfurt = data_centers.save(DataCenter(), code="eu", name="Frankfurt", database="frankfurt", hosts=["eu.test"], by=OPERATOR, at=NOON)
    works = x509_devices.works(cast.kettle())
    for name in AT_HOME:
        x509_devices.arrived(works.product, works.certificate(name), name, home)
    fleet = {name: x509_devices.arrived(works.product, works.certificate(name, days=days), name, frankfurt) for name, days in DAYS.items()}
    assert [device.pk for device in fleet.values()] == list(Device.objects.at(home).order_by("pk").values_list("pk", flat=True))
    client = signed_in(cast.administrator())
    filters_and_attention(client, works, list(fleet.values()))
    the_page(client, works, fleet["A4C138000002"])
    revoked_on_the_page(client, fleet["A4C138000004"])
    whose_fingerprint(client, works, frankfurt)
    programs(works, fleet["A4C138000005"])
    swept(works, home, frankfurt)
    for model in (Device, DeviceCertificate):
        assert model.objects.using("default").count() == len(AT_HOME)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    session = client.session
    confirmation.note(session, NOW)
    session.save()
    return client


def listed(client: Client, **query: str) -> list[str]:
    """Names in the list of Frankfurt."""
    shown = client.get(reverse(LIST), {"center": "eu", **query}, follow=True).context["cl"].result_list
    return sorted(device.device_name for device in shown)


def page(client: Client, device: Device) -> str:
    answer = client.get(reverse("admin:devices_device_change", args=[device_key(device)]))
    assert answer.status_code == 200
    return answer.content.decode()


def do(client: Client, device: Device, action: str, **fields: str) -> str:
    return client.post(reverse(f"admin:devices_device_{action}", args=[device_key(device)]), fields, follow=True).content.decode()


def of(device: Device) -> DeviceCertificate:
    return DeviceCertificate.objects.using("frankfurt").get(pk=device.pk)


def filters_and_attention(client: Client, works: Works, fleet: list[Device]) -> None:
    device_certificates.expect_next(fleet[1], "ab" * 32, by=OPERATOR, at=NOW)
    device_certificates.revoke(fleet[2], reason="unspecified", by=OPERATOR, at=NOW)
    DeviceCertificate.objects.of(fleet[3]).update(not_after=NOW - timedelta(days=1))
    for word, number in {"ends": 0, "changing": 1, "revoked": 2, "ended": 3}.items():
        assert listed(client, certificate=word) == [fleet[number].device_name], word
        assert not client.get(reverse(LIST), {"center": "cn-shanghai", "certificate": word}, follow=True).context["cl"].result_list
    (alert,) = (one for one in attention.alerts(cast.administrator("second"), NOW) if "end within 30 days" in str(one.title))
    assert (alert.count, "Frankfurt" in str(alert.title)) == (1, True)
    shown = client.get(alert.url, follow=True).context["cl"].result_list
    assert [device.device_name for device in shown] == ["A4C138000001"]
    product = client.get(reverse("admin:products_product_change", args=[works.product.pk])).content.decode()
    assert product.count("1 certificate ends within 30 days") == 1 and "center=eu&amp;" in product


def the_page(client: Client, works: Works, device: Device) -> None:
    """Its certificate, the next one, a reset: each is of this data center."""
    row, new = of(device), works.certificate(device.device_name)
    content = page(client, device)
    assert all(f'data-copy="{digits}"' in content for digits in (row.sha256, row.sha1, row.spki_sha256, "ab" * 32))
    assert f"CN={device.device_name}" in content and "Pinned" in content and "Certificate of a device pinned" in content
    assert "The next certificate is set." in do(client, device, "next_certificate", fingerprint=new.sha1)
    x509_devices.present(works.product, new, device.data_center)
    assert f'data-copy="{new.sha256}"' in page(client, device) and of(device).next_sha1 == ""
    assert "is taken" in do(client, device, "reset_pin", reason="Board replaced")
    assert "None expected yet" in page(client, device) and of(device).sha256 == ""
    revocation.revoke_serial(works.authority.pk, new.serial_hex, reason="key_compromise", by=OPERATOR, at=NOW)
    third = works.certificate(device.device_name)
    x509_devices.present(works.product, third, device.data_center)
    assert "Pinned" in page(client, device) and of(device).sha1 == third.sha1


def revoked_on_the_page(client: Client, device: Device) -> None:
    connected(device)
    content = do(client, device, "revoke_certificates", reason="key_compromise", note="Stolen")
    assert "1 connection is to be cut off." in content and "until its pin is reset" in content
    order = DisconnectOrder.objects.using("frankfurt").get()
    assert (order.reason, order.device_name) == ("certificate", device.device_name)
    assert RevokedSerial.objects.filter(serial=of(device).path_keys[0].partition(":")[2]).exists()
    assert "disabled" in do(client, device, "disable").lower() and not Device.objects.using("frankfurt").get(pk=device.pk).enabled


def connected(device: Device) -> None:
    broker = clones.broker(device.data_center)
    row = Connection(device=device, broker=broker, mqtt_client_id=f"c-{device.device_name}", connected_at=NOW)
    row.save(using="frankfurt")


def whose_fingerprint(client: Client, works: Works, frankfurt: DataCenter) -> None:
    """In the search of the console and of the list; waiting, current and next."""
    waiting = x509_devices.waiting(works.product, "A4C138000006", "12" * 20, frankfurt)
    device_certificates.expect_next(waiting, "34" * 32, by=OPERATOR, at=NOW)
    row = of(Device.objects.at(frankfurt).get(device_name="A4C138000001"))
    asked = {"12" * 20: waiting.device_name, "34" * 32: waiting.device_name, row.sha1: "A4C138000001", row.sha256: "A4C138000001"}
    for digits, name in asked.items():
        text = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper()
        assert listed(client, q=text) == [name], digits
        found = client.get(reverse("admin:search"), {"s": text, "extended": "1"}).content.decode()
        assert "Device in Frankfurt, Kettle" in found and name in found and "Shanghai" not in found
        assert not client.get(reverse(LIST), {"center": "cn-shanghai", "q": text}, follow=True).context["cl"].result_list
        items = Program().call("get", f"/data-centers/eu/devices?search={text}").json()["items"]
        assert [one["device_name"] for one in items] == [name]
    waiting.delete()


def programs(works: Works, device: Device) -> None:
    program, path, row = Program(), f"/data-centers/eu/devices/{device.pk}/certificate", of(device)
    body = program.call("get", path).json()
    assert (body["sha256"], body["sha1"], body["subject"]) == (row.sha256, row.sha1, f"CN={device.device_name}")
    new = works.certificate(device.device_name)
    assert program.call("post", f"{path}/next", {"fingerprint": new.sha256}).json()["next_sha256"] == new.sha256
    (changing,) = program.call("get", "/data-centers/eu/devices?certificate=changing").json()["items"]
    assert (changing["device_name"], changing["product_key"]) == (device.device_name, works.product.key)
    assert program.call("post", f"{path}/reset", {"fingerprint": new.sha1}).json()["sha1"] == new.sha1
    x509_devices.present(works.product, new, device.data_center)
    connected(device)
    assert program.call("post", f"{path}/revoke", {"reason": "unspecified"}).json() == {"cut_off": 1}
    assert program.call("get", path).json()["revoked_at"] and of(device).revoked_at
    assert program.call("get", f"/data-centers/cn-shanghai/devices/{device.pk}/certificate").json()["revoked_at"] is None


def swept(works: Works, home: DataCenter, frankfurt: DataCenter) -> None:
    """By number, then with the whole CA; what was cut before is not cut twice."""
    DisconnectOrder.objects.using("frankfurt").all().delete()
    Connection.objects.using("frankfurt").all().delete()
    device = Device.objects.at(frankfurt).get(device_name="A4C138000001")
    connected(device)
    assert certificate_sweep.cut_all(at=NOW) == 0
    serial = of(device).path_keys[0].partition(":")[2]
    revocation.revoke_serial(works.authority.pk, serial, reason="key_compromise", by=OPERATOR, at=NOW)
    assert certificate_sweep.cut_by(works.authority.pk, at=NOW) == 1 and certificate_sweep.cut_all(at=NOW) == 0
    assert DisconnectOrder.objects.using("frankfurt").get().device_name == device.device_name
    assert not DisconnectOrder.objects.at(home).exists()
    content = page(signed_in(cast.administrator("third")), device)
    assert 'np-badge--red">Revoked' in content and "Waiting" in content
    assert device.authentication == Authentication.X509


tell()
print("told")
