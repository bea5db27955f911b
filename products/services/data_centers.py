"""Which data center a host name leads to, and the upkeep of data centers."""

import re
import threading
import time
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from console import audit
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from console.words import say
from products.models import DataCenter, DataCenterHost

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*|[0-9a-f:]*:[0-9a-f:]*")
_lock = threading.Lock()
_kept: tuple[float, dict[str, DataCenter], DataCenter] | None = None


def serving(host: str) -> DataCenter:
    """The data center of a host name as a device called it, with or without a port; unknown hosts lead home."""
    global _kept
    now = time.monotonic()
    kept = _kept
    if kept is None or kept[0] <= now:
        with _lock:
            kept = _kept = _load(now)
    return kept[1].get(without_port(host), kept[2])


def forget() -> None:
    """Drop what this process keeps; other processes see a change within the cache's seconds."""
    global _kept
    _kept = None


def without_port(host: str) -> str:
    """Lower case, without port, brackets and trailing dot."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return (host.partition(":")[0] if host.count(":") == 1 else host).rstrip(".")


@transaction.atomic
def save(data_center: DataCenter, *, code: str, name: str, database: str, hosts: Sequence[str], by: Actor, at: datetime) -> DataCenter:
    """Stores a new or changed data center with exactly these host names. Raises Invalid or Conflict (a code or host that is taken)."""
    if database not in settings.DATABASES:
        raise Invalid("The settings know no database of this name.", field="database")
    wanted = {_checked_host(host) for host in hosts if host.strip()}
    is_new = data_center.pk is None
    before = {} if is_new else {"name": data_center.name, "hosts": sorted(data_center.hosts.values_list("host", flat=True))}
    data_center.code, data_center.name, data_center.database = code, name, database
    try:
        with transaction.atomic():
            data_center.save()
            data_center.hosts.exclude(host__in=wanted).delete()
            present = set(data_center.hosts.values_list("host", flat=True))
            DataCenterHost.objects.bulk_create([DataCenterHost(data_center=data_center, host=host) for host in sorted(wanted - present)])
    except IntegrityError as error:
        raise Conflict("The code or one of the host names belongs to another data center.", field="hosts") from error
    action = "data_center.add" if is_new else "data_center.change"
    audit.record(action, data_center, by=by, at=at, before=before, after={"name": name, "hosts": sorted(wanted)})
    forget()
    return data_center


@transaction.atomic
def make_home(data_center: DataCenter, *, by: Actor, at: datetime) -> None:
    """Unknown hosts lead here from now on. Locks all data centers."""
    list(DataCenter.objects.select_for_update().order_by("pk"))
    DataCenter.objects.filter(is_home=True).update(is_home=False)
    DataCenter.objects.filter(pk=data_center.pk).update(is_home=True)
    audit.record("data_center.make_home", data_center, by=by, at=at)
    forget()


def _checked_host(host: str) -> str:
    checked = without_port(host)
    if not _HOST.fullmatch(checked):
        raise Invalid(say("{host} is not a host name.", host=host.strip()), field="hosts")
    return checked


def _load(now: float) -> tuple[float, dict[str, DataCenter], DataCenter]:
    hosts = {row.host: row.data_center for row in DataCenterHost.objects.select_related("data_center")}
    return now + settings.NAMEPLATE_PRODUCT_CACHE_SECONDS, hosts, DataCenter.objects.home()
