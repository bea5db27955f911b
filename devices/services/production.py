"""Making the devices of a batch: chunk by chunk, each one transaction, so that a killed worker leaves nothing half done.

The row's checkpoint `done` says how many of the batch's names were looked at. MAC addresses follow from it, the names of a workbook are
found by it, random ones are drawn until the chunk is full. A name that the product's list holds already is skipped and counted
(`made` stays behind `done`); its quota and its code go back when the batch ends. A skipped address of a pool is not replaced:
the range was reserved as one, and the record says how many were skipped.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from console import audit
from console.errors import DomainError
from console.shared import keyring
from console.shared.actors import SYSTEM
from console.shared.jobs import JobState, LostClaim
from console.words import say
from devices.models import Batch, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.querysets import PreImportRow
from devices.rules import macs, production
from devices.services import batches, uploads
from products.rules.wire_formats import WireFormat, system_random, wire_format

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

CHUNK = {"postgresql": 5_000, "sqlite": 250}
PAUSE = {"postgresql": 0.0, "sqlite": 0.01}
"""Seconds between chunks: SQLite has one writer, and a device that registers meanwhile wants its turn."""

ATTEMPTS = 100
"""A batch whose worker died so often will not succeed."""


def fill(batch_id: int, *, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
    """Makes what is missing of the batch, unless another worker does; ends it when all is made, on a cancel, and on a DomainError."""
    attempt = Batch.objects.claim(batch_id, at=clock())
    if attempt is None:
        return
    batch = Batch.objects.select_related("product", "upload").get(pk=batch_id)
    try:
        if attempt > ATTEMPTS:
            _end(batch, attempt, JobState.FAILED, at=clock(), failure=say("The worker was lost {times} times.", times=ATTEMPTS))
            return
        state = _make_all(batch, attempt, clock, sleep)
        _end(batch, attempt, state, at=clock())
    except LostClaim:
        log.info("Batch %s went to another worker.", batch_id)
    except DomainError as error:
        _fail(batch, attempt, error, at=clock())


def _make_all(batch: Batch, attempt: int, clock: Clock, sleep: Callable[[float], None]) -> JobState:
    """The state to end in."""
    size, pause = settings.NAMEPLATE_BATCH_CHUNK_ROWS or CHUNK[connection.vendor], PAUSE[connection.vendor]
    names = _known_names(batch)
    done = batch.done
    while done < batch.total:
        if Batch.objects.filter(pk=batch.pk, cancel_requested=True).exists():
            return JobState.CANCELLED
        count = min(size, batch.total - done)
        _make_chunk(batch, attempt, count, list(islice(names, count)) if names is not None else None, at=clock())
        done += count
        if pause:
            sleep(pause)
    return JobState.DONE


def _known_names(batch: Batch) -> Iterator[str] | None:
    """The names from the checkpoint on, or None where they are drawn at random."""
    if batch.upload is not None:
        return uploads.checked_names(batch.upload, skip=batch.done)
    if batch.mac_first is not None:
        first, stride = batch.mac_first, batch.mac_stride
        return (macs.from_number(first + index * stride) for index in range(batch.done, batch.total))
    return None


def _make_chunk(batch: Batch, attempt: int, count: int, names: Sequence[str] | None, *, at: datetime) -> None:
    """One transaction: prove the claim, store `count` devices, move the checkpoint. The rows are prepared before it begins, because
    on SQLite nobody else can write from its begin to its end. Raises LostClaim."""
    wire = wire_format(batch.product.wire_protocol)
    rows = _rows(batch, wire, names if names is not None else _draw(wire, count), at)
    with transaction.atomic():
        Batch.objects.beat(batch.pk, attempt, at=at)
        made = _store(rows)
        while names is None and made < count:  # A drawn name that exists is drawn again: an automatic batch is always complete.
            made += _store(_rows(batch, wire, _draw(wire, count - made), at))
        Batch.objects.beat(batch.pk, attempt, at=at, done=F("done") + count, made=F("made") + made)


def _draw(wire: WireFormat, count: int) -> list[str]:
    """Sorted: names in order are stored faster."""
    return sorted(wire.make_device_names(count, system_random))


def _rows(batch: Batch, wire: WireFormat, names: Sequence[str], at: datetime) -> list[PreImportRow]:
    """One for each name, with a DeviceSecret of its own (G6, G8)."""
    product, product_id, batch_id = batch.product, batch.product_id, batch.pk
    secrets = wire.make_device_secrets(len(names), system_random)
    owners = [device_secret_owner(product_id, name) for name in names]
    sealed = keyring.seal_many(list(zip(secrets, owners, strict=True)))
    authentication = production.authentication(batch.flashing_method, allows_static=product.allows_static)
    return [
        PreImportRow(product_id, name, "", None, authentication, secret, "", batch_id, at)
        for name, secret in zip(names, sealed, strict=True)
    ]


def _store(rows: Sequence[PreImportRow]) -> int:
    """How many were new. Almost always all are: so the fastest way is tried first, which stores all or none."""
    try:
        with transaction.atomic():
            return PreImportedDevice.objects.store(rows)
    except IntegrityError:
        return PreImportedDevice.objects.store(rows, skip_taken=True)


@transaction.atomic
def _end(batch: Batch, attempt: int, state: JobState, *, at: datetime, failure: str = "") -> None:
    """Ends the batch and gives back what it did not make, exactly once: only the owner of the claim gets through. Raises LostClaim."""
    Batch.objects.finish(batch.pk, attempt, state, at=at, failure=failure)
    batch.refresh_from_db()
    batches.settle(batch, at=at)
    after = {"state": state.value, "made": batch.made, "skipped": batch.skipped, "given_back": batch.total - batch.made}
    audit.record("batch.end", batch, by=SYSTEM, at=at, after=after, reason=failure, count=batch.made)


def _fail(batch: Batch, attempt: int, error: DomainError, *, at: datetime) -> None:
    log.warning("Batch %s failed: %s", batch.pk, error.message)
    try:
        _end(batch, attempt, JobState.FAILED, at=at, failure=error.message)
    except LostClaim:
        log.info("Batch %s went to another worker.", batch.pk)
