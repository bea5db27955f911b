"""The files of a run: a list, QR codes, sheets of labels. Numbers never change, so a file is made when it is wanted and kept nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from console import audit
from console.errors import Conflict, Invalid
from console.shared.actors import Actor
from console.shared.files import csv_writer, zip_writer
from console.words import say
from devices.models import SerialNumber, SerialNumberRun
from devices.rules import labels
from devices.services import label_sheets

PAGE = 500
"""Numbers that are read together."""

COLUMNS = ("ProductKey", "SN", "DeviceName", "State")


class FileKind(StrEnum):
    """What a run can be had as; the value goes into URLs."""

    CSV = "csv"
    PNG = "png"
    SVG = "svg"
    LABELS = "labels"


class NoNumbers(Conflict):
    """The run has not made any yet, or none between these places."""

    code = "no_serial_numbers"
    default_message = "There are serial numbers to download when the run has ended and has made some."


@dataclass(frozen=True, slots=True)
class Part:
    """Which labels: from the `first` number of the run to the `last` one, counted from 1 in the order in which they were made; `sheet` is
    a key of labels.SHEETS."""

    first: int
    last: int
    sheet: str


@dataclass(frozen=True, slots=True)
class Download:
    """`pieces` is the file, made as it is sent."""

    name: str
    content_type: str
    pieces: Iterator[bytes]


@transaction.atomic
def download(run: SerialNumberRun, kind: FileKind, *, part: Part | None = None, by: Actor, at: datetime) -> Download:
    """One download, audited. `part` is of sheets of labels alone. Raises NoNumbers or Invalid."""
    if not run.is_over or not run.done:
        raise NoNumbers
    part = part or Part(1, run.done, "")
    if kind is FileKind.LABELS:
        _check(part, run)
    count = part.last - part.first + 1
    facts = {"format": kind.value, "sheet": part.sheet, "first": part.first, "last": part.last}
    audit.record("serial_numbers.download", run, by=by, at=at, after=facts, count=count)
    name = f"{run.product.key}-{run.number}"
    if kind is FileKind.CSV:
        return Download(f"{name}.csv", "text/csv; charset=utf-8", csv_writer.stream(COLUMNS, _rows(run), unaltered=COLUMNS))
    if kind is FileKind.LABELS:
        return Download(f"{name}-{part.sheet}.pdf", "application/pdf", _pdf(run, part, _printed(run, part)))
    return Download(f"{name}-qr-{kind.value}.zip", "application/zip", zip_writer.stream(_codes(run, kind), deflated=kind is FileKind.SVG))


def _check(part: Part, run: SerialNumberRun) -> None:
    """Raises Invalid."""
    if part.sheet not in labels.SHEETS:
        raise Invalid(say("Choose a sheet of labels."), field="sheet")
    if not 1 <= part.first <= part.last <= run.done:
        raise Invalid(say("Choose labels from 1 to {last:,}, the first one before the last.", last=run.done), field="first")


def _rows(run: SerialNumberRun) -> Iterator[tuple[str, str, str, str]]:
    for number in _numbers(run):
        yield run.product.key, number.sn, number.device_name, number.state


def _codes(run: SerialNumberRun, kind: FileKind) -> Iterator[tuple[str, bytes]]:
    """<SN>.png or <SN>.svg. A void number has none: its label must not come back."""
    draw = labels.png if kind is FileKind.PNG else labels.svg
    for number in _numbers(run):
        if not number.voided_at:
            yield f"{number.sn}.{kind.value}", draw(labels.matrix(labels.qr_text(run.product.key, number.sn)))


def _printed(run: SerialNumberRun, part: Part) -> list[str]:
    """Raises NoNumbers."""
    chosen = SerialNumber.objects.of_run(run.pk)[part.first - 1 : part.last]
    if sns := [number.sn for number in chosen if not number.voided_at]:
        return sns
    raise NoNumbers(say("All of these serial numbers are void."))


def _pdf(run: SerialNumberRun, part: Part, sns: list[str]) -> Iterator[bytes]:
    title = f"{run.product.name} · {run.number} · {part.first:,}–{part.last:,}"
    yield label_sheets.pdf(labels.SHEETS[part.sheet], run.product.name, run.product.key, sns, title=title)


def _numbers(run: SerialNumberRun) -> Iterator[SerialNumber]:
    """All of the run, PAGE at a time."""
    last = 0
    while page := list(SerialNumber.objects.of_run(run.pk, after=last)[:PAGE]):
        yield from page
        last = page[-1].pk
