"""Production batches, the files of their activation codes, and how a batch is undone."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from console.shared.jobs import Job, JobQuerySet, JobState
from products.models import FlashingMethod, Product


class BatchSource(models.TextChoices):
    AUTOMATIC = "automatic", _("Automatic generation")
    UPLOAD = "upload", _("Batch upload")


class BatchFileQuerySet(JobQuerySet):
    def expired(self, at: datetime) -> Self:
        """Kept long enough, also where the file was ordered again since and that order waits, failed or was cancelled."""
        return self.filter(expires_at__lte=at).exclude(path="")


class Batch(Job):
    """`total` devices asked for, `done` of them looked at so far (the checkpoint), `made` of these stored.

    Quota and codes are taken for `total` when the batch is requested; what was not made is given back once, when it ends.
    `wish`: the form that asked for it, so that a form that is sent twice makes one batch; None where no form did.
    `first_came_*`: the first of its devices that came into a data center's list. `undo_began_at`: since when none of them may come any
    more, because the batch is being undone; empty again where the undo was refused.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", verbose_name=_("product"))
    flashing_method = models.CharField(
        _("flashing method"), max_length=12, choices=FlashingMethod.choices, default=FlashingMethod.PER_DEVICE
    )
    source = models.CharField(_("DeviceNames"), max_length=12, choices=BatchSource.choices)
    made = models.PositiveIntegerField(_("devices made"), default=0)
    mac_pool = models.ForeignKey(
        "devices.MacPool", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("MAC pool")
    )
    mac_first = models.BigIntegerField(null=True, editable=False)
    mac_stride = models.PositiveSmallIntegerField(default=1, editable=False)
    upload = models.OneToOneField(
        "devices.Upload", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("workbook")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    wish = models.CharField(max_length=32, null=True, editable=False)  # noqa: DJ001 -- unique where given, so none is NULL
    first_download_at = models.DateTimeField(_("first download"), null=True, blank=True)
    first_download_by = models.CharField(max_length=150, blank=True, editable=False)
    first_came_at = models.DateTimeField(_("first device"), null=True, blank=True, editable=False)
    first_came_name = models.CharField(max_length=64, blank=True, editable=False)
    first_came_to = models.CharField(max_length=64, blank=True, editable=False)
    undo_began_at = models.DateTimeField(null=True, editable=False)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("production batch")
        verbose_name_plural = _("production records")
        ordering = ["-id"]
        default_permissions = ("add", "view")
        permissions = [
            ("cancel_batch", _("Can cancel a production batch")),
            ("undo_batch", _("Can undo a production batch")),
            ("download_activation_codes", _("Can download activation codes")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(total__gt=0), name="batch_total_positive"),
            models.CheckConstraint(condition=Q(made__lte=F("done")), name="batch_made_at_most_done"),
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="batch_done_at_most_total"),
            models.CheckConstraint(condition=Q(undone_at=None) | Q(undo_began_at__isnull=False), name="batch_undone_began"),
            models.CheckConstraint(condition=Q(undo_began_at=None) | Q(first_download_at=None), name="batch_undone_never_downloaded"),
            models.UniqueConstraint(fields=["wish"], name="batch_wish_once"),
        ]
        indexes = [models.Index(fields=["state", "heartbeat_at"], name="batch_state")]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The batch number that people write down."""
        return f"B{self.pk:06d}"

    @property
    def skipped(self) -> int:
        """Names that were in the product's list already."""
        return self.done - self.made

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total


class FileFormat(models.TextChoices):
    CSV = "csv", _("CSV")
    XLSX = "xlsx", _("Excel")
    ALIGENIE = "aligenie", _("AliGenie chips (six columns)")
    DATA = "data", _("Batch data (Excel)")


class BatchFile(Job):
    """One file of a batch's activation codes. The job makes it; then it is kept encrypted under `path` in the vault until `expires_at`.

    When it has expired, or could not be made, the same row is queued again. `done` counts the rows in the file, `size` is in bytes,
    `sha256` is that of the file as it is downloaded.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="files", verbose_name=_("batch"))
    format = models.CharField(_("format"), max_length=16, choices=FileFormat.choices)
    sealed_key = SealedField(owner="key_owner")
    path = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(_("size in bytes"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    expires_at = models.DateTimeField(_("kept until"), null=True, blank=True)
    downloads = models.PositiveIntegerField(_("downloads"), default=0)

    objects = BatchFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("activation code file")
        verbose_name_plural = _("activation code files")
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["batch", "format"], name="batch_file_format_unique")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.format}"

    def key_owner(self) -> bytes:
        return f"batch file|{self.batch_id}|{self.format}".encode()

    def is_ready(self, at: datetime) -> bool:
        """Whether it can be downloaded."""
        return self.state == JobState.DONE and self.expires_at is not None and self.expires_at > at


class BatchUndo(Job):
    """One attempt to undo a batch: who wanted it, when and why, and what became of it. `done` counts the rows that are gone.

    First every data center is asked whether a device of the batch is in its list; `checked_at` is when none was, and from then on there is
    no way back. One that was refused (failed) says in `failure` what stands in the way, and the batch is as before.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="undos", verbose_name=_("batch"))
    reason = models.CharField(_("reason"), max_length=200)
    checked_at = models.DateTimeField(_("checked"), null=True, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("undoing of a batch")
        verbose_name_plural = _("undoings of batches")
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["batch"], condition=~Q(state=JobState.FAILED), name="batch_undo_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="batch_undo_has_reason"),
        ]

    def __str__(self) -> str:
        return f"B{self.batch_id:06d}"
