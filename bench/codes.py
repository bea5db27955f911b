"""Files out: activation codes and their first byte, the export of the pre-import list, against deflating and writing what came out."""

import io
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from django.test import Client
from django.urls import reverse

from bench import figures, floors, lists, stage, storing, worker
from bench.figures import Figure
from console.shared import bulk, confirmation
from console.shared.actors import SYSTEM
from devices.models import Authentication, Batch, BatchFile, FileFormat, PreImportedDevice
from devices.querysets import PreImportRow
from devices.services import batch_files

SHEET = "deflate 1 of the sheet's XML"
COLUMNS = ("product_key", "device_name", "nickname", "sn", "authentication", "certificate_fingerprint")


def activation_codes(devices: int, rounds: int, folder: Path) -> list[Figure]:
    """The job that unseals the secrets and packs the file, encrypted, into the vault; then a download of the file that is kept."""
    made = stage.product("Flashed", wire="alibaba", kind="free")
    floors.empty_the_list()
    batch, _seconds = storing.request(made, devices)
    worker.measure("devices.fill_batch", batch.pk)
    storing.expect(batch, devices)
    work = f"activation codes, {devices:,} devices, "
    found = [
        _packing(batch, FileFormat.XLSX, rounds, f"{work}XLSX", SHEET, "≤ 5, ≤ 200 MiB", lambda file: floors.deflate(_sheet(file))),
        _packing(
            batch, FileFormat.CSV, rounds, f"{work}CSV", "write and fsync of the file", "≤ 8", lambda file: floors.write(file, folder)
        ),
        _first_byte(batch, rounds, f"{work}kept XLSX: first byte"),
    ]
    floors.empty_the_list()
    return found


def pre_import_list(rows: int, rounds: int, folder: Path) -> list[Figure]:
    """The export page's answer, to its last byte. Memory is what the process grew by while it answered, not all that it holds."""
    made = stage.product("Exported", wire="alibaba", kind="free")
    floors.empty_the_list()
    bulk.store(PreImportedDevice, PreImportRow._fields, _rows(made.pk, rows), using="default")
    stage.checkpoint()
    client, took, grown, file = lists.operator(), [], [], folder / "export.xlsx"
    wanted = {"product": [made.pk], "format": "0", **{f"preimporteddeviceresource_{column}": "on" for column in COLUMNS}}
    address = reverse("admin:devices_preimporteddevice_export")
    client.get(address)
    for _round in range(rounds):
        before = worker.peak_mib(afresh=True)
        started = time.perf_counter()
        answer = client.post(address, wanted)
        with file.open("wb") as out:
            out.writelines(_pieces(answer))
        seconds = time.perf_counter() - started
        grown.append(worker.peak_mib() - before)
        sheet = _sheet(file.read_bytes())
        took.append((seconds, median(floors.deflate(sheet) for _ in range(3))))
    file.unlink()
    floors.empty_the_list()
    return [figures.of_times(f"export of the pre-import list, {rows:,} rows, XLSX", SHEET, took, aim="≤ 6", peak_mib=max(grown))]


def _packing(batch: Batch, form: FileFormat, rounds: int, work: str, floor: str, aim: str, base: Callable[[bytes], float]) -> Figure:
    took, peaks = [], []
    for _round in range(rounds):
        BatchFile.objects.filter(batch=batch, format=form).delete()
        ordered = batch_files.order(batch.pk, form, by=SYSTEM, at=datetime.now(UTC))
        measured = worker.measure("devices.pack_batch", ordered.pk)
        file = b"".join(batch_files.download(batch, form, by=SYSTEM, at=datetime.now(UTC)).pieces)
        took.append((measured.seconds, median(base(file) for _ in range(3))))
        peaks.append(measured.peak_mib)
    return figures.of_times(work, floor, took, aim=aim, peak_mib=max(peaks))


def _first_byte(batch: Batch, rounds: int, work: str) -> Figure:
    """From the click of the person who has just proved who they are. Absolute time is what counts; an empty answer stands beside it."""
    client, took = lists.operator(), []
    session = client.session
    confirmation.note(session, datetime.now(UTC))
    session.save()
    address = reverse("admin:devices_batch_codes", args=[batch.pk, FileFormat.XLSX])
    for _round in range(rounds):
        started = time.perf_counter()
        pieces = _pieces(client.post(address))
        next(pieces)
        took.append((time.perf_counter() - started, _empty(client)))
    return figures.of_times(work, "empty view, GET /healthz", took, aim="≤ 2 s")


def _empty(client: Client) -> float:
    started = time.perf_counter()
    client.get("/healthz")
    return time.perf_counter() - started


def _pieces(answer: Any) -> Iterator[bytes]:
    if not answer.streaming:
        raise RuntimeError(f"No file came: {answer.status_code} {answer.content[:300]!r}")
    pieces: Iterable[bytes] = answer.streaming_content
    return iter(pieces)


def _rows(product: int, numbers: int) -> Iterator[PreImportRow]:
    now, sealed = datetime.now(UTC), bytes(65)
    for number in range(numbers):
        yield PreImportRow(
            product, f"listed-{number:07d}", f"Lamp {number}", f"SN{number:07d}", Authentication.DYNAMIC, sealed, "", None, now
        )


def _sheet(file: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        return book.read("xl/worksheets/sheet1.xml")
