"""Serial numbers for tests: runs that are made at once."""

from django.utils import timezone

from devices.models import SerialNumber, SerialNumberRun
from devices.rules.serial_numbers import Design
from devices.services import serial_number_making, serial_numbers
from devices.services.serial_numbers import NewRun
from products.models import Product
from tests.cast import NOON, OPERATOR


def waiting(product: Product, quantity: int = 5, design: Design | None = None, note: str = "") -> SerialNumberRun:
    """A run that nobody has begun."""
    return serial_numbers.request(product, NewRun(design or Design("KT-"), quantity, note), by=OPERATOR, at=NOON)


def made(product: Product, quantity: int = 5, design: Design | None = None) -> SerialNumberRun:
    """A run that has ended."""
    run = waiting(product, quantity, design)
    serial_number_making.fill(run.pk, clock=timezone.now)
    run.refresh_from_db()
    return run


def labels_of(run: SerialNumberRun) -> list[str]:
    """Its serial numbers in the order in which they were made."""
    return list(SerialNumber.objects.of_run(run.pk).values_list("sn", flat=True))
