"""Mass production: an automatic batch against COPY of its finished rows, at several sizes and into a table that is full already."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection

from bench import figures, floors, stage, worker
from bench.figures import Figure
from bench.worker import Measured
from console.shared.actors import SYSTEM
from devices.models import Batch
from devices.services import batches
from products.models import Product

COPY = "COPY of the finished rows"
FULL_OF = f"""
    INSERT INTO {floors.TABLE} (product_id, device_name, nickname, sn, authentication, sealed_secret, certificate_fingerprint, batch_id, created_at)
    SELECT n / 500000 - 1000000, name, '', NULL, 'static', decode(repeat('00', 65), 'hex'), '', n / 500000 - 1000000, now()
    FROM (SELECT n, translate(substr(encode(sha256(n::text::bytea), 'base64'), 1, 20), '+/', 'Zz') AS name FROM generate_series(1, %s) n) drawn
    ORDER BY 1, 2
"""  # noqa: E501
"""Products of half a million devices each, older than ours, with names from everywhere among the names there can be."""


def automatic(sizes: Sequence[int], rounds: int) -> list[Figure]:
    """The request (quota, codes) and the job (names, secrets, sealing, storing) together: the greatest size against COPY, and each size,
    from small to great, against the one before it."""
    made, devices = stage.product("Automatic", wire="alibaba", kind="free"), sizes[-1]
    took: dict[int, list[float]] = {size: [] for size in sizes}
    floor, peaks = [], []
    for _round in range(rounds):
        for size in sizes:
            start_afresh(made)
            _batch, seconds, work = _made(made, size)
            took[size].append(seconds)
        rows = floors.finished_rows()
        floors.empty_the_list()
        floor.append(floors.copy_in(rows))
        peaks.append(work.peak_mib)
    pairs = list(zip(took[devices], floor, strict=True))
    whole = figures.of_times(f"automatic batch, {devices:,} devices", COPY, pairs, aim="≤ 1.5, ≤ 200 MiB", peak_mib=max(peaks))
    return [whole, *figures.of_growth("automatic batch, {:,} devices", took)]


def into_a_full_table(devices: int, rows_there: int, rounds: int) -> list[Figure]:
    """Against COPY into the same full table, and against the same batch in an empty one. Every round leaves its devices there."""
    work = f"automatic batch, {devices:,} devices into {rows_there:,}"
    empty, copied = [], []
    for number in range(rounds):
        floors.empty_the_list()
        empty.append(_made(_product(f"Empty {devices}", number), devices)[1])
    floors.empty_the_list()
    with stage.filling(floors.TABLE), connection.cursor() as cursor:
        cursor.execute(FULL_OF, [rows_there])
    for number in range(rounds):
        batch, seconds, _work = _made(_product(f"Full {devices}", number), devices)
        rows = floors.finished_rows(batch.pk)
        _take_away(batch)
        copied.append((seconds, floors.copy_in(rows)))
    own = [seconds for seconds, _floor in copied]
    floors.empty_the_list()
    return [
        figures.of_times(work, COPY, copied, aim="≤ 1.5"),
        figures.of_times(work, "the same into an empty table", list(zip(own, empty, strict=True)), aim="≤ 1.2"),
    ]


def start_afresh(made: Product) -> None:
    """No devices, and the product's quota and codes as if there had never been any."""
    floors.empty_the_list()
    Product.objects.filter(pk=made.pk).update(devices_taken=0, codes_used=0)


def request(made: Product, devices: int) -> tuple[Batch, float]:
    started = time.perf_counter()
    batch = batches.request(made.pk, batches.NewBatch(source="automatic", quantity=devices), by=SYSTEM, at=datetime.now(UTC))
    return batch, time.perf_counter() - started


def expect(batch: Batch, devices: int) -> None:
    batch.refresh_from_db()
    if (batch.state, batch.made) != ("done", devices):
        raise RuntimeError(f"The batch made {batch.made} of {devices}: {batch.state} {batch.failure}")


def _made(made: Product, devices: int) -> tuple[Batch, float, Measured]:
    """The batch, and the seconds of its request and its job."""
    stage.checkpoint()
    batch, requesting = request(made, devices)
    work = worker.measure("devices.fill_batch", batch.pk)
    expect(batch, devices)
    return batch, requesting + work.seconds, work


def _product(name: str, number: int) -> Product:
    return stage.product(f"{name} {number}", wire="alibaba", kind="free")


def _take_away(batch: Batch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {floors.TABLE} WHERE batch_id = %s", [batch.pk])
        cursor.execute(f"VACUUM {floors.TABLE}")
