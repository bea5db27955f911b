"""Production batches: request one, cancel one, undo one. Its devices are made by devices.services.production, its files by batch_files."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from console import audit
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, BatchUndo, MacPool, Upload, UploadPurpose, UploadStage
from devices.rules import macs, production
from devices.rules.production import Line, Naming
from devices.services import mac_pools, undoing
from products.models import FlashingMethod, Product
from products.services import supply

KEEP_WORKBOOK = timedelta(days=30)
"""A batch that waits for a worker keeps the workbook that it names its devices from."""


class PoolMissing(Invalid):
    """MAC addresses are generated from a pool."""

    code = "pool_missing"
    default_message = "DeviceNames of this product are MAC addresses: choose the pool that they come from."


class UploadNotReady(Conflict):
    """Only a workbook that was checked, without a bad row, is produced from."""

    code = "upload_not_ready"
    default_message = "The workbook cannot be used: it must be checked, without bad rows, for this product, and not expired."


class UploadUsed(Conflict):
    code = "upload_used"
    default_message = "Another batch was made from this workbook already."


class BatchOver(Conflict):
    code = "batch_over"
    default_message = "The batch has ended already."


class AskedAlready(Conflict):
    """The same form was sent twice."""

    code = "batch_asked_already"
    default_message = "This batch was started already."


class BatchNotOver(Conflict):
    code = "batch_not_over"
    default_message = "The batch is still being made: cancel it, then undo it."


class NothingMade(Conflict):
    code = "nothing_made"
    default_message = "The batch has made no device: there is nothing to undo."


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A wish: `quantity` devices named automatically (MAC addresses from `mac_pool_id`), or those of the checked workbook `upload_id`.

    `wish`: what the form that asks is called, up to 32 characters; a second batch under the same name is refused.
    """

    source: str
    flashing_method: str = FlashingMethod.PER_DEVICE
    quantity: int = 0
    upload_id: int | None = None
    mac_pool_id: int | None = None
    note: str = ""
    wish: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a wish would use up as things stand: of the product's codes and quota, and of the pool if there is one (else None)."""

    product: Product
    quantity: int
    pool: MacPool | None

    @property
    def codes_after(self) -> int:
        return self.product.codes_left - self.quantity

    @property
    def devices_after(self) -> int:
        return self.product.devices_left - self.quantity

    @property
    def pool_after(self) -> int:
        return self.pool.left - self.quantity if self.pool else 0

    @property
    def first_address(self) -> str:
        return macs.from_number(self.pool.next) if self.pool else ""

    @property
    def last_address(self) -> str:
        return macs.from_number(self.pool.next + (self.quantity - 1) * self.pool.stride) if self.pool else ""


def preview(product_id: int, new: NewBatch, *, at: datetime) -> Preview:
    """Shown before anything is taken. Raises what `request` would raise."""
    product = Product.objects.get(pk=product_id)
    upload = _checked_uploads(new, product, at).first() if new.source == production.UPLOAD else None
    if new.source == production.UPLOAD and upload is None:
        raise UploadNotReady(field="upload")
    quantity = upload.good_rows if upload else new.quantity
    naming = production.check(_line(product), method=new.flashing_method, source=new.source, quantity=quantity)
    supply.check(product, devices=quantity, codes=quantity)
    if naming is not Naming.POOL:
        return Preview(product, quantity, None)
    if new.mac_pool_id is None:
        raise PoolMissing(field="mac_pool")
    pool = MacPool.objects.get(pk=new.mac_pool_id)
    mac_pools.check(pool, quantity)
    return Preview(product, quantity, pool)


@transaction.atomic
def request(product_id: int, new: NewBatch, *, by: Actor, at: datetime) -> Batch:
    """Takes quota, activation codes and MAC addresses for all its devices, or raises and takes nothing: a refusal of
    devices.rules.production, PoolMissing, UploadNotReady, UploadUsed, AskedAlready, QuotaExceeded, CodesExhausted or PoolExhausted.

    Locks the product, then the pool.
    """
    product = Product.objects.select_for_update().get(pk=product_id)
    upload = _keep_upload(new, product, at)
    quantity = upload.good_rows if upload else new.quantity
    naming = production.check(_line(product), method=new.flashing_method, source=new.source, quantity=quantity)
    batch = Batch(
        product=product,
        flashing_method=new.flashing_method,
        source=new.source,
        total=quantity,
        upload=upload,
        note=new.note.strip()[:200],
        wish=new.wish or None,
        requested_at=at,
        requested_by_id=by.user_id,
    )
    supply.take(product.pk, devices=quantity, codes=quantity)
    if naming is Naming.POOL:
        _take_addresses(batch, new.mac_pool_id, by=by, at=at)
    _insert(batch)
    facts = {"product": product.key, "method": new.flashing_method, "source": new.source, "quantity": quantity, "note": batch.note}
    audit.record("batch.request", batch, by=by, at=at, after=facts, count=quantity)
    return batch


@transaction.atomic
def cancel(batch_id: int, *, reason: str = "", by: Actor, at: datetime) -> Batch:
    """One that waits ends now, one that runs after its present chunk. What was made stays; the rest is given back. Raises BatchOver."""
    batch: Batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    if batch.is_over:
        raise BatchOver
    audit.record("batch.cancel", batch, by=by, at=at, before={"state": batch.state, "made": batch.made}, reason=reason)
    Batch.objects.filter(pk=batch.pk).update(cancel_requested=True)
    if batch.state == JobState.QUEUED:
        Batch.objects.filter(pk=batch.pk).update(state=JobState.CANCELLED, finished_at=at)
        settle(batch, at=at)
    batch.refresh_from_db()
    return batch


@transaction.atomic
def undo(batch_id: int, *, reason: str, by: Actor, at: datetime) -> BatchUndo:
    """Begins to undo a batch: from now on none of its devices may come and no file of it is handed out; devices.services.undoing does the
    rest, or refuses where a device came before. MAC addresses stay taken, and the record stays, undone.

    Raises Invalid (no reason), BatchNotOver, NothingMade, BatchUndone or InTheWay. Locks the batch: a download, a registration of one of
    its devices, or another undo is before it or after it.
    """
    if not reason.strip():
        raise Invalid("Say why the batch is undone.", field="reason")
    batch: Batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    _refuse_undo(batch)
    Batch.objects.filter(pk=batch.pk).update(undo_began_at=at)
    files = BatchFile.objects.filter(batch=batch)
    files.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).update(state=JobState.CANCELLED, finished_at=at)
    files.filter(expires_at__gt=at).update(expires_at=at)
    begun = BatchUndo(batch=batch, reason=reason.strip()[:200], total=batch.made, requested_at=at, requested_by_id=by.user_id)
    begun.save(force_insert=True)
    audit.record("batch.undo", batch, by=by, at=at, before={"made": batch.made}, reason=begun.reason, count=batch.made)
    return begun


def _refuse_undo(batch: Batch) -> None:
    if batch.undo_began_at is not None:
        raise undoing.BatchUndone
    if not batch.is_over:
        raise BatchNotOver
    if not batch.made:
        raise NothingMade
    for sentence in undoing.in_the_way(batch):
        raise undoing.InTheWay(sentence)


def settle(batch: Batch, *, at: datetime) -> None:
    """What the batch took and did not make goes back; its workbook may go. Called once, in the transaction that ends the batch."""
    left = batch.total - batch.made
    if left:
        supply.give_back(batch.product_id, devices=left, codes=left)
    if batch.upload_id:
        Upload.objects.filter(pk=batch.upload_id).update(expires_at=at)


def _line(product: Product) -> Line:
    return Line(product.is_published, product.per_product_secret, product.device_name_kind)


def _checked_uploads(new: NewBatch, product: Product, at: datetime) -> QuerySet[Upload]:
    """The workbook of the wish, if it is ready for production."""
    return Upload.objects.filter(
        pk=new.upload_id or 0,
        purpose=UploadPurpose.BATCH,
        product=product,
        stage=UploadStage.CHECK,
        state=JobState.DONE,
        bad_rows=0,
        good_rows__gt=0,
        expires_at__gt=at,
    ).exclude(path="")


def _keep_upload(new: NewBatch, product: Product, at: datetime) -> Upload | None:
    """The workbook, kept from now on until the batch ends. Raises UploadNotReady."""
    if new.source != production.UPLOAD:
        return None
    if not _checked_uploads(new, product, at).update(expires_at=at + KEEP_WORKBOOK):
        raise UploadNotReady(field="upload")
    return Upload.objects.get(pk=new.upload_id or 0)


def _take_addresses(batch: Batch, pool_id: int | None, *, by: Actor, at: datetime) -> None:
    """Raises PoolMissing or PoolExhausted."""
    if pool_id is None:
        raise PoolMissing(field="mac_pool")
    batch.mac_pool_id = pool_id
    batch.mac_first, batch.mac_stride = mac_pools.reserve(pool_id, batch.total, by=by, at=at)


def _insert(batch: Batch) -> None:
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError as error:
        if batch.wish and Batch.objects.filter(wish=batch.wish).exists():
            raise AskedAlready from error
        raise UploadUsed(field="upload") from error
