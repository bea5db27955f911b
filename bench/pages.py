"""The console's pages with half a million rows in each list, against the same pages with five hundred rows."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from statistics import median
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from psycopg.types.json import Jsonb

from bench import figures, lists, stage
from bench.figures import Figure
from console.shared import bulk
from devices.models import Authentication, Device, PreImportedDevice
from products.models import DataCenter, Product
from registration.models import DeviceLogEntry

SMALL = 500
ADDRESS = ip_address("192.0.2.7")
FEW = 5
"""Each page is taken so often, and its median counts."""
ROW_FIELDS = (
    "product",
    "device_name",
    "nickname",
    "sn",
    "authentication",
    "sealed_secret",
    "certificate_fingerprint",
    "batch",
    "created_at",
)
LOG_FIELDS = (
    "at", "data_center", "product", "product_key", "device_name", "client_id", "event", "protocol", "address", "code", "accepted", "path",
    "facts", "request_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """`name`: of its URL in the admin. `query` may name {exact}, {prefix} and {product}."""

    words: str
    name: str
    query: dict[str, str] = field(default_factory=dict)


PAGES = (
    Page("home", "index"),
    Page("search of the console, a name", "search", {"s": "{exact}", "extended": "1"}),
    Page("search of the console, a beginning", "search", {"s": "{prefix}", "extended": "1"}),
    Page("products", "products_product_changelist"),
    Page("pre-import list", "devices_preimporteddevice_changelist"),
    Page("pre-import list, filter", "devices_preimporteddevice_changelist", {"authentication__exact": "dynamic"}),
    Page("pre-import list, a product", "devices_preimporteddevice_changelist", {"product": "{product}"}),
    Page("pre-import list, exact name", "devices_preimporteddevice_changelist", {"q": "{exact}"}),
    Page("pre-import list, a beginning", "devices_preimporteddevice_changelist", {"q": "{prefix}"}),
    Page("devices", "devices_device_changelist"),
    Page("devices, a state", "devices_device_changelist", {"state": "inactive"}),
    Page("devices, a product", "devices_device_changelist", {"product": "{product}"}),
    Page("devices, exact name", "devices_device_changelist", {"q": "{exact}"}),
    Page("devices, a beginning", "devices_device_changelist", {"q": "{prefix}"}),
    Page("device log", "registration_devicelogentry_changelist"),
    Page("device log, refused", "registration_devicelogentry_changelist", {"outcome": "refused"}),
    Page("device log, exact name", "registration_devicelogentry_changelist", {"q": "{exact}"}),
    Page("production records", "devices_batch_changelist"),
    Page("audit log", "console_auditentry_changelist"),
    Page("jobs", "jobs"),
)


def of_any_size(rows: int, rounds: int) -> list[Figure]:
    """The pages at both sizes. Raises RuntimeError where a page asks more questions of more rows, or counts a whole table."""
    center, made = DataCenter.objects.home(), stage.product("Listed a lot", wire="alibaba", kind="free")
    _fill(center, made, range(SMALL))
    client = lists.operator()
    words = {"exact": _name(SMALL // 2), "prefix": _name(0)[:-3], "product": str(made.pk)}
    small = {page.words: _look(client, page, words, rounds) for page in PAGES}
    _fill(center, made, range(SMALL, rows))
    large = {page.words: _look(client, page, words, rounds) for page in PAGES}
    return [_figure(page, rows, small[page.words], large[page.words]) for page in PAGES]


@dataclass(frozen=True, slots=True)
class Look:
    """`seconds`: the median of each round."""

    queries: Sequence[str]
    seconds: Sequence[float]


def _figure(page: Page, rows: int, small: Look, large: Look) -> Figure:
    if len(large.queries) > len(small.queries):
        raise RuntimeError(f"{page.words} asks {len(large.queries)} questions of {rows:,} rows and {len(small.queries)} of {SMALL}.")
    counts = [sql for sql in large.queries if _counts_all(sql)]
    if counts:
        raise RuntimeError(f"{page.words} counts a whole table: {counts[0][:300]}")
    times = list(zip(large.seconds, small.seconds, strict=True))
    return figures.of_times(f"{page.words}, {rows:,} rows: {len(large.queries)} queries", f"the same with {SMALL}", times, aim="≤ 3")


def _counts_all(sql: str) -> bool:
    big = ("devices_preimporteddevice", "devices_device", "registration_devicelogentry")
    return "COUNT(" in sql and "LIMIT" not in sql and any(f'FROM "{table}"' in sql for table in big)


def _look(client: Client, page: Page, words: dict[str, str], rounds: int) -> Look:
    address, query = reverse(f"admin:{page.name}"), {name: value.format(**words) for name, value in page.query.items()}
    _get(client, address, query)
    with CaptureQueriesContext(connection) as captured:
        _get(client, address, query)
    return Look([one["sql"] for one in captured], [_median(client, address, query) for _round in range(rounds)])


def _median(client: Client, address: str, query: dict[str, str]) -> float:
    times = []
    for _time in range(FEW):
        started = time.perf_counter()
        _get(client, address, query)
        times.append(time.perf_counter() - started)
    return median(times)


def _get(client: Client, address: str, query: dict[str, str]) -> None:
    response = client.get(address, query)
    if response.status_code != 200:
        raise RuntimeError(f"{address} {query} answers {response.status_code}.")


def _fill(center: DataCenter, made: Product, numbers: range) -> None:
    bulk.store(PreImportedDevice, ROW_FIELDS, _rows(made.pk, numbers), using="default")
    bulk.store(Device, lists.FIELDS, _devices(center.pk, made.pk, numbers), using="default")
    bulk.store(DeviceLogEntry, LOG_FIELDS, _entries(center.pk, made, numbers), using="default")
    Product.objects.filter(pk=made.pk).update(devices_taken=min(numbers.stop, made.device_quota))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    stage.checkpoint()


def _rows(product: int, numbers: range) -> Iterator[tuple[Any, ...]]:
    now = datetime.now(UTC)
    for number in numbers:
        yield product, _name(number), "", f"SN{number:07d}", Authentication.DYNAMIC, bytes(65), "", None, now


def _devices(center: int, product: int, numbers: range) -> Iterator[tuple[Any, ...]]:
    now = datetime.now(UTC)
    for number in numbers:
        yield center, product, _name(number), "", f"SN{number:07d}", Authentication.DYNAMIC, "pre_import", bytes(65), "", True, now, now, 0


def _entries(center: int, made: Product, numbers: range) -> Iterator[tuple[Any, ...]]:
    start = datetime.now(UTC) - timedelta(days=30)
    for number in numbers:
        code = "not_imported" if number % 50 == 0 else "accepted"
        who = (center, made.pk, made.key, _name(number), "")
        decided = (code, code == "accepted", Jsonb([]), Jsonb({}), uuid4())
        yield start + timedelta(seconds=number * 5), *who, "registration", "alibaba", ADDRESS, *decided


def _name(number: int) -> str:
    return f"listed-{number:07d}"
