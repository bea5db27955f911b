"""The check of an uploaded workbook: every row and every cell, then all names against the list. Reads and reports; changes nothing else."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

import orjson

from console.errors import Conflict, DomainError, Invalid
from console.shared import bulk
from console.shared.files import tables, vault
from console.shared.jobs import JobState, LostClaim
from devices.models import Duplicates, PreImportedDevice, SerialNumber, Upload, UploadPurpose, UploadStage
from devices.rules import sheets
from devices.rules.columns import DEVICE_NAME, SN, Layout
from devices.rules.findings import Report
from devices.rules.sheet_blocks import Block, BlockCheck, Columns
from devices.rules.sheets import BadCell, GoodRow, Terms
from devices.services import numbering, uploads
from products.rules.wire_formats import wire_format

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Numbered = tuple[int, Columns]
"""Rows of the sheet, the first of them by its number, which counts from 1."""

ATTEMPTS = 5
"""A file that so many workers have died of is not read again."""


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
            raise Invalid(upload.failure or "The worker died several times while it read this file.")
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
    header, layout, blocks = _after_header(_numbered(table.blocks), terms_of(upload))
    checking, report, in_the_list = BlockCheck(layout, terms_of(upload)), Report(), _InTheList(upload, layout)
    with work.writer("rows") as good, work.writer("findings") as bad:
        for first, cells in blocks:
            block = checking.block(first, cells)
            in_the_list.judge(block)
            bad.write(b"".join([orjson.dumps(tuple(found), option=orjson.OPT_APPEND_NEWLINE) for found in report.add(block)]))
            good.write(uploads.rows_line(block.good()))
            work.beat(done=first + len(cells[0]) - 1)
    if not report.rows:
        raise NoRows
    facts = report.facts() | _layout_facts(layout, header, checking.width) | {"attempts_before": work.attempt}
    facts |= {"rows": work.name("rows"), "rows_sha256": good.stored.sha256, "findings": work.name("findings")}
    counts = {"good_rows": report.good, "bad_rows": report.bad, "skipped_rows": report.left_out}
    work.finish(JobState.DONE, report=facts, total=report.rows, done=report.rows, **counts)


def _layout_facts(layout: Layout, header: int, width: int) -> dict[str, Any]:
    """`places`: title -> index from 0; `header`: the row with the titles, 0 where there are none; `reason`: where the reasons stand."""
    return {
        "columns": [[column, layout.title(column)] for column in sorted(layout.at, key=layout.at.__getitem__)],
        "places": {layout.title(column): index for column, index in layout.at.items()},
        "ignored": list(layout.ignored),
        "headless": layout.headless,
        "header": 0 if layout.headless else header,
        "width": width,
        "reason": max(width, 1 + max(layout.titles, default=0)) if layout.reason is None else layout.reason,
        "holds_secrets": layout.holds_secrets or width > len(layout.titles or layout.at),
    }


def _numbered(blocks: Iterator[Columns]) -> Iterator[Numbered]:
    number = 1
    for cells in blocks:
        yield number, cells
        number += len(cells[0])


def _after_header(numbered: Iterator[Numbered], terms: Terms) -> tuple[int, Layout, Iterator[Numbered]]:
    """The first row in use, the columns, and the rows that follow; the first row too where it is no header. Raises BadHeader."""
    for first, block in numbered:
        for index, cells in enumerate(zip(*block, strict=True)):
            if not sheets.is_blank(cells):
                layout = sheets.read_layout(cells, terms)
                begin = index if layout.headless else index + 1
                rest = [(first + begin, [column[begin:] for column in block])] if begin < len(block[0]) else []
                return first + index, layout, chain(rest, numbered)
    raise NoRows("The file holds no rows.")


class _InTheList:
    """DeviceNames that the product has already, SNs that any product has, and generated SNs that are not for this product."""

    def __init__(self, upload: Upload, layout: Layout) -> None:
        everything = PreImportedDevice.objects.order_by()
        self._rows = {"device_name": everything.of(uploads.product_of(upload)), "sn": everything}
        self._asked = {field for field, rows in self._rows.items() if rows.exclude(**{field: None}).exists()}
        self._generated = SerialNumber.objects.exists()
        self._upload, self._layout, self._skip = upload, layout, upload.duplicates == Duplicates.SKIP

    def judge(self, block: Block) -> None:
        """Adds what the list says of each row. One that is left out has no other fault."""
        sns = [sn for sn in block.sns if sn]
        names = self._numbers("device_name", [name for name in block.names if name])
        holders = self._numbers("sn", sns)
        unfit = numbering.not_for(uploads.product_of(self._upload).pk, sns) if self._generated and sns else {}
        if not names and not holders and not unfit:
            return
        for index, (name, sn) in enumerate(zip(block.names, block.sns, strict=True)):
            if name in names or sn in holders or sn in unfit:
                block.bad[index] = self._faults(block.row(index), block.bad.get(index, []), names, holders, unfit)
        block.bad = dict(sorted(block.bad.items()))

    def _faults(
        self, row: GoodRow, found: list[BadCell], names: dict[str, int], holders: dict[str, int], unfit: dict[str, DomainError]
    ) -> list[BadCell]:
        known = names.get(row.device_name)
        if known is not None and self._skip:
            return [sheets.left_out(row.number, self._layout, row.device_name, known)]
        faults = list(found)
        if known is not None:
            faults.append(sheets.taken(row.number, self._layout, DEVICE_NAME, row.device_name, known))
        if row.sn in holders:
            faults.append(sheets.taken(row.number, self._layout, SN, row.sn, holders[row.sn]))
        elif row.sn in unfit:
            error = unfit[row.sn]
            name_it = sheets.mistyped if isinstance(error, numbering.Mistyped) else sheets.not_meant
            faults.append(name_it(row.number, self._layout, row.sn, error.message))
        return faults

    def _numbers(self, field: str, values: list[str]) -> dict[str, int]:
        """Value -> the number of its row in the list."""
        if field not in self._asked or not values:
            return {}
        rows = self._rows[field]
        return dict(rows.filter(**{f"{field}__in": bulk.among(values, using=rows.db)}).values_list(field, "pk"))
