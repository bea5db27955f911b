"""Mass production: an automatic batch against COPY of its finished rows; its activation codes against deflating and writing them."""

import io
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench import figures, floors, stage, worker
from bench.figures import Figure
from console.shared.actors import SYSTEM
from devices.models import Batch, BatchFile, FileFormat
from devices.services import batch_files, batches
from products.models import Product

COPY = "COPY of the finished rows"


def automatic(devices: int, rounds: int) -> list[Figure]:
    """The request (quota, codes) and the job (names, secrets, sealing, storing) together."""
    made = stage.product("Automatic", wire="alibaba", kind="free")
    took, peaks = [], []
    for _round in range(rounds):
        floors.empty_the_list()
        stage.checkpoint()
        batch, requesting = _request(made, devices)
        work = worker.measure("devices.fill_batch", batch.pk)
        _expect(batch, devices)
        rows = floors.finished_rows()
        floors.empty_the_list()
        took.append((requesting + work.seconds, floors.copy_in(rows)))
        peaks.append(work.peak_mib)
    return [figures.of_times(f"automatic batch, {devices:,} devices", COPY, took, aim="≤ 1.5, ≤ 200 MiB", peak_mib=max(peaks))]


def activation_codes(devices: int, rounds: int, folder: Path) -> list[Figure]:
    """The job that unseals the secrets and packs the file, encrypted, into the vault."""
    made = stage.product("Flashed", wire="alibaba", kind="free")
    floors.empty_the_list()
    batch, _seconds = _request(made, devices)
    worker.measure("devices.fill_batch", batch.pk)
    _expect(batch, devices)
    work = f"activation codes, {devices:,} devices, "
    return [
        _packing(
            batch,
            FileFormat.XLSX,
            rounds,
            f"{work}XLSX",
            "deflate 1 of the sheet's XML",
            "≤ 5, ≤ 200 MiB",
            lambda file: floors.deflate(_sheet(file)),
        ),
        _packing(
            batch, FileFormat.CSV, rounds, f"{work}CSV", "write and fsync of the file", "≤ 8", lambda file: floors.write(file, folder)
        ),
    ]


def _packing(batch: Batch, form: FileFormat, rounds: int, work: str, floor: str, aim: str, base: Callable[[bytes], float]) -> Figure:
    took, peaks = [], []
    for _round in range(rounds):
        BatchFile.objects.filter(batch=batch).delete()
        ordered = batch_files.order(batch.pk, form, by=SYSTEM, at=datetime.now(UTC))
        measured = worker.measure("devices.pack_batch", ordered.pk)
        file = b"".join(batch_files.download(batch, form, by=SYSTEM, at=datetime.now(UTC)).pieces)
        took.append((measured.seconds, median(base(file) for _ in range(3))))
        peaks.append(measured.peak_mib)
    return figures.of_times(work, floor, took, aim=aim, peak_mib=max(peaks))


def _request(made: Product, devices: int) -> tuple[Batch, float]:
    started = time.perf_counter()
    batch = batches.request(made.pk, batches.NewBatch(source="automatic", quantity=devices), by=SYSTEM, at=datetime.now(UTC))
    return batch, time.perf_counter() - started


def _expect(batch: Batch, devices: int) -> None:
    batch.refresh_from_db()
    if (batch.state, batch.made) != ("done", devices):
        raise RuntimeError(f"The batch made {batch.made} of {devices}: {batch.state} {batch.failure}")


def _sheet(file: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        return book.read("xl/worksheets/sheet1.xml")
