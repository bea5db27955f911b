"""What is thrown away after its time, and what is not."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from devices.models import ClientIdentity, Connection, CutReason, DisconnectOrder, OrderOutcome
from devices.services import disconnecting
from registration.models import DeviceLogEntry, UsedNonce
from registration.services import retention
from tests import cast
from tests.devices.clones import clone, connect, leave

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def entry(days: int) -> DeviceLogEntry:
    return DeviceLogEntry.objects.create(
        at=cast.NOON - timedelta(days=days), data_center=cast.home(), protocol="native", code="accepted", accepted=True, request_id=uuid4()
    )


def test_it_purges_entries_older_than_the_configured_days(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    settings.NAMEPLATE_LOG_DAYS = 30
    kept = [entry(days).pk for days in (0, 29)]
    for _ in range(5):
        entry(31)
    assert retention.purge_log(at=cast.NOON) == 5
    assert sorted(DeviceLogEntry.objects.values_list("pk", flat=True)) == kept


def test_it_keeps_the_log_for_ever_where_no_days_are_set(settings: Any) -> None:
    settings.NAMEPLATE_LOG_DAYS = 0
    entry(5000)
    assert retention.purge_log(at=cast.NOON) == 0


def test_it_purges_a_nonce_only_when_the_clock_refuses_it_anyway() -> None:
    product = cast.meter()
    cast.home()
    for seconds in (-1, 1):
        UsedNonce.objects.create(product=product, nonce=f"n{seconds}", expires_at=cast.NOON + timedelta(seconds=seconds))
    assert retention.purge_nonces(at=cast.NOON) == 1
    assert UsedNonce.objects.get().nonce == "n1"


def test_it_purges_ended_connections_and_carried_out_orders_but_none_that_stand(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    settings.NAMEPLATE_CONNECTION_DAYS = 30
    cast.home()
    identity = clone(cast.kettle(preregistration_free=True), "A4C138000001")
    for _again in range(3):
        leave(identity.device, connect(identity), at=cast.NOON + timedelta(seconds=1))
    connect(identity, at=cast.NOON + timedelta(minutes=1))
    (standing,) = disconnecting.open_connections(identity.device)
    disconnecting.order([standing], identity.device, reason=CutReason.CLEAR, made_by="olga", at=cast.NOON)
    waiting = DisconnectOrder.objects.get()
    done = DisconnectOrder.objects.get()
    done.pk = None
    done.done_at, done.outcome = cast.NOON, OrderOutcome.CUT
    done.save(force_insert=True)
    assert retention.purge_connections(at=cast.NOON + timedelta(days=29)) == 0
    assert retention.purge_connections(at=cast.NOON + timedelta(days=31)) == 4
    assert Connection.objects.get().pk == standing.pk
    assert DisconnectOrder.objects.get().pk == waiting.pk


def test_it_forgets_client_ids_that_never_connected_and_no_others(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    settings.NAMEPLATE_UNUSED_CLIENT_ID_DAYS = 30
    cast.home()
    product = cast.kettle(preregistration_free=True)
    used, _lost_reply, _another, third = (clone(product, "A4C138000001") for _ in range(4))
    connect(used)
    ClientIdentity.objects.filter(pk=third.pk).update(status="cleared")
    assert retention.purge_unused_client_ids(at=cast.NOON + timedelta(days=29)) == 0
    assert retention.purge_unused_client_ids(at=cast.NOON + timedelta(days=31)) == 2
    assert set(ClientIdentity.objects.values_list("pk", flat=True)) == {used.pk, third.pk}
    settings.NAMEPLATE_UNUSED_CLIENT_ID_DAYS = settings.NAMEPLATE_CONNECTION_DAYS = 0
    assert retention.purge_unused_client_ids(at=cast.NOON + timedelta(days=9999)) == 0
    assert retention.purge_connections(at=cast.NOON + timedelta(days=9999)) == 0
