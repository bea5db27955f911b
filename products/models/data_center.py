"""Data centers and the host names by which devices call them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from products.querysets import DataCenterQuerySet


class DataCenter(models.Model):
    """A place that devices call, with a device list of its own. `database` is the alias in DATABASES that holds that list."""

    code = models.SlugField(_("code"), max_length=32)
    name = models.CharField(_("name"), max_length=64)
    is_home = models.BooleanField(_("home"), default=False)
    database = models.CharField(_("database"), max_length=32, default="default")

    objects = DataCenterQuerySet.as_manager()

    class Meta:
        verbose_name = _("data center")
        verbose_name_plural = _("data centers")
        ordering = ["-is_home", "name"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="data_center_code_unique"),
            models.UniqueConstraint(fields=["is_home"], condition=Q(is_home=True), name="data_center_one_home"),
        ]

    def __str__(self) -> str:
        return self.name


class DataCenterHost(models.Model):
    """A host name, in lower case without a port, that leads to one data center."""

    data_center = models.ForeignKey(DataCenter, on_delete=models.CASCADE, related_name="hosts", verbose_name=_("data center"))
    host = models.CharField(_("host name"), max_length=253)

    class Meta:
        verbose_name = _("host name")
        verbose_name_plural = _("host names")
        ordering = ["host"]
        constraints = [models.UniqueConstraint(fields=["host"], name="data_center_host_unique")]

    def __str__(self) -> str:
        return self.host
