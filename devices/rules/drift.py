"""Drift (N10): a row of the pre-import list beside what a data center made of it. The two go their own ways (Q3)."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from devices.rules import lifecycle

FINGERPRINT = "certificate_fingerprint"
COMPARED = ("nickname", "sn", "authentication", FINGERPRINT)
DYNAMIC, X509 = "dynamic", "x509"


class Drift(StrEnum):
    """What became of a DeviceName at one data center."""

    SAME = "same"
    DIFFERS = "differs"
    ONLY_HERE = "only_here"
    ONLY_THERE = "only_there"


class Row(NamedTuple):
    """What the pre-import list says, without the secret."""

    pk: int
    device_name: str
    nickname: str
    sn: str | None
    authentication: str
    certificate_fingerprint: str


class There(NamedTuple):
    """What the data center's device list says, without the secret."""

    pk: int
    device_name: str
    nickname: str
    sn: str
    authentication: str
    certificate_fingerprint: str
    origin: str
    enabled: bool
    registered_at: datetime | None
    activated_at: datetime | None
    last_online_at: datetime | None
    last_offline_at: datetime | None
    last_seen_at: datetime | None

    @property
    def state(self) -> str:
        """One of devices.rules.lifecycle's five words."""
        return lifecycle.state(
            enabled=self.enabled,
            activated_at=self.activated_at,
            last_online_at=self.last_online_at,
            last_offline_at=self.last_offline_at,
            last_seen_at=self.last_seen_at,
        )


class Line(NamedTuple):
    """One DeviceName; at least one side of it. `differing`: names of COMPARED."""

    row: Row | None
    there: There | None
    differing: tuple[str, ...] = ()

    @property
    def device_name(self) -> str:
        side = self.row or self.there
        return side.device_name if side else ""

    @property
    def drift(self) -> Drift:
        if self.there is None:
            return Drift.ONLY_HERE
        if self.row is None:
            return Drift.ONLY_THERE
        return Drift.DIFFERS if self.differing else Drift.SAME


def beside(row: Row | None, there: There | None) -> Line:
    return Line(row, there, differing(row, there) if row and there else ())


def differing(row: Row, there: There) -> tuple[str, ...]:
    """What follows from the product's ways is no difference: a fingerprint that was taken at the first connection, since the row gives
    none (Q6), and that a dynamic device was handed a certificate when it registered, and authenticates with it."""
    found = [name for name in COMPARED if (getattr(row, name) or "") != (getattr(there, name) or "")]
    if _was_certified(row, there) and "authentication" in found:
        found.remove("authentication")
    if (row.authentication == X509 or _was_certified(row, there)) and not row.certificate_fingerprint and FINGERPRINT in found:
        found.remove(FINGERPRINT)
    return tuple(found)


def _was_certified(row: Row, there: There) -> bool:
    return row.authentication == DYNAMIC and there.authentication == X509 and there.registered_at is not None
