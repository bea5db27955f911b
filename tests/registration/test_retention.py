"""What is thrown away after its time, and what is not."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from registration.models import DeviceLogEntry, UsedNonce
from registration.services import retention
from tests import cast

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
