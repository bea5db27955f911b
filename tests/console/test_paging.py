"""Many rows, a page at a time: each once, in order, whatever is missing between them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.shared import paging
from devices.models import PreImportedDevice
from products.models import Product
from tests import cast

pytestmark = pytest.mark.django_db


def rows_of(product: Product, numbers: list[int]) -> list[tuple[int, str]]:
    """Rows with these numbers, counted from the first."""
    first = cast.row(product, "first").pk
    PreImportedDevice.objects.filter(pk=first).delete()
    made = []
    for number in numbers:
        row = cast.row(product, f"lamp-{number}")
        PreImportedDevice.objects.filter(pk=row.pk).update(id=first + 100_000 + number)
        made.append((first + 100_000 + number, f"lamp-{number}"))
    return made


@pytest.mark.parametrize("numbers", [[], [0], [0, 1, 2, 3, 4, 5, 6], [0, 2, 3, 9_000, 9_001], [0, 3, 6, 9], [5_000]])
def test_every_row_comes_once_and_in_order(numbers: list[int]) -> None:
    product = cast.tracker()
    made = rows_of(product, numbers)
    cast.row(cast.kettle(), "64C2DE000001")
    pages = list(paging.pages(PreImportedDevice.objects.of(product), ["device_name"], 3))
    assert [row for page in pages for row in page] == made
    assert all(1 <= len(page) <= 3 for page in pages)


def test_a_great_gap_is_passed_over_at_once() -> None:
    product = cast.tracker()
    rows_of(product, [0, 90_000])
    with CaptureQueriesContext(connection) as captured:
        assert len(list(paging.pages(PreImportedDevice.objects.of(product), [], 3))) == 2
    assert len(captured) == 5
