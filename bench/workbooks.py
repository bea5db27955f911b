"""A workbook of MAC addresses into the pre-import list: read, every cell checked, compared with the list, then sealed and stored."""

import io
import random
import time
from datetime import UTC, datetime

from python_calamine import CalamineWorkbook

from bench import figures, floors, stage, worker
from bench.figures import Figure
from console.shared.actors import SYSTEM
from console.shared.files import xlsx_writer
from devices.models import Upload
from devices.services import upload_commit, uploads
from products.models import Product

FIRST = 0x02_00_00_00_00_00
"""Locally administered."""


def imported(devices: int, rounds: int) -> list[Figure]:
    """The check alone against reading the file, and check and import together against COPY."""
    made = stage.product("Labels", wire="alibaba", kind="mac")
    book = _workbook(devices)
    floors.empty_the_list()
    checks, wholes, peaks = [], [], []
    for _round in range(rounds):
        upload = _receive(made, book)
        check = worker.measure("devices.check_upload", upload.pk)
        _expect(upload, "check", devices)
        upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=SYSTEM, at=datetime.now(UTC))
        stage.checkpoint()
        commit = worker.measure("devices.commit_upload", upload.pk)
        _expect(upload, "commit", devices)
        rows = floors.finished_rows()
        floors.empty_the_list()
        checks.append((check.seconds, _read(book)))
        wholes.append((check.seconds + commit.seconds, floors.copy_in(rows)))
        peaks.append((check.peak_mib, max(check.peak_mib, commit.peak_mib)))
        floors.empty_the_list()
    check_peak, peak = (max(column) for column in zip(*peaks, strict=True))
    work = f"workbook of {devices:,} MAC addresses"
    return [
        figures.of_times(f"{work}: check", "reading it (calamine)", checks, aim="≤ 4, ≤ 512 MiB", peak_mib=check_peak),
        figures.of_times(f"{work}: check and import", "COPY of the finished rows", wholes, aim="≤ 3, ≤ 512 MiB", peak_mib=peak),
    ]


def _workbook(devices: int) -> bytes:
    """In no order, as labels come off a line."""
    addresses = [f"{FIRST + number:012X}" for number in range(devices)]
    random.Random(20261121).shuffle(addresses)
    return b"".join(xlsx_writer.stream(xlsx_writer.Sheet("Labels", ["DeviceName"], ([address] for address in addresses))))


def _receive(made: Product, book: bytes) -> Upload:
    new = uploads.NewUpload("labels.xlsx", len(book), [book])
    return uploads.receive(made, new, by=SYSTEM, at=datetime.now(UTC))


def _expect(upload: Upload, step: str, devices: int) -> None:
    upload.refresh_from_db()
    if (upload.stage, upload.state, upload.good_rows, upload.bad_rows) != (step, "done", devices, 0):
        raise RuntimeError(f"The {step} of the workbook ended so: {upload.state} {upload.failure} {upload.report}")


def _read(book: bytes) -> float:
    """Seconds until the fastest reader has gone through all rows."""
    started = time.perf_counter()
    for _row in CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).iter_rows():
        pass
    return time.perf_counter() - started
