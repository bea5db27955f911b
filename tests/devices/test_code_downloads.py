"""How activation codes and MAC pools are handled on their pages: who downloaded what, and what is refused at its field."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry
from devices.admin import batch_downloads
from devices.models import Batch, BatchFile
from devices.services import batch_files, batches, production
from devices.services.batches import NewBatch
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that the page sent."""
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(batch_downloads, "nudge", lambda task, pk: sent.append((task, pk)))
    return sent


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(cast.administrator())
    return client


def waiting() -> Batch:
    return batches.request(cast.tracker().pk, NewBatch(source="automatic", quantity=20), by=OPERATOR, at=NOON)


def made() -> Batch:
    """A batch of 20 trackers that was filled."""
    batch = waiting()
    production.fill(batch.pk, clock=lambda: NOON + timedelta(seconds=2), sleep=lambda seconds: None)
    batch.refresh_from_db()
    return batch


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The files that were made."""
    packed: list[int] = []
    pack = batch_files.pack

    def count(file_id: int, **how: object) -> None:
        packed.append(file_id)
        pack(file_id, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_files, "pack", count)
    return packed


def test_a_download_is_a_file_that_nobody_keeps_on_its_way(boss: Client, counted: list[int]) -> None:
    batch = made()
    answer = boss.post(f"/devices/batch/{batch.pk}/codes/csv/", REMOTE_ADDR="192.0.2.9")
    content = b"".join(answer.streaming_content)
    assert content.count(b"\r\n") == 21
    assert answer.headers["Content-Disposition"] == f'attachment; filename="L4WG9V9M2M-{batch.number}.csv"'
    assert answer.headers["Content-Length"] == str(len(content))
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    line = AuditEntry.objects.get(action="batch.download")
    assert (line.actor_name, line.address, line.count, line.after["format"]) == ("admin", "192.0.2.9", 20, "csv")


def test_the_second_download_has_the_same_bytes_and_a_line_of_its_own(boss: Client, counted: list[int]) -> None:
    batch = made()
    first, second = (b"".join(boss.post(f"/devices/batch/{batch.pk}/codes/xlsx/").streaming_content) for _ in range(2))
    assert first == second
    assert len(counted) == 1
    assert AuditEntry.objects.filter(action="batch.download").count() == 2


def test_it_refuses_a_download_by_a_mere_link(boss: Client) -> None:
    assert boss.get(f"/devices/batch/{made().pk}/codes/csv/").status_code == 405
    assert not BatchFile.objects.exists()


def test_it_refuses_a_download_without_a_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.administrator())
    assert client.post(f"/devices/batch/{made().pk}/codes/csv/").status_code == 403


def test_a_large_file_is_made_in_the_background(boss: Client, nudges: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_files, "AT_ONCE", 10)
    batch = made()
    answer = boss.post(f"/devices/batch/{batch.pk}/codes/csv/")
    file = BatchFile.objects.get()
    assert answer.headers["Location"] == f"/devices/batch/{batch.pk}/change/"
    assert nudges == [("devices.pack_batch", file.pk)]
    assert "Being prepared" in boss.get(f"/devices/batch/{batch.pk}/change/").content.decode()
    batch_files.pack(file.pk, clock=timezone.now)
    assert file.batch_id == batch.pk
    assert b"".join(boss.post(f"/devices/batch/{batch.pk}/codes/csv/").streaming_content)


@pytest.mark.parametrize("form", ["aligenie", "pdf"])
def test_it_refuses_a_format_that_the_batch_has_not(boss: Client, form: str) -> None:
    batch = made()
    answer = boss.post(f"/devices/batch/{batch.pk}/codes/{form}/", follow=True)
    assert "AliGenie file is for batches of MAC addresses" in answer.content.decode()
    assert not BatchFile.objects.exists()


def test_it_refuses_the_codes_of_a_batch_that_is_being_made(boss: Client) -> None:
    answer = boss.post(f"/devices/batch/{waiting().pk}/codes/csv/", follow=True)
    assert "when the batch has ended" in answer.content.decode()
