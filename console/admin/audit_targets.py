"""From an audit entry to the page of what it is about, if that still exists."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from console.models import AuditEntry
from devices.models import Device
from products.models import DataCenter


def page_of(request: HttpRequest, entry: AuditEntry) -> str:
    """Its address; empty where the row is gone, has no page, or is not for this person."""
    if not entry.target_type or not entry.target_id.isdecimal():
        return ""
    try:
        model: Any = apps.get_model(entry.target_type)
    except LookupError:
        return ""
    options: Any = admin.site._registry.get(model)
    if options is None or not options.has_view_permission(request):
        return ""
    key = _key_of_device(entry) if model is Device else entry.target_id
    if not key or options.get_object(request, key) is None:
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key])


def _key_of_device(entry: AuditEntry) -> str:
    """Data centers number their devices each for itself, so the name must fit as well."""
    for center in DataCenter.objects.order_by("pk"):
        if Device.objects.at(center).filter(pk=int(entry.target_id), device_name=entry.target_label).exists():
            return f"{center.code}-{entry.target_id}"
    return ""
