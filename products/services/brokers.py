"""The brokers of the data centers: their upkeep, who asks with which hook secret, and how they are reached."""

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from console import audit
from console.errors import Conflict, Invalid
from console.shared import keyring
from console.shared.actors import Actor
from console.words import say
from products.models import GATEWAYS, Broker, BrokerKind, DataCenter

HOOK_SECRET_BYTES = 24
KEPT_AT_MOST = 1024
EMBEDDED_NAME = "Embedded broker"

_lock = threading.Lock()
_kept: dict[str, tuple[float, "HookedBroker | None"]] = {}


@dataclass(frozen=True, slots=True)
class HookedBroker:
    """A broker as the decision needs it."""

    id: int
    name: str
    kind: str
    data_center: DataCenter
    can_drop: bool
    tells_departures: bool
    vhost: str = "/"

    @property
    def is_gateway(self) -> bool:
        """A proxy, where nothing stays connected."""
        return self.kind in GATEWAYS


@dataclass(frozen=True, slots=True, repr=False)
class BrokerAccess:
    """How to reach a broker's own interfaces. `events_url`: amqp://user:secret@host:port/vhost, RabbitMQ alone."""

    kind: str
    management_url: str
    management_user: str
    management_secret: str
    events_url: str
    vhost: str

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"BrokerAccess({self.kind}, {self.management_url})"


def by_hook_secret(secret: str, kind: str) -> HookedBroker | None:
    """The enabled broker of this kind that has this hook secret; None for anybody else. Kept in the process for a moment."""
    digest = _digest(secret)
    now = time.monotonic()
    kept = _kept.get(digest)
    if kept is None or now - kept[0] >= settings.NAMEPLATE_PRODUCT_CACHE_SECONDS:
        row = Broker.objects.select_related("data_center").filter(hook_digest=digest, enabled=True).first()
        kept = (now, hooked(row) if row else None)
        with _lock:
            if len(_kept) >= KEPT_AT_MOST:
                _kept.clear()
            _kept[digest] = kept
    broker = kept[1]
    return broker if broker is not None and broker.kind == kind else None


def forget() -> None:
    """Drop what this process keeps; other processes see a change within the cache's seconds."""
    with _lock:
        _kept.clear()


def hooked(broker: Broker) -> HookedBroker:
    return HookedBroker(broker.pk, broker.name, broker.kind, broker.data_center, broker.can_drop, broker.tells_departures, broker.vhost)


def embedded(data_center: DataCenter) -> HookedBroker:
    """The broker that runs inside the registrar's process; its row is made at its first start."""
    row = Broker.objects.select_related("data_center").filter(data_center=data_center, kind=BrokerKind.EMBEDDED).first()
    if row is None:
        try:
            with transaction.atomic():
                row, _secret = _insert(Broker(data_center=data_center, name=EMBEDDED_NAME, kind=BrokerKind.EMBEDDED))
        except IntegrityError:
            row = Broker.objects.select_related("data_center").get(data_center=data_center, kind=BrokerKind.EMBEDDED)
    return hooked(row)


@transaction.atomic
def save(
    broker: Broker,
    *,
    data_center: DataCenter,
    name: str,
    kind: str,
    management_url: str = "",
    management_user: str = "",
    management_secret: str | None = None,
    events_url: str | None = None,
    vhost: str = "/",
    enabled: bool = True,
    by: Actor,
    at: datetime,
) -> Broker:
    """Stores a new or changed broker; a new one gets its hook secret here. The two secrets stay as they are where None is given.

    Raises Invalid, or Conflict where the data center has a broker of this name.
    """
    is_new = broker.pk is None
    before = {} if is_new else _facts(broker)
    if not is_new and kind != broker.kind:
        raise Invalid("A broker's kind cannot be changed: add another one.", field="kind")
    _check_url(management_url, ("http", "https"), "management_url")
    _check_url(events_url or "", ("amqp", "amqps"), "events_url")
    broker.data_center, broker.name, broker.kind, broker.enabled = data_center, name.strip(), kind, enabled
    broker.management_url, broker.management_user, broker.vhost = management_url.rstrip("/"), management_user, vhost or "/"
    try:
        with transaction.atomic():
            if is_new:
                broker, _secret = _insert(broker)
            _seal(broker, management_secret, events_url)
            broker.save(force_update=True)
    except IntegrityError as error:
        raise Conflict("The data center has a broker of this name, or an embedded one, already.", field="name") from error
    audit.record("broker.add" if is_new else "broker.change", broker, by=by, at=at, before=before, after=_facts(broker))
    transaction.on_commit(forget)
    return broker


@transaction.atomic
def renew_hook_secret(broker: Broker, *, by: Actor, at: datetime) -> str:
    """A new hook secret; with the old one nobody is let in any more."""
    secret = secrets.token_urlsafe(HOOK_SECRET_BYTES)
    sealed = keyring.seal(secret, owner=broker.owner())
    Broker.objects.filter(pk=broker.pk).update(hook_digest=_digest(secret), sealed_hook_secret=sealed)
    audit.record("broker.renew_hook_secret", broker, by=by, at=at)
    transaction.on_commit(forget)
    return secret


@transaction.atomic
def reveal_hook_secret(broker: Broker, *, by: Actor, at: datetime) -> str:
    """The hook secret; the reading is audited."""
    audit.record("broker.reveal_hook_secret", broker, by=by, at=at)
    return keyring.unseal(broker.sealed_hook_secret, owner=broker.owner())


@transaction.atomic
def delete(broker: Broker, *, reason: str = "", by: Actor, at: datetime) -> None:
    """Its hooks are refused from now on. Clients that are connected there stay until it ends them."""
    audit.record("broker.delete", broker, by=by, at=at, before=_facts(broker), reason=reason)
    Broker.objects.filter(pk=broker.pk).delete()
    transaction.on_commit(forget)


def access(broker: Broker) -> BrokerAccess:
    """With its secrets opened. Raises SealBroken or KeyMissing."""
    return BrokerAccess(
        kind=broker.kind,
        management_url=broker.management_url,
        management_user=broker.management_user,
        management_secret=keyring.unseal(broker.sealed_management_secret, owner=broker.owner()),
        events_url=keyring.unseal(broker.sealed_events_url, owner=broker.owner()),
        vhost=broker.vhost,
    )


def _insert(broker: Broker) -> tuple[Broker, str]:
    """The row first, since its number is what its secrets are bound to."""
    secret = secrets.token_urlsafe(HOOK_SECRET_BYTES)
    broker.hook_digest = _digest(secret)
    broker.sealed_hook_secret = broker.sealed_management_secret = broker.sealed_events_url = b""
    broker.save(force_insert=True)
    broker.sealed_hook_secret = keyring.seal(secret, owner=broker.owner())
    _seal(broker, "", "")
    broker.save(force_update=True)
    return broker, secret


def _seal(broker: Broker, management_secret: str | None, events_url: str | None) -> None:
    if management_secret is not None:
        broker.sealed_management_secret = keyring.seal(management_secret, owner=broker.owner())
    if events_url is not None:
        broker.sealed_events_url = keyring.seal(events_url, owner=broker.owner())


def _check_url(url: str, schemes: tuple[str, ...], field: str) -> None:
    try:
        parts = urlsplit(url)
        valid = not url or (parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0)
    except ValueError:
        valid = False
    if not valid:
        beginnings = " / ".join(f"{scheme}://" for scheme in schemes)
        raise Invalid(say("This is not a URL that begins with {beginnings}.", beginnings=beginnings), field=field)


def _facts(broker: Broker) -> dict[str, object]:
    names = ("name", "kind", "enabled", "management_url", "management_user", "vhost")
    return {name: getattr(broker, name) for name in names} | {"data_center": broker.data_center.code}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
