"""How long the device log, used nonces, tickets, ended connections, carried-out orders and unused ClientIDs are kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from devices.models import ClientIdentity, Connection, DisconnectOrder
from products.models import DataCenter
from registration.models import CertificateTicket, DeviceLogEntry, UsedNonce

CHUNK = 500
"""Rows in one transaction, few enough that a registration on SQLite hardly waits."""


def purge_nonces(*, at: datetime) -> int:
    """Deletes the nonces that the clock refuses anyway; returns how many."""
    return sum(_delete(UsedNonce.objects.using(database).expired(at)) for database in _databases())


def purge_tickets(*, at: datetime) -> int:
    """Deletes the certificate tickets that nobody redeemed; returns how many."""
    return _delete(CertificateTicket.objects.expired(at))


def purge_log(*, at: datetime) -> int:
    """Deletes log entries older than the configured days (0 keeps them for ever); returns how many."""
    days = settings.NAMEPLATE_LOG_DAYS
    if not days:
        return 0
    oldest = at - timedelta(days=days)
    return sum(_delete(DeviceLogEntry.objects.using(database).older_than(oldest)) for database in _databases())


def purge_connections(*, at: datetime) -> int:
    """Deletes ended connections and carried-out orders older than the configured days (0 keeps them for ever); returns how many."""
    days = settings.NAMEPLATE_CONNECTION_DAYS
    if not days:
        return 0
    oldest = at - timedelta(days=days)
    ended = sum(_delete(Connection.objects.using(database).ended_before(oldest)) for database in _databases())
    return ended + sum(_delete(DisconnectOrder.objects.using(database).done_before(oldest)) for database in _databases())


def purge_unused_client_ids(*, at: datetime) -> int:
    """Deletes ClientIDs that were issued the configured days ago (0: never) and have not connected since; returns how many."""
    days = settings.NAMEPLATE_UNUSED_CLIENT_ID_DAYS
    if not days:
        return 0
    oldest = at - timedelta(days=days)
    return sum(_delete_locked(ClientIdentity.objects.using(database).unused_since(oldest)) for database in _databases())


def _databases() -> list[str]:
    return sorted(set(DataCenter.objects.values_list("database", flat=True)))


def _delete(rows: QuerySet[Any]) -> int:
    return sum(_chunks(rows))


def _chunks(rows: QuerySet[Any]) -> Iterator[int]:
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        yield rows.model._default_manager.using(rows.db).filter(pk__in=keys).delete()[0]


def _delete_locked(rows: QuerySet[Any]) -> int:
    """Each chunk is locked and looked at once more: one of them may be connecting for the first time right now."""
    deleted = 0
    while True:
        with transaction.atomic(using=rows.db):
            keys = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True)[:CHUNK])
            if not keys:
                return deleted
            deleted += rows.model._default_manager.using(rows.db).filter(pk__in=keys).delete()[0]
