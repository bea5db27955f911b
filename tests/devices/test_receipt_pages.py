"""Receipts on their pages: the chain, a link and its file, the batch's own, the public keys, and who sees what."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from console.crypto import signing
from console.models import AuditEntry
from console.people import roles
from console.shared import attention
from console.shared.job_kinds import kind_named
from devices.models import BatchTree, PreImportedDevice, Receipt, ReceiptKey
from devices.rules import receipt_checks, receipt_form
from devices.services import receipt_chain, receipts
from products.models import ProductAccess
from tests import cast
from tests.api.callers import Program
from tests.cast import OPERATOR
from tests.devices.production_line import made, packed, undo
from tests.devices.receipts import SOON, issued
from tests.house.test_chinese_pages import english_on, language_ends_with_the_test

pytestmark = pytest.mark.django_db
__all__ = ["language_ends_with_the_test"]


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(cast.administrator())
    return client


def limited(*products: Any, also: tuple[str, ...] = ()) -> Client:
    """A person who works with chosen products."""
    user = get_user_model().objects.create_user("fay", is_staff=True)
    names = ("view_batch", "view_receipt", "view_receiptkey", *also)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    ProductAccess.objects.bulk_create([ProductAccess(user=user, product=product) for product in products])
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return answer.content.decode()


def test_the_list_has_a_line_for_each_link_and_finds_one_by_number_batch_or_sha256(boss: Client) -> None:
    batch = made()
    first = issued(batch)
    other = issued(made(batch.product))
    second = issued(packed(batch))
    page = text(boss.get("/devices/receipt/"))
    assert all(str(receipt) in page for receipt in (first, second, other))
    file = second.files.get()
    for term, found in (
        ("R000002", [other]), (batch.number.lower(), [first, second]), (file.sha256, [second]), (first.sha256.upper(), [first]),
        ("Tracker", [first, second, other]), ("Rx", []),
    ):  # fmt: skip
        page = text(boss.get("/devices/receipt/", {"q": term}))
        shown = [receipt for receipt in (first, second, other) if f"/devices/receipt/{receipt.pk}/change/" in page]
        assert shown == found, term


def test_the_page_of_a_receipt_shows_what_is_signed_and_hands_out_its_bytes(boss: Client) -> None:
    batch = made()
    first = issued(batch)
    second = issued(packed(batch))
    page = text(boss.get(f"/devices/receipt/{second.pk}/change/"))
    facts = receipt_form.decode(second.file).facts
    for word in (
        batch.number,
        "Tracker",
        facts["files"][0]["name"],
        facts["devices"]["root"],
        second.sha256,
        str(first),
        second.key.key_id,
    ):
        assert word in page
    assert "There is a later edition" in text(boss.get(f"/devices/receipt/{first.pk}/change/"))
    answer = boss.get(f"/devices/receipt/{second.pk}/download/")
    assert b"".join(answer.streaming_content) == second.file
    assert answer["Content-Disposition"] == f'attachment; filename="{batch.number}-2.receipt"'
    assert not AuditEntry.objects.filter(action__contains="download").exists()
    assert boss.post(f"/devices/receipt/{second.pk}/download/").status_code == 405


def test_the_page_of_a_batch_leads_to_its_receipts_and_says_when_one_is_on_its_way(boss: Client) -> None:
    batch = made()
    url = f"/devices/batch/{batch.pk}/change/"
    assert "It is issued in a moment." in text(boss.get(url))
    receipt = issued(batch)
    page = text(boss.get(url))
    assert f"/devices/receipt/{receipt.pk}/download/" in page and "issued in a moment" not in page
    packed(batch)
    assert "The next edition is issued in a moment." in text(boss.get(url))


def test_a_batch_that_was_undone_says_so_in_its_receipts(boss: Client) -> None:
    batch = made()
    undo(batch)
    receipt = issued(batch)
    assert "Batch undone" in text(boss.get(f"/devices/receipt/{receipt.pk}/change/"))
    assert "Batch undone" in text(boss.get("/devices/receipt/"))


def test_a_small_file_prepared_on_the_page_rings_for_its_receipt(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr("devices.admin.batch_downloads.nudge", lambda task, pk: sent.append((task, pk)))
    batch = made()
    b"".join(boss.post(f"/devices/batch/{batch.pk}/codes/csv/").streaming_content)
    assert sent == [("devices.issue_receipt", batch.pk)]


def test_a_person_with_chosen_products_sees_their_receipts_and_no_others() -> None:
    mine = issued(made())
    other = issued(made(cast.lamp()))
    client = limited(mine.batch.product)
    page = text(client.get("/devices/receipt/"))
    assert str(mine) in page and str(other) not in page
    assert client.get(f"/devices/receipt/{mine.pk}/download/").status_code == 200
    for way in ("change", "download"):
        assert client.get(f"/devices/receipt/{other.pk}/{way}/").status_code == 404
    assert client.get(f"/devices/receipt/{other.pk + 1}/change/").status_code == 404
    third = issued(packed(mine.batch))
    assert f"/devices/receipt/{other.pk}/change/" not in text(client.get(f"/devices/receipt/{third.pk}/change/"))


def test_the_key_page_has_the_pem_and_replaces_the_key_with_a_reason(boss: Client) -> None:
    first = issued(made()).key
    url = f"/devices/receiptkey/{first.pk}/"
    page = text(boss.get(f"{url}change/"))
    public = bytes.fromhex(first.public)
    assert signing.fingerprint(public) in page and signing.pem(public).splitlines()[1] in page
    assert "required" in text(boss.post(f"{url}do/rotate/", {"reason": ""}))
    assert boss.post(f"{url}do/rotate/", {"reason": "yearly"}).status_code == 302
    new = ReceiptKey.objects.get(retired_at=None)
    assert new.pk != first.pk and AuditEntry.objects.get(action="receipt_key.make", actor_name="admin").reason == "yearly"
    page = text(boss.get(f"{url}change/"))
    assert "Retired" in page and "do/rotate" not in page
    listed = text(boss.get("/devices/receiptkey/"))
    assert first.key_id in listed and new.key_id in listed


def test_who_works_with_chosen_products_reads_the_public_key_and_cannot_replace_it() -> None:
    key = issued(made()).key
    client = limited(also=("rotate_receiptkey",))
    assert key.key_id in text(client.get(f"/devices/receiptkey/{key.pk}/change/"))
    assert client.post(f"/devices/receiptkey/{key.pk}/do/rotate/", {"reason": "mine"}).status_code == 403
    assert ReceiptKey.objects.count() == 1


def test_no_page_or_answer_has_the_private_key(boss: Client) -> None:
    receipt = issued(made())
    sealed = bytes(receipt.key.sealed_private)
    for url in (f"/devices/receiptkey/{receipt.key.pk}/change/", f"/devices/receipt/{receipt.pk}/change/", "/receipts/keys"):
        page = text(boss.get(url))
        assert sealed.hex() not in page and repr(sealed)[2:40] not in page


@pytest.mark.usefixtures("language_ends_with_the_test")
def test_no_english_is_left_on_these_pages(boss: Client) -> None:
    boss.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    batch = made()
    first = issued(batch)
    second = issued(packed(batch))
    key = f"/devices/receiptkey/{first.key.pk}"
    pages = (f"/devices/receipt/{first.pk}/change/", f"/devices/receipt/{second.pk}/change/", "/devices/receipt/")
    for url in (*pages, f"/devices/batch/{batch.pk}/change/", f"{key}/change/", f"{key}/do/rotate/", "/devices/receiptkey/"):
        assert english_on(text(boss.get(url))) == [], url


# -- Without signing in -----------------------------------------------------------------------------------------------------


def test_the_public_keys_are_there_for_everybody_as_json_and_as_pem() -> None:
    client = Client()
    empty = client.get("/receipts/keys")
    assert (empty.json(), client.get("/receipts/keys.pem").content) == ({"installation": "", "keys": []}, b"")
    receipt = issued(made())
    receipt_chain.rotate(reason="now", by=OPERATOR, at=SOON)
    answer = client.get("/receipts/keys")
    known = receipt_checks.read_keys(text(answer))
    assert receipt_checks.check_signature(receipt_form.decode(receipt.file), known).until == "2026-11-20T12:10:00Z"
    assert set(receipt_checks.read_keys(text(client.get("/receipts/keys.pem")))) == set(known)
    assert answer.json()["installation"] == receipt_form.decode(receipt.file).facts["installation"]["id"]
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("public, max-age=300", "nosniff")
    assert "Content-Security-Policy" in answer and "Set-Cookie" not in answer
    assert client.post("/receipts/keys").status_code == 405


# -- Programs ---------------------------------------------------------------------------------------------------------------


def test_a_program_has_the_latest_receipt_as_it_was_signed_the_chain_and_the_keys() -> None:
    batch = made()
    program = Program()
    missing = program.call("get", f"/batches/{batch.pk}/receipt")
    assert (missing.status_code, missing.json()["detail"]) == (404, "The batch has no receipt yet.")
    first = issued(batch)
    second = issued(packed(batch))
    answer = program.call("get", f"/batches/{batch.pk}/receipt")
    assert b"".join(answer.streaming_content) == second.file
    assert (answer["X-Content-SHA256"], answer["Content-Disposition"]) == (second.sha256, f'attachment; filename="{second.file_name}"')
    rows = program.call("get", f"/receipts?batch_id={batch.pk}").json()["items"]
    assert [receipt_form.decode(row["content"].encode()).sha256 for row in rows] == [second.sha256, first.sha256]
    assert [(row["number"], row["edition"], row["previous"]) for row in rows] == [(2, 2, first.sha256), (1, 1, "")]
    page = program.call("get", "/receipts?limit=1").json()
    assert program.call("get", page["next"].removeprefix("/api/v1")).json()["items"][0]["number"] == 1
    (key,) = program.call("get", "/receipt-keys").json()["items"]
    assert (key["key"], signing.read_pem(key["public_key"])[0].hex()) == (first.key.key_id, first.key.public)


# -- What goes wrong --------------------------------------------------------------------------------------------------------


def test_a_receipt_that_cannot_be_made_is_told_on_the_home_page_and_among_the_jobs(boss: Client) -> None:
    batch = made()
    PreImportedDevice.objects.filter(batch=batch).update(sealed_secret=b"broken")
    assert receipts.issue(batch.pk, clock=timezone.now) is None
    tree = BatchTree.objects.get()
    kind = kind_named("batchtree")
    assert kind is not None and kind.label(tree) == batch.number and f"/batch/{batch.pk}/" in kind.page(tree)
    assert "does not open" in text(boss.get("/jobs/"))


def test_a_receipt_that_is_long_overdue_needs_attention() -> None:
    batch = made()
    receipt_chain.make_first_key(at=SOON)
    ReceiptKey.objects.update(sealed_private=b"broken")
    user = cast.administrator()
    assert receipts.issue(batch.pk, clock=timezone.now) is None
    alerts = {str(alert.title): alert for alert in attention.alerts(user, timezone.now())}
    assert alerts["Batches without their receipt"].count == 1
    assert "Batches without their receipt" not in {str(alert.title) for alert in attention.alerts(user, SOON)}


def test_every_role_that_sees_batches_sees_receipts() -> None:
    holders = roles.table()
    assert holders["devices.view_receipt"] == holders["devices.view_receiptkey"] == holders["devices.view_batch"]
    assert json.dumps(sorted(holders["devices.rotate_receiptkey"])) == '["Administrator", "Security"]'
    assert not Receipt.objects.exists()
