"""The vocabulary of devices."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple, Self

from django.db import models
from django.db.models import F, Q

from console.crypto.certificates import fingerprints
from console.shared import bulk
from devices.rules.macs import as_stored_mac
from products.models import DataCenter, Product

if TYPE_CHECKING:
    from devices.models import ClientIdentity, Connection, Device, DeviceCertificate, DisconnectOrder, PreImportedDevice, SerialNumber  # noqa: F401


CERTIFICATE_ENDS_SOON = timedelta(days=30)
CERTIFICATE_WORDS = ("ends", "ended", "changing", "revoked")
"""Of the certificate that a device must present: it ends soon, has ended, the next one is set, an operator has revoked it."""

MOST_OF_ONE_FINGERPRINT = 1_000
"""Devices of one data center that are found by the same fingerprint: a certificate is one device's, unless somebody typed it for many."""


class PreImportRow(NamedTuple):
    """A pre-import row ready to be stored: every value checked, the secret sealed for its owner (device_secret_owner).

    `sn`: None where there is none.
    """

    product_id: int
    device_name: str
    nickname: str
    sn: str | None
    authentication: str
    sealed_secret: bytes
    certificate_fingerprint: str
    batch_id: int | None
    created_at: datetime


def pre_import_rows(
    product_id: int, names: Sequence[str], sealed: Sequence[bytes], *, authentication: str, batch_id: int | None, created_at: datetime
) -> Iterator[bulk.Row]:
    """Values in the order of PreImportRow that differ in name and secret alone, without an object for each row."""
    count = len(names)
    same = (product_id, "", None, authentication, "", batch_id, created_at)
    product, nickname, sn, way, fingerprint, batch, created = (repeat(value, count) for value in same)
    return zip(product, names, nickname, sn, way, sealed, fingerprint, batch, created, strict=True)


class PreImportedDeviceQuerySet(models.QuerySet["PreImportedDevice"]):
    def of(self, product: Product) -> Self:
        return self.filter(product_id=product.pk)

    def named(self, product_id: int, device_name: str) -> "PreImportedDevice | None":
        return self.filter(product_id=product_id, device_name=device_name).first()

    def matching(self, text: str) -> Self:
        """By name or SN (`called`), or by the whole fingerprint that a row was imported with."""
        digits = fingerprints.read(text)
        return self.filter(called(text) | Q(certificate_fingerprint=digits) if digits else called(text))

    def made_in(self, batch_id: int, *, after: int = 0) -> Self:
        """The rows of a production batch in the order in which they were made, from behind the row number `after`."""
        return self.filter(batch_id=batch_id, pk__gt=after).order_by("pk")

    def store(self, rows: Iterable[bulk.Row], *, skip_taken: bool = False) -> int:
        """Stores many rows (PreImportRow, or the same values in its order) the fast way within the caller's transaction and returns how
        many; rows sorted by name go fastest.

        Raises IntegrityError at a name or SN that is taken; with `skip_taken` such rows are left out.
        """
        return bulk.store(self.model, PreImportRow._fields, rows, using=self.db, skip_taken=skip_taken)


class DeviceQuerySet(models.QuerySet["Device"]):
    def at(self, data_center: DataCenter) -> Self:
        """The device list of one data center: its database and its rows."""
        return self.using(data_center.database).filter(data_center_id=data_center.pk)

    def of(self, product: Product) -> Self:
        return self.filter(product_id=product.pk)

    def registered(self) -> Self:
        """Handed their secret since they were added or last reset."""
        return self.filter(registered_at__isnull=False)

    def activated(self) -> Self:
        return self.filter(activated_at__isnull=False)

    def disabled(self) -> Self:
        return self.filter(enabled=False)

    def inactive(self) -> Self:
        return self.filter(enabled=True, activated_at=None)

    def seen(self) -> Self:
        """Came last through a broker that does not say when a device leaves."""
        return self.filter(enabled=True, activated_at__isnull=False).filter(_SEEN)

    def online(self) -> Self:
        return self.filter(enabled=True, activated_at__isnull=False).filter(_ONLINE).exclude(_SEEN)

    def offline(self) -> Self:
        return self.filter(enabled=True, activated_at__isnull=False).exclude(_ONLINE).exclude(_SEEN)

    def with_several_client_ids(self) -> Self:
        """More than one physical device is active under the name (A10)."""
        return self.filter(client_ids_active__gt=1)

    def switched(self) -> Self:
        """One ClientID was chosen, the others are forbidden (A12)."""
        return self.filter(switched_at__isnull=False)

    def with_certificate(self, word: str, at: datetime) -> Self:
        """`word`: one of CERTIFICATE_WORDS. An index answers each, whatever the size of the list."""
        lasting = self.filter(certificate__revoked_at=None)
        return {
            "ends": lasting.filter(certificate__not_after__gt=at, certificate__not_after__lte=at + CERTIFICATE_ENDS_SOON),
            "ended": lasting.filter(certificate__not_after__lte=at),
            "changing": self.filter(certificate__next_set_at__isnull=False),
            "revoked": self.filter(certificate__revoked_at__isnull=False),
        }[word]

    def presenting(self, fingerprint: str) -> Self:
        """Those whose certificate has it, the current one or the next. `fingerprint`: 40 or 64 lower-case hex digits."""
        kind = "sha1" if len(fingerprint) == 40 else "sha256"
        return self.filter(Q(**{f"certificate__{kind}": fingerprint}) | Q(**{f"certificate__next_{kind}": fingerprint}))

    def matching(self, text: str) -> Self:
        """By name or SN (`called`), or by the whole fingerprint of a certificate. That asks the database at once who has it: an "or" over
        two tables has no index."""
        digits = fingerprints.read(text)
        if not digits:
            return self.filter(called(text))
        holders = list(self.presenting(digits).order_by().values_list("pk", flat=True)[:MOST_OF_ONE_FINGERPRINT])
        return self.filter(called(text) | Q(certificate_fingerprint=digits) | Q(pk__in=holders))

    def in_state(self, state: str) -> Self:
        """`state`: one of devices.rules.lifecycle's five words."""
        words = {
            "disabled": self.disabled,
            "inactive": self.inactive,
            "online": self.online,
            "offline": self.offline,
            "seen": self.seen,
        }
        return words[state]()


_SEEN = (
    Q(last_seen_at__isnull=False)
    & (Q(last_online_at=None) | Q(last_online_at__lt=F("last_seen_at")))
    & (Q(last_offline_at=None) | Q(last_offline_at__lt=F("last_seen_at")))
)
_ONLINE = Q(last_online_at__isnull=False) & (Q(last_offline_at=None) | Q(last_offline_at__lt=F("last_online_at")))


class ClientIdentityQuerySet(models.QuerySet["ClientIdentity"]):
    def of(self, device: "Device") -> Self:
        """The physical devices of a name, in its own database, oldest first."""
        return self.using(device.data_center.database).filter(device_id=device.pk).order_by("pk")

    def active(self) -> Self:
        """Activated and allowed: these count among the five (A9)."""
        return self.filter(status="allowed", first_connected_at__isnull=False)

    def pending(self) -> Self:
        """Issued and never used."""
        return self.filter(status="allowed", first_connected_at=None)

    def unused_since(self, moment: datetime) -> Self:
        """Issued before then and never used; those that an operator has forbidden stay, so that they stay forbidden by name."""
        return self.pending().filter(issued_at__lt=moment)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def of(self, device: "Device") -> Self:
        """In the device's own database, newest first."""
        return self.using(device.data_center.database).filter(device_id=device.pk).order_by("-connected_at", "-pk")

    def at(self, data_center: DataCenter) -> Self:
        return self.using(data_center.database).filter(device__data_center_id=data_center.pk)

    def open(self) -> Self:
        return self.filter(disconnected_at=None)

    def ended_before(self, moment: datetime) -> Self:
        return self.filter(disconnected_at__lt=moment)


class DeviceCertificateQuerySet(models.QuerySet["DeviceCertificate"]):
    def of(self, device: "Device") -> Self:
        """In the device's own database."""
        return self.using(device.data_center.database).filter(device_id=device.pk)

    def connected(self, connections: "ConnectionQuerySet") -> Self:
        """Of X.509 devices that have one of these open: such a device comes by its certificate alone."""
        mine = connections.open().filter(device_id=models.OuterRef("pk"))
        return self.filter(models.Exists(mine), device__authentication="x509")


class DisconnectOrderQuerySet(models.QuerySet["DisconnectOrder"]):
    def at(self, data_center: DataCenter) -> Self:
        return self.using(data_center.database).filter(data_center_id=data_center.pk)

    def of(self, device: "Device") -> Self:
        return self.at(device.data_center).filter(product_id=device.product_id, device_name=device.device_name)

    def waiting(self) -> Self:
        return self.filter(done_at=None)

    def done_before(self, moment: datetime) -> Self:
        return self.filter(done_at__lt=moment)

    def unreachable(self) -> Self:
        """They wait because their broker did not answer."""
        return self.waiting().exclude(last_error="")


def called(text: str) -> Q:
    """Rows whose DeviceName begins so (a MAC address in any spelling, whole or in part), or whose SN it is; all for an empty text."""
    text = text.strip()
    if not text:
        return Q()
    wanted = Q(device_name__startswith=text) | Q(sn=text)
    mac = as_stored_mac(text)
    return wanted | Q(device_name__startswith=mac) if mac and mac != text else wanted


class SerialNumberQuerySet(models.QuerySet["SerialNumber"]):
    def free(self) -> Self:
        """On no device, and good to use."""
        return self.filter(device_name="", voided_at=None)

    def bound(self) -> Self:
        return self.exclude(device_name="")

    def void(self) -> Self:
        return self.filter(voided_at__isnull=False)

    def of_run(self, run_id: int, *, after: int = 0) -> Self:
        """In the order in which they were made, from behind the row number `after`."""
        return self.filter(run_id=run_id, pk__gt=after).order_by("pk")

    def bound_since(self, product_id: int, moment: datetime) -> Self:
        """Of a product."""
        return self.bound().filter(product_id=product_id, bound_at__gte=moment)

    def bound_of(self, product_id: int, user_id: int | None) -> Self:
        """Of a product by a person, newest first."""
        return self.bound().filter(product_id=product_id, bound_by_id=user_id).order_by("-bound_at", "-pk")
