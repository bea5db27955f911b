"""Making the devices of a batch: chunk by chunk, each one transaction, so that a killed worker leaves nothing half done.

The row's checkpoint `done` says how many of the batch's names were looked at. MAC addresses follow from it, the names of a workbook are
found by it, random ones are drawn until the chunk is full. A name that the product's list holds already is skipped and counted
(`made` stays behind `done`); its quota and its code go back when the batch ends. A skipped address of a pool is not replaced:
the range was reserved as one, and the record says how many were skipped.

PostgreSQL stores some rows while the next are made: names, secrets and seals are drawn as COPY takes them. Random names ascend from the
first to the last of a batch and mostly begin alike: an index is filled fastest in its own order, and where few of its pages are touched.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice, tee

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from console import audit
from console.crypto.codes import WHOLE, Part
from console.errors import DomainError
from console.shared import keyring
from console.shared.actors import SYSTEM
from console.shared.bulk import Row
from console.shared.jobs import JobState, LostClaim
from console.words import say
from devices.models import Batch, PreImportedDevice
from devices.models.pre_import import device_secret_owners
from devices.querysets import pre_import_rows
from devices.rules import macs, production
from devices.services import batches, uploads
from products.rules.wire_formats import system_random, wire_format

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

CHUNK = {"postgresql": 20_000, "sqlite": 250}
PAUSE = {"postgresql": 0.0, "sqlite": 0.01}
"""Seconds between chunks: SQLite has one writer, and a device that registers meanwhile wants its turn."""

TOGETHER = 500
"""Names and secrets that are drawn at once: few, so that PostgreSQL soon has some to store."""

NEIGHBOURHOODS = 62
"""As many as there are first characters of a name."""

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
            failure = batch.failure or say("The worker was lost {times} times.", times=ATTEMPTS)
            _end(batch, attempt, JobState.FAILED, at=clock(), failure=failure)
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
    names = _names(batch)
    done = batch.done
    while done < batch.total:
        if Batch.objects.filter(pk=batch.pk, cancel_requested=True).exists():
            return JobState.CANCELLED
        count = min(size, batch.total - done)
        _make_chunk(batch, attempt, count, islice(names, count), at=clock())
        done += count
        if pause:
            sleep(pause)
    return JobState.DONE


def _names(batch: Batch) -> Iterator[str]:
    """From the checkpoint on."""
    if batch.upload is not None:
        return uploads.checked_names(batch.upload, skip=batch.done)
    if batch.mac_first is not None:
        first, stride = batch.mac_first, batch.mac_stride
        return (macs.from_number(first + index * stride) for index in range(batch.done, batch.total))
    return chain.from_iterable(_draw(batch, part.end - part.first, part) for part in _parts(batch))


def _parts(batch: Batch) -> Iterator[Part]:
    """Of all names there are, the batch's have one of some sixty neighbourhoods, and go through it once from its begin to its end."""
    before, of = batch.pk % NEIGHBOURHOODS * batch.total, NEIGHBOURHOODS * batch.total
    for at in range(batch.done, batch.total, TOGETHER):
        yield Part(before + at, before + min(at + TOGETHER, batch.total), of)


def _draw(batch: Batch, count: int, part: Part = WHOLE) -> list[str]:
    return wire_format(batch.product.wire_protocol).make_device_names(count, system_random, part)


def _make_chunk(batch: Batch, attempt: int, count: int, names: Iterator[str], *, at: datetime) -> None:
    """Almost always all names are new: so the fastest way is tried first, which stores all or none. Raises LostClaim."""
    names, again = tee(names)
    try:
        _store_chunk(batch, attempt, count, names, at=at)
    except IntegrityError:
        _store_chunk(batch, attempt, count, again, at=at, skip_taken=True)


def _store_chunk(batch: Batch, attempt: int, count: int, names: Iterable[str], *, at: datetime, skip_taken: bool = False) -> None:
    """One transaction: store the devices, prove the claim, move the checkpoint. Who cannot prove it has stored nothing.

    On SQLite nobody else can write from its begin to its end, so there the rows are made before it. Raises IntegrityError, unless names
    that are taken are to be skipped, or LostClaim.
    """
    rows = _rows(batch, names, at)
    if connection.vendor != "postgresql":
        rows = iter(list(rows))
    with transaction.atomic():
        made = _store(rows, skip_taken)
        while skip_taken and made < count and _is_random(batch):  # Drawn again: an automatic batch is always complete.
            made += _store(_rows(batch, _draw(batch, count - made), at), skip_taken)
        Batch.objects.beat(batch.pk, attempt, at=at, done=F("done") + count, made=F("made") + made)


def _is_random(batch: Batch) -> bool:
    return batch.upload is None and batch.mac_first is None


def _rows(batch: Batch, names: Iterable[str], at: datetime) -> Iterator[Row]:
    """One for each name, with a DeviceSecret of its own (G6, G8); some are made at a time, when they are asked for."""
    product, waiting = batch.product, iter(names)
    make_secrets = wire_format(product.wire_protocol).make_device_secrets
    authentication = production.authentication(batch.flashing_method, allows_static=product.allows_static)
    while some := list(islice(waiting, TOGETHER)):
        owners = device_secret_owners(product.pk, some)
        sealed = keyring.seal_many(list(zip(make_secrets(len(some), system_random), owners, strict=True)))
        yield from pre_import_rows(product.pk, some, sealed, authentication=authentication, batch_id=batch.pk, created_at=at)


def _store(rows: Iterable[Row], skip_taken: bool) -> int:
    return PreImportedDevice.objects.store(rows, skip_taken=skip_taken)


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
