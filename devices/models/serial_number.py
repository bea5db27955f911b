"""Generated serial numbers: the runs that make them, and each number with the device that its label is on (Q7)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from console.shared.jobs import Job, JobQuerySet
from devices.querysets import SerialNumberQuerySet
from devices.rules.serial_numbers import Design
from products.models import Product


class SerialNumberAlphabet(models.TextChoices):
    CLEAR = "clear", _("Capital letters and digits without look-alikes (no 0, 1, I, O)")
    CAPITALS = "capitals", _("All capital letters and digits")
    DIGITS = "digits", _("Digits")


class SerialNumberRun(Job):
    """`total` serial numbers asked for, `done` of them made so far (the checkpoint). `length` counts the random characters, between the
    prefix and the check character if there is one."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", verbose_name=_("product"))
    prefix = models.CharField(_("prefix"), max_length=24, blank=True)
    alphabet = models.CharField(_("characters"), max_length=8, choices=SerialNumberAlphabet.choices, default=SerialNumberAlphabet.CLEAR)
    length = models.PositiveSmallIntegerField(_("random characters"))
    check_character = models.BooleanField(_("check character"), default=False)
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("run of serial numbers")
        verbose_name_plural = _("runs of serial numbers")
        ordering = ["-id"]
        default_permissions = ("add", "view")
        permissions = [
            ("cancel_serialnumberrun", _("Can cancel a run and void serial numbers")),
            ("download_serialnumbers", _("Can download serial numbers and labels")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(total__gt=0), name="serial_number_run_total_positive"),
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="serial_number_run_done_at_most_total"),
        ]
        indexes = [models.Index(fields=["state", "heartbeat_at"], name="serial_number_run_state")]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number of the run that people write down."""
        return f"S{self.pk:06d}"

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total

    @property
    def design(self) -> Design:
        return Design(self.prefix, self.alphabet, self.length, self.check_character)


class SerialNumber(models.Model):
    """`device_name` is the device that has it in the pre-import list, empty while none has (devices.services.serial_numbers.follow keeps
    it so). A void one is on no device and never will be."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("product"))
    run = models.ForeignKey(SerialNumberRun, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("run"))
    sn = models.CharField(_("SN"), max_length=64)
    device_name = models.CharField(_("DeviceName"), max_length=64, blank=True)
    bound_at = models.DateTimeField(_("bound"), null=True, blank=True)
    bound_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
        verbose_name=_("bound by"),
    )
    voided_at = models.DateTimeField(_("voided"), null=True, blank=True)

    objects = SerialNumberQuerySet.as_manager()

    class Meta:
        verbose_name = _("serial number")
        verbose_name_plural = _("serial numbers")
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("bind_serialnumber", _("Can bind serial numbers to devices"))]
        constraints = [
            models.UniqueConstraint(fields=["sn"], name="serial_number_unique"),
            models.UniqueConstraint(fields=["product", "device_name"], condition=~Q(device_name=""), name="serial_number_one_a_device"),
            models.CheckConstraint(
                condition=Q(device_name="", bound_at=None) | (~Q(device_name="") & Q(bound_at__isnull=False)),
                name="serial_number_bound_at_a_time",
            ),
            models.CheckConstraint(condition=Q(voided_at=None) | Q(device_name=""), name="serial_number_void_is_on_nothing"),
        ]
        indexes = [
            models.Index(fields=["run", "id"], name="serial_number_run"),
            models.Index(fields=["product", "id"], name="serial_number_product"),
            models.Index(fields=["run"], condition=~Q(device_name=""), name="serial_number_bound"),
            models.Index(fields=["run"], condition=Q(voided_at__isnull=False), name="serial_number_void"),
            models.Index(fields=["product", "bound_at"], condition=~Q(device_name=""), name="serial_number_bound_when"),
            models.Index(fields=["bound_by", "product", "bound_at"], condition=~Q(device_name=""), name="serial_number_bound_by"),
            models.Index(fields=["sn"], name="serial_number_beginning", opclasses=["varchar_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.sn

    @property
    def state(self) -> str:
        """free, bound or void."""
        return "void" if self.voided_at else "bound" if self.device_name else "free"
