"""Batches as the tests of production need them: made, on the clock of the tests."""

from datetime import timedelta

from devices.models import Batch, BatchUndo
from devices.services import batch_files, batches, production, undoing
from devices.services.batches import NewBatch
from products.models import Product
from tests import cast
from tests.cast import NOON, OPERATOR

LATER = NOON + timedelta(minutes=5)


def made(product: Product | None = None, quantity: int = 20, **wish: object) -> Batch:
    """A batch that has ended; of trackers if nothing else is said."""
    product = product or cast.tracker()
    new = NewBatch(**{"source": "automatic", "quantity": quantity} | wish)
    batch = batches.request(product.pk, new, by=OPERATOR, at=NOON)
    production.fill(batch.pk, clock=lambda: NOON + timedelta(seconds=2), sleep=lambda seconds: None)
    batch.refresh_from_db()
    return batch


def packed(batch: Batch, form: str = "csv") -> Batch:
    """With a file that is ready."""
    file = batch_files.order(batch.pk, form, by=OPERATOR, at=NOON)
    batch_files.pack(file.pk, clock=lambda: NOON)
    return batch


def undo(batch: Batch, reason: str = "wrong product") -> BatchUndo:
    """Begun and carried out."""
    begun = batches.undo(batch.pk, reason=reason, by=OPERATOR, at=LATER)
    undoing.carry_out(begun.pk, clock=lambda: LATER, sleep=lambda seconds: None)
    begun.refresh_from_db()
    batch.refresh_from_db()
    return begun


def supply_of(product: Product) -> tuple[int, int]:
    """Devices of the quota and activation codes that are taken."""
    product.refresh_from_db()
    return product.devices_taken, product.codes_used


def read(file: batch_files.Download) -> bytes:
    """All of it: a file that nobody reads stays open."""
    return b"".join(file.pieces)
