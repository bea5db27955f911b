"""What the tests of every page share: a console with something of everything in it, and the addresses of its pages."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.models import SavedFilter
from console.shared.actors import SYSTEM
from devices.models import Batch, BatchSource, PreImportedDevice
from devices.services import device_certificates
from products.models import Product
from products.services import lookup
from tests.devices import clones, serials, workbooks, x509_devices
from tests.house import walking
from tests.house.test_walk import ASKING
from tests.house.walking import World

NO_PAGE = {"logout", "jsi18n", "view_on_site"}
"""What signs out, is a script, or leads away."""
BESIDE = ("/download/", "/api/docs/", "/login/?next=/account/", "/nowhere/", "/devices/device/?state=inactive&q=A4")
"""Addresses without a name in the admin site, and a list that is filtered."""


def build(person: object) -> World:
    """The world of the walks, and what makes its pages full: clones, a workbook with faults, a running batch, generated SNs, a filter,
    a device with a certificate."""
    world, now = walking.build(), timezone.now()
    kettle = Product.objects.get(name="Kettle")
    Product.objects.filter(pk=kettle.pk).update(preregistration_free=True)
    lookup.forget()
    for number in range(3):
        clones.connect(clones.clone(kettle, walking.DEVICE_NAME, at=now), f"203.0.113.{number + 1}", at=now)
    faulty = [["64C2DE000001", "S1"], ["64C2DE00002", "S2"], ["8.6E+14", "S1"]]
    world.keys["devices.upload"] = str(workbooks.checked(kettle, ["MAC", "SN"], faulty).pk)
    world.words["upload_id"] = world.keys["devices.upload"]
    serials.made(kettle)
    running = {"total": 1000, "done": 100, "made": 100, "state": "running", "requested_at": now, "started_at": now - timedelta(seconds=9)}
    Batch.objects.create(product=kettle, source=BatchSource.AUTOMATIC, heartbeat_at=now + timedelta(hours=1), **running)
    row = PreImportedDevice.objects.get(device_name=walking.DEVICE_NAME)
    row.nickname = "A kettle with a rather long nickname for a narrow screen"
    row.save(update_fields=["nickname"])
    device = x509_devices.arrived(kettle, x509_devices.works(kettle).certificate("A4C1380000CE", days=20), "A4C1380000CE")
    device_certificates.expect_next(device, "ab" * 32, by=SYSTEM, at=now)
    world.words["certificate_device"] = f"{device.data_center.code}-{device.pk}"
    SavedFilter.objects.create(user=person, page="devices.preimporteddevice", name="Line 3", query="q=A4")
    return world


def addresses(client: Client, world: World) -> list[str]:
    """Of every page that answers this person with a document: a new page is among them by itself."""
    found = []
    for page in walking.pages():
        if page.name in NO_PAGE:
            continue
        address = page.url(world) + ASKING.get(page.name, "").format(**world.words)
        answer = client.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html") and b"<html" in answer.content:
            found.append(address)
    return [*found, reverse("admin:devices_device_change", args=[world.words["certificate_device"]]), *BESIDE]
