"""What stands in the files of a batch (G10): its rows, read a few thousand at a time, their secrets opened, and written as a stream.

A page of rows goes through every step by column: what is done for half a million devices is not done in a loop of Python for each.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from time import monotonic
from typing import Any

from console.errors import Conflict
from console.shared import keyring, paging
from console.shared.files import csv_writer, xlsx_writer
from devices.models import BatchFile, FileFormat, PreImportedDevice
from devices.models.pre_import import device_secret_owners
from devices.rules import activation_codes
from devices.rules.activation_codes import Layout
from devices.services import batch_data
from products.models import FlashingMethod, ProductSecret

PAGE = 5_000
"""Rows that are read, opened and written at a time."""

BEAT_EVERY = 1.0
"""Seconds."""

Cells = Iterator[tuple[str, ...]]


class Rows:
    """The rows of a file's batch in the order in which they were made; `done`: how many were read so far, which is said once a second."""

    def __init__(self, file: BatchFile, attempt: int, clock: Callable[[], datetime]) -> None:
        self.file, self.clock, self.done = file, clock, 0
        self._attempt, self._said = attempt, -BEAT_EVERY

    def pages(self, *facts: str) -> Iterator[list[Any]]:
        """Each row's number and its facts. Raises LostClaim."""
        for page in paging.pages(PreImportedDevice.objects.made_in(self.file.batch_id), facts, PAGE):
            yield page
            self.done += len(page)
            if monotonic() - self._said >= BEAT_EVERY:
                BatchFile.objects.beat(self.file.pk, self._attempt, at=self.clock(), done=self.done)
                self._said = monotonic()

    def columns(self, *facts: str) -> Iterator[list[Any]]:
        """The same by column, without the numbers."""
        return (list(zip(*page, strict=True))[1:] for page in self.pages(*facts))


def pieces(rows: Rows) -> Iterator[bytes]:
    """The file. No cell is altered: what is flashed must be what was stored. No character that a formula needs can stand in one.

    Raises Conflict, and LostClaim or SealBroken in the midst of it.
    """
    columns, cells = _table(rows)
    if rows.file.format == FileFormat.CSV:
        return csv_writer.stream(columns, cells, unaltered=columns, for_people=False)
    return xlsx_writer.stream(xlsx_writer.Sheet(rows.file.batch.number, columns, cells, widths=[36] * len(columns)))


def _table(rows: Rows) -> tuple[Sequence[str], Cells]:
    file = rows.file
    if file.format == FileFormat.DATA:
        data = batch_data.Table(file.batch.product)
        return data.columns, chain.from_iterable(_data(file, data, page) for page in rows.pages(*batch_data.FACTS))
    layout = _layout(file, at=rows.clock())
    if not layout.device_secrets:
        return layout.columns, chain.from_iterable(layout.rows(names, ()) for [names] in rows.columns("device_name"))
    columns = rows.columns("device_name", "sealed_secret")
    return layout.columns, chain.from_iterable(layout.rows(names, _secrets(file, names, sealed)) for names, sealed in columns)


def _layout(file: BatchFile, *, at: datetime) -> Layout:
    product = file.batch.product
    if file.format == FileFormat.ALIGENIE:
        return activation_codes.aligenie(product.key, stride=file.batch.mac_stride)
    if file.batch.flashing_method == FlashingMethod.PER_PRODUCT:
        secret = ProductSecret.objects.live(at).filter(product=product).first()
        if secret is None:
            raise Conflict("The product has no live ProductSecret.")
        return activation_codes.per_product(product.key, keyring.unseal(secret.sealed, owner=secret.owner()))
    return activation_codes.per_device(product.key)


def _data(file: BatchFile, data: batch_data.Table, page: list[Any]) -> Cells:
    return data.cells(page, _secrets(file, [row[1] for row in page], [row[2] for row in page]))


def _secrets(file: BatchFile, names: Sequence[str], sealed: Sequence[bytes]) -> list[str]:
    """Raises SealBroken."""
    return keyring.unseal_many(list(zip(sealed, device_secret_owners(file.batch.product_id, names), strict=True)))
