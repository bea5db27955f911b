"""Download codes (Q8): counted exactly, ended in four ways that look the same from outside, each reading audited."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.errors import Invalid
from console.models import AuditEntry
from devices.models import Batch, BatchFile, DownloadCode, FailedRedemption, FileFormat
from devices.rules.activation_codes import FormatNotForBatch
from devices.services import batch_files, batches, download_codes
from devices.services.batch_files import NothingToDownload
from devices.services.batches import NewBatch
from devices.services.download_codes import BeingPrepared, CodeRefused, MadeCode, NewCode, RevokedAlready, TooManyAttempts
from tests.cast import NOON, OPERATOR
from tests.devices.production_line import made, packed, read

pytestmark = pytest.mark.django_db
FACTORY = "192.0.2.9"


def code(batch: Batch | None = None, **wish: object) -> MadeCode:
    new = NewCode(**{"format": "csv", "note": "Factory 2, PO 12"} | wish)
    return download_codes.make((batch or packed(made())).pk, new, by=OPERATOR, at=NOON)


def redeem(text: str, *, address: str = FACTORY, minutes: int = 1) -> bytes:
    return read(download_codes.redeem(text, address=address, at=NOON + timedelta(minutes=minutes)))


def test_a_code_is_long_shown_once_and_stored_as_a_digest() -> None:
    first, second = code(), code(Batch.objects.get())
    assert re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){7}[2-9A-HJ-NP-Z]{4}", first.text)
    assert first.text != second.text
    stored = " ".join(str(value) for row in DownloadCode.objects.values() for value in row.values())
    assert first.text not in stored
    assert first.text.replace("-", "") not in stored
    audited = " ".join(f"{entry.before} {entry.after}" for entry in AuditEntry.objects.all())
    assert first.text[5:] not in audited
    assert "157" in (download_codes.__doc__ or "")
    assert len(download_codes.ALPHABET) == len(set(download_codes.ALPHABET)) == 30


def test_it_opens_the_file_however_it_is_typed() -> None:
    batch = packed(made())
    made_code = code(batch, uses=3)
    first = redeem(made_code.text)
    assert first.startswith(b"ProductKey,DeviceName,DeviceSecret")
    assert redeem(f"  {made_code.text.lower()} ") == redeem(made_code.text.replace("-", "")) == first


def test_each_reading_is_audited_with_the_address_the_code_and_what_is_left() -> None:
    made_code = code(uses=2)
    redeem(made_code.text)
    entry = AuditEntry.objects.get(action="download_code.redeem")
    assert (entry.address, entry.target_label, entry.count) == (FACTORY, made_code.row.number, 20)
    assert entry.actor_name == f"{made_code.row.number} Factory 2, PO 12"
    assert (entry.after["uses_left"], entry.after["format"]) == (1, "csv")
    assert entry.after["sha256"] == BatchFile.objects.get().sha256
    row = DownloadCode.objects.get()
    assert (row.uses, row.last_used_address, row.last_used_at) == (1, FACTORY, NOON + timedelta(minutes=1))


def test_unknown_expired_revoked_and_used_up_are_one_answer() -> None:
    batch = packed(made())
    used_up, expired, revoked = code(batch), code(batch, lasts=timedelta(hours=1)), code(batch)
    redeem(used_up.text)
    download_codes.revoke(revoked.row.pk, reason="sent to the wrong factory", by=OPERATOR, at=NOON)
    said = set()
    for text, minutes in ((used_up.text, 1), (expired.text, 60), (revoked.text, 1), ("2345-6789", 1), ("", 1)):
        with pytest.raises(CodeRefused) as refused:
            redeem(text, minutes=minutes)
        said.add((refused.value.message, refused.value.code, str(refused.value.facts)))
    assert len(said) == 1
    assert AuditEntry.objects.filter(action="download_code.redeem").count() == 1


def test_a_file_that_is_not_there_is_made_at_once_where_it_is_small() -> None:
    made_code = code(made())
    assert redeem(made_code.text).count(b"\r\n") == 21
    assert DownloadCode.objects.get().uses == 1


def test_a_large_file_is_prepared_and_no_use_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_files, "AT_ONCE", 10)
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(download_codes, "nudge", lambda task, pk: sent.append((task, pk)))
    made_code = code(made())
    with pytest.raises(BeingPrepared):
        redeem(made_code.text)
    assert DownloadCode.objects.get().uses == 0
    assert sent == [("devices.pack_batch", BatchFile.objects.get().pk)]
    batch_files.pack(BatchFile.objects.get().pk, clock=lambda: NOON)
    redeem(made_code.text)
    assert DownloadCode.objects.get().uses == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"note": " "}, "note"),
        ({"lasts": timedelta(minutes=59)}, "lasts"),
        ({"lasts": timedelta(days=31)}, "lasts"),
        ({"uses": 0}, "uses"),
        ({"uses": 101}, "uses"),
    ],
)
def test_it_refuses_a_code_without_reader_end_or_count(wish: dict[str, object], field: str) -> None:
    batch = made()
    with pytest.raises(Invalid) as refused:
        code(batch, **wish)
    assert refused.value.field == field


def test_it_refuses_a_code_for_what_cannot_be_had() -> None:
    batch = made()
    with pytest.raises(FormatNotForBatch):
        code(batch, format="aligenie")
    waiting = batches.request(batch.product_id, NewBatch(source="automatic", quantity=5), by=OPERATOR, at=NOON)
    with pytest.raises(NothingToDownload):
        code(waiting)


def test_a_code_is_revoked_once_and_with_a_reason() -> None:
    row = code().row
    with pytest.raises(Invalid):
        download_codes.revoke(row.pk, reason="", by=OPERATOR, at=NOON)
    download_codes.revoke(row.pk, reason="lost", by=OPERATOR, at=NOON)
    with pytest.raises(RevokedAlready):
        download_codes.revoke(row.pk, reason="lost", by=OPERATOR, at=NOON)
    assert AuditEntry.objects.get(action="download_code.revoke").reason == "lost"


def test_guessers_are_kept_out_by_address_and_everybody_else_is_not() -> None:
    made_code = code(uses=5)
    for _ in range(download_codes.FAILURES_AT_MOST):
        with pytest.raises(CodeRefused):
            redeem("2345-6789")
    with pytest.raises(TooManyAttempts):
        redeem(made_code.text)
    redeem(made_code.text, address="192.0.2.10")
    redeem(made_code.text, minutes=12)


def test_addresses_of_one_ipv6_network_are_counted_together() -> None:
    made_code = code(uses=5)
    for index in range(download_codes.FAILURES_AT_MOST):
        with pytest.raises(CodeRefused):
            redeem("2345-6789", address=f"2001:db8:0:1::{index:x}")
    with pytest.raises(TooManyAttempts):
        redeem(made_code.text, address="2001:db8:0:1:ffff::1")
    redeem(made_code.text, address="2001:db8:0:2::1")


def test_failures_are_forgotten_after_a_day() -> None:
    with pytest.raises(CodeRefused):
        redeem("2345-6789")
    download_codes.forget_failures(at=NOON + timedelta(hours=25))
    assert not FailedRedemption.objects.exists()


# -- The page outside the console --------------------------------------------------------------------------------------------------------


def test_the_page_needs_no_account_and_answers_with_the_file() -> None:
    batch = made()
    made_code = download_codes.make(batch.pk, NewCode("csv", "Factory 2", lasts=timedelta(days=30)), by=OPERATOR, at=timezone.now())
    page = Client().get("/download/")
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "default-src 'none'" in page["Content-Security-Policy"]
    answer = Client().post("/download/", {"code": made_code.text})
    assert b"".join(answer.streaming_content).count(b"\r\n") == 21
    assert answer["Content-Disposition"] == f'attachment; filename="{batch.product.key}-{batch.number}.csv"'
    assert answer["Cache-Control"] == "no-store"
    again = Client().post("/download/", {"code": made_code.text})
    assert again.status_code == 404
    assert "not valid" in again.content.decode()
    assert made_code.text not in again.content.decode()


def test_the_page_says_when_there_were_too_many_attempts() -> None:
    client = Client()
    for _ in range(download_codes.FAILURES_AT_MOST):
        assert client.post("/download/", {"code": "2345"}).status_code == 404
    assert client.post("/download/", {"code": "2345"}).status_code == 429


def test_the_page_wants_a_csrf_token() -> None:
    assert Client(enforce_csrf_checks=True).post("/download/", {"code": "2345"}).status_code == 403


def test_every_format_has_a_name_and_a_content_type() -> None:
    assert set(batch_files.SUFFIXES) == set(batch_files.CONTENT_TYPES) == set(FileFormat)
