"""What the pre-import list looks like in a file: the columns, without a secret among them, and the formats that stream them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from import_export import fields, resources
from import_export.formats import base_formats

from console.shared.files import csv_writer, xlsx_writer
from devices.models import PreImportedDevice
from devices.rules import columns
from devices.services import exports


class PreImportedDeviceResource(resources.ModelResource):
    """Columns by the titles that the import reads, so that an exported file can be imported again."""

    product_key = fields.Field("product__key", columns.PRODUCT_KEY)
    device_name = fields.Field("device_name", columns.DEVICE_NAME)
    nickname = fields.Field("nickname", columns.NICKNAME)
    sn = fields.Field("sn", columns.SN)
    authentication = fields.Field("authentication", columns.AUTHENTICATION)
    certificate_fingerprint = fields.Field("certificate_fingerprint", columns.FINGERPRINT)

    class Meta:
        model = PreImportedDevice
        name = "Pre-import list"
        fields = ("product_key", "device_name", "nickname", "sn", "authentication", "certificate_fingerprint")
        export_order = fields


class Xlsx(base_formats.XLSX):
    """Excel, written cell by cell as text."""

    rows_at_most = xlsx_writer.ROWS_AT_MOST - 1

    def get_title(self) -> str:
        return "Excel (.xlsx)"

    def stream(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
        return xlsx_writer.stream(xlsx_writer.Sheet("Devices", header, rows))


class Csv(base_formats.CSV):
    """CSV for people: with a byte order mark, and nothing in it that a spreadsheet would run."""

    rows_at_most = None

    def get_title(self) -> str:
        return "CSV (.csv)"

    def get_content_type(self) -> str:
        return "text/csv; charset=utf-8"

    def stream(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
        return csv_writer.stream(header, rows)


FORMATS = (Xlsx, Csv)


def texts(pages: Iterable[exports.Page]) -> Iterator[Sequence[str]]:
    """Rows of database values as they stand in cells."""
    return chain.from_iterable(zip(*map(_texts, page), strict=True) for page in pages)


def _texts(column: Sequence[Any]) -> Sequence[str]:
    return column if set(map(type, column)) == {str} else [_text(value) for value in column]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
