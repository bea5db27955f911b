"""Receipts: the job that makes the tree over a batch's devices and signs, against SHA-256 over the same bytes."""

import hashlib
import time
from datetime import UTC, datetime
from statistics import median

from bench import figures, floors, stage, storing, worker
from bench.figures import Figure
from console.shared.actors import SYSTEM
from devices.models import Batch, BatchFile, BatchTree, FileFormat, Receipt, ReceiptChain, ReceiptFile
from devices.rules.merkle import Tree
from devices.rules.receipt_form import decode
from devices.services import batch_files
from devices.services.receipt_trees import PAGE

FLOOR = "SHA-256 of the CSV file"
TREE = "the tree over its finished lines"


def issued(devices: int, rounds: int) -> list[Figure]:
    """Reading the rows, opening their secrets, a million hashes for half a million devices, one signature, one transaction."""
    made = stage.product("Signed for", wire="alibaba", kind="free")
    floors.empty_the_list()
    batch, _seconds = storing.request(made, devices)
    worker.measure("devices.fill_batch", batch.pk)
    storing.expect(batch, devices)
    file = _csv(batch)
    took, beside, peaks = [], [], []
    for _round in range(rounds):
        _forget()
        stage.checkpoint()
        work = worker.measure("devices.issue_receipt", batch.pk)
        _expect(batch, devices)
        took.append((work.seconds, median(_hash(file) for _ in range(3))))
        beside.append((work.seconds, median(_grow(file) for _ in range(3))))
        peaks.append(work.peak_mib)
    floors.empty_the_list()
    work_done, peak = f"signed receipt of a batch, {devices:,} devices", max(peaks)
    return [
        figures.of_times(work_done, FLOOR, took, peak_mib=peak),
        figures.of_times(work_done, TREE, beside, peak_mib=peak),
    ]


def _csv(batch: Batch) -> bytes:
    ordered = batch_files.order(batch.pk, FileFormat.CSV, by=SYSTEM, at=datetime.now(UTC))
    worker.measure("devices.pack_batch", ordered.pk)
    file = b"".join(batch_files.download(batch, FileFormat.CSV, by=SYSTEM, at=datetime.now(UTC)).pieces)
    BatchFile.objects.filter(batch=batch).delete()
    return file


def _forget() -> None:
    """Every receipt, so that the same batch's first one is due again. No service does such a thing."""
    for model in (ReceiptFile, Receipt, ReceiptChain, BatchTree):
        model.objects.all().delete()


def _expect(batch: Batch, devices: int) -> None:
    facts = decode(Receipt.objects.get(batch=batch).file).facts["devices"]
    if facts["count"] != devices:
        raise RuntimeError(f"The receipt counts {facts['count']} of {devices} devices.")


def _hash(file: bytes) -> float:
    started = time.perf_counter()
    hashlib.sha256(file).hexdigest()
    return time.perf_counter() - started


def _grow(file: bytes) -> float:
    lines = file.split(b"\r\n")[1:-1]
    started, tree = time.perf_counter(), Tree()
    for at in range(0, len(lines), PAGE):
        tree.add(lines[at : at + PAGE])
    tree.root()
    return time.perf_counter() - started
