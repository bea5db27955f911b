"""Uploaded workbooks: read, every cell checked, compared with the list; then marked, imported, or made into a batch."""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from python_calamine import CalamineWorkbook

from bench import figures, floors, stage, storing, workbook_files, worker
from bench.figures import Figure
from bench.worker import Measured
from console.shared.actors import SYSTEM
from devices.models import Upload
from devices.services import batches, marked_workbooks, upload_commit, uploads
from products.models import Product

COLUMNS = f"five columns, shared strings ({', '.join(workbook_files.TITLES)})"
COPY = "COPY of the finished rows"
BAD_IN = 100
"""One row in so many has a bad cell: 5,000 of half a million."""


@dataclass(frozen=True, slots=True)
class Book:
    """An .xlsx file with so many rows and bad cells; `reading` is the seconds of the fastest reader for it, measured anew each time."""

    data: bytes
    rows: int
    bad: int

    def reading(self) -> float:
        """Until the fastest reader has gone through all rows."""
        started = time.perf_counter()
        for _row in CalamineWorkbook.from_filelike(io.BytesIO(self.data)).get_sheet_by_index(0).iter_rows():
            pass
        return time.perf_counter() - started


def imported(sizes: Sequence[int], rounds: int) -> list[Figure]:
    """Of five columns, at the greatest size: the check of a clean workbook, the check with bad cells and the marked workbook back, check
    and import; and check and import at each size, from small to great, against the one before it."""
    made, devices = stage.product("Labels", wire="alibaba", kind="mac"), sizes[-1]
    smaller = {size: _book(size, bad=0) for size in sizes[:-1]}
    took: dict[int, list[float]] = {size: [] for size in sizes}
    clean, spoiled = _book(devices, bad=0), _book(devices, bad=devices // BAD_IN)
    checks, wholes, marks = [], [], []
    for _round in range(rounds):
        for size, book in smaller.items():
            storing.start_afresh(made)
            took[size].append(sum(step.seconds for step in _imported(made, book)))
        storing.start_afresh(made)
        upload, check = _checked(made, spoiled)
        marks.append((spoiled.reading(), check, _marked(upload)))
        check, commit = _imported(made, clean)
        took[devices].append(check.seconds + commit.seconds)
        checks.append((clean.reading(), check))
        rows = floors.finished_rows()
        floors.empty_the_list()
        wholes.append((floors.copy_in(rows), check, commit))
    work = f"workbook of {devices:,} devices, {COLUMNS}"
    reading, aim = "reading it (calamine)", "≤ 4, ≤ 512 MiB"
    return [
        _figure(f"{work}: check", reading, checks, aim),
        _figure(f"{work}: check with {spoiled.bad:,} bad cells, and the marked workbook back", reading, marks, aim),
        _figure(f"{work}: check and import", COPY, wholes, "≤ 3, ≤ 512 MiB"),
        *figures.of_growth("workbook of {:,} devices: check and import", took),
    ]


def produced(devices: int, rounds: int) -> list[Figure]:
    """A batch whose names come from a workbook: its check, its request, its devices."""
    made = stage.product("Named", wire="alibaba", kind="mac")
    book = Book(workbook_files.saved(workbook_files.TITLES[:1], workbook_files.names(devices)), devices, 0)
    took = []
    for _round in range(rounds):
        storing.start_afresh(made)
        upload, check = _checked(made, book, purpose="batch")
        started = time.perf_counter()
        batch = batches.request(made.pk, batches.NewBatch(source="upload", upload_id=upload.pk), by=SYSTEM, at=datetime.now(UTC))
        requesting = time.perf_counter() - started
        stage.checkpoint()
        work = worker.measure("devices.fill_batch", batch.pk)
        storing.expect(batch, devices)
        rows = floors.finished_rows()
        floors.empty_the_list()
        took.append((floors.copy_in(rows), check, Measured(requesting, 0, 0), work))
    return [_figure(f"batch of {devices:,} names from a workbook of one column: check and batch", COPY, took, "≤ 3, ≤ 512 MiB")]


def _figure(work: str, floor: str, rounds: list[tuple[float, *tuple[Measured, ...]]], aim: str) -> Figure:
    """Of each round: the floor's seconds, and the steps of the work."""
    took = [(sum(step.seconds for step in steps), base) for base, *steps in rounds]
    peak = max(step.peak_mib for _base, *steps in rounds for step in steps)
    return figures.of_times(work, floor, took, aim=aim, peak_mib=peak)


def _book(devices: int, *, bad: int) -> Book:
    rows = workbook_files.with_bad_cells(workbook_files.devices(devices), bad)
    return Book(workbook_files.saved(workbook_files.TITLES, rows), devices, bad)


def _checked(made: Product, book: Book, **facts: str) -> tuple[Upload, Measured]:
    new = uploads.NewUpload("labels.xlsx", len(book.data), [book.data], **facts)
    upload = uploads.receive(made, new, by=SYSTEM, at=datetime.now(UTC))
    check = worker.measure("devices.check_upload", upload.pk)
    _expect(upload, "check", book.rows - book.bad, book.bad)
    return upload, check


def _marked(upload: Upload) -> Measured:
    marked = marked_workbooks.order(upload.pk, language="en", by=SYSTEM, at=datetime.now(UTC))
    measured = worker.measure("devices.mark_workbook", marked.pk)
    marked.refresh_from_db()
    if marked.state != "done":
        raise RuntimeError(f"The workbook was not marked: {marked.state} {marked.failure}")
    return measured


def _imported(made: Product, book: Book) -> tuple[Measured, Measured]:
    """Of its check and its import."""
    upload, check = _checked(made, book)
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, by=SYSTEM, at=datetime.now(UTC))
    stage.checkpoint()
    commit = worker.measure("devices.commit_upload", upload.pk)
    _expect(upload, "commit", book.rows, 0)
    return check, commit


def _expect(upload: Upload, step: str, good: int, bad: int) -> None:
    upload.refresh_from_db()
    if (upload.stage, upload.state, upload.good_rows, upload.bad_rows) != (step, "done", good, bad):
        raise RuntimeError(f"The {step} of the workbook ended so: {upload.state} {upload.failure} {upload.report}")
