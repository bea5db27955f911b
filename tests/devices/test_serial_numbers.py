"""Serial numbers made, bound, taken off and voided (Q7): the generated ones always agree with the pre-import list."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from console.models import AuditEntry
from console.shared.jobs import JobState
from devices.models import Device, PreImportedDevice, SerialNumber, SerialNumberRun, Upload
from devices.rules.serial_numbers import BadDesign, Design
from devices.services import (
    admission,
    binding,
    numbering,
    pre_import,
    serial_number_making,
    serial_numbers,
    upload_check,
    upload_commit,
    uploads,
)
from devices.services.binding import Binding, DeviceHasLabel, LabelUsed, Meaning, NotBoundSo, UnknownDevice, UnknownLabel, Unreadable
from devices.services.numbering import Mistyped, VoidNumber, WrongProduct
from devices.services.pre_import import NewRow
from devices.services.pre_import_bulk import add_many
from devices.services.serial_number_making import FormUsedUp
from devices.services.serial_numbers import NotFree, RunOver
from products.models import Product
from products.services import lookup
from products.services.supply import QuotaExceeded
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.devices import serials

pytestmark = pytest.mark.django_db

MAC, OTHER_MAC = "4C11AE000001", "4C11AE000002"


@pytest.fixture(autouse=True)
def both_lists_agree(db: None) -> Iterator[None]:
    """After every test: a generated number is bound to exactly the row that has it."""
    yield
    bound = set(SerialNumber.objects.bound().values_list("sn", "product_id", "device_name"))
    rows = PreImportedDevice.objects.filter(sn__in=SerialNumber.objects.values("sn"))
    assert bound == set(rows.values_list("sn", "product_id", "device_name"))


def bind(product: Product, device: str, sn: str, **how: bool) -> Binding:
    return binding.bind(product, device, sn, by=OPERATOR, at=NOON, **how)


def of(sn: str) -> SerialNumber:
    return SerialNumber.objects.get(sn=sn)


def test_a_run_makes_as_many_different_numbers_as_were_asked_for() -> None:
    kettle = cast.kettle()
    run = serials.made(kettle, 1200, Design("KT-", "clear", 10, check_character=True))
    assert (run.state, run.done) == (JobState.DONE, 1200), run.failure
    sns = serials.labels_of(run)
    assert len(set(sns)) == 1200
    assert {len(sn) for sn in sns} == {14}
    assert [entry.action for entry in AuditEntry.objects.filter(action__startswith="serial_numbers.").order_by("id")] == [
        "serial_numbers.request",
        "serial_numbers.end",
    ]


def test_a_number_that_any_device_has_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kettle = cast.kettle()
    cast.row(cast.lamp(), "lamp-1", sn="KT-2222")
    serials.made(kettle, 1, Design("KT-9"))
    SerialNumber.objects.update(sn="KT-3333")
    draws = iter([["KT-2222", "KT-3333", "KT-4444", "KT-4444"], ["KT-5555", "KT-2222", "KT-6666"], ["KT-7777"]])
    monkeypatch.setattr(serial_number_making.rules, "draw", lambda *_: next(draws))
    run = serials.waiting(kettle, 4)
    serial_number_making.fill(run.pk, clock=timezone.now)
    assert sorted(serials.labels_of(run)) == ["KT-4444", "KT-5555", "KT-6666", "KT-7777"]


def test_a_form_that_is_used_up_fails_and_leaves_no_half_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    kettle = cast.kettle()
    monkeypatch.setattr(serial_number_making.rules, "draw", lambda _design, count, _random: ["KT-2222"] * count)
    run = serials.made(kettle, 3)
    assert (run.state, run.done, run.failure) == (JobState.FAILED, 0, FormUsedUp.default_message)
    assert serials.labels_of(run) == []


def test_a_form_that_breaks_a_rule_is_refused_before_anything_is_stored() -> None:
    with pytest.raises(BadDesign):
        serials.waiting(cast.kettle(), 10_000, Design("KT", "digits", 4))
    assert not SerialNumberRun.objects.exists()


def test_a_waiting_run_is_cancelled_at_once_and_an_ended_one_no_more() -> None:
    run = serials.waiting(cast.kettle())
    assert serial_numbers.cancel(run.pk, by=OPERATOR, at=NOON).state == JobState.CANCELLED
    with pytest.raises(RunOver):
        serial_numbers.cancel(run.pk, by=OPERATOR, at=NOON)
    serial_number_making.fill(run.pk, clock=timezone.now)
    assert serials.labels_of(run) == []


# -- Binding ------------------------------------------------------------------------------------------------------------------------------


def test_binding_gives_the_pre_import_row_its_sn() -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, MAC)
    sn = serials.labels_of(serials.made(kettle))[0]
    made = bind(kettle, "4c:11:ae:00:00:01", sn)
    assert (made.device_name, made.repeated, made.met_in) == (MAC, False, ())
    row.refresh_from_db()
    assert row.sn == sn
    assert (of(sn).device_name, of(sn).bound_at) == (MAC, NOON)
    assert AuditEntry.objects.filter(action="serial_number.bind", target_id=str(row.pk)).count() == 1


def test_the_same_pair_again_changes_nothing() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    sn = serials.labels_of(serials.made(kettle))[0]
    bind(kettle, MAC, sn)
    assert bind(kettle, MAC, sn).repeated
    assert AuditEntry.objects.filter(action="serial_number.bind").count() == 1


def test_a_label_goes_on_one_device_and_a_device_has_one_label() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    cast.row(kettle, OTHER_MAC)
    first, second = serials.labels_of(serials.made(kettle))[:2]
    bind(kettle, MAC, first)
    with pytest.raises(LabelUsed, match=r"This label is already on 4C11AE000001\."):
        bind(kettle, OTHER_MAC, first)
    with pytest.raises(DeviceHasLabel, match=f"4C11AE000001 has a label already: {first}"):
        bind(kettle, MAC, second)


def test_a_device_that_nobody_imported_is_refused_or_added_within_the_quota() -> None:
    kettle = cast.kettle()
    first, second = serials.labels_of(serials.made(kettle))[:2]
    with pytest.raises(UnknownDevice, match="not in the pre-import list of Kettle"):
        bind(kettle, MAC, first)
    assert bind(kettle, MAC, first, add=True).added
    kettle.refresh_from_db()
    assert kettle.devices_taken == 1
    Product.objects.filter(pk=kettle.pk).update(device_quota=1)
    with pytest.raises(QuotaExceeded):
        bind(kettle, OTHER_MAC, second, add=True)


def test_a_label_that_was_not_generated_here_is_refused() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    with pytest.raises(UnknownLabel):
        bind(kettle, MAC, "KT-NOBODY")


def test_a_label_of_another_product_or_a_void_one_is_refused() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    cast.row(kettle, MAC)
    foreign = serials.labels_of(serials.made(lamp))[0]
    void = serials.labels_of(serials.made(kettle))[0]
    serial_numbers.void(of(void).pk, reason="torn", by=OPERATOR, at=NOON)
    with pytest.raises(WrongProduct):
        bind(kettle, MAC, foreign)
    with pytest.raises(VoidNumber):
        bind(kettle, MAC, void)
    assert PreImportedDevice.objects.get(device_name=MAC).sn is None


def test_it_says_where_the_device_is_already_and_leaves_it_alone() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    known = lookup.find_for_registration(kettle.key, at=NOON)
    device = admission.admit(data_center=cast.home(), product=known, device_name=MAC, at=NOON)
    assert device
    made = bind(kettle, MAC, serials.labels_of(serials.made(kettle))[0])
    assert made.met_in == ("Shanghai",)
    assert Device.objects.at(cast.home()).get(device_name=MAC).sn == ""


def test_a_label_comes_off_again_and_is_free() -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, MAC)
    sn = serials.labels_of(serials.made(kettle))[0]
    bind(kettle, MAC, sn)
    binding.unbind(kettle.pk, MAC, sn, by=OPERATOR, at=NOON)
    row.refresh_from_db()
    assert (row.sn, of(sn).state) == (None, "free")
    with pytest.raises(NotBoundSo):
        binding.unbind(kettle.pk, MAC, sn, by=OPERATOR, at=NOON)


def test_a_bound_number_cannot_be_voided_and_a_run_voids_the_others() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    run = serials.made(kettle, 5)
    sn = serials.labels_of(run)[0]
    bind(kettle, MAC, sn)
    with pytest.raises(NotFree):
        serial_numbers.void(of(sn).pk, by=OPERATOR, at=NOON)
    assert serial_numbers.void_run(run.pk, by=OPERATOR, at=NOON) == 4
    assert SerialNumber.objects.void().count() == 4
    with pytest.raises(NotFree):
        serial_numbers.void_run(run.pk, by=OPERATOR, at=NOON)


def test_the_database_holds_that_a_void_number_is_on_nothing() -> None:
    sn = serials.labels_of(serials.made(cast.kettle()))[0]
    serial_numbers.void(of(sn).pk, by=OPERATOR, at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        SerialNumber.objects.filter(sn=sn).update(device_name=MAC, bound_at=NOON)


# -- What scans mean ----------------------------------------------------------------------------------------------------------------------


def test_two_scans_are_a_pair_in_either_order() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    sn = serials.labels_of(serials.made(kettle))[0]
    code = f'{{"pk":"{kettle.key}","sn":"{sn}"}}'
    for label in (sn, sn.lower(), code):
        assert binding.pair(kettle, label, "4c-11-ae-00-00-01") == (MAC, sn)
        assert binding.pair(kettle, "4C11.AE00.0001", label) == (MAC, sn)


def test_two_of_a_kind_are_no_pair() -> None:
    kettle = cast.kettle()
    first, second = serials.labels_of(serials.made(kettle))[:2]
    with pytest.raises(Unreadable, match="Two labels"):
        binding.pair(kettle, first, second)
    with pytest.raises(Unreadable, match="Two devices"):
        binding.pair(kettle, MAC, OTHER_MAC)


def test_a_code_of_another_product_is_refused_by_what_it_says() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    sn = serials.labels_of(serials.made(lamp))[0]
    with pytest.raises(WrongProduct):
        binding.recognise(kettle, f'{{"pk":"{lamp.key}","sn":"{sn}"}}')


def test_nonsense_is_neither() -> None:
    with pytest.raises(Unreadable, match="neither a device of Kettle nor one of its labels: hello"):
        binding.recognise(cast.kettle(), "hello")


def test_a_text_that_is_a_device_and_a_label_is_the_device_where_it_comes_first() -> None:
    lamp = cast.lamp()
    first, second = serials.labels_of(serials.made(lamp))[:2]
    cast.row(lamp, first)
    assert binding.recognise(lamp, first).meaning is Meaning.EITHER
    assert binding.recognise(lamp, second).meaning is Meaning.LABEL
    assert binding.pair(lamp, first, first) == (first, first)
    assert binding.pair(lamp, second, first) == (first, second)


def test_a_first_scan_that_leads_nowhere_is_refused_at_once() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    first, second = serials.labels_of(serials.made(kettle))[:2]
    assert binding.look(kettle, MAC).meaning is Meaning.DEVICE
    bind(kettle, MAC, first)
    for scan, refusal in ((MAC, DeviceHasLabel), (OTHER_MAC, UnknownDevice), (first, LabelUsed)):
        with pytest.raises(refusal):
            binding.look(kettle, scan)
    assert binding.look(kettle, OTHER_MAC, add=True).meaning is Meaning.DEVICE
    assert binding.look(kettle, second).meaning is Meaning.LABEL


# -- Whoever else writes SNs --------------------------------------------------------------------------------------------------------------


def test_rows_by_hand_take_give_back_and_exchange_numbers() -> None:
    kettle = cast.kettle()
    first, second = serials.labels_of(serials.made(kettle))[:2]
    row = cast.row(kettle, MAC, sn=first)
    assert of(first).device_name == MAC
    pre_import.edit(row.pk, {"sn": second}, by=OPERATOR, at=NOON)
    assert (of(first).state, of(second).device_name) == ("free", MAC)
    pre_import.delete([row.pk], with_devices=False, by=OPERATOR, at=NOON)
    assert of(second).state == "free"


def test_rows_by_hand_cannot_have_a_number_of_another_product() -> None:
    kettle = cast.kettle()
    foreign = serials.labels_of(serials.made(cast.lamp()))[0]
    with pytest.raises(WrongProduct):
        cast.row(kettle, MAC, sn=foreign)
    row = cast.row(kettle, MAC, sn="OURS-1")
    with pytest.raises(WrongProduct):
        pre_import.edit(row.pk, {"sn": foreign}, by=OPERATOR, at=NOON)


def upload(product: Product, lines: list[str]) -> Upload:
    content = "\r\n".join(["DeviceName,SN", *lines]).encode()
    new = uploads.NewUpload("list.csv", len(content), [content])
    received = uploads.receive(product, new, by=OPERATOR, at=timezone.now())
    upload_check.check(received.pk, clock=timezone.now)
    received.refresh_from_db()
    return received


def commit(received: Upload) -> Upload:
    upload_commit.request(received.pk, sha256=received.checked_sha256, by=OPERATOR, at=timezone.now())
    upload_commit.commit(received.pk, clock=timezone.now)
    received.refresh_from_db()
    return received


def test_a_workbook_binds_the_numbers_of_its_rows() -> None:
    kettle = cast.kettle()
    first, second = serials.labels_of(serials.made(kettle))[:2]
    done = commit(upload(kettle, [f"{MAC},{first}", f"{OTHER_MAC},{second}", "4C11AE000003,OWN-77"]))
    assert done.state == JobState.DONE, done.failure
    assert (of(first).device_name, of(second).device_name) == (MAC, OTHER_MAC)


def test_a_workbook_with_numbers_of_others_is_told_cell_by_cell() -> None:
    kettle = cast.kettle()
    mine, void, used = serials.labels_of(serials.made(kettle))[:3]
    foreign = serials.labels_of(serials.made(cast.lamp()))[0]
    serial_numbers.void(of(void).pk, by=OPERATOR, at=NOON)
    cast.row(kettle, "4C11AE0000FF", sn=used)
    lines = [f"4C11AE00000{number},{sn}" for number, sn in enumerate([mine, void, foreign, used], 1)]
    checked = upload(kettle, lines)
    assert checked.bad_rows == 3
    cells = {(cell.number, cell.column, cell.value): cell.words for cell in uploads.findings(checked)}
    assert cells[3, "SN", void] == f"The SN {void} was voided: it goes on no device."
    assert cells[4, "SN", foreign] == f"The SN {foreign} was generated for another product."
    assert "already" in cells[5, "SN", used]


CHECKED = Design("KT-", "clear", 10, check_character=True)


def exchanged(sn: str) -> str:
    """With another character in front of the check character."""
    return sn[:-2] + ("A" if sn[-2] != "A" else "B") + sn[-1]


def test_a_mistyped_number_is_told_wherever_it_is_typed() -> None:
    kettle = cast.kettle()
    first, second = serials.labels_of(serials.made(kettle, design=CHECKED))[:2]
    checked = upload(kettle, [f"{MAC},{exchanged(first)}", f"{OTHER_MAC},{second}"])
    words = "The SN is mistyped: its check character is wrong."
    assert [(cell.number, cell.column, cell.words) for cell in uploads.findings(checked)] == [(2, "SN", words)]
    assert [group["rule"] for group in checked.report["groups"]] == ["The SN is mistyped"]
    with pytest.raises(Mistyped):
        cast.row(kettle, MAC, sn=exchanged(first))
    row = cast.row(kettle, MAC, sn=first)
    with pytest.raises(Mistyped):
        pre_import.edit(row.pk, {"sn": exchanged(second)}, by=OPERATOR, at=NOON)
    [outcome] = add_many(kettle, [NewRow(OTHER_MAC, sn=exchanged(second))], by=OPERATOR, at=NOON)
    assert isinstance(outcome.error, Mistyped)


def test_a_number_that_another_run_made_is_not_mistyped() -> None:
    """It has the form of numbers with a check character, which it has not."""
    kettle = cast.kettle()
    serials.made(kettle, design=CHECKED)
    numbers = serials.labels_of(serials.made(kettle, 60, design=Design("KT-", "clear", 11)))
    assert numbering.not_for(kettle.pk, numbers) == {}
    assert numbering.not_for(cast.lamp().pk, [exchanged(numbers[0])]) == {}


def test_a_number_that_was_voided_after_the_check_stops_the_whole_import() -> None:
    kettle = cast.kettle()
    sn = serials.labels_of(serials.made(kettle))[0]
    checked = upload(kettle, [f"{MAC},{sn}", f"{OTHER_MAC},"])
    serial_numbers.void(of(sn).pk, by=OPERATOR, at=NOON)
    done = commit(checked)
    assert (done.state, done.failure) == (JobState.FAILED, f"The SN {sn} was voided: it goes on no device.")
    assert not PreImportedDevice.objects.exists()


def test_following_asks_nothing_of_numbers_that_were_never_generated(django_assert_max_num_queries: Any) -> None:
    serials.made(cast.kettle())
    with transaction.atomic(), django_assert_max_num_queries(4):
        numbering.follow([f"OWN-{number}" for number in range(100)], by=OPERATOR, at=NOON)
