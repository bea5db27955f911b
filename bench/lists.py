"""A device list of millions of rows in the console: its pages' statements against the same ones without Django; and the whole page."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench import figures, stage
from bench.figures import Figure
from devices.models import Device
from products.models import DataCenter

FIELDS = (
    "data_center", "product", "device_name", "nickname", "sn", "authentication", "origin", "sealed_secret", "certificate_fingerprint",
    "enabled", "created_at", "registered_at", "client_ids_active",
)  # fmt: skip
TIMES = 10
"""Milliseconds are taken several times a round."""
FILL = """
INSERT INTO devices_device (data_center_id, product_id, device_name, nickname, sn, authentication, origin, sealed_secret,
    certificate_fingerprint, enabled, created_at, registered_at, client_ids_active)
SELECT %s, %s, 'listed-' || lpad(number::text, 7, '0'), '', 'SN' || lpad(number::text, 7, '0'), 'dynamic', 'pre_import', %s,
    '', true, now(), now(), 0
FROM generate_series(0, %s - 1) AS number
"""


def device_list(devices: int, rounds: int) -> list[Figure]:
    """The pages as a signed-in operator gets them. Raises RuntimeError where a page counts the list."""
    center, made = DataCenter.objects.home(), stage.product("Listed", wire="alibaba", kind="free")
    with stage.filling("devices_device"), connection.cursor() as cursor:
        cursor.execute(FILL, [center.pk, made.pk, secrets.token_bytes(65), devices])
    last = Device.objects.at(center).latest("pk").pk
    client, address = operator(), reverse("admin:devices_device_changelist")
    pages = {
        "first page": {},
        "filter by state": {"state": "inactive"},
        "filter by product": {"product": f"{made.pk}"},
        "exact name": {"q": _name(devices // 2)},
        "beginning of a name": {"q": _name(devices // 2)[:-2]},
        f"page {devices // 50:,}": {"p": f"{devices // 50}-after-{last - devices // 2}"},
    }
    found: list[Figure] = []
    for what, query in pages.items():
        found += _page(f"device list of {devices:,}, {what}", lambda query=query: _get(client, address, query), rounds)  # type: ignore[misc]
    return found


def _page(work: str, get: Callable[[], None], rounds: int) -> list[Figure]:
    get()
    with CaptureQueriesContext(connection) as captured:
        get()
    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    if any("COUNT(" in sql and 'FROM "devices_device"' in sql and "LIMIT" not in sql for sql in asked):
        raise RuntimeError(f"{work} counts the list.")
    took = [(*_taken(get), _often(lambda: _ask(asked))) for _round in range(rounds)]
    return [
        figures.of_times(
            f"{work}: its {len(asked)} statements", "the same in a bare cursor", [(sql, base) for _, sql, base in took], aim="≤ 3"
        ),
        figures.of_times(f"{work}: whole page", "its statements", [(page, sql) for page, sql, _ in took]),
    ]


def _taken(get: Callable[[], None]) -> tuple[float, float]:
    """Median seconds of a page, and of that what Django spent on statements."""
    pages, statements = [], []
    for _time in range(TIMES):
        with _stopwatch() as asked:
            started = time.perf_counter()
            get()
            pages.append(time.perf_counter() - started)
        statements.append(sum(asked))
    return median(pages), median(statements)


@contextmanager
def _stopwatch() -> Iterator[list[float]]:
    """The seconds of each statement that Django runs meanwhile."""
    taken: list[float] = []

    def timed(execute: Any, *rest: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*rest)
        finally:
            taken.append(time.perf_counter() - started)

    with connection.execute_wrapper(timed):
        yield taken


def _often(work: Callable[[], None]) -> float:
    """Median seconds."""
    times = []
    for _time in range(TIMES):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times)


def _ask(statements: Sequence[str]) -> None:
    """As psql would: the finished text goes to PostgreSQL, the rows come back."""
    with connection.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            cursor.fetchall()


def _get(client: Client, address: str, query: dict[str, str]) -> None:
    response = client.get(address, query)
    if response.status_code != 200:
        raise RuntimeError(f"The device list answers {response.status_code}.")


def operator() -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model()._default_manager.get(is_superuser=True))
    return client


def _name(number: int) -> str:
    return f"listed-{number:07d}"
