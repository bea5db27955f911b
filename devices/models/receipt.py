"""Receipts (N9): one chain for the installation, the keys that sign it, and what each receipt is about."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from console.shared.jobs import Job, JobQuerySet, JobState, lease
from devices.models.batch import Batch, BatchFile, FileFormat

TRY_AGAIN = timedelta(hours=1)
"""After a tree that failed, in case that somebody has mended what stood in its way."""


class ReceiptKey(models.Model):
    """An Ed25519 key. `public` in 64 hex digits, its private half sealed. It signs until `retired_at`; then it is kept for those who check
    older receipts."""

    key_id = models.CharField(_("key"), max_length=16)
    public = models.CharField(max_length=64, editable=False)
    sealed_private = SealedField(owner="private_owner")
    made_at = models.DateTimeField(_("signs since"))
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("receipt key")
        verbose_name_plural = _("receipt keys")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("rotate_receiptkey", _("Can replace the key that signs receipts"))]
        constraints = [
            models.UniqueConstraint(fields=["key_id"], name="receipt_key_id_unique"),
            models.CheckConstraint(condition=Q(retired_at=None) | Q(retired_at__gte=models.F("made_at")), name="receipt_key_retired_later"),
        ]

    def __str__(self) -> str:
        return self.key_id

    def private_owner(self) -> bytes:
        return f"receipt key|{self.key_id}".encode()


class ReceiptChain(models.Model):
    """The head of the chain, a single row: whoever adds a link or changes the key locks it. `number` and `sha256` of the last receipt,
    0 and empty before the first; `key` is the one that signs. `installation`: 32 random hex digits, the same in all its receipts."""

    ONLY = 1

    installation = models.CharField(max_length=32)
    number = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    issued_at = models.DateTimeField(null=True)
    key = models.ForeignKey(ReceiptKey, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("chain of receipts")
        verbose_name_plural = _("chains of receipts")
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="receipt_chain_is_one")]

    def __str__(self) -> str:
        return self.installation


class BatchTreeQuerySet(JobQuerySet):
    def failed_lately(self, at: datetime) -> Self:
        return self.filter(state=JobState.FAILED, finished_at__gt=at - TRY_AGAIN)

    def in_hand(self, at: datetime) -> Self:
        """A living worker has it."""
        return self.filter(state=JobState.RUNNING, heartbeat_at__gt=at - lease())


class BatchTree(Job):
    """The Merkle tree over a batch's devices as they were soon after its end: `columns` of a record, `done` records, `root` in 64 hex
    digits. Made once, whatever becomes of the rows."""

    batch = models.OneToOneField(Batch, on_delete=models.PROTECT, related_name="tree", verbose_name=_("batch"))
    columns = models.JSONField(default=list)
    root = models.CharField(max_length=64, blank=True)

    objects = BatchTreeQuerySet.as_manager()

    class Meta:
        verbose_name = _("tree of a batch")
        verbose_name_plural = _("trees of batches")
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"B{self.batch_id:06d}"


class Receipt(models.Model):
    """A link of the chain. `content` is the file, as text; `sha256` of its bytes, `previous` that of the link before. `edition` counts the
    receipts of a batch; a later one lists more files, or says that the batch was undone."""

    number = models.BigIntegerField(_("number"), primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="receipts", verbose_name=_("batch"))
    edition = models.PositiveIntegerField(_("edition"))
    undone = models.BooleanField(_("batch undone"), default=False)
    issued_at = models.DateTimeField(_("issued"))
    key = models.ForeignKey(ReceiptKey, on_delete=models.PROTECT, related_name="+", verbose_name=_("key"))
    previous = models.CharField(max_length=64, blank=True, editable=False)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    content = models.TextField(editable=False)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["-number"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["batch", "edition"], name="receipt_edition_once"),
            models.UniqueConstraint(fields=["previous"], name="receipt_follows_another"),
            models.UniqueConstraint(fields=["sha256"], name="receipt_sha256_unique"),
            models.CheckConstraint(condition=Q(number__gt=0, edition__gt=0), name="receipt_numbers_positive"),
            models.CheckConstraint(
                condition=Q(number=1, previous="") | (Q(number__gt=1) & ~Q(previous="")), name="receipt_first_has_no_previous"
            ),
        ]

    def __str__(self) -> str:
        return f"R{self.number:06d}"

    @property
    def file_name(self) -> str:
        return f"B{self.batch_id:06d}-{self.edition}.receipt"

    @property
    def file(self) -> bytes:
        """Exactly as it was signed."""
        return self.content.encode()


class ReceiptFile(models.Model):
    """A file of a batch that a receipt lists, and those after it. A format made again with other bytes is another file."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="+", verbose_name=_("batch"))
    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="files", verbose_name=_("receipt"))
    format = models.CharField(_("format"), max_length=16, choices=FileFormat.choices)
    name = models.CharField(_("file"), max_length=100)
    rows = models.PositiveIntegerField(_("rows"))
    size = models.BigIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("file of a receipt")
        verbose_name_plural = _("files of receipts")
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["batch", "format", "sha256"], name="receipt_file_once")]
        indexes = [models.Index(fields=["sha256"], name="receipt_file_sha256")]

    def __str__(self) -> str:
        return self.name


def unlisted_files() -> models.QuerySet[BatchFile]:
    """Made, and in no receipt yet."""
    same = ReceiptFile.objects.filter(batch=OuterRef("batch"), format=OuterRef("format"), sha256=OuterRef("sha256"))
    return BatchFile.objects.filter(~Exists(same), state=JobState.DONE).exclude(sha256="")


def batches_due(at: datetime, *, since: datetime | None = None) -> models.QuerySet[Batch]:
    """Those whose next receipt can be issued now, the oldest first: ended with devices, and without a receipt, or with a file that none
    lists, or undone since. One whose undo is still under way has time. `since`: only where that has been so since then, or longer."""
    of_batch = {"batch": OuterRef("pk")}
    ended, made, undone = (Q(**{f"{name}__lte": since}) if since else Q() for name in ("finished_at", "finished_at", "undone_at"))
    settled = Batch.objects.filter(state__in=(JobState.DONE, JobState.CANCELLED, JobState.FAILED), made__gt=0)
    settled = settled.filter(Q(undo_began_at=None) | Q(undone_at__isnull=False))
    without = ended & ~Q(Exists(Receipt.objects.filter(**of_batch)))
    unlisted = Q(Exists(unlisted_files().filter(made, **of_batch)))
    not_said = undone & Q(undone_at__isnull=False) & ~Q(Exists(Receipt.objects.filter(**of_batch, undone=True)))
    trees = BatchTree.objects.filter(**of_batch)
    waiting = settled.filter(without | unlisted | not_said)
    return waiting.exclude(Exists(trees.failed_lately(at))).exclude(Exists(trees.in_hand(at))).order_by("pk")
