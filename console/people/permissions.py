"""The permissions that some page, action or API call asks for: those that a role or a group can hold."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.utils.translation import gettext, gettext_lazy

NOBODY_CAN = (
    *("delete_product", "delete_datacenter", "add_productsecret", "change_productsecret", "delete_productsecret"),
    *("change_codegrant", "delete_codegrant", "add_device", "change_macpool", "add_upload", "change_upload", "delete_upload"),
    *("add_devicelogentry", "change_devicelogentry", "delete_devicelogentry"),
    *("add_auditentry", "change_auditentry", "delete_auditentry", "delete_user"),
)
"""Permissions that Django makes for every model and that no page of the console asks for."""
HIDDEN_MODELS = (
    *("autocreation", "datacenterhost", "usednonce", "batchfile", "verificationcode"),
    *("clientidentity", "connection", "disconnectorder", "brokerstate", "productaccess"),
)
"""Models whose rows are shown and written with others' permissions."""
VERBS: dict[str, Any] = {
    "add": gettext_lazy("Add: %(rows)s"),
    "change": gettext_lazy("Change: %(rows)s"),
    "delete": gettext_lazy("Delete: %(rows)s"),
    "view": gettext_lazy("See: %(rows)s"),
}
APPS = ("products", "devices", "registration", "console")


def grantable() -> QuerySet[Permission]:
    """Those of the fleet first, then those of people."""
    ours = Q(content_type__app_label__in=APPS) & ~Q(content_type__model__in=HIDDEN_MODELS)
    people = Q(content_type__app_label="auth", content_type__model__in=("user", "group"))
    found = Permission.objects.filter(ours | people).exclude(codename__in=NOBODY_CAN).select_related("content_type")
    return found.order_by("-content_type__app_label", "content_type__model", "id")


def name_of(permission: Permission) -> str:
    """As `has_perm` takes it."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def words_of(permission: Permission) -> str:
    """In the reader's language: Django keeps its own four as English text in the database."""
    verb, _underscore, noun = permission.codename.partition("_")
    model: Any = permission.content_type.model_class()
    if verb in VERBS and model is not None and noun == model._meta.model_name:
        return str(VERBS[verb] % {"rows": model._meta.verbose_name_plural})
    return gettext(permission.name)
