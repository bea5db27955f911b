"""Receipts: when one is due, what stands in it, that they are one chain, and that they stay true whatever becomes of the rows."""

import hashlib
from datetime import datetime, timedelta

import pytest

from console.crypto import sealing
from console.errors import Invalid
from console.models import AuditEntry
from console.shared import keyring
from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, BatchTree, PreImportedDevice, Receipt, ReceiptChain, ReceiptFile, ReceiptKey
from devices.rules import receipt_checks
from devices.rules.merkle import Tree
from devices.services import batch_files, batches, receipt_chain, receipts
from devices.services.batches import NewBatch
from products.models import ProductSecret
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices.production_line import LATER, made, packed, read, undo
from tests.devices.receipts import SOON, facts, issued, keys
from tests.devices.receipts import read as proven

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def due() -> list[int]:
    return receipts.due(at=SOON)


def csv_of(batch: Batch) -> bytes:
    return read(batch_files.download(packed(batch), "csv", by=OPERATOR, at=LATER))


def root_of(file: bytes) -> str:
    """From the file alone, as a factory would."""
    tree = Tree()
    tree.add(file.split(b"\r\n")[1:-1])
    return tree.root()


def test_a_batch_that_ended_has_a_receipt_of_its_devices() -> None:
    batch = made()
    assert due() == [batch.pk]
    receipt = issued(batch)
    said = facts(receipt)
    assert (receipt.number, receipt.edition, receipt.previous, receipt.undone) == (1, 1, "", False)
    assert said["product"] == {"key": "L4WG9V9M2M", "name": "Tracker"}
    assert (said["batch"]["asked"], said["batch"]["made"], said["batch"]["skipped"], said["batch"]["state"]) == (20, 20, 0, "done")
    assert said["devices"]["count"] == 20
    assert said["devices"]["columns"] == ["ProductKey", "DeviceName", "DeviceSecret"]
    assert said["files"] == []
    assert due() == []
    assert receipts.issue(batch.pk, clock=lambda: SOON) is None


def test_the_root_is_that_of_the_lines_of_the_csv_file() -> None:
    batch = made()
    root = facts(issued(batch))["devices"]["root"]
    assert root == root_of(csv_of(batch))


def test_the_per_product_root_is_that_of_its_own_columns() -> None:
    batch = made()
    Batch.objects.filter(pk=batch.pk).update(flashing_method="per_product")
    said = facts(issued(batch))
    assert said["devices"]["columns"] == ["ProductKey", "ProductSecret", "DeviceName"]
    assert said["devices"]["root"] == root_of(csv_of(batch))


def test_a_file_that_was_made_is_in_the_next_edition_and_in_all_after_it() -> None:
    batch = made()
    issued(batch)
    packed(batch, "csv")
    assert due() == [batch.pk]
    second = facts(issued(batch))
    packed(batch, "xlsx")
    third = facts(issued(batch))
    (listed,) = second["files"]
    file = BatchFile.objects.get(format="csv")
    assert listed == {
        "format": "csv",
        "made_at": "2026-11-20T12:00:00Z",
        "name": f"L4WG9V9M2M-{batch.number}.csv",
        "rows": 20,
        "sha256": file.sha256,
        "size": file.size,
    }
    assert [entry["format"] for entry in third["files"]] == ["csv", "xlsx"]
    assert (second["edition"], third["edition"]) == (2, 3)
    assert second["devices"] == third["devices"]
    assert hashlib.sha256(read(batch_files.download(batch, "csv", by=OPERATOR, at=LATER))).hexdigest() == listed["sha256"]


def test_a_file_made_again_with_the_same_bytes_needs_no_new_receipt_and_with_others_it_does() -> None:
    batch = made()
    first = BatchFile.objects.get(batch=packed(batch), format="csv")
    issued(batch)
    BatchFile.objects.update(expires_at=NOON)
    packed(batch)
    assert due() == []
    row = PreImportedDevice.objects.filter(batch=batch)[0]
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=keyring.seal("NewSecretNewSecretNewS==", owner=row.secret_owner()))
    BatchFile.objects.update(expires_at=NOON)
    packed(batch)
    second = facts(issued(batch))
    now = BatchFile.objects.get(batch=batch, format="csv")
    assert [entry["sha256"] for entry in second["files"]] == [first.sha256, now.sha256]
    assert second["devices"]["root"] == facts(Receipt.objects.get(number=1))["devices"]["root"], "the tree is that of the batch's end"


def test_of_batch_data_the_newest_file_alone_is_listed() -> None:
    batch = made()
    packed(batch, "data")
    issued(batch)
    PreImportedDevice.objects.filter(batch=batch).update(nickname="Renamed")
    BatchFile.objects.update(expires_at=NOON)
    packed(batch, "data")
    said = facts(issued(batch))
    assert [entry["sha256"] for entry in said["files"]] == [BatchFile.objects.get().sha256]
    assert ReceiptFile.objects.count() == 2


def test_an_undo_is_a_link_and_one_under_way_waits() -> None:
    batch = made()
    first = facts(issued(batch))
    batches.undo(batch.pk, reason="wrong", by=OPERATOR, at=LATER)
    packed_before_undo = due()
    assert packed_before_undo == []
    Batch.objects.filter(pk=batch.pk).update(undo_began_at=None)
    batch.undos.all().delete()
    undo(batch)
    receipt = issued(batch)
    said = facts(receipt)
    assert receipt.undone
    assert (said["batch"]["undone_at"], said["edition"]) == ("2026-11-20T12:05:00Z", 2)
    assert said["devices"] == first["devices"]
    assert due() == []


def test_a_batch_undone_before_its_first_receipt_lists_no_device() -> None:
    batch = made()
    undo(batch)
    said = facts(issued(batch))
    assert (said["devices"]["count"], said["devices"]["root"]) == (0, hashlib.sha256(b"").hexdigest())
    assert said["batch"]["undone_at"]


def test_a_cancelled_batch_has_a_receipt_of_what_was_made_and_one_without_devices_none() -> None:
    nothing = batches.request(cast.tracker().pk, NewBatch(source="automatic", quantity=5), by=OPERATOR, at=NOON)
    assert due() == []
    batches.cancel(nothing.pk, by=OPERATOR, at=NOON)
    assert due() == []
    some = made(nothing.product)
    Batch.objects.filter(pk=some.pk).update(state=JobState.CANCELLED, total=50)
    said = facts(issued(some))
    assert (said["batch"]["state"], said["batch"]["asked"], said["batch"]["made"], said["devices"]["count"]) == ("cancelled", 50, 20, 20)


def test_receipts_are_one_chain_over_all_batches() -> None:
    first = made()
    second = made(first.product)
    for batch in (first, second):
        issued(batch)
    for batch in (first, second):
        issued(packed(batch))
    chain = [proven(row) for row in Receipt.objects.order_by("number")]
    assert [link.number for link in chain] == [1, 2, 3, 4]
    assert receipt_checks.check_chain(chain) == []
    assert ReceiptChain.objects.get().sha256 == chain[-1].sha256 == Receipt.objects.get(number=4).sha256
    assert {link.facts["installation"]["id"] for link in chain} == {receipt_chain.installation()}


def test_a_clock_that_is_behind_dates_no_receipt_before_the_last_one() -> None:
    batch = made()
    issued(batch, at=SOON + MINUTE)
    again = issued(packed(batch), at=SOON)
    assert again.issued_at == SOON + MINUTE


def test_a_new_key_signs_from_then_on_and_the_old_one_opens_what_it_signed() -> None:
    batch = made()
    first = issued(batch)
    new = receipt_chain.rotate(reason="a year has passed", by=OPERATOR, at=SOON + MINUTE)
    second = issued(packed(batch), at=SOON + 2 * MINUTE)
    assert (first.key.key_id != new.key_id, second.key.key_id) == (True, new.key_id)
    assert ReceiptKey.objects.get(pk=first.key_id).retired_at == SOON + MINUTE
    assert proven(first).facts["key"] == first.key.key_id
    line = AuditEntry.objects.get(action="receipt_key.make", actor_name="olga")
    assert (line.before, line.after, line.reason) == ({"key": first.key.key_id}, {"key": new.key_id}, "a year has passed")


def test_it_refuses_to_replace_the_key_without_a_reason() -> None:
    with pytest.raises(Invalid):
        receipt_chain.rotate(reason=" ", by=OPERATOR, at=NOON)
    assert not ReceiptKey.objects.exists()


def test_the_private_key_is_sealed_for_its_owner_and_moves_with_the_key_ring() -> None:
    key = receipt_chain.make_first_key(at=NOON)
    assert receipt_chain.make_first_key(at=NOON).pk == key.pk
    with pytest.raises(sealing.SealBroken):
        keyring.current().open(key.sealed_private, b"somebody else")
    assert len(keyring.current().open(key.sealed_private, key.private_owner())) == 32


def test_no_receipt_is_issued_while_the_key_does_not_open_and_the_chain_stays_as_it_was() -> None:
    batch = made()
    key = receipt_chain.make_first_key(at=NOON)
    ReceiptKey.objects.update(sealed_private=b"broken")
    assert receipts.issue(batch.pk, clock=lambda: SOON) is None
    assert (Receipt.objects.count(), ReceiptChain.objects.get().number, due()) == (0, 0, [batch.pk])
    ReceiptKey.objects.update(sealed_private=key.sealed_private)
    assert issued(batch).number == 1


def test_a_secret_that_does_not_open_fails_the_tree_and_is_tried_again_later() -> None:
    batch = made()
    row = PreImportedDevice.objects.filter(batch=batch)[3]
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=b"broken")
    assert receipts.issue(batch.pk, clock=lambda: SOON) is None
    tree = BatchTree.objects.get()
    assert (tree.state, "does not open" in tree.failure, due()) == (JobState.FAILED, True, [])
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=row.sealed_secret)
    assert receipts.due(at=SOON + timedelta(hours=1)) == [batch.pk]
    assert issued(batch, at=SOON + timedelta(hours=1)).number == 1


def test_a_failure_is_not_told_of_a_tree_that_is_no_longer_the_workers_own() -> None:
    batch = made()
    PreImportedDevice.objects.filter(batch=batch).update(sealed_secret=b"broken")

    def overtaken() -> datetime:
        BatchTree.objects.filter(attempt=1).update(attempt=2)
        return LATER

    assert receipts.issue(batch.pk, clock=overtaken) is None
    assert (BatchTree.objects.get().state, BatchTree.objects.get().failure) == (JobState.RUNNING, "")


def test_a_product_without_a_live_secret_has_no_per_product_receipt_yet() -> None:
    batch = made()
    Batch.objects.update(flashing_method="per_product")
    ProductSecret.objects.update(valid_until=NOON)
    assert receipts.issue(batch.pk, clock=lambda: SOON) is None
    assert BatchTree.objects.get().failure == "The product has no live ProductSecret."


def test_a_tree_in_the_hands_of_a_living_worker_is_left_alone_and_taken_from_a_dead_one() -> None:
    batch = made()
    tree = BatchTree.objects.create(batch=batch, total=20, requested_at=SOON)
    BatchTree.objects.claim(tree.pk, at=SOON)
    assert due() == []
    assert receipts.issue(batch.pk, clock=lambda: SOON) is None
    assert issued(batch, at=SOON + MINUTE).number == 1


def test_a_tree_that_an_undo_overtook_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = made()

    def clock() -> object:
        Batch.objects.filter(pk=batch.pk).update(undo_began_at=LATER)
        return SOON

    first = iter([SOON, SOON, SOON])
    assert receipts.issue(batch.pk, clock=lambda: next(first, None) or clock()) is None  # type: ignore[arg-type,return-value]
    assert BatchTree.objects.get().state == JobState.QUEUED
    Batch.objects.filter(pk=batch.pk).update(undo_began_at=None)
    assert facts(issued(batch))["devices"]["count"] == 20


def test_rows_deleted_before_the_tree_are_missing_in_it_and_counted() -> None:
    batch = made()
    PreImportedDevice.objects.filter(batch=batch).order_by("pk")[0].delete()
    said = facts(issued(batch))
    assert (said["batch"]["made"], said["devices"]["count"]) == (20, 19)


def test_a_receipt_holds_no_secret_and_its_issue_is_in_the_audit() -> None:
    batch = packed(made())
    receipt = issued(batch)
    secrets = [keyring.unseal(row.sealed_secret, owner=row.secret_owner()) for row in PreImportedDevice.objects.filter(batch=batch)]
    assert not [secret for secret in secrets if secret in receipt.content]
    line = AuditEntry.objects.get(action="receipt.issue")
    assert (line.actor_name, line.target_label, line.count) == ("system", "R000001", 20)
    assert line.after == {"batch": batch.number, "edition": 1, "files": 1, "sha256": receipt.sha256, "key": receipt.key.key_id}


def test_the_key_of_a_receipt_is_known_by_its_published_half() -> None:
    receipt = issued(made())
    assert set(keys()) == {receipt.key.key_id}
