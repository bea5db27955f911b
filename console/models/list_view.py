"""How a person likes the lists: filters kept under a name, and the columns that are shown."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

QUERY_AT_MOST = 1_000


class SavedFilter(models.Model):
    """One list's filters, search and order under a name of the person's own. `page`: the model's label in lower case; `query`: the part of
    the address behind the question mark."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user"))
    page = models.CharField(max_length=64)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=QUERY_AT_MOST)

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ["name"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_name_unique")]

    def __str__(self) -> str:
        return self.name


class ChosenColumns(models.Model):
    """The columns of one list that a person does not want. Columns that are added later are shown."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user"))
    page = models.CharField(max_length=64)
    hidden = models.JSONField(default=list)

    class Meta:
        verbose_name = _("chosen columns")
        verbose_name_plural = _("chosen columns")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "page"], name="chosen_columns_one_a_list")]

    def __str__(self) -> str:
        return self.page
