"""The paper's side of the demo: people of every role, a key, serial numbers on devices, a workbook with faults, a download code.

Nobody knows the passwords, the key or the download code: they are made like real ones and thrown away.
"""

import io
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from console.api import keys
from console.demo import DEMO, MODELS
from console.people import accounts, roles
from console.people.accounts import NewPerson, Rights
from console.shared.actors import Actor
from console.shared.files import xlsx_writer
from devices.models import Batch, Device, Duplicates, FileFormat, PreImportedDevice, SerialNumber
from devices.rules.serial_numbers import Design
from devices.services import binding, download_codes, lifecycle, pre_import, serial_number_making, serial_numbers, upload_check, uploads
from products.models import Product
from registration.services import figure_keeping

PEOPLE = (
    ("lena.vogel", "Lena", "Vogel", "Viewer"),
    ("chen.ming", "Ming", "Chen", "Operator"),
    ("line-3", "Line 3", "Shenzhen", "Production"),
    ("sara.okoye", "Sara", "Okoye", "Security"),
    ("tomas.ruiz", "Tomás", "Ruiz", "Administrator"),
)
LABELS, BOUND = 240, 30
WORKBOOK = "kettles-line-3.xlsx"


def load() -> None:
    """After demo.load()."""
    now = timezone.now()
    people = _people(at=now - timedelta(days=9))
    kettle = Product.objects.get(key=MODELS[0].key)
    operator, security = _actor(people["Operator"]), _actor(people["Security"])
    _key(people["Administrator"], kettle, at=now - timedelta(days=8))
    _serial_numbers(kettle, by=operator, at=now - timedelta(hours=5))
    _download_code(kettle, by=security, at=now - timedelta(hours=4))
    _workbook(kettle, by=operator, at=now - timedelta(hours=3))
    _go_their_own_ways(kettle, by=operator, at=now - timedelta(hours=2))
    figure_keeping.roll_up(clock=timezone.now)  # Looks what is there;
    figure_keeping.roll_up(clock=timezone.now)  # the next one counts it.
    figure_keeping.count_fleet(clock=timezone.now)


def _people(*, at: datetime) -> dict[str, Any]:
    """By their roles. The one of the factory works with one product."""
    roles.make_missing(by=DEMO, at=at)
    found = {}
    for username, first, last, role in PEOPLE:
        products = [Product.objects.get(key=MODELS[0].key)] if role == "Production" else []
        new = NewPerson(username, first, last, f"{username}@devices.example", Rights(role=role, products=products))
        found[role], _password = accounts.add(new, by=DEMO, at=at)
    return found


def _actor(person: Any) -> Actor:
    return Actor(person.get_username(), person.pk, "192.0.2.17")


def _key(owner: Any, product: Product, *, at: datetime) -> None:
    actions = ["devices.view_preimporteddevice", "devices.add_preimporteddevice", "devices.view_batch", "devices.add_batch"]
    new = keys.NewKey("ERP: orders of line 3", actions, at + timedelta(days=180), 120, [product])
    keys.make(new, owner=owner, by=_actor(owner), at=at)


def _serial_numbers(product: Product, *, by: Actor, at: datetime) -> None:
    """A run of labels; the first ones are on devices of the batch."""
    run = serial_numbers.request(product, serial_numbers.NewRun(Design("KT-", length=9), LABELS, "Labels for line 3"), by=by, at=at)
    serial_number_making.fill(run.pk, clock=lambda: at)
    devices = PreImportedDevice.objects.filter(batch__product=product).order_by("pk")[:BOUND]
    labels = SerialNumber.objects.filter(run_id=run.pk).order_by("pk")[:BOUND]
    for number, (row, label) in enumerate(zip(devices, labels, strict=True)):
        binding.bind(product, row.device_name, label.sn, by=by, at=at + timedelta(seconds=9 * number))


def _download_code(product: Product, *, by: Actor, at: datetime) -> None:
    """One download was made, so that this batch cannot be undone any more; that of the other product can."""
    batch = Batch.objects.filter(product=product).order_by("pk")[0]
    new = download_codes.NewCode(FileFormat.CSV, "Huaqiang Assembly, line 3", lasts=timedelta(days=14), uses=3)
    made = download_codes.make(batch.pk, new, by=by, at=at)
    download = download_codes.redeem(made.text, address="203.0.113.44", at=at + timedelta(minutes=20))
    deque(download.pieces, maxlen=0)  # To its end, as a browser takes it: then the file is closed.


def _workbook(product: Product, *, by: Actor, at: datetime) -> None:
    """As it comes from a factory: two hundred good rows and the usual mistakes."""
    rows = [[f"F0:FE:6B:20:{number // 256:02X}:{number % 256:02X}", f"Kettle {number}", f"KS{number:06d}"] for number in range(200)]
    rows[16][0], rows[43][0], rows[88][0] = "F0:FE:6B:20:00", "8.6E+14", "F1:FE:6B:20:00:58"
    rows[120][0], rows[151][2], rows[187][0] = rows[12][0].replace(":", "-"), rows[30][2], "F0:FE:6B:2O:00:BB"
    rows[195][0] = PreImportedDevice.objects.of(product).order_by("pk")[0].device_name
    book = io.BytesIO(b"".join(xlsx_writer.stream(xlsx_writer.Sheet("Line 3", ["MAC", "Nickname", "SN"], rows))))
    new = uploads.NewUpload(WORKBOOK, len(book.getvalue()), [book.getvalue()], duplicates=Duplicates.SKIP)
    upload = uploads.receive(product, new, by=by, at=at)
    upload_check.check(upload.pk, clock=timezone.now)


def _go_their_own_ways(product: Product, *, by: Actor, at: datetime) -> None:
    """What somebody edits in one place stays as it was in the other."""
    devices = list(Device.objects.filter(product_id=product.pk).exclude(sn="").order_by("pk")[:4])
    for device in devices[:2]:
        lifecycle.edit(device, nickname=f"{device.nickname} (kitchen)", sn=device.sn, by=by, at=at)
    for device in devices[2:]:
        row = PreImportedDevice.objects.of(product).get(device_name=device.device_name)
        pre_import.edit(row.pk, {"nickname": f"{row.nickname} B"}, by=by, at=at)
