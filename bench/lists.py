"""The device list in the console: what its pages ask of the database against the one statement that finds the rows; and the whole page."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench import figures, stage
from bench.figures import Figure
from console.shared import bulk
from devices.models import Authentication, Device, DeviceOrigin
from products.models import DataCenter

FIELDS = (
    "data_center", "product", "device_name", "nickname", "sn", "authentication", "origin", "sealed_secret", "certificate_fingerprint",
    "enabled", "created_at", "registered_at", "client_ids_active",
)  # fmt: skip
TIMES = 10
"""Milliseconds are taken several times a round."""


def device_list(devices: int, rounds: int) -> list[Figure]:
    """The first page and a search by exact name, as a signed-in operator gets them."""
    center, made = DataCenter.objects.home(), stage.product("Listed", wire="alibaba", kind="free")
    bulk.store(Device, FIELDS, _rows(center.pk, made.pk, devices), using="default")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client, address = _operator(), reverse("admin:devices_device_changelist")
    pages = {"first page": {}, "exact name": {"q": _name(devices // 2)}}
    found: list[Figure] = []
    for what, query in pages.items():
        found += _page(f"device list of {devices:,}, {what}", lambda query=query: _get(client, address, query), rounds)  # type: ignore[misc]
    return found


def _page(work: str, get: Callable[[], None], rounds: int) -> list[Figure]:
    get()
    with CaptureQueriesContext(connection) as captured:
        get()
    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    own = [sql for sql in asked if 'FROM "devices_device"' in sql and " LIMIT " in sql][-1:]
    if not own:
        raise RuntimeError("The page asks no statement of the device list.")
    took = [(_often(get), _often(lambda: _ask(asked)), _often(lambda: _ask(own))) for _round in range(rounds)]
    return [
        figures.of_times(
            f"{work}: its {len(asked)} queries", "the list's own statement", [(sql, base) for _, sql, base in took], aim="≤ 3"
        ),
        figures.of_times(f"{work}: whole page", "its queries", [(page, sql) for page, sql, _ in took]),
    ]


def _often(work: Callable[[], None]) -> float:
    """Median seconds."""
    times = []
    for _time in range(TIMES):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times)


def _ask(statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            cursor.fetchall()


def _get(client: Client, address: str, query: dict[str, str]) -> None:
    response = client.get(address, query)
    if response.status_code != 200:
        raise RuntimeError(f"The device list answers {response.status_code}.")


def _operator() -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model()._default_manager.get(is_superuser=True))
    return client


def _rows(center: int, product: int, devices: int) -> Iterator[tuple[Any, ...]]:
    now, sealed = datetime.now(UTC), secrets.token_bytes(65)
    for number in range(devices):
        name = _name(number)
        yield center, product, name, "", "", Authentication.DYNAMIC, DeviceOrigin.PRE_IMPORT, sealed, "", True, now, now, 0


def _name(number: int) -> str:
    return f"listed-{number:07d}"
