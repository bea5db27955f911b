"""The pages of serial numbers: generating, the run's files, one number, and the binding station by plain posts (Q7)."""

import base64
import io
import re
import zipfile
import zlib
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.models import AuditEntry
from console.shared.job_kinds import kind_named
from devices.admin import serial_numbers as pages
from devices.models import PreImportedDevice, SerialNumber, SerialNumberRun
from devices.rules import labels
from devices.services import label_sheets, serial_number_making
from products.models import Product, ProductAccess
from tests import cast
from tests.devices import serials
from tests.devices.test_serial_number_rules import read_png

pytestmark = pytest.mark.django_db

RUNS = "admin:devices_serialnumberrun"
MAC = "4C11AE000001"


@pytest.fixture
def admin(client: Client) -> Client:
    cast.home()
    client.force_login(cast.administrator())
    return client


def person(*codes: str, products: tuple[Product, ...] = ()) -> Client:
    """A member of staff with these permissions of devices, who works with these products alone."""
    user = get_user_model().objects.create_user("pat", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="devices", codename__in=codes))
    ProductAccess.objects.bulk_create([ProductAccess(user=user, product=product) for product in products])
    client = Client()
    client.force_login(user)
    return client


def wish(product: Product, **changed: Any) -> dict[str, Any]:
    return {"product": product.pk, "quantity": 3, "beginning": "kt-", "alphabet": "clear", "length": 10, "note": ""} | changed


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


# -- Generating ---------------------------------------------------------------------------------------------------------------------------


def test_nothing_is_made_before_somebody_has_seen_examples(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(pages, "nudge", lambda task, pk: sent.append((task, pk)))
    kettle = cast.kettle()
    shown = admin.post(reverse(f"{RUNS}_add"), wish(kettle)).content.decode()
    assert "Generate 3 serial numbers of Kettle?" in shown
    assert len(re.findall(r'<li class="np-mono">KT-[2-9A-HJ-NP-Z]{10}</li>', shown)) == 3
    assert not SerialNumberRun.objects.exists()
    answer = admin.post(reverse(f"{RUNS}_add"), wish(kettle, confirmed="yes"))
    run = SerialNumberRun.objects.get()
    assert answer["Location"] == reverse(f"{RUNS}_change", args=[run.pk])
    assert (run.prefix, run.total, run.check_character, sent) == ("KT-", 3, False, [("devices.make_serial_numbers", run.pk)])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"quantity": 10_001}, "less than or equal to 10000"),
        ({"beginning": "水壶"}, "capital letters, digits and hyphens"),
        ({"alphabet": "digits", "beginning": ""}, "A spreadsheet takes digits for a figure"),
        ({"length": 4, "quantity": 10_000}, "easily guessed"),
    ],
)
def test_a_form_that_breaks_a_rule_says_so_at_its_field(admin: Client, changed: dict[str, Any], words: str) -> None:
    shown = admin.post(reverse(f"{RUNS}_add"), wish(cast.kettle(), **changed)).content.decode()
    assert words in shown
    assert not SerialNumberRun.objects.exists()


def test_a_person_generates_for_chosen_products_alone() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    client = person("add_serialnumberrun", "view_serialnumberrun", products=(kettle,))
    refused = client.post(reverse(f"{RUNS}_add"), wish(lamp, confirmed="yes"))
    assert refused.status_code == 200
    assert not SerialNumberRun.objects.exists()
    assert client.post(reverse(f"{RUNS}_add"), wish(kettle, confirmed="yes")).status_code == 302


def test_another_products_runs_and_numbers_are_not_there() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    run = serials.made(lamp)
    label = SerialNumber.objects.filter(run=run).first()
    assert label
    codes = ("view_serialnumberrun", "download_serialnumbers", "bind_serialnumber", "cancel_serialnumberrun")
    client = person(*codes, products=(kettle,))
    assert label.sn not in client.get(reverse("admin:devices_serialnumber_changelist")).content.decode()
    for url in (reverse(f"{RUNS}_change", args=[run.pk]), reverse("admin:devices_serialnumber_change", args=[label.pk])):
        assert client.get(url).status_code == 404
    for url in (
        reverse(f"{RUNS}_file", args=[run.pk, "csv"]),
        reverse("admin:devices_binding_station_of", args=[lamp.pk]),
        reverse(f"{RUNS}_void", args=[run.pk]),
        reverse("admin:devices_serialnumber_void", args=[label.pk]),
    ):
        assert client.post(url, {"scan": "x"}).status_code == 404, url
    assert client.get(reverse(f"{RUNS}_progress"), {"ids": run.pk}).json() == {"batches": []}


# -- A run and its files ------------------------------------------------------------------------------------------------------------------


def test_the_page_of_a_run_counts_what_is_free_bound_and_void(admin: Client) -> None:
    kettle = cast.kettle()
    run = serials.made(kettle, 5)
    sns = serials.labels_of(run)
    cast.row(kettle, MAC, sn=sns[0])
    admin.post(reverse("admin:devices_serialnumber_void", args=[SerialNumber.objects.get(sn=sns[1]).pk]), {"reason": "torn"})
    context = admin.get(reverse(f"{RUNS}_change", args=[run.pk])).context
    assert (context["free"], context["bound"], context["void"]) == (3, 1, 1)
    refused = admin.post(reverse(f"{RUNS}_void", args=[run.pk]), {"reason": "lost", "typed": "S000000"})
    assert f"Type {run.number} to void" in refused.content.decode()
    assert SerialNumber.objects.void().count() == 1
    admin.post(reverse(f"{RUNS}_void", args=[run.pk]), {"reason": "lost", "typed": run.number.lower()})
    assert SerialNumber.objects.void().count() == 4
    shown = admin.get(reverse(f"{RUNS}_changelist")).content.decode()
    assert run.number in shown


def test_the_list_counts_all_bound_numbers_of_its_page(admin: Client) -> None:
    kettle = cast.kettle()
    runs = [serials.made(kettle, 3) for _ in range(3)]
    for number, sn in enumerate(serials.labels_of(runs[1])[:2]):
        cast.row(kettle, f"4C11AE00001{number}", sn=sn)
    listed = admin.get(reverse(f"{RUNS}_changelist")).context["cl"].result_list
    assert [run.bound_count for run in listed] == [0, 2, 0]


def test_progress_is_told_in_the_form_of_the_script(admin: Client) -> None:
    run = serials.waiting(cast.kettle(), 7)
    told = admin.get(reverse(f"{RUNS}_progress"), {"ids": str(run.pk)}).json()["batches"][0]
    assert (told["id"], told["state"], told["total"], told["live"]) == (run.pk, "queued", "7", True)
    serial_number_making.fill(run.pk, clock=timezone.now)
    assert admin.get(reverse(f"{RUNS}_progress"), {"ids": str(run.pk)}).json()["batches"][0]["live"] is False


def test_a_run_is_cancelled_on_its_page_and_from_the_jobs(admin: Client) -> None:
    run = serials.waiting(cast.kettle())
    admin.post(reverse(f"{RUNS}_cancel", args=[run.pk]), {"reason": "wrong product"})
    run.refresh_from_db()
    assert run.state == "cancelled"
    kind = kind_named("serialnumberrun")
    assert kind
    assert (kind.label(run), kind.page(run)) == (run.number, reverse(f"{RUNS}_change", args=[run.pk]))


def test_the_list_as_csv_names_the_devices(admin: Client) -> None:
    kettle = cast.kettle()
    run = serials.made(kettle, 3)
    sns = serials.labels_of(run)
    cast.row(kettle, MAC, sn=sns[1])
    answer = admin.post(reverse(f"{RUNS}_file", args=[run.pk, "csv"]))
    lines = body(answer).decode("utf-8-sig").split("\r\n")
    assert lines[:3] == ["ProductKey,SN,DeviceName,State", f"{kettle.key},{sns[0]},,free", f"{kettle.key},{sns[1]},{MAC},bound"]
    assert answer["Content-Disposition"] == f'attachment; filename="{kettle.key}-{run.number}.csv"'
    entry = AuditEntry.objects.get(action="serial_numbers.download")
    assert (entry.count, entry.after["format"]) == (3, "csv")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_every_number_has_a_picture_named_after_it(admin: Client, kind: str) -> None:
    kettle = cast.kettle()
    run = serials.made(kettle, 4)
    sns = serials.labels_of(run)
    SerialNumber.objects.filter(sn=sns[3]).update(voided_at=timezone.now())
    archive = zipfile.ZipFile(io.BytesIO(body(admin.post(reverse(f"{RUNS}_file", args=[run.pk, kind])))))
    assert archive.testzip() is None
    assert archive.namelist() == [f"{sn}.{kind}" for sn in sns[:3]]
    modules = labels.matrix(f'{{"pk":"{kettle.key}","sn":"{sns[0]}"}}')
    picture = archive.read(f"{sns[0]}.{kind}")
    assert picture == (labels.png(modules) if kind == "png" else labels.svg(modules))
    if kind == "png":
        assert read_png(picture) == [list(row) for row in modules]


def texts_of(pdf: bytes) -> list[str]:
    """What the pages of a PDF write, in order. The Chinese font takes two octets a character."""
    chinese = re.search(rb"/BaseFont /STSong-Light.*?/Name /(F\d+)", pdf, re.DOTALL)
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)~>\s*endstream", pdf, re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream))
        for font, raw in re.findall(rb"/(F\d+) [^()]*(?:ET\s+BT [^()]*)?\(((?:[^()\\]|\\.)*)\) Tj", content, re.DOTALL):
            octets = re.sub(rb"\\([0-7]{3}|.)", lambda hit: _octet(hit.group(1)), raw, flags=re.DOTALL)
            found.append(octets.decode("utf-16-be" if chinese and font == chinese.group(1) else "cp1252"))
    return found


def _octet(escaped: bytes) -> bytes:
    return bytes([int(escaped, 8)]) if escaped.isdigit() else {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(escaped, escaped)


def test_labels_carry_number_and_product_name_in_chinese_too(admin: Client) -> None:
    kettle = cast.kettle()
    Product.objects.filter(pk=kettle.pk).update(name="智能电水壶")
    run = serials.made(kettle, 30)
    sns = serials.labels_of(run)
    url = reverse(f"{RUNS}_file", args=[run.pk, "labels"])
    answer = admin.post(url, {"sheet": "a4-3x7", "first": 5, "last": 28})
    pdf = body(answer)
    assert answer["Content-Type"] == "application/pdf"
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 2
    texts = texts_of(pdf)
    assert [text for text in texts if text.startswith("KT-")] == sns[4:28]
    assert texts.count("智能电水壶") == 24
    assert pdf == body(admin.post(url, {"sheet": "a4-3x7", "first": 5, "last": 28}))


@pytest.mark.parametrize("sheet", labels.SHEETS)
@pytest.mark.parametrize("sn", ["K", "KT-7QX2MZ9R4D", "K" * 61])
def test_texts_of_any_length_fit_on_a_label_of_any_size(sheet: str, sn: str) -> None:
    width, height = (side * 2.8346 for side in labels.SHEETS[sheet].label)
    size, lines = label_sheets._fitted(sn, width / 2, height - 14)
    assert "".join(lines) == sn
    assert size * len(lines) * label_sheets.LINE <= height
    font, name = label_sheets._wrapped(
        "A very long product name 智能电水壶 🫖 that never ends and never ends and never ends", width / 2, size
    )
    assert len(name) <= label_sheets.NAME_LINES
    assert all(label_sheets.pdfmetrics.stringWidth(line, font, size) <= width / 2 + size for line in name)


@pytest.mark.parametrize("part", [{"sheet": "a4-3x7", "first": 4, "last": 3}, {"sheet": "napkin", "first": 1, "last": 2}, {}])
def test_labels_that_are_not_there_are_refused(admin: Client, part: dict[str, Any]) -> None:
    run = serials.made(cast.kettle(), 3)
    answer = admin.post(reverse(f"{RUNS}_file", args=[run.pk, "labels"]), part)
    assert answer.status_code == 302
    assert not AuditEntry.objects.filter(action="serial_numbers.download").exists()


def test_files_are_for_those_who_may_download_and_by_post_alone(admin: Client) -> None:
    run = serials.made(cast.kettle(), 3)
    url = reverse(f"{RUNS}_file", args=[run.pk, "csv"])
    assert admin.get(url).status_code == 405
    assert admin.post(reverse(f"{RUNS}_file", args=[run.pk, "exe"])).status_code == 404
    assert person("view_serialnumberrun", products=(run.product,)).post(url).status_code == 403


# -- One number ---------------------------------------------------------------------------------------------------------------------------


def test_numbers_are_found_by_their_beginning_by_a_scanned_code_and_by_device(admin: Client) -> None:
    kettle = cast.kettle()
    sns = serials.labels_of(serials.made(kettle, 4))
    cast.row(kettle, MAC, sn=sns[2])
    url = reverse("admin:devices_serialnumber_changelist")
    for wanted, expected in (
        (sns[1], {sns[1]}),
        (sns[1].lower()[:8], {sn for sn in sns if sn.startswith(sns[1][:8])}),
        (labels.qr_text(kettle.key, sns[0]), {sns[0]}),
        (MAC, {sns[2]}),
        ("ZZ", set()),
    ):
        found = {label.sn for label in admin.get(url, {"q": wanted}).context["cl"].result_list}
        assert found == expected, wanted
    for state, count in (("free", 3), ("bound", 1), ("void", 0)):
        assert len(admin.get(url, {"state": state}).context["cl"].result_list) == count


def test_a_number_is_taken_off_its_device_on_its_page(admin: Client) -> None:
    kettle = cast.kettle()
    sn = serials.labels_of(serials.made(kettle))[0]
    row = cast.row(kettle, MAC, sn=sn)
    label = SerialNumber.objects.get(sn=sn)
    assert MAC in admin.get(reverse("admin:devices_serialnumber_change", args=[label.pk])).content.decode()
    admin.post(reverse("admin:devices_serialnumber_unbind", args=[label.pk]), {"reason": "wrong one"})
    row.refresh_from_db()
    assert row.sn is None


# -- The binding station by plain posts ---------------------------------------------------------------------------------------------------


def scan(client: Client, product: Product, text: str, first: str = "", **more: str) -> HttpResponse:
    url = reverse("admin:devices_binding_station_of", args=[product.pk])
    return client.post(url, {"scan": text, "first": first, **more})  # type: ignore[return-value]


def outcome(answer: Any) -> tuple[str, str]:
    return answer.context["outcome"].kind, answer.context["outcome"].words


def test_two_scans_bind_and_the_page_is_ready_for_the_next() -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, MAC)
    sn = serials.labels_of(serials.made(kettle))[0]
    client = person("bind_serialnumber", products=(kettle,))
    half = scan(client, kettle, "4c:11:ae:00:00:01")
    assert outcome(half) == ("half", f"Device {MAC}. Now scan its label.")
    assert 'name="first" value="4c:11:ae:00:00:01"' in half.content.decode()
    bound = scan(client, kettle, labels.qr_text(kettle.key, sn), first="4c:11:ae:00:00:01")
    assert outcome(bound) == ("bound", f"{sn} is on {MAC}.")
    assert 'name="first" value=""' in bound.content.decode()
    assert bound.context["mine_today"] == 1
    row.refresh_from_db()
    assert row.sn == sn
    assert AuditEntry.objects.get(action="serial_number.bind").actor_name == "pat"


def test_the_label_may_come_first_and_a_double_scan_is_one() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    sn = serials.labels_of(serials.made(kettle))[0]
    client = person("bind_serialnumber", products=(kettle,))
    assert outcome(scan(client, kettle, sn)) == ("half", f"Label {sn}. Now scan its device.")
    assert outcome(scan(client, kettle, sn, first=sn)) == ("half", f"Label {sn}. Now scan its device.")
    assert outcome(scan(client, kettle, MAC, first=sn))[0] == "bound"


def test_a_refusal_is_one_sentence_and_forgets_the_first_scan() -> None:
    kettle = cast.kettle()
    cast.row(kettle, MAC)
    cast.row(kettle, "4C11AE000002")
    sn, other = serials.labels_of(serials.made(kettle))[:2]
    client = person("bind_serialnumber", products=(kettle,))
    scan(client, kettle, sn, first=MAC)
    refused = scan(client, kettle, sn, first="4C11AE000002")
    assert outcome(refused) == ("refused", f"This label is already on {MAC}.")
    assert 'name="first" value=""' in refused.content.decode()
    assert outcome(scan(client, kettle, MAC))[1] == f"{MAC} has a label already: {sn}."
    assert outcome(scan(client, kettle, "4C11AE00BEEF"))[1] == "4C11AE00BEEF is not in the pre-import list of Kettle."
    assert outcome(scan(client, kettle, "no such thing"))[0] == "refused"
    assert outcome(scan(client, kettle, other, first=other))[0] == "half"


def test_only_those_who_may_add_devices_add_them_by_the_tick() -> None:
    kettle = cast.kettle()
    sn, other = serials.labels_of(serials.made(kettle))[:2]
    worker = person("bind_serialnumber", products=(kettle,))
    assert outcome(scan(worker, kettle, sn, first=MAC, add="on"))[0] == "refused"
    assert 'name="add"' not in scan(worker, kettle, "").content.decode()
    get_user_model().objects.filter(username="pat").update(username="pat2")
    operator = person("bind_serialnumber", "add_preimporteddevice", products=(kettle,))
    answer = scan(operator, kettle, other, first=MAC, add="on")
    assert outcome(answer)[0] == "bound"
    assert answer.context["outcome"].notes == ("The device was added to the pre-import list.",)


def test_the_last_binding_is_undone_by_the_one_who_made_it() -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, MAC)
    sn = serials.labels_of(serials.made(kettle))[0]
    worker = person("bind_serialnumber", products=(kettle,))
    scan(worker, kettle, sn, first=MAC)
    url = reverse("admin:devices_binding_station_of", args=[kettle.pk])
    get_user_model().objects.filter(username="pat").update(username="pat2")
    another = person("bind_serialnumber", products=(kettle,))
    assert outcome(another.post(url, {"undo": sn})) == ("refused", "This binding was undone already.")
    assert outcome(worker.post(url, {"undo": sn}))[0] == "noted"
    row.refresh_from_db()
    assert row.sn is None
    assert outcome(worker.post(url, {"undo": sn}))[0] == "refused"


def test_the_station_with_one_product_needs_no_choice() -> None:
    kettle = cast.kettle()
    client = person("bind_serialnumber", products=(kettle,))
    answer = client.get(reverse("admin:devices_binding_station"))
    assert answer["Location"] == reverse("admin:devices_binding_station_of", args=[kettle.pk])
    cast.lamp()
    listed = person_of_all().get(reverse("admin:devices_binding_station")).content.decode()
    assert "Kettle" in listed
    assert "Lamp" in listed


def person_of_all() -> Client:
    client = Client()
    client.force_login(cast.administrator("chief"))
    return client


def test_a_scan_asks_a_constant_number_of_questions(admin: Client, django_assert_max_num_queries: Any) -> None:
    kettle = cast.kettle()
    sns = serials.labels_of(serials.made(kettle, 40))
    for number in range(30):
        cast.row(kettle, f"4C11AE0000{number:02X}", sn=sns[number])
    PreImportedDevice.objects.filter(device_name="4C11AE000000").update(sn=None)
    with django_assert_max_num_queries(30):
        scan(admin, kettle, sns[35])
