"""A device connects with its own credential: what is on file for it, and its first connection, which activates it.

`look_up` is one statement, because every connection of a fleet passes here; nothing is written for a device that is known and activated.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Coalesce

from console.errors import Unavailable
from console.shared import keyring
from console.shared.statements import Statement
from console.words import say
from devices.models import ClientIdentity, Connection, Device, IdentityStatus, PreImportedDevice
from devices.models.client_identity import token_owner
from devices.models.pre_import import device_secret_owner
from devices.querysets import ClientIdentityQuerySet, DeviceQuerySet
from devices.rules.client_ids import MAX_ACTIVE, ClientLimit
from devices.rules.connecting import BadCredential, ClientIdTaken, DeviceUnknown, Facts, may_connect
from devices.services import arrivals, disconnecting
from devices.services.arrivals import LostRace
from products.models import DataCenter

NOWHERE = (0, "")
ATTEMPTS = 8
"""A lost race changes the facts, so that the next decision is another one; more than a few in a row do not happen."""

APPEARS = say("It appears in this data center's device list, activated.")
ACTIVATED = say("It is activated by this connection.")
CLIENT_ACTIVATED = say("Its ClientID is activated by this connection.")

_ON_FILE = Statement(
    f"""
SELECT d.id, d.authentication, d.enabled, d.activated_at IS NOT NULL, d.sealed_secret,
       i.id, i.status, i.first_connected_at IS NOT NULL, i.sealed_token_digest,
       EXISTS (SELECT 1 FROM {Connection._meta.db_table} c WHERE c.broker_id = %s AND c.mqtt_client_id = %s
               AND c.disconnected_at IS NULL AND c.device_id <> d.id)
FROM {Device._meta.db_table} d LEFT JOIN {ClientIdentity._meta.db_table} i ON i.device_id = d.id AND i.client_id = %s
WHERE d.data_center_id = %s AND d.product_id = %s AND d.device_name = %s"""  # noqa: S608  (table names of ours)
)


@dataclass(frozen=True, slots=True, repr=False)
class OnFile:
    """What is known under a name. `secret`: the DeviceSecret, empty where there is none."""

    facts: Facts
    secret: str = ""
    token_digest: str = ""
    device_id: int | None = None
    identity_id: int | None = None
    row: PreImportedDevice | None = field(default=None)
    place: tuple[int, str] = NOWHERE

    @property
    def known(self) -> bool:
        return self.facts.authentication is not None

    def token_matches(self, token: str) -> bool:
        """In a time that tells nothing, also where no ClientID is on file."""
        return hmac.compare_digest(self.token_digest or "no token", digest_of(token))

    def same_credential(self, other: "OnFile", *, by_token: bool) -> bool:
        mine, theirs = (self.token_digest, other.token_digest) if by_token else (self.secret, other.secret)
        return hmac.compare_digest(mine.encode(), theirs.encode())


@dataclass(frozen=True, slots=True)
class Admitted:
    """`first`: this connection activated the device, or the physical device behind a ClientID."""

    device_id: int
    identity_id: int | None
    first: bool
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who wants in where, by what, and when."""

    data_center: DataCenter
    product_id: int
    device_name: str
    by_token: bool
    at: datetime

    def devices(self, on_file: OnFile) -> DeviceQuerySet:
        return Device.objects.at(self.data_center).filter(pk=on_file.device_id or 0)

    def identities(self, on_file: OnFile) -> ClientIdentityQuerySet:
        return ClientIdentity.objects.using(self.data_center.database).filter(pk=on_file.identity_id or 0)


def digest_of(token: str) -> str:
    """SHA-256 of a DeviceToken as 64 hex digits; a token has 190 random bits, so nothing slower is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def look_up(*, data_center: DataCenter, product_id: int, device_name: str, client_id: str = "", place: tuple[int, str] = NOWHERE) -> OnFile:
    """The name's device here with the ClientID that was presented, else its pre-import row. Raises SealBroken or KeyMissing.

    `place`: the broker's number and the MQTT client id, where the broker says who has left: nobody else may be connected there.
    """
    found = _ON_FILE.first(data_center.database, (*place, client_id, data_center.pk, product_id, device_name))
    if found is None:
        return _from_row(product_id, device_name, place)
    device_id, authentication, enabled, activated, sealed, identity_id, status, identity_activated, sealed_digest, taken = found
    owner = device_secret_owner(product_id, device_name)
    return OnFile(
        facts=Facts(True, authentication, bool(enabled), bool(activated), status, bool(identity_activated), bool(taken)),
        secret=keyring.unseal(bytes(sealed), owner=owner) if sealed else "",
        token_digest=keyring.unseal(bytes(sealed_digest), owner=token_owner(client_id)) if sealed_digest else "",
        device_id=device_id,
        identity_id=identity_id,
    )


def admit(on_file: OnFile, *, data_center: DataCenter, product_id: int, device_name: str, by_token: bool, at: datetime) -> Admitted:
    """Lets a device in whose proof was checked against `on_file`; its first connection is one transaction, decided by conditional
    updates and constraints. Raises a Refused with its path, and Unavailable."""
    asked = _Asked(data_center, product_id, device_name, by_token, at)
    for _attempt in range(ATTEMPTS):
        path = may_connect(on_file.facts, by_token=by_token)
        if on_file.facts.settled and on_file.device_id is not None:
            return Admitted(on_file.device_id, on_file.identity_id, False, path)
        try:
            with arrivals.arriving(data_center):
                return _first(asked, on_file, path)
        except LostRace:
            on_file = _again(asked, on_file)
    raise Unavailable("The connection lost too many races against others of the same name.")


def foresee(on_file: OnFile, *, data_center: DataCenter, product_id: int, device_name: str, by_token: bool, at: datetime) -> Admitted:
    """What `admit` would do as things stand, or the Refused that it would raise. Writes nothing, locks nothing; `device_id` is 0 where the
    device would appear."""
    asked = _Asked(data_center, product_id, device_name, by_token, at)
    path = may_connect(on_file.facts, by_token=by_token)
    if on_file.facts.settled and on_file.device_id is not None:
        return Admitted(on_file.device_id, on_file.identity_id, False, path)
    if on_file.device_id is None:
        if on_file.row is not None and not arrivals.counts(on_file.row.batch_id):
            raise DeviceUnknown(arrivals.BATCH_GONE).after(path)
        return Admitted(0, None, True, (*path, APPEARS))
    if not by_token:
        return Admitted(on_file.device_id, None, True, (*path, ACTIVATED))
    if not asked.devices(on_file).filter(client_ids_active__lt=MAX_ACTIVE).exists():
        raise ClientLimit().after(path)
    return Admitted(on_file.device_id, on_file.identity_id, True, (*path, CLIENT_ACTIVATED))


def _again(asked: _Asked, seen: OnFile) -> OnFile:
    """The facts after a lost race, provided that the proof still holds for them. Raises BadCredential."""
    identity = asked.identities(seen).first() if asked.by_token else None
    client_id = identity.client_id if identity else ""
    now = look_up(data_center=asked.data_center, product_id=asked.product_id, device_name=asked.device_name, client_id=client_id)
    if not now.same_credential(seen, by_token=asked.by_token):
        raise BadCredential().after(())
    return now


def _from_row(product_id: int, device_name: str, place: tuple[int, str]) -> OnFile:
    row = PreImportedDevice.objects.named(product_id, device_name)
    if row is None:
        return OnFile(Facts(in_list=False, authentication=None))
    secret = keyring.unseal(row.sealed_secret, owner=row.secret_owner()) if row.sealed_secret else ""
    return OnFile(Facts(in_list=False, authentication=row.authentication), secret, row=row, place=place)


def _first(asked: _Asked, on_file: OnFile, path: tuple[str, ...]) -> Admitted:
    if on_file.device_id is None:
        if _is_taken(asked, on_file):
            raise ClientIdTaken().after(path)
        device = _appear(asked, on_file, path)
        return Admitted(device.pk, None, True, (*path, APPEARS))
    if asked.by_token:
        _activate_identity(asked, on_file, path)
        return Admitted(on_file.device_id, on_file.identity_id, True, (*path, CLIENT_ACTIVATED))
    if not asked.devices(on_file).filter(enabled=True, activated_at=None).update(activated_at=asked.at):
        raise LostRace
    return Admitted(on_file.device_id, None, True, (*path, ACTIVATED))


def _is_taken(asked: _Asked, on_file: OnFile) -> bool:
    """Whether anybody is connected at the broker under the MQTT client id of a device that is new here."""
    return disconnecting.open_at(asked.data_center, *on_file.place).exists()


def _appear(asked: _Asked, on_file: OnFile, path: tuple[str, ...]) -> Device:
    """Raises LostRace when the name was taken or the row deleted meanwhile, and DeviceUnknown while the row's batch is being undone."""
    row = on_file.row
    if row is None:
        raise LostRace
    if not arrivals.may_come(row.pk, row.batch_id, row.device_name, data_center=asked.data_center, at=asked.at):
        raise DeviceUnknown(arrivals.BATCH_GONE).after(path)
    device = arrivals.copy_of(row, asked.data_center, at=asked.at)
    arrivals.add(device, asked.data_center)
    return device


def _activate_identity(asked: _Asked, on_file: OnFile, path: tuple[str, ...]) -> None:
    """One of the five places of the name (A9). Locks the device; raises ClientLimit, or LostRace when the facts have changed."""
    here = asked.devices(on_file).filter(enabled=True)
    taken = here.filter(client_ids_active__lt=MAX_ACTIVE).update(
        client_ids_active=F("client_ids_active") + 1, activated_at=Coalesce("activated_at", asked.at)
    )
    pending = asked.identities(on_file).filter(status=IdentityStatus.ALLOWED, first_connected_at=None)
    if not taken:
        if pending.exists() and here.exists():
            raise ClientLimit().after(path)
        raise LostRace
    if not pending.update(first_connected_at=asked.at, last_connected_at=asked.at):
        raise LostRace
