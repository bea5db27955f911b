"""What the walks over all pages need: a world with one row of everything, a person for each role, and the address of every page."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from console import audit
from console.models import ApiKey, AuditEntry
from console.people import accounts, groups, permissions, roles
from console.people.accounts import NewPerson, Rights
from console.shared.actors import SYSTEM
from console.shared.jobs import JobState
from devices.models import Batch, Device, DownloadCode, MacBlockKind, Receipt, ReceiptKey, SerialNumber, SerialNumberRun, Upload
from devices.services import admission, mac_pools, receipts
from products.models import Broker, CertificateAuthority, IssuedCertificate, Product
from products.services import brokers, lookup
from registration.decision_codes import DecisionCode
from registration.models import DeviceLogEntry
from tests import cast
from tests.cast import NOON
from tests.products import ca_cast, issuing_cast

LIMITED = "Limited"
"""Somebody with every permission but the one to see every product; works with a product that nothing in the world belongs to."""
DEVICE_NAME = "A4C138000001"
LEAKS = ("Kettle", "a1ExpAkj9Hi", DEVICE_NAME)
"""What stands on no page of a person who does not work with the kettle."""


@dataclass
class World:
    """`keys`: what names the row of each model in addresses. `words`: what stands for the other arguments of addresses."""

    keys: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


def build() -> World:
    """One row of everything; what belongs to a product belongs to the kettle."""
    center, now = cast.home(), timezone.now()
    cast.frankfurt()
    kettle = cast.kettle()
    row = cast.row(kettle, DEVICE_NAME, sn="SN-1")
    known = lookup.find_for_registration(kettle.key, at=NOON)
    admission.admit(data_center=center, product=known, device_name=DEVICE_NAME, at=NOON)
    device = Device.objects.get()
    pool = mac_pools.create(mac_pools.NewPool("Own block", MacBlockKind.MA_L, prefix="A4-C1-38"), by=SYSTEM, at=NOON)
    job = {"product": kettle, "state": JobState.DONE, "requested_at": now, "finished_at": now}
    batch = Batch.objects.create(**job, total=1, done=1, made=1, source="automatic", flashing_method="per_device")
    upload = Upload.objects.create(
        **job, purpose="pre_import", file_name="kettle.xlsx", size=1, sha256="0" * 64, expires_at=now + timedelta(days=1)
    )
    run = SerialNumberRun.objects.create(**job, total=1, done=1, length=8)
    number = SerialNumber.objects.create(product=kettle, run=run, sn="SN-2")
    code = DownloadCode.objects.create(
        batch=batch, format="csv", digest="d", beginning="abcd", note="the factory", made_at=now, expires_at=now + timedelta(days=1)
    )
    entry = DeviceLogEntry.objects.create(
        at=now,
        data_center=center,
        product=kettle,
        product_key=kettle.key,
        device_name=DEVICE_NAME,
        code=DecisionCode.BAD_SIGNATURE,
        accepted=False,
        request_id="0" * 32,
        protocol="alibaba",
    )
    broker = brokers.save(Broker(), **_broker(center), by=SYSTEM, at=NOON)
    person, _password = accounts.add(NewPerson("somebody"), by=SYSTEM, at=NOON)
    group = groups.add("Helpers", [], by=SYSTEM, at=NOON)
    key = ApiKey.objects.create(
        owner=person, name="A key", beginning="np_1234", digest="d", created_at=now, expires_at=now + timedelta(days=1)
    )
    audit.record("product.change", kettle, by=SYSTEM, at=NOON)
    rows = (
        kettle,
        row,
        pool,
        batch,
        upload,
        run,
        number,
        code,
        *_receipted(batch),
        broker,
        *_certificates(kettle),
        person,
        group,
        key,
        center,
        kettle.grants.get(),
        AuditEntry.objects.first(),
    )
    keys = {one._meta.label_lower: str(one.pk) for one in rows if one is not None}
    keys |= {"devices.device": f"{center.code}-{device.pk}", "registration.devicelogentry": f"{center.pk}-{entry.pk}"}
    return World(keys, _words(keys))


def _receipted(batch: Batch) -> tuple[Receipt, ReceiptKey]:
    receipt = receipts.issue(batch.pk, clock=timezone.now)
    assert receipt is not None
    return receipt, receipt.key


def _broker(center: Any) -> dict[str, Any]:
    empty = {"vhost": "/", "management_url": "", "management_user": "", "management_secret": None, "events_url": None}
    return {"name": "EMQX", "kind": "emqx", "data_center": center, "enabled": True, **empty}


def _certificates(kettle: Product) -> tuple[CertificateAuthority, IssuedCertificate]:
    """The one that was issued comes from a CA of its own."""
    return ca_cast.uploaded(ca_cast.make(), kettle), issuing_cast.stored(kettle, DEVICE_NAME)


def _words(keys: dict[str, str]) -> dict[str, str]:
    return {
        "product_id": keys["products.product"],
        "batch_id": keys["devices.batch"],
        "upload_id": keys["devices.upload"],
        "run_id": keys["devices.serialnumberrun"],
        "code_id": keys["devices.downloadcode"],
        "receipt_number": keys["devices.receipt"],
        "key_id": keys["console.apikey"],
        "form": "csv",
        "session_id": "1",
        "page": "devices_device",
        "kind": "batch",
        "devices_serialnumberrun_file kind": "csv",
        "pk": keys["devices.batch"],
        "content_type_id": "1",
        "app_label": "devices",
    }


def people() -> dict[str, User]:
    """One of each role, and LIMITED. The factory's person works with the kettle."""
    roles.make_missing(by=SYSTEM, at=NOON)
    found = {role: _person(role.lower(), Rights(role=role)) for role in roles.ROLES}
    accounts.set_rights(found["Production"].pk, Rights("Production", products=[Product.objects.get(name="Kettle")]), by=SYSTEM, at=NOON)
    almost = [one for one in permissions.grantable() if permissions.name_of(one) != "products.see_every_product"]
    everything = groups.add("Everything but every product", almost, by=SYSTEM, at=NOON)
    found[LIMITED] = _person("limited", Rights(groups=[everything], products=[cast.lamp()]))
    return found


def _person(name: str, rights: Rights) -> User:
    person, _password = accounts.add(NewPerson(name, rights=rights), by=SYSTEM, at=NOON)
    return User.objects.get(pk=person.pk)


def sign_in(person: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


@dataclass(frozen=True)
class Page:
    """`model`: whose rows its `object_id` names, empty for the console's own pages. A name may hold a page's own word: "page argument"."""

    name: str
    model: str
    arguments: tuple[str, ...]

    def url(self, world: World) -> str:
        """Raises KeyError for an argument that nothing stands for: add it to `words`."""
        known = {"object_id": world.keys.get(self.model, "1"), **world.words}
        values = {name: known.get(f"{self.name} {name}") or known[name] for name in self.arguments}
        return reverse(f"admin:{self.name}", kwargs=values)


def pages() -> list[Page]:
    """Every page of the console that has a name, people's own accounts included."""
    found = list(_named("", admin.site.get_urls()))
    for model, options in admin.site._registry.items():
        found += _named(model._meta.label_lower, options.get_urls())
    return sorted({page.name: page for page in found}.values(), key=lambda page: page.name)


def _named(model: str, patterns: Any) -> Iterator[Page]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern) and pattern.name:
            yield Page(pattern.name, model, tuple(pattern.pattern.converters) or tuple(pattern.pattern.regex.groupindex))
        elif isinstance(pattern, URLResolver) and not model and pattern.pattern.regex.groupindex:
            yield from _named(model, pattern.url_patterns)


def fingerprint() -> str:
    """Of every row of ours but sessions: what a refused request must leave as it was."""
    models = [model for app in ("products", "devices", "registration", "console") for model in apps.get_app_config(app).get_models()]
    rows = {
        model._meta.label: [[repr(value) for value in row] for row in model._default_manager.order_by("pk").values_list()]
        for model in (*models, Group, User)
        if model._meta.model_name != "signin"
    }
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
