"""Rows of an address as the caller sees them: what he may not see does not exist for him."""

from typing import Any, TypeVar

from django.db import models
from django.db.models import QuerySet

from console.errors import Invalid, NotFound
from console.rest.endpoints import Call
from devices.models import Batch, Device, PreImportedDevice, SerialNumber, SerialNumberRun, Upload
from products.api.finding import data_center as data_center
from products.api.finding import require_every_product as require_every_product
from products.models import DataCenter, Product
from products.services import access

Row = TypeVar("Row", bound=models.Model)


def pre_imported(call: Call) -> QuerySet[PreImportedDevice]:
    return access.only(PreImportedDevice.objects.select_related("product").defer("sealed_secret"), call.user)


def batches(call: Call) -> QuerySet[Batch]:
    return access.only(Batch.objects.select_related("product", "requested_by", "mac_pool"), call.user)


def uploads(call: Call) -> QuerySet[Upload]:
    return access.only(Upload.objects.select_related("product", "requested_by"), call.user)


def runs(call: Call) -> QuerySet[SerialNumberRun]:
    return access.only(SerialNumberRun.objects.select_related("product", "requested_by"), call.user)


def serial_numbers(call: Call) -> QuerySet[SerialNumber]:
    return access.only(SerialNumber.objects.all(), call.user)


def devices(call: Call, center: DataCenter) -> QuerySet[Device]:
    return access.only(Device.objects.at(center).defer("sealed_secret"), call.user)


def one(rows: QuerySet[Row], number: int) -> Row:
    """Raises NotFound."""
    found = rows.filter(pk=number).first()
    if found is None:
        raise NotFound
    return found


def device(call: Call, code: str, number: int) -> Device:
    """With its data center and product from the center's database. Raises NotFound."""
    center = data_center(code)
    found = one(devices(call, center), number)
    found.data_center, found.product = center, Product.objects.get(pk=found.product_id)
    return found


def named_product(call: Call, field: str = "product_key") -> Product:
    """That a body names. Raises Invalid."""
    found = access.only(Product.objects.filter(key=call.data[field]), call.user, field="pk").first()
    if found is None:
        raise Invalid("There is no product of this ProductKey.", field=field)
    return found


def of_product(rows: QuerySet[Row], query: Any) -> QuerySet[Row]:
    """With the filter by ProductKey that lists have."""
    if "product_key" not in query:
        return rows
    product = Product.objects.filter(key=query["product_key"]).values_list("pk", flat=True).first()
    return rows.filter(product_id=product or 0)
