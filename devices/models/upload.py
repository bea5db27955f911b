"""Uploaded workbooks: checked whole first, committed afterwards, bound to the bytes that were checked."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from console.shared.jobs import Job, JobQuerySet
from devices.models.pre_import import Authentication
from products.models import Product


class UploadPurpose(models.TextChoices):
    PRE_IMPORT = "pre_import", _("Pre-import")
    BATCH = "batch", _("Batch production")


class UploadStage(models.TextChoices):
    CHECK = "check", _("Check")
    COMMIT = "commit", _("Import")


class Upload(Job):
    """A workbook and what became of it. The job's state is that of the present `stage`: checking, or committing what was checked.

    The file and the checked rows are kept encrypted in the data folder with a key of their own until the upload ends or expires.
    `report` holds what the check found: counts, groups of errors with their first cells, and a preview, without secrets.
    """

    purpose = models.CharField(_("purpose"), max_length=12, choices=UploadPurpose.choices)
    stage = models.CharField(_("stage"), max_length=8, choices=UploadStage.choices, default=UploadStage.CHECK)
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("product"))
    authentication = models.CharField(_("authentication"), max_length=8, choices=Authentication.choices, default=Authentication.DYNAMIC)
    file_name = models.CharField(_("file"), max_length=200)
    path = models.CharField(max_length=200, blank=True)
    sealed_key = SealedField(owner="key_owner")
    token = models.CharField(max_length=32)
    size = models.BigIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    good_rows = models.PositiveIntegerField(_("good rows"), default=0)
    bad_rows = models.PositiveIntegerField(_("bad rows"), default=0)
    report = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField(_("kept until"))

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("uploaded workbook")
        verbose_name_plural = _("uploaded workbooks")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["token"], name="upload_token_unique"),
            models.CheckConstraint(condition=Q(size__gte=0), name="upload_size_not_negative"),
        ]

    def __str__(self) -> str:
        return self.file_name

    def key_owner(self) -> bytes:
        """By its token, not its number, so that the key can be sealed before the row is stored."""
        return f"upload|{self.token}".encode()
