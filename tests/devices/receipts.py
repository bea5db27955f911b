"""Receipts as the tests need them: issued on the clock of the tests, read back, checked with the public keys alone."""

from datetime import datetime, timedelta
from typing import Any

from devices.models import Batch, Receipt, ReceiptKey
from devices.rules import receipt_checks, receipt_form
from devices.rules.receipt_checks import KnownKey
from devices.rules.receipt_form import moment
from devices.services import receipts
from tests.cast import NOON

SOON = NOON + timedelta(minutes=10)


def issued(batch: Batch, at: datetime = SOON) -> Receipt:
    """The next one, which must be due."""
    receipt = receipts.issue(batch.pk, clock=lambda: at)
    assert receipt is not None
    return receipt


def read(receipt: Receipt) -> receipt_form.Receipt:
    """Its file, read and proven."""
    found = receipt_form.decode(receipt.file)
    receipt_checks.check_signature(found, keys())
    return found


def facts(receipt: Receipt) -> Any:
    return read(receipt).facts


def keys() -> dict[str, KnownKey]:
    """Those that the console publishes."""
    rows = ReceiptKey.objects.all()
    return {row.key_id: KnownKey(bytes.fromhex(row.public), moment(row.made_at), moment(row.retired_at)) for row in rows}
