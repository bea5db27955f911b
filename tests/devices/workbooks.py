"""Workbooks as operators bring them, and their way through the check and the import."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from console.shared.files import csv_writer, xlsx_writer
from devices.models import Upload
from devices.services import upload_check, upload_commit, uploads
from devices.services.uploads import NewUpload
from products.models import Product
from tests.cast import NOON, OPERATOR

LATER = NOON + timedelta(minutes=1)


def clock() -> object:
    return LATER


def xlsx(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    return b"".join(xlsx_writer.stream(xlsx_writer.Sheet("Devices", header, rows)))


def csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    return b"".join(csv_writer.stream(header, rows, unaltered=header))


def macs(count: int, *, first: int = 0x64C2DE000000) -> list[list[str]]:
    return [[f"{first + number:012X}"] for number in range(count)]


def receive(product: Product, data: bytes, name: str = "list.xlsx", **facts: str) -> Upload:
    new = NewUpload(name, len(data), [data[at : at + 100_000] for at in range(0, len(data), 100_000)], **facts)
    return uploads.receive(product, new, by=OPERATOR, at=NOON)


def check(upload: Upload) -> Upload:
    upload_check.check(upload.pk, clock=clock)
    return Upload.objects.get(pk=upload.pk)


def checked(product: Product, header: Sequence[str], rows: Iterable[Sequence[str]], **facts: str) -> Upload:
    return check(receive(product, xlsx(header, rows), **facts))


def commit(upload: Upload, *, leave_out: int = 0) -> Upload:
    upload_commit.request(upload.pk, sha256=upload.checked_sha256, leave_out=leave_out, by=OPERATOR, at=NOON)
    upload_commit.commit(upload.pk, clock=clock)
    return Upload.objects.get(pk=upload.pk)


def folder_of(upload: Upload) -> Path:
    return Path(settings.MEDIA_ROOT) / f"uploads/{upload.token}"
