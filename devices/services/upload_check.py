"""The check of an uploaded workbook: every row and every cell, then all names against the list. Reads and reports; changes nothing else."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import orjson

from console.errors import Conflict, DomainError, Invalid
from console.shared import bulk
from console.shared.files import tables, vault
from console.shared.jobs import JobState, LostClaim
from devices.models import PreImportedDevice, Upload, UploadPurpose, UploadStage
from devices.rules import sheets
from devices.rules.columns import DEVICE_NAME, SN, Layout
from devices.rules.sheets import BadCell, GoodRow, RowCheck, Terms
from devices.services import uploads
from products.rules.wire_formats import wire_format

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

ATTEMPTS = 5
"""A file that so many workers have died of is not read again."""
LOOK_EVERY = 2000
"""Rows between two heartbeats."""
TOGETHER = 10_000
"""Names that are looked up in the list at once."""
PREVIEW, FIRST_ROWS, GROUPS = 10, 4, 100


class Cancelled(Conflict):
    """The operator does not want it any more."""

    code = "cancelled"
    default_message = "Cancelled."


class NoRows(Invalid):
    code = "no_rows"
    default_message = "The file has titles but no rows."


def check(upload_id: int, *, clock: Clock) -> None:
    """Checks a workbook that waits for it or was left by a dead worker, unless another worker does."""
    mine = Upload.objects.filter(stage=UploadStage.CHECK)
    attempt = mine.claim(upload_id, at=clock())
    if attempt is None:
        return
    upload = Upload.objects.select_related("product").get(pk=upload_id)
    work = Work(upload, attempt, clock)
    try:
        if attempt > ATTEMPTS + upload.report.get("attempts_before", 0):
            raise Invalid("The worker died several times while it read this file.")
        _check(work)
    except LostClaim:
        log.info("Upload %s went to another worker.", upload_id)
    except DomainError as error:
        work.fail(error)


class Work:
    """One attempt at an upload: its heartbeat, its end, and the files that it writes."""

    def __init__(self, upload: Upload, attempt: int, clock: Clock) -> None:
        self.upload, self.attempt, self.clock = upload, attempt, clock
        self.key = uploads.file_key(upload)
        self._last_beat = clock()

    def name(self, kind: str) -> str:
        """Of a file of this attempt alone."""
        return f"{kind}-{self.attempt}"

    def writer(self, kind: str) -> vault.Writer:
        return vault.Writer(f"{self.upload.path}/{self.name(kind)}", self.key)

    def file(self) -> Iterator[bytes]:
        return vault.read(f"{self.upload.path}/file", self.key)

    def beat(self, **moved: Any) -> None:
        """Raises LostClaim or Cancelled."""
        self._last_beat = self.clock()
        Upload.objects.beat(self.upload.pk, self.attempt, at=self._last_beat, **moved)
        if Upload.objects.filter(pk=self.upload.pk, cancel_requested=True).exists():
            raise Cancelled

    def pulse(self) -> None:
        """At most one heartbeat a second."""
        if (self.clock() - self._last_beat).total_seconds() >= 1:
            self.beat()

    def finish(self, state: JobState, **facts: Any) -> None:
        """Raises LostClaim."""
        Upload.objects.finish(self.upload.pk, self.attempt, state, at=self.clock(), **facts)

    def fail(self, error: DomainError) -> None:
        state = JobState.CANCELLED if isinstance(error, Cancelled) else JobState.FAILED
        facts: dict[str, Any] = {"failure": error.message}
        if state == JobState.CANCELLED:
            facts["path"] = ""
        try:
            self.finish(state, **facts)
        except LostClaim:
            log.info("Upload %s went to another worker.", self.upload.pk)
        else:
            if state == JobState.CANCELLED:
                vault.delete_folder(self.upload.path)


def terms_of(upload: Upload) -> Terms:
    product = uploads.product_of(upload)
    return Terms(
        product_key=product.key,
        kind=product.device_name_kind,
        wire=wire_format(product.wire_protocol),
        allows_static=product.allows_static,
        authentication=upload.authentication,
        names_only=upload.purpose == UploadPurpose.BATCH,
    )


def _check(work: Work) -> None:
    """Raises FileRefused, BadHeader, NoRows, UploadGone, Cancelled or LostClaim."""
    upload = work.upload
    if not upload.path:
        raise uploads.UploadGone
    work.beat(done=0, total=0)
    table = tables.read(upload.file_name, upload.size, work.file, pulse=work.pulse)
    work.beat(total=max(0, table.expected - 1))
    numbered = enumerate(table.rows, 1)
    layout, rows = _after_header(numbered, terms_of(upload))
    report = Report()
    checking = RowCheck(layout, terms_of(upload))
    with work.writer("rows") as good, work.writer("findings") as bad:
        for number, cells in rows:
            if not sheets.is_blank(cells):
                row, found = checking.row(number, cells)
                report.add(number, row, found)
                if row is not None:
                    good.write(_lines([row]))
                if found:
                    bad.write(_lines(found))
            if number % LOOK_EVERY == 0:
                work.beat(done=number)
        for found in _taken(upload, checking, layout):
            report.add_taken(found)
            bad.write(_lines(found))
            work.pulse()
    if not report.rows:
        raise NoRows
    facts = report.facts(layout) | {"rows": work.name("rows"), "findings": work.name("findings")}
    counts = {"total": report.rows, "done": report.rows, "good_rows": report.rows - len(report.bad), "bad_rows": len(report.bad)}
    work.finish(JobState.DONE, report=facts | {"attempts_before": work.attempt}, **counts)


def _after_header(numbered: Iterator[tuple[int, list[str]]], terms: Terms) -> tuple[Layout, Iterator[tuple[int, list[str]]]]:
    """The columns, and the rows that follow; the first row too where it is no header. Raises BadHeader."""
    for number, cells in numbered:
        if not sheets.is_blank(cells):
            layout = sheets.read_layout(cells, terms)
            return layout, _with_first((number, cells), numbered) if layout.headless else numbered
    raise NoRows("The file holds no rows.")


def _with_first(first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _taken(upload: Upload, checking: RowCheck, layout: Layout) -> Iterator[list[BadCell]]:
    """Names that the product has already, and SNs that any product has; in the order of the sheet."""
    everything = PreImportedDevice.objects.order_by()
    searches = (
        (DEVICE_NAME, "device_name", everything.of(uploads.product_of(upload))),
        (SN, "sn", everything),
    )
    for column, field, rows in searches:
        if not rows.exclude(**{field: None}).exists():
            continue
        numbers = iter(checking.numbers[column].items())
        while some := dict(islice(numbers, TOGETHER)):
            found = dict(rows.filter(**{f"{field}__in": bulk.among(list(some), using=rows.db)}).values_list(field, "pk"))
            yield [sheets.taken(number, layout, column, value, found[value]) for value, number in some.items() if value in found]


def _lines(values: Iterable[GoodRow | BadCell]) -> bytes:
    return b"".join([orjson.dumps(tuple(value), option=orjson.OPT_APPEND_NEWLINE) for value in values])


class Report:
    """What the upload's page shows at once: counts, groups of faults with their first rows, a preview without secrets."""

    def __init__(self) -> None:
        self.rows = 0
        self.bad: set[int] = set()
        self._cells = 0
        self._groups: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], list[int]] = {}
        self._kinds: Counter[str] = Counter()
        self._preview: list[list[str | int]] = []
        self._given = 0

    def add(self, number: int, row: GoodRow | None, found: list[BadCell]) -> None:
        self.rows += 1
        if row is not None:
            self._kinds[row.authentication] += 1
            self._given += bool(row.device_secret)
            if len(self._preview) < PREVIEW:
                self._preview.append(
                    [number, row.device_name, row.nickname, row.sn, row.authentication, int(bool(row.device_secret)), row.fingerprint]
                )
        if found:
            self._count(found)

    def add_taken(self, found: list[BadCell]) -> None:
        self._count(found)

    def _count(self, found: list[BadCell]) -> None:
        self._cells += len(found)
        for cell in found:
            self.bad.add(cell.number)
            group = (cell.column, cell.rule)
            if group in self._groups or len(self._groups) < GROUPS:
                self._groups[group] += 1
                first = self._first.setdefault(group, [])
                if len(first) < FIRST_ROWS:
                    first.append(cell.number)

    def facts(self, layout: Layout) -> dict[str, Any]:
        groups = [
            {"column": column, "rule": rule, "count": count, "rows": self._first[column, rule]}
            for (column, rule), count in self._groups.most_common()
        ]
        return {
            "cells": self._cells,
            "groups": groups,
            "preview": self._preview,
            "kinds": dict(self._kinds),
            "secrets_given": self._given,
            "columns": [[column, layout.title(column)] for column in sorted(layout.at, key=layout.at.__getitem__)],
            "ignored": list(layout.ignored),
            "headless": layout.headless,
        }
