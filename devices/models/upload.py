"""Uploaded workbooks: checked whole first, committed afterwards, bound to the bytes that were checked."""

from datetime import datetime

from django.conf import settings
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


class Duplicates(models.TextChoices):
    """What a row means whose DeviceName is in the pre-import list already."""

    STOP = "stop", _("Stop: they are bad rows")
    SKIP = "skip", _("Skip: they are left out")


class Upload(Job):
    """A workbook and what became of it. The job's state is that of the present `stage`: checking, or committing what was checked.

    The file and the checked rows are kept encrypted in the data folder with a key of their own until the upload ends or expires.
    `report` holds what the check found: counts, groups of faults with their rows, and a preview, without secrets.
    `requested_*` are of the present stage, `received_*` of the file.
    """

    purpose = models.CharField(_("purpose"), max_length=12, choices=UploadPurpose.choices)
    stage = models.CharField(_("stage"), max_length=8, choices=UploadStage.choices, default=UploadStage.CHECK)
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("product"))
    authentication = models.CharField(_("authentication"), max_length=8, choices=Authentication.choices, default=Authentication.DYNAMIC)
    file_name = models.CharField(_("file"), max_length=200)
    path = models.CharField(max_length=200, blank=True)
    sealed_key = SealedField(owner="key_owner")
    token = models.CharField(max_length=32)
    received_at = models.DateTimeField(_("uploaded"), null=True, blank=True)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("uploaded by")
    )
    duplicates = models.CharField(_("DeviceNames in the list already"), max_length=4, choices=Duplicates.choices, default=Duplicates.STOP)
    size = models.BigIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    good_rows = models.PositiveIntegerField(_("good rows"), default=0)
    bad_rows = models.PositiveIntegerField(_("bad rows"), default=0)
    skipped_rows = models.PositiveIntegerField(_("rows left out"), default=0)
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
        indexes = [models.Index(fields=["sha256"], name="upload_sha256")]

    def __str__(self) -> str:
        return self.file_name

    def key_owner(self) -> bytes:
        """By its token, not its number, so that the key can be sealed before the row is stored."""
        return f"upload|{self.token}".encode()

    @property
    def checked_sha256(self) -> str:
        """Of the good rows as the check stored them, 64 hex digits: what an import is bound to. Empty before the check."""
        return str(self.report.get("rows_sha256", ""))

    @property
    def has_findings(self) -> bool:
        """Whether the check named a cell, and its words are still kept."""
        return bool(self.path) and bool(self.report.get("cells") or self.skipped_rows)


class MarkedWorkbook(Job):
    """An uploaded workbook as it goes back to its operator: the bad cells marked, a reason in each bad row. The job makes it.

    It lies in the upload's folder of the vault, under the upload's key, and goes with it. `findings` names the check whose words it shows:
    after another check it is made anew. `language` is that of the person who asked for it. `done` counts the rows written.
    """

    upload = models.OneToOneField(Upload, on_delete=models.PROTECT, related_name="marked", verbose_name=_("uploaded workbook"))
    findings = models.CharField(max_length=40)
    language = models.CharField(max_length=16)
    path = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(_("size in bytes"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    downloads = models.PositiveIntegerField(_("downloads"), default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("marked workbook")
        verbose_name_plural = _("marked workbooks")
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.upload.file_name

    def shows(self, upload: Upload, language: str, at: datetime) -> bool:
        """Whether it is made, or being made, of what the upload's last check found, in this language."""
        return self.findings == upload.report.get("findings") and self.language == language and upload.expires_at > at
