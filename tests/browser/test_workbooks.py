"""A workbook's whole way in a real browser: uploaded with faults, taken back marked, corrected, uploaded again, imported."""

from pathlib import Path

import openpyxl
import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from devices.models import PreImportedDevice, Upload
from products.models import Product
from tests import cast
from tests.devices import workbooks
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def sign_in(page: Page, server: Server) -> None:
    """By a session of the test's own: signing in by password is tested elsewhere."""
    client = Client()
    client.force_login(cast.administrator())
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])


def upload(page: Page, server: Server, product: Product, file: Path, **choices: str) -> None:
    page.goto(f"{server.url}/devices/preimporteddevice/import/?product={product.pk}")
    page.set_input_files("input[type=file]", file)
    for name, value in choices.items():
        page.select_option(f"[name={name}]", value)
    page.get_by_role("button", name="Upload and check").click()


def test_faults_are_corrected_in_the_marked_workbook_and_the_rest_is_imported(page: Page, running_server: Server, tmp_path: Path) -> None:
    product, file = cast.kettle(), tmp_path / "labels.xlsx"
    file.write_bytes(workbooks.xlsx(["MAC", "SN"], [["64C2DE000001", "S1"], ["64C2DE00002", "S2"], ["64C2DE000003", "S3"]]))
    sign_in(page, running_server)
    upload(page, running_server, product, file)
    expect(page.locator(".np-callout--danger")).to_contain_text("1 bad cell was found")
    expect(page.locator("table").first).to_contain_text("1 row")
    expect(page.locator("table").first).to_contain_text("A MAC address has 12 hex digits; this one has 11.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the marked workbook").click()
    assert download.value.suggested_filename == "labels-marked.xlsx"
    marked = tmp_path / download.value.suggested_filename
    download.value.save_as(marked)
    book = openpyxl.load_workbook(marked)
    sheet = book.worksheets[0]
    assert (sheet["C1"].value, sheet["A3"].fill.fgColor.rgb) == ("Why", "FFFFC7CE")
    sheet["A3"] = "64C2DE000002"
    corrected = tmp_path / "corrected.xlsx"
    book.save(corrected)
    upload(page, running_server, product, corrected)
    expect(page.locator(".np-callout--success")).to_contain_text("All 3 rows are good")
    page.get_by_role("button", name="Import 3 rows").click()
    page.locator("dialog[open]").get_by_role("button", name="Import").click()
    expect(page.locator(".np-callout--success")).to_contain_text("3 rows were imported")
    assert PreImportedDevice.objects.count() == 3


def test_good_rows_alone_are_imported_after_a_tick_and_the_rest_later(page: Page, running_server: Server, tmp_path: Path) -> None:
    product, file = cast.kettle(), tmp_path / "labels.csv"
    file.write_bytes(workbooks.csv(["MAC"], [["64C2DE000001"], ["nonsense"], ["64C2DE000003"]]))
    sign_in(page, running_server)
    upload(page, running_server, product, file)
    expect(page.locator("body")).to_contain_text("A CSV file cannot be coloured.")
    page.get_by_role("button", name="Import the 2 good rows only").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("button", name="Import the good rows").click()
    expect(page.locator("dialog[open]")).to_contain_text("Tick this")
    assert not PreImportedDevice.objects.exists()
    page.locator("dialog[open]").get_by_label("1 bad row stays out of the pre-import list").check()
    page.locator("dialog[open]").get_by_role("button", name="Import the good rows").click()
    expect(page.locator(".np-callout--warning")).to_contain_text("1 bad row stayed out.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the marked workbook").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(text.replace("nonsense", "64C2DE000002"))
    upload(page, running_server, product, corrected, duplicates="skip")
    expect(page.locator(".np-callout--success")).to_contain_text("2 rows are left out")
    page.get_by_role("button", name="Import 1 row").click()
    page.locator("dialog[open]").get_by_role("button", name="Import").click()
    expect(page.locator(".np-callout--success")).to_contain_text("1 row was imported")
    assert PreImportedDevice.objects.count() == 3
    assert Upload.objects.count() == 2


def test_drift_is_looked_at_by_product_and_data_center(page: Page, running_server: Server) -> None:
    cast.home()
    cast.frankfurt()
    product, lamp = cast.kettle(), cast.lamp()
    cast.row(product, "64C2DE000001")
    cast.row(lamp, "lamp-1")
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/")
    page.get_by_role("link", name="Drift").first.click()
    expect(page.locator("table")).to_contain_text("64C2DE000001")
    page.get_by_label("Product", exact=True).select_option(label="Lamp")
    expect(page.locator("table")).to_contain_text("lamp-1")
    page.get_by_label("Data center").select_option(label="Frankfurt")
    expect(page.locator("table")).to_contain_text("In Frankfurt")
    page.get_by_role("link", name="Only there").click()
    expect(page.locator(".np-empty")).to_contain_text("There are none")
